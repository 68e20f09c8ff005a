"""Orders of BackBroker: which are open, how one is cancelled, cut, or counted as pending."""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.orders import RESIDUE, Pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.decision import Decision

__all__ = [
    "AT_ONCE",
    "LIMIT",
    "STOP",
    "STOPS",
    "Book",
    "Stop",
    "amend",
    "arrange",
    "distance",
    "drop",
    "fit",
    "gapped",
    "held",
    "leaving",
    "live",
    "pending",
    "waiting",
]

Broker = Any  # Backtrader is untyped
Feed = Any
Order = Any
Strategy = Any

AT_ONCE = frozenset({0, 1, 7})  # Market, Close, Historical: cannot be relied on to be cancelled
CLOSE, LIMIT, STOP = 1, 2, 3  # of backtrader.Order
STOPS = frozenset({3, 4, 5, 6})  # Stop, StopLimit, StopTrail, StopTrailLimit


def held(broker: Broker, data: Feed) -> float:
    """Return a position without touching it: value is summed in the order of first touch."""
    position = broker.positions.get(data)
    return float(position.size) if position else 0.0


def drop(broker: Broker, order: Order) -> None:
    """Cancel an order wherever it waits, also one submitted on this bar or parked."""
    if broker.cancel(order) or not order.alive():
        return
    if order in broker.submitted:
        broker.submitted.remove(order)
    order.cancel()
    broker.notify(order)
    broker._ococheck(order)
    broker._bracketize(order, cancel=True)


def amend(order: Order, quantity: float) -> None:
    """Change what is left of an order; price, type, validity and group stay."""
    left = math.copysign(quantity, order.executed.remsize)
    order.size = order.created.size = order.executed.size + left
    order.created.remsize = order.executed.remsize = left


def distance(order: Order, start: float) -> float:
    """Return how far from the open `start` an order fills; at once is 0, at the close infinite."""
    if order.exectype == CLOSE:
        return math.inf
    if order.exectype in AT_ONCE or (order.exectype in {STOP, LIMIT} and gapped(order, start)):
        return 0.0
    return float(abs(order.created.price - start))


def gapped(order: Order, start: float) -> bool:
    """Say whether a stop or a limit fills at the open `start`."""
    price = order.created.price
    rising = order.isbuy() == (order.exectype == STOP)
    return bool(start >= price if rising else start <= price)


def arrange(broker: Broker, data: Feed) -> None:
    """Put pending orders of a feed into the order in which its bar fills them.

    BackBroker takes them by age: an old stop before a market order that fills at the open.
    """
    start = data.open[0]
    mine = sorted(
        (order for order in broker.pending if order.data is data),
        key=lambda order: distance(order, start),
    )
    rest = [order for order in broker.pending if order.data is not data]
    broker.pending.clear()
    broker.pending.extend([*rest, *mine])


class Stop(NamedTuple):
    """The guard's own stop, and the decision that set its distance."""

    order: Order
    decision: Decision


class Book:
    """What the guard keeps of one feed: its own orders, whom to notify.

    `key` names its episode: the symbol, or more where two feeds are of one symbol.
    """

    def __init__(self, data: Feed, symbol: str, key: str) -> None:
        self.data, self.symbol, self.key = data, symbol, key
        self.owner: Strategy = None
        self.own: list[Order] = []  # reductions on their way
        self.stop: Stop | None = None
        self.entries: set[int] = set()  # refs granted as entries in this episode
        self.parents: dict[int, bool] = {}  # ref -> is an entry
        self.parked: dict[int, tuple[Order, object]] = {}  # sent with transmit=False, when
        self.cleared = 0  # the tightening whose resting entries are gone

    def leaving(self) -> float:
        """Return how much of the position is already on its way out by the guard's orders."""
        self.own = [order for order in self.own if order.alive()]
        return math.fsum(abs(order.executed.remsize) for order in self.own)

    def forget(self) -> None:
        """Drop what belongs to an episode."""
        self.entries.clear()
        self.parents.clear()
        self.cleared = 0


def waiting(broker: Broker, book: Book) -> Iterator[Order]:
    """Yield the open orders of a feed, oldest first: accepted, submitted, parked parents."""
    parked = [order for order, _ in book.parked.values()]
    for order in chain(list(broker.pending), list(broker.submitted), parked):
        if order is not None and order.data is book.data and order.alive():
            yield order


def leaving(broker: Broker, book: Book, order: Order) -> float:
    """Return how much fills at once on the side of `order`, besides itself."""
    return math.fsum(
        abs(other.executed.remsize)
        for other in waiting(broker, book)
        if other.exectype in AT_ONCE and other.isbuy() == order.isbuy() and other.ref != order.ref
    )


def live(order: Order) -> bool:
    """Say whether an order can fill: a child cannot before its parent has."""
    return bool(order.parent is None or order.active() or order.parent.status == order.Completed)


def pending(broker: Broker, book: Book, skip: Order) -> tuple[Pending, ...]:
    """Return what the gate must count, without `skip` and its children, oldest first.

    The guard's own stop is left out: it can never take more than the position.
    """
    own = book.stop.order.ref if book.stop else -1
    return tuple(
        Pending(
            str(order.ref),
            "buy" if order.isbuy() else "sell",
            abs(order.executed.remsize),
            order.exectype not in AT_ONCE,
            group=_group(broker, order),
            ts=order.ref,
        )
        for order in waiting(broker, book)
        if live(order) and order.ref not in {own, skip.ref}
    )


def _group(broker: Broker, order: Order) -> str:
    if order.parent is not None:
        return f"bracket {order.parent.ref}"
    leader = broker._ocos.get(order.ref, order.ref)
    return f"oco {leader}" if len(broker._ocol.get(leader, ())) > 1 else ""


def _exits(broker: Broker, book: Book, position: float) -> list[tuple[Order, str]]:
    """Return resting orders against a position with their groups, the best to keep first.

    Stops come before limits, the nearer to the price before the farther.
    """
    own = book.stop.order.ref if book.stop else -1
    close = book.data.close[0]
    found = [
        (order, _group(broker, order))
        for order in waiting(broker, book)
        if live(order)
        and order.exectype not in AT_ONCE
        and order.executed.remsize * position < 0
        and order.ref != own
        and order.ref not in book.entries
    ]

    def rank(item: tuple[Order, str]) -> tuple[bool, float]:
        return item[0].exectype not in STOPS, abs(item[0].created.price - close)

    return sorted(found, key=rank)


def fit(broker: Broker, book: Book, position: float, room: float, share: float) -> None:
    """Cut resting exits to `share` of their size; what exceeds `room` units in sum goes."""
    groups: dict[str, float] = {}
    for order, group in _exits(broker, book, position):
        left = abs(order.executed.remsize)
        size = left * share
        taken = groups.get(group, 0.0) if group else 0.0
        size = min(size, room + taken)
        if size <= RESIDUE * left:
            drop(broker, order)
            continue
        if left - size > RESIDUE * left:
            amend(order, size)
            broker.notify(order)
        room -= max(0.0, size - taken)
        if group:
            groups[group] = max(taken, size)
