"""Measures of what a window holds in all: sum, mean, accel. Integers in fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.windows import NEVER, UNKNOWN, Rolling

if TYPE_CHECKING:
    from riskguard.engine.windows import Tape

__all__ = ["Accel", "Mean", "Sum"]


class Sum(Rolling):
    """Return the total of a flow in the window."""

    __slots__ = ("right", "total")
    sums = True

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.right = self.total = 0

    def moved(self, gone: int) -> None:
        self.left -= gone
        self.right -= gone

    def land(self) -> None:
        super().land()
        self.right = self.left + self.lag

    def count(self, now: int) -> int:
        """Move the window to `now` and return how many samples it holds."""
        if self.turned != NEVER:
            self.land()
        times, fixed, left, right = self.tape.clock.times, self.tape.fixed, self.left, self.right
        end, total = len(times), self.total
        while right < end:
            total += fixed[right]
            right += 1
        cut = now - self.span
        while left < end and times[left] <= cut:
            total -= fixed[left]
            left += 1
        self.left, self.right, self.total = left, right, total
        return end - left

    def read(self, now: int) -> float:
        held = self.count(now)
        return self.total / self.tape.scale if self.filled(held, now) else UNKNOWN

    def glide(self, now: int) -> float:
        fixed = self.tape.fixed
        self.turned = now
        self.total = total = self.total + fixed[-1] - fixed[self.back]
        return total / self.tape.scale


class Mean(Sum):
    """Return the mean of the samples in the window."""

    __slots__ = ()

    def read(self, now: int) -> float:
        held = self.count(now)
        return self.total / (self.tape.scale * held) if self.filled(held, now) else UNKNOWN

    def glide(self, now: int) -> float:
        fixed = self.tape.fixed
        self.turned = now
        self.total = total = self.total + fixed[-1] - fixed[self.back]
        return total / (self.tape.scale * self.lag)


class Accel(Sum):
    """Return the total of the window over that of the one before it; nothing after nothing is 1."""

    __slots__ = ("older", "tail")
    reach = 2
    glide = Rolling.glide  # two windows move at once

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.tail = self.older = 0  # the older window: tail..left

    def place(self) -> int:
        return self.tail

    def moved(self, gone: int) -> None:
        super().moved(gone)
        self.tail -= gone

    def read(self, now: int) -> float:
        before = self.left
        held = self.count(now)
        times, fixed = self.tape.clock.times, self.tape.fixed
        self.older += sum(fixed[before : self.left])
        cut = now - 2 * self.span
        while self.tail < self.left and times[self.tail] <= cut:
            self.older -= fixed[self.tail]
            self.tail += 1
        if not self.filled(held + self.left - self.tail, now):
            return UNKNOWN
        if not self.older:
            return UNKNOWN if self.total else 1.0
        return self.total / self.older
