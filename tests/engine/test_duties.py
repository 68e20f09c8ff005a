"""What a decision wants done unasked: every action whole, with its id and its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from riskguard.engine.decision import Decision, State
from riskguard.engine.duties import duties
from riskguard.engine.episodes import Episode
from riskguard.engine.orders import Action
from tests.engine.decisions import ACTIVE, HALTED, REDUCING, decision

RULES = ACTIVE.rules[:8]
CAUTION = decision(State.CAUTION)


def held(position: float | None, base: float | None = None, left: float | None = None) -> Episode:
    """Return an episode after three tightenings."""
    episode = Episode(3)
    episode.position, episode.base, episode.held = position, base, left
    return episode


def action(kind: str, fraction: float = 0.0, tail: str = "", **data: float) -> Action:
    return Action(f"{RULES}:3:{kind}:BTC{tail}", kind, "BTC", fraction, data)


def kinds(decided: Decision, episode: Episode, least: float = 0.0) -> list[str]:
    return [one.kind for one in duties(decided, episode, "BTC", least)]


CANCEL = action("cancel_entries")


def test_nothing_is_due_while_nothing_is_limited() -> None:
    assert duties(ACTIVE, held(5.0), "BTC") == []
    assert duties(ACTIVE, held(None), "BTC") == []


def test_a_cap_is_a_duty_to_keep_a_share_of_the_base() -> None:
    capped = replace(CAUTION, exposure_cap=0.25)
    due = [CANCEL, action("reduce_to", 0.25, ":0.25", ceiling=1.0)]
    for position in (4.0, -4.0, 1.5):
        assert duties(capped, held(position, 4.0), "BTC") == due
    for position in (1.0, -1.0, 0.0):
        assert duties(capped, held(position, 4.0), "BTC") == [CANCEL]


def test_a_position_that_nobody_told_is_reduced_by_the_share_alone() -> None:
    for limited, share in (({"exposure_cap": 0.5}, 0.5), ({"reduce_by": 0.75}, 0.25)):
        due = [CANCEL, action("reduce_to", share, f":{share:g}")]
        assert duties(replace(CAUTION, **limited), held(None), "BTC") == due
    both = replace(CAUTION, exposure_cap=0.5, reduce_by=0.25)
    assert duties(both, held(None), "BTC")[1].fraction == 0.5
    assert duties(REDUCING, held(None), "BTC") == [CANCEL]


def test_all_is_flattened_under_a_cap_of_nothing_or_a_close_of_that_side() -> None:
    for position in (2.0, -0.001):
        assert duties(HALTED, held(position), "BTC", 1.0) == [CANCEL, action("flatten")]
    longs = replace(CAUTION, close="longs")
    assert duties(longs, held(2.0), "BTC") == [CANCEL, action("flatten")]
    assert duties(longs, held(-2.0), "BTC") == [CANCEL]
    assert duties(longs, held(None), "BTC")[1:] == [action("reduce_to", 1.0, ":1")]


def test_what_a_rule_reduces_to_nothing_is_reduced_and_not_flattened() -> None:
    gone = replace(CAUTION, reduce_by=1.0)
    due = [CANCEL, action("reduce_to", 0.0, ":0", ceiling=0.0)]
    assert duties(gone, held(2.0, 2.0, 0.0), "BTC") == due


def test_a_side_that_stays_open_is_not_flattened_for_being_small() -> None:
    other = replace(CAUTION, close="shorts", exposure_cap=0.5)
    due = action("reduce_to", 0.5, ":0.5", ceiling=0.5)
    assert duties(other, held(1.0, 1.0), "BTC") == [CANCEL, due]


def test_no_more_than_all_is_kept_though_more_is_held_than_the_base() -> None:
    reduced = replace(CAUTION, reduce_by=0.5)
    due = action("reduce_to", 1.0, ":1", ceiling=2.0)
    assert duties(reduced, held(4.0, 1.0, 2.0), "BTC") == [CANCEL, due]


def test_less_than_the_least_order_is_not_reduced() -> None:
    capped = replace(CAUTION, exposure_cap=0.5)
    assert kinds(capped, held(0.6, 1.0), 0.25) == ["cancel_entries"]
    assert kinds(capped, held(0.75, 1.0), 0.25) == ["cancel_entries", "reduce_to"]
    assert kinds(capped, held(0.6, 1.0)) == ["cancel_entries", "reduce_to"]


@pytest.mark.parametrize(
    "limited",
    [
        {"state": State.REDUCING},
        {"state": State.HALTED},
        {"block_entries": "long"},
        {"exposure_cap": 0.9},
        {"cancel_orders": "entries"},
        {"reduce_by": 0.1},
        {"close": "longs"},
    ],
)
def test_entries_are_cancelled_by_whatever_lets_less_in(limited) -> None:
    assert kinds(replace(CAUTION, **limited), held(0.0)) == ["cancel_entries"]


@pytest.mark.parametrize("limited", [{}, {"leverage_cap": 2.0}, {"notify": ("look",)}])
def test_nothing_is_cancelled_where_entries_may_still_fill(limited) -> None:
    assert kinds(replace(CAUTION, **limited), held(0.0)) == []


def test_all_orders_are_cancelled_once_and_not_the_entries_as_well() -> None:
    assert duties(replace(HALTED, cancel_orders="all"), held(0.0), "BTC") == [action("cancel_all")]


def test_a_stop_and_a_hedge_are_due_with_their_size() -> None:
    shielded = replace(CAUTION, stop=12.5, hedge=0.5)
    assert duties(shielded, held(2.0), "BTC") == [
        action("set_stop", distance=12.5),
        action("hedge", share=0.5),
    ]
