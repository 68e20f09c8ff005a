from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from riskguard.errors import AdapterError, DataError, StateInUseError
from riskguard.feeds import recorder, table
from riskguard.feeds.recorder import opened, record
from riskguard.feeds.recording import Recording
from riskguard.feeds.streaming import Pace
from riskguard.feeds.table import rows
from riskguard.market import MINUTE
from tests.feeds.ending import ended
from tests.feeds.exchange import SYMBOL, Exchange, now_ms

QUICK = Pace(0.01, 0.01, 0.01, 0.01, 0.01, 0.01)


def telling(exchange: Exchange) -> Exchange:
    minute = MINUTE // 1_000_000
    first = now_ms() // minute * minute - 3 * minute
    exchange.bars = [[float(first + n * minute), 1.0, 2.0, 0.5, 1.5, 3.0] for n in range(3)]
    return exchange


def heard(exchange: Exchange) -> bool:
    """Say whether all three bars and all three fundings have been told."""
    return {"bars", "funding"} <= {one[0] for one in exchange.asked}


def recorded(folder: Path, **given: object) -> Recording:
    """Record until all was heard."""
    exchange = telling(Exchange())
    recorder = record(exchange, (SYMBOL,), folder, pace=QUICK, **given)  # type: ignore[arg-type]  # what a test gives
    return asyncio.run(ended(recorder, lambda: heard(exchange)))


def test_what_was_heard_is_on_the_disk_when_it_ends(tmp_path: Path) -> None:
    told: list[dict[str, int]] = []
    found = recorded(tmp_path / "a" / "rec", tell=lambda written, _: told.append(written))
    assert found.waiting == 0
    assert len(list(rows(tmp_path / "a" / "rec" / "BTC-1m.csv"))) == 3
    assert told[-1]["BTC-1m.csv"] == 3


def test_it_ends_by_itself_once_its_time_is_over(tmp_path: Path) -> None:
    recorder = record(telling(Exchange()), (SYMBOL,), tmp_path, seconds=0.05, pace=QUICK)
    assert asyncio.run(asyncio.wait_for(recorder, 60)).waiting == 0


def test_a_disk_that_is_full_to_the_end_is_told_with_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "write", full)
    monkeypatch.setattr(recorder, "FLUSH", 0.05)
    told: list[dict[str, str]] = []
    found = recorded(tmp_path, tell=lambda _, faults: told.append(dict(faults)))
    assert found.waiting >= 6
    assert told[-1]["disk"] == f"No space left on device: {found.waiting} rows wait"
    monkeypatch.undo()
    assert recorded(tmp_path).waiting == 0


@pytest.mark.parametrize("path", ["file", "file/rec", "/proc/rec"])
def test_a_folder_that_cannot_be_one_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match=r"nothing can be recorded here: .*\n.*name a folder"):
        recorded(tmp_path / path)


def test_a_second_recorder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    exchange = telling(Exchange())

    def refused() -> bool:
        second = record(telling(Exchange()), (SYMBOL,), tmp_path, pace=QUICK)
        with pytest.raises(StateInUseError, match="another process records into"):
            second.send(None)
        return heard(exchange)

    asyncio.run(ended(record(exchange, (SYMBOL,), tmp_path, pace=QUICK), refused))
    assert len(list(rows(tmp_path / "BTC-1m.csv"))) == 3


def test_a_symbol_that_is_refused_leaves_the_folder_free(tmp_path: Path) -> None:
    wrong = record(telling(Exchange()), ("BTC/USDT",), tmp_path, seconds=1)
    with pytest.raises(AdapterError, match=r"no contract of bybit\n.*it has BTC/USDT:USDT"):
        asyncio.run(wrong)
    assert recorded(tmp_path).waiting == 0


def test_one_who_is_told_and_fails_leaves_what_was_heard_on_the_disk(tmp_path: Path) -> None:
    """A pipe that is closed, such as that of `riskguard record | head`."""

    def tell(_written: dict[str, int], _faults: dict[str, str]) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        recorded(tmp_path, tell=tell)
    assert len(list(rows(tmp_path / "BTC-1m.csv"))) == 3


def test_a_venue_nobody_knows_is_refused_before_ccxt_is_looked_for() -> None:
    with pytest.raises(AdapterError, match="not known for certain"):
        opened("deribit")
