"""What simple peers look at: known at each close, and from that close and earlier ones alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # pandas ships no types

from riskguard.market import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

__all__ = ["above_average", "daily", "favourable", "trailing", "volatility"]

MEMORY = 0.94  # of the variance, a day (RiskMetrics 1996)


def favourable(closes: Floats, side: Floats | None) -> Floats:
    """Return the price as the wanted position sees it: it rises with what the position gains.

    `side` is that of the last bars, one value each: -1 for a short. Where nothing is wanted it is
    as before, and before the first position as in that.
    """
    if side is None or not (side < 0).any():
        return closes
    signs = np.concatenate((np.zeros(closes.size - side.size), side))
    first = int(np.flatnonzero(signs)[0])
    last = np.maximum.accumulate(np.where(signs != 0, np.arange(signs.size), first))
    steps = np.append(0.0, np.diff(np.log(closes)))
    seen: Floats = np.exp(np.cumsum(signs[last] * steps))
    return seen


def daily(found: Truths, closes: NDArray[np.int64], every: int) -> Truths:
    """Return what was found at the first close from each midnight UTC on, held until the next.

    `closes` are the stamps of bars of `every` (ns); true before the first.
    """
    ends = closes % DAY < every
    last = np.maximum.accumulate(np.where(ends, np.arange(found.size), -1))
    held: Truths = (last < 0) | found[last]
    return held


def volatility(closes: Floats, every: int) -> Floats:
    """Return the deviation of a bar's return by an exponential average; NaN at the first close."""
    squares = np.append(np.nan, np.diff(closes) / closes[:-1]) ** 2
    alpha = 1.0 - MEMORY ** (every / DAY)
    averaged = pd.Series(squares).ewm(alpha=alpha, adjust=True).mean()
    deviation: Floats = np.sqrt(averaged.to_numpy(dtype=np.float64))
    return deviation


def above_average(closes: Floats, bars: int) -> Truths:
    """Say where a close is not below the average of the last `bars`; true until it is known."""
    summed = np.append(0.0, np.cumsum(closes))
    found = np.ones(closes.size, dtype=bool)
    if bars <= closes.size:
        found[bars - 1 :] = closes[bars - 1 :] >= (summed[bars:] - summed[:-bars]) / bars
    return found


def trailing(closes: Floats, distance: float) -> Truths:
    """Say where a trailing stop is in.

    It leaves `distance` below the highest close since it came in, and comes back the same
    distance above the lowest since it left.
    """
    found, inside = [], True
    fall, rise = 1.0 - distance, 1.0 + distance
    prices = closes.tolist()
    extreme = prices[0] if prices else 0.0
    for price in prices:
        if inside:
            if price > extreme:
                extreme = price
            elif price <= extreme * fall:
                inside, extreme = False, price
        elif price < extreme:
            extreme = price
        elif price >= extreme * rise:
            inside, extreme = True, price
        found.append(inside)
    return np.array(found, dtype=bool)
