"""What every test of evidence rests on: returns of the bare run, and what share of it was held.

The share held may be replaced by any other (of a peer, of a placebo): it earns what the bare run
earned, times the share, less the costs of changing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.accounts import account_of
from riskguard.market import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.runs import Costs

    Floats = NDArray[np.float64]

__all__ = ["Paths", "cost_rate"]

# slippage as a share of the bar's range, for exits happen when spreads are wide: not measured yet
OF_RANGE = 0.0


def cost_rate(costs: Costs, spread: Floats) -> Floats:
    """Return what trading costs in each bar, as a share of the value traded.

    `spread` is the range of the bar as a share of its price.
    """
    rate: Floats = costs.fee + np.maximum(costs.slippage, OF_RANGE * spread)
    return rate


@dataclass(frozen=True, eq=False)
class Paths:
    """One value for each bar on which something may be held, from its open to the next.

    `x` in [0, 1] is the held share of what is wanted, NaN where nothing is wanted; `k` the cost
    of changing it by 1, as a share of the bare run's equity.
    """

    ts: NDArray[np.int64]  # closes, ns UTC
    r: Floats  # simple return of the bare run, funding and its own costs included
    x: Floats
    k: Floats
    wanted: NDArray[np.bool_]
    every: int  # ns
    leverage: float = 1.0
    side: Floats | None = None  # 1 where a long is wanted, -1 where a short; None: longs only

    @classmethod
    def of(cls, comparison: Comparison) -> Paths:
        """Return the paths of a comparison, of its guarded run."""
        first = comparison.trading_from + 1
        bare = account_of(comparison, "bare")
        x = comparison.results["guarded"].exposure[first:]
        bars = comparison.history.bars(comparison.symbol)
        opens, spread = bars.open[first:], (bars.high - bars.low)[first:]
        before, after = bare.equity[:-1], bare.equity[1:]
        there = before > 0  # who lost all earns nothing, and trades nothing
        worth = np.where(there, before, 1.0)
        return cls(
            ts=comparison.ts[first:],
            r=np.where(there, after / worth - 1.0, 0.0),
            x=x,
            k=cost_rate(comparison.costs, spread / opens)
            * np.where(there, np.abs(bare.held) * opens / worth, 0.0),
            wanted=np.isfinite(x),
            every=comparison.every,
            leverage=comparison.leverage,
            side=np.sign(comparison.results["bare"].run.wanted[first:]),
        )

    @cached_property
    def g(self) -> Floats:
        """The guarded return: x r - k |dx|; r where nothing is wanted."""
        return self.returns(self.x)

    @cached_property
    def mean_exposure(self) -> float:
        """The mean of x over the bars on which something is wanted; NaN where there are none."""
        return self.mean(self.x)

    @property
    def years(self) -> float:
        """The time in which something is wanted, in years of 365 days."""
        return int(self.wanted.sum()) * self.every / (365 * DAY)

    def mean(self, exposure: Floats) -> float:
        """Return the mean of an exposure over the bars on which something is wanted."""
        return float(exposure[self.wanted].mean()) if self.wanted.any() else float("nan")

    def turnover(self, exposure: Floats) -> Floats:
        """Return |dx| per bar of one exposure, or of many in rows.

        The entry of the strategy itself and its exit are no change: their costs are in `r`.
        """
        change = np.zeros(exposure.shape)
        stays = self.wanted[1:] & self.wanted[:-1]
        moved = np.abs(exposure[..., 1:] - exposure[..., :-1])
        change[..., 1:] = np.where(stays, moved, 0.0)
        return change

    def returns(self, exposure: Floats) -> Floats:
        """Return what one exposure earns per bar, or many in rows, after costs."""
        held = np.where(self.wanted, exposure, 1.0)
        earned: Floats = held * self.r - self.k * self.turnover(held)
        return earned

    def equity(self, exposure: Floats) -> Floats:
        """Return the path of 1 held at an exposure: it begins at 1 and has a point more."""
        first = np.ones((*exposure.shape[:-1], 1))
        grown = np.cumprod(1.0 + self.returns(exposure), axis=-1)
        return np.concatenate((first, grown), axis=-1)
