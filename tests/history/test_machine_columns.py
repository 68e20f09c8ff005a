"""Each machine as a column is its step, on irregular time with unknowns, absences and gaps."""

from __future__ import annotations

import random
from itertools import accumulate

import numpy as np
import pytest

from riskguard.engine.boundary import boundary, compare, slack
from riskguard.engine.logic import (
    ABSENT,
    FALSE,
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
from riskguard.history.columns.evaluate import _compared
from riskguard.market import HOUR, MINUTE

SEQUENCES = 20_000  # of each machine
START = 1_767_225_600_000_000_000
TRUTHS = (FALSE, UNKNOWN, TRUE, ABSENT)
# how often each truth comes: all of them, mostly true, hardly ever, never unknown
WEIGHTS = ((4, 1, 4, 1), (1, 0, 8, 0), (1, 3, 8, 1), (8, 1, 1, 0), (1, 0, 1, 0))
SPANS = (0, 1, MINUTE, HOUR - 1, HOUR, HOUR + 1, 3 * HOUR, 6 * HOUR, 20 * HOUR)


class Draw(random.Random):
    """Random instants and truths."""

    def times(self) -> list[int]:
        size = self.choice([1, 2, 5, 12, 30])
        kind = self.choice(["grid", "holes", "free", "free"])
        steps = {
            "grid": lambda: HOUR,
            "holes": lambda: HOUR * self.choice([1, 1, 1, 2, 3, 4, 9]),
            "free": lambda: self.choice([1, MINUTE, HOUR - 1, HOUR, self.randint(1, 5 * HOUR)]),
        }[kind]
        return list(accumulate((steps() for _ in range(size)), initial=START))[1:]

    def truths(self, size: int) -> list[int]:
        return self.choices(TRUTHS, self.choice(WEIGHTS), k=size)

    def span(self) -> int:
        return self.choice(SPANS)


def column(values: list[int]) -> np.ndarray:
    return np.asarray(values, np.int8)


def stamps(times: list[int]) -> np.ndarray:
    return np.asarray(times, np.int64)


def test_for(measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        times = pick.times()
        held = pick.truths(len(times))
        closes = pick.choice([0, 0, 1, 2, 4])
        wanted, every = 0 if closes else pick.span(), pick.choice([MINUTE, HOUR, 4 * HOUR])
        machine = Persist(wanted, closes, every)
        steps = []
        for truth, now in zip(held, times, strict=True):
            answer = machine.step(UNKNOWN if truth == ABSENT else truth, now)
            steps.append(ABSENT if truth == ABSENT else answer)
        got = logic.persist(column(held), stamps(times), wanted, closes, every)
        assert steps == got.tolist(), seed
    measured(f"for: {SEQUENCES:,} sequences, column and step equal")


def test_sequence(measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        times = pick.times()
        parts = [pick.truths(len(times)) for _ in range(pick.choice([2, 2, 3, 4]))]
        within = pick.span()
        machine = Follow(len(parts), within)
        steps = [machine.step(row, now) for *row, now in zip(*parts, times, strict=True)]
        got = logic.follow([column(part) for part in parts], stamps(times), within)
        assert steps == got.tolist(), seed
    measured(f"sequence: {SEQUENCES:,} sequences, column and step equal")


def test_latch(measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        times = pick.times()
        when, clear = pick.truths(len(times)), pick.truths(len(times))
        hold, cool, latched = pick.span(), pick.span(), pick.random() < 0.1
        machine = Latch(hold, cool, latched=latched)
        steps = [machine.step(*row) for row in zip(when, clear, times, strict=True)]
        got = logic.latch(column(when), column(clear), stamps(times), hold, cool, latched=latched)
        assert steps == got.tolist(), seed
    measured(f"latch: {SEQUENCES:,} sequences, column and step equal")


def test_ladder(measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        times, stages = pick.times(), pick.choice([1, 2, 3, 5])
        enters = [pick.truths(len(times)) for _ in range(stages)]
        recovers = [pick.truths(len(times)) for _ in range(stages)]
        holds = [pick.span() for _ in range(stages)]
        machine = Ladder(holds)
        steps = [
            machine.step([row[at] for row in enters], [row[at] for row in recovers], now)
            for at, now in enumerate(times)
        ]
        tables = ([column(row) for row in rows] for rows in (enters, recovers))
        assert steps == logic.ladder(*tables, stamps(times), holds).tolist(), seed
    measured(f"ladder: {SEQUENCES:,} sequences, column and step equal")


def test_ramp(measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        times = pick.times()
        rising = pick.truths(len(times))
        on = [truth == TRUE for truth in pick.truths(len(times))]
        start, step = pick.choice([0.0, 0.25, 0.75, 0.9]), pick.choice([0.05, 0.1, 0.25, 0.3])
        every = pick.choice([1, MINUTE, HOUR, 3 * HOUR])
        machine = Ramp(start, step, every)
        steps = [
            machine.step(truth, now, on=now_on, was_on=was)
            for truth, now, now_on, was in zip(rising, times, on, [False, *on[:-1]], strict=True)
        ]
        got = logic.ramp((start, step, every), column(rising), stamps(times), np.asarray(on, bool))
        assert np.asarray(steps).tobytes() == got.tobytes(), seed
    measured(f"ramp: {SEQUENCES:,} sequences, column and step equal")


@pytest.mark.parametrize("kind", ["all", "any", "at_least"])
def test_group(kind: str, measured):
    for seed in range(SEQUENCES):
        pick = Draw(seed)
        size, parts = pick.choice([1, 5, 12]), pick.choice([1, 2, 3, 5])
        rows = [pick.truths(size) for _ in range(parts)]
        count = pick.randint(1, parts)
        steps = [group(kind, count, row) for row in zip(*rows, strict=True)]
        assert steps == logic.group(kind, count, [column(row) for row in rows]).tolist(), seed
    measured(f"{kind}: {SEQUENCES:,} sequences, column and step equal")


@pytest.mark.parametrize("absolute", [True, False], ids=["shares", "amounts"])
def test_comparison(absolute: bool, measured):
    """A leaf: by formula, by its boundary where the threshold is constant, and as a column."""
    for seed in range(SEQUENCES // 2):
        pick = Draw(seed)
        base = pick.choice([0.0, 0.044, -0.044, 1.0, -3.0, 75_000.0, 1.5e11, 1e-12])
        spread = pick.choice([0.0, 1e-9])  # none: a constant
        thresholds = [base * (1 + pick.gauss(0, spread)) for _ in range(8)]
        values = [
            pick.choice([y, y * (1 + 1e-9), y * (1 - 1e-9), y + 1e-9, y - 1e-9, -y, np.nan])
            for y in thresholds
        ]
        for op in ("<", "<=", ">", ">=", "==", "!="):
            table = _compared(op, np.asarray(values), np.asarray(thresholds), absolute=absolute)
            for value, threshold, got in zip(values, thresholds, table.tolist(), strict=True):
                if np.isnan(value):
                    continue  # unknown before it is compared
                allowed = slack(threshold, absolute=absolute)
                said = compare(op, value, threshold, allowed)
                low, high, inside = boundary(op, threshold, allowed)
                assert said == got == ((low <= value <= high) == inside), (seed, op)
    measured(f"comparison: {SEQUENCES // 2:,} sequences, column, boundary and formula equal")
