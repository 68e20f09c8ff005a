"""Orders of jesse: a broker that asks before it sends, and what the enforcer asks of a route.

What jesse sends to leave (`reduce_position_at`) it holds to the position when it fills. So every
exit under a guard that limits goes that way, also the market orders by which jesse itself
replaces a stop that the price has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.enforcing import Open
from riskguard.adapters.shared.post import closing
from riskguard.engine.decision import State
from riskguard.engine.orders import RESIDUE, Intent, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.adapters.shared.enforcing import Order as Reduction
    from riskguard.adapters.shared.post import Post

__all__ = ["GuardedBroker", "RouteVenue"]

Broker = Any  # jesse is untyped
Order = Any
Strategy = Any
MILLISECOND = 1_000_000


class RouteVenue:
    """One route of jesse as the enforcer asks it."""

    def __init__(self, strategy: Strategy, broker: Broker) -> None:
        self.strategy, self.broker = strategy, broker

    def position(self, symbol: str) -> float:  # noqa: ARG002 - a route has one
        """Return the position in coins, signed."""
        return float(self.strategy.position.qty)

    def pending(self, symbol: str) -> Sequence[Open]:  # noqa: ARG002 - as above
        """List all unfinished orders of the route, the oldest first."""
        now = float(self.strategy.price)
        return [
            Open(
                str(order.id),
                str(order.side),
                abs(float(order.remaining_qty)),
                resting=order.type != "MARKET",
                reduce_only=bool(order.reduce_only),
                ts=place,
                stop=order.type == "STOP",
                distance=abs(float(order.price or now) - now),
            )
            for place, order in enumerate(self.strategy.orders)
            if order.is_cancellable
        ]

    def cancel(self, symbol: str, order_id: str) -> None:  # noqa: ARG002 - as above
        """Cancel an order."""
        self.broker.cancel_order(order_id)

    def submit(self, order: Reduction) -> str:
        """Close a part of the position at market; in a backtest it fills at once."""
        price = self.strategy.price
        sent = self.broker.reduce_position_at(order.quantity, price, price)
        # by jesse's own simulation, which does nothing in live trading: the strategy then sees
        # the position as it is
        self.strategy._simulate_market_order_execution()  # noqa: SLF001 - it has no public name
        return "" if sent is None else str(sent.id)

    def now(self) -> int:
        """Return the time of the route."""
        return int(self.strategy.time) * MILLISECOND


class GuardedBroker:
    """Stands before the broker of a route: what may add risk is asked, all else is passed on."""

    def __init__(self, venue: RouteVenue, post: Post) -> None:
        self._venue, self._broker, self._post = venue, venue.broker, post

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the broker has
        return getattr(self._broker, name)

    def buy_at_market(self, qty: float) -> Order | None:
        """Buy at market as far as the guard lets it."""
        return self._ask("buy", qty, None, self._broker.buy_at_market)

    def sell_at_market(self, qty: float) -> Order | None:
        """Sell at market as far as the guard lets it."""
        return self._ask("sell", qty, None, self._broker.sell_at_market)

    def buy_at(self, qty: float, price: float) -> Order | None:
        """Buy at a limit as far as the guard lets it."""
        return self._ask("buy", qty, price, lambda left: self._broker.buy_at(left, price))

    def sell_at(self, qty: float, price: float) -> Order | None:
        """Sell at a limit as far as the guard lets it."""
        return self._ask("sell", qty, price, lambda left: self._broker.sell_at(left, price))

    def start_profit_at(self, side: str, qty: float, price: float) -> Order | None:
        """Enter behind a price as far as the guard lets it."""
        return self._ask(
            side, qty, price, lambda left: self._broker.start_profit_at(side, left, price)
        )

    def reduce_position_at(self, qty: float, price: float, current_price: float) -> Order | None:
        """Leave at a price, with no more than may come to be held: an entry may have been cut."""
        held = self._venue.position(self._post.symbol)
        entering = "buy" if held > 0 else "sell"
        pending = self._venue.pending(self._post.symbol)
        most = abs(held) + together([one for one in pending if one.side == entering])
        size = min(abs(float(qty)), most) if held else qty  # flat: jesse tells what is wrong
        return self._broker.reduce_position_at(size, price, current_price)

    def _ask(
        self, side: str, qty: float, price: float | None, send: Callable[[float], Order]
    ) -> Order | None:
        """Send what is granted; return the last order sent, None for none, as jesse bears."""
        asked, venue, post = abs(float(qty)), self._venue, self._post
        if not asked:
            return send(qty)  # jesse tells what is wrong with it
        position, pending = venue.position(post.symbol), tuple(venue.pending(post.symbol))
        now = float(venue.strategy.price)
        verdict = post.judge(
            Intent(venue.now(), post.symbol, side, asked, position, pending, price=price or now)
        )
        if verdict.state is State.ACTIVE and verdict.quantity >= asked:
            return send(qty)
        for one in verdict.cancel_first:
            venue.cancel(post.symbol, one)
        leaving = min(verdict.quantity, closing(position, side, asked, pending))
        # jesse enters from flat: what goes against a position is meant to leave it
        against = position < 0 if side == "buy" else position > 0
        entering = 0.0 if against else verdict.quantity
        sent = None
        if leaving > 0:
            sent = self._broker.reduce_position_at(leaving, now if price is None else price, now)
        if entering > RESIDUE * asked:
            sent = send(entering)
        return sent
