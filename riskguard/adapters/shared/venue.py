"""What the enforcer asks of a venue, and what it hands over: five primitives, sync or async."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from riskguard.engine.orders import Pending

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

__all__ = ["AsyncVenue", "Open", "Order", "Venue", "client_id"]


@dataclass(frozen=True, slots=True)
class Open(Pending):
    """An open order, with what tells which exit is kept: stops first, the nearest to the price."""

    stop: bool = False
    distance: float = math.inf  # of its price from the market's, in price units


@dataclass(frozen=True, slots=True)
class Order:
    """A market order the guard wants sent; it never opens and never enlarges a position."""

    symbol: str
    side: str  # buy | sell
    quantity: float
    reduce_only: bool = True  # to be passed to the venue wherever it can
    close: bool = False  # all that is held: the venue's own way to close, where it has one
    ref: str = ""  # client order id: the same for the same action and attempt
    book: str = ""  # hedge mode: long | short


class Venue(Protocol):
    """Where positions and orders are read and sent; a primitive that fails raises.

    In hedge mode a venue object stands for one book: `position` is of that book, while
    `pending` may list the orders of both, each naming its own.
    """

    def position(self, symbol: str) -> float:
        """Return the position, signed, in the order unit."""

    def pending(self, symbol: str) -> Sequence[Pending]:
        """List all unfinished orders of a symbol; `Open` where stop and price are known."""

    def cancel(self, symbol: str, order_id: str) -> object:
        """Ask for an order to be cancelled."""

    def submit(self, order: Order) -> object:
        """Send an order; return its id where it is known."""

    def now(self) -> int:
        """Return the time (ns): of the clock live, of the bar in a backtest."""


class AsyncVenue(Protocol):
    """The same for asyncio."""

    def position(self, symbol: str) -> Awaitable[float]:
        """Return the position, signed, in the order unit."""

    def pending(self, symbol: str) -> Awaitable[Sequence[Pending]]:
        """List all unfinished orders of a symbol; `Open` where stop and price are known."""

    def cancel(self, symbol: str, order_id: str) -> Awaitable[object]:
        """Ask for an order to be cancelled."""

    def submit(self, order: Order) -> Awaitable[object]:
        """Send an order; return its id where it is known."""

    def now(self) -> int:
        """Return the time (ns)."""


def client_id(action: str, attempt: int) -> str:
    """Return the client order id of an attempt: 26 letters and digits, which all venues take.

    The same action and attempt give the same id, so that an order sent twice, over a restart or
    a lost answer, is refused by the venue.

    >>> client_id("0f1e2d3c:4:flatten:BTC", 0)
    'rg374217aa53aef1f8d1c91e47'
    """
    return "rg" + hashlib.sha256(f"{action}|{attempt}".encode()).hexdigest()[:24]
