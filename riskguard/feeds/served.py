"""The past as a venue serves it: what a guard is primed with before its first order.

Bars and rates of funding are served far back, open interest for about a month, where the venue
tells it in the unit it streams it in; liquidations by gate alone. What no venue serves comes from a
recording (`feeds.recorded`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.errors import AdapterError
from riskguard.feeds.facts import Market, bars, fundings, liquidations, open_interest
from riskguard.feeds.streaming import alive, spacing
from riskguard.feeds.venues import ROW, venue
from riskguard.market import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from riskguard.engine.events import Event

__all__ = ["served"]

Rows = list[Any]
MS = 1_000_000  # ns
FRAMES = {"1d": DAY, "4h": 4 * HOUR, "1h": HOUR, "15m": 15 * MINUTE, "5m": 5 * MINUTE, "1m": MINUTE}
MONTH = 29 * DAY  # of open interest; what is older is refused by some
MOST = 100  # rows of five minutes in one request


async def served(
    exchange: Any,  # noqa: ANN401 - an exchange of ccxt, with streams or without
    symbols: tuple[str, ...],
    since: int,
    until: int,
    *,
    every: int = HOUR,
) -> list[Event]:
    """Return what the venue tells of `since` to `until` (ns), oldest first.

    `every` (ns) is that of the rules: bars are asked for in the longest frame that divides it.

    Raises:
        AdapterError: a symbol is no contract of the venue, or sides and units are not certain.
    """
    known = venue(exchange.id)
    await exchange.load_markets()
    found: list[Event] = []
    for symbol in symbols:
        described = exchange.markets.get(symbol)
        if described is None or not described.get("contract"):
            raise AdapterError(f"{symbol!r} is no contract of {exchange.id}")
        market = Market.of(known, described)
        found += await _bars(exchange, market, since, until, every)
        found += await _fundings(exchange, market, since, until)
        if known.rows:
            found += await _rows(exchange, market, max(since, until - MONTH), until)
        elif known.past:
            found += await _interest(exchange, market, max(since, until - MONTH), until)
    kept = [event for event in found if since < event.ts <= until]
    return sorted(kept, key=lambda event: (event.ts, event.kind, event.symbol, event.id))


async def _bars(
    exchange: Any,  # noqa: ANN401 - as above
    market: Market,
    since: int,
    until: int,
    every: int,
) -> list[Event]:
    frame = next((name for name, width in FRAMES.items() if every % width == 0), "1m")
    width = FRAMES[frame]

    async def asked(at: int) -> Rows:
        return list(await exchange.fetch_ohlcv(market.symbol, frame, at, None))

    found: list[Event] = []
    async for rows in _pages(asked, since, until, lambda row: int(row[0])):
        found += bars(market, rows, until, width)
    return found


async def _fundings(exchange: Any, market: Market, since: int, until: int) -> list[Event]:  # noqa: ANN401 - as above
    async def asked(at: int) -> Rows:
        return list(await exchange.fetch_funding_rate_history(market.symbol, at, MOST))

    found: Rows = []
    async for rows in _pages(asked, since, until, lambda row: int(row["timestamp"])):
        found += rows
    return list(fundings(market, found, spacing(found)))


async def _interest(exchange: Any, market: Market, since: int, until: int) -> list[Event]:  # noqa: ANN401 - as above
    async def asked(at: int) -> Rows:
        history = exchange.fetch_open_interest_history
        return list(await history(market.symbol, "1h", at, MOST))

    found: list[Event] = []
    async for rows in _pages(asked, since, until, lambda row: int(row["timestamp"])):
        found += [one for row in rows if (one := open_interest(market, row, until))]
    return found


async def _rows(exchange: Any, market: Market, since: int, until: int) -> list[Event]:  # noqa: ANN401 - as above
    async def asked(at: int) -> Rows:
        history = exchange.fetch_open_interest_history
        return list(await history(market.symbol, "5m", at, MOST))

    found: list[Event] = []
    async for rows in _pages(asked, since, until, lambda row: int(row["info"]["time"]) * 1000):
        for row in rows:
            end = int(row["info"]["time"]) * 1000 + ROW
            if end * MS > until:
                continue  # in progress
            found += [*liquidations(market, [row]), *alive(market, end)]
            held = open_interest(market, {**row, "timestamp": end}, until)
            found += [held] if held else []
    return found


async def _pages(
    asked: Callable[[int], Awaitable[Rows]], since: int, until: int, stamp: Callable[[Any], int]
) -> AsyncIterator[Rows]:
    """Yield rows that are newer than the last, page by page; `asked` takes a time in ms."""
    at = since // MS
    last = at - 1
    while at * MS < until:
        rows = sorted((row for row in await asked(at) if stamp(row) > last), key=stamp)
        if not rows:
            return
        yield rows
        last = stamp(rows[-1])
        at = last + 1
