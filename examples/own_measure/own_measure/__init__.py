"""The ulcer index: how deep and how long a price has been under its own high.

It is the root mean square of the drawdowns from the running high of a window: one bad hour
weighs little, a week below the high weighs much.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ulcer"]


class Ulcer:
    """The ulcer index of the closes in a window, as a share of the price."""

    api = (1, 0)  # the interface that it was written for
    reads = ("close",)  # the series that it is told
    arguments: ClassVar = {"window": "3d"}  # what a rule may say, and what holds where it does not
    dimension = "share"  # what a rule compares it with: 4%
    warmup = "window"  # it is asked once that much has been observed

    def __init__(self, *, window: int) -> None:
        self.window = window  # nanoseconds
        self.closes: list[tuple[int, float]] = []

    def update(self, ts: int, values: Mapping[str, float]) -> None:
        """Take the bar that closed at `ts`; what is not known is NaN."""
        close = values["close"]
        if close > 0:
            self.closes.append((ts, close))
        self.closes = [one for one in self.closes if one[0] > ts - self.window]

    def read(self) -> float | None:
        """Return the index as of the last bar, None where it is not known."""
        if not self.closes:
            return None
        high, total = 0.0, 0.0
        for _, close in self.closes:
            high = max(high, close)
            total += (close / high - 1.0) ** 2
        return math.sqrt(total / len(self.closes))

    def dump(self) -> list[list[float]]:
        """Return all that is remembered, as JSON holds it."""
        return [[ts, close] for ts, close in self.closes]

    def load(self, state: list[list[float]]) -> None:
        """Go on from what `dump` returned."""
        self.closes = [(int(ts), float(close)) for ts, close in state]
