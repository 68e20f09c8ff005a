"""The machines: columns equal the step on random sequences; the cases people ask about."""

from __future__ import annotations

import random

import numpy as np
import pytest

from riskguard.engine.boundary import boundary, compare, slack
from riskguard.engine.logic import FALSE, TRUE, UNKNOWN, Follow, Ladder, Latch, Persist, Ramp, group
from riskguard.history.columns import logic
from riskguard.market import DAY, HOUR

ROUNDS = 4_000  # of each machine in `make test`


def sequence(pick: random.Random) -> tuple[list[int], np.ndarray]:
    size = pick.choice([1, 5, 20, 60])
    now = np.cumsum([HOUR * pick.choice([1, 1, 1, 1, 2, 5]) for _ in range(size)]) + 10**18
    return [int(ts) for ts in now], np.asarray(now, np.int64)


def truths(pick: random.Random, size: int, *, absent: bool = False) -> list[int]:
    weights = [4, 1, 4, 1 if absent else 0]
    return pick.choices([FALSE, UNKNOWN, TRUE, -1], weights, k=size)


def column(values: list[int]) -> np.ndarray:
    return np.asarray(values, np.int8)


def test_for_as_a_column_is_the_step() -> None:
    for seed in range(ROUNDS):
        pick = random.Random(seed)
        instants, now = sequence(pick)
        held = truths(pick, len(instants), absent=True)
        closes = pick.choice([0, 0, 1, 2, 4])
        wanted = 0 if closes else pick.choice([1, 3, 6]) * HOUR
        machine = Persist(wanted, closes, HOUR)
        steps = [
            -1 if t == -1 and machine.step(UNKNOWN, ts) is not None else machine.step(t, ts)
            for t, ts in zip(held, instants, strict=True)
        ]
        got = logic.persist(column(held), now, wanted, closes, HOUR)
        assert steps == got.tolist(), seed


def test_sequence_as_a_column_is_the_step() -> None:
    for seed in range(ROUNDS):
        pick = random.Random(seed)
        instants, now = sequence(pick)
        parts = [truths(pick, len(instants)) for _ in range(pick.choice([2, 3, 4]))]
        within = pick.choice([1, 3, 8]) * HOUR
        machine = Follow(len(parts), within)
        steps = [machine.step(row, ts) for *row, ts in zip(*parts, instants, strict=True)]
        assert steps == logic.follow([column(p) for p in parts], now, within).tolist(), seed


def test_latch_as_a_column_is_the_step() -> None:
    for seed in range(ROUNDS):
        pick = random.Random(seed)
        instants, now = sequence(pick)
        when, clear = (truths(pick, len(instants)) for _ in range(2))
        hold, cool = (pick.choice([0, 2, 6]) * HOUR for _ in range(2))
        latched = pick.random() < 0.1
        machine = Latch(hold, cool, latched=latched)
        steps = [machine.step(*row) for row in zip(when, clear, instants, strict=True)]
        got = logic.latch(column(when), column(clear), now, hold, cool, latched=latched)
        assert steps == got.tolist(), seed


def test_ladder_as_a_column_is_the_step() -> None:
    for seed in range(ROUNDS):
        pick = random.Random(seed)
        instants, now = sequence(pick)
        stages = pick.choice([1, 2, 3])
        enters = [truths(pick, len(instants)) for _ in range(stages)]
        recovers = [truths(pick, len(instants)) for _ in range(stages)]
        holds = [pick.choice([0, 2, 6]) * HOUR for _ in range(stages)]
        machine = Ladder(holds)
        steps = [
            machine.step([e[i] for e in enters], [r[i] for r in recovers], ts)
            for i, ts in enumerate(instants)
        ]
        got = logic.ladder([column(e) for e in enters], [column(r) for r in recovers], now, holds)
        assert steps == got.tolist(), seed


def test_groups_follow_kleene() -> None:
    assert group("all", 0, [TRUE, UNKNOWN]) == UNKNOWN
    assert group("all", 0, [FALSE, UNKNOWN]) == FALSE
    assert group("any", 0, [TRUE, UNKNOWN]) == TRUE
    assert group("any", 0, [FALSE, UNKNOWN]) == UNKNOWN
    assert group("at_least", 2, [TRUE, UNKNOWN, FALSE]) == UNKNOWN
    assert group("at_least", 2, [TRUE, FALSE, FALSE]) == FALSE
    assert group("at_least", 2, [TRUE, -1, TRUE]) == TRUE
    assert group("all", 0, [-1, -1]) == -1


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


@pytest.mark.parametrize("absolute", [True, False])
def test_thresholds_are_hit_exactly_and_the_boundary_says_the_same(absolute: bool) -> None:
    pick, missed = random.Random(1), 0
    for _ in range(20_000 // 2):
        points = pick.randint(-9_000, 9_000)
        threshold = points / 10_000 if absolute else abs(points) * 7.5 + 1
        value = (1000.0 * (1 + points / 10_000)) / 1000.0 - 1.0 if absolute else threshold
        allowed = slack(threshold, absolute=absolute)
        for op in (">=", "<=", "==", ">", "<", "!="):
            meant = op in {">=", "<=", "=="}
            missed += compare(op, value, threshold, allowed) != meant
            low, high, inside = boundary(op, threshold, allowed)
            for x in (value, threshold + 3 * allowed, threshold - 3 * allowed, low, high):
                if np.isfinite(x):
                    assert compare(op, x, threshold, allowed) == ((low <= x <= high) == inside)
        tick = 1e-4 if absolute else 0.01
        assert not compare("<=", threshold + tick, threshold, allowed)
        assert not compare(">=", threshold - tick, threshold, allowed)
    assert missed == 0


def test_the_steps_of_a_ramp_are_round():
    ramp = Ramp(0.0, 0.2, HOUR)
    ramp.step(TRUE, 0, on=True, was_on=False)
    caps = [ramp.step(TRUE, hour * HOUR, on=False, was_on=hour == 1) for hour in range(1, 7)]
    assert caps == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
