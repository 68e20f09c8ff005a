"""The gate in Nautilus: it stands before the risk engine, and before what goes past that.

Orders of strategies and of execution algorithms come by the risk engine; an emulated order, once
it is triggered, goes straight to execution. Both doors are watched, each order is judged once.
Imported only where nautilus_trader is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from nautilus_trader.execution.messages import (
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
)
from nautilus_trader.model.identifiers import ClientOrderId

from riskguard.adapters.nautilus.orders import (
    SIDES,
    amount,
    book_of,
    cancel,
    changed,
    deny,
    hedged,
    idle,
    net,
    refuse,
    resize,
    single,
    told,
    waits,
)
from riskguard.engine.decision import State
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import RESIDUE, Intent
from riskguard.errors import foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from riskguard.adapters.nautilus.facts import Names
    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Pending, Verdict

__all__ = ["LASTS", "PATIENCE", "Gate"]

Thing = Any  # an object of Nautilus, which is untyped
Order = Any
Command = Any
Kernel = Any
JUDGED = (SubmitOrder, SubmitOrderList, ModifyOrder)
RISK, EXECUTION = "RiskEngine.execute", "ExecEngine.execute"
PATIENCE = 5_000_000_000  # how long (ns) an exit waits for the cancels before it
LEAVES = frozenset({"reduce", "close"})
LASTS = "reset"  # a fault that stays


class Parked(NamedTuple):
    """An exit that waits until the cancels before it are confirmed."""

    command: Command
    cancels: frozenset[str]
    since: int


class Answer(NamedTuple):
    """What became of an order that was judged."""

    passes: bool
    leaves: bool = False  # it only makes a position smaller


class Gate:
    """Judges every order of one kernel once `install` has put it before the engines."""

    def __init__(self, desk: Desk, kernel: Kernel, symbol: Names) -> None:
        self.desk, self.kernel, self.symbol = desk, kernel, symbol
        self.faults: dict[str, Exception] = {}  # what fails, by what it was told: nothing enters
        self.prices: dict[Any, float] = {}  # by instrument
        self.parked: dict[Any, Parked] = {}  # by client order id
        self.before: Callable[[], None] = lambda: None  # called before an order passes
        self.log: Thing = None
        self.installed = False
        self._passing: Command = None
        self._hedge: dict[Any, bool] = {}  # by venue

    # ------------------------------------------------------------ doors

    def install(self) -> None:
        """Stand before the risk engine and before execution."""
        for endpoint, theirs, ours in self._doors():
            self.kernel.msgbus.deregister(endpoint, theirs)
            self.kernel.msgbus.register(endpoint, ours)
        self.installed = True

    def remove(self) -> None:
        """Give the doors back."""
        for endpoint, theirs, ours in self._doors():
            self.kernel.msgbus.deregister(endpoint, ours)
            self.kernel.msgbus.register(endpoint, theirs)
        self.installed = False

    def _doors(self) -> tuple[tuple[str, Any, Any], ...]:
        kernel = self.kernel
        return (
            (RISK, kernel.risk_engine.execute, self.on_risk),
            (EXECUTION, kernel.exec_engine.execute, self.on_execution),
        )

    def on_risk(self, command: Command) -> None:
        """Judge what is sent to the risk engine, and hand on what passes."""
        for one in self.judged(command):
            self.send(one)

    def on_execution(self, command: Command) -> None:
        """Judge what has not come by the risk engine; cancels and queries pass."""
        execute = self.kernel.exec_engine.execute
        if isinstance(command, CancelOrder) and self._unpark(command.client_order_id):
            return
        if command is self._passing or not isinstance(command, JUDGED):
            execute(command)
            return
        for one in self.judged(command):
            execute(one)

    def send(self, command: Command) -> None:
        """Let a judged command into the risk engine, and what it makes of it to execution."""
        self.before()
        outer, self._passing = self._passing, command
        try:
            self.kernel.risk_engine.execute(command)
        finally:
            self._passing = outer

    def tell(self, text: str) -> None:
        """Write a warning to the log of the framework."""
        if self.log is not None:
            said = f"riskguard: {text}"
            self.log.warning(said)

    # ------------------------------------------------------------ commands

    def judged(self, command: Command) -> list[Command]:
        """Return what may pass of a command; what is refused is told to its strategy."""
        try:
            if isinstance(command, SubmitOrder):
                return [command] if self.admit(command.order, command).passes else []
            if isinstance(command, SubmitOrderList):
                return list(self._of_list(command))
            if isinstance(command, ModifyOrder):
                return list(self._of_change(command))
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            return self._failed(command, error)
        return [command]

    def _failed(self, command: Command, error: Exception) -> list[Command]:
        """Let pass, of a command that cannot be judged, an order that says it only reduces."""
        said = foreign(f"the gate failed, nothing enters: {type(error).__name__}: {error}", 400)
        self.faults["gate"] = error
        self.tell(said)
        if isinstance(command, ModifyOrder):
            order = self.kernel.cache.order(command.client_order_id)
            if order is not None and not order.is_reduce_only:
                refuse(self.kernel, order, f"riskguard: {said}")
                return []
            return [command]
        if isinstance(command, SubmitOrder) and command.order.is_reduce_only:
            return [command]
        orders = command.order_list.orders if isinstance(command, SubmitOrderList) else ()
        for order in orders or (command.order,):
            if not order.is_closed:
                deny(self.kernel, order, f"riskguard: {said}")
        return []

    def admit(
        self, order: Order, command: Command, beside: Sequence[Pending] = (), *, late: bool = False
    ) -> Answer:
        """Judge one order: it is cut to what is granted, refused, or parked behind cancels.

        `beside` was granted just now and is not on its way yet; `late` waits for no cancel.
        """
        asked = self._units(order)
        verdict = self.verdict(order, asked, command.position_id, beside)
        if not self._cut(order, verdict, asked):
            return Answer(passes=False)
        leaves = verdict.effect in LEAVES
        for one in verdict.cancel_first:
            cancel(self.kernel, one)
        still = self._unconfirmed(verdict.cancel_first)
        if still and not late:
            now = self.kernel.clock.timestamp_ns()
            self.parked[order.client_order_id] = Parked(command, still, now)
            return Answer(passes=False, leaves=leaves)
        return Answer(passes=True, leaves=leaves)

    def _cut(self, order: Order, verdict: Verdict, asked: float) -> bool:
        """Make an order what was granted; say whether anything is left of it."""
        granted, whole = verdict.quantity, None
        if granted >= asked * (1 - RESIDUE):
            return True
        reason = _said(verdict)
        if granted > 0:
            instrument = self.kernel.cache.instrument(order.instrument_id)
            # the share is of all that was asked, also of an order sized in the quote coin
            whole = amount(instrument, float(order.leaves_qty) * granted / asked)
        if whole is None:
            deny(self.kernel, order, reason)
            return False
        self.tell(f"{order.client_order_id} cut to {whole}: {reason}")
        resize(self.kernel, order, whole)
        return True

    def _of_list(self, command: Command) -> Iterator[Command]:
        """Yield what may pass of an order list: all of it as it is, or what is left singly.

        A child that leaves what its parent enters is not judged: it goes with the parent, and
        is no larger. Of orders that hang together and do not pass as they are only exits pass.
        """
        orders = command.order_list.orders
        mates = {order.client_order_id: order for order in orders}
        answers: dict[Any, Answer] = {}
        beside: list[Pending] = []
        for order in orders:
            parent = mates.get(order.parent_order_id)
            if parent is not None and order.side != parent.side:
                passes = answers[parent.client_order_id].passes and self._fits(order, parent)
                answers[order.client_order_id] = Answer(passes)
                continue
            answer = self.admit(order, single(self.kernel, order, command), beside)
            answers[order.client_order_id] = answer
            if answer.passes:
                beside.append(replace(told(self.kernel, order), resting=False))
        if all(answer.passes for answer in answers.values()):
            yield command
            return
        related = any(order.parent_order_id in mates for order in orders)
        for order in orders:
            answer = answers[order.client_order_id]
            if answer.passes and (answer.leaves or not related):
                yield single(self.kernel, order, command)
            elif not order.is_closed and order.client_order_id not in self.parked:
                deny(self.kernel, order, "riskguard: what it hangs on does not pass")

    def _fits(self, child: Order, parent: Order) -> bool:
        if child.quantity > parent.quantity:
            resize(self.kernel, child, parent.quantity)
        return True

    def _of_change(self, command: Command) -> Iterator[Command]:
        """Yield the change of an order, cut to what is granted; one that only shrinks passes."""
        order = self.kernel.cache.order(command.client_order_id)
        if order is None or order.is_closed:
            yield command
            return
        filled = float(order.filled_qty)
        asked = float(command.quantity or order.quantity) - filled
        moves = command.price is not None or command.trigger_price is not None
        shrinks = asked <= float(order.leaves_qty)
        if asked <= 0 or (shrinks and (not moves or idle(self.kernel, order))):
            yield command
            return
        verdict = self.verdict(order, asked, None)
        whole = None
        if verdict.quantity >= asked * (1 - RESIDUE):
            whole = command.quantity or order.quantity
        elif verdict.quantity > 0:
            instrument = self.kernel.cache.instrument(order.instrument_id)
            whole = amount(instrument, filled + verdict.quantity)
        if whole is None:
            refuse(self.kernel, order, _said(verdict))
            return
        for one in verdict.cancel_first:
            cancel(self.kernel, one)
        same = whole == (command.quantity or order.quantity)
        yield command if same else changed(self.kernel, command, whole)

    # ------------------------------------------------------------ judging

    def verdict(
        self,
        order: Order,
        asked: float,
        position_id: Thing,
        beside: Sequence[Pending] = (),
    ) -> Verdict:
        """Return the answer to an order; a guard that fails lets the exit pass and nothing else."""
        intent = self._intent(order, asked, position_id, beside)
        try:
            for fault in self.faults.values():
                return exit_alone(intent, fault)
            return self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            return exit_alone(intent, error)

    def _intent(
        self,
        order: Order,
        asked: float,
        position_id: Thing,
        beside: Sequence[Pending],
    ) -> Intent:
        instrument_id, kernel = order.instrument_id, self.kernel
        hedge = self.hedge(instrument_id)
        book = book_of(kernel, order, position_id) if hedge else ""
        own = {order.client_order_id, *(order.linked_order_ids or ())}
        found = [*waits(kernel, instrument_id, hedge=hedge, but=own)]
        found += self._behind(instrument_id, hedge=hedge)
        found += beside
        names = set(map(str, own))
        return Intent(
            kernel.clock.timestamp_ns(),
            self.symbol(instrument_id),
            SIDES[order.side][0],
            asked,
            net(kernel, instrument_id, book),
            tuple(one for one in found if one.id not in names),
            price=self.prices.get(instrument_id),
            reduce_only=order.is_reduce_only,
            ref=str(order.client_order_id),
            book=book,
        )

    def hedge(self, instrument_id: Thing) -> bool:
        """Say whether the venue of an instrument keeps a long and a short position."""
        found = self._hedge.get(instrument_id.venue)
        if found is None:
            found = self._hedge[instrument_id.venue] = hedged(self.kernel, instrument_id.venue)
        return found

    def forgive(self) -> None:
        """Forget what failed: the guard is about to be told of a new bar."""
        self.faults = {name: fault for name, fault in self.faults.items() if name == LASTS}

    def state(self) -> State:
        """Return how strict the decision in force is; a guard that fails lets nothing enter."""
        try:
            state = self.desk.decision.state
        except Exception:  # noqa: BLE001 - as above
            return State.REDUCING
        return max(state, State.REDUCING) if self.faults else state

    def _behind(self, instrument_id: Thing, *, hedge: bool) -> Iterator[Pending]:
        """Yield the exits that wait for cancels: as good as sent."""
        for one in self.parked.values():
            if one.command.order.instrument_id == instrument_id:
                yield replace(told(self.kernel, one.command.order, hedge=hedge), resting=False)

    def _units(self, order: Order) -> float:
        """Return what is asked in the unit of positions; some orders are sized in quote coins."""
        asked = float(order.leaves_qty)
        if not order.is_quote_quantity:
            return asked
        price = float(order.price) if order.has_price else self.prices.get(order.instrument_id)
        instrument = self.kernel.cache.instrument(order.instrument_id)
        return asked / (price * float(instrument.multiplier)) if price else math.nan

    # ------------------------------------------------------------ behind cancels

    def release(self) -> None:
        """Judge again, and send, the exits whose cancels are confirmed or have taken too long."""
        now = self.kernel.clock.timestamp_ns()
        for key, one in list(self.parked.items()):
            late = now - one.since >= PATIENCE
            if key not in self.parked or (self._unconfirmed(one.cancels) and not late):
                continue
            del self.parked[key]
            if late:
                self.tell(f"{key} goes out, though cancels before it are not confirmed")
            if self.admit(one.command.order, one.command, late=late).passes:
                self.send(one.command)

    def _unconfirmed(self, ids: Sequence[str] | frozenset[str]) -> frozenset[str]:
        orders = ((one, self.kernel.cache.order(ClientOrderId(one))) for one in ids)
        return frozenset(one for one, order in orders if order is not None and not order.is_closed)

    def _unpark(self, client_order_id: Thing) -> bool:
        """Drop an exit that its strategy takes back before it went out; say if there was one."""
        one = self.parked.pop(client_order_id, None)
        if one is not None:
            deny(self.kernel, one.command.order, "riskguard: taken back before it went out")
        return one is not None


def _said(verdict: Verdict) -> str:
    """Return why less was granted than asked, as a strategy is told."""
    said = "; ".join(one.text for one in verdict.reasons)
    return f"riskguard: {said or 'less than the venue takes'}"
