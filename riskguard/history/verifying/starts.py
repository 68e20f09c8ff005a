"""Longer warm-up: does a guard that begins later read the same, once its windows are full?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.history.verifying.differences import Difference, earliest, measured, unequal

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.engine.plan import Plan
    from riskguard.history.columns import Columns
    from riskguard.history.verifying.differences import Part
    from riskguard.history.verifying.subject import Subject

__all__ = ["Starts", "start_later"]

STARTS = 8  # later starts that are tried, spread evenly


@dataclass(frozen=True)
class Starts:
    """What later starts showed, the bars of all of them added up.

    `settling` are bars at which a baseline known by its `min=` was still filling and read
    otherwise, `remembering` those at which a rule or stage still stood as what came before the
    start had left it. `possible` is False where measures look back to the very first value.
    """

    tried: int
    bars: int
    settling: int
    remembering: int
    difference: Difference | None
    possible: bool = True


def start_later(subject: Subject, whole: Columns, tell: Callable[[str], None]) -> Starts:
    """Begin the data later, and compare with the whole history from full windows on."""
    count, warm = subject.now.size, subject.warm
    if warm is None:
        return Starts(0, 0, 0, 0, None, possible=False)
    back = -(-warm // subject.plan.every) + 1
    firsts = np.unique(np.linspace(1, max(1, count - back - 1), STARTS).astype(int)).tolist()
    bars = settling = remembering = 0
    tried = [first for first in firsts if first + back < count]
    for number, first in enumerate(tried, 1):
        tell(f"starting later: {number} of {len(tried)}")
        late = subject.cut(first, count - 1)
        full = _full(late, warm)
        difference = _differs(subject, late, whole, first, full)
        if difference is not None:
            return Starts(number, bars, settling, remembering, difference)
        bars += late.now.size - full
        settling += _settling(late, whole, first, full)
        remembering += _remembering(late, whole, first, full)
    return Starts(len(tried), bars, settling, remembering, None)


def _full(late: Columns, warm: int) -> int:
    """Return the first bar of a later start at which all windows are full."""
    return int(np.searchsorted(late.now, int(late.now[0]) + warm, side="right"))


def _differs(
    subject: Subject, late: Columns, whole: Columns, first: int, full: int
) -> Difference | None:
    loose = _loose(subject.plan)
    found = earliest(
        _comparable(one, two._replace(column=two.column[first:]), loose, full)
        for one, two in zip(measured(late), measured(whole), strict=True)
    )
    if found is None:
        return None
    bar, cause = found
    return Difference("start", int(late.now[bar]), first + bar, cause, since=int(late.now[0]))


def _loose(plan: Plan) -> set[str]:
    """Return the measures that are known before they are full, and what rests on them."""
    found: set[int] = set()
    for index, (window, tapes) in enumerate(plan.windows):
        if window.minimum is not None or found & {plan.tapes[tape].feeder for tape in tapes}:
            found.add(index)
    return {plan.window_texts[index] for index in found}


def _comparable(one: Part, two: Part, loose: set[str], full: int) -> tuple[Part, Part]:
    """Blank out what need not agree: before `full`, what is not known yet or not firm."""
    ours, theirs = one.column.copy(), two.column.copy()
    firm = one.role != "value" and one.text not in loose
    free = ~np.isfinite(ours[:full]) if firm else np.ones(full, bool)
    ours[:full][free] = theirs[:full][free] = np.nan
    return one._replace(column=ours), two._replace(column=theirs)


def _settling(late: Columns, whole: Columns, first: int, full: int) -> int:
    """Count the bars before `full` at which a measure is known and reads otherwise."""
    moved = np.zeros(full, bool)
    for one, two in zip(late.windows, whole.windows, strict=True):
        ours, theirs = one[:full], two[first : first + full]
        moved |= unequal(ours, theirs) & np.isfinite(ours)
    return int(moved.sum())


def _remembering(late: Columns, whole: Columns, first: int, full: int) -> int:
    """Count the bars from `full` on at which the rules stand otherwise."""
    pairs = [
        (one[full:], two[first + full :])
        for one, two in (
            (late.stage, whole.stage),
            *zip(late.on, whole.on, strict=True),
            *zip(late.caps, whole.caps, strict=True),
        )
    ]
    moved = np.zeros(late.now.size - full, bool)
    for one, two in pairs:
        moved |= one != two
    return int(moved.sum())
