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
        tape, lag = self.tape, self.lag
        if lag and tape.run > lag and now == tape.last:
            return tape.values[-1 - lag]
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

    def ends(self, now: int) -> tuple[float, float]:
        """Return the values at both ends of the window, the past first."""
        tape, lag = self.tape, self.lag
        if lag and tape.run > lag and now == tape.last:  # as most often: no hole to look for
            return tape.values[-1 - lag], tape.values[-1]
        return (self.past(now), tape.current(now)) if tape.times else (UNKNOWN, UNKNOWN)

    def read(self, now: int) -> float:
        return self.past(now) if self.tape.times else UNKNOWN


class Change(Ago):
    """Return now / a window ago - 1."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return value / past - 1.0 if past > 0 else UNKNOWN


class Drop(Ago):
    """Return how far it fell, 0 when it rose."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return max(1.0 - value / past, 0.0) if past > 0 else UNKNOWN


class Rise(Ago):
    """Return how far it rose, 0 when it fell."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return max(value / past - 1.0, 0.0) if past > 0 else UNKNOWN


class Age(Rolling):
    """Return the time since the last sample, in ns; infinite before the first."""

    __slots__ = ()

    def read(self, now: int) -> float:
        times = self.tape.times
        self.left = max(0, len(times) - 1)
        return float(now - times[-1]) if times else math.inf
