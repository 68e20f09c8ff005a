"""The further figures of each run: growth, tails, efficiency, beside the nine of every report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.figures import (
    cagr,
    calmar,
    cvar,
    deepest_fall,
    exposure_of,
    price_of_insurance,
    rolling,
    sharpe,
    sortino,
    tail_ratio,
    ulcer,
    under_water,
    yearly_bars,
)
from riskguard.backtest.metrics import cdar
from riskguard.market import DAY

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.figures import DeepestFall

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
    fell: float  # days from peak to trough of the deepest fall
    recovered: float  # days from there until the peak was regained; NaN: not within the data
    switches: float  # out or back in, a year
    median_out: float  # days
    longest_out: float  # days
    insurance: float  # growth a year given up for a point of CDaR saved, against bare


def further(comparison: Comparison) -> dict[str, Further]:
    """Return the further figures of each run, from the close before the first fill on."""
    first, every = comparison.trading_from, comparison.every
    yearly, day = yearly_bars(every), max(1, DAY // every)
    bare, found = comparison.results["bare"].run.equity[first:], {}
    for name, result in comparison.results.items():
        path = result.run.equity[first:]
        returns, days = rolling(path, 1), rolling(path, day)
        below, held = under_water(path), exposure_of(result.exposure, every)
        fell, recovered = _ways(deepest_fall(path))
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
            fell=fell * every / DAY,
            recovered=recovered * every / DAY,
            switches=held.switches,
            median_out=held.median_out * every / DAY,
            longest_out=held.longest_out * every / DAY,
            insurance=price_of_insurance(
                cagr(path, yearly), cdar(path), cagr(bare, yearly), cdar(bare)
            ),
        )
    return found


def _ways(fall: DeepestFall | None) -> tuple[float, float]:
    """Return the bars down and back up; NaN for what there was not."""
    if fall is None:
        return math.nan, math.nan
    back = math.nan if fall.recovered is None else float(fall.recovered - fall.trough)
    return float(fall.trough - fall.peak), back
