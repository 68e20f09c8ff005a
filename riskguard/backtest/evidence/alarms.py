"""How good alarms are: what a false one costs against what a hit brings."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Counts", "break_even"]


def break_even(benefit: float, cost: float) -> float:
    """Return the precision at which hits pay for false alarms: C / (C + B).

    `benefit` is the mean of a hit, `cost` the mean of a false alarm.
    """
    whole = benefit + cost
    return cost / whole if whole > 0 else math.nan


class Counts(NamedTuple):
    """Bars by whether an alarm was on and an event came; NaN where there is nothing to divide."""

    hits: int
    false: int
    missed: int
    quiet: int

    @property
    def precision(self) -> float:
        """Which part of the alarms was followed by an event."""
        return _ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Which part of the events had an alarm."""
        return _ratio(self.hits, self.hits + self.missed)

    def loss(self, weight: float) -> float:
        """Return m P1 T1 + (1 - m) P2 T2 for the weight m of a missed event.

        P1 is the share of event bars, T1 of these without alarm; P2 and T2 of the others.
        """
        shares = self._shares()
        first = weight * shares[0] * _ratio(self.missed, self.hits + self.missed)
        return first + (1 - weight) * shares[1] * _ratio(self.false, self.false + self.quiet)

    def usefulness(self, weight: float) -> float:
        """Return what the alarms save of the loss of the better of always and never (Sarlin 2013).

        1 is perfect, 0 no better than none; below 0 they do harm.
        """
        shares = self._shares()
        blind = min(weight * shares[0], (1 - weight) * shares[1])
        return (blind - self.loss(weight)) / blind if blind > 0 else math.nan

    def _shares(self) -> tuple[float, float]:
        bars = sum(self)
        return _ratio(self.hits + self.missed, bars), _ratio(self.false + self.quiet, bars)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
