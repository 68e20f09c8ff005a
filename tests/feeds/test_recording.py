from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskguard import Event
from riskguard.errors import DataError
from riskguard.feeds.recorded import recorded
from riskguard.feeds.recording import Recording
from riskguard.feeds.table import instant, rows
from riskguard.feeds.venues import VENUES, Venue
from riskguard.history.history import History
from riskguard.market import HOUR, MINUTE, SECOND

SYMBOL = "BTC/USDT:USDT"
START = instant("2026-02-05T14:00:00Z")
PLAIN = """\
version: 1
symbol: BTC
every: 1h
rules:
  many:
    when: liq.long.sum(4h) >= $300M
    clear: liq.long.sum(4h) < $1M
    do: {block_entries: both}
"""


def event(ts: int, kind: str, **data: object) -> Event:
    return Event(ts, kind, SYMBOL, data, source="bybit", id=f"{kind}:{ts}:{data}")


def minute(start: int, *, heard: int = 60, liquidated: float = 0.0) -> Iterator[Event]:
    """Yield what feeds tell in one minute, the stream heard in its first seconds."""
    for second in (*range(0, heard, 5), heard) if heard else ():
        yield event(start + second * SECOND, "alive", series="liq.long")
    if liquidated:
        yield event(
            start + 30 * SECOND, "liquidation", liquidated_side="long",
            notional_usd=liquidated, coverage="full",
        )  # fmt: skip
    yield event(start + 20 * SECOND, "open_interest", coins=80_000.0)
    end = start + MINUTE
    if end % HOUR == 0:
        yield event(end, "funding", rate=0.0001, interval_hours=8.0)
    prices = dict.fromkeys(("open", "high", "low", "close"), 70_000.0)
    yield event(end, "bar", **prices, volume=10.0, interval_ns=MINUTE)


def record(folder: Path, first: int, last: int, venue: str = "bybit") -> Recording:
    """Record minutes as a process does that is killed after its last flush."""
    recording = Recording(folder, VENUES[venue], (SYMBOL,))
    for number in range(first, last):
        start = START + number * MINUTE
        for one in minute(start, liquidated=1e6 if number % 10 == 0 else 0.0):
            recording.take(one)
        if number % 60 == 59:  # the disk is not what is tested
            recording.flush(start + MINUTE + 10 * SECOND)
    recording.flush(START + last * MINUTE + 10 * SECOND)
    return recording


def test_a_recording_is_a_scenario_that_a_backtest_reads(tmp_path: Path) -> None:
    record(tmp_path, 0, 200)
    history = History.read(tmp_path)
    assert history.symbol == "BTC"
    assert len(history.bars("BTC").ts) == 200
    kept = dict(history.series)
    assert {key: (one.source, one.grade) for key, one in kept.items()} == dict.fromkeys(
        kept, ("bybit", "exchange")
    )
    assert "BTC.liq.long" in kept
    assert "BTC.oi" in kept
    assert float(history.series["BTC.liq.long"].values.sum()) == 20e6


@pytest.mark.parametrize("name", VENUES)
def test_open_interest_of_each_venue_is_read_as_often_as_it_comes(
    name: str, tmp_path: Path
) -> None:
    """Bybit and gate tell a snapshot of each five minutes, the others the moment."""
    venue = VENUES[name]
    spacing = {"binance": 1, "okx": 1, "bybit": 5, "gate": 5}[name]
    recording = Recording(tmp_path, venue, (SYMBOL,))
    for number in range(60):
        end = START + (number + 1) * MINUTE
        if (number + 1) % spacing == 0:
            recording.take(event(end, "open_interest", coins=80_000.0 + number))
        prices = dict.fromkeys(("open", "high", "low", "close"), 70_000.0)
        recording.take(event(end, "bar", **prices, volume=10.0, interval_ns=MINUTE))
        recording.flush(end + 20 * SECOND)
    held = History.read(tmp_path).series["BTC.oi"]
    assert len(held.values) == 60 // spacing
    assert held.spec.interval == spacing * MINUTE


def test_what_was_not_heard_is_a_gap_and_what_was_quiet_is_zero(tmp_path: Path) -> None:
    recording = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    for number, heard in enumerate((60, 60, 45, 54, 0, 60)):
        for one in minute(START + number * MINUTE, heard=heard):
            recording.take(one)
    recording.flush(START + 6 * MINUTE + 10 * SECOND)
    found = list(rows(tmp_path / "BTC-liquidations-1m.csv"))
    assert [(ts - START) // MINUTE for ts, _ in found] == [0, 1, 3, 5]
    assert {tuple(values.values()) for _, values in found} == {(0.0, 0.0)}


def test_killed_and_started_again_it_goes_on_and_no_row_is_there_twice(tmp_path: Path) -> None:
    record(tmp_path, 0, 30)
    record(tmp_path, 25, 60)  # the venue tells the last bars again
    for path in tmp_path.glob("*.csv"):
        stamps = [ts for ts, _ in rows(path)]
        assert stamps == sorted(set(stamps)), path.name
    assert len(list(rows(tmp_path / "BTC-1m.csv"))) == 60


@pytest.mark.parametrize("away", [5, 20])
def test_a_kill_loses_what_came_since_the_last_flush_and_no_more(away: int, tmp_path: Path) -> None:
    """Back within six seconds the minute was heard nine tenths; later it is a gap."""
    whole = list(minute(START, liquidated=1e6))
    killed = START + 40 * SECOND
    first = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    for one in whole:
        if one.ts <= killed:
            first.take(one)
    first.flush(killed)
    first.take(event(killed + SECOND, "liquidation", liquidated_side="long", notional_usd=9.0))
    again = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    for one in (event(killed + away * SECOND, "alive", series="liq.long"), *whole):
        if one.ts >= killed + away * SECOND:
            again.take(one)
    again.flush(START + MINUTE + 10 * SECOND)
    path = tmp_path / "BTC-liquidations-1m.csv"
    found = [tuple(one.values()) for _, one in rows(path)] if path.exists() else []
    assert found == ([(1e6, 0.0)] if away == 5 else [])
    assert list(rows(tmp_path / "BTC-oi-5m.csv")) == [(START + MINUTE, {"oi_coins": 80_000.0})]


def test_what_waits_is_none_where_it_cannot_be_read(tmp_path: Path) -> None:
    record(tmp_path, 0, 3)
    for text in ("", "[]", '{"heard": [["BTC", "x", 1]]}', "{"):
        (tmp_path / "recording.part").write_text(text)
        Recording(tmp_path, VENUES["bybit"], (SYMBOL,)).flush(START + HOUR)
    assert len(list(rows(tmp_path / "BTC-liquidations-1m.csv"))) == 3


def test_a_liquidation_told_again_after_a_reconnect_counts_once(tmp_path: Path) -> None:
    record(tmp_path, 0, 1)
    told = [*minute(START + MINUTE, liquidated=1e6)]
    for part in (told[:9], told[9:] + told[:]):
        recording = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
        for one in part:
            recording.take(one)
        recording.flush(START + MINUTE + 30 * SECOND)
    recording.flush(START + HOUR)
    assert sum(one["liq_long_usd"] for _, one in rows(tmp_path / "BTC-liquidations-1m.csv")) == 2e6


def test_a_minute_that_was_begun_before_the_kill_is_a_gap(tmp_path: Path) -> None:
    record(tmp_path, 0, 3)
    recording = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    for one in minute(START + 3 * MINUTE, heard=60):
        if one.ts > START + 3 * MINUTE + 20 * SECOND:  # the process was not there before
            recording.take(one)
    recording.flush(START + 5 * MINUTE)
    found = [ts for ts, _ in rows(tmp_path / "BTC-liquidations-1m.csv")]
    assert found[-1] == START + 2 * MINUTE


def test_a_liquidation_that_comes_after_its_minute_is_counted_and_left_out(tmp_path: Path) -> None:
    recording = record(tmp_path, 0, 3)
    late = event(START + 90 * SECOND, "liquidation", liquidated_side="long", notional_usd=5.0)
    recording.take(late)
    recording.flush(START + 10 * MINUTE)
    assert recording.late == 1
    assert sum(one["liq_long_usd"] for _, one in rows(tmp_path / "BTC-liquidations-1m.csv")) == 1e6


def test_rows_of_gate_are_five_minutes(tmp_path: Path) -> None:
    recording = Recording(tmp_path, VENUES["gate"], (SYMBOL,))
    end = START + 5 * MINUTE
    recording.take(event(end, "liquidation", liquidated_side="short", notional_usd=3.0))
    recording.take(event(end, "alive", series="liq.long"))
    recording.flush(end + MINUTE)
    assert list(rows(tmp_path / "BTC-liquidations-5m.csv")) == [
        (START, {"liq_long_usd": 0.0, "liq_short_usd": 3.0})
    ]


def test_a_row_of_gate_told_again_after_a_restart_is_neither_late_nor_twice(tmp_path: Path) -> None:
    end = START + 5 * MINUTE
    row = (
        event(end, "liquidation", liquidated_side="short", notional_usd=3.0),
        event(end, "alive", series="liq.long"),
    )
    for now in (end, end + SECOND, end + MINUTE, end + 2 * MINUTE):
        recording = Recording(tmp_path, VENUES["gate"], (SYMBOL,))
        for one in row:
            recording.take(one)
        recording.flush(now)
        assert recording.late == 0
    assert [one for _, one in rows(tmp_path / "BTC-liquidations-5m.csv")] == [
        {"liq_long_usd": 0.0, "liq_short_usd": 3.0}
    ]


def test_a_folder_is_taken_with_its_first_row_and_not_before(tmp_path: Path) -> None:
    """A symbol that the venue refuses, or a typing error, must not spoil the folder."""
    Recording(tmp_path, VENUES["okx"], ("BTC/USD:BTC",)).flush(START)
    record(tmp_path, 0, 2)
    with pytest.raises(DataError, match="holds a recording of bybit"):
        Recording(tmp_path, VENUES["okx"], ("BTC/USD:BTC",))


def test_two_symbols_of_one_coin_do_not_share_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"BTC/USDT:USDT and BTC/USD:BTC .* the same files"):
        Recording(tmp_path, VENUES["bybit"], (SYMBOL, "BTC/USD:BTC"))


def test_the_same_symbols_in_another_order_go_on_as_they_were(tmp_path: Path) -> None:
    both = (SYMBOL, "ETH/USDT:USDT")
    for symbols in (both, both[::-1]):
        recording = Recording(tmp_path, VENUES["bybit"], symbols)
        for one in minute(START):
            recording.take(one)
        recording.flush(START + HOUR)
    assert "symbol: BTC\n" in (tmp_path / "scenario.yaml").read_text()


def test_a_file_that_cannot_be_written_keeps_no_other_from_the_disk(tmp_path: Path) -> None:
    recording = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    for one in minute(START):
        recording.take(one)
    (tmp_path / "BTC-1m.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        recording.flush(START + HOUR)
    assert len(list(rows(tmp_path / "BTC-liquidations-1m.csv"))) == 1
    (tmp_path / "BTC-1m.csv").rmdir()
    recording.flush(START + HOUR)
    assert len(list(rows(tmp_path / "BTC-1m.csv"))) == 1


@pytest.mark.parametrize(
    ("venue", "symbols", "said"),
    [
        (VENUES["okx"], (SYMBOL,), "holds a recording of bybit: BTC/USDT:USDT"),
        (VENUES["bybit"], ("ETH/USDT:USDT",), "holds a recording of bybit: BTC/USDT:USDT"),
    ],
)
def test_a_folder_of_another_venue_or_symbol_is_refused(
    venue: Venue, symbols: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    record(tmp_path, 0, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=said):
        Recording(tmp_path, venue, symbols)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("name: mine\n")
    with pytest.raises(DataError, match="files that are no recording"):
        Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    with pytest.raises(DataError, match="no recording"):
        list(recorded(tmp_path))


def test_a_recording_with_gaps_is_read_by_a_backtest_and_by_a_guard(tmp_path: Path) -> None:
    """Killed and started again, and few minutes heard in a row."""
    for first, last in (
        (0, 30),
        (45, 60),
        (63, 64),
        (70, 72),
        *((n, n + 1) for n in range(75, 200, 3)),
    ):
        record(tmp_path, first, last)
    (tmp_path / "notes.csv").write_text("mine,own\n1,2\n")
    history = History.read(tmp_path)
    assert len(history.bars("BTC").ts) == 48 + 42
    assert any("holes" in note for note in history.notes)
    closes = [one.ts for one in recorded(tmp_path) if one.kind == "bar"]
    assert len(closes) == 48 + 42


def test_a_recording_is_backtested_as_it_is_typed(tmp_path: Path) -> None:
    """Minutes with a gap, under a rule that decides each hour."""
    folder, rules = tmp_path / "rec", tmp_path / "rules.yaml"
    record(folder, 0, 500)
    record(folder, 507, 600)
    rules.write_text(PLAIN)
    done = subprocess.run(
        [sys.executable, "-m", "riskguard", "backtest", "--data", "rec", "--rules", "rules.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "buy_and_hold on BTC 1m, recorded-bybit" in done.stdout
    assert "trading from 2026-02-05T18:00Z" in done.stdout
    assert "BTC bars: 1 hole of 7 missing rows" in done.stdout


def test_a_file_torn_before_its_head_was_whole_is_begun_anew(tmp_path: Path) -> None:
    record(tmp_path, 0, 2)
    (tmp_path / "BTC-1m.csv").write_text("")
    record(tmp_path, 2, 4)
    assert len(list(rows(tmp_path / "BTC-1m.csv"))) == 2


def test_a_change_of_how_often_funding_is_settled_goes_on_in_the_same_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path, VENUES["bybit"], (SYMBOL,))
    recording.take(event(START, "funding", rate=0.1, interval_hours=8.0))
    recording.take(event(START + 4 * HOUR, "funding", rate=0.2, interval_hours=4.0))
    recording.flush(START + 5 * HOUR)
    assert [path.name for path in tmp_path.glob("*funding*")] == ["BTC-funding-8h.csv"]
