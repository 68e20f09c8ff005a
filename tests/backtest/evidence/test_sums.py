from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.evidence.identity import Identity
from riskguard.backtest.evidence.sums import printed

MONEY = st.floats(0, 1e12)


def identity(avoided: float, missed: float, costs: float, other: float = 0.0) -> Identity:
    ahead = math.fsum((avoided, -missed, -costs, other))
    return Identity(avoided, missed, costs, other, 1e6 + ahead, 1e6, 0.0, other != 0.0)


def test_rounded_terms_that_would_miss_their_sum_by_one_add_up() -> None:
    one = printed(identity(10_000.4, 3_000.6, 500.6))  # one by one 10,000, 3,001, 501
    assert [one.text(term) for term in one[:3]] == ["$10,001", "$3,001", "$501"]
    assert one.text(one.difference) == "$6,499"


def test_small_sums_are_told_in_cents() -> None:
    one = printed(identity(12.344, 3.0, 0.5, -1.0))
    shown = [one.text(term) for term in one[:5]]
    assert shown == ["$12.34", "$3.00", "$0.50", "-$1.00", "$7.84"]


@given(MONEY, MONEY, MONEY, st.floats(-1e12, 1e12))
def test_terms_add_up_as_printed_and_none_is_off_by_more_than_rounding(
    avoided: float, missed: float, costs: float, other: float
) -> None:
    made = identity(avoided, missed, costs, other)
    one = printed(made)
    told = [float(one.text(term).replace("$", "").replace(",", "")) for term in one[:5]]
    avoided_, missed_, costs_, other_, total = (round(term * one.unit) for term in told)
    assert avoided_ - missed_ - costs_ + other_ == total
    slack = 3 / one.unit + 1e-3  # the sum itself is a difference of two equities
    for shown, term in zip(told, (avoided, missed, costs, other), strict=False):
        assert abs(shown - term) <= slack
