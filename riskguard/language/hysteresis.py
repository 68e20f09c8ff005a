"""Gaps between firing and clearing, and the order of a ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.rewriting import release, trigger
from riskguard.language.ruleset import Rule
from riskguard.language.units import percent

if TYPE_CHECKING:
    from riskguard.language.expanding import Expander
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, RuleSet, Stage

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
    for number, stage in enumerate(rules.stages):
        for milder in rules.stages[:number]:
            _stuck(milder, stage, expander, found)


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


def _stuck(milder: Stage, stage: Stage, expander: Expander, found: Findings) -> None:
    enter, recover = expander.sole(milder.enter), expander.sole(stage.recover)
    if enter is None or recover is None or enter[1] or not _same_side(enter[0], recover[0]):
        return
    x, y = expander.number(enter[0].right), expander.number(recover[0].right)
    if x is None or y is None or not (y <= x if enter[0].op[0] == "<" else y >= x):
        return
    message = (
        f"\"recover\" is true only while stage '{milder.name}' would be entered "
        f"(line {enter[0].span.line}): the stage never gets out"
    )
    fix = f"turn it round: {'>' if enter[0].op[0] == '<' else '<'}"
    found.error("RG423", recover[0].span, message, fix)


def _same_side(one: Compare, other: Compare) -> bool:
    return one.left == other.left and one.op[0] == other.op[0] and one.op[0] in "<>"
