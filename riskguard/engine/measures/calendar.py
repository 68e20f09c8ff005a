"""Measures that the calendar begins: since midnight, since Monday, since the first sample.

Each keeps what it needs of the day at hand and begins anew at the next: nothing is ever taken
out of it again. It glides as long as a known day lasts and one sample comes each instant.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from riskguard.engine.windows import (
    CALENDAR_REACH,
    FILL_OF,
    FILL_PARTS,
    NEVER,
    UNKNOWN,
    Rolling,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.engine.calendar import Calendar
    from riskguard.engine.windows import Tape

__all__ = [
    "CALENDAR",
    "ChangeSince",
    "DrawdownEver",
    "DrawdownSince",
    "DropSince",
    "HighSince",
    "LowSince",
    "MeanSince",
    "RiseSince",
    "Since",
    "SumSince",
]


class Since(Rolling):
    """Base of the measures since a midnight; `begin` and `take` are told what comes."""

    __slots__ = ("begun", "calendar", "ends", "held", "right")
    kept: ClassVar[tuple[str, ...]] = ("begun", "held", "right")

    def __init__(self, tape: Tape, calendar: Calendar | None) -> None:
        super().__init__(tape, 0)
        self.calendar, self.right, self.held = calendar, 0, 0
        self.begun = self.ends = NEVER  # ends: until when the day at hand is known to be known
        self.stride = 1
        tape.clock.stride = max(tape.clock.stride, self.stride)
        if calendar is not None:
            tape.keep = max(tape.keep, CALENDAR_REACH)

    def place(self) -> int:
        return self.right

    def moved(self, gone: int) -> None:
        self.right -= gone

    def wanted(self, now: int) -> int:
        return now - self._begin(now)

    def _begin(self, now: int) -> int:
        return self.calendar.begin(now) if self.calendar is not None else now

    def begin(self) -> None:
        """Begin anew at the midnight `begun`; the samples up to it lie before index `right`."""

    def take(self, index: int) -> None:
        """Take one sample of this day."""

    def settle(self, now: int) -> bool:
        """Bring the day up to `now`; say whether it has been observed without a hole."""
        clock, begun = self.tape.clock, self._begin(now)
        times, end = clock.times, len(clock.times)
        self.ends = NEVER
        if begun != self.begun:
            while self.right < end and times[self.right] <= begun:
                self.right += 1
            self.begun, self.held = begun, 0
            self.begin()
        while self.right < end:
            self.take(self.right)
            self.right += 1
            self.held += 1
        first = clock.first
        if first is None:
            return False
        if first > begun and (self.endpoint or self.tape.start > begun):
            return False
        expected = (now - begun) // clock.interval
        if FILL_OF * self.held < FILL_PARTS * expected:
            return False
        # with one sample more each interval it stays so
        self.ends = NEVER if self.calendar is None else self.calendar.ends
        return True

    def read(self, now: int) -> float:
        return self.measure(now) if self.settle(now) else UNKNOWN

    def glide(self, now: int) -> float:
        if now > self.ends:
            return self.read(now)
        self.take(-1)
        self.right += 1
        self.held += 1
        return self.measure(now)

    @abstractmethod
    def measure(self, now: int) -> float:
        """Return the measure of the day at hand, which is known."""


class SumSince(Since):
    """Return the total of a flow since midnight."""

    __slots__ = ("total",)
    kept = (*Since.kept, "total")
    sums = True

    def __init__(self, tape: Tape, calendar: Calendar | None) -> None:
        super().__init__(tape, calendar)
        self.total = 0

    def begin(self) -> None:
        self.total = 0

    def take(self, index: int) -> None:
        self.total += self.tape.fixed[index]

    def glide(self, now: int) -> float:
        if now > self.ends:
            return self.read(now)
        tape = self.tape
        self.total += tape.fixed[-1]
        self.right += 1
        self.held += 1
        return self.total / tape.scale

    def measure(self, now: int) -> float:
        del now
        return self.total / self.tape.scale


class MeanSince(SumSince):
    """Return the mean of the samples since midnight."""

    __slots__ = ()
    glide = Since.glide

    def measure(self, now: int) -> float:
        del now
        return self.total / (self.tape.scale * self.held) if self.held else UNKNOWN


class HighSince(Since):
    """Return the highest sample since midnight."""

    __slots__ = ("best",)
    kept = (*Since.kept, "best")
    sign = 1.0

    def __init__(self, tape: Tape, calendar: Calendar | None) -> None:
        super().__init__(tape, calendar)
        self.best = -math.inf

    def begin(self) -> None:
        self.best = -math.inf

    def take(self, index: int) -> None:
        self.best = max(self.best, self.sign * self.tape.values[index])

    def measure(self, now: int) -> float:
        del now
        return self.sign * self.best if self.held else UNKNOWN


class LowSince(HighSince):
    """Return the lowest sample since midnight."""

    __slots__ = ()
    sign = -1.0


class DrawdownSince(HighSince):
    """Return how far the current sample lies below the highest since midnight."""

    __slots__ = ()

    def measure(self, now: int) -> float:
        if not self.held or not self.best > 0:
            return UNKNOWN
        return 1.0 - self.tape.current(now) / self.best


class DrawdownEver(HighSince):
    """Return how far the current sample lies below the highest there ever was."""

    __slots__ = ()

    def wanted(self, now: int) -> int:
        del now  # known from the first sample on
        return 0

    def restart(self) -> None:
        """Take the last sample as the highest there ever was: the loss is taken as given."""
        self.right = len(self.tape.values)
        self.best = self.tape.values[-1] if self.right else -math.inf

    def read(self, now: int) -> float:
        while self.right < len(self.tape.values):
            self.take(self.right)
            self.right += 1
        return self.measure(now)

    def glide(self, now: int) -> float:
        del now
        value, best = self.tape.values[-1], self.best
        if value > best:
            self.best = best = value
        self.right += 1
        return 1.0 - value / best if best > 0 else UNKNOWN

    def measure(self, now: int) -> float:
        return 1.0 - self.tape.current(now) / self.best if self.best > 0 else UNKNOWN


class ChangeSince(Since):
    """Return now / the last value at or before midnight - 1."""

    __slots__ = ("base",)
    kept = (*Since.kept, "base")
    endpoint = True

    def __init__(self, tape: Tape, calendar: Calendar | None) -> None:
        super().__init__(tape, calendar)
        self.base = UNKNOWN

    def begin(self) -> None:
        tape, last = self.tape, self.right - 1
        oldest = self.begun - max(tape.fresh, tape.interval)
        stood = last >= 0 and tape.times[last] >= oldest
        self.base = tape.values[last] if stood else UNKNOWN

    def measure(self, now: int) -> float:
        base = self.base  # nothing is a share of a debt
        return self.tape.current(now) / base - 1.0 if base > 0 else UNKNOWN


class DropSince(ChangeSince):
    """Return how far it fell since midnight, 0 when it rose."""

    __slots__ = ()

    def glide(self, now: int) -> float:
        base = self.base
        if now > self.ends or not base > 0:
            return ChangeSince.glide(self, now)
        self.right += 1
        self.held += 1
        return max(1.0 - self.tape.values[-1] / base, 0.0)

    def measure(self, now: int) -> float:
        base = self.base
        return max(1.0 - self.tape.current(now) / base, 0.0) if base > 0 else UNKNOWN


class RiseSince(ChangeSince):
    """Return how far it rose since midnight, 0 when it fell."""

    __slots__ = ()

    def measure(self, now: int) -> float:
        base = self.base
        return max(self.tape.current(now) / base - 1.0, 0.0) if base > 0 else UNKNOWN


CALENDAR: Mapping[str, type[Since]] = {
    "change": ChangeSince,
    "drawdown": DrawdownSince,
    "drop": DropSince,
    "high": HighSince,
    "low": LowSince,
    "mean": MeanSince,
    "rise": RiseSince,
    "sum": SumSince,
}
