"""Figures of exposure, value, drawdown, tail and efficiency, each by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskguard.backtest.evidence import figures
from riskguard.backtest.evidence.identity import Value, value
from riskguard.backtest.metrics import daily_returns, worst_day
from riskguard.market import DAY, HOUR
from tests.backtest.evidence.test_paths import made

NAN = float("nan")


def test_exposure_counts_outs_only_where_something_is_wanted() -> None:
    held = np.array([1.0, 0.0, NAN, 0.0, 0.5, 0.0, 1.0])
    found = figures.exposure_of(held, DAY)
    assert found.mean == pytest.approx(2.5 / 6)
    assert found.out == pytest.approx(0.5)
    assert found.switches == pytest.approx(4 * 365 / 6)
    assert (found.median_out, found.longest_out) == (1.5, 2)


def test_exposure_of_nothing_wanted() -> None:
    found = figures.exposure_of(np.array([NAN, NAN]), DAY)
    assert math.isnan(found.mean)
    assert found.longest_out == 0


def test_a_time_out_at_random_captures_the_share_of_the_losses() -> None:
    paths = made([0.1, -0.3, 0.2, -0.1], [1.0, 0.0, 0.0, 1.0], k=0.0)
    assert figures.random_capture(paths) == pytest.approx(0.4 / 0.7)
    assert figures.captured(value(paths)) == pytest.approx(0.3 / 0.5)
    assert math.isnan(figures.captured(Value(0.0, 0.0, 0.1)))
    assert math.isnan(figures.random_capture(made([0.0], [1.0])))


def test_a_loss_of_the_first_bar_counts_as_a_fall() -> None:
    path = np.array([1.0, 0.5, 0.5, 1.0, 0.9])
    assert figures.deepest_fall(path) == (0, 1, 3)
    assert figures.under_water(path) == (0.75, 2)
    assert figures.ulcer(path) == pytest.approx(math.sqrt((0.25 + 0.25 + 0.01) / 4))


def test_a_fall_that_was_not_regained_has_no_way_back() -> None:
    assert figures.deepest_fall(np.array([1.0, 2.0, 1.0, 1.9])) == (1, 2, None)
    assert figures.deepest_fall(np.array([1.0, 1.0, 2.0])) is None
    assert figures.under_water(np.array([1.0])).longest == 0


def test_days_end_at_midnight_and_need_money_at_their_beginning() -> None:
    ts = np.array([0, 12, 24, 36, 48, 60]) * HOUR
    path = np.array([1.0, 1.1, 1.2, 0.1, 0.0, 0.0])
    assert daily_returns(ts, path) == pytest.approx([0.2, -1.0])
    assert worst_day(ts, path) == -1.0
    assert daily_returns(ts[:1], path[:1]).size == 0


def test_returns_over_stretches() -> None:
    path = np.array([1.0, 2.0, 4.0, 2.0])
    assert figures.rolling(path, 2).tolist() == [3.0, 0.0]
    assert figures.rolling(path, 4).size == 0
    assert figures.rolling(np.array([1.0, 0.0, 0.0]), 1).tolist() == [-1.0]


def test_what_cannot_be_measured_is_nan() -> None:
    nothing, flat = np.array([]), np.zeros(5)
    assert math.isnan(figures.cvar(nothing, 0.05))
    assert math.isnan(figures.tail_ratio(flat))
    assert math.isnan(figures.sharpe(flat, 365))
    assert math.isnan(figures.sortino(flat + 0.01, 365))
    assert math.isnan(figures.calmar(np.array([1.0, 2.0]), 365))
    assert math.isnan(figures.cagr(np.array([1.0]), 365))


def test_growth_is_compounded_and_ends_at_minus_one() -> None:
    assert figures.cagr(np.array([1.0, 1.02, 1.0404]), 365) == pytest.approx(1.02**365 - 1)
    assert figures.cagr(np.array([1.0, -0.01]), 365) == -1.0
    minutes = 365 * 1_440
    assert math.isnan(figures.cagr(np.array([1.0, 1.01]), minutes)), "of a float it is too much"
    assert math.isnan(figures.cagr(np.array([1.0, 1.00003]), minutes)), "and of sense"


def test_insurance_has_a_price_only_where_something_was_saved() -> None:
    assert figures.price_of_insurance(0.10, 0.2, 0.14, 0.4) == pytest.approx(0.2)
    assert math.isnan(figures.price_of_insurance(0.10, 0.4, 0.14, 0.4))


def test_a_year_has_365_days() -> None:
    assert figures.yearly_bars(HOUR) == 8_760
