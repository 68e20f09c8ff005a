"""Columns of the measures: the value of one window at every decision instant.

`times` and `values` are the samples of a tape, `now` the instants; all int64 ns, ascending.
Unknown is NaN. Sums are int64 cumulative sums, whose differences are exact even where the
running total wraps, as long as no window can hold more than int64: that is proved first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskguard.engine.measures.baselines import FLAT
from riskguard.engine.states import state_of
from riskguard.engine.windows import NEVER, Tape, Window
from riskguard.history.columns.tails import exponential, ranges
from riskguard.history.columns.tape import TapeColumn, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from riskguard.engine.windows import Rolling

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["measure", "stepped"]

EXACT = 1 << 53  # integers below are floats without rounding


def measure(window: Window, tapes: Sequence[TapeColumn], now: Ints) -> Floats:
    """Return the column of a window over its tapes, bit-equal to its step."""
    first = tapes[0]
    column = None if window.calendar else COLUMNS.get(window.function)
    found: Floats | None = None
    if window.function == "atr":
        found = ranges(window, tapes, now)
    elif column is not None and first.times.size:
        found = column(window, first, now)
    value = stepped(window, tapes, now)[0] if found is None else found
    if first.since == NEVER:
        return value
    none = np.inf if window.function == "age" else np.nan  # what never came is of any age
    return np.where(now < first.since, none, value)


def stepped(window: Window, columns: Sequence[TapeColumn], now: Ints) -> tuple[Floats, Rolling]:
    """Return the column that the step itself makes, and the state that it leaves."""
    tapes = [
        Tape(interval=one.interval, fresh=one.fresh, bar=one.bar, scale=one.scale)
        for one in columns
    ]
    state, out = state_of(window, tapes), np.empty(now.size)
    read = state.read
    feeds = [
        (tape.push, one.times.tolist(), one.values.tolist())
        for tape, one in zip(tapes, columns, strict=True)
    ]
    places = [0] * len(feeds)
    for index, instant in enumerate(now.tolist()):
        for feed, (push, times, values) in enumerate(feeds):
            place, end = places[feed], len(times)
            while place < end and times[place] <= instant:
                push(times[place], values[place])
                place += 1
            places[feed] = place
        out[index] = read(instant)
    return out, state


def _fixed(tape: TapeColumn, most: int) -> Ints | None:
    """Return the samples in fixed point, or None where a window could pass int64."""
    scaled = np.rint(tape.values * tape.scale)
    if scaled.size and float(np.abs(scaled).max()) * (most + 1) >= 2.0**62:
        return None
    return scaled.astype(np.int64)


def _totals(fixed: Ints) -> Ints:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(fixed)))


def _divided(total: Ints, by: Ints | int) -> Floats:
    """Divide integers with one rounding, as Python does."""
    by = np.broadcast_to(np.asarray(by, np.int64), total.shape)
    out = np.full(total.shape, np.nan)
    np.divide(total, by, out=out, where=by != 0)
    for index in np.flatnonzero((np.abs(total) >= EXACT) | (by >= EXACT)).tolist():
        out[index] = int(total[index]) / int(by[index]) if by[index] else np.nan
    return out


def _bounds(window: Window, tape: TapeColumn, now: Ints) -> tuple[Ints, Ints]:
    return tape.upto(now - window.span), tape.upto(now)


def _past(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    low, high = _bounds(window, tape, now)
    index = low - 1
    seen = np.maximum(index, 0)
    old = (now - window.span) - tape.times[seen] > max(tape.fresh, tape.interval)
    good = (index >= 0) & ~old & filled(window, tape, high - low, now, tape.first)
    return np.where(good, tape.values[seen], np.nan)


def _ratio(window: Window, tape: TapeColumn, now: Ints) -> tuple[Floats, Floats]:
    past = _past(window, tape, now)
    return tape.current(now), np.where(past > 0.0, past, np.nan)


def _change(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    current, past = _ratio(window, tape, now)
    return current / past - 1.0


def _drop(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    current, past = _ratio(window, tape, now)
    value = 1.0 - current / past
    return np.where(value < 0.0, 0.0, value)


def _rise(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    value = _change(window, tape, now)
    return np.where(value < 0.0, 0.0, value)


def _sum(window: Window, tape: TapeColumn, now: Ints) -> Floats | None:
    return _totalled(window, tape, now, mean=False)


def _mean(window: Window, tape: TapeColumn, now: Ints) -> Floats | None:
    return _totalled(window, tape, now, mean=True)


def _totalled(window: Window, tape: TapeColumn, now: Ints, *, mean: bool) -> Floats | None:
    low, high = _bounds(window, tape, now)
    held = high - low
    fixed = _fixed(tape, int(held.max(initial=0)))
    if fixed is None:
        return None
    totals = _totals(fixed)
    value = _divided(totals[high] - totals[low], tape.scale * held if mean else tape.scale)
    return np.where(filled(window, tape, held, now, tape.start), value, np.nan)


def _accel(window: Window, tape: TapeColumn, now: Ints) -> Floats | None:
    low, high = _bounds(window, tape, now)
    oldest = tape.upto(now - 2 * window.span)
    fixed = _fixed(tape, int((high - oldest).max(initial=0)))
    if fixed is None:
        return None
    totals = _totals(fixed)
    newer, older = totals[high] - totals[low], totals[low] - totals[oldest]
    value = np.where((newer == 0) & (older == 0), 1.0, _divided(newer, older))
    negative = totals[low] < totals[oldest]
    if bool(negative.any()):
        return None
    return np.where(filled(window, tape, high - oldest, now, tape.start), value, np.nan)


class _Yardstick(NamedTuple):
    """`[t - w, t)` at each instant: first and last index, samples held, and where it is usable."""

    low: Ints
    last: Ints
    held: Ints
    good: NDArray[np.bool_]


def _yardstick(window: Window, tape: TapeColumn, now: Ints) -> _Yardstick:
    last = np.maximum(tape.last(now), 0)
    stamp = tape.times[last]
    low = np.minimum(tape.before(stamp - window.span), last)
    held = last - low
    good = (stamp <= now) & (now - stamp <= tape.fresh) & (held > 0)
    return _Yardstick(low, last, held, good & filled(window, tape, held, stamp, tape.start))


def _times(window: Window, tape: TapeColumn, now: Ints) -> Floats | None:
    low, last, held, good = _yardstick(window, tape, now)
    fixed = _fixed(tape, int(held.max(initial=0)))
    if fixed is None:
        return None
    totals = _totals(fixed)
    total = totals[last] - totals[low]
    mean = _divided(total, tape.scale * np.maximum(held, 1))
    value = tape.values[last] / np.where(good & (total != 0), mean, np.nan)
    return np.where(good & (total == 0) & (fixed[last] == 0), 1.0, value)


def _spread(stick: _Yardstick, tape: TapeColumn, size: int) -> Floats:
    """Return the deviation of each yardstick, from exact integers with one rounding."""
    known = np.flatnonzero(stick.good)
    low, last, held = stick.low[known], stick.last[known], stick.held[known]
    near, scale, fits = _small(tape, int(held.max(initial=0)))
    zero = np.zeros(1, near.dtype)
    sums, squares = (np.concatenate((zero, np.cumsum(column))) for column in (near, near * near))
    total, count = sums[last] - sums[low], held if fits else held.astype(object)
    exact = count * (squares[last] - squares[low]) - total * total
    parts = count * scale
    spread = np.full(size, np.nan)
    ratio = _divided(exact, parts * parts) if fits else (exact / (parts * parts)).astype(np.float64)
    spread[known] = np.sqrt(ratio)
    return spread


def _small(tape: TapeColumn, most: int) -> tuple[NDArray[Any], int, bool]:
    """Return the samples as small integers, the units in 1, and whether int64 holds their sums.

    The deviation is that of the distances from any integer, in any unit all of them share:
    prices in cents are a million times smaller than prices in fixed point.
    """
    scaled = np.rint(tape.values * tape.scale)
    if np.abs(scaled).max(initial=0.0) >= EXACT:
        return np.array([int(value) for value in scaled.tolist()], dtype=object), tape.scale, False
    near = scaled.astype(np.int64) - int(np.median(scaled))
    unit = math.gcd(int(np.gcd.reduce(near, initial=0)), tape.scale)
    near, scale = near // unit, tape.scale // unit
    widest = float(np.abs(near).max(initial=0)) * (most + 1)
    fits = 2.0 * widest * widest < 2.0**62 and float(most + 1) * scale < 2.0**31
    return (near if fits else near.astype(object)), scale, fits


def _stdev(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    return _spread(_yardstick(window, tape, now), tape, now.size)


def _zscore(window: Window, tape: TapeColumn, now: Ints) -> Floats | None:
    stick = _yardstick(window, tape, now)
    fixed = _fixed(tape, int(stick.held.max(initial=0)))
    if fixed is None:
        return None
    totals = _totals(fixed)
    total = totals[stick.last] - totals[stick.low]
    mean = _divided(total, tape.scale * np.maximum(stick.held, 1))
    spread = _spread(stick, tape, now.size)
    wide = np.where(spread <= FLAT * np.abs(mean), np.nan, spread)
    return (tape.values[stick.last] - mean) / wide


def _extreme(window: Window, tape: TapeColumn, now: Ints, *, highest: bool) -> Floats:
    low, high = _bounds(window, tape, now)
    held = high - low
    better = np.maximum if highest else np.minimum
    out = np.full(now.size, np.nan)
    some = held > 0
    # a window of n samples is covered by two blocks of the largest power of two within it
    level = np.zeros(now.size, np.int64)
    level[some] = np.floor(np.log2(held[some])).astype(np.int64)
    table, width = tape.values, 1
    for power in range(int(level.max(initial=0)) + 1):
        here = some & (level == power)
        if here.any():
            out[here] = better(table[low[here]], table[high[here] - width])
        if table.size > width:
            table = better(table[:-width], table[width:])
        width *= 2
    return np.where(filled(window, tape, held, now, tape.start), out, np.nan)


def _high(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    return _extreme(window, tape, now, highest=True)


def _low(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    return _extreme(window, tape, now, highest=False)


def _drawdown(window: Window, tape: TapeColumn, now: Ints) -> Floats:
    peak = _extreme(window, tape, now, highest=True)
    return 1.0 - tape.current(now) / np.where(peak > 0.0, peak, np.nan)


def _age(_window: Window, tape: TapeColumn, now: Ints) -> Floats:
    last = tape.last(now)
    age = (now - tape.times[np.maximum(last, 0)]).astype(np.float64)
    return np.where(last < 0, np.inf, age)


COLUMNS: dict[str, Callable[[Window, TapeColumn, Ints], Floats | None]] = {
    "accel": _accel,
    "age": _age,
    "ago": _past,
    "change": _change,
    "drawdown": _drawdown,
    "drop": _drop,
    "ema": exponential,
    "high": _high,
    "low": _low,
    "mean": _mean,
    "rise": _rise,
    "stdev": _stdev,
    "sum": _sum,
    "times_avg": _times,
    "zscore": _zscore,
}
