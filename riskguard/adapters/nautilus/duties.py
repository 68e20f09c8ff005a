"""What the guard wants done in Nautilus, carried out as events come in.

Nothing in Nautilus is confirmed within a call: the shared steps run until they have to wait, and
go on when an order or position event tells more, or when time is up. Imported only where
nautilus_trader is.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.identifiers import ClientOrderId

from riskguard.adapters.nautilus.gate import PATIENCE
from riskguard.adapters.nautilus.orders import amount, cancel, exits, net, told, unfinished
from riskguard.adapters.nautilus.start import venue_of
from riskguard.adapters.shared.outcome import Enforced, Memory, book_key
from riskguard.adapters.shared.steps import Run
from riskguard.adapters.shared.venue import Open
from riskguard.engine.decision import State
from riskguard.errors import foreign

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from riskguard.adapters.nautilus.gate import Gate
    from riskguard.adapters.shared.venue import Order
    from riskguard.engine.decision import Decision
    from riskguard.engine.orders import Pending

__all__ = ["Duties"]

Thing = Any  # an object of Nautilus, which is untyped
READS = 3


class Room:
    """One instrument, at a hedging venue one book of it, as the enforcer asks for it."""

    def __init__(self, gate: Gate, instrument_id: Thing, book: str) -> None:
        self.gate, self.instrument_id, self.book = gate, instrument_id, book
        self.kernel = gate.kernel
        self.asked: set[str] = set()  # what was asked to be cancelled

    def position(self, symbol: str) -> float:  # noqa: ARG002 - a room has one
        """Return the position, signed, in the order unit."""
        return net(self.kernel, self.instrument_id, self.book)

    def pending(self, symbol: str) -> Sequence[Pending]:  # noqa: ARG002 - as above
        """List all unfinished orders; a stop is known as one."""
        found = []
        for order in unfinished(self.kernel, self.instrument_id):
            one = told(self.kernel, order, hedge=bool(self.book))
            at = order.trigger_price if order.has_trigger_price else None
            price = at or (order.price if order.has_price else None)
            last = self.gate.prices.get(self.instrument_id)
            distance = math.inf if price is None or last is None else abs(float(price) - last)
            names = {name: getattr(one, name) for name in one.__slots__}
            found.append(Open(**names, stop=at is not None, distance=distance))
        return found

    def cancel(self, symbol: str, order_id: str) -> None:  # noqa: ARG002 - as above
        """Ask for a cancel; the event tells when it is through."""
        self.asked.add(order_id)
        cancel(self.kernel, order_id)

    def submit(self, order: Order) -> str:
        """Send a reduction: in the names of the strategies whose positions it takes from."""
        cache = self.kernel.cache
        instrument, left = cache.instrument(self.instrument_id), order.quantity
        held = [
            one
            for one in cache.positions_open(None, self.instrument_id)
            if one.is_long == (order.side == "sell")
        ]
        held.sort(key=lambda one: (-float(one.quantity), str(one.id)))
        for place, one in enumerate(held):
            ref = f"{order.ref}-{place}" if place else order.ref
            size = float(one.quantity)
            whole = one.quantity if left >= size * (1 - 1e-9) else amount(instrument, left)
            if whole is None:
                break
            if not cache.order_exists(ClientOrderId(ref)):
                self.gate.send(exits(self.kernel, one, whole, ref))
            left -= float(whole)
            if left <= 0:
                break
        return order.ref

    def now(self) -> int:
        """Return the time in ns."""
        return int(self.kernel.clock.timestamp_ns())

    def waits(self, since: int) -> bool:
        """Say whether a cancel is still to be confirmed, and may yet be."""
        for one in list(self.asked):
            order = self.kernel.cache.order(ClientOrderId(one))
            if order is None or order.is_closed:
                self.asked.discard(one)
        return bool(self.asked) and self.now() - since < PATIENCE


class Walk:
    """The steps of one room on their way; they stand still where they have to wait."""

    def __init__(self, room: Room, run: Run, decision: Decision) -> None:
        self.room, self.decision, self.since = room, decision, room.now()
        self.steps: Generator[Any, Any, Enforced] = run.steps()
        self.begun = False

    def go(self) -> Enforced | None:
        """Go on to the next wait; return the outcome at the end."""
        try:
            call = self.steps.send(None)
            while call.name != "pause":
                try:
                    answer = getattr(self.room, call.name)(*call.args)
                except Exception as error:  # noqa: BLE001 - told in the outcome, and retried
                    call = self.steps.throw(error)
                else:
                    call = self.steps.send(answer)
        except StopIteration as end:
            found: Enforced = end.value
            return found
        return None


class Duties:
    """Carries out the duties of all instruments that were ever named."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.memory = gate, Memory()
        self.walks: dict[tuple[Any, str], Walk] = {}
        self._busy = False
        self._again: set[Any] = set()
        self._told: set[str] = set()  # what was said of a fault, once

    def go_on(self, *instrument_ids: Thing) -> None:
        """Do what can be done now; called after each event, also from within one."""
        self._again.update(instrument_ids)
        if self._busy:
            return
        self._busy = True
        try:
            for _ in range(100):  # an event of an order of ours comes while it is sent
                if not self._again:
                    break
                self._one(self._again.pop())
        finally:
            self._busy = False

    def left(self, fill: Thing) -> None:
        """Take note of a fill of the bot's own: it explains why a position shrank."""
        if str(fill.strategy_id) != "EXTERNAL":
            self.memory.left(self.gate.symbol(fill.instrument_id), float(fill.last_qty))

    def _one(self, instrument_id: Thing) -> None:
        hedge = self.gate.hedge(instrument_id)
        for book in ("long", "short") if hedge else ("",):
            try:
                self._walk(instrument_id, book)
            except Exception as error:  # noqa: BLE001 - the run goes on, and the next event tries anew
                self.walks.pop((instrument_id, book), None)
                self.say(foreign(f"duties: {type(error).__name__}: {error}", 400))

    def _walk(self, instrument_id: Thing, book: str) -> None:
        key, desk = (instrument_id, book), self.gate.desk
        symbol, walk = self.gate.symbol(instrument_id), self.walks.get((instrument_id, book))
        decision = desk.decision
        if walk is not None and walk.decision is not decision:
            walk.steps.close()
            walk = None
            del self.walks[key]
        name = book_key(symbol, book)
        free = decision.state is State.ACTIVE and not self.memory.duties.get(name)
        if free and not self._fails(name):
            self.memory.seen.pop(name, None)
            return
        if walk is None:
            walk = Walk(Room(self.gate, instrument_id, book), self._run(key, symbol), decision)
        elif walk.room.waits(walk.since):
            return
        found = walk.go()
        if found is None:
            self.walks[key] = walk
            return
        self.walks.pop(key, None)
        self._report(found)

    def _fails(self, name: str) -> bool:
        """Say whether the desk cannot be asked: then no entry may rest, whatever it said last."""
        try:
            self.gate.desk.poll(name)
        except Exception:  # noqa: BLE001 - the steps that follow tell it
            return True
        return False

    def _run(self, key: tuple[Any, str], symbol: str) -> Run:
        return Run(
            self.gate.desk,
            symbol,
            self.memory,
            book=key[1],
            instrument=venue_of(self.gate.kernel.cache.instrument(key[0])),
            reads=READS,
            pause=1.0,
        )

    def _report(self, found: Enforced) -> None:
        for order in found.sent:
            self.gate.tell(f"{order.side} {order.quantity:g} {order.symbol}, as the rules ask")
        if found.adl_suspected:
            self.gate.tell(f"{found.symbol} shrank without an order of this bot: ADL?")
        if found.residual is not None:
            said = f"{found.symbol}: {found.residual:g} is left, less than the venue takes"
            self.say(said)
        for failure in found.failures:
            self.say(f"{found.symbol}: {failure}")

    def say(self, text: str) -> None:
        """Write a fault to the log, once."""
        if text not in self._told:
            self._told.add(text)
            with suppress(Exception):
                self.gate.tell(text)
