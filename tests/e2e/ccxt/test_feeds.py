"""The feeds on real ccxt.pro, against a loopback exchange that speaks as four venues do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import ccxt.pro
import pytest

from riskguard import Event, Intent, Session
from riskguard.errors import AdapterError
from riskguard.feeds.served import served
from riskguard.feeds.streaming import Feeds, Pace
from riskguard.live.rules import Fit
from riskguard.market import HOUR, MINUTE, SECOND
from tests.stub import binance, bybit, gate, okx
from tests.stub.server import Stub

SYMBOL = "BTC/USDT:USDT"
FAST = Pace(0.2, 0.2, 1.0, 0.5, 0.2)
VENUES = {"binanceusdm": binance, "bybit": bybit, "okx": okx, "gate": gate}
STREAMS = [name for name in VENUES if name != "gate"]  # which tells rows instead
SEVERAL = [
    {"side": "long", "price": 70_000.0, "quantity": 2.0},
    {"side": "long", "price": 70_000.0, "quantity": 2.0},
    {"side": "short", "price": 70_000.0, "quantity": 1.0},
]


def exchange(name: str, stub: Stub) -> Any:
    made = getattr(ccxt.pro, name)({"urls": VENUES[name].urls(stub.port), "enableRateLimit": False})
    if name == "okx":
        made.options["fetchMarkets"] = {"types": ["swap"]}
    return made


@asynccontextmanager
async def fed(
    name: str, take: Callable[[Event], object], symbols: tuple[str, ...] = (SYMBOL,)
) -> AsyncIterator[tuple[Stub, Feeds]]:
    stub = Stub()
    runner = await stub.serve()
    venue = exchange(name, stub)
    feeds = Feeds(venue, symbols, take, pace=FAST)
    running = asyncio.ensure_future(feeds.run())
    try:
        yield stub, feeds
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await venue.close()
        await runner.cleanup()


async def until(found: Callable[[], object], seconds: float = 90.0) -> None:
    ends = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < ends, "it did not happen"
        await asyncio.sleep(0.02)


def kinds(told: list[Event]) -> set[str]:
    return {event.kind for event in told}


def of(told: list[Event], kind: str) -> list[Event]:
    return [event for event in told if event.kind == kind]


EVERYTHING = {"bar", "open_interest", "funding", "alive"}


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())


@pytest.mark.parametrize("name", STREAMS)
def test_each_venue_tells_the_same_facts_by_the_side_of_the_position(name: str) -> None:
    told: list[Event] = []
    began = time.time_ns()

    async def test() -> None:
        async with fed(name, told.append) as (stub, feeds):
            await until(lambda: kinds(told) >= EVERYTHING)
            assert await stub.do({"liquidation": SEVERAL}) == 1
            await until(lambda: len(of(told, "liquidation")) >= len(SEVERAL))
            await asyncio.sleep(0.3)  # nothing is told again
            assert not feeds.silent()

    run(test)
    liquidated = of(told, "liquidation")
    assert [one.data["liquidated_side"] for one in liquidated] == ["long", "long", "short"]
    assert [one.data["notional_usd"] for one in liquidated] == [140_000.0, 140_000.0, 70_000.0]
    assert len({one.id for one in liquidated}) == 3
    held = of(told, "open_interest")[0]
    assert held.data["coins"] == 80_000.0
    assert ("usd" in held.data) == (name == "okx")
    assert began - 5 * MINUTE < held.ts <= time.time_ns()
    rate = next(one for one in told if one.kind == "funding")
    assert rate.data == {"rate": 0.0001, "interval_hours": 8.0}
    coins_at_closes(told)


def coins_at_closes(told: list[Event]) -> None:
    """Each minute once, at its close, its volume in coins however the venue counts."""
    bars = of(told, "bar")
    closes = [one.ts for one in bars]
    assert closes == sorted(set(closes))
    assert all(ts <= time.time_ns() for ts in closes)
    assert {one.data["volume"] for one in bars} == {100.0}


def test_gate_tells_the_same_facts_in_rows_that_are_whole() -> None:
    told: list[Event] = []
    now, row = time.time_ns() // 1_000_000, 5 * 60_000
    ended = now // row * row

    async def test() -> None:
        async with fed("gate", told.append) as (stub, feeds):
            stub.market.rows_until = lambda: now  # no row ends while this runs
            stub.market.liquidated = [(now, *one) for one in sums]
            await until(lambda: kinds(told) >= EVERYTHING)
            await asyncio.sleep(1.5)  # it is asked again, and the row in progress is not told
            assert not feeds.silent()
            assert {one.data["notional_usd"] for one in of(told, "liquidation")} == {0.0}
            stub.market.liquidated = [(ended - 1, *one) for one in sums]
            told.clear()
            again = Feeds(feeds.exchange, (SYMBOL,), told.append, pace=FAST)
            running = asyncio.ensure_future(again.run())
            await until(lambda: kinds(told) >= {*EVERYTHING, "liquidation"})
            running.cancel()

    sums = [("long", 140_000.0), ("long", 140_000.0), ("short", 70_000.0)]
    run(test)
    liquidated = of(told, "liquidation")
    found = {one.data["liquidated_side"]: one.data["notional_usd"] for one in liquidated}
    assert found == {"long": 280_000.0, "short": 70_000.0}
    held = of(told, "open_interest")[0]
    assert held.data == {"coins": 80_000.0, "usd": 5.6e9}
    alive = {one.data["series"]: one.ts for one in told if one.kind == "alive"}
    assert set(alive) == {"liq.long", "liq.short", "liq.total"}
    assert {*alive.values(), held.ts, *(one.ts for one in liquidated)} == {ended * 1_000_000}
    rate = next(one for one in told if one.kind == "funding")
    assert rate.data == {"rate": 0.0001, "interval_hours": 8.0}
    coins_at_closes(told)


@pytest.mark.parametrize("name", STREAMS)
def test_a_socket_that_is_closed_is_opened_again_and_goes_on(name: str) -> None:
    told: list[Event] = []

    async def test() -> None:
        async with fed(name, told.append) as (stub, feeds):
            await until(lambda: "alive" in kinds(told))
            assert await stub.do({"disconnect": True}) == 1
            await until(lambda: bool(stub.sockets) and not feeds.silent())
            told.clear()
            await until(lambda: "alive" in kinds(told))
            await stub.do({"liquidation": SEVERAL[:1]})
            await until(lambda: "liquidation" in kinds(told))

    run(test)


def test_the_socket_of_one_symbol_does_not_speak_for_that_of_another() -> None:
    """Binance has a socket for each: one of them may die while the other is well."""
    told: list[Event] = []
    other = "ETH/USDT:USDT"

    def heard(symbol: str) -> int:
        return sum(one.kind == "alive" and one.symbol == symbol for one in told)

    async def test() -> None:
        async with fed("binanceusdm", told.append, (SYMBOL, other)) as (stub, _):
            await until(lambda: heard(SYMBOL) and heard(other))
            await stub.do({"freeze": "ethusdt"})
            await asyncio.sleep(1)
            told.clear()
            await until(lambda: heard(SYMBOL))
            assert not heard(other)

    run(test)


def test_a_venue_that_answers_429_is_asked_again_and_the_failure_is_told() -> None:
    told: list[Event] = []

    async def test() -> None:
        async with fed("binanceusdm", told.append) as (stub, feeds):
            await until(lambda: kinds(told) >= EVERYTHING)
            await stub.do({"slow": [429] * 8})
            await until(lambda: any("429" in text for text in feeds.silent().values()))
            await until(lambda: not feeds.silent())

    run(test)


@pytest.mark.parametrize("name", VENUES)
def test_each_venue_serves_its_past_as_a_guard_is_primed_with_it(name: str) -> None:
    now = time.time_ns()
    told: list[Event] = []

    async def test() -> None:
        async with fed(name, print) as (_, feeds):
            told.extend(await served(feeds.exchange, (SYMBOL,), now - 6 * HOUR, now, every=HOUR))

    run(test)
    closes = [one.ts for one in told if one.kind == "bar"]
    assert closes == list(range(-(-(now - 5 * HOUR) // HOUR) * HOUR, now + 1, HOUR))[-len(closes) :]
    assert len(closes) >= 5
    assert {one.data["volume"] for one in told if one.kind == "bar"} == {100.0}
    assert all(one.ts % HOUR == 0 for one in told if one.kind == "funding")
    if name == "gate":
        assert sum(one.kind == "open_interest" for one in told) >= 70
    assert {one.data["coins"] for one in told if one.kind == "open_interest"} <= {80_000.0}


def test_a_symbol_that_the_venue_does_not_have_ends_with_those_it_has() -> None:
    stub = Stub()

    async def refused() -> None:
        runner = await stub.serve()
        venue = exchange("bybit", stub)
        try:
            await Feeds(venue, ("BTC/USD:BTC",), print).run()
        finally:
            await venue.close()
            await runner.cleanup()

    with pytest.raises(AdapterError, match=r"no contract of bybit\n.*BTC/USDT:USDT"):
        run(refused)


# ---------------------------------------------------------------- a guard behind the feeds

RULES = """\
version: 1
symbol: BTC
every: 1h
evaluate: event
inputs:
  liq.long: {max_age: 15s}
rules:
  cascade:
    when: liq.long.sum(1h) >= $20M
    clear: liq.long.sum(1h) < $1M
    do: {block_entries: both}
"""


@asynccontextmanager
async def ticking(session: Session) -> AsyncIterator[None]:
    async def ticks() -> None:
        while True:
            session.tick()
            await asyncio.sleep(0.5)

    running = asyncio.ensure_future(ticks())
    try:
        yield
    finally:
        running.cancel()


def entry(session: Session) -> Any:
    return session.decide(Intent(time.time_ns(), SYMBOL, "buy", 1.0, 0.0, price=70_000.0))


class Guarded(NamedTuple):
    """A session behind the feeds of an exchange, and what came of what it was told."""

    stub: Stub
    session: Session
    after: list[Any]  # the verdict on an entry right after each liquidation
    alive: list[int]  # up to when the stream is proven (ns)


@asynccontextmanager
async def guarded(folder: Path, name: str) -> AsyncIterator[Guarded]:
    """Yield one that has heard two quiet hours before its stream, however long that took."""
    rules, source = folder / "rules.yaml", name.removesuffix("usdm")
    rules.write_text(RULES)
    primed, after, alive = False, list[Any](), list[int]()

    def take(event: Event) -> None:
        if not primed:
            return
        session.take(event)
        if event.kind == "liquidation":
            after.append(entry(session))
        elif event.data.get("series") == "liq.long":
            alive.append(event.ts)

    with Session(rules, folder / "state", fit=Fit(sources={"liq.long": source})) as session:
        async with fed(name, take) as (stub, _):
            await until(lambda: any(stub.sockets.values()))  # it has subscribed
            now = time.time_ns()
            session.prime(
                Event(now - back * SECOND, "alive", SYMBOL, {"series": "liq.long"}, source=source)
                for back in range(7_200, -1, -5)
            )
            primed = True
            async with ticking(session):
                await until(lambda: entry(session).answer == "allow")
                yield Guarded(stub, session, after, alive)


@pytest.mark.parametrize("name", STREAMS)
def test_a_liquidation_that_is_pushed_tightens_the_very_next_order(
    name: str, tmp_path: Path
) -> None:
    """In the middle of an hour: the close that `every` names is not waited for, nor a tick."""
    large = {"side": "long", "price": 70_000.0, "quantity": 300.0}  # 21 million
    said: list[Any] = []

    async def test() -> None:
        async with guarded(tmp_path, name) as (stub, session, after, alive):
            await until(lambda: len(alive) > 1)  # the stream itself speaks, not what was before
            for number, side in enumerate(("short", "long"), 1):
                assert await stub.do({"liquidation": {**large, "side": side}}) == 1
                await until(lambda number=number: len(after) == number)
            leave = Intent(time.time_ns(), SYMBOL, "sell", 1.0, 1.0, price=70_000.0)
            said.extend([*after, session.decide(leave)])

    run(test)
    assert [verdict.answer for verdict in said] == ["allow", "deny", "allow"]
    assert "cascade" in said[1].reasons[0].text


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_says_nothing_more_blocks_entries_within_its_max_age(
    name: str, tmp_path: Path
) -> None:
    """The sockets stay open: nothing but the missing answers to pings tells that it is dead."""
    said: list[tuple[int, Any]] = []  # when an entry was asked for, and the verdict

    async def test() -> None:
        async with guarded(tmp_path, name) as (stub, session, _, alive):

            def denied() -> bool:
                session.tick()
                said.append((time.time_ns(), entry(session)))
                return said[-1][1].answer == "deny"

            await asyncio.sleep(17)  # longer than its max_age: what is quiet is no dead stream
            assert not denied(), said[-1][1].reasons
            await stub.do({"freeze": True})
            await until(denied)
            assert all(asked <= alive[-1] + 15 * SECOND for asked, _ in said[:-1])

    run(test)
    reasons = [reason.text for reason in said[-1][1].reasons]
    assert any(text.startswith("blind: liq.long") for text in reasons), reasons
