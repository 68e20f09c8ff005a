from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskguard import load_rules
from riskguard.errors import RuleError
from riskguard.feeds.table import stamp
from riskguard.history.floors import floors
from riskguard.history.history import History
from riskguard.market import HOUR

START = 1_770_249_600_000_000_000  # 2026-02-05T00:00Z
RULES = """\
version: 1
symbol: BTC
every: 1h
params:
  many: {by_source: {binance: $18M}, range: $1M..$500M}
  few: {by_source: {binance: $4M, other: $4M}, range: $1M..$500M}
rules:
  cascade:
    when:
      all:
        - liq.long.sum(1h).times_avg(24h) >= 3
        - liq.long.sum(1h) >= many
    clear: liq.long.sum(1h) <= few
    do: {block_entries: both}
"""
SAID = """\
name: made
symbol: BTC
series:
  - {file: bars.csv, series: bars, unit: price, symbol: BTC, %s}
  - {file: liq.csv, series: liq.long, column: usd, unit: usd, symbol: BTC, %s, coverage: sampled}
""".replace("%s", "interval: 1h, stamp: open, source: bybit, grade: exchange")


def recorded(folder: Path, hours: int, step: float = 1e6) -> History:
    """Return hours in each of which a step more was liquidated than in the one before."""
    stamps = [stamp(START + number * HOUR) for number in range(hours)]
    bars = "".join(f"{ts},1,1,1,1\n" for ts in stamps)
    flows = "".join(f"{ts},{(number + 1) * step}\n" for number, ts in enumerate(stamps))
    (folder / "bars.csv").write_text(f"ts,open,high,low,close\n{bars}")
    (folder / "liq.csv").write_text(f"ts,usd\n{flows}")
    (folder / "scenario.yaml").write_text(SAID)
    (folder / "rules.yaml").write_text(RULES)
    return History.read(folder)


def test_a_floor_is_what_one_sample_of_twenty_exceeds_in_two_figures(tmp_path: Path) -> None:
    history = recorded(tmp_path, 240)
    many, few = floors(load_rules(tmp_path / "rules.yaml"), history)
    assert (many.parameter, many.source, many.measure) == ("many", "bybit", "liq.long.sum(1h)")
    assert many.figure == "$230M"  # 228.05 of 1, 2, ... 240
    assert (many.samples, many.coverage) == (240, "sampled")
    assert many.last - many.first == 239 * HOUR
    assert few.figure == ""
    assert few.why == "a line to fall below: choose it under the floor"


@pytest.mark.parametrize(("hours", "figure"), [(168, ""), (169, "$160M")])
def test_under_seven_days_nothing_is_proposed(hours: int, figure: str, tmp_path: Path) -> None:
    history = recorded(tmp_path, hours)
    many, _ = floors(load_rules(tmp_path / "rules.yaml"), history)
    assert many.figure == figure
    assert many.why == ("" if figure else "6d of data: 7d is the least")


def test_a_series_in_which_nothing_happens_gives_no_floor(tmp_path: Path) -> None:
    history = recorded(tmp_path, 240, 0.0)
    many, _ = floors(load_rules(tmp_path / "rules.yaml"), history)
    assert many.why == "it was zero in 95 % of the samples and more"


def test_rules_without_by_source_have_no_floors(tmp_path: Path) -> None:
    history = recorded(tmp_path, 240)
    plain = re.sub(r"by_source: {binance: (\$\d+M).*?}", r"value: \1", RULES)
    (tmp_path / "rules.yaml").write_text(plain)
    assert floors(load_rules(tmp_path / "rules.yaml"), history) == []


def test_rules_that_read_what_the_data_does_not_carry_are_refused(tmp_path: Path) -> None:
    history = recorded(tmp_path, 240)
    (tmp_path / "rules.yaml").write_text(RULES.replace("liq.long.sum(1h) >", "liq.short.sum(1h) >"))
    with pytest.raises(RuleError, match=r"liq\.short"):
        floors(load_rules(tmp_path / "rules.yaml"), history)
