"""The order of steps on tightening (bots.md section 4), without I/O: a generator of venue calls.

The gate is first, and stands in the desk already. Then: cancel what may enlarge or flip, see it
gone, read again, reduce clamped by the gate to the live position, see it done. "Sent" is never
"done": a duty ends when the position shows it, and is asked for again until then.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.cancels import unwanted
from riskguard.adapters.shared.outcome import (
    Call,
    Duty,
    Enforced,
    Memory,
    Outstanding,
    Seen,
    book_key,
)
from riskguard.adapters.shared.venue import Order, client_id
from riskguard.engine.decision import Decision, State
from riskguard.engine.events import Event
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import RESIDUE, Intent, number, together
from riskguard.errors import foreign
from riskguard.market import SECOND, Instrument

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Action, Pending, Verdict

__all__ = ["Run"]

UNSEEN = 5 * SECOND  # how long an order that was taken may not be seen before it is sent again
LONGEST = 60 * SECOND  # between two attempts
REDUCTIONS = frozenset({"flatten", "reduce_to"})
CANCELS = frozenset({"cancel_all", "cancel_entries"})
PLAIN = Instrument()


class Run:
    """One call of the enforcer for one symbol (in hedge mode for one book of it)."""

    def __init__(
        self,
        desk: Desk,
        symbol: str,
        memory: Memory,
        *,
        book: str = "",
        instrument: Instrument = PLAIN,
        reads: int = 3,
        pause: float = 0.0,
        look: bool = False,
    ) -> None:
        self.desk, self.symbol, self.book, self.memory = desk, symbol, book, memory
        self.key = book_key(symbol, book)
        self.venue, self.reads, self.rest, self.look = instrument, reads, pause, look
        self.found = Enforced(symbol)
        self.now = 0
        self.position: float | None = None
        self.pending: Sequence[Pending] | None = None
        self.actions: list[Action] = []
        self.decision = self._shut()
        self.broken = False  # the desk has failed: nothing enters, and nobody knows what is due
        self.stuck: set[str] = set()  # asked to be cancelled, and still there
        self.duties = memory.duties.setdefault(self.key, {})

    def steps(self) -> Generator[Call, Any, Enforced]:
        """Yield calls of the venue, be sent their answers, return what was done; never raises."""
        ok, now = yield from self._ask("now")
        self.now = now if ok else 0
        self._hear()
        if self._free():
            self.memory.seen.pop(self.key, None)
        if self.look or not self._free():
            yield from self._read(first=True)
            if wanted := self._unwanted():
                yield from self._cancel(wanted)
            if self.pending is not None and self.position is not None:
                yield from self._reduce()
            if self.found.sent and (wanted := self._unwanted()):  # too large for what is left
                yield from self._cancel(wanted)
        self._end()
        return self.found

    def _free(self) -> bool:
        """Say whether nothing limits: the bot then trades, and asks and tells nobody."""
        return self.decision.state is State.ACTIVE and not self.actions

    # ------------------------------------------------------------ the venue

    def _ask(self, name: str, *args: Any) -> Generator[Call, Any, tuple[bool, Any]]:  # noqa: ANN401 - as the primitive wants them
        """Call a primitive; return whether it worked, and what it returned."""
        try:
            return True, (yield Call(name, args))
        except Exception as error:  # noqa: BLE001 - whatever a venue raises is told, and retried
            self._failed(name, error)
            return False, None

    def _failed(self, what: str, error: Exception) -> None:
        self.found.failures.append(foreign(f"{what}: {type(error).__name__}: {error}", 400))

    def _read(self, *, first: bool = False) -> Generator[Call, Any, None]:
        """Read orders, then the position: an order that is gone may have filled."""
        ok, orders = yield from self._ask("pending", self.symbol)
        held, position = yield from self._ask("position", self.symbol)
        self.pending = self.position = None
        if ok:
            mine = [one for one in orders if not self.book or one.book in ("", self.book)]
            wrong = [one for one in mine if not number(one.remaining) >= 0]
            if wrong:
                self._failed("pending", ValueError(f"{wrong[0].remaining!r} is no size"))
            else:
                self.pending = mine
        if held and math.isnan(number(position)):
            self._failed("position", ValueError(f"{position!r} is no position"))
        elif held:
            self.position = size = number(position)
            if self.book:
                self.position = abs(size) if self.book == "long" else -abs(size)
            self._see(self.position, first=first)
            self._tell(self.position)

    def _see(self, position: float, *, first: bool) -> None:
        """Compare with what was read last: a position shrinks by somebody's order."""
        self.found.position = position
        seen = self.memory.seen.get(self.key)
        if first and seen is not None:
            still = max(0.0, math.copysign(1.0, seen.position) * position)
            noise = max(RESIDUE * abs(seen.position), self.venue.step / 2)
            self.found.adl_suspected = abs(seen.position) - still > seen.leaving + noise
        leaving = together([one for one in self.pending or () if one.side == _against(position)])
        self.memory.seen[self.key] = Seen(position, leaving)

    def _tell(self, position: float) -> None:
        """Tell the desk what is held: a late fill over the limit begins a new tightening."""
        if self.memory.told.get(self.key) == (self.now, position):
            return
        self.memory.told[self.key] = self.now, position
        coins = position * self.venue.contract_size
        try:
            self.desk.take(Event(self.now, "account", self.key, {"position": coins}))
        except Exception as error:  # noqa: BLE001 - a broken guard hears nothing, and its duties wait
            self._failed("desk", error)
        self._hear()

    def _hear(self) -> None:
        """Take the decision in force and what it wants done."""
        try:
            self.decision, self.actions = self.desk.decision, self.desk.poll(self.key)
            self.broken = False
        except Exception as error:  # noqa: BLE001 - a broken guard asks for nothing: no entry rests
            self._failed("desk", error)
            self.decision, self.actions, self.broken = self._shut(), [], True
        for one in self.actions:
            self.duties.setdefault(one.id, Duty(self.now, one.kind))

    def _shut(self) -> Decision:
        """Return what stands for a decision that nobody can tell: entries no, exits yes."""
        return Decision(self.now, self.symbol, state=State.REDUCING, block_entries="both")

    # ------------------------------------------------------------ cancel

    def _unwanted(self) -> list[str] | None:
        """Name the resting orders that have to go, ours not among them; None: nobody knows."""
        position, seen = self.position, self.memory.seen.get(self.key)
        if position is None and seen is not None:  # it tells an entry from an exit
            position = seen.position
        if self.pending is None or position is None:
            return None
        kinds = {action.kind for action in self.actions}
        return unwanted(
            self._flown(self.memory.own), position, self.decision, kinds, book=self.book
        )

    def _flown(self, ids: set[str]) -> list[Pending]:
        """Return the open orders, some of them as in flight: they cannot be relied on to go."""
        orders = self.pending or ()
        return [replace(one, resting=False) if one.id in ids else one for one in orders]

    def _cancel(self, wanted: Sequence[str]) -> Generator[Call, Any, None]:
        """Ask for orders to be cancelled and read until they are gone; what stays is stuck."""
        for one in wanted:
            yield from self._ask("cancel", self.symbol, one)
        left = set(wanted)
        for turn in range(self.reads):
            if turn and self.rest:
                yield Call("pause", (self.rest,))
            yield from self._read()
            if self.pending is not None:
                left &= {one.id for one in self.pending}
                if not left:
                    break
        self.stuck |= left
        self.found.cancelled += [one for one in wanted if one not in left]

    # ------------------------------------------------------------ reduce

    def _reduce(self) -> Generator[Call, Any, None]:
        """Send what is missing to the strictest target, and see it done."""
        wanted = [one for one in self.actions if one.kind in REDUCTIONS]
        for one in wanted:
            self.duties[one.id].target = self._target(one, self.duties[one.id])
        if not wanted:
            return
        action = min(wanted, key=lambda one: self.duties[one.id].target or 0.0)
        duty = self.duties[action.id]
        excess = self._excess(duty.target)
        if not excess or self.now < duty.due:
            return
        if excess < self.venue.min_quantity * (1 - RESIDUE) and (duty.tried or duty.target):
            if not self._leaving():
                self.found.residual = excess
            return
        yield from self._send(action, duty)
        for turn in range(self.reads if self.found.sent else 0):
            if turn and self.rest:
                yield Call("pause", (self.rest,))
            yield from self._read()
            if self.position is not None and not self._excess(duty.target):
                break

    def _target(self, action: Action, duty: Duty) -> float:
        """Return how much may be kept, in units."""
        if action.kind == "flatten":
            return 0.0
        ceiling = number(action.data.get("ceiling"))
        if ceiling >= 0:
            return ceiling
        if duty.target is None:  # of the position as it was first seen, or it is halved twice
            return action.fraction * abs(self.position or 0.0)
        return duty.target

    def _excess(self, target: float | None) -> float:
        """Return how much more is held than may be, noise aside."""
        held = abs(self.position or 0.0)
        excess = held - (target or 0.0)
        return excess if excess > RESIDUE * held else 0.0

    def _send(self, action: Action, duty: Duty) -> Generator[Call, Any, None]:
        """Send what is missing, less what is on its way; what is in its way is cancelled first."""
        for last in (False, True):
            quantity = self._quantity(duty.target)
            if not quantity:
                return
            verdict = self._asked(quantity, client_id(action.id, duty.attempt))
            resting = {one.id for one in self.pending or () if one.resting} - self.stuck
            first = [one for one in verdict.cancel_first if one in resting]
            if first and last:
                return
            if not first:
                break
            yield from self._cancel(first)
            if self.position is None or self.pending is None or action not in self.actions:
                return  # what it was asked for is not so any more
        if verdict.quantity > 0:
            yield from self._submit(action, duty, verdict.quantity)

    def _quantity(self, target: float | None) -> float:
        """Return what to send: rounded up, so that what stays is not above the target."""
        held = abs(self.position or 0.0)
        missing = self._excess(target) - self._leaving()
        if missing <= RESIDUE * held:
            return 0.0
        step = self.venue.step
        return min(held, math.ceil(missing / step - 1e-9) * step if step > 0 else missing)

    def _leaving(self) -> float:
        """Return what is on its way out already."""
        closing = _against(self.position or 0.0)
        flown = self._flown(self.stuck | self.memory.own)
        return together([one for one in flown if one.side == closing and not one.resting])

    def _asked(self, quantity: float, ref: str) -> Verdict:
        """Ask the gate: whatever is wanted, it grants no more than the live position."""
        position = self.position or 0.0
        pending = tuple(self._flown(self.stuck | self.memory.own))
        intent = Intent(
            self.now, self.symbol, _against(position), quantity, position, pending,
            reduce_only=True, close=quantity >= abs(position), ref=ref, book=self.book,
        )  # fmt: skip
        try:
            return self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - exits pass whatever fails
            self._failed("desk", error)
            return exit_alone(intent, error, step=self.venue.step)

    def _submit(self, action: Action, duty: Duty, granted: float) -> Generator[Call, Any, None]:
        position = self.position or 0.0
        quantity = min(granted, abs(position))
        order = Order(
            self.symbol, _against(position), quantity, close=quantity >= abs(position),
            ref=client_id(action.id, duty.attempt), book=self.book,
        )  # fmt: skip
        ok, answer = yield from self._ask("submit", order)
        duty.tried += 1
        wait = min(LONGEST, SECOND << min(duty.tried - 1, 6))
        self.memory.seen[self.key].leaving += quantity  # also where the answer was lost
        if ok:
            self.found.sent.append(order)
            duty.attempt, duty.raised = duty.attempt + 1, 0
            duty.due = self.now + max(wait, UNSEEN)
            if isinstance(answer, str) and answer:
                self.memory.own.add(answer)
            return
        duty.raised, duty.due = duty.raised + 1, self.now + wait
        if duty.raised > 1:  # refused, not lost: that id may be spent
            duty.attempt, duty.raised = duty.attempt + 1, 0

    # ------------------------------------------------------------ what is done

    def _end(self) -> None:
        """Tell the desk what is seen done, list what is not, and forget what is asked no more."""
        asked = {one.id for one in self.actions}
        cleared = self._unwanted() == []
        finished = []
        for name, duty in self.duties.items():
            if duty.kind in CANCELS:
                met = cleared and name in asked
            else:
                met = duty.target is not None and self.position is not None and not self.broken
                met = met and (not self._excess(duty.target) or self.found.residual is not None)
            if met:
                finished.append(name)
        if finished:
            try:
                self.desk.done(*finished)
                self.found.done = finished
            except Exception as error:  # noqa: BLE001 - it stays, and is asked for again
                self._failed("desk", error)
                finished = []
        for name in list(self.duties):
            if name in finished or (name not in asked and not self.broken):
                del self.duties[name]
        self.found.open = [
            Outstanding(name, max(0, self.now - duty.since), duty.tried)
            for name, duty in self.duties.items()
        ]
        if not self.duties:
            self.memory.own.clear()
        if self._free():
            self.memory.seen.pop(self.key, None)


def _against(position: float) -> str:
    """Return the side that closes a position."""
    return "sell" if position > 0 else "buy"
