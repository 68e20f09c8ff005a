"""Each measure as a column is its step to the last bit, however irregular time and samples are."""

from __future__ import annotations

import random

import numpy as np
import pytest

from riskguard.engine.states import state_of
from riskguard.engine.windows import Tape, Window
from riskguard.history.columns.measures import COLUMNS, measure
from riskguard.history.columns.tape import TapeColumn
from riskguard.market import HOUR, MINUTE
from tests.counts import counts

BASELINES = {"mean", "stdev", "zscore", "times_avg"}
SCALES = (1, 100, 10**8, 10**12)
START = 1_767_225_600_000_000_000


def instants(pick: random.Random, size: int) -> np.ndarray:
    """Return rising times: a grid, a grid with holes, or no grid at all, and now and then a gap."""
    kind = pick.choice(["grid", "holes", "holes", "free", "free"])
    now, found = START + pick.randrange(HOUR), []
    for _ in range(size):
        step = HOUR
        if kind == "holes":
            step = HOUR * pick.choice([1, 1, 1, 1, 2, 3])
        elif kind == "free":
            step = pick.choice([1, MINUTE, HOUR - 1, HOUR, HOUR + 1, pick.randint(1, 3 * HOUR)])
        if pick.random() < 0.03:
            step += pick.randint(1, 50) * HOUR
        now += step
        found.append(now)
    return np.asarray(found, np.int64)


def numbers(pick: random.Random, size: int, *, signed: bool) -> list[float]:
    """Return values of one kind: prices, flows with zeros, shares of both signs, extremes."""
    kind = pick.choice(["price", "flow", "share", "flat", "cents", "huge"])
    made = {
        "price": lambda: round(100 + pick.gauss(0, 5), 2),
        "flow": lambda: pick.choice([0.0, 0.0, round(pick.expovariate(1e-6), 2)]),
        "share": lambda: pick.gauss(0, 0.01),
        "flat": lambda: pick.choice([5.0, 5.0, 5.0, 5.000000001]),
        "cents": lambda: pick.choice([0.1, 0.2, 0.3, 0.7]),
        "huge": lambda: pick.choice([1e-9, 1.0, 1e6, 1e12, 4e15]),
    }[kind]
    found = [made() for _ in range(size)]
    return found if signed else [abs(value) for value in found]


def tape(pick: random.Random, times: np.ndarray, *, signed: bool) -> TapeColumn:
    """Return the samples that came at some of the times, and some between them."""
    kept = times[np.asarray([pick.random() > pick.choice([0.0, 0.0, 0.3]) for _ in times], bool)]
    if pick.random() < 0.3:
        extra = [int(ts) + pick.randrange(1, HOUR) for ts in kept.tolist()]
        kept = np.unique(np.concatenate((kept, np.asarray(extra, np.int64))))
    values = np.asarray(numbers(pick, kept.size, signed=signed), np.float64)
    interval = pick.choice([HOUR, HOUR, HOUR, 4 * HOUR, MINUTE])
    fresh = pick.choice([0, interval, 2 * interval, 3 * HOUR + 1])
    return TapeColumn(kept, values, interval, fresh, pick.random() < 0.5, pick.choice(SCALES))


def window(pick: random.Random, function: str) -> Window:
    span = pick.choice([HOUR, 3 * HOUR, 5 * HOUR, 12 * HOUR, pick.randint(1, 9 * HOUR)])
    least = pick.choice([None, None, span, max(1, span // 3), 1])
    return Window(function, "made", span, least if function in BASELINES else None)


def beside(pick: random.Random, close: TapeColumn) -> list[TapeColumn]:
    """Return highs and lows of the same bars; now and then one of them is missing."""
    found = []
    for share in (1.01, 0.99):
        keep = np.asarray([pick.random() > pick.choice([0.0, 0.02]) for _ in close.times], bool)
        times, values = close.times[keep], close.values[keep] * share
        rest = (close.interval, close.fresh, close.bar, close.scale)
        found.append(TapeColumn(times, values, *rest))
    return found


def stepped(asked: Window, columns: list[TapeColumn], now: np.ndarray) -> np.ndarray:
    """Return the measure read at each instant, as a live guard reads it."""
    tapes = [
        Tape(interval=one.interval, fresh=one.fresh, bar=one.bar, scale=one.scale)
        for one in columns
    ]
    state, found = state_of(asked, tapes), []
    coming = [
        list(zip(one.times.tolist(), one.values.tolist(), strict=True))[::-1] for one in columns
    ]
    for instant in now.tolist():
        for tape, samples in zip(tapes, coming, strict=True):
            while samples and samples[-1][0] <= instant:
                tape.push(*samples.pop())
        found.append(state.read(instant))
    return np.asarray(found)


@pytest.mark.parametrize("function", sorted({*COLUMNS, "atr"}))
@counts(2_000, 20_000)
def test_a_column_is_the_step(function: str, count: int, measured):
    known = values = 0
    for seed in range(count):
        pick = random.Random(seed)
        now = instants(pick, pick.choice([1, 6, 25, 40]))
        samples = tape(pick, now, signed=function not in {"sum", "accel"} or seed % 5 == 0)
        asked = window(pick, function)
        columns = [samples, *(beside(pick, samples) if function == "atr" else ())]
        read, column = stepped(asked, columns, now), measure(asked, columns, now)
        unknown = np.isnan(read)
        assert np.array_equal(unknown, np.isnan(column)), (seed, asked)
        assert read[~unknown].tobytes() == column[~unknown].tobytes(), (seed, asked)
        known, values = known + int((~unknown).sum()), values + now.size
    measured(
        f"{function}: {count:,} sequences, {values:,} values, {known / values:.0%} known, equal"
    )
    assert known > values / 100
