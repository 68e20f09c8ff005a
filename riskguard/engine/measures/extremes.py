"""Measures of the highest and lowest sample: high, low, drawdown."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from riskguard.engine.windows import UNKNOWN, Rolling, drop_until

if TYPE_CHECKING:
    from riskguard.engine.windows import Tape

__all__ = ["Drawdown", "High", "Low"]


class High(Rolling):
    """Return the highest sample in the window."""

    __slots__ = ("queue", "right")
    sign = 1.0

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.right = 0
        self.queue: deque[tuple[int, float]] = deque()  # falling values: the first is the extreme

    def moved(self, gone: int) -> None:
        self.left -= gone
        self.right -= gone

    def place(self) -> int:
        self.left = drop_until(self.tape.times, self.left, self.tape.last - self.span)
        return min(self.left, self.right)

    def extreme(self, now: int) -> float:
        """Return the extreme of the window, or unknown."""
        times, values = self.tape.times, self.tape.values
        queue, sign = self.queue, self.sign
        while self.right < len(times):
            value = values[self.right]
            while queue and sign * queue[-1][1] <= sign * value:
                queue.pop()
            queue.append((times[self.right], value))
            self.right += 1
        cut = now - self.span
        while queue and queue[0][0] <= cut:
            queue.popleft()
        if self.lag and self.tape.run > self.lag and now == self.tape.last:
            return queue[0][1]
        self.left = drop_until(times, self.left, cut)
        if not self.filled(len(times) - self.left, now):
            return UNKNOWN
        return queue[0][1]

    def read(self, now: int) -> float:
        return self.extreme(now)


class Low(High):
    """Return the lowest sample in the window."""

    __slots__ = ()
    sign = -1.0


class Drawdown(High):
    """Return how far the current sample lies below the highest of the window."""

    __slots__ = ()

    def read(self, now: int) -> float:
        peak = self.extreme(now)
        return 1.0 - self.tape.current(now) / peak if peak > 0 else UNKNOWN
