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

__all__ = ["Baseline", "Ordered", "Percentile", "Stdev", "Times", "Zscore"]

FLAT = 1e-9  # a spread below this share of the mean is no spread
PIECE = 512  # values that are moved at most where one comes or goes


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
    def measure(self, held: int) -> float:
        """Return the measure against a yardstick of so many samples."""

    @abstractmethod
    def enter(self, index: int) -> None:
        """Take one sample into the yardstick."""

    @abstractmethod
    def leave(self, index: int) -> None:
        """Take one sample out of the yardstick."""

    def read(self, now: int) -> float:
        held = self.settle(now)
        return self.measure(held) if held else UNKNOWN

    def glide(self, now: int) -> float:
        self.turned = now
        self.enter(-2)
        self.leave(self.back)
        return self.measure(self.lag)

    def settle(self, now: int) -> int:
        """Bring the yardstick up to the current sample; return how many it holds, 0: unusable."""
        if self.turned != NEVER:
            self.land()
        times = self.tape.clock.times
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

    def glide(self, now: int) -> float:
        fixed = self.tape.fixed
        self.turned = now
        self.total += fixed[-2] - fixed[self.back]
        return self.measure(self.lag)

    def measure(self, held: int) -> float:
        tape, total = self.tape, self.total
        if not total:
            return UNKNOWN if tape.fixed[-1] else 1.0
        return tape.values[-1] / (total / (tape.scale * held))


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

    def glide(self, now: int) -> float:
        fixed = self.tape.fixed
        come, gone = fixed[-2], fixed[self.back]
        more = come - gone
        self.turned = now
        self.total += more
        self.squares += more * (come + gone)
        return self.measure(self.lag)

    def measure(self, held: int) -> float:
        """Return the deviation, from exact integers with one rounding."""
        total, unit = self.total, held * self.tape.scale
        return math.sqrt((held * self.squares - total * total) / (unit * unit))


class Zscore(Stdev):
    """Return how many deviations the current sample lies from the mean before it."""

    __slots__ = ()

    def measure(self, held: int) -> float:
        mean = self.total / (self.tape.scale * held)
        spread = Stdev.measure(self, held)
        return (self.tape.values[-1] - mean) / spread if spread > FLAT * abs(mean) else UNKNOWN


class Ordered:
    """Values in order: one comes, goes, or is laid beside all others in O(log n).

    They lie in `pieces` of at most `PIECE`; `tree` sums how many lie before each (Fenwick 1994).
    """

    __slots__ = ("highest", "pieces", "tree")

    def __init__(self) -> None:
        self.pieces: list[list[float]] = []
        self.highest: list[float] = []  # of each piece
        self.tree = [0]

    def add(self, value: float) -> None:
        """Take a value in."""
        at = bisect_left(self.highest, value)
        if at == len(self.pieces):
            if not at:
                self.pieces.append([])
            at = max(0, at - 1)
            self.highest[at:] = [value]
        piece = self.pieces[at]
        insort(piece, value)
        if len(piece) > PIECE:
            self.pieces.insert(at + 1, piece[PIECE // 2 :])
            del piece[PIECE // 2 :]
            self.highest.insert(at, piece[-1])
            self._count()
        elif len(self.tree) == 1:
            self._count()
        else:
            self._moved(at, 1)

    def remove(self, value: float) -> None:
        """Take a value out that was taken in."""
        at = bisect_left(self.highest, value)
        piece = self.pieces[at]
        del piece[bisect_left(piece, value)]
        if piece:
            self.highest[at] = piece[-1]
            self._moved(at, -1)
        else:
            del self.pieces[at], self.highest[at]
            self._count()

    def below(self, value: float) -> int:
        """Return how many are smaller."""
        at, found, tree = bisect_left(self.highest, value), 0, self.tree
        if at < len(self.pieces):
            found = bisect_left(self.pieces[at], value)
        while at:
            found += tree[at]
            at -= at & -at
        return found

    def _moved(self, at: int, by: int) -> None:
        tree, at = self.tree, at + 1
        while at < len(tree):
            tree[at] += by
            at += at & -at

    def _count(self) -> None:
        tree = self.tree = [0, *map(len, self.pieces)]
        for at in range(1, len(tree)):
            above = at + (at & -at)
            if above < len(tree):
                tree[above] += tree[at]


class Percentile(Baseline):
    """Return the share of the samples before the current one that lie strictly below it."""

    __slots__ = ("ordered",)

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        super().__init__(tape, span, minimum)
        self.ordered = Ordered()

    def enter(self, index: int) -> None:
        self.ordered.add(self.tape.values[index])

    def leave(self, index: int) -> None:
        self.ordered.remove(self.tape.values[index])

    def measure(self, held: int) -> float:
        return self.ordered.below(self.tape.values[-1]) / held
