"""Bars joined to few enough candles to be drawn, so that no extreme and no alarm is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.market import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MOST", "Candles"]

MOST = 20_000  # candles of a page
# what people call a candle; others are drawn only where these do not fit
SPANS = (
    *(count * MINUTE for count in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(count * HOUR for count in (1, 2, 3, 4, 6, 8, 12)),
    *(count * DAY for count in (1, 2, 3, 7)),
)


@dataclass(frozen=True)
class Candles:
    """Which bars make which candle: `firsts` and `lasts` are bar numbers, `span` is in ns.

    Candles begin at whole multiples of their span (UTC), as bars do; a gap stays a gap.

    >>> hours = Candles.of(np.arange(1, 7) * HOUR, HOUR, most=3)
    >>> hours.highest(np.array([1.0, 5.0, 2.0, np.nan, 3.0, 4.0]))
    array([5., 2., 4.])
    """

    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    span: int

    @classmethod
    def of(cls, ts: NDArray[np.int64], every: int, most: int = MOST) -> Candles:
        """Join bars that close at `ts` (ns, ascending) to at most `most` candles."""
        if not len(ts):
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, every)
        if len(ts) <= most:
            numbers = np.arange(len(ts))
            return cls(numbers, numbers, every)
        joined = (span for span in SPANS if span > every and span % every == 0)
        fitting = (span for span in joined if len(_edges(ts, span)) <= most)
        span = next(fitting, 0) or _coarsest(ts, every, most)
        firsts = _edges(ts, span)
        return cls(firsts, np.append(firsts[1:], len(ts)) - 1, span)

    def __len__(self) -> int:
        return len(self.firsts)

    def first(self, values: Floats) -> Floats:
        """Return the value of the first bar of each candle: the open."""
        return values[self.firsts]

    def last(self, values: Floats) -> Floats:
        """Return the value of the last bar of each candle: close, equity, a level."""
        return values[self.lasts]

    def highest(self, values: Floats) -> Floats:
        """Return the highest value of each candle, NaN only where nothing is known."""
        return np.fmax.reduceat(values, self.firsts) if len(self) else values[:0]

    def lowest(self, values: Floats) -> Floats:
        """Return the lowest value of each candle, NaN only where nothing is known."""
        return np.fmin.reduceat(values, self.firsts) if len(self) else values[:0]

    def total(self, values: Floats) -> Floats:
        """Return the sum of each candle, NaN only where nothing is known."""
        if not len(self):
            return values[:0]
        known = np.isfinite(values)
        sums = np.add.reduceat(np.where(known, values, 0.0), self.firsts)
        return np.where(np.logical_or.reduceat(known, self.firsts), sums, np.nan)

    def strictest(self, levels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the highest level of each candle: an alarm of one bar stays visible."""
        return np.maximum.reduceat(levels, self.firsts) if len(self) else levels[:0]

    def at(self, bars: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the candle each bar is part of."""
        return np.searchsorted(self.firsts, bars, side="right") - 1


def _edges(ts: NDArray[np.int64], span: int) -> NDArray[np.int64]:
    """Return the first bar of each candle; a bar that closes on a multiple ends its candle."""
    pieces = (ts - 1) // span
    return np.concatenate(([0], np.flatnonzero(np.diff(pieces)) + 1)).astype(np.int64)


def _coarsest(ts: NDArray[np.int64], every: int, most: int) -> int:
    span = every * -(-len(ts) // most)
    while len(_edges(ts, span)) > most:
        span += every
    return span
