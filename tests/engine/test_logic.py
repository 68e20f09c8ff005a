"""The machines: the cases people ask about."""

from __future__ import annotations

import numpy as np
import pytest

from riskguard.engine.logic import (
    ABSENT,
    FALSE,
    NEVER,
    TRUE,
    UNKNOWN,
    Follow,
    Ladder,
    Latch,
    Persist,
    Ramp,
    group,
)
from riskguard.history.columns import logic
from riskguard.market import DAY, HOUR


def remembered(machine: Persist | Follow | Latch | Ladder | Ramp) -> dict[str, object]:
    """Return what a saved state holds of a machine."""
    return {name: getattr(machine, name) for name in machine.kept}


def test_groups_follow_kleene() -> None:
    assert group("all", 0, [TRUE, UNKNOWN]) == UNKNOWN
    assert group("all", 0, [FALSE, UNKNOWN]) == FALSE
    assert group("any", 0, [TRUE, UNKNOWN]) == TRUE
    assert group("any", 0, [FALSE, UNKNOWN]) == UNKNOWN
    assert group("at_least", 2, [TRUE, UNKNOWN, FALSE]) == UNKNOWN
    assert group("at_least", 2, [TRUE, FALSE, FALSE]) == FALSE
    assert group("at_least", 2, [TRUE, -1, TRUE]) == TRUE
    assert group("all", 0, [-1, -1]) == -1


def test_hours_say_nothing_beside_a_line_that_is_ignored() -> None:
    for line in (FALSE, UNKNOWN, TRUE, -1):
        for hours in (FALSE, TRUE):
            step = group("within", 0, [line, hours])
            assert step == (-1 if line == -1 else min(line, hours))
            assert logic.group(
                "within", 0, [np.array([one], np.int8) for one in (line, hours)]
            ).tolist() == [step]


def test_for_a_day_on_four_hour_bars_is_seven_closes() -> None:
    machine = Persist(DAY, 0, 4 * HOUR)
    assert [machine.step(TRUE, n * 4 * HOUR) for n in range(7)] == [FALSE] * 6 + [TRUE]


def test_a_gap_of_more_than_three_bars_breaks_a_for() -> None:
    machine = Persist(2 * HOUR, 0, HOUR)
    assert machine.step(TRUE, HOUR) == FALSE
    assert machine.step(TRUE, 2 * HOUR) == FALSE
    assert machine.step(TRUE, 6 * HOUR) == FALSE
    assert machine.step(TRUE, 7 * HOUR) == FALSE
    assert machine.step(TRUE, 8 * HOUR) == TRUE


def test_a_gap_of_three_bars_still_earns_credit() -> None:
    machine = Persist(3 * HOUR, 0, HOUR)
    assert machine.step(TRUE, HOUR) == FALSE
    assert machine.step(TRUE, 4 * HOUR) == TRUE


def test_for_three_closes_counts_closes_and_no_instants_between() -> None:
    machine = Persist(0, 3, HOUR)
    assert machine.step(TRUE, HOUR) == FALSE
    assert machine.step(TRUE, HOUR + 1, closed=False) == FALSE
    assert machine.step(TRUE, 2 * HOUR) == FALSE
    assert machine.step(TRUE, 3 * HOUR) == TRUE
    assert machine.step(TRUE, 4 * HOUR) == TRUE
    assert machine.step(FALSE, 5 * HOUR) == FALSE
    assert [machine.step(TRUE, n * HOUR) for n in (6, 7, 8)] == [FALSE, FALSE, TRUE]


def test_a_gap_breaks_a_for_of_closes_too() -> None:
    machine = Persist(0, 2, HOUR)
    assert machine.step(TRUE, HOUR) == FALSE
    assert machine.step(TRUE, 6 * HOUR) == FALSE
    assert machine.step(TRUE, 7 * HOUR) == TRUE


def test_unknown_earns_a_for_nothing_and_takes_nothing_from_it() -> None:
    machine = Persist(2 * HOUR, 0, HOUR)
    truths = [TRUE, TRUE, UNKNOWN, TRUE, TRUE, FALSE, TRUE]
    answers = [machine.step(truth, n * HOUR) for n, truth in enumerate(truths, 1)]
    assert answers == [FALSE, FALSE, UNKNOWN, FALSE, TRUE, FALSE, FALSE]


def test_a_line_that_is_ignored_stays_ignored_under_a_for() -> None:
    machine = Persist(HOUR, 0, HOUR)
    machine.step(TRUE, HOUR)
    assert machine.step(ABSENT, 2 * HOUR) == ABSENT
    assert machine.step(TRUE, 3 * HOUR) == FALSE
    assert machine.step(TRUE, 4 * HOUR) == TRUE


def test_a_for_that_is_done_stays_done_while_nothing_moves() -> None:
    machine = Persist(HOUR, 0, HOUR)
    assert [machine.step(TRUE, hour * HOUR) for hour in (1, 2)] == [FALSE, TRUE]
    machine.wake(9 * HOUR)
    assert machine.step(TRUE, 10 * HOUR) == TRUE


def test_sleep_before_it_was_ever_true_earns_nothing() -> None:
    for wake in (Persist.wake, Persist.pause):
        machine = Persist(HOUR, 0, HOUR)
        wake(machine, 9 * HOUR)
        assert machine.step(TRUE, 10 * HOUR) == FALSE
        assert machine.step(TRUE, 11 * HOUR) == TRUE


def test_a_pause_keeps_the_credit_and_adds_none() -> None:
    machine = Persist(2 * HOUR, 0, HOUR)
    machine.step(TRUE, HOUR)
    machine.step(TRUE, 2 * HOUR)
    machine.pause(20 * HOUR)
    assert machine.step(TRUE, 22 * HOUR) == FALSE
    assert machine.step(TRUE, 23 * HOUR) == TRUE


def test_a_for_that_has_seen_nothing_remembers_nothing() -> None:
    machine = Persist(HOUR, 0, HOUR)
    empty = {"before": False, "counted": 0, "credit": 0, "last": NEVER, "then": NEVER}
    assert remembered(machine) == empty
    machine.step(TRUE, HOUR)
    machine.pause(2 * HOUR)
    paused = {"last": 2 * HOUR, "then": 2 * HOUR}
    assert remembered(machine) == empty | {"counted": 1} | paused
    machine.step(FALSE, 3 * HOUR)
    assert remembered(machine) == empty | {"last": 2 * HOUR, "then": 3 * HOUR}


# ---------------------------------------------------------------- sequence


def follow(within: int, *rows: tuple[int, ...]) -> list[int]:
    """Return the truths of a sequence that sees one row of parts an hour."""
    machine = Follow(len(rows[0]), within)
    return [machine.step(row, hour * HOUR) for hour, row in enumerate(rows, 1)]


def test_a_sequence_needs_its_parts_at_later_instants() -> None:
    assert follow(DAY, (TRUE, TRUE), (FALSE, TRUE)) == [FALSE, TRUE]
    assert follow(DAY, (FALSE, TRUE), (TRUE, FALSE)) == [FALSE, FALSE]
    together = (TRUE, TRUE, TRUE)
    assert follow(DAY, together, together, together) == [FALSE, FALSE, TRUE]


def test_a_sequence_counts_up_to_the_last_instant_of_within() -> None:
    rows = [(TRUE, FALSE), (FALSE, FALSE), (FALSE, TRUE), (FALSE, TRUE)]
    assert follow(2 * HOUR, *rows) == [FALSE, FALSE, TRUE, FALSE]


def test_a_sequence_says_what_its_last_part_says() -> None:
    for truth, answer in ((TRUE, TRUE), (UNKNOWN, UNKNOWN), (FALSE, FALSE), (ABSENT, FALSE)):
        assert follow(DAY, (TRUE, FALSE), (FALSE, truth))[-1] == answer
        assert follow(DAY, (UNKNOWN, FALSE), (FALSE, truth))[-1] == FALSE


def test_a_sequence_of_four_goes_through_every_part_in_its_order() -> None:
    steps = [tuple(TRUE if part == now else FALSE for part in range(4)) for now in range(4)]
    assert follow(DAY, *steps) == [FALSE, FALSE, FALSE, TRUE]
    for left in range(3):
        assert TRUE not in follow(DAY, *(steps[:left] + steps[left + 1 :]))
    assert TRUE not in follow(DAY, steps[0], steps[2], steps[1], steps[3])


def test_of_two_beginnings_of_a_sequence_the_later_counts() -> None:
    first, middle = (TRUE, FALSE, FALSE), (FALSE, TRUE, FALSE)
    last, none = (FALSE, FALSE, TRUE), (FALSE, FALSE, FALSE)
    assert follow(3 * HOUR, first, first, middle, none, last)[-1] == TRUE
    assert follow(3 * HOUR, first, middle, first, none, last)[-1] == FALSE
    assert follow(3 * HOUR, first, middle, first, middle, none, last)[-1] == TRUE


def test_a_sequence_remembers_the_start_of_a_match_up_to_each_part_but_the_last() -> None:
    machine = Follow(3, DAY)
    assert remembered(machine) == {"starts": [NEVER, NEVER]}
    machine.step((TRUE, FALSE, FALSE), HOUR)
    machine.step((FALSE, TRUE, FALSE), 2 * HOUR)
    machine.step((TRUE, FALSE, FALSE), 3 * HOUR)
    assert remembered(machine) == {"starts": [3 * HOUR, HOUR]}


# ---------------------------------------------------------------- latch


def test_unknown_neither_fires_nor_clears_a_rule() -> None:
    machine = Latch(0, 0, latched=False)
    assert not machine.step(UNKNOWN, UNKNOWN, HOUR)
    assert machine.step(TRUE, FALSE, 2 * HOUR)
    assert machine.step(UNKNOWN, UNKNOWN, 3 * HOUR)
    assert not machine.step(FALSE, TRUE, 4 * HOUR)


def test_on_wins_a_tie() -> None:
    machine = Latch(0, 0, latched=False)
    assert machine.step(TRUE, TRUE, HOUR)
    assert machine.step(TRUE, TRUE, 2 * HOUR)
    assert not machine.step(UNKNOWN, TRUE, 3 * HOUR)


def test_a_rule_is_held_on_for_its_minimum_and_off_for_its_cool_down() -> None:
    machine = Latch(2 * HOUR, 3 * HOUR, latched=False)
    assert machine.step(TRUE, FALSE, HOUR)
    assert machine.step(FALSE, TRUE, 3 * HOUR - 1)
    assert not machine.step(FALSE, TRUE, 3 * HOUR)
    assert not machine.step(TRUE, FALSE, 6 * HOUR - 1)
    assert machine.step(TRUE, FALSE, 6 * HOUR)


def test_a_latched_rule_stays_on_until_an_operator_releases_it_and_then_cools_down() -> None:
    machine = Latch(0, 2 * HOUR, latched=True)
    assert not machine.held
    machine.step(TRUE, FALSE, HOUR)
    assert machine.step(FALSE, TRUE, 2 * HOUR)
    assert machine.held
    machine.release(3 * HOUR)
    assert not machine.held
    assert remembered(machine) == {"off": 3 * HOUR, "on": False, "since": HOUR}
    assert not machine.step(TRUE, FALSE, 5 * HOUR - 1)
    assert machine.step(TRUE, FALSE, 5 * HOUR)


@pytest.mark.parametrize("latched", [False, True])
@pytest.mark.parametrize("on", [False, True])
def test_time_alone_turns_a_rule_only_where_its_condition_asks_for_the_other_state(
    on, latched
) -> None:
    machine = Latch(0, 0, latched=latched)
    if on:
        machine.step(TRUE, FALSE, HOUR)
    for when in (FALSE, UNKNOWN, TRUE):
        for clear in (FALSE, UNKNOWN, TRUE):
            clears = clear == TRUE and when != TRUE and not latched
            assert machine.waits(when, clear) == (clears if on else when == TRUE)


def test_a_rule_that_has_seen_nothing_is_off_since_ever() -> None:
    assert remembered(Latch(0, 0, latched=False)) == {"off": NEVER, "on": False, "since": NEVER}


# ---------------------------------------------------------------- stages

NO, YES = (FALSE, FALSE, FALSE), (TRUE, TRUE, TRUE)


def at(*numbers: int) -> tuple[int, ...]:
    """Return the truths of three stages of which these, counted from 1, are true."""
    return tuple(TRUE if number in numbers else FALSE for number in (1, 2, 3))


def climbed(stage: int, *holds: int) -> Ladder:
    """Return a ladder of three that has reached a stage at one o'clock."""
    machine = Ladder(holds or (0, 0, 0))
    assert machine.step(at(stage), NO, HOUR) == stage
    return machine


def test_stages_rise_at_once_to_the_highest_that_is_entered() -> None:
    machine = Ladder((0, 0, 0))
    assert machine.step(NO, YES, HOUR) == 0
    assert machine.step(at(1), NO, 2 * HOUR) == 1
    assert machine.step(at(1, 2), NO, 3 * HOUR) == 2
    assert machine.step(at(1), YES, 4 * HOUR) == 1
    assert machine.step(at(1, 3), YES, 5 * HOUR) == 3


def test_stages_fall_one_step_at_a_time() -> None:
    machine = climbed(3)
    assert [machine.step(NO, YES, hour * HOUR) for hour in (2, 3, 4, 5)] == [2, 1, 0, 0]


def test_a_stage_falls_by_its_own_recovery_alone() -> None:
    for stage in (1, 2, 3):
        others = tuple({1, 2, 3} - {stage})
        assert climbed(stage).step(NO, at(*others), 2 * HOUR) == stage
        assert climbed(stage).step(NO, at(stage), 2 * HOUR) == stage - 1
        assert climbed(stage).step(NO, (UNKNOWN,) * 3, 2 * HOUR) == stage


def test_a_stage_whose_entry_still_holds_does_not_fall() -> None:
    for stage in (1, 2, 3):
        assert climbed(stage).step(at(stage), YES, 2 * HOUR) == stage
        assert climbed(stage).step((UNKNOWN,) * 3, YES, 2 * HOUR) == stage - 1


def test_each_stage_is_held_for_its_own_minimum_counted_from_when_it_was_reached() -> None:
    machine = climbed(3, HOUR, 2 * HOUR, 3 * HOUR)
    assert machine.step(NO, YES, 4 * HOUR - 1) == 3
    assert machine.step(NO, YES, 4 * HOUR) == 2
    assert machine.step(NO, YES, 6 * HOUR - 1) == 2
    assert machine.step(NO, YES, 6 * HOUR) == 1
    assert machine.step(NO, YES, 7 * HOUR - 1) == 1
    assert machine.step(NO, YES, 7 * HOUR) == 0


def test_a_stage_that_is_entered_again_is_not_held_longer_for_it() -> None:
    machine = climbed(2, 0, 2 * HOUR, 0)
    machine.step(at(2), NO, 2 * HOUR)
    assert remembered(machine) == {"since": HOUR, "stage": 2}
    assert machine.step(NO, YES, 3 * HOUR) == 1


def test_a_ladder_that_has_seen_nothing_is_at_the_ground() -> None:
    assert remembered(Ladder((0, 0))) == {"since": NEVER, "stage": 0}


# ---------------------------------------------------------------- re-entry


def cleared(start: float = 0.0, step_size: float = 0.25) -> Ramp:
    """Return a ramp by the hour whose rule was on at one and is off at two o'clock."""
    machine = Ramp(start, step_size, HOUR)
    assert machine.step(TRUE, HOUR, on=True, was_on=False) == 1.0
    assert machine.step(TRUE, 2 * HOUR, on=False, was_on=True) == start
    return machine


def cap(machine: Ramp, ts: int, truth: int = TRUE) -> float:
    return machine.step(truth, ts, on=False, was_on=False)


def test_ramp_rises_by_steps_and_ends_at_full_size() -> None:
    machine = Ramp(0.75, 0.25, 12 * HOUR)
    caps = [machine.step(TRUE, 0, on=True, was_on=False)]
    caps += [machine.step(TRUE, n * 4 * HOUR, on=False, was_on=n == 1) for n in range(1, 6)]
    assert caps == [1.0, 0.75, 0.75, 0.75, 1.0, 1.0]


def test_the_steps_of_a_ramp_are_round():
    ramp = Ramp(0.0, 0.2, HOUR)
    ramp.step(TRUE, 0, on=True, was_on=False)
    caps = [ramp.step(TRUE, hour * HOUR, on=False, was_on=hour == 1) for hour in range(1, 7)]
    assert caps == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_a_ramp_caps_nothing_before_its_rule_was_ever_on() -> None:
    machine = Ramp(0.0, 0.25, HOUR)
    assert remembered(machine) == {"before": NEVER, "credit": 0, "rising": False}
    assert [cap(machine, n * HOUR) for n in (1, 2)] == [1.0, 1.0]


def test_a_ramp_earns_while_its_condition_is_true_and_loses_all_when_it_is_false() -> None:
    machine = cleared()
    assert cap(machine, 3 * HOUR) == 0.25
    assert cap(machine, 4 * HOUR, UNKNOWN) == 0.25
    assert cap(machine, 5 * HOUR) == 0.5
    assert cap(machine, 6 * HOUR, FALSE) == 0.0
    assert cap(machine, 7 * HOUR - 1) == 0.0
    assert cap(machine, 7 * HOUR) == 0.25


def test_a_ramp_does_not_rise_a_moment_too_early() -> None:
    machine = cleared()
    assert cap(machine, 3 * HOUR - 1) == 0.0
    assert cap(machine, 3 * HOUR) == 0.25


def test_time_that_nobody_watched_raises_no_cap() -> None:
    machine = cleared()
    machine.pause()
    assert remembered(machine) == {"before": NEVER, "credit": 0, "rising": True}
    assert cap(machine, 9 * HOUR) == 0.0
    assert cap(machine, 10 * HOUR - 1) == 0.0
    assert cap(machine, 10 * HOUR) == 0.25


def test_a_rule_that_comes_on_again_begins_its_ramp_anew() -> None:
    machine = cleared()
    assert cap(machine, 3 * HOUR) == 0.25
    assert machine.step(TRUE, 4 * HOUR, on=True, was_on=False) == 1.0
    assert remembered(machine) == {"before": 4 * HOUR, "credit": HOUR, "rising": False}
    assert machine.step(TRUE, 5 * HOUR, on=False, was_on=True) == 0.0
    assert cap(machine, 6 * HOUR - 1) == 0.0


@pytest.mark.parametrize("step_size", [0.5, 0.75])
def test_a_ramp_that_has_reached_full_size_does_not_fall_back(step_size) -> None:
    machine = cleared(0.5, step_size)
    assert cap(machine, 3 * HOUR) == 1.0
    assert remembered(machine)["rising"] is False
    assert cap(machine, 4 * HOUR, FALSE) == 1.0
