"""Measures that compare now with one instant before: ago, change, drop, rise, age."""

from __future__ import annotations

import math
from bisect import bisect_right

from riskguard.engine.windows import UNKNOWN, Rolling

__all__ = ["Age", "Ago", "Change", "Drop", "Rise"]


class Ago(Rolling):
    """Return the value a window ago."""

    __slots__ = ()
    endpoint = True

    def place(self) -> int:
        return self._seek(self.tape.clock.last - self.span)

    def _seek(self, cut: int) -> int:
        """Return the place of the last sample at or before `cut`, 0 where there is none."""
        self.left = max(self.left, bisect_right(self.tape.clock.times, cut, self.left) - 1)
        return self.left

    def past(self, now: int) -> float:
        """Return the last value at or before `now - span`, if it stood for that instant."""
        tape, cut = self.tape, now - self.span
        times, left = tape.clock.times, self._seek(cut)
        if not self.filled(len(times) - left - 1, now):
            return UNKNOWN
        if times[left] > cut or cut - times[left] > max(tape.fresh, tape.interval):
            return UNKNOWN
        return tape.values[left]

    def ends(self, now: int) -> tuple[float, float]:
        """Return the values at both ends of the window, the past first."""
        tape = self.tape
        return (self.past(now), tape.current(now)) if tape.values else (UNKNOWN, UNKNOWN)

    def read(self, now: int) -> float:
        return self.ends(now)[0]

    def glide(self, now: int) -> float:
        del now
        return self.tape.values[self.back]


class Change(Ago):
    """Return now / a window ago - 1."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return value / past - 1.0 if past > 0 else UNKNOWN

    def glide(self, now: int) -> float:
        del now
        values = self.tape.values
        past = values[self.back]
        return values[-1] / past - 1.0 if past > 0 else UNKNOWN


class Drop(Ago):
    """Return how far it fell, 0 when it rose."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return max(1.0 - value / past, 0.0) if past > 0 else UNKNOWN

    def glide(self, now: int) -> float:
        del now
        values = self.tape.values
        past = values[self.back]
        return max(1.0 - values[-1] / past, 0.0) if past > 0 else UNKNOWN


class Rise(Ago):
    """Return how far it rose, 0 when it fell."""

    __slots__ = ()

    def read(self, now: int) -> float:
        past, value = self.ends(now)
        return max(value / past - 1.0, 0.0) if past > 0 else UNKNOWN

    def glide(self, now: int) -> float:
        del now
        values = self.tape.values
        past = values[self.back]
        return max(values[-1] / past - 1.0, 0.0) if past > 0 else UNKNOWN


class Age(Rolling):
    """Return the time since the last sample, in ns; infinite before the first."""

    __slots__ = ()

    def read(self, now: int) -> float:
        times = self.tape.times
        self.left = max(0, len(times) - 1)
        return float(now - times[-1]) if times else math.inf
