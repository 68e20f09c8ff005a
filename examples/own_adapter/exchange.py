"""A small exchange in memory: it stands where your exchange or your framework is."""

from __future__ import annotations

from dataclasses import dataclass


class RefusedError(Exception):
    """What the exchange says no with."""


@dataclass
class Resting:
    """An order that is not finished: at a limit, or on its way where it has none."""

    number: int
    side: str
    left: float
    limit: float | None


class Exchange:
    """One market with one net position; it knows nothing of riskguard, and no reduce-only."""

    def __init__(self) -> None:
        self.clock = 1_770_000_000.0  # seconds
        self.price, self.held = 100.0, 0.0
        self.orders: dict[int, Resting] = {}
        self.names: set[str] = set()  # client order ids: the same one is taken once
        self.slow = self.broken = 0  # how many market orders it keeps, or refuses
        self.share = 1.0  # of the next market order, what it fills; it drops the rest
        self._count = 0

    def order(self, side: str, size: float, limit: float | None = None, name: str = "") -> int:
        """Take an order; return its number."""
        if self.broken or (name and name in self.names):
            self.broken = max(0, self.broken - 1)
            raise RefusedError("not today")
        self.names |= {name} - {""}
        self._count += 1
        made = self.orders[self._count] = Resting(self._count, side, size, limit)
        if limit is None and self.slow:
            self.slow -= 1
        elif limit is None:
            share, self.share = self.share, 1.0
            self._fill(made, size * share)
        return self._count

    def cancel(self, number: int) -> None:
        """Take an order back."""
        if self.orders.pop(number, None) is None:
            raise RefusedError(f"no order {number}")

    def move(self, price: float) -> None:
        """Let a minute pass and the price change; fill what it reaches."""
        self.clock, self.price = self.clock + 60, price
        for one in list(self.orders.values()):
            if one.limit is None:
                continue
            if price <= one.limit if one.side == "buy" else price >= one.limit:
                self._fill(one, one.left)

    def settle(self) -> None:
        """Fill the orders that were kept."""
        for one in [one for one in self.orders.values() if one.limit is None]:
            self._fill(one, one.left)

    def _fill(self, one: Resting, size: float) -> None:
        self.held += size if one.side == "buy" else -size
        self.orders.pop(one.number, None)
