"""The further figures of a path, its returns and its exposure, in plain numpy.

Returns are simple; a path begins with what there was before the first return. `yearly` is how
many returns make a year: 365 of days, 8,760 of hours. What cannot be measured is NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.metrics import drawdowns, max_drawdown
from riskguard.market import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.evidence.identity import Value
    from riskguard.backtest.evidence.paths import Paths

    Floats = NDArray[np.float64]

__all__ = [
    "DeepestFall",
    "Exposure",
    "UnderWater",
    "cagr",
    "calmar",
    "captured",
    "compounded",
    "cvar",
    "deepest_fall",
    "exposure_of",
    "price_of_insurance",
    "random_capture",
    "rolling",
    "sharpe",
    "sortino",
    "tail_ratio",
    "ulcer",
    "under_water",
    "yearly_bars",
]

MOST_GROWN = 1e6  # in a year; beyond it a few hours were taken for one
OUT = 1e-9  # less than this share of what is wanted is nothing


def yearly_bars(every: int) -> float:
    """Return how many bars of `every` ns make a year of 365 days."""
    return 365 * DAY / every


# ------------------------------------------------------------ exposure


class Exposure(NamedTuple):
    """How much was held, and how long nothing was; times in bars on which something is wanted."""

    mean: float
    out: float  # share of the time
    switches: float  # a year, out or back in
    median_out: float
    longest_out: int


def exposure_of(held: Floats, every: int) -> Exposure:
    """Return the figures of an exposure path; NaN in it, where nothing is wanted, is left out."""
    wanted = held[np.isfinite(held)]
    if not wanted.size:
        return Exposure(math.nan, math.nan, math.nan, 0.0, 0)
    out = wanted < OUT
    lengths = _lengths(out)
    switches = float(np.count_nonzero(out[1:] != out[:-1]))
    return Exposure(
        mean=float(wanted.mean()),
        out=float(out.mean()),
        switches=switches * yearly_bars(every) / wanted.size,
        median_out=float(np.median(lengths)) if lengths.size else 0.0,
        longest_out=int(lengths.max(initial=0)),
    )


def _lengths(on: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how long each stretch of true ones is."""
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    found: NDArray[np.int64] = edges[1::2] - edges[::2]
    return found


# ------------------------------------------------------------ value


def captured(value: Value) -> float:
    """Return avoided / (avoided + missed): which part of what was not held was loss."""
    whole = value.avoided + value.missed
    return value.avoided / whole if whole else math.nan


def random_capture(paths: Paths) -> float:
    """Return what a random time out captures: losses / (losses + gains) of the bare run."""
    wanted = paths.r[paths.wanted]
    whole = float(np.abs(wanted).sum())
    return float(np.maximum(-wanted, 0.0).sum()) / whole if whole else math.nan


# ------------------------------------------------------------ drawdown


class UnderWater(NamedTuple):
    """Time below an earlier peak: share of the points, and the longest stretch of them."""

    share: float
    longest: int


class DeepestFall(NamedTuple):
    """The deepest fall by its points: peak, trough, and the first that is no lower than the peak.

    Under independent normal returns the way back takes about three times as long as the fall
    (Bailey, Lopez de Prado 2014, "triple penance").
    """

    peak: int
    trough: int
    recovered: int | None  # None: not within the path


def under_water(path: Floats) -> UnderWater:
    """Return how long a path stood below its peak."""
    below = drawdowns(path) > 0
    share = float(below.mean()) if below.size else math.nan
    return UnderWater(share, int(_lengths(below).max(initial=0)))


def deepest_fall(path: Floats) -> DeepestFall | None:
    """Return where the deepest fall began, ended and was regained; None for a path without one."""
    falls = drawdowns(path)
    if not falls.size or falls.max() <= 0:
        return None
    trough = int(falls.argmax()) + 1
    peak = int(path[: trough + 1].argmax())
    later = np.flatnonzero(path[trough:] >= path[peak])
    return DeepestFall(peak, trough, trough + int(later[0]) if later.size else None)


def ulcer(path: Floats) -> float:
    """Return the root of the mean squared drawdown over all points after the first."""
    falls = drawdowns(path)
    return math.sqrt(float(np.mean(falls**2))) if falls.size else math.nan


# ------------------------------------------------------------ tail


def cvar(returns: Floats, share: float) -> float:
    """Return minus the mean of the floor((T - 1) share) + 1 smallest returns."""
    if not returns.size:
        return math.nan
    last = int((returns.size - 1) * share)
    return -float(np.partition(returns, last)[: last + 1].mean())


def rolling(path: Floats, bars: int) -> Floats:
    """Return the return over each stretch of so many bars."""
    starts = path[:-bars]
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(starts > 0, path[bars:] / starts - 1.0, np.nan)
    return found[np.isfinite(found)]


def tail_ratio(returns: Floats) -> float:
    """Return |95th percentile| / |5th percentile| of the returns."""
    if not returns.size:
        return math.nan
    low, high = np.abs(np.percentile(returns, (5, 95)))
    return float(high / low) if low else math.nan


# ------------------------------------------------------------ efficiency


def cagr(path: Floats, yearly: float) -> float:
    """Return the growth a year, compounded; -1 for a path that ended with nothing."""
    if path.size < 2:
        return math.nan
    return compounded(float(path[-1] / path[0]), yearly / (path.size - 1))


def compounded(grown: float, times: float) -> float:
    """Return the growth of what grows so so many times in a row; -1 where nothing is left.

    NaN above a millionfold: a few hours of minutes can grow to more in a year than a float holds.
    """
    try:
        found = max(grown, 0.0) ** times
    except OverflowError:
        return math.nan
    return found - 1.0 if found <= MOST_GROWN else math.nan


def sharpe(returns: Floats, yearly: float) -> float:
    """Return mean / deviation (n - 1), a year."""
    if returns.size < 2:
        return math.nan
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(yearly) if deviation else math.nan


def sortino(returns: Floats, yearly: float) -> float:
    """Return mean / root of the mean squared loss over all returns, a year."""
    if not returns.size:
        return math.nan
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * math.sqrt(yearly) if downside else math.nan


def calmar(path: Floats, yearly: float) -> float:
    """Return the growth a year over the deepest drawdown."""
    deepest = max_drawdown(path)
    return cagr(path, yearly) / deepest if deepest else math.nan


def price_of_insurance(growth: float, deep: float, bare_growth: float, bare_deep: float) -> float:
    """Return the growth a year given up for each point of CDaR saved; NaN where none was saved."""
    saved = bare_deep - deep
    return (bare_growth - growth) / saved if saved > 0 else math.nan
