from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.metrics import (
    cdar,
    drawdowns,
    max_drawdown,
    mean_exposure,
    time_out,
    total_return,
    worst_day,
)
from riskguard.market import DAY, HOUR

paths = st.lists(st.floats(0.01, 1e6), min_size=2, max_size=120).map(np.array)


def naive_drawdowns(path: list[float]) -> list[float]:
    return [1 - path[t] / max(path[: t + 1]) for t in range(1, len(path))]


def test_a_fall_on_the_first_day_counts_from_the_starting_cash() -> None:
    path = np.array([100.0, 50.0, 75.0])
    assert max_drawdown(path) == 0.5
    assert total_return(path) == -0.25


def test_equity_below_zero_is_a_drawdown_of_more_than_everything() -> None:
    assert max_drawdown(np.array([100.0, -20.0])) == pytest.approx(1.2)


def test_a_path_that_only_rises_never_draws_down() -> None:
    path = np.array([1.0, 2.0, 3.0])
    assert max_drawdown(path) == 0.0
    assert cdar(path) == 0.0


@given(paths)
def test_drawdowns_equal_a_walk_over_the_whole_list(path: np.ndarray) -> None:
    assert drawdowns(path).tolist() == pytest.approx(naive_drawdowns(path.tolist()), abs=1e-12)


def test_cdar_of_twenty_drawdowns_is_the_worst_one() -> None:
    path = np.array([100.0, *(100.0 - n for n in range(20))])
    assert cdar(path) == pytest.approx(0.19, rel=1e-12)


def test_cdar_weights_the_drawdown_that_lies_across_the_border() -> None:
    # 30 drawdowns: K = 1.5, so the worst whole and half of the second, over 1.5
    path = np.array([100.0, *(100.0 - n for n in range(30))])
    assert cdar(path) == pytest.approx((0.29 + 0.5 * 0.28) / 1.5, rel=1e-12)


@given(paths, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_cdar_equals_the_mean_over_finely_split_drawdowns(path: np.ndarray, level: float) -> None:
    # every drawdown taken 100 times: the worst (1 - level) of them is then a whole number
    falls = sorted((fall for fall in drawdowns(path).tolist() for _ in range(100)), reverse=True)
    count = int((1 - Fraction(str(level))) * len(falls))
    assert cdar(path, level) == pytest.approx(sum(falls[:count]) / count, rel=1e-9, abs=1e-12)


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_before() -> None:
    # four 12 h bars from midnight: the fall at the second midnight is the second day's
    ts = np.array([DAY, DAY + 12 * HOUR, 2 * DAY, 2 * DAY + 12 * HOUR, 3 * DAY], dtype=np.int64)
    assert worst_day(ts, np.array([100.0, 90.0, 80.0, 88.0, 96.0])) == pytest.approx(-0.2)


def test_a_day_that_began_without_money_is_no_day() -> None:
    ts = np.arange(1, 4, dtype=np.int64) * DAY
    assert worst_day(ts, np.array([100.0, -5.0, -5.0])) == pytest.approx(-1.05)
    assert math.isnan(worst_day(ts[:1], np.array([100.0])))


@given(
    st.lists(st.floats(1.0, 1e6), min_size=2, max_size=80),
    st.integers(1, 30),
    st.integers(0, 23),
)
def test_worst_day_equals_a_walk_with_a_calendar(equity: list[float], hours: int, at: int) -> None:
    ts = [(at + hours * n) * HOUR for n in range(len(equity))]
    closes: dict[int, float] = {}
    for stamp, value in zip(ts[1:], equity[1:], strict=True):
        closes[(stamp - 1) // DAY] = value
    levels = [equity[0], *(closes[day] for day in sorted(closes))]
    naive = min(b / a - 1 for a, b in pairwise(levels))
    assert worst_day(np.array(ts, dtype=np.int64), np.array(equity)) == pytest.approx(naive)


def test_bars_on_which_nothing_is_wanted_do_not_count_as_time_out() -> None:
    exposure = np.array([math.nan, 1.0, 0.0, 0.5, math.nan, 1e-12])
    assert mean_exposure(exposure) == pytest.approx(1.5 / 4)
    assert time_out(exposure) == 0.5


def test_a_strategy_that_never_wanted_anything_has_no_exposure() -> None:
    nothing = np.full(3, math.nan)
    assert math.isnan(mean_exposure(nothing))
    assert math.isnan(time_out(nothing))
