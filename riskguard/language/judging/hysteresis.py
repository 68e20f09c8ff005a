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
    from riskguard.language.ruleset import Compare, Condition, RuleSet, Stage, Value

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
        if not _opposed(leaf, clear):
            continue
        if leaf.op[0] != clear.op[0]:
            _gap(leaf, clear, expander, found, (off, held))
        elif leaf.right == clear.right:
            message = f'"{off}" is the same test as "{on}"'
            found.error("RG405", clear.span, message, _round(clear))
        else:
            _never(leaf, clear, expander, found, off)
    _beside(fires, clear, expander, found, off)


def _opposed(leaf: Compare, clear: Compare) -> bool:
    """Say whether both are thresholds of one value."""
    return leaf.left == clear.left and {leaf.op[0], clear.op[0]} <= {"<", ">"}


def _round(clear: Compare) -> str:
    return f"turn it round: {'>' if clear.op[0] == '<' else '<'}"


def _never(leaf: Compare, clear: Compare, expander: Expander, found: Findings, off: str) -> None:
    """Note a clear that is true only where its trigger is."""
    fires, frees = _bound(leaf, expander), _bound(clear, expander)
    if fires is not None and frees is not None and frees < fires:
        beyond = f"{'below' if clear.op[0] == '<' else 'above'} {clear.right.text}"
        message = f"{off} threshold is on the wrong side: {beyond} the rule still fires "
        found.error("RG406", clear.right.span, f"{message}(line {leaf.span.line})", _round(clear))


def _beside(
    fires: Condition, clear: Compare, expander: Expander, found: Findings, off: str
) -> None:
    """Note a clear on the wrong side of a line that others must stand beside."""
    alone = list(expander.alone(fires))
    read = [leaf for leaf in expander.leaves(fires) if leaf.left == clear.left]
    for leaf in expander.needed(fires):
        crossed = _opposed(leaf, clear) and leaf.op[0] != clear.op[0]
        if crossed and read == [leaf] and leaf not in alone:
            _gap(leaf, clear, expander, found, (off, True))


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
    found.error("RG423", recover.span, message, _round(recover))


def _bound(leaf: Compare, expander: Expander) -> float | None:
    """Return how far out a threshold lies on its side, None where it is no figure."""
    if leaf.op[0] not in "<>":
        return None
    figure = expander.number(leaf.right)
    return figure if figure is None or leaf.op[0] == "<" else -figure


def _same_side(one: Compare, other: Compare) -> bool:
    return one.left == other.left and one.op[0] == other.op[0] and one.op[0] in "<>"
