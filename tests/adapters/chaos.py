"""A venue that refuses, loses answers, fills in part and cancels late, as drawn beforehand."""

from __future__ import annotations

from collections.abc import Callable

from tests.adapters.paper import PaperVenue, Refusing, Working

SLACK = 1e-9
FAULTS = ("", "", "", "raise", "late", "lost", "part", "delay")


class Chaos(PaperVenue):
    """Each primitive draws its fault; every fill of the guard's own orders is watched."""

    def __init__(self, draw: Callable[[], str], *, hedged: bool = False) -> None:
        super().__init__(hedged=hedged)
        self.draw = draw
        self.obeys = False
        self.late: set[str] = set()
        self.floor: Callable[[str], float] = lambda _book: 0.0  # what may be kept, by book
        self.seen: dict[str, int] = {}

    def fault(self, *allowed: str) -> str:
        drawn = "" if self.obeys else self.draw()
        found = drawn if drawn in allowed else ""
        if found:
            self.seen[found] = self.seen.get(found, 0) + 1
        return found

    def fill(self, order_id: str, size: float | None = None) -> None:
        order = self.orders[order_id]
        before = self.books[order.book]
        super().fill(order_id, size)
        after = self.books[order.book]
        if not order.ref or before == after:
            return
        self.seen["fill"] = self.seen.get("fill", 0) + 1
        assert abs(after) <= abs(before), f"enlarged from {before} to {after}"
        assert before * after >= 0, f"flipped from {before} to {after}"

    def watch(self, order: Working) -> None:
        """See that with all of the guard's orders filled what may be kept is kept."""
        held = abs(self.books[order.book])
        mine = [one for one in self.orders.values() if one.ref and one.book == order.book]
        left = held - order.left - sum(one.left for one in mine if one.side == order.side)
        kept = min(held, self.floor(order.book))
        assert left >= kept - SLACK, f"{held} held, {kept} might be kept, {left} would be"

    def position(self, symbol: str) -> float:
        if self.fault("raise"):
            raise Refusing("position")
        return super().position(symbol)

    def pending(self, symbol: str) -> list:
        if self.fault("raise"):
            raise Refusing("pending")
        found = super().pending(symbol)
        for order_id in self.late & self.orders.keys():
            if not self.fault("late"):
                del self.orders[order_id]
        return found

    def cancel(self, symbol: str, order_id: str) -> None:
        fault = self.fault("raise", "late", "lost")
        if fault == "raise":
            raise Refusing("cancel")
        if fault == "late":
            self.late.add(order_id)
            return
        super().cancel(symbol, order_id)
        if fault == "lost":
            raise TimeoutError

    def place(self, order: Working) -> str:
        if not order.ref:
            return super().place(order)
        fault = self.fault("raise", "lost", "part", "delay")
        self.watch(order)
        if fault == "raise":
            raise Refusing("submit")
        self.share = 0.5 if fault == "part" else 1.0
        self.delayed = 1 if fault == "delay" else 0
        placed = super().place(order)
        if fault == "lost":
            raise TimeoutError
        return placed
