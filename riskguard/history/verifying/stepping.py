"""Stream equals column: a guard that is fed sample by sample decides as the columns do.

It is the witness of look-ahead too: at each bar it holds nothing that came later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.guard import Guard
from riskguard.history.columns.evaluate import Instant
from riskguard.history.verifying.differences import (
    Cause,
    Difference,
    Part,
    alike,
    earliest,
    fields_that_differ,
    lines_that_differ,
    value_texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from riskguard.engine.decision import Decision
    from riskguard.history.columns import Columns
    from riskguard.history.verifying.subject import Subject

__all__ = ["Steps", "step_all"]

SPOKEN = 4_096  # bars between two words on how far it is


@dataclass(frozen=True)
class Steps:
    """What was stepped: bars, decisions made on them, and the first difference."""

    bars: int
    decisions: int
    differing: int  # bars
    difference: Difference | None


def step_all(subject: Subject, whole: Columns, tell: Callable[[str], None]) -> Steps:
    """Feed a guard with all samples and compare it with the columns at every bar."""
    values = np.full((subject.now.size, len(whole.values)), np.nan)
    ours: list[Decision] = []
    for bar, (decision, guard) in enumerate(_stepped(subject)):
        if bar % SPOKEN == 0:
            tell(f"stepping a guard over {subject.now.size:,} bars")
        values[bar] = guard.stream.values
        ours.append(decision)
    theirs = _in_force(whole)
    wrong = _wrong(ours, theirs)
    difference = None
    moved = _moved(values, whole)
    if moved or wrong:
        bar, cause = moved or (wrong[0], None)
        if wrong and wrong[0] < bar:
            bar, cause = wrong[0], None
        pair = (ours[wrong[0]], theirs[wrong[0]]) if wrong else None
        difference = _difference(subject, whole, (bar, cause), pair)
        if wrong:
            difference = replace(difference, decided=int(subject.now[wrong[0]]))
    made = 1 + sum(one is not two for one, two in pairwise(ours))
    return Steps(len(ours), made, len(wrong), difference)


def _stepped(subject: Subject) -> Iterator[tuple[Decision, Guard]]:
    """Yield the decision in force at each bar, and the guard that made it."""
    guard = Guard(subject.ruleset, sources=subject.history.sources())
    symbol, wanted = subject.history.symbol, set(subject.now.tolist())
    for sample in subject.history.samples():
        decision = guard.update(sample)
        if sample.symbol == symbol and "close" in sample.values and sample.ts in wanted:
            yield decision, guard


def _in_force(columns: Columns) -> list[Decision]:
    """Return the decision in force at every bar, as a backtest obeys it."""
    made = {number: columns.decision(number) for number in columns.changes().tolist()}
    found: list[Decision] = []
    for bar in range(columns.now.size):
        found.append(made[bar] if bar in made else found[-1])
    return found


def _wrong(ours: list[Decision], theirs: list[Decision]) -> list[int]:
    """Return the bars at which the decisions differ; a pair that stands is looked at once."""
    seen: dict[tuple[int, int], bool] = {}
    for one, two in zip(ours, theirs, strict=True):
        pair = id(one), id(two)
        if pair not in seen:
            seen[pair] = not alike(one, two)
    pairs = zip(ours, theirs, strict=True)
    return [bar for bar, (one, two) in enumerate(pairs) if seen[id(one), id(two)]]


def _moved(values: NDArray[np.float64], whole: Columns) -> tuple[int, Cause] | None:
    """Return the first bar at which a number is not the same, and the first such number."""
    texts = value_texts(whole.plan)
    return earliest(
        (Part("value", text, values[:, index]), Part("value", text, column))
        for index, (text, column) in enumerate(zip(texts, whole.values, strict=True))
    )


def _difference(
    subject: Subject,
    whole: Columns,
    found: tuple[int, Cause | None],
    decisions: tuple[Decision, Decision] | None,
) -> Difference:
    """Explain the bar and the cause that were found; `decisions` are the first two that differ."""
    bar, cause = found
    guard = next(one for number, (_, one) in enumerate(_stepped(subject)) if number == bar)
    changed = fields_that_differ(*decisions) if decisions else ()
    return Difference(
        kind="stream",
        ts=int(subject.now[bar]),
        bar=bar,
        cause=cause or _moved_by(guard, whole, bar) or Cause("decision", *changed[0]),
        lines=lines_that_differ(subject.plan, guard.stream, Instant(whole, bar)),
        fields=changed,
    )


def _moved_by(guard: Guard, whole: Columns, bar: int) -> Cause | None:
    """Return the rule or stage that stands otherwise, None where all stand alike."""
    ours, theirs, plan = guard.stream.change, whole.change(bar), whole.plan
    if ours.stage != theirs.stage:
        return Cause("stage", "the stage", ours.stage, theirs.stage)
    for latch, one, two in zip(plan.latches, ours.on, theirs.on, strict=True):
        if one != two:
            return Cause("rule", latch.name, one, two)
    return None
