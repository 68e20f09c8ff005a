"""An adapter: facts to the guard, orders past it, duties done. All that is ours is in here."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from exchange import Exchange, RefusedError

from riskguard import Event, Intent, Pending, Verdict
from riskguard.adapters import Memory, Order, enforce, exit_alone

if TYPE_CHECKING:
    from riskguard.adapters import Desk

NAME, TESTED = "own", "1.0"
# the actions of rules that it carries out: whatever else a rule asks is refused at the start
CAPABILITIES = frozenset(
    {
        "exposure_cap", "reduce_by", "close", "block_entries", "reduce_only",
        "cancel_orders", "notify",
    }
)  # fmt: skip
SYMBOL = "BTC/USDT:USDT"  # the exchange has one market; rules say BTC
MINUTE = 60_000_000_000
log = logging.getLogger("own")


class Venue:
    """The five primitives that the enforcer asks; what fails raises."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def now(self) -> int:
        """Return the time in nanoseconds UTC."""
        return int(self.exchange.clock * 1_000_000_000)

    def position(self, symbol: str) -> float:
        """Return the position, signed."""
        return self.exchange.held

    def pending(self, symbol: str) -> list[Pending]:
        """List every order that is not finished; one in flight is not resting."""
        orders = self.exchange.orders.values()
        return [
            Pending(str(one.number), one.side, one.left, resting=one.limit is not None)
            for one in orders
        ]

    def cancel(self, symbol: str, order_id: str) -> None:
        """Take an order back."""
        self.exchange.cancel(int(order_id))

    def submit(self, order: Order) -> str:
        """Send an order of the guard; its ref goes along, or it could be sent twice."""
        return str(self.exchange.order(order.side, order.quantity, name=order.ref))


class GuardedExchange:
    """The exchange as a bot uses it from now on."""

    def __init__(self, exchange: Exchange, desk: Desk) -> None:
        self.exchange, self.desk = exchange, desk
        self.venue, self.memory = Venue(exchange), Memory()

    def bar(self) -> None:
        """Tell what a closed bar holds, then do what the guard wants done unasked."""
        now = self.venue.now()
        close = {"close": self.exchange.price, "interval_ns": MINUTE}
        held = {"position": self.exchange.held}
        self._tell(Event(now, "account", SYMBOL, held))
        self._tell(Event(now, "bar", SYMBOL, close))
        found = enforce(self.desk, self.venue, SYMBOL, memory=self.memory)
        for failure in found.failures:
            log.error("riskguard: %s", failure)

    def _tell(self, event: Event) -> None:
        try:
            self.desk.take(event)
        except Exception:  # a guard that fails hears nothing, and lets nothing in
            log.exception("riskguard: the guard failed")

    def order(self, side: str, size: float, limit: float | None = None) -> float:
        """Send what the guard grants of an order; return how much that is."""
        position = self.venue.position(SYMBOL)
        asked = Intent(
            self.venue.now(), SYMBOL, side, size, position, tuple(self.venue.pending(SYMBOL)),
            price=limit or self.exchange.price,
        )  # fmt: skip
        verdict = self._judged(asked)
        stays = set[str]()
        for one in verdict.cancel_first:
            try:
                self.exchange.cancel(int(one))
            except RefusedError:  # it has filled meanwhile, or it cannot be taken back
                stays.add(one)
        if verdict.cancel_first:  # what is held and what rests is other than it was: ask again
            rest = [
                replace(one, resting=one.resting and one.id not in stays)
                for one in self.venue.pending(SYMBOL)
            ]
            position = self.venue.position(SYMBOL)
            verdict = self._judged(replace(asked, position=position, pending=tuple(rest)))
        if verdict.quantity < size:
            said = "; ".join(reason.text for reason in verdict.reasons)
            log.warning("riskguard: %s %g cut to %g: %s", side, size, verdict.quantity, said)
        if verdict.quantity <= 0:
            return 0.0
        self.exchange.order(side, verdict.quantity, limit)
        if (position > 0) == (side == "sell"):  # the bot's own exit: nobody else's doing
            self.memory.left(SYMBOL, verdict.quantity)
        return verdict.quantity

    def _judged(self, asked: Intent) -> Verdict:
        try:
            return self.desk.decide(asked)
        except Exception as error:  # noqa: BLE001 - whatever fails: exits pass, entries do not
            return exit_alone(asked, error)
