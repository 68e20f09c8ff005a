"""Columns of what is begun anew over a finite tail at each instant: ema, average true range.

The recurrence runs once, over all instants side by side: step k takes the k-th sample of every
tail, so that each of them sees the operations of the step in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.states import kind_of
from riskguard.history.columns.tape import TapeColumn, filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskguard.engine.windows import Window

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["exponential", "ranges"]


def exponential(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    """Return the column of ema."""
    low, high = tape.upto(now - kind_of(window).reach * window.span), tape.upto(now)
    held = high - low
    good = np.flatnonzero(filled(window, tape, held, now, tape.start) & (held > 0))
    out = np.full(now.size, np.nan)
    if not good.size:
        return out
    first, count = low[good], held[good]
    weight = 2.0 / (np.maximum(1.0, count / kind_of(window).reach) + 1.0)
    mean = tape.values[first]
    for step in range(1, int(count.max())):
        inside = step < count
        value = tape.values[np.where(inside, first + step, first)]
        mean = np.where(inside, mean + weight * (value - mean), mean)
    out[good] = mean
    return out


def ranges(window: Window, tapes: Sequence[TapeColumn], now: Ints) -> Floats | None:
    """Return the column of atr: tapes are close, high, low; None where they are not of one bar."""
    close, high, low = tapes
    out = np.full(now.size, np.nan)
    if not all(tape.times.size for tape in tapes):
        return out
    if any(not np.array_equal(tape.times, close.times) for tape in (high, low)):
        return None
    if (np.diff(close.times) < close.interval).any():
        return None
    need = window.span * kind_of(window).reach
    known = np.ones(now.size, bool)
    counts = [tape.upto(now) - tape.upto(now - need) for tape in tapes]
    for tape, held in zip(tapes, counts, strict=True):
        known &= (now >= tape.first) & (now - tape.start >= need) & (held == counts[0])
    good = np.flatnonzero(known & filled(window, close, counts[0], now, close.start))
    if not good.size:
        return out
    count = counts[0][good]
    begin = [tape.upto(now[good] - need) for tape in (high, low, close)]
    periods = max(1, round(window.span / close.interval))
    mean = total = high.values[begin[0]] - low.values[begin[1]]
    for step in range(1, int(count.max())):
        inside = step < count
        at = [np.where(inside, one + step, one) for one in begin]
        before = close.values[np.where(inside, begin[2] + step - 1, begin[2])]
        top, bottom = high.values[at[0]], low.values[at[1]]
        value = np.maximum(top, before) - np.minimum(bottom, before)
        if step < periods:
            total = np.where(inside, total + value, total)
            mean = total / np.minimum(step + 1, count)
        else:
            mean = np.where(inside, (mean * (periods - 1) + value) / periods, mean)
    out[good] = mean
    return out
