from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import pytest

from riskguard import Event
from riskguard.errors import AdapterError
from riskguard.feeds.streaming import Feeds, Pace, spacing
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, MINUTE, SECOND
from tests.feeds.exchange import SYMBOL, Exchange, now_ms

QUICK = Pace(0.01, 0.01, 0.01, 0.01, 0.01, 0.01)


def liquidation(side: str = "Buy", **other: Any) -> dict[str, Any]:
    return {"T": now_ms(), "s": "BTCUSDT", "S": side, "v": "2", "p": "70000"} | other


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**given: Any) -> None:
        asyncio.run(test(**given))

    return run


@asynccontextmanager
async def fed(exchange: Exchange, told: list[Event], **given: Any) -> AsyncIterator[Feeds]:
    feeds = Feeds(exchange, (SYMBOL,), told.append, pace=QUICK, **given)
    running = asyncio.ensure_future(feeds.run())
    try:
        yield feeds
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(found: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not found():
        assert time.monotonic() < ends, "it did not happen"
        await asyncio.sleep(0.005)


def of(told: list[Event], kind: str) -> list[Event]:
    return [one for one in told if one.kind == kind]


@in_a_loop
async def test_a_liquidation_for_which_nobody_waits_is_told_before_the_next_proof() -> None:
    exchange, told = Exchange(), list[Event]()
    async with fed(exchange, told, series=("liquidations",)):
        await until(lambda: of(told, "alive"))
        told.clear()
        exchange.push(liquidation(), wake=False)
        await until(lambda: of(told, "alive"))
    assert [one.kind for one in told][:2] == ["liquidation", "alive"]


@pytest.mark.parametrize("odd", [{"S": "Long"}, {"v": None}, {"p": "n/a"}, {"v": "NaN"}])
@in_a_loop
async def test_a_stream_that_cannot_be_read_is_told_and_proves_nothing_until_it_can(
    odd: dict[str, Any],
) -> None:
    """A venue that begins to speak in another form must not look calm."""
    exchange, told = Exchange(), list[Event]()
    async with fed(exchange, told, series=("liquidations",)) as feeds:
        await until(lambda: of(told, "alive"))
        told.clear()
        exchange.push(liquidation(), liquidation(**odd), liquidation("Sell"))
        await until(lambda: len(of(told, "liquidation")) == 2)
        sides = [one.data["liquidated_side"] for one in of(told, "liquidation")]
        assert sides == ["long", "short"]  # one odd message loses no other
        exchange.socket.last_message_at = now_ms() + 1
        await asyncio.sleep(0.1)
        assert not of(told, "alive")
        assert "no liquidation" in feeds.silent()[f"messages {SYMBOL}"]
        exchange.push(liquidation())
        await until(lambda: of(told, "alive"))
        assert not feeds.silent()


@in_a_loop
async def test_a_stream_whose_socket_is_closed_or_another_ones_proves_nothing() -> None:
    exchange, told = Exchange(), list[Event]()
    exchange.socket.futures = {"liquidations::ETH/USDT:USDT": None}
    async with fed(exchange, told, series=("liquidations",)):
        await asyncio.sleep(0.1)
        assert not told
        exchange.socket.futures = {f"liquidations::{SYMBOL}": None}
        exchange.socket.isConnected = False
        await asyncio.sleep(0.1)
        assert not told
        exchange.socket.isConnected = True
        await until(lambda: of(told, "alive"))


@in_a_loop
async def test_a_socket_that_has_said_nothing_since_it_was_opened_proves_nothing() -> None:
    exchange, told = Exchange(), list[Event]()
    async with fed(exchange, told, series=("liquidations",)) as feeds:
        await until(lambda: of(told, "alive"))
        fault = feeds.faults[f"liquidations {SYMBOL}"]
        fault.text, fault.count = "NetworkError: closed", 1
        told.clear()
        exchange.socket.last_message_at = None  # another one: ccxt connects anew
        await asyncio.sleep(0.1)
        assert not told
        assert feeds.silent() == {f"liquidations {SYMBOL}": "NetworkError: closed"}
        exchange.socket.last_message_at = now_ms()
        await until(lambda: of(told, "alive"))
        assert not feeds.silent()


@in_a_loop
async def test_minutes_that_closed_while_the_venue_was_away_are_told_when_it_is_back() -> None:
    exchange, told = Exchange(), list[Event]()
    minute = MINUTE // 1_000_000
    first = now_ms() // minute * minute - 10 * minute
    clock = [first + minute]
    exchange.bars = [[float(first + n * minute), 1.0, 2.0, 0.5, 1.5, 3.0] for n in range(8)]
    ticker = Ticker(wall=lambda: clock[0] * 1_000_000, elapsed=lambda: clock[0] * 1_000_000)
    async with fed(exchange, told, series=("bars",), ticker=ticker):
        await until(lambda: of(told, "bar"))
        assert [one.ts for one in told] == [(first + minute) * 1_000_000]
        clock[0] = first + 6 * minute + 1_000
        await until(lambda: len(told) >= 6)
        await asyncio.sleep(0.05)
    assert [one.ts for one in told] == [(first + n * minute) * 1_000_000 for n in range(1, 7)]


@in_a_loop
async def test_a_clock_that_is_set_back_stops_nothing_and_proves_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exchange, told = Exchange(), list[Event]()
    async with fed(exchange, told) as feeds:
        await until(lambda: of(told, "alive") and of(told, "open_interest"))
        before, wall = of(told, "alive")[-1].ts, time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: wall() - 3600 * SECOND)
        exchange.ahead = 3_600_000  # the venue's clock is as it was
        await asyncio.sleep(0.1)
        told.clear()
        await asyncio.sleep(0.1)
        assert not of(told, "alive")  # the socket has said nothing since
        exchange.socket.last_message_at = now_ms()
        await until(lambda: of(told, "alive"))
        assert before < of(told, "alive")[-1].ts <= feeds.now()


@in_a_loop
@pytest.mark.parametrize("seconds", [-30, 30])
async def test_a_clock_that_is_not_the_venues_is_told_and_proves_nothing(seconds: int) -> None:
    """A liquidation of the venue would be from the future, or late, and so be refused."""
    exchange, told, now = Exchange(), list[Event](), now_ms()
    exchange.ahead, exchange.clock = seconds * 1_000, lambda: now
    ticker = Ticker(wall=lambda: now * 1_000_000, elapsed=lambda: 0)
    async with fed(exchange, told, ticker=ticker) as feeds:
        await until(lambda: "clock" in feeds.silent())
        told.clear()
        exchange.socket.last_message_at = now_ms() + 1
        await asyncio.sleep(0.1)
        assert not of(told, "alive")
        way = "behind" if seconds > 0 else "ahead of"
        assert f"of this machine is 30 s {way} the one of bybit" in feeds.silent()["clock"]
        exchange.ahead = 0
        await until(lambda: "clock" not in feeds.silent())
        exchange.socket.last_message_at = now_ms() + 2
        await until(lambda: of(told, "alive"))


def row(start: int, long: float = 0.0) -> dict[str, Any]:
    info = {"time": start, "open_interest": "10", "open_interest_usd": "7e5"}
    return {"info": info | {"long_liq_usd": str(long), "short_liq_usd": "0"}}


@in_a_loop
async def test_rows_that_ended_while_the_venue_was_away_are_told_once_and_in_order() -> None:
    """Also where more of them ended than one request asks for."""
    exchange, told = Exchange("gate"), list[Event]()
    start = now_ms() // 300_000 * 300 - 300 * 40
    exchange.rows = [row(start), row(start + 300)]
    async with fed(exchange, told, series=("liquidations", "open_interest")):
        await until(lambda: of(told, "alive"))
        exchange.rows = [row(start + 300 * n, 5.0) for n in range(40)]
        await until(lambda: len(of(told, "open_interest")) >= 39)
        await asyncio.sleep(0.05)
    assert [one.ts for one in of(told, "open_interest")] == [
        (start + 300 * n) * 1_000_000_000 for n in range(1, 40)
    ]
    long = [one for one in of(told, "liquidation") if one.data["liquidated_side"] == "long"]
    assert sum(one.data["notional_usd"] for one in long) == 38 * 5.0


@in_a_loop
async def test_feeds_end_also_where_a_request_swallows_that_they_are_cancelled() -> None:
    """As some timeouts do: what is cancelled in the moment it is done goes on."""
    exchange = Exchange()
    asked = swallowed = 0

    async def fetch_time() -> int:
        nonlocal asked, swallowed
        asked += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed += 1
            if swallowed > 2:
                raise
        return now_ms()

    exchange.fetch_time = fetch_time  # type: ignore[method-assign]  # a request that hangs
    async with fed(exchange, [], series=()):
        await until(lambda: asked)
    assert swallowed


@in_a_loop
async def test_a_series_that_is_none_and_a_venue_nobody_knows_are_refused() -> None:
    with pytest.raises(AdapterError, match=r"series 'oi'\n.*write some of bars"):
        Feeds(Exchange(), (SYMBOL,), print, series=("oi",))
    with pytest.raises(AdapterError, match="'deribit'"):
        Feeds(Exchange("deribit"), (SYMBOL,), print)


@pytest.mark.parametrize(
    ("hours", "found"), [((), 8), ((8,), 8), ((0, 4), 4), ((0, 8, 12), 4), ((12, 0, 8), 4)]
)
def test_the_time_between_two_settlements_is_that_of_the_last_two(
    hours: tuple[int, ...], found: int
) -> None:
    rows = [{"timestamp": hour * 3_600_000 + 3_600_000} for hour in hours]
    assert spacing(rows) == found * HOUR
