"""Histories without foresight: a real one drawn anew in short blocks, all its inputs together.

Bars keep their shape and every input the bar it stood beside, so that rules still fire; what
followed what beyond a block is lost. Prices and amounts go on by their changes, flows, rates and
indices are taken as they were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.bootstrap import stationary
from riskguard.history.series import BARS
from riskguard.market import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.history import History, Series

    Floats = NDArray[np.float64]
    Bars = NDArray[np.int64]

__all__ = ["BLOCK", "surrogate"]

BLOCK = DAY  # mean length of a block: within it an answer may be left to what went before
CHAINED = ("price", "usd", "coins", "contracts", "count")


def surrogate(history: History, chance: np.random.Generator) -> History:
    """Return a history as long as the given one, its bars drawn in blocks of a day in the mean."""
    ts = history.bars().ts
    block = max(1.0, BLOCK / history.every)
    drawn = stationary(len(ts) - 1, block, 1, chance)[0] + 1  # the first bar has no bar before it
    source = np.concatenate(([0], drawn))[: len(ts)]
    made = {
        key: replace(one, values=_redrawn(history, one, _places(one, ts, source)))
        for key, one in history.series.items()
        if len(one.times)
    }
    return replace(history, series={**history.series, **made})


def _places(series: Series, ts: Bars, source: Bars) -> Bars:
    """Return for each value of a series the number of the one that takes its place."""
    events = series.events
    bar = np.minimum(np.searchsorted(ts, events, side="left"), len(ts) - 1)
    moved = events - ts[bar] + ts[source[bar]]
    return np.clip(np.searchsorted(events, moved, side="right") - 1, 0, len(events) - 1)


def _redrawn(history: History, series: Series, places: Bars) -> Floats:
    """Return the values of a series drawn anew."""
    if series.name in BARS and series.name != "volume":
        closes = history.series[f"{series.symbol}.close"]
        path = _chained(closes.values, places)
        if series.name == "close":
            return path
        before = closes.values[np.maximum(places - 1, 0)]
        shape = np.where(places > 0, series.values[places] / before, 1.0)
        found: Floats = np.concatenate((path[:1], path[:-1])) * shape
        found[0] = series.values[0]
        return found
    level = series.spec.kind == "level" and series.spec.unit in CHAINED
    if level and bool((series.values > 0).all()):
        return _chained(series.values, places)
    drawn: Floats = series.values[places]
    return drawn


def _chained(values: Floats, places: Bars) -> Floats:
    """Return a path that begins as `values` do and changes as they did at each place."""
    before = values[np.maximum(places - 1, 0)]
    steps = np.where(places > 0, np.log(values[places] / before), 0.0)
    steps[0] = 0.0
    path: Floats = values[0] * np.exp(np.cumsum(steps))
    return path
