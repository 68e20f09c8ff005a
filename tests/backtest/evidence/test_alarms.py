from __future__ import annotations

import math

import pytest

from riskguard.backtest.evidence.alarms import Counts, break_even


def test_break_even_is_where_hits_pay_for_false_alarms() -> None:
    precision = break_even(benefit=6.0, cost=2.0)
    assert precision == 0.25
    assert precision * 6.0 == pytest.approx((1 - precision) * 2.0)
    assert math.isnan(break_even(0.0, 0.0))


def test_usefulness_is_that_of_sarlin() -> None:
    counts = Counts(hits=6, false=10, missed=4, quiet=80)
    assert (counts.precision, counts.recall) == (6 / 16, 0.6)
    loss = 0.8 * 0.1 * 0.4 + 0.2 * 0.9 * (10 / 90)
    assert counts.loss(0.8) == pytest.approx(loss)
    assert counts.usefulness(0.8) == pytest.approx((0.08 - loss) / 0.08)


def test_perfect_alarms_are_worth_1_and_none_at_all_0_where_events_are_rare() -> None:
    assert Counts(10, 0, 0, 90).usefulness(0.5) == 1.0
    assert Counts(0, 0, 10, 90).usefulness(0.5) == 0.0
    assert Counts(0, 20, 10, 70).usefulness(0.5) < 0


def test_without_events_nothing_is_told() -> None:
    quiet = Counts(0, 0, 0, 0)
    assert math.isnan(quiet.precision)
    assert math.isnan(quiet.recall)
    assert math.isnan(quiet.usefulness(0.5))
