"""The account of one run, bar by bar from open to open: what prices gave and what trading cost.

Bar t lasts from its open to the next one; the last to its close. Where the bare run holds
nothing after an open, what is paid at that open ends the bar before: leaving a position belongs
to having had it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.runs import Run

    Floats = NDArray[np.float64]

__all__ = ["Account", "account_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Money of one run per bar; `equity` has one value more: at each open, and at the last close.

    equity[t + 1] - equity[t] = gross[t] - costs[t].
    """

    held: Floats  # units from the open of the bar on
    step: Floats  # change of the price over the bar
    gross: Floats  # what prices gave, funding and what a venue bore included
    costs: Floats  # fees, and slippage at the open
    stopped: NDArray[np.bool_]  # the guard itself traded inside the bar, not at its open
    equity: Floats


def account_of(comparison: Comparison, name: str) -> Account:
    """Return the account of a run from the first bar on which something may be held."""
    run, first = comparison.results[name].run, comparison.trading_from + 1
    bars, size = comparison.history.bars(comparison.symbol), run.equity.size
    end = size if run.bars is None else run.bars
    # a strategy that ended the run saw no next open
    after = np.append(
        np.where(np.arange(1, size) < end, bars.open[1:], bars.close[:-1]), bars.close[-1]
    )
    step = after - bars.open

    fills = _Fills.of(run)
    inside = ~fills.at_open
    gains = fills.units * (after[fills.bar] - fills.price)
    slips = np.where(inside, 0.0, fills.units * (fills.price - bars.open[fills.bar]))
    paid = fills.fee + slips
    gross = run.held * step + fills.per_bar(inside, gains + fills.borne, size)
    if run.charged is not None:
        gross -= run.charged

    # what is paid at an open where the bare run then holds nothing ends the bar before
    flat = comparison.results["bare"].run.held == 0
    flat[: first + 1] = False
    ending = fills.at_open & flat[fills.bar]
    ends = fills.per_bar(ending, paid, size)
    borne = fills.per_bar(fills.at_open, fills.borne, size)
    costs = fills.per_bar(~ending, paid, size) + np.append(ends[1:], 0.0)
    gross += np.append(borne[1:], 0.0)

    gap = run.position[:-1] * (after[:-1] - bars.close[:-1])
    opened = np.append(np.nan, run.equity[:-1] + gap) - ends + borne
    return Account(
        held=run.held[first:],
        step=step[first:],
        gross=gross[first:],
        costs=costs[first:],
        stopped=fills.per_bar(inside & fills.own, np.ones(inside.size), size)[first:] > 0,
        equity=np.append(opened[first:], run.equity[-1]),
    )


class _Fills(NamedTuple):
    """The fills of a run as columns."""

    bar: NDArray[np.int64]
    units: Floats
    price: Floats
    fee: Floats
    at_open: NDArray[np.bool_]
    own: NDArray[np.bool_]  # of the guard
    borne: Floats  # by the venue, of a liquidation beyond all equity

    @classmethod
    def of(cls, run: Run) -> _Fills:
        rows = [(fill.bar, fill.size, fill.price, fill.fee) for fill in run.fills]
        bar, units, price, fee = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        forced = (lost.shortfall for lost in run.liquidations)
        borne = [next(forced, 0.0) if fill.own == "liquidation" else 0.0 for fill in run.fills]
        return cls(
            bar.astype(np.int64),
            units,
            price,
            fee,
            np.array([fill.at_open for fill in run.fills], dtype=bool),
            np.array([fill.own == "guard" for fill in run.fills], dtype=bool),
            np.array(borne, dtype=np.float64),
        )

    def per_bar(self, which: NDArray[np.bool_], amounts: Floats, bars: int) -> Floats:
        """Return the sum of some fills' amounts in every bar."""
        return np.bincount(self.bar[which], amounts[which], bars).astype(np.float64, copy=False)
