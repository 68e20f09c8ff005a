"""What ccxt returns, as events: bars at their close, open interest, funding, liquidations."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from riskguard.engine.events import Event
from riskguard.feeds.venues import Contract
from riskguard.market import HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from riskguard.feeds.venues import Venue

__all__ = ["Market", "bars", "fundings", "liquidations", "open_interest"]

MS = 1_000_000  # ns
FIELDS = ("open", "high", "low", "close", "volume")
Told = Any  # ccxt is untyped


class Market(NamedTuple):
    """One market of a venue: its unified symbol, how it is counted, and the venue."""

    symbol: str
    venue: Venue
    contract: Contract

    @classmethod
    def of(cls, venue: Venue, market: Mapping[str, Any]) -> Market:
        """Return a market as `exchange.market(symbol)` describes it."""
        size = float(market.get("contractSize") or 1.0)
        return cls(str(market["symbol"]), venue, Contract(size, bool(market.get("inverse"))))

    def event(self, ts: int, kind: str, data: Mapping[str, object], name: str = "") -> Event:
        """Return an event of this market; `ts` in ms."""
        return Event(ts * MS, kind, self.symbol, data, source=self.venue.name, id=name)


def _raised(error: Exception) -> NoReturn:
    raise error


def bars(
    market: Market, rows: Iterable[Sequence[Told]], now: int, width: int = MINUTE
) -> Iterator[Event]:
    """Yield the bars that have closed by `now`; `rows` of `width` (ns) are stamped by their open.

    The volume of an inverse contract is in contracts, which is no series: it is left out.
    """
    for row in rows:
        close = int(row[0]) + width // MS
        if close * MS > now or any(value is None for value in row[1:5]):
            continue
        data: dict[str, object] = {
            name: float(value)
            for name, value in zip(FIELDS, row[1:], strict=False)
            if value is not None
        }
        if market.contract.inverse:
            data.pop("volume", None)
        elif "volume" in data and market.venue.lots:
            data["volume"] = float(row[5]) * market.contract.size
        yield market.event(
            close, "bar", {**data, "interval_ns": width}, f"{width // MINUTE}m:{row[0]}"
        )


def open_interest(market: Market, told: Mapping[str, Told], now: int) -> Event | None:
    """Return what a poll said of open interest, None where it said nothing; `now` in ns."""
    data = market.venue.open_interest(told, market.contract)
    if not data:
        return None
    ts = int(told.get("timestamp") or now // MS)
    return market.event(ts, "open_interest", data)


def fundings(market: Market, rows: Iterable[Mapping[str, Told]], interval: int) -> Iterator[Event]:
    """Yield the rates that were settled; `interval` (ns) is the time between two of them."""
    for row in rows:
        if row.get("fundingRate") is None or not row.get("timestamp"):
            continue
        ts = round(int(row["timestamp"]) / 1000) * 1000  # some venues are a few ms off
        data = {"rate": float(row["fundingRate"]), "interval_hours": interval / HOUR}
        yield market.event(ts, "funding", data, f"funding:{ts}")


def liquidations(
    market: Market,
    told: Iterable[Mapping[str, Told]],
    unread: Callable[[Exception], object] = _raised,
) -> Iterator[Event]:
    """Yield each liquidation of messages that came together; equal ones among them are several.

    `unread` hears of each message of a form that is not known.
    """
    seen: Counter[object] = Counter()
    for message in told:
        try:
            found = tuple(market.venue.liquidated(message["info"], market.contract))
            if not all(0 <= one.notional < math.inf for one in found):
                unread(ValueError("its notional is no number of dollars"))
                continue
        except (KeyError, ValueError, TypeError) as error:
            unread(error)
            continue
        for one in found:
            seen[one] += 1
            data = {
                "liquidated_side": one.side,
                "notional_usd": one.notional,
                "coverage": market.venue.coverage,
            }
            name = f"{one.ts}:{one.side}:{one.notional!r}:{seen[one]}"
            yield market.event(one.ts, "liquidation", data, name)
