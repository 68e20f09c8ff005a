from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.signs import (
    flip_test,
    hits,
    needed_hits,
    sign_test,
    tail,
    wilson,
)


def test_the_smallest_counts_that_show_something_are_those_of_the_specification() -> None:
    found = {count: needed_hits(count) for count in (8, 9, 10, 12, 15, 20)}
    assert found == {8: 7, 9: 7, 10: 8, 12: 9, 15: 11, 20: 14}
    assert needed_hits(3) == 4  # three of three are no evidence
    assert sign_test(5, 5) == pytest.approx(0.03125)


def test_fewer_than_eight_events_are_not_tested() -> None:
    few = hits(np.ones(7), seed=1)
    assert (few.hits, few.events, few.sign, few.flip) == (7, 7, None, None)
    enough = hits(np.ones(8), seed=1)
    assert enough.sign == enough.flip == pytest.approx(1 / 256)


def test_an_event_in_which_nothing_was_won_is_no_hit() -> None:
    assert hits(np.array([0.0] * 9 + [1.0]), seed=1).hits == 1


def test_a_single_great_event_among_small_losses_convinces_no_flip_of_signs() -> None:
    benefits = np.array([1.0, *[-0.01] * 9])
    assert hits(benefits, seed=1).sign == pytest.approx(1023 / 1024)
    assert flip_test(benefits, seed=1) == pytest.approx(0.5)


def test_drawn_flips_agree_with_all_flips() -> None:
    benefits = np.random.default_rng(3).normal(0.3, 1, 14)
    more = np.append(benefits, 0.0)  # one that changes no sum
    assert flip_test(more, seed=1) == pytest.approx(flip_test(benefits, seed=1), abs=0.02)


@pytest.mark.needs_group("parity")
@pytest.mark.parametrize(("good", "count"), [(0, 5), (3, 50), (10, 200), (7, 8), (24, 37)])
def test_tests_and_intervals_are_those_of_scipy(good, count) -> None:
    from scipy import stats

    theirs = stats.binomtest(good, count, 0.5, alternative="greater")
    assert sign_test(good, count) == pytest.approx(theirs.pvalue, rel=1e-12)
    both = stats.binomtest(good, count).proportion_ci(0.95, "wilson")
    assert wilson(good, count) == pytest.approx((both.low, both.high), abs=1e-12)


@pytest.mark.needs_group("parity")
def test_all_flips_are_those_of_scipy() -> None:
    from scipy import stats

    benefits = np.random.default_rng(4).normal(0.4, 1, 10)
    theirs = stats.permutation_test(
        (benefits,),
        lambda some, axis=-1: some.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=2_000,
    )
    assert flip_test(benefits, seed=1) == pytest.approx(theirs.pvalue, rel=1e-12)


def test_seven_of_fifty_are_no_accident_at_one_in_twenty() -> None:
    assert tail(7, 50, 0.05) == pytest.approx(0.0118, abs=1e-4)
    assert tail(6, 50, 0.05) > 0.03
    assert tail(0, 50, 0.05) == pytest.approx(1.0)


def test_a_share_of_thousands_is_counted_too() -> None:
    assert tail(1_000, 2_000, 0.5) == pytest.approx(0.508920, abs=1e-6)
    assert tail(0, 99_999, 0.05) == pytest.approx(1.0)
    assert tail(5_300, 99_999, 0.05) == pytest.approx(8e-6, rel=0.1)
    assert tail(3, 2, 0.5) == 0.0


def test_the_bound_of_the_null_is_nine_in_a_hundred() -> None:
    assert wilson(10, 200)[1] == pytest.approx(0.0896, abs=5e-4)
    assert wilson(0, 0) == (0.0, 1.0)
