"""The kinds of time in a price history: falls, dips, calm, and what is closed to a study.

All by the fixed definition of the catalogue. Closed are months that are kept for a last look, and
February 2026, which was known when the shipped rules were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.events import month
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from riskguard.backtest.evidence.events import Catalogue, Fall

    Truths = NDArray[np.bool_]

__all__ = ["CALM", "DIP", "FALL", "KINDS", "coming", "kinds", "shut"]

KINDS = ("fall", "dip", "calm")
FALL, DIP, CALM = range(len(KINDS))


def kinds(listed: Catalogue, bars: int) -> NDArray[np.int8]:
    """Return of each bar whether it lies in a fall, else in a dip, else in neither.

    A fall or dip lasts from its high to its end.
    """
    found = np.full(bars, CALM, dtype=np.int8)
    for kind, runs in ((DIP, listed.dips), (FALL, listed.falls)):
        for one in runs:
            _span(found, one)[:] = kind
    return found


def _span(found: NDArray[np.int8], one: Fall) -> NDArray[np.int8]:
    return found[one.peak : one.end + 1]


def shut(ts: NDArray[np.int64], months: Iterable[str]) -> Truths:
    """Return which closes lie in the given months, written 2022-11."""
    wanted = set(months)
    days, place = np.unique(ts // DAY, return_inverse=True)
    inside = np.array([month(one * DAY) in wanted for one in days.tolist()], dtype=bool)
    found: Truths = inside[place]
    return found


def coming(
    ts: NDArray[np.int64],
    opens: NDArray[np.float64],
    closes: NDArray[np.float64],
    level: float,
    within: int,
) -> tuple[Truths, Truths]:
    """Return per bar whether a fall follows its fill, and whether the data tells so at all.

    The fill is at the next open; the fall is `level` (a share) below it, at a close that comes
    no more than `within` (ns) after the bar.
    """
    bars = ts.size
    if not bars:
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    first = np.arange(1, bars + 1)  # the close after the fill
    last = np.searchsorted(ts, ts + within, side="right")  # one behind the last that counts
    padded = np.append(closes, np.inf)
    pairs = np.stack((first, np.maximum(last, first)), axis=1)
    lows = np.where(last > first, np.minimum.reduceat(padded, pairs.ravel())[::2], np.inf)
    falls = np.append(lows[:-1] <= opens[1:] * (1 - level) * (1 + 1e-12), False)
    whole = ts + within <= ts[-1]
    return falls, (falls | whole) & (first < bars)
