"""One `Guard.update` with shipped rules: feb-2026 over its own scenario, and a pack of ten rules.

No shipped pack has ten rules: the nine of account-limits and the tenth of feb-2026, that a crowd
is long. They are told what an account says, every hour of two years.
"""

from __future__ import annotations

import random
import time
from statistics import median

from benchmarks.measuring import cpu, say
from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.engine.guard import Guard
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules, read_text
from riskguard.market import HOUR, Sample
from riskguard.shipped import shipped

HOURS = 2 * 365 * 24
START = 1_704_067_200_000_000_000
TENTH = """\
  longs_crowded:
    when: funding.mean(24h) >= 5bp
    clear: funding.mean(24h) <= 1bp
    do: {block_entries: long}
"""


def main() -> None:
    history = History.read("feb-2026")
    ruleset = bind(
        load_rules(shipped("rules") / "feb-2026.yaml"),
        symbol=history.symbol,
        every=history.every,
        carried=history.inputs(),
        capabilities=CAPABILITIES,
    ).ruleset
    samples = list(history.samples())

    def run() -> None:
        update = Guard(ruleset).update
        for sample in samples:
            update(sample)

    best = min(cpu(run) for _ in range(10))
    bars = history.bars().ts.size
    say("feb_2026_update", best / len(samples) * 1e6, "us_per_sample", None)
    say("feb_2026_bar", best / bars * 1e6, "us_per_bar_of_five_symbols", None)
    say("ten_rules_of_the_account", ten(), "us_median", 10)


def account() -> list[Sample]:
    """Return what an account says, every hour."""
    pick, equity, found = random.Random(7), 10_000.0, []
    for hour in range(HOURS):
        moved = pick.gauss(0, 30)
        equity = max(1_000.0, equity + moved)
        closed = pick.random() < 0.2
        values = {
            "close": 60_000.0 + pick.gauss(0, 500),
            "funding": pick.gauss(2e-4, 2e-4),
            "equity": equity,
            "pnl.realised": moved if closed else 0.0,
            "trades.closed": float(closed),
            "trades.lost": float(closed and moved < 0),
            "trades.stopped": float(closed and moved < -30),
            "leverage": abs(pick.gauss(2, 1)),
        }
        found.append(Sample(START + hour * HOUR, "BTC", values))
    return found


def ten() -> float:
    """Return the median microseconds of an update of ten rules."""
    text = (shipped("rules") / "account-limits.yaml").read_text(encoding="utf-8")
    ruleset, found = read_text(text.rstrip() + "\n" + TENTH, "ten.yaml")
    if ruleset is None or len(ruleset.rules) != 10:
        raise SystemExit("\n".join(one.render() for one in found) or "not ten rules")
    guard, times, on = Guard(ruleset), [], set()
    for sample in account():
        start = time.perf_counter_ns()
        decision = guard.update(sample)
        times.append(time.perf_counter_ns() - start)
        on.update(decision.active)
    if len(on) < 8 or guard.refused:
        raise SystemExit(f"pack_update: only {sorted(on)} came on; refused {guard.refused}")
    return median(times) / 1e3


if __name__ == "__main__":
    main()
