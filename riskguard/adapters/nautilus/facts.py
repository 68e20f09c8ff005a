"""What Nautilus knows, as events of a guard: bars, liquidations, open interest, funding, account.

Imported only where nautilus_trader is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nautilus_trader.model.data import FundingRateUpdate
from nautilus_trader.model.enums import InstrumentClass, OrderType

from riskguard.adapters.nautilus.data import Alive, Liquidation, OpenInterest, Reading
from riskguard.adapters.shared.symbols import spelled, traded
from riskguard.engine.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Facts", "Names", "span_of"]

Thing = Any  # an object of Nautilus, which is untyped
Kernel = Any
SETTLED = frozenset({InstrumentClass.SWAP, InstrumentClass.FUTURE})
STOPS = frozenset(
    {
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.TRAILING_STOP_MARKET,
        OrderType.TRAILING_STOP_LIMIT,
    }
)


def span_of(bar_type: Thing) -> int:
    """Return how long a bar is, in ns."""
    return int(bar_type.spec.timedelta.total_seconds()) * 1_000_000_000


class Names:
    """Which symbol of the rules an instrument is: "BTCUSDT-PERP.BINANCE" is "BTC/USDT:USDT".

    Two instruments of one symbol (two venues) are kept apart: the second is "BTC/USDT:USDT#2".
    """

    def __init__(self, cache: Thing, given: Mapping[str, str]) -> None:
        self.cache, self.given = cache, dict(given)
        self.known: dict[Any, str] = {}

    def __call__(self, instrument_id: Thing) -> str:
        """Return the symbol of an instrument."""
        found = self.known.get(instrument_id)
        if found is None:
            found = self.unified(instrument_id)
            twins = sum(one.partition("#")[0] == found for one in self.known.values())
            found = f"{found}#{twins + 1}" if twins else found
            self.known[instrument_id] = found
        return found

    def unified(self, instrument_id: Thing) -> str:
        """Return the name as all venues write it."""
        given = self.given.get(str(instrument_id))
        if given:
            return given
        instrument = self.cache.instrument(instrument_id)
        if instrument is None:  # a live node knows some only once it has started
            market = traded(str(instrument_id))
            return spelled(market, "ccxt") if market.quote else str(instrument_id.symbol)
        base = instrument.get_base_currency()
        if base is None:
            return str(instrument_id.symbol)
        pair = f"{base.code}/{instrument.quote_currency.code}"
        settled = instrument.instrument_class in SETTLED
        return f"{pair}:{instrument.get_settlement_currency().code}" if settled else pair


class Facts:
    """Turns what Nautilus publishes into events; `stamp` says what a bar's ts_event stands for."""

    def __init__(
        self, kernel: Kernel, symbol: Callable[[Any], str], stamp: str, source: str
    ) -> None:
        self.kernel, self.symbol, self.stamp, self.source = kernel, symbol, stamp, source
        self.spans: dict[Thing, int] = {}  # by bar type
        self.told: dict[Any, dict[str, float]] = {}  # the account as it was told last

    def of(self, data: Thing) -> Event | None:
        """Return what a piece of custom data says; None where it is not known here."""
        instrument_id = getattr(data, "instrument_id", None)
        if isinstance(data, Liquidation):
            said: dict[str, object] = {
                "liquidated_side": data.side,
                "notional_usd": float(data.notional_usd),
            }
            return self._event(data, "liquidation", instrument_id, said)
        if isinstance(data, OpenInterest):
            sizes = {"coins": float(data.coins), "usd": float(data.usd)}
            said = {name: size for name, size in sizes.items() if size}
            return self._event(data, "open_interest", instrument_id, said)
        if isinstance(data, Alive):
            return self._event(data, "alive", instrument_id, {"series": data.series})
        if isinstance(data, Reading):
            said = {"series": data.series, "value": float(data.value)}
            known = max(data.ts_event, data.ts_init)
            return Event(data.ts_event, "value", data.symbol, said, known, self.source)
        if isinstance(data, FundingRateUpdate):
            said = {"rate": float(data.rate)}
            if data.interval:
                said["interval_hours"] = data.interval / 60
            return self._event(data, "funding", instrument_id, said)
        return None

    def bar(self, bar: Thing) -> Event:
        """Return a bar at its close."""
        span = self.spans.get(bar.bar_type)
        if span is None:
            span = self.spans[bar.bar_type] = span_of(bar.bar_type)
        said: dict[str, object] = {
            "open": float(bar.open),
            "high": float(bar.high),
            "low": float(bar.low),
            "close": float(bar.close),
            "volume": float(bar.volume),
            "interval_ns": span,
        }
        ts = bar.ts_event + (span if self.stamp == "open" else 0)
        symbol = self.symbol(bar.bar_type.instrument_id)
        known = max(ts, bar.ts_init)
        return Event(ts, "bar", symbol, said, available_at=known, source=self.source)

    def mark(self, instrument_id: Thing, price: float, ts: int) -> Event:
        """Return a price between two closes."""
        return Event(ts, "mark", self.symbol(instrument_id), {"price": price}, source=self.source)

    def account(self, instrument_id: Thing, held: float | None, price: float) -> Iterator[Event]:
        """Yield the account as it stands at one instrument's venue, where it has changed.

        `held` is the net position in the order unit; None says nothing of it (two books).
        """
        instrument = self.kernel.cache.instrument(instrument_id)
        equities = self.kernel.portfolio.equity(instrument_id.venue)
        money = equities.get(instrument.get_settlement_currency()) or equities.get(
            instrument.quote_currency
        )
        if money is None:
            return
        equity = max(0.0, float(money))
        said: dict[str, float] = {"equity": equity}
        if held is not None:
            coins = held * float(instrument.multiplier)
            notional = coins * price
            said |= {"position": coins, "notional": notional}
            said["leverage"] = abs(notional) / equity if equity > 0 else 0.0
            pnl = self.kernel.portfolio.unrealized_pnl(instrument_id) if held else None
            said["unrealised"] = float(pnl) if pnl is not None else 0.0
        if self.told.get(instrument_id) == said:
            return
        self.told[instrument_id] = said
        now = self.kernel.clock.timestamp_ns()
        yield Event(now, "account", self.symbol(instrument_id), said, source=self.source)

    def closed(self, event: Thing) -> Event:
        """Return a trade that ended: what it made, and whether a stop ended it."""
        order = self.kernel.cache.order(event.closing_order_id)
        by_stop = order is not None and order.order_type in STOPS
        said = {"pnl": float(event.realized_pnl), "by_stop": "true" if by_stop else "false"}
        symbol = self.symbol(event.instrument_id)
        return Event(event.ts_event, "trade_closed", symbol, said, source=self.source)

    def _event(
        self, data: Thing, kind: str, instrument_id: Thing, said: dict[str, object]
    ) -> Event:
        known = max(data.ts_event, data.ts_init)
        symbol = self.symbol(instrument_id) if instrument_id is not None else "*"
        return Event(data.ts_event, kind, symbol, said, available_at=known, source=self.source)
