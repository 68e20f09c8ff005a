from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.page.candles import Candles
from riskguard.market import DAY, HOUR, MINUTE

SIZES = st.sampled_from([MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, 4 * HOUR, DAY])


@st.composite
def bars(draw):
    """Return closes with gaps, the interval, and values with holes."""
    every = draw(SIZES)
    steps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=120))
    ts = every * np.cumsum(np.array(steps, dtype=np.int64))
    numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))
    values = draw(st.lists(numbers, min_size=len(ts), max_size=len(ts)))
    return ts, every, np.array(values)


@given(bars(), st.integers(1, 50))
def test_candles_are_few_enough_and_hold_each_bar_once(made, most: int) -> None:
    ts, every, _ = made
    found = Candles.of(ts, every, most)
    assert 0 < len(found) <= max(1, most)
    held = [bar for a, b in zip(found.firsts, found.lasts, strict=True) for bar in range(a, b + 1)]
    assert held == list(range(len(ts)))
    assert found.span % every == 0


@given(bars(), st.integers(1, 50))
def test_bars_of_a_candle_lie_within_its_span(made, most: int) -> None:
    ts, every, _ = made
    found = Candles.of(ts, every, most)
    pieces = (ts - 1) // found.span
    assert (pieces[found.firsts] == pieces[found.lasts]).all()


@given(bars(), st.integers(1, 50))
def test_joining_is_what_a_loop_would_find(made, most: int) -> None:
    ts, every, values = made
    found = Candles.of(ts, every, most)
    joined = [found.first, found.last, found.highest, found.lowest, found.total]
    got = [way(values) for way in joined]
    for number, (a, b) in enumerate(zip(found.firsts, found.lasts, strict=True)):
        inside = values[a : b + 1]
        known = inside[np.isfinite(inside)]
        nothing = not len(known)
        want = [
            inside[0],
            inside[-1],
            np.nan if nothing else known.max(),
            np.nan if nothing else known.min(),
            np.nan if nothing else known.sum(),
        ]
        np.testing.assert_allclose([one[number] for one in got], want, rtol=1e-12, atol=1e-6)


@given(st.integers(2, 2_000), st.data())
def test_an_alarm_of_one_bar_is_never_lost(count: int, data) -> None:
    bar = data.draw(st.integers(0, count - 1))
    levels = np.zeros(count, dtype=np.int64)
    levels[bar] = 3
    found = Candles.of(MINUTE * np.arange(1, count + 1), MINUTE, data.draw(st.integers(1, 30)))
    assert found.strictest(levels)[found.at(np.array([bar]))[0]] == 3


def test_half_a_million_minutes_become_half_hours() -> None:
    found = Candles.of(MINUTE * np.arange(1, 500_001, dtype=np.int64), MINUTE)
    assert (found.span, len(found)) == (30 * MINUTE, 16_667)


def test_bars_that_are_few_are_left_alone() -> None:
    found = Candles.of(HOUR * np.arange(1, 101), HOUR)
    assert found.span == HOUR
    assert found.firsts.tolist() == found.lasts.tolist() == list(range(100))


def test_a_history_without_bars_has_no_candles() -> None:
    nothing = np.zeros(0)
    found = Candles.of(nothing.astype(np.int64), HOUR)
    assert len(found) == len(found.highest(nothing)) == len(found.total(nothing)) == 0
