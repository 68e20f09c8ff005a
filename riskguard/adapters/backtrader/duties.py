"""What a guard does unasked in Backtrader: cancel, then reduce, then protect what stays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskguard.adapters.backtrader.orders import STOP, Stop, amend, drop, fit, held, live, waiting
from riskguard.engine.decision import State
from riskguard.engine.orders import RESIDUE

if TYPE_CHECKING:
    from riskguard.adapters.backtrader.orders import Book

__all__ = ["enforce", "may_fill", "release", "strays"]

Broker = Any  # a GuardMixin; Backtrader is untyped
Order = Any
SIDES = {"long": (1,), "short": (-1,), "both": (1, -1), "none": ()}


def enforce(broker: Broker, book: Book) -> None:
    """Bring one feed to what the decision in force asks for; what is done is not done again."""
    if not len(book.data):  # no bar yet: no price and no position
        return
    position = held(broker, book.data)
    episode, decision = broker.episodes.of(book.key), broker.decision
    kinds = {action.kind for action in broker.episodes.duties(book.key)}
    if "flatten" in kinds or decision.state is State.HALTED:  # flat, it must not become more
        _flatten(broker, book, position)
        return
    if book.cleared != episode.tightening:
        book.cleared = episode.tightening
        _cancel_entries(broker, book, position, everything="cancel_all" in kinds)
    ceiling = episode.ceiling(decision)
    room = abs(position) - book.leaving()
    if room - ceiling > RESIDUE * abs(position):
        fit(broker, book, position, ceiling, ceiling / abs(position))
        _reduce(broker, book, position, room - ceiling)
        room = ceiling
    elif ceiling < math.inf or decision.state >= State.REDUCING:
        fit(broker, book, position, room, 1.0)
        strays(broker, book)
    _protect(broker, book, position, room)


def release(broker: Broker, book: Book) -> None:
    """Take back what stands of the guard's own orders: nothing limits any more."""
    for order in book.own:
        if order.alive():
            drop(broker, order)
    if book.stop is not None:
        drop(broker, book.stop.order)
    book.own, book.stop = [], None
    book.forget()


def may_fill(broker: Broker, order: Order) -> bool:
    """Say whether the guard's own stop may be tried: it can only take what is held."""
    position, left = held(broker, order.data), order.executed.remsize
    if left * position >= 0:
        order.cancel()
        broker.notify(order)
        return False
    if abs(left) > abs(position):
        amend(order, abs(position))
    return True


def strays(broker: Broker, book: Book) -> None:
    """Cancel, when flat, what was meant to leave a position that is gone."""
    if held(broker, book.data):
        return
    for order in list(waiting(broker, book)):
        if order.ref not in book.entries and live(order):
            drop(broker, order)
            book.parked.pop(order.ref, None)


def _flatten(broker: Broker, book: Book, position: float) -> None:
    """Cancel every open order, or a stop outlives the position and opens another."""
    book.stop = None
    left = abs(position) - book.leaving()
    mine = {order.ref for order in book.own}
    for order in list(waiting(broker, book)):
        if order.ref not in mine:
            drop(broker, order)
    book.parked.clear()
    if left > RESIDUE * abs(position):
        _reduce(broker, book, position, left)


def _reduce(broker: Broker, book: Book, position: float, quantity: float) -> None:
    step = broker.instrument(book.symbol).step
    if step > 0:  # up: what stays must not exceed the ceiling
        quantity = min(abs(position), math.ceil(quantity / step - RESIDUE) * step)
    book.own.append(broker.place(book, -math.copysign(quantity, position)))


def _cancel_entries(broker: Broker, book: Book, position: float, *, everything: bool) -> None:
    decision = broker.decision
    both = (
        decision.exposure_cap < 1
        or decision.state >= State.REDUCING
        or decision.cancel_orders == "entries"
    )
    blocked = SIDES["both" if both else decision.block_entries]
    keep = {order.ref for order in book.own}
    if book.stop:
        keep.add(book.stop.order.ref)
    for order in list(waiting(broker, book)):
        side = 1 if order.isbuy() else -1
        # a child leaves what its parent entered, or goes with it; what has left already enters
        entry = side in blocked and position * side >= 0 and live(order)
        if order.ref not in keep and (everything or entry):
            drop(broker, order)
            book.parked.pop(order.ref, None)


def _protect(broker: Broker, book: Book, position: float, room: float) -> None:
    distance, stop = broker.decision.stop, book.stop
    if stop and (not stop.order.alive() or stop.order.executed.remsize * position >= 0):
        drop(broker, stop.order)
        stop = book.stop = None
    if distance is None or room <= RESIDUE * abs(position):
        if stop:
            drop(broker, stop.order)
        book.stop = None
        return
    side = 1 if position > 0 else -1
    if book.data is not broker.pilot:  # the distance is in prices of the guarded symbol
        distance *= book.data.close[0] / broker.pilot.close[0]
    price = book.data.close[0] - side * distance
    if stop is None:
        order = broker.place(book, -side * room, exectype=STOP, price=price)
        book.stop = Stop(order, broker.decision)
        return
    if stop.decision is not broker.decision:  # tighter, never looser
        stop.order.created.price = side * max(side * price, side * stop.order.created.price)
        book.stop = Stop(stop.order, broker.decision)
    if abs(stop.order.executed.remsize) != room:
        amend(stop.order, room)
