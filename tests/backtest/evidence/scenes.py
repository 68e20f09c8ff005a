"""Days made by hand, as a study looks at them, and when a rule is on in them."""

from __future__ import annotations

import numpy as np

from riskguard.backtest.evidence.answers import Scene
from riskguard.backtest.evidence.events import catalogue
from riskguard.backtest.evidence.windows import kinds
from riskguard.history.history import Bars
from riskguard.history.stamps import instant
from riskguard.market import DAY

START = instant("2021-01-01T00:00Z")
LEVEL, WITHIN, COST = 0.10, 5 * DAY, 0.001


def scene(closes: list[float], *, first: int = 0, closed: list[int] | None = None) -> Scene:
    """Return days whose opens are the closes before them."""
    close = np.array(closes, dtype=np.float64)
    before = np.concatenate((close[:1], close[:-1]))
    ts = START + DAY * np.arange(1, close.size + 1, dtype=np.int64)
    high, low = np.maximum(before, close), np.minimum(before, close)
    shut_ = np.zeros(close.size, dtype=bool)
    shut_[closed or []] = True
    bars = Bars(ts, before, high, low, close, np.full(close.size, 5.0))
    listed = catalogue(ts, close, LEVEL, WITHIN)
    return Scene(bars, DAY, first, shut_, kinds(listed, close.size), LEVEL, WITHIN, COST)


def on(size: int, *spans: tuple[int, int]) -> np.ndarray:
    found = np.zeros(size, dtype=bool)
    for begun, over in spans:
        found[begun:over] = True
    return found


# a fall of 30 % from bar 4 to bar 9, then calm at 90
FELL = [100, 100, 100, 100, 100, 95, 88, 80, 75, 70, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90]
