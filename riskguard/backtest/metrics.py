"""The nine figures of a run, in plain numpy.

An equity path begins with what the account held before the first trade: that point is part of
the path. Drawdowns are positive shares of the peak so far; returns are simple.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.market import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.runs import Run

__all__ = [
    "Metrics",
    "cdar",
    "daily_returns",
    "drawdowns",
    "max_drawdown",
    "mean_exposure",
    "measure",
    "time_out",
    "total_return",
    "worst_day",
]

# a position smaller than this share of the wanted one is dust, not a position
OUT = 1e-9


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one run: money in dollars, all others but `trades` as shares (0.1 is 10 %)."""

    end_equity: float
    total_return: float
    max_drawdown: float
    cdar_95: float
    worst_day: float
    mean_exposure: float
    time_out: float
    trades: int
    fees: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Return plain numbers by name; what could not be measured is None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }


def total_return(path: NDArray[np.float64]) -> float:
    """Return last / first - 1 of an equity path."""
    return float(path[-1] / path[0] - 1.0)


def drawdowns(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 - equity / peak so far for every point after the first."""
    falls: NDArray[np.float64] = 1.0 - path / np.maximum.accumulate(path)
    return falls[1:]


def max_drawdown(path: NDArray[np.float64]) -> float:
    """Return the deepest fall from a peak, as a share of it; 0 for a path that never fell."""
    return float(drawdowns(path).max(initial=0.0))


def cdar(path: NDArray[np.float64], level: float = 0.95) -> float:
    """Return the mean of the worst (1 - level) of drawdowns, the last one weighted.

    Chekhlov, Uryasev, Zabarankin (2005): with K = (1 - level) T and k = ceil(K) - 1 it is the
    sum of the k worst plus (K - k) times the next, over K. NaN for a path of one point.
    """
    falls = np.sort(drawdowns(path))[::-1]
    if not len(falls):
        return math.nan
    share = (1.0 - level) * len(falls)
    # 0.05 * 20 is 1.0000000000000009: not two drawdowns
    whole = max(0, math.ceil(share - 1e-9) - 1)
    return float((falls[:whole].sum() + (share - whole) * falls[whole]) / share)


def daily_returns(ts: NDArray[np.int64], path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the return of each UTC day with money at its beginning.

    `ts` are closes (ns), one for each point; a bar that closes at 00:00 belongs to the day
    before. The first point is the start.
    """
    days = (ts[1:] - 1) // DAY
    last = np.flatnonzero(np.append(days[1:] != days[:-1], True)[: len(days)])
    ends = path[1:][last]
    starts = np.concatenate((path[:1], ends[:-1]))[: len(ends)]
    funded = starts > 0
    found: NDArray[np.float64] = ends[funded] / starts[funded] - 1.0
    return found


def worst_day(ts: NDArray[np.int64], path: NDArray[np.float64]) -> float:
    """Return the lowest return of a UTC day; NaN where none had money at its beginning."""
    days = daily_returns(ts, path)
    return float(days.min()) if days.size else math.nan


def mean_exposure(exposure: NDArray[np.float64]) -> float:
    """Return the mean of held / wanted over the bars on which something is wanted (not NaN)."""
    wanted = exposure[np.isfinite(exposure)]
    return float(wanted.mean()) if len(wanted) else math.nan


def time_out(exposure: NDArray[np.float64]) -> float:
    """Return the share of the bars with something wanted on which nothing was held."""
    wanted = exposure[np.isfinite(exposure)]
    return float((np.abs(wanted) < OUT).mean()) if len(wanted) else math.nan


def measure(
    run: Run,
    exposure: NDArray[np.float64],
    ts: NDArray[np.int64],
    start: int,
    stop: int | None = None,
) -> Metrics:
    """Return the figures of bars `start` (the last one before the first fill) to `stop`, excluded.

    `ts` are the closes of all bars; without `stop` the run is measured to its end.
    """
    stop = len(ts) if stop is None else stop
    path = run.equity[start:stop]
    last = int(ts[stop - 1])
    fills = [fill for fill in run.fills if fill.ts <= last]
    return Metrics(
        end_equity=float(path[-1]),
        total_return=total_return(path),
        max_drawdown=max_drawdown(path),
        cdar_95=cdar(path),
        worst_day=worst_day(ts[start:stop], path),
        mean_exposure=mean_exposure(exposure[start:stop]),
        time_out=time_out(exposure[start:stop]),
        trades=len(fills),
        fees=math.fsum(fill.fee for fill in fills),
    )
