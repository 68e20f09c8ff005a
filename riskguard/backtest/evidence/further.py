"""The further figures of each run: growth, tails, efficiency, beside the nine of every report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.figures import (
    cagr,
    calmar,
    cvar,
    rolling,
    sharpe,
    sortino,
    tail_ratio,
    ulcer,
    under_water,
    yearly_bars,
)
from riskguard.market import DAY

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison

__all__ = ["Further", "further"]


class Further(NamedTuple):
    """Figures of one run; NaN is what cannot be measured, as after an equity of nothing."""

    cagr: float
    sharpe: float
    sortino: float
    calmar: float
    ulcer: float
    cvar_5: float  # of returns over 24 h, rolling; of a bar where bars are longer
    cvar_1: float
    tail_ratio: float
    under_water: float  # share of the time
    longest_under_water: float  # days


def further(comparison: Comparison) -> dict[str, Further]:
    """Return the further figures of each run, from the close before the first fill on."""
    first, every = comparison.trading_from, comparison.every
    yearly, day = yearly_bars(every), max(1, DAY // every)
    found = {}
    for name, result in comparison.results.items():
        path = result.run.equity[first:]
        returns, days = rolling(path, 1), rolling(path, day)
        below = under_water(path)
        found[name] = Further(
            cagr=cagr(path, yearly),
            sharpe=sharpe(returns, yearly),
            sortino=sortino(returns, yearly),
            calmar=calmar(path, yearly),
            ulcer=ulcer(path),
            cvar_5=cvar(days, 0.05),
            cvar_1=cvar(days, 0.01),
            tail_ratio=tail_ratio(days),
            under_water=below.share,
            longest_under_water=below.longest * every / DAY,
        )
    return found
