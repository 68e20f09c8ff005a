"""The deviation of log returns: vol."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

from riskguard.engine.windows import UNKNOWN, Rolling
from riskguard.market import DAY

if TYPE_CHECKING:
    from riskguard.engine.windows import Tape

__all__ = ["Vol"]

YEAR = 365 * DAY
RETURN_SCALE = 1_000_000_000_000  # fixed-point units of log returns


class Vol(Rolling):
    """Return the deviation of the log returns in the window, for a year of 365 days.

    A year has as many returns as the window in proportion, however often samples come.
    """

    __slots__ = ("returns", "right", "squares", "total")

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.right = self.total = self.squares = 0
        self.returns: deque[tuple[int, int]] = deque()

    def moved(self, gone: int) -> None:
        self.left -= gone
        self.right -= gone

    def read(self, now: int) -> float:
        times, values = self.tape.times, self.tape.values
        while self.right < len(times):
            index = self.right
            if index and values[index] > 0 and values[index - 1] > 0:
                fixed = round(math.log(values[index] / values[index - 1]) * RETURN_SCALE)
                self.returns.append((times[index], fixed))
                self.total += fixed
                self.squares += fixed * fixed
            self.right += 1
        cut = now - self.span
        while self.returns and self.returns[0][0] <= cut:
            fixed = self.returns.popleft()[1]
            self.total -= fixed
            self.squares -= fixed * fixed
        # the last sample is the start of the next return: the tape must keep it
        self.left = min(bisect_right(times, cut, self.left), max(0, len(times) - 1))
        held = len(self.returns)
        if not held or not self.filled(held, now):
            return UNKNOWN
        exact = held * self.squares - self.total * self.total
        spread = math.sqrt(exact / (held * RETURN_SCALE) ** 2)
        return spread * math.sqrt(YEAR * held / self.span)
