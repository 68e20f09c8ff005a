"""Orders of backtesting.py: which are open, how many units one is, and exits that cannot flip.

The framework holds no order to reduce-only, but it has one that is: an order bound to a trade
closes at most what is left of that trade. Every exit under a guard that limits is such an order.
"""

# ruff: noqa: SLF001 - backtesting.py has no public names for what is asked here
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.adapters.shared.enforcing import Open
from riskguard.adapters.shared.post import closing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.adapters.shared.enforcing import Order as Reduction
    from riskguard.engine.orders import Pending

__all__ = ["BrokerVenue", "Wish"]

Broker = Any  # backtesting.py is untyped
Order = Any
Trade = Any


class Wish(NamedTuple):
    """What an order of the strategy comes to, in units."""

    sign: int  # 1 buys, -1 sells
    asked: float  # above 0, else the order does nothing
    against: float  # of that, what closes
    kept: float = 0.0  # closed and entered again beside it
    alone: bool = False  # all else is closed and cancelled by it
    pending: tuple[Pending, ...] = ()  # the open orders it stands beside


def _stays() -> None:
    """Do nothing: an order of the guard is not taken back by a strategy."""


class BrokerVenue:
    """The broker of one run as the enforcer asks it; sizes are whole units."""

    def __init__(self, broker: Broker, order_type: type) -> None:
        self.broker, self._order = broker, order_type
        self.submit_entry = broker.new_order
        self.ts = 0

    # ------------------------------------------------------------ what the enforcer asks

    def position(self, symbol: str) -> float:  # noqa: ARG002 - there is one instrument
        """Return the position in units, signed."""
        return float(self.broker.position.size)

    def pending(self, symbol: str) -> Sequence[Open]:  # noqa: ARG002 - there is one instrument
        """List all unfinished orders, the oldest first."""
        return [self._open(order, place) for place, order in enumerate(self.broker.orders)]

    def cancel(self, symbol: str, order_id: str) -> None:  # noqa: ARG002 - there is one instrument
        """Cancel an order; what is gone already is."""
        for order in list(self.broker.orders):
            if str(id(order)) == order_id:
                order.cancel()

    def submit(self, order: Reduction) -> str:
        """Close units of the position at the next open."""
        before = set(map(id, self.broker.orders))
        sign = 1 if order.side == "buy" else -1
        sent = self.leave(sign * order.quantity, tag="riskguard")
        for one in self.broker.orders:
            if id(one) not in before:
                one.cancel = _stays  # strategies cancel all their orders, and would take it along
        return "" if sent is None else str(id(sent))

    def now(self) -> int:
        """Return the close of the last bar."""
        return self.ts

    # ------------------------------------------------------------ orders

    def wish(self, size: float, price: float | None) -> Wish:
        """Return what an order of the strategy comes to.

        Under `exclusive_orders` it closes whatever is there and enters its own size: the same
        side again is an order for the difference, the other side one for both.
        """
        alone = bool(self.broker._exclusive_orders)
        units, sign = self.units(size, price, alone=alone), 1 if size > 0 else -1
        position = int(self.broker.position.size)
        held, other = abs(position), position * sign < 0
        pending = tuple(self.pending(""))
        if not alone:
            against = closing(position, "buy" if sign > 0 else "sell", units, pending)
            return Wish(sign, units, against, pending=pending)
        pending = tuple(one for one in pending if one.group)
        if other:
            return Wish(sign, units + held, held, alone=True, pending=pending)
        if units < held:
            return Wish(-sign, held - units, held - units, alone=True, pending=pending)
        return Wish(sign, units - held, 0.0, held, alone=True, pending=pending)

    def units(self, size: float, price: float | None, *, alone: bool = False) -> float:
        """Return how many units a size is; one in (0, 1) is a share of what is free to be used.

        It is settled at the fill; here it is reckoned at `price`, else at the last close.
        `alone`: all else is closed first, so everything is free.
        """
        if abs(size) >= 1:
            return float(abs(size))
        broker = self.broker
        each = broker._adjusted_price(size, price)
        each += broker._commission(size, price or broker.last_price) / abs(size)
        free = broker.equity if alone else broker.margin_available
        return float(free * broker._leverage * abs(size) // each)

    def clear(self) -> None:
        """Cancel all but stops and targets: the framework's own loop over them misses some."""
        for order in list(self.broker.orders):
            if not order.is_contingent:
                order.cancel()

    def leave(
        self,
        size: float,
        limit: float | None = None,
        stop: float | None = None,
        tag: object = None,
    ) -> Order | None:
        """Close up to `size` units (signed as the order), the oldest trades first.

        What is on its way out at the next open is not sent out again. Return the last order
        made, None where nothing is left to close.
        """
        broker, sent = self.broker, None
        left = abs(int(size))
        for trade in list(broker.trades):
            if trade.size * size >= 0 or not left:
                continue
            gone = sum(abs(int(order.size)) for order in self._at_once(trade))
            units = min(left, abs(int(trade.size)) - gone)
            if units <= 0:
                continue
            sent = self._order(
                broker, math.copysign(units, size), limit, stop, None, None, trade, tag
            )
            # as Trade.close does: what leaves is filled before what enters
            broker.orders.insert(0 if limit is None else len(broker.orders), sent)
            left -= units
        return sent

    def bind(self) -> None:
        """Bind resting exits to the trades they close, the nearest first; no room, no order.

        What is bound to a trade that is gone goes with it.
        """
        broker = self.broker
        for order in list(broker.orders):
            if order.parent_trade and order.parent_trade not in broker.trades:
                broker.orders.remove(order)
        held = int(broker.position.size)
        loose = [
            order
            for order in broker.orders
            if not order.parent_trade and (order.limit or order.stop) and order.size * held < 0
        ]
        for order in loose:
            order.cancel()
            size = math.copysign(self.units(order.size, order.limit or order.stop), order.size)
            self.leave(size, order.limit, order.stop, order.tag)

    def _at_once(self, trade: Trade) -> Iterator[Order]:
        for order in self.broker.orders:
            if order.parent_trade is trade and not (order.limit or order.stop):
                yield order

    def _open(self, order: Order, place: int) -> Open:
        trade = order.parent_trade
        price = order.limit or order.stop
        away = abs(price - self.broker.last_price) if price else 0.0
        return Open(
            str(id(order)),
            "buy" if order.size > 0 else "sell",
            self.units(order.size, price),
            resting=bool(price),
            reduce_only=trade is not None,
            group=f"trade {id(trade)}" if order.is_contingent else "",
            ts=place,
            stop=bool(order.stop),
            distance=away,
        )
