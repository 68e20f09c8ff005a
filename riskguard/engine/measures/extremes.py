"""Measures of the highest and lowest sample: high, low, drawdown."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING

from riskguard.engine.windows import UNKNOWN, Rolling

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
        # falling values, of a low rising ones: the first is the extreme
        self.queue: deque[tuple[int, float]] = deque()

    def moved(self, gone: int) -> None:
        self.left -= gone
        self.right -= gone

    def place(self) -> int:
        times = self.tape.clock.times
        self.left = bisect_right(times, self.tape.clock.last - self.span, self.left)
        return min(self.left, self.right)

    def read(self, now: int) -> float:
        tape, queue, sign, right = self.tape, self.queue, self.sign, self.right
        times = tape.clock.times
        end, cut = len(times), now - self.span
        while right < end:
            value = tape.values[right]
            while queue and sign * queue[-1][1] <= sign * value:
                queue.pop()
            queue.append((times[right], value))
            right += 1
        self.right = end
        while queue and queue[0][0] <= cut:
            queue.popleft()
        self.left = bisect_right(times, cut, self.left)
        return queue[0][1] if self.filled(end - self.left, now) else UNKNOWN

    def glide(self, now: int) -> float:
        queue, value = self.queue, self.tape.values[-1]
        while queue and queue[-1][1] <= value:
            queue.pop()
        queue.append((now, value))
        self.right += 1
        if queue[0][0] <= now - self.span:
            queue.popleft()
        return queue[0][1]


class Low(High):
    """Return the lowest sample in the window."""

    __slots__ = ()
    sign = -1.0

    def glide(self, now: int) -> float:
        queue, value = self.queue, self.tape.values[-1]
        while queue and queue[-1][1] >= value:
            queue.pop()
        queue.append((now, value))
        self.right += 1
        if queue[0][0] <= now - self.span:
            queue.popleft()
        return queue[0][1]


class Drawdown(High):
    """Return how far the current sample lies below the highest of the window."""

    __slots__ = ()

    def read(self, now: int) -> float:
        peak = High.read(self, now)
        return 1.0 - self.tape.current(now) / peak if peak > 0 else UNKNOWN

    def glide(self, now: int) -> float:
        peak = High.glide(self, now)
        return 1.0 - self.tape.values[-1] / peak if peak > 0 else UNKNOWN
