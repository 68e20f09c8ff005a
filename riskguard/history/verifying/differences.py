"""The first difference between two evaluations of one plan: where it is, and where it comes from.

"Equal" is to the last bit: an unknown equals an unknown, and 0.0 is not -0.0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskguard.engine.decision import Decision
from riskguard.engine.plan import Leaf
from riskguard.engine.reasons import readings
from riskguard.language.rewriting import latches, release, title, trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from riskguard.engine.decision import Reading
    from riskguard.engine.plan import Plan
    from riskguard.engine.reasons import View
    from riskguard.history.columns import Columns

__all__ = [
    "Cause",
    "Difference",
    "Part",
    "alike",
    "cause_of",
    "columns_differ",
    "earliest",
    "fields_that_differ",
    "lines_that_differ",
    "measured",
    "unequal",
    "value_texts",
]


class Cause(NamedTuple):
    """The first thing that differs, in the order in which things are computed, and both values."""

    role: str  # input | measure | value | line | rule | stage | cap | sight | decision
    text: str
    one: Any
    two: Any


@dataclass(frozen=True)
class Difference:
    """The first bar at which two evaluations differ, explained.

    `kind` is look-ahead (data cut, then all data), start (a later start, then the whole history),
    stream (stepped, then by columns), early (a value joined before it was known: when it was
    joined, and when known) or stamp (closes that fit the price of another bar).
    """

    kind: str
    ts: int  # close of the bar, ns UTC
    bar: int  # from 0
    cause: Cause
    lines: tuple[tuple[Reading, Reading], ...] = ()  # that read otherwise at this bar
    decided: int = 0  # close of the first bar with another decision; 0: none is known
    fields: tuple[tuple[str, Any, Any], ...] = ()  # of that decision
    ahead: int | None = None  # bars that had to follow for it to show; None: more than are tried
    since: int = 0  # look-ahead: data was cut here; start: data began here


def unequal(one: NDArray[Any], two: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where two columns differ in any bit but those of an unknown."""
    if one.dtype.kind != "f":
        return np.asarray(one != two)
    unknown = np.isnan(one) & np.isnan(two)
    signs = np.signbit(one) != np.signbit(two)
    return np.asarray(((one != two) | signs) & ~unknown)


def _evaluated(columns: Columns) -> Iterator[NDArray[Any]]:
    yield from columns.windows
    yield from columns.values
    yield from columns.truths
    yield from columns.on
    yield columns.stage
    yield from columns.caps
    yield from columns.blind_at
    yield from columns.cold_at


def columns_differ(one: Columns, two: Columns) -> bool:
    """Say whether anything differs at the bars of `one`, which are the first ones of `two`."""
    size = one.now.size
    pairs = zip(_evaluated(one), _evaluated(two), strict=True)
    return any(
        left.tobytes() != right[:size].tobytes() and bool(unequal(left, right[:size]).any())
        for left, right in pairs
    )


class Part(NamedTuple):
    """One thing that is computed, at every bar."""

    role: str
    text: str
    column: NDArray[Any]


def measured(columns: Columns) -> Iterator[Part]:
    """Yield all numbers that lines read, each before what rests on it."""
    plan = columns.plan
    for spec, tape in zip(plan.tapes, columns.tapes, strict=True):
        if spec.feeder < 0:
            yield Part("input", spec.shown, tape.current(columns.now))
    for text, column in zip(plan.window_texts, columns.windows, strict=True):
        yield Part("measure", text, column)
    texts = value_texts(plan)
    for index, column in enumerate(columns.values):
        yield Part("value", texts[index], column)


def _judged(columns: Columns) -> Iterator[Part]:
    plan = columns.plan
    said = {slot: getattr(node, "text", "") for (node, _), slot in plan.slots.items()}
    for slot, column in enumerate(columns.truths):
        if isinstance(plan.truths[slot], Leaf):
            yield Part("line", said.get(slot, ""), column)
    for slot, column in enumerate(columns.truths):
        if not isinstance(plan.truths[slot], Leaf):
            yield Part("line", said.get(slot, "") or "a group of lines", column)
    for latch, state in zip(plan.latches, columns.on, strict=True):
        yield Part("rule", latch.name, state)
    yield Part("stage", "the stage", columns.stage)
    for ramp, caps in zip(plan.ramps, columns.caps, strict=True):
        yield Part("cap", ramp.name, caps)
    for index, stale in zip(columns.blind, columns.blind_at, strict=True):
        yield Part("sight", f"{plan.tapes[index].shown} is stale", stale)
    for index, cold in zip(columns.cold, columns.cold_at, strict=True):
        yield Part("sight", f"{plan.window_texts[index]} is priming", cold)


def value_texts(plan: Plan) -> list[str]:
    """Return how each value of a plan is written."""
    found = [getattr(node, "text", "") for node in plan.numbers]
    written = dict(zip(plan.numbers.values(), found, strict=True))
    return [
        plan.window_texts[spec.index]
        if spec.kind == "window"
        else plan.tapes[spec.index].shown
        if spec.kind == "tape"
        else written.get(index, "") or "a value"
        for index, spec in enumerate(plan.values)
    ]


def cause_of(one: Columns, two: Columns) -> tuple[int, Cause] | None:
    """Return the first bar of `one`, a beginning of `two`, at which they differ, and by what."""
    ours = (*measured(one), *_judged(one))
    theirs = (*measured(two), *_judged(two))
    return earliest(zip(ours, theirs, strict=True))


def earliest(pairs: Iterable[tuple[Part, Part]]) -> tuple[int, Cause] | None:
    """Return the first place at which any two parts differ; the second ones may be longer."""
    first, found = -1, None
    for one, two in pairs:
        bad = np.flatnonzero(unequal(one.column, two.column[: one.column.size]))
        if bad.size and (found is None or bad[0] < first):
            first = int(bad[0])
            values = one.column[first].item(), two.column[first].item()
            found = Cause(one.role, one.text, *values)
    return None if found is None else (first, found)


def alike(one: Decision, two: Decision) -> bool:
    """Say whether two decisions are equal in every field, to the last bit."""
    return one is two or (one == two and repr(one) == repr(two))


def fields_that_differ(one: Decision, two: Decision) -> tuple[tuple[str, Any, Any], ...]:
    """Return the fields in which two decisions differ, with both values."""
    pairs = ((f.name, getattr(one, f.name), getattr(two, f.name)) for f in fields(Decision))
    return tuple((name, a, b) for name, a, b in pairs if a != b or repr(a) != repr(b))


def lines_that_differ(plan: Plan, one: View, two: View) -> tuple[tuple[Reading, Reading], ...]:
    """Return each line that reads otherwise as both see it, those first that answer otherwise."""
    found: dict[str, tuple[Reading, Reading]] = {}
    for latch in latches(plan.ruleset):
        owner = title(latch)
        for role, node in (("when", trigger(latch)), ("clear", release(latch))):
            if node is None:
                continue
            sides = (readings(plan, view, owner, node, role) for view in (one, two))
            for left, right in zip(*sides, strict=True):
                if left != right or repr(left) != repr(right):
                    found.setdefault(left.leaf, (left, right))
    return tuple(sorted(found.values(), key=lambda pair: pair[0].truth == pair[1].truth))
