"""Where the share held was cut and came back, and whether that was a whipsaw."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskguard.backtest.evidence.roundtrips import RoundTrip, round_trips, whipsaws
from riskguard.market import DAY

NAN = float("nan")


def trips(held: list[float], opens: list[float], rate: float = 0.0, **more) -> list[RoundTrip]:
    prices = np.array(opens)
    return list(round_trips(np.array(held), prices, np.full(prices.size, rate), **more))


def test_coming_back_dearer_is_a_loss_with_costs_on_both_sides() -> None:
    [trip] = trips([1, 0, 0, 1], [100, 100, 90, 110], rate=0.001)
    assert (trip.start, trip.end, trip.cut) == (1, 3, 1.0)
    assert (trip.exit, trip.reentry) == (100, 110)
    assert trip.loss == pytest.approx(110 * 1.001 / (100 * 0.999) - 1)
    assert trip.lag == 1


def test_coming_back_cheaper_is_a_gain() -> None:
    [trip] = trips([1, 0.4, 1], [100, 100, 80])
    assert trip.loss == pytest.approx(-0.2)
    assert (trip.cut, trip.lag) == (pytest.approx(0.6), 0)


def test_prices_of_steps_are_weighted_by_what_was_moved() -> None:
    [trip] = trips([1, 0.6, 0, 0.5, 1], [0, 100, 90, 80, 85])
    assert trip.exit == pytest.approx(0.4 * 100 + 0.6 * 90)
    assert trip.reentry == pytest.approx(0.5 * 80 + 0.5 * 85)
    assert (trip.start, trip.end, trip.cut) == (1, 4, 1.0)


def test_a_short_that_comes_back_lower_has_lost() -> None:
    [trip] = trips([1, 0, 1], [100, 100, 90], rate=0.001, side=-np.ones(3))
    # bought back at 100 and sold again at 90, a cost on each
    assert trip.loss == pytest.approx(1 - 90 * 0.999 / (100 * 1.001))


def test_what_the_strategy_ends_or_what_is_still_out_is_no_round_trip() -> None:
    assert trips([1, 0, NAN, 1], [100] * 4) == []
    assert trips([1, 1, 0.4, 0.4], [100] * 4) == []
    assert trips([0.4, 1, 1], [100] * 3) == []


def test_a_holder_that_can_afford_a_little_less_is_back_all_the_same() -> None:
    [trip] = trips([1, 0, 0.995, 0.995], [100] * 4)
    assert trip.end == 2


def test_whipsaws_are_counted_with_what_they_lost_of_the_whole() -> None:
    made = trips([1, 0, 1, 0.5, 0.5, 1, 0, 1], [100, 100, 110, 100, 90, 105, 100, 95])
    found = whipsaws(made, DAY // 2)
    assert (found.trips, found.dearer) == (3, 2)
    assert found.total == pytest.approx(0.1 + 0.5 * 0.05)
    assert found.worst == pytest.approx(0.1)
    assert found.lag == 0.5  # of 1, 1 and 0 bars
    nothing = whipsaws([], DAY)
    assert nothing[:4] == (0, 0, 0.0, 0.0)
    assert math.isnan(nothing.lag)
