"""Orders as the gate judges them: what a bot asks, what is open, and what the answer holds.

Quantities are in the order unit of the instrument (coins or contracts) and never negative; a
position is signed. In hedge mode an order names its `book`, long or short, and stands on the
position of that book: there a buy of the short book only closes, it never opens the other side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.decision import State

__all__ = [
    "LARGEST",
    "RESIDUE",
    "Absurd",
    "Action",
    "Intent",
    "Pending",
    "Reason",
    "Stand",
    "Verdict",
    "made",
    "number",
    "read",
    "together",
]

# a residue of float arithmetic, relative to the numbers it came from: not a quantity
RESIDUE = 1e-12
LARGEST = 1e300  # beyond it sums are not finite: no quantity
SIDES = ("buy", "sell")
made = tuple.__new__  # of one that is made for every order: half the time of its own call


@dataclass(frozen=True, slots=True)
class Pending:
    """An order of the bot that is not finished."""

    id: str
    side: str  # buy | sell
    remaining: float
    resting: bool  # False: in flight, cannot be relied on to cancel
    reduce_only: bool = False  # held to it by the venue
    group: str = ""  # OCO or bracket
    ts: int = 0  # when it was sent: the newest is cancelled first; equal: the greater id
    book: str = ""  # hedge mode: long | short; "" counts for both


@dataclass(frozen=True, slots=True)
class Intent:
    """An order a bot wants to send, with what it stands on.

    In hedge mode `book` is "long" or "short", and `position` the size of that book, signed or
    not; `pending` may hold the orders of both books. With one net position `book` is "".
    """

    ts: int
    symbol: str
    side: str  # buy | sell
    quantity: float
    position: float  # signed
    pending: tuple[Pending, ...] = ()
    price: float | None = None  # of one coin
    leverage: float = 1.0
    reduce_only: bool = False
    close: bool = False
    ref: str = ""
    book: str = ""  # hedge mode: long | short


class Reason(NamedTuple):
    """Why an order was cut or refused.

    The causes `order`, `absurd` and `venue` are no doing of the guard: what the order says of
    itself, what makes no sense in it, and the steps and the least order of the venue.
    """

    # rule | blind | priming | unguarded | state_lost | degraded | guard_error | remote_down
    # | manual | order | absurd | venue
    cause: str
    rule: str
    text: str
    value: float | None = None
    limit: float | None = None
    unit: str = ""

    def sized(self, value: float, limit: float) -> Reason:
        """Return it with how much there is, and how much there may be."""
        return made(Reason, (self.cause, self.rule, self.text, value, limit, self.unit))


class Verdict(NamedTuple):
    """The answer to an intent; `quantity` is never above what was asked.

    A tuple, as a sample is: it is made for every order, and a frozen class takes four times as
    long to make.
    """

    answer: str  # allow | resize | deny
    quantity: float
    effect: str  # open | add | reduce | close | flip
    reduce_only: bool
    cancel_first: tuple[str, ...]
    state: State
    latched: bool
    reasons: tuple[Reason, ...] = ()
    until: int | None = None
    max_leverage: float | None = None
    as_of: int = 0
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do unasked; the same condition keeps the same id."""

    id: str
    kind: str  # cancel_entries | cancel_all | reduce_to | flatten | set_stop | hedge
    symbol: str
    fraction: float = 0.0  # reduce_to: share of `base` to keep
    data: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


class Stand(NamedTuple):
    """An order as the gate reads it: what stands against it and what it may enter."""

    side: str  # long | short: what it enters
    asked: float
    closing: float  # of what is asked, what closes
    along: float  # the position on its side: below 0 it closes
    room: float  # of that, what is left to close: less what is on its way out
    mine: Sequence[Pending]  # open orders on its side
    bound: bool  # may enter nothing by its own word
    price: float  # 0: not said


class Absurd(ValueError):  # noqa: N818 - it says what the order is, as the trader would
    """An order that makes no sense; the text says what it should be."""


def number(given: object) -> float:
    """Return a finite number of any kind as a float; NaN for what is none."""
    if type(given) is not float:
        if isinstance(given, (str, bytes, bool)):
            return math.nan
        try:
            given = float(given)  # type: ignore[arg-type]  # what is no number raises
        except Exception:  # noqa: BLE001 - whatever it is, it is no number
            return math.nan
    return given if -LARGEST <= given <= LARGEST else math.nan


def read(intent: Intent, *, careful: bool = False) -> Stand:
    """Read an order; `careful` passes over what an exit can do without."""
    side, book = intent.side, intent.book
    if side not in SIDES:
        raise Absurd(f"side {side!r}: write buy or sell")
    if book not in ("", "long", "short"):
        raise Absurd(f"book {book!r}: write long or short, or '' for one net position")
    asked, position = intent.quantity, intent.position
    if type(asked) is not float:
        asked = number(asked)
    if type(position) is not float:
        position = number(position)
    if not 0 < asked <= LARGEST:
        raise Absurd(f"quantity {intent.quantity!r}: a finite number above 0 is needed")
    if not -LARGEST <= position <= LARGEST:
        raise Absurd(f"position {intent.position!r}: a finite number is needed")
    price = 0.0 if intent.price is None else intent.price
    if type(price) is not float:
        price = number(price)
    if not 0 <= price <= LARGEST and not careful:
        raise Absurd(f"price {intent.price!r}: a finite number is needed, or None")
    if book:
        position = abs(position) if book == "long" else -abs(position)
    along = position if side == "buy" else -position
    mine = _mine(intent, careful=careful) if intent.pending != () else ()
    room = _room(along, mine) if along < 0 else 0.0
    closing = min(asked, room) if room else 0.0
    bound = intent.reduce_only or intent.close or (book and (book == "long") != (side == "buy"))
    enters = "long" if side == "buy" else "short"
    return made(Stand, (enters, asked, closing, along, room, mine, bool(bound), price))


def _mine(intent: Intent, *, careful: bool) -> list[Pending]:
    """Return the open orders on the side, and of the book, of an order."""
    try:
        orders = tuple(intent.pending)
    except Exception:
        if careful:
            return []
        raise
    found = []
    for order in orders:
        try:
            left = order.remaining
            if type(left) is not float:
                left = number(left)
            if order.side not in SIDES or not 0 <= left <= LARGEST:
                raise Absurd(f"open order {order.id!r}: {order.side!r} {order.remaining!r}")  # noqa: TRY301 - one way out for all that is wrong with it
            if order.side == intent.side and (not intent.book or order.book in ("", intent.book)):
                found.append(order)
        except Exception:
            if not careful:
                raise
    return found


def _room(along: float, mine: Sequence[Pending]) -> float:
    room = -along
    if mine:
        room -= together([order for order in mine if not order.resting])
    return room if room > -RESIDUE * along else 0.0


def together(orders: Sequence[Pending]) -> float:
    """Sum what could still fill; of an OCO group only one member can."""
    if not orders:
        return 0.0
    if len(orders) == 1 and not orders[0].group:
        return math.fsum((orders[0].remaining,))
    groups: dict[str, float] = {}
    alone: list[float] = []
    for order in orders:
        if order.group:
            groups[order.group] = max(groups.get(order.group, 0.0), order.remaining)
        else:
            alone.append(order.remaining)
    return math.fsum((*alone, *groups.values()))
