"""Recursive indicators, begun anew over a finite tail at each close: ema, average true range.

A seed that depends on history would differ between a backtest and a restarted bot.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from riskguard.engine.windows import UNKNOWN, Rolling, bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.engine.windows import Tape

__all__ = ["RECURSIVE_SPANS", "Atr", "Ema", "average_true_range", "exponential_mean"]

RECURSIVE_SPANS = 5  # the tail, in windows


class Ema(Rolling):
    """Return the exponential mean, begun anew over the last five windows."""

    __slots__ = ()
    reach = RECURSIVE_SPANS

    def read(self, now: int) -> float:
        tape = self.tape
        self.left = bisect_right(tape.times, now - self.reach * self.span, self.left)
        if not self.filled(len(tape.times) - self.left, now):
            return UNKNOWN
        values = tape.values[self.left :]
        return exponential_mean(values, len(values) / self.reach)


class Atr(Rolling):
    """Return Wilder's average true range of the bars, begun anew over the last five windows."""

    __slots__ = ("bars",)
    reach = RECURSIVE_SPANS

    def __init__(self, close: Tape, span: int, beside: Sequence[Tape]) -> None:
        super().__init__(close, span)
        self.bars = (*beside, close)  # high, low, close
        for tape in beside:
            tape.keep = max(tape.keep, close.keep)

    def seen(self, now: int) -> int:
        since = [now - tape.start if tape.first is not None else 0 for tape in self.bars]
        return max(0, min(self.need, *since))

    def known(self, now: int) -> bool:
        """Say whether there is a range at `now`."""
        if self.seen(now) < self.need:
            return False
        cut, close = now - self.need, self.bars[-1]
        held = len(close.times) - bisect_right(close.times, cut)
        if held != self.lag * self.reach:
            return self.tails(now) is not None
        for tape in self.bars:  # bar after bar without a hole: they need not be looked at
            if tape.clock.run < held or tape.last != close.last:
                return self.tails(now) is not None
        return True

    def tails(self, now: int) -> list[list[float]] | None:
        """Return high, low and close of the bars in the window; None while unknown."""
        if self.seen(now) < self.need:
            return None
        first, *others = found = [bars(tape, now - self.need) for tape in self.bars]
        if len(first[0]) < self.whole or any(times != first[0] for times, _ in others):
            return None
        return [values for _, values in found]

    def place(self) -> int:
        return len(self.tape.times)  # `keep` holds what the next reading needs

    def moved(self, gone: int) -> None:
        """Nothing is remembered of the tape."""

    def read(self, now: int) -> float:
        found = self.tails(now)
        if found is None:
            return UNKNOWN
        high, low, close = found
        return average_true_range(high, low, close, round(self.span / self.tape.interval))


def exponential_mean(values: Sequence[float], periods: float) -> float:
    """Return the mean with weight 2 / (periods + 1) on the newest, seeded with the oldest."""
    weight = 2.0 / (max(1.0, periods) + 1.0)
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
    periods = max(1, periods)  # a window of less than half a bar
    seed = ranges[:periods]
    mean = 0.0
    for value in seed:  # not sum(): from Python 3.12 on it rounds differently
        mean += value
    mean /= len(seed)
    for value in ranges[len(seed) :]:
        mean = (mean * (periods - 1) + value) / periods
    return mean
