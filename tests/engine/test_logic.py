"""The machines: the cases people ask about."""

from __future__ import annotations

import numpy as np

from riskguard.engine.logic import FALSE, TRUE, UNKNOWN, Latch, Persist, Ramp, group
from riskguard.history.columns import logic
from riskguard.market import DAY, HOUR


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


def test_unknown_neither_fires_nor_clears_a_rule() -> None:
    machine = Latch(0, 0, latched=False)
    assert not machine.step(UNKNOWN, UNKNOWN, HOUR)
    assert machine.step(TRUE, FALSE, 2 * HOUR)
    assert machine.step(UNKNOWN, UNKNOWN, 3 * HOUR)
    assert not machine.step(FALSE, TRUE, 4 * HOUR)


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
