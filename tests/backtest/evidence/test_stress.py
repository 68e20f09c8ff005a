from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.stress import growth, late, share_of_best, stress


def test_growth_is_the_held_share_of_the_return_less_the_cost_of_changes() -> None:
    x, r, k = np.array([1.0, 0.4, 0.4]), np.array([0.1, -0.2, 0.1]), np.full(3, 0.01)
    assert growth(x, r, k) == pytest.approx([0.1, -0.08 - 0.006, 0.04])
    assert growth(x, r, k, 4.0) == pytest.approx([0.1, -0.08 - 0.024, 0.04])


def test_a_late_decision_leaves_the_first_exposure_standing() -> None:
    x = np.array([1.0, 0.0, 0.5])
    assert late(x, 1).tolist() == [1.0, 1.0, 0.0]
    assert late(x, 0).tolist() == x.tolist()
    assert late(x, 9).tolist() == [1.0, 1.0, 1.0]


def test_a_gain_that_lives_on_one_bar_dies_one_bar_late() -> None:
    r = np.tile([0.0, -0.1, 0.1, 0.0], 50)
    x, peer, k = np.where(r < 0, 0.0, 1.0), np.full(200, 0.75), np.full(200, 0.001)
    found = {(one.late, one.dearer): one.benefit for one in stress(x, peer, r, k)}
    assert found[0, 1.0] > 4
    assert found[1, 1.0] < 0
    costs = found[0, 1.0] - found[0, 2.0], found[0, 2.0] - found[0, 4.0]
    assert costs == pytest.approx((0.1, 0.2))


def test_the_event_that_carries_most_is_named_with_its_share() -> None:
    assert share_of_best([0.1, 0.5, -0.2], 0.8) == (1, pytest.approx(0.625))
    assert share_of_best([0.1, 0.5], -0.1) is None
    assert share_of_best([], 1.0) is None
