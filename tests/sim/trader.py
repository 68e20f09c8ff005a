"""A bot on paper: it keeps asking for orders, obeys the gate, and carries out what is due.

The venue fills in part, rejects, and cancels late. What must hold of orders is checked here.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

from riskguard.engine.decision import State
from riskguard.engine.orders import Action, Intent, Pending
from riskguard.live.session import Session
from tests.sim.market import PERP

__all__ = ["Trader"]

NOISE = 1e-9


@dataclass
class Order:
    """An order at the venue; `period` counts the times nothing might be added any more."""

    id: str
    side: str
    remaining: float
    resting: bool
    period: int

    def pending(self) -> Pending:
        return Pending(self.id, self.side, self.remaining, self.resting)


class Trader:
    """One position in one symbol, with the orders that are open for it."""

    def __init__(self, dice: random.Random, symbol: str = PERP) -> None:
        self.dice, self.symbol = dice, symbol
        self.position = 0.0
        self.orders: list[Order] = []
        self.sent = self.period = 0
        self.shut = False
        self.done: set[str] = set()
        self.seen: Counter[str] = Counter()

    def intent(self, ts: int, side: str, quantity: float, *, alone: bool = False) -> Intent:
        """Return an order; `alone` as if nothing else were open."""
        pending = () if alone else tuple(order.pending() for order in self.orders)
        return Intent(ts, self.symbol, side, quantity, self.position, pending, price=100.0)

    def notice(self, session: Session) -> None:
        """Count the times at which adding ends."""
        shut = session.decision.state >= State.REDUCING
        if shut and not self.shut:
            self.period += 1
        self.shut = shut

    def act(self, session: Session, ts: int) -> None:
        """Ask for an order at times, let the venue fill, and do what is due."""
        self.notice(session)
        dice = self.dice
        if dice.random() < 0.3:
            self.ask(session, self.intent(ts, dice.choice(("buy", "sell")), self._size()))
        for order in list(self.orders):
            if dice.random() < (0.1 if order.resting else 0.6):
                self.fill(order)
        if dice.random() < 0.6:
            for action in session.poll():
                self.carry_out(session, action, ts)

    def _size(self) -> float:
        return self.dice.choice((0.5, 1.0, 2.0, 3.7, abs(self.position) or 1.0))

    def ask(self, session: Session, intent: Intent) -> None:
        """Ask, cancel what is named, ask again, send."""
        for _ in range(20):
            verdict = session.decide(intent)
            assert 0 <= verdict.quantity <= intent.quantity, "an order was enlarged"
            if not verdict.cancel_first:
                break
            for order in [one for one in self.orders if one.id in verdict.cancel_first]:
                self.cancel(order)
            pending = tuple(order.pending() for order in self.orders)
            intent = replace(intent, position=self.position, pending=pending)
        self.seen[verdict.answer] += 1
        if verdict.quantity <= 0 or self.dice.random() < 0.1:
            return  # refused, or rejected by the venue
        self.sent += 1
        resting = self.dice.random() < 0.4
        name = f"o{self.sent}"
        self.orders.append(Order(name, intent.side, verdict.quantity, resting, self.period))

    def fill(self, order: Order) -> None:
        """Fill an order in part or in full."""
        size = order.remaining * self.dice.choice((0.3, 1.0, 1.0))
        before = self.position
        after = before + (size if order.side == "buy" else -size)
        self.position = 0.0 if abs(after) < NOISE else after
        if self.shut and order.period == self.period:
            assert abs(self.position) <= abs(before) + NOISE, ("grown", before, after)
            assert before * self.position >= -NOISE, ("flipped", before, after)
        order.remaining -= size
        self.seen["fills"] += 1
        if order.remaining <= NOISE:
            self.orders.remove(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order; at times it fills before the venue hears of it."""
        if self.dice.random() < 0.2:
            self.seen["late cancels"] += 1
            self.fill(order)
        if order in self.orders:
            self.orders.remove(order)

    def carry_out(self, session: Session, action: Action, ts: int) -> None:
        """Do what the guard asks for unasked."""
        assert action.id not in self.done, ("done twice", action.id)
        self.seen[action.kind] += 1
        if action.kind in {"cancel_entries", "cancel_all"}:
            for order in [one for one in self.orders if one.resting]:
                self.cancel(order)
        elif action.kind in {"flatten", "reduce_to"} and self.position:
            keep = action.data.get("ceiling", 0.0) if action.kind == "reduce_to" else 0.0
            excess = abs(self.position) - keep
            if excess > NOISE:
                side = "sell" if self.position > 0 else "buy"
                self.ask(session, self.intent(ts, side, excess))
            return  # open until the position is seen to agree
        elif action.kind not in {"set_stop", "hedge"}:
            return
        if session.done(action.id):
            self.done.add(action.id)
