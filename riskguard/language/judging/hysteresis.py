"""Gaps between firing and clearing, and the order of a ladder."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.rewriting import release, trigger
from riskguard.language.ruleset import Rule
from riskguard.language.text.units import percent

if TYPE_CHECKING:
    from riskguard.language.expanding import Expander
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, RuleSet, Stage, Value

__all__ = ["gaps", "ladder"]


def gaps(latch: Rule | Stage, expander: Expander, found: Findings) -> None:
    """Note a clear that undoes its trigger at once, or on its wrong side."""
    on, off = ("when", "clear") if isinstance(latch, Rule) else ("enter", "recover")
    fires = trigger(latch)
    if isinstance(latch, Rule) and latch.latch:
        return
    frees = release(latch)
    sole = expander.sole(frees)
    if sole is None:
        if frees is not None and frees == fires:
            message = f'"{off}" is the same test as "{on}"'
            found.error("RG405", frees.span, message, "write what must be true to come back")
        return
    clear, held = sole
    for leaf in expander.alone(fires):
        if leaf.left != clear.left or not {leaf.op[0], clear.op[0]} <= {"<", ">"}:
            continue
        if leaf.op[0] == clear.op[0]:
            if leaf.right == clear.right:
                message = f'"{off}" is the same test as "{on}"'
                other = ">" if leaf.op[0] == "<" else "<"
                found.error("RG405", clear.span, message, f"turn it round: {other}")
            continue
        _gap(leaf, clear, expander, found, (off, held))


def _gap(
    leaf: Compare, clear: Compare, expander: Expander, found: Findings, how: tuple[str, bool]
) -> None:
    x, y = expander.number(leaf.right), expander.number(clear.right)
    if x is None or y is None:
        return
    clears, held = how
    falls = leaf.op[0] == "<"
    if y < x if falls else y > x:
        message = (
            f"{clears} threshold is on the wrong side: the rule fires at {leaf.right.text} "
            f"(line {leaf.span.line}) and would clear while it still fires"
        )
        side = "above" if falls else "below"
        fix = f"a value {side} {leaf.right.text} leaves a gap"
        found.error("RG406", clear.right.span, message, fix)
    elif x == y and not held:
        message = "no gap between firing and clearing: the rule will flap"
        found.warn("RG409", clear.right.span, message, 'leave a gap, or add "for 12h"')


def ladder(rules: RuleSet, expander: Expander, found: Findings) -> None:
    """Note stages in the wrong order, and stages that are never left."""
    for milder, stage in zip(rules.stages, rules.stages[1:], strict=False):
        mild, harsh = milder.do.exposure_cap, stage.do.exposure_cap
        if mild is not None and harsh is not None and harsh > mild:
            message = (
                f"stage '{stage.name}' allows more exposure ({percent(harsh)}) than the milder "
                f"stage before it ({percent(mild)})"
            )
            found.error("RG414", stage.span, message, f"write at most {percent(mild)}")
        _skipped(milder, stage, expander, found)
    entered: dict[tuple[Value, str], _Entered] = {}
    for stage in rules.stages:
        _stuck(stage, entered, expander, found)
        _enters(stage, entered, expander)


def _skipped(milder: Stage, stage: Stage, expander: Expander, found: Findings) -> None:
    first, second = expander.sole(milder.enter), expander.sole(stage.enter)
    if first is None or second is None or second[1] or not _same_side(first[0], second[0]):
        return
    x, y = expander.number(first[0].right), expander.number(second[0].right)
    if x is None or y is None or (y < x if first[0].op[0] == "<" else y > x):
        return
    message = (
        f"this stage is never entered on its own: stage '{stage.name}' "
        f"(line {second[0].span.line}) is reached first or together"
    )
    found.error("RG415", first[0].span, message, "swap the thresholds")


class _Entered(NamedTuple):
    """Milder stages that are entered on one side of a value, each further out than before."""

    bounds: list[float]  # rising: below a threshold it is the threshold, above it is minus that
    stages: list[Stage]
    leaves: list[Compare]


def _enters(stage: Stage, entered: dict[tuple[Value, str], _Entered], expander: Expander) -> None:
    """Remember by which line a stage is entered at once."""
    sole = expander.sole(stage.enter)
    bound = None if sole is None or sole[1] else _bound(sole[0], expander)
    if sole is None or bound is None:
        return
    leaf = sole[0]
    known = entered.setdefault((leaf.left, leaf.op[0]), _Entered([], [], []))
    if not known.bounds or bound > known.bounds[-1]:
        known.bounds.append(bound)
        known.stages.append(stage)
        known.leaves.append(leaf)


def _stuck(
    stage: Stage,
    entered: dict[tuple[Value, str], _Entered],
    expander: Expander,
    found: Findings,
) -> None:
    sole = expander.sole(stage.recover)
    bound = None if sole is None else _bound(sole[0], expander)
    if sole is None or bound is None:
        return
    recover = sole[0]
    milder = entered.get((recover.left, recover.op[0]), _Entered([], [], []))
    first = bisect_left(milder.bounds, bound)
    if first == len(milder.bounds):
        return
    message = (
        f"\"recover\" is true only while stage '{milder.stages[first].name}' would be entered "
        f"(line {milder.leaves[first].span.line}): the stage never gets out"
    )
    fix = f"turn it round: {'>' if recover.op[0] == '<' else '<'}"
    found.error("RG423", recover.span, message, fix)


def _bound(leaf: Compare, expander: Expander) -> float | None:
    """Return how far out a threshold lies on its side, None where it is no figure."""
    if leaf.op[0] not in "<>":
        return None
    figure = expander.number(leaf.right)
    return figure if figure is None or leaf.op[0] == "<" else -figure


def _same_side(one: Compare, other: Compare) -> bool:
    return one.left == other.left and one.op[0] == other.op[0] and one.op[0] in "<>"
