"""Warnings on data that looks wrong stand at the line of the rules that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.doubts import FEWEST, doubts, rolls
from riskguard.history.stamps import instant, instant_text
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules, read_text
from riskguard.market import HOUR
from riskguard.shipped import shipped

HOURS = 240
FIRST = instant("2026-01-01T00:00Z")
RULES = """\
version: 1
symbol: BTC
rules:
  odd:
    when: {line}
    min_hold: 12h
    do: {{block_entries: long}}
"""


def stamps() -> list[str]:
    return [instant_text(FIRST + hour * HOUR) for hour in range(HOURS)]


def folder(tmp_path: Path, name: str, values: list[float], unit: str, kind: str) -> Path:
    """Write bars that move, and one series of the given values."""
    rows = [f"{ts},100,110,90,{100 + hour % 7},5" for hour, ts in enumerate(stamps())]
    (tmp_path / "bars.csv").write_text("\n".join(["ts,open,high,low,close,volume", *rows]) + "\n")
    rows = [f"{ts},{value!r}" for ts, value in zip(stamps(), values, strict=True)]
    (tmp_path / "one.csv").write_text("\n".join(["ts,value", *rows]) + "\n")
    (tmp_path / "scenario.yaml").write_text(
        "name: mine\nsymbol: BTC\nseries:\n"
        "  - {file: bars.csv, symbol: BTC, series: bars, interval: 1h, stamp: open,\n"
        "     source: mine, grade: exchange}\n"
        f"  - {{file: one.csv, symbol: BTC, columns: {{{name}: value}}, unit: {unit},\n"
        f"     kind: {kind}, interval: 1h, stamp: close, source: mine, grade: exchange}}\n"
    )
    return tmp_path


def told(place: Path, line: str, text: str = RULES) -> list[str]:
    (place / "rules.yaml").write_text(text.format(line=line))
    history = History.read(place)
    rules = bind(
        load_rules(place / "rules.yaml", every=history.every),
        symbol="BTC",
        every=history.every,
        carried=history.inputs(),
        capabilities=frozenset({"block_entries"}),
    ).ruleset
    return [f"{one.severity} {one.code} {one.line}:{one.column}" for one in doubts(history, rules)]


def flows() -> list[float]:
    """Return liquidations as they come: hours of little, then bursts."""
    drawn = np.random.default_rng(7).lognormal(mean=13.0, sigma=1.2, size=HOURS)
    return [float(round(value, 2)) for value in drawn]


def test_a_series_that_never_moves_is_told(tmp_path: Path) -> None:
    place = folder(tmp_path, "oi", [90_000.0] * HOURS, "coins", "level")
    assert told(place, "oi.change(24h) <= -4%") == ["warning RG503 5:11"]
    # only what is read matters
    assert told(place, "close < 95") == []


def test_a_few_equal_values_are_no_doubt(tmp_path: Path) -> None:
    values = [90_000.0] * (HOURS - 1) + [89_000.0]
    place = folder(tmp_path, "oi", values, "coins", "level")
    assert told(place, "oi.change(24h) <= -4%") == []


def test_a_rolling_total_given_as_a_flow_is_told(tmp_path: Path) -> None:
    flow = np.array(flows())
    total = np.convolve(flow, np.ones(24))[:HOURS]
    place = folder(tmp_path, "liq.long", total.tolist(), "usd", "flow")
    line = "{all: [liq.long.sum(24h) > $5M, close < 95]}"
    assert told(place, line) == ["warning RG504 5:18"]
    place = folder(tmp_path, "liq.long", flow.tolist(), "usd", "flow")
    assert told(place, line) == []


def test_shares_written_as_percent_are_told(tmp_path: Path) -> None:
    rates = [0.01 * (hour % 5 - 1) for hour in range(HOURS)]
    place = folder(tmp_path, "basis", [100 * rate for rate in rates], "fraction", "level")
    assert told(place, "basis < -1%") == []  # one or two per cent may be
    place = folder(tmp_path, "basis", [300 * rate for rate in rates], "fraction", "level")
    assert told(place, "basis < -1%") == ["warning RG505 5:11"]


def test_a_doubt_is_silenced_like_any_warning(tmp_path: Path) -> None:
    place = folder(tmp_path, "oi", [90_000.0] * HOURS, "coins", "level")
    text = RULES + "    allow: [RG503]\n"
    assert told(place, "oi.change(24h) <= -4%", text) == []
    elsewhere = (
        RULES
        + "  quiet: {{when: close < 5, latch: true, do: {{block_entries: long}}, allow: [RG503]}}\n"
    )
    assert told(place, "oi.change(24h) <= -4%", elsewhere) == ["warning RG503 5:11"]


def test_the_embedded_scenario_raises_no_doubts() -> None:
    history = History.read("feb-2026")
    rules = load_rules(shipped("rules") / "feb-2026.yaml", every=history.every)
    assert doubts(history, rules) == []


@pytest.mark.needs_market_data
def test_every_real_flow_is_told_from_every_total_made_of_it(market_data: Path) -> None:
    flows = totals = 0
    for file in sorted(market_data.glob("20*/*.csv")):
        table = pd.read_csv(file)
        names = [name for name in table if name == "volume" or name.startswith("liq_")]
        for name in names:
            column = pd.to_numeric(table[name], errors="coerce").dropna()
            if len(column) < FEWEST + 30:
                continue
            flows += 1
            assert not rolls(column.to_numpy()), (file, name)
            hours = pd.to_datetime(table["ts"].iloc[:2]).diff().iloc[1] / pd.Timedelta("1h")
            for bars in {24: (24,), 1: (24,)}.get(round(24 / hours), (6, 30)):
                totals += 1
                assert rolls(column.rolling(bars).sum().dropna().to_numpy()), (file, name, bars)
    assert flows > 50
    assert totals > 50


@pytest.mark.needs_market_data
def test_volumes_of_the_real_sell_offs_are_no_rolling_totals(market_data: Path) -> None:
    rules, found = read_text(RULES.format(line="volume.sum(24h) > 5"), "rules.yaml", every=HOUR)
    assert rules is not None, found
    files = sorted(market_data.glob("202[2-5]-*/*-ohlcv-1h.csv"))  # without holes
    assert len(files) > 10
    for file in files:
        assert doubts(History.read(file), rules) == [], file


@pytest.mark.parametrize(
    ("stamp", "hours", "doubt"), [("close", 240, 1), ("open", 240, 0), ("close", 239, 0)]
)
def test_whole_days_stamped_by_close_are_doubted(
    tmp_path: Path, stamp: str, hours: int, doubt: int
) -> None:
    place = folder(tmp_path, "oi", [90_000.0 + hour for hour in range(HOURS)], "coins", "level")
    lines = (place / "bars.csv").read_text().splitlines()
    (place / "bars.csv").write_text("\n".join(lines[: hours + 1]) + "\n")
    text = (place / "scenario.yaml").read_text()
    (place / "scenario.yaml").write_text(text.replace("stamp: open", f"stamp: {stamp}"))
    notes = [note for note in History.read(place).notes if "RG507" in note]
    assert len(notes) == doubt
    if doubt:
        assert notes[0].startswith(
            "bars.csv: warning[RG507] the first bar is stamped 2026-01-01T00:00Z"
        )


@pytest.mark.parametrize(
    "row", ["2026-01-01T10:00,100,110,90,100,5", "2026-01-01T03:00Z,100,110,90,100,5"]
)
def test_faulty_time_stamps_have_their_code(tmp_path: Path, row: str) -> None:
    place = folder(tmp_path, "oi", [90_000.0 + hour for hour in range(HOURS)], "coins", "level")
    lines = (place / "bars.csv").read_text().splitlines()
    lines[11] = row
    (place / "bars.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError) as refused:
        History.read(place)
    assert refused.value.code == "RG506"
    assert "bars.csv:12: error[RG506]: column 'ts': " in str(refused.value)
