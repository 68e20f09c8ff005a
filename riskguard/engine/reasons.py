"""Why a decision stands: the leaves that decided, with value, threshold and margin.

The same code explains a step of the stream and a bar of the columns: both offer a `View`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from riskguard.engine.decision import FAULT, Reading
from riskguard.engine.logic import ABSENT, FALSE, NEVER, TRUE, Change
from riskguard.language.rewriting import bars_of, observed
from riskguard.language.ruleset import (
    All,
    Any,
    AtLeast,
    Compare,
    Condition,
    Flag,
    For,
    Indicator,
    Measured,
    Not,
    Sequence,
    SeriesValue,
    Value,
    parts,
    values,
)
from riskguard.market import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.decision import Decision
    from riskguard.engine.plan import Plan
    from riskguard.engine.stream import Stream
    from riskguard.language.ruleset import RuleSet

__all__ = [
    "View",
    "blind",
    "explain",
    "lines",
    "open_lines",
    "reading",
    "readings",
    "reads",
    "relaxes",
]

# fields of a decision that keep an order from entering
BY_HAND = frozenset({"manual", "state_lost"})  # what `riskguard resume` ends
LIMITS = frozenset(
    {"exposure_cap", "reduce_by", "close", "reduce_only", "block_entries", "leverage_cap"}
)
WORDS = {FALSE: "false", TRUE: "true"}


class View(Protocol):
    """One instant of an evaluation: truth of a slot, number of a value."""

    def truth(self, slot: int) -> int:
        """Return the truth of a slot."""

    def value(self, index: int) -> float:
        """Return the number of a value."""


def deciding(
    plan: Plan, view: View, node: Condition, *, clearing: bool, want: int
) -> Iterator[Condition]:
    """Yield the leaves under `node` that make it `want`; each definition is followed once."""
    followed: set[tuple[str, int]] = set()

    def leaves(node: Condition, want: int) -> Iterator[Condition]:
        if _is_line(node):
            yield node
        elif isinstance(node, Flag):
            if (node.name, want) not in followed:
                followed.add((node.name, want))
                yield from leaves(plan.ruleset.define[node.name], want)
        elif isinstance(node, Not):
            yield from leaves(node.of, 2 - want if want in WORDS else want)
        elif isinstance(node, For):
            # a group that is true, but not long enough, is explained by its true lines
            yield from leaves(node.of, view.truth(plan.slot(node.of, clearing=clearing)))
        elif isinstance(node, All | Any | AtLeast | Sequence):
            for part in node.of[-1:] if isinstance(node, Sequence) and want == TRUE else node.of:
                truth = view.truth(plan.slot(part, clearing=clearing))
                if truth == want or _counts(node, truth, want):
                    yield from leaves(part, truth)

    yield from leaves(node, want)


def _is_line(node: Condition) -> bool:
    """Say whether a node is one leaf: a line, with or without its own "for", or a state."""
    if isinstance(node, For):
        return isinstance(node.of, Compare)
    return isinstance(node, Compare) or (isinstance(node, Flag) and node.kind != "definition")


def _counts(node: Condition, truth: int, want: int) -> bool:
    """Say whether a part that is not `want` still keeps a group from being true."""
    return isinstance(node, Any | AtLeast) and TRUE not in {truth, want}


def reads(ruleset: RuleSet, node: Value, every: int) -> tuple[tuple[str, int], ...]:
    """Return the series a value rests on, each with how far back (ns) it looks."""
    found: dict[str, int] = {}
    for value in values(node):
        back, base = 0, value
        while isinstance(base, Measured):
            back += (base.window or CALENDAR.get(base.calendar, 0)) * (
                2 if base.function == "accel" else 1
            )
            base = base.of
        series = [base]
        if isinstance(base, Indicator):
            series = list(bars_of(base))
            back += observed(base, every)
        for one in series:
            if isinstance(one, SeriesValue):
                own = one.symbol and one.symbol != ruleset.symbol
                key = f"{one.symbol}.{one.name}" if own else one.name
                found[key] = max(found.get(key, 0), back or every)
    return tuple(sorted(found.items()))


def _margin(value: float, threshold: float, dimension: str) -> float | None:
    if not math.isfinite(value) or not math.isfinite(threshold):
        return None
    if dimension == "share":
        return _known(value - threshold)
    return _known(value / threshold - 1.0) if threshold else None


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def reading(plan: Plan, view: View, owner: str, leaf: Condition, role: str) -> Reading:
    """Return one line as it stands."""
    slot = plan.slot(leaf, clearing=role == "clear")
    truth = WORDS.get(view.truth(slot), "unknown")
    line = leaf.of if isinstance(leaf, For) else leaf
    if not isinstance(line, Compare):
        name = line.name if isinstance(line, Flag) else ""
        text = getattr(line, "text", "") or name
        return Reading(owner, text, None, None, None, truth, "truth", role)
    value = view.value(plan.numbers[line.left])
    threshold = view.value(plan.numbers[line.right])
    dimension = line.left.dimension
    text = leaf.text if isinstance(leaf, For) and leaf.text else line.text
    back = dict(reads(plan.ruleset, line.right, plan.every))
    for key, span in reads(plan.ruleset, line.left, plan.every):
        back[key] = max(span, back.get(key, 0))
    return Reading(
        owner, text, _known(value), _known(threshold), _margin(value, threshold, dimension),
        truth, dimension, role, tuple(sorted(back.items())),
    )  # fmt: skip


def _lines(
    plan: Plan, view: View, owner: str, node: Condition, *, role: str, want: int = TRUE
) -> list[Reading]:
    found = deciding(plan, view, node, clearing=role == "clear", want=want)
    return [reading(plan, view, owner, leaf, role) for leaf in dict.fromkeys(found)]


def lines(plan: Plan, node: Condition) -> list[Condition]:
    """Return every line under a condition once, through definitions."""
    found: dict[Condition, None] = {}
    followed: set[str] = set()

    def walk(node: Condition) -> None:
        if _is_line(node):
            found.setdefault(node)
        elif isinstance(node, Flag):
            if node.name not in followed:
                followed.add(node.name)
                walk(plan.ruleset.define[node.name])
        else:
            for part in parts(node):
                walk(part)

    walk(node)
    return list(found)


def readings(plan: Plan, view: View, owner: str, node: Condition, role: str) -> list[Reading]:
    """Return every line under a condition as it stands, deciding or not."""
    return [reading(plan, view, owner, leaf, role) for leaf in lines(plan, node)]


def explain(plan: Plan, view: View, change: Change) -> tuple[Reading, ...]:
    """Return the deciding leaves: what fired, what cleared, then what still holds.

    A rule whose `when` no longer holds stands for the lines of `clear` it waits for.
    """
    ruleset = plan.ruleset
    moved: list[Reading] = []
    held: list[Reading] = []
    items: list[tuple[str, Condition, Condition | None, bool, bool]] = [
        (f"stage {stage.name}", stage.enter, stage.recover,
         change.stage == number, change.stage_before == number)
        for number, stage in enumerate(ruleset.stages, 1)
    ]  # fmt: skip
    items += [
        (rule.name, rule.when, rule.clear, change.on[index], change.on_before[index])
        for index, rule in enumerate(ruleset.rules)
    ]
    for owner, when, clear, on, was_on in items:
        target = moved if on != was_on else held
        if on:
            if view.truth(plan.slot(when, clearing=False)) == TRUE:
                target += _lines(plan, view, owner, when, role="when")
            elif clear is not None:
                target += open_lines(plan, view, owner, clear)
        elif was_on and clear is not None and _true(plan, view, clear):
            target += _lines(plan, view, owner, clear, role="clear")
    return (*moved, *held)


def blind(key: str, age: int | None, max_age: int) -> Reading:
    """Return the reading of an input that is too old; `age` in ns, None if it never came."""
    value = None if age is None else float(age)
    return Reading("blind", key, value, float(max_age), None, "true", "time", "when", ((key, 0),))


def _true(plan: Plan, view: View, clear: Condition) -> bool:
    return view.truth(plan.slot(clear, clearing=True)) == TRUE


def open_lines(plan: Plan, view: View, owner: str, clear: Condition) -> list[Reading]:
    """Return the lines of a clear that are not true yet."""
    if _true(plan, view, clear):
        return []
    found: dict[Condition, None] = {}
    for want in (FALSE, 1, ABSENT):
        for leaf in deciding(plan, view, clear, clearing=True, want=want):
            found.setdefault(leaf)
    return [reading(plan, view, owner, leaf, "clear") for leaf in found]


def relaxes(plan: Plan, stream: Stream, decision: Decision) -> int | None:
    """Return the first close at which the decision in force may allow more: time alone tells.

    At it no winning rule or stage has its minimum hold before it; where none has any, it is one
    that has long passed. None where it may be at any event, or waits for an operator.
    """
    unknown = decision.blind or decision.priming or plan.ruleset.evaluate == "event"
    if unknown or not decision.winners:
        return None
    ladder, ends = stream.ladder, list[int]()
    stage = plan.ruleset.stages[ladder.stage - 1].name if ladder.stage else ""
    for winner in {who[0] for name, who in decision.winners.items() if name in LIMITS}:
        if winner == FAULT:
            return None
        if winner in BY_HAND and winner not in plan.rules:
            continue
        if winner in plan.rules:
            latch = stream.latches[plan.rules[winner]]
            if not latch.latched:
                ends.append(latch.since + latch.min_hold)
        elif winner == f"stage {stage}":
            ends.append(ladder.since + ladder.holds[ladder.stage - 1])
        else:  # a ramp rises at any close; so may what is of a former file
            ends.append(NEVER)
    return -(-min(ends) // plan.every) * plan.every if ends else None
