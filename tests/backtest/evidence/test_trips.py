"""When a rule came on, and what followed."""

from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.claims import Standing
from riskguard.backtest.evidence.trips import Trip, judge, trips_of
from riskguard.history.history import Bars
from riskguard.language.ruleset import Actions
from riskguard.market import HOUR
from tests.backtest.evidence.test_ledger import RULES, decision

ASKS = {f"stage {one.name}": one.do for one in RULES.stages} | {r.name: r.do for r in RULES.rules}
LADDER = ["stage watch", "stage cut", "stage out"]


def log(*steps: tuple[int, tuple[str, ...]]) -> list[Standing]:
    return [
        Standing(bar, decision(bar, *on), {name: ASKS[name] for name in on}, 100.0)
        for bar, on in steps
    ]


def bars(*closes: float) -> Bars:
    prices = np.array(closes)
    opens = np.append(prices[0], prices[:-1])
    ts = np.arange(1, prices.size + 1) * HOUR
    return Bars(ts, opens, prices, prices, prices, prices)


def test_a_trip_begins_when_a_rule_comes_on_and_again_after_it_went() -> None:
    found = trips_of(log((5, ("half",)), (7, ("half", "shut")), (9, ()), (12, ("half",))))
    assert found == (
        Trip("half", 5, redundant=False),
        Trip("shut", 7, redundant=True),
        Trip("half", 12, redundant=False),
    )


def test_a_step_down_the_ladder_is_no_trip() -> None:
    steps = log((1, ("stage watch",)), (3, ("stage out",)), (9, ("stage cut",)), (20, ()))
    assert [(trip.rule, trip.bar) for trip in trips_of(steps, LADDER)] == [
        ("stage watch", 1),
        ("stage out", 3),
    ]
    up = log(
        (1, ("stage watch",)), (3, ("stage cut",)), (9, ("stage watch",)), (12, ("stage cut",))
    )
    assert [trip.bar for trip in trips_of(up, LADDER)] == [1, 3, 12]


def test_who_never_limits_more_than_all_others_is_redundant() -> None:
    tie = trips_of(log((1, ("half", "twin")), (5, ())))
    assert [trip.redundant for trip in tie] == [True, True]
    later = trips_of(log((1, ("half", "twin")), (5, ("twin",)), (9, ())))
    assert {trip.rule: trip.redundant for trip in later} == {"half": True, "twin": False}


def test_what_only_tells_makes_no_trip() -> None:
    assert trips_of(log((1, ("teller",)), (2, ()))) == ()


@pytest.mark.parametrize(
    ("closes", "word"),
    [
        ((100, 100, 100, 89, 95, 95), "true"),  # filled at 100, 11 % below it two bars later
        ((100, 120, 100, 89, 95, 95), "late"),  # 20 of 31 were done
        ((100, 110, 100, 90, 95, 95), "true"),  # exactly half was done, and exactly 10 % came
        ((100, 100, 100, 95, 95, 95), "false"),
        ((100, 100, 100, 95, 95, 80), "false"),  # too late
        ((100, 100, 100, 95), "unjudged"),
        ((100, 100, 100, 85), "true"),  # what came can be said at once
        ((100, 100, 100), "unjudged"),
    ],
)
def test_a_trip_is_judged_by_the_fall_that_follows_its_fill(closes, word) -> None:
    assert judge(bars(*closes), 2, fall=0.1, within=2 * HOUR) == word


def test_actions_that_cancel_or_hedge_alone_limit_nothing() -> None:
    quiet = Standing(1, decision(1), {"r": Actions(cancel_orders="all", hedge=0.5)}, 100.0)
    assert trips_of([quiet]) == ()
