"""Liquidations: a relative line needs a floor in dollars, and a floor needs its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.rewriting import latches, trigger
from riskguard.language.ruleset import (
    Constant,
    Measured,
    ParameterValue,
    SeriesValue,
    values,
)
from riskguard.language.schema import MEASURES

if TYPE_CHECKING:
    from riskguard.language.expanding import Expander
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Compare, RuleSet

__all__ = ["floors"]

FAMILY = "liq."


def floors(rules: RuleSet, expander: Expander, found: Findings) -> None:
    """Warn of triggers on liquidations that fire in a quiet market or on one source only."""
    triggers = [trigger(latch) for latch in latches(rules)]
    for leaf in expander.leaves(*triggers):
        if _dollars(leaf) and _one_source(leaf, rules):
            message = "a dollar floor on liquidations holds for one source only"
            found.warn("RG426", leaf.right.span, message, 'use a parameter with "by_source:"')
    for leaf in expander.alone(*triggers):
        if _relative(leaf):
            message = (
                "a relative measure fires on its own: in a quiet market a few dollars "
                "are many times nothing"
            )
            fix = 'put it under "all:" with a floor, for example '
            fix += "liq.long.sum(24h) >= liq_floor"
            found.warn("RG416", leaf.left.span, message, fix)
        elif _dollars(leaf):
            message = "a dollar amount alone: sources differ several times over"
            fix = 'put a relative line beside it under "all:"'
            found.warn("RG427", leaf.left.span, message, fix)


def _liquidations(leaf: Compare) -> bool:
    return any(
        isinstance(value, SeriesValue) and value.name.startswith(FAMILY)
        for value in values(leaf.left)
    )


def _relative(leaf: Compare) -> bool:
    if leaf.op[0] != ">" or not _liquidations(leaf):
        return False
    return any(
        isinstance(value, Measured) and MEASURES[value.function].relative
        for value in values(leaf.left)
    )


def _dollars(leaf: Compare) -> bool:
    return leaf.op[0] == ">" and leaf.left.dimension == "dollars" and _liquidations(leaf)


def _one_source(leaf: Compare, rules: RuleSet) -> bool:
    right = leaf.right
    if isinstance(right, ParameterValue):
        return not rules.params[right.name].by_source
    return isinstance(right, Constant) and right.value > 0
