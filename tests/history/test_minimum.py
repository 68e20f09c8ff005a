"""`min=`: a baseline that is usable before its window is full, on series with holes."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from riskguard.engine.measures import MEASURES
from riskguard.engine.windows import FILL_OF, FILL_PARTS, Tape, Window
from riskguard.history.columns.measures import measure
from riskguard.history.columns.tape import TapeColumn
from riskguard.market import HOUR
from tests.counts import counts
from tests.history.test_columns import bits

BASELINES = ("mean", "percentile", "stdev", "times_avg", "zscore")
START = 1_767_225_600_000_000_000
# these are unknown for a reason of their own: no spread, no mean
SPREAD = {"zscore", "times_avg"}


def series(pick: random.Random) -> tuple[list[int], dict[int, float]]:
    """Return instants an hour apart, and the samples at those that have one."""
    size, hole = pick.choice([12, 40]), pick.choice([0.0, 0.04, 0.25])
    times = [START + hour * HOUR for hour in range(size)]
    lost = {hour for hour in range(size) if pick.random() < hole}
    if pick.random() < 0.3:
        begin = pick.randrange(size)
        lost |= set(range(begin, begin + pick.randint(1, 12)))
    values = {ts: round(pick.uniform(1, 9), 2) for hour, ts in enumerate(times) if hour not in lost}
    return times, values


@pytest.mark.parametrize("function", BASELINES)
@counts(2_000, 20_000)
def test_a_minimum_changes_nothing_but_how_early_a_baseline_is_known(
    function: str, count: int, measured
):
    early = 0
    for seed in range(count):
        pick = random.Random(seed)
        times, values = series(pick)
        span = pick.choice([3, 6, 10, 20]) * HOUR
        least = pick.randint(1, span // HOUR) * HOUR
        clock = {"interval": HOUR, "fresh": 2 * HOUR, "bar": seed % 2 == 0, "scale": 100}
        tape = Tape(**clock)
        short, whole = (MEASURES[function](tape, span, one) for one in (least, None))
        found = []
        for now in times:
            if now in values:
                tape.push(now, values[now])
            one, other = short.read(now), whole.read(now)
            found.append(one)
            if tape.first is None:
                assert math.isnan(one), seed
                continue
            at = tape.last if function != "mean" else now  # a baseline ends before its sample
            seen = at - tape.start
            if seen < least:
                assert math.isnan(one), (seed, "known before its minimum")
            elif seen >= span:
                assert bits(one) == bits(other), (seed, "another value on a full window")
            else:
                assert math.isnan(other), (seed, "known before its window is full")
                held = [ts for ts in values if now - span < ts <= now]
                if function != "mean":
                    held = [ts for ts in values if at - span <= ts < at]
                filled = FILL_OF * len(held) * HOUR >= FILL_PARTS * seen
                fresh = now - tape.last <= 2 * HOUR or function == "mean"
                if not (filled and fresh and held):
                    assert math.isnan(one), (seed, "known over a hole")
                elif function not in SPREAD:
                    assert not math.isnan(one), (seed, "unknown without a reason")
                early += not math.isnan(one)
        got = column(Window(function, "made", span, least), values, times, clock)
        assert [bits(value) for value in found] == [bits(float(value)) for value in got], seed
    measured(f"{function} with min=: {count:,} series with holes, {early:,} values known early")
    assert early > count / 2


def column(
    asked: Window, values: dict[int, float], times: list[int], clock: dict[str, int]
) -> np.ndarray:
    arrays = np.asarray(list(values), np.int64), np.asarray(list(values.values()))
    return measure(asked, [TapeColumn(*arrays, **clock)], np.asarray(times, np.int64))
