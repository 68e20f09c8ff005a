"""Measures that compare now with one instant before: ago, change, drop, rise, age."""

from __future__ import annotations

import math

from riskguard.engine.windows import UNKNOWN, Rolling

__all__ = ["Age", "Ago", "Change", "Drop", "Rise"]


class Ago(Rolling):
    """Return the value a window ago."""

    __slots__ = ()
    endpoint = True

    def place(self) -> int:
        times, cut, left = self.tape.times, self.tape.last - self.span, self.left
        while left + 1 < len(times) and times[left + 1] <= cut:
            left += 1
        self.left = left
        return left

    def past(self, now: int) -> float:
        """Return the last value at or before `now - span`, if it stood for that instant."""
        tape = self.tape
        if self.lag and tape.run > self.lag and now == tape.last:
            return tape.values[-1 - self.lag]
        times, cut = tape.times, now - self.span
        left, end = self.left, len(times)
        while left + 1 < end and times[left + 1] <= cut:
            left += 1
        self.left = left
        if not (self.warm and end - left > self.whole) and not self.filled(end - left - 1, now):
            return UNKNOWN
        if times[left] > cut or cut - times[left] > max(tape.fresh, tape.interval):
            return UNKNOWN
        return tape.values[left]

    def read(self, now: int) -> float:
        return self.past(now) if self.tape.times else UNKNOWN


class Change(Ago):
    """Return now / a window ago - 1."""

    __slots__ = ()

    def read(self, now: int) -> float:
        tape = self.tape
        if not tape.times:
            return UNKNOWN
        past = self.past(now)
        return tape.current(now) / past - 1.0 if past > 0 else UNKNOWN


class Drop(Ago):
    """Return how far it fell, 0 when it rose."""

    __slots__ = ()

    def read(self, now: int) -> float:
        tape = self.tape
        past = self.past(now) if tape.times else UNKNOWN
        value = 1.0 - tape.current(now) / past if past > 0 else UNKNOWN
        return max(value, 0.0)


class Rise(Ago):
    """Return how far it rose, 0 when it fell."""

    __slots__ = ()

    def read(self, now: int) -> float:
        tape = self.tape
        past = self.past(now) if tape.times else UNKNOWN
        value = tape.current(now) / past - 1.0 if past > 0 else UNKNOWN
        return max(value, 0.0)


class Age(Rolling):
    """Return the time since the last sample, in ns; infinite before the first."""

    __slots__ = ()

    def read(self, now: int) -> float:
        times = self.tape.times
        self.left = max(0, len(times) - 1)
        return float(now - times[-1]) if times else math.inf
