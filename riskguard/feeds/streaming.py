"""Live feeds of one exchange through ccxt.pro: polls, the liquidation stream, and a heartbeat.

What arrives is handed on as events; what fails is tried again with growing pauses and told in
`faults`. A silent stream is alive only up to when its socket answered last: `alive` events say
so, so that a dead feed is never taken for a calm market.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from riskguard.errors import AdapterError, RiskguardError, foreign
from riskguard.feeds.facts import Market, bars, fundings, liquidations, open_interest
from riskguard.feeds.plugged import SERIES
from riskguard.feeds.vendors import Vendors
from riskguard.feeds.venues import venue
from riskguard.live.ticker import AGREE, Ticker
from riskguard.market import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from riskguard.engine.events import Event

__all__ = ["SERIES", "Feeds", "alive", "spacing"]

Exchange = Any  # an exchange of ccxt.pro, which is untyped
MS = 1_000_000  # ns
PING = 5_000  # ms between two pings to a socket: its answers prove it
LONGEST = 30.0  # seconds between two tries
ROWS = 300.0  # seconds of a row of open interest and liquidations
MOST = 100  # rows of one request
FEW = 3  # bars of a poll: the one in progress, the last, and one that came late


@dataclass
class Pace:
    """Seconds between two polls of each kind."""

    bars: float = 2.0
    open_interest: float = 10.0
    funding: float = 60.0
    rows: float = 20.0
    heartbeat: float = 1.0
    clock: float = 60.0


@dataclass
class Fault:
    """What a feed failed with last, how often in a row, and when it was well last (ns)."""

    text: str = ""
    count: int = 0
    well: int = 0

    def mended(self, now: int) -> None:
        """Take note that it is well."""
        self.text, self.count, self.well = "", 0, now


class Clock(Exception):  # noqa: N818 - it names the feed that fails
    """The clock of this machine is wrong."""


@dataclass
class Feeds:
    """The feeds of some markets of one exchange: `run` them in the bot's own event loop.

    `exchange` is an exchange of `ccxt.pro`, `take` eats events (`Session.take`), `symbols` are
    unified ("BTC/USDT:USDT"), `series` what is wanted of SERIES. `plugins` are feeds of others
    that run beside (`riskguard.feeds.vendors`); what they bring is left out of `series`.

    Raises:
        AdapterError: what the venue means by sides and units is not known for certain, or a
            series would come from two feeds.
        PluginError: a plug-in is not installed, not allowed, or does not fit.
    """

    exchange: Exchange
    symbols: tuple[str, ...]
    take: Callable[[Event], object]
    series: tuple[str, ...] = SERIES
    pace: Pace = field(default_factory=Pace)
    ticker: Ticker = field(default_factory=Ticker)
    plugins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.series if name not in SERIES]
        if unknown:
            raise AdapterError(f"series {unknown[0]!r}", help=f"write some of {', '.join(SERIES)}")
        self.venue = venue(self.exchange.id)
        self.vendors = Vendors(
            self.plugins, self.symbols, self.take,
            now=self.now, taken=self.series, other=self.venue.name,
        )  # fmt: skip
        self.faults: dict[str, Fault] = {}
        self._markets: dict[str, Market] = {}
        self._closed: dict[str, int] = {}  # symbol -> open (ms) of the last bar that was told
        self._polls: dict[str, int] = {}  # symbol -> time (ns) of the last open interest
        self._settled: dict[str, int] = {}  # symbol -> time (ns) of the last funding
        self._said: dict[str, int] = {}  # symbol -> when (ms, wall clock) its socket spoke last
        self._rows: dict[str, int] = {}  # symbol -> time (s) of the last row that was told
        self._off = False  # the clock of this machine is not that of the venue
        streaming = dict(getattr(self.exchange, "streaming", None) or {})
        streaming["keepAlive"] = min(int(streaming.get("keepAlive", PING)), PING)
        self.exchange.streaming = streaming

    def now(self) -> int:
        """Return the time (ns), which never goes back."""
        return self.ticker.now()

    async def run(self) -> None:
        """Feed until cancelled; no failure of a feed ends it, nor that of another.

        Raises:
            AdapterError: a symbol is no contract of the venue.
        """
        tasks = [asyncio.ensure_future(self.vendors.run())]  # they wait for no venue
        try:
            await self._load()
            tasks += [asyncio.ensure_future(self._forever(*one)) for one in self._plan()]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()  # what ends by an error ends all
        finally:
            await _ended(tasks)

    def silent(self) -> dict[str, str]:
        """Return the feeds that fail now, and with what."""
        failing = {name: fault.text for name, fault in self.faults.items() if fault.count}
        return failing | self.vendors.silent()

    # ------------------------------------------------------------ what runs

    async def _load(self) -> None:
        """Load the markets; tried again as the feeds are."""
        await self._until_well("markets", self.exchange.load_markets)
        for symbol in self.symbols:
            described = self.exchange.markets.get(symbol)
            if described is None or not described.get("contract"):
                able = [name for name, one in self.exchange.markets.items() if one.get("contract")]
                near = get_close_matches(symbol, able, 5, 0.4) or sorted(able)[:5]
                msg = f"{symbol!r} is no contract of {self.exchange.id}"
                raise AdapterError(msg, help=f"it has {', '.join(near) or 'none'}")
            self._markets[symbol] = Market.of(self.venue, described)

    def _plan(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]], float]]:
        pace, wanted = self.pace, self.series
        yield "clock", self._clock, pace.clock
        for market in self._markets.values():
            if "bars" in wanted:
                yield f"bars {market.symbol}", _of(self._bars, market), pace.bars
            if self.venue.rows and {"open_interest", "liquidations"} & set(wanted):
                yield f"rows {market.symbol}", _of(self._of_rows, market), pace.rows
            elif "open_interest" in wanted:
                yield f"oi {market.symbol}", _of(self._polled, market), pace.open_interest
            if "funding" in wanted:
                yield f"funding {market.symbol}", _of(self._funding, market), pace.funding
            if "liquidations" in wanted and self.venue.method:
                yield f"liquidations {market.symbol}", _of(self._stream, market), 0.0
                yield f"heartbeat {market.symbol}", _of(self._heartbeat, market), pace.heartbeat

    async def _forever(self, name: str, step: Callable[[], Awaitable[None]], pause: float) -> None:
        while True:
            await self._until_well(name, step)
            await asyncio.sleep(pause)

    async def _until_well(self, name: str, step: Callable[[], Awaitable[object]]) -> None:
        """Do one step, again and again with growing pauses until it is done."""
        fault = self.faults.setdefault(name, Fault(well=self.now()))
        pause = 0.5
        while True:
            try:
                await step()
            except asyncio.CancelledError:
                raise
            except RiskguardError:
                raise  # an event that is none: the feed itself has to be mended
            except Exception as error:  # noqa: BLE001 - whatever a venue answers, it is tried again
                fault.text = foreign(f"{type(error).__name__}: {error}", 300)
                fault.count += 1
                await asyncio.sleep(pause)
                pause = min(LONGEST, 2 * pause)
            else:
                fault.mended(self.now())
                return

    def _tell(self, *events: Event) -> None:
        for event in events:
            self.ticker.heard(event.ts)
            self.take(event)

    async def _clock(self) -> None:
        """See that this machine and the venue agree on the time.

        Where they do not, a liquidation comes from the future or is late, and is refused by
        whoever is told: the streams prove nothing then.
        """
        asked = time.monotonic_ns()
        theirs = int(await self.exchange.fetch_time()) * MS
        took = time.monotonic_ns() - asked
        behind = theirs - self.now()
        self._off = abs(behind) > AGREE + took
        if self._off:
            way = "behind" if behind > 0 else "ahead of"
            seconds = abs(behind) // SECOND
            raise Clock(f"that of this machine is {seconds} s {way} the one of {self.exchange.id}")

    # ------------------------------------------------------------ polls

    async def _bars(self, market: Market) -> None:
        """Tell the minutes that have closed since the last one told."""
        symbol, last = market.symbol, self._closed.get(market.symbol)
        minute = MINUTE // MS
        if last is not None and self.now() // MS < last + 2 * minute:
            return  # the next has not closed yet
        since = None if last is None else last + minute
        rows = await self.exchange.fetch_ohlcv(symbol, "1m", since, FEW if last is None else None)
        now = self.now()
        closed = [row for row in rows if (row[0] + minute) * MS <= now and row[0] > (last or 0)]
        self._tell(*bars(market, closed, now))
        if closed:
            self._closed[symbol] = int(closed[-1][0])

    async def _polled(self, market: Market) -> None:
        told = await self.exchange.fetch_open_interest(market.symbol, dict(self.venue.asked))
        event = open_interest(market, told, self.now())
        if event is not None and event.ts > self._polls.get(market.symbol, 0):
            self._polls[market.symbol] = event.ts  # some venues tell a snapshot of 5 min again
            self._tell(event)

    async def _funding(self, market: Market) -> None:
        rows = await self.exchange.fetch_funding_rate_history(market.symbol, None, 3)
        for event in fundings(market, rows, spacing(rows)):
            if event.ts > self._settled.get(market.symbol, 0):
                self._settled[market.symbol] = event.ts
                self._tell(event)

    async def _of_rows(self, market: Market) -> None:
        """Tell rows of five minutes that are complete: the next one has begun."""
        last = self._rows.get(market.symbol)
        missed = 0 if last is None else round((self.now() // SECOND - last) / ROWS)
        history = self.exchange.fetch_open_interest_history
        rows = await history(market.symbol, "5m", None, min(MOST, max(12, missed + 2)))
        rows = sorted(rows, key=lambda row: int(row["info"]["time"]))[:-1]
        for row in rows if last is not None else rows[-1:]:
            stamp = int(row["info"]["time"])
            if stamp <= (last or 0):
                continue
            end = round((stamp + ROWS) * 1000)
            if "liquidations" in self.series:
                self._tell(*liquidations(market, [row]), *alive(market, end))
            if "open_interest" in self.series:
                event = open_interest(market, {**row, "timestamp": end}, self.now())
                if event is not None:
                    self._tell(event)
            self._rows[market.symbol] = stamp

    # ------------------------------------------------------------ the stream

    async def _stream(self, market: Market) -> None:
        """Wait for liquidations and tell all that came: ccxt returns the first of a message."""
        watch = getattr(self.exchange, self.venue.method)
        several = self.venue.method.endswith("for_symbols")
        try:
            await watch([market.symbol] if several else market.symbol)
        finally:
            self._drain()

    def _drain(self) -> None:
        came, self.exchange.liquidations = list(self.exchange.liquidations or ()), None
        for market in self._markets.values():
            mine = [one for one in came if one.get("symbol") == market.symbol]
            unread: list[Exception] = []
            self._tell(*liquidations(market, mine, unread.append))
            fault = self.faults.setdefault(_messages(market), Fault(well=self.now()))
            if unread:
                fault.text, fault.count = f"no liquidation: {unread[-1]!r}"[:300], fault.count + 1
            elif mine:
                fault.mended(self.now())

    async def _heartbeat(self, market: Market) -> None:
        """Tell up to when the stream is proven: its socket sent something then, if only a pong.

        A stream of which a message could not be read proves nothing until one is read again: it
        may be that the venue speaks in another form now, and is taken for calm.
        """
        socket = self._socket(market)
        if socket is None:
            return
        spoke = int(socket.last_message_at or 0)
        self._drain()  # what came while nobody waited comes before the proof
        if spoke in (0, self._said.get(market.symbol)):  # a new socket has said nothing yet
            return
        self._said[market.symbol] = spoke
        age = time.time_ns() - spoke * MS  # by the wall clock, as ccxt stamps it
        if not (self._off or self.faults[_messages(market)].count):
            self.faults[f"liquidations {market.symbol}"].mended(self.now())
            self._tell(*alive(market, (self.now() - max(0, age)) // MS))

    def _socket(self, market: Market) -> Any:  # noqa: ANN401 - a client of ccxt
        """Return the open socket that carries the liquidations of a market, None if there is none.

        A venue may have one for all symbols, or one for each.
        """
        for client in self.exchange.clients.values():
            names = map(str, (*client.futures, *client.subscriptions))
            carries = f"liquidations::{market.symbol}" in names
            if carries and client.isConnected and not client.closed():
                return client
        return None


async def _ended(tasks: Iterable[asyncio.Future[None]]) -> None:
    """Cancel tasks until they have ended: what ccxt awaits may swallow one cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1.0)


def spacing(rows: Iterable[Any]) -> int:
    """Return the time (ns) between two settlements, as the last two of them tell."""
    stamps = sorted(int(row["timestamp"]) for row in rows if row.get("timestamp"))
    if len(stamps) < 2:
        return 8 * HOUR
    return round((stamps[-1] - stamps[-2]) / (HOUR // MS)) * HOUR or HOUR


def _of(step: Callable[[Market], Awaitable[None]], market: Market) -> Callable[[], Awaitable[None]]:
    return lambda: step(market)


def _messages(market: Market) -> str:
    return f"messages {market.symbol}"


def alive(market: Market, ts: int) -> Iterator[Event]:
    """Yield that the liquidations of a market are heard, both sides and together; `ts` in ms."""
    for name in ("liq.long", "liq.short", "liq.total"):
        yield market.event(ts, "alive", {"series": name})
