"""What one call of the enforcer found and did, and what it remembers until the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from riskguard.adapters.shared.venue import Order

__all__ = ["Call", "Duty", "Enforced", "Memory", "Outstanding", "Seen", "book_key"]


class Call(NamedTuple):
    """One call of a primitive of the venue; `pause` is none of them: it only waits."""

    name: str
    args: tuple[Any, ...]


class Outstanding(NamedTuple):
    """A duty that is not seen done: how long it has been known (ns), and how often tried."""

    id: str
    age: int
    attempts: int


@dataclass(slots=True)
class Enforced:
    """What one call of the enforcer found and did; `settled` when nothing is left to do."""

    symbol: str
    position: float | None = None  # as read last
    cancelled: list[str] = field(default_factory=list)  # asked for, and seen gone
    sent: list[Order] = field(default_factory=list)
    done: list[str] = field(default_factory=list)  # ids of actions
    open: list[Outstanding] = field(default_factory=list)
    residual: float | None = None  # less than the venue takes: told once, then given up
    failures: list[str] = field(default_factory=list)  # what raised, retried by the next call
    adl_suspected: bool = False  # while something limits: it shrank, and nobody sent an order

    @property
    def settled(self) -> bool:
        """Nothing failed, and nothing is left to do."""
        return not self.open and not self.failures


@dataclass(slots=True)
class Duty:
    """What is remembered of an action until it is done."""

    since: int
    kind: str
    attempt: int = 0  # of which the client order id is made
    tried: int = 0  # how often in all
    raised: int = 0  # how often this attempt
    due: int = 0  # not to be tried again before
    target: float | None = None  # of a reduction: what may be kept, in units


class Seen:
    """A position as it was read last, and what may have taken from it since."""

    __slots__ = ("leaving", "position")

    def __init__(self, position: float, leaving: float = 0.0) -> None:
        self.position, self.leaving = position, leaving


class Memory:
    """What the enforcer of one bot remembers between calls; nothing in it outlives the process.

    Without it nothing is done twice either: what is done the desk knows, what is on its way the
    venue. It holds attempts and their times, and what may explain that a position shrank: an
    adapter tells the bot's own exits by `left`.
    """

    def __init__(self) -> None:
        self.duties: dict[str, dict[str, Duty]] = {}
        self.seen: dict[str, Seen] = {}
        self.told: dict[str, tuple[int, float]] = {}  # when which position was told to the desk
        self.own: set[str] = set()  # ids of orders of ours

    def left(self, symbol: str, quantity: float, book: str = "") -> None:
        """Take note of an exit that the bot itself has sent."""
        seen = self.seen.get(book_key(symbol, book))
        if seen is not None:
            seen.leaving += abs(quantity)


def book_key(symbol: str, book: str) -> str:
    """Return the name under which a desk knows a symbol, in hedge mode a book of it."""
    return f"{symbol} {book}" if book else symbol
