"""The event study over the eight real sell-offs, as a multiple of reading their files.

The rules read prices alone, so that all eight are studied. The data is not ours to copy; it is
where the tests look for it.
"""

from __future__ import annotations

import time

from benchmarks.measuring import ratio, say
from riskguard.backtest.evidence.plan import LOCKED
from riskguard.backtest.evidence.study import Asked, Study, look, study
from riskguard.history import History
from riskguard.language.reader import read_text
from riskguard.market import DAY
from tests.conftest import data_folder
from tests.selloffs.real import EVENTS, FOLDER

RULES = """\
version: 1
stages:
  - {stage: watch, enter: close.drop(24h) >= 4%, recover: close.drop(24h) < 2% for 12h,
     do: {exposure_cap: 75%}}
  - {stage: out, enter: close.drop(3d) >= 12%, recover: close.drop(3d) < 6% for 24h,
     do: {exposure_cap: 0%, close: all}}
rules:
  fast_fall:
    when: close.drop(24h) >= 8%
    clear: close.drop(24h) <= 2% for 24h
    do: {block_entries: long}
"""


def main() -> None:
    folder = data_folder()
    if not folder.is_dir():
        print(f"# study_sell_offs not measured: no market data in {folder}; set RISKGUARD_DATA")
        return
    rules, found = read_text(RULES, "rules.yaml")
    if rules is None:
        raise SystemExit(f"the rules of the benchmark are refused: {found}")

    def read() -> list[History]:
        return [History.read(FOLDER / event, files=folder) for event in EVENTS]

    histories = read()

    def studied() -> Study:
        asked = Asked(0.1, 7 * DAY, 0.001, LOCKED)
        parts = [
            look(asked, rules, one, event) for one, event in zip(histories, EVENTS, strict=True)
        ]
        return study(asked, parts)

    start, work = time.perf_counter(), time.process_time()
    made = studied()
    wall, work = time.perf_counter() - start, time.process_time() - work
    if len(made.counting) != len(EVENTS):
        raise SystemExit(f"{len(made.counting)} of {len(EVENTS)} sell-offs were studied")
    bars = sum(one.scene.bars.ts.size for one in made.parts)
    print(f"# {len(EVENTS)} sell-offs, {bars:,} bars, {len(made.events)} events")
    say("study_sell_offs", wall, "s_wall", None)
    say("study_sell_offs_work", work, "s_cpu", None)
    say("study_sell_offs_of_reading", ratio(studied, read, rounds=3), "x_of_reading", 1.0)


if __name__ == "__main__":
    main()
