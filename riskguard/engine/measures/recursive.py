"""Recursive indicators, begun anew over a finite tail at each close: ema, average true range.

A seed that depends on history would differ between a backtest and a restarted bot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.engine.windows import UNKNOWN, Rolling, drop_until

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RECURSIVE_SPANS", "Ema", "average_true_range", "exponential_mean"]

RECURSIVE_SPANS = 5  # the tail, in windows


class Ema(Rolling):
    """Return the exponential mean, begun anew over the last five windows."""

    __slots__ = ()
    reach = RECURSIVE_SPANS

    def read(self, now: int) -> float:
        tape = self.tape
        self.left = drop_until(tape.times, self.left, now - self.reach * self.span)
        if not self.filled(len(tape.times) - self.left, now):
            return UNKNOWN
        return exponential_mean(tape.values[self.left :], round(self.span / tape.interval))


def exponential_mean(values: Sequence[float], periods: int) -> float:
    """Return the mean with weight 2 / (periods + 1) on the newest, seeded with the oldest."""
    weight = 2.0 / (max(1, periods) + 1.0)
    mean = values[0]
    for value in values[1:]:
        mean += weight * (value - mean)
    return mean


def average_true_range(
    high: Sequence[float], low: Sequence[float], close: Sequence[float], periods: int
) -> float:
    """Return Wilder's average true range of the bars given, oldest first.

    The mean of the first `periods` true ranges is the seed (Wilder 1978).
    """
    ranges = [high[0] - low[0]]
    ranges += [
        max(top, before) - min(bottom, before)
        for top, bottom, before in zip(high[1:], low[1:], close[:-1], strict=True)
    ]
    mean = math.fsum(ranges[:periods]) / len(ranges[:periods])
    for value in ranges[periods:]:
        mean = (mean * (periods - 1) + value) / periods
    return mean
