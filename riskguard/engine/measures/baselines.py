"""Measures against what came before, `[t - w, t)`: times_avg, stdev, zscore, percentile.

A burst is never part of its own yardstick.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from riskguard.engine.windows import NEVER, UNKNOWN, Rolling

if TYPE_CHECKING:
    from riskguard.engine.windows import Tape

__all__ = ["Baseline", "Percentile", "Stdev", "Times", "Zscore"]

FLAT = 1e-9  # a spread below this share of the mean is no spread


class Baseline(Rolling):
    """Base of the measures that compare the current sample with those of `[t - w, t)` before."""

    __slots__ = ("right",)

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.right = 0
        self.back -= 1  # the yardstick ends before the current sample

    def moved(self, gone: int) -> None:
        self.left -= gone
        self.right -= gone

    def land(self) -> None:
        super().land()
        self.left -= 1
        self.right = self.left + self.lag

    @abstractmethod
    def enter(self, index: int) -> None:
        """Take one sample into the yardstick."""

    @abstractmethod
    def leave(self, index: int) -> None:
        """Take one sample out of the yardstick."""

    def settle(self, now: int) -> int:
        """Bring the yardstick up to the current sample; return how many it holds, 0: unusable."""
        clock = self.tape.clock
        if clock.even > self.stride:
            self.enter(-2)  # one came, one went
            self.leave(self.back)
            self.turned = now
            return self.lag
        if self.turned != NEVER:
            self.land()
        times = clock.times
        last = len(times) - 1
        if last < 0 or now - times[last] > self.tape.fresh:
            return 0
        while self.right < last:
            self.enter(self.right)
            self.right += 1
        cut = times[last] - self.span
        while self.left < last and times[self.left] < cut:
            self.leave(self.left)
            self.left += 1
        held = last - self.left
        return held if held and self.filled(held, times[last]) else 0


class Times(Baseline):
    """Return the current sample as a multiple of the mean before it; nothing after nothing is 1."""

    __slots__ = ("total",)
    sums = True

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.total = 0

    def enter(self, index: int) -> None:
        self.total += self.tape.fixed[index]

    def leave(self, index: int) -> None:
        self.total -= self.tape.fixed[index]

    def read(self, now: int) -> float:
        held = self.settle(now)
        if not held:
            return UNKNOWN
        if not self.total:
            return UNKNOWN if self.tape.fixed[-1] else 1.0
        return self.tape.values[-1] / (self.total / (self.tape.scale * held))


class Stdev(Times):
    """Return the population deviation of the samples before the current one."""

    __slots__ = ("squares",)

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.squares = 0

    def enter(self, index: int) -> None:
        fixed = self.tape.fixed[index]
        self.total += fixed
        self.squares += fixed * fixed

    def leave(self, index: int) -> None:
        fixed = self.tape.fixed[index]
        self.total -= fixed
        self.squares -= fixed * fixed

    def spread(self, held: int) -> float:
        """Return the deviation of so many samples, from exact integers with one rounding."""
        exact = held * self.squares - self.total * self.total
        return math.sqrt(exact / (held * self.tape.scale) ** 2)

    def read(self, now: int) -> float:
        held = self.settle(now)
        return self.spread(held) if held else UNKNOWN


class Zscore(Stdev):
    """Return how many deviations the current sample lies from the mean before it."""

    __slots__ = ()

    def read(self, now: int) -> float:
        held = self.settle(now)
        if not held:
            return UNKNOWN
        mean = self.total / (self.tape.scale * held)
        spread = self.spread(held)
        if spread <= FLAT * abs(mean):
            return UNKNOWN
        return (self.tape.values[-1] - mean) / spread


class Percentile(Baseline):
    """Return the share of the samples before the current one that lie strictly below it."""

    __slots__ = ("ordered",)

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.ordered: list[float] = []

    def enter(self, index: int) -> None:
        insort(self.ordered, self.tape.values[index])

    def leave(self, index: int) -> None:
        del self.ordered[bisect_left(self.ordered, self.tape.values[index])]

    def read(self, now: int) -> float:
        if not self.settle(now):
            return UNKNOWN
        return bisect_left(self.ordered, self.tape.values[-1]) / len(self.ordered)
