"""Floors that a long form of liquidations has made, where no declaration can stand for them.

`liquidations: {floor: $150M, source: published}` makes a parameter of its own. Printed, it is
declared like any other; but where a symbol lacks it, or has another in its place, only the long
form makes it for the one and not for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.numerals import duration_text, number_text
from riskguard.language.ruleset import All, Compare, Measured, Parameter, ParameterValue
from riskguard.language.wording import block, value_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Mapping

__all__ = ["FloorForms", "declared"]


def declared(rules: RuleSet) -> list[str]:
    """Return the parameters that the file and all its symbols begin with, in order."""
    found = list(rules.params)
    for own in rules.per_symbol.values():
        both = zip(found, own.params, strict=False)
        same = next((at for at, (one, two) in enumerate(both) if one != two), None)
        found = found[: min(len(found), len(own.params)) if same is None else same]
    return found


class FloorForms:
    """The floors of one rule set that are left to long forms, each to the first that reads it."""

    def __init__(self, rules: RuleSet, names: Collection[str]) -> None:
        self.left = {name: one for name, one in rules.params.items() if name not in names}

    def form(self, node: All, every: int | None) -> Mapping | None:
        """Return the long form of a multiple with its floor, None where it makes none."""
        if not self.left or len(node.of) != 2:
            return None
        pace, least = node.of
        if not (isinstance(pace, Compare) and isinstance(least, Compare)):
            return None
        ratio, total, floor = pace.left, least.left, least.right
        if not (isinstance(ratio, Measured) and isinstance(total, Measured) and ratio.of == total):
            return None
        if not isinstance(floor, ParameterValue) or floor.name not in self.left:
            return None
        made = self.left.pop(floor.name)
        return _form(node, ratio, total, made, every)


def _form(
    node: All, ratio: Measured, total: Measured, made: Parameter, every: int | None
) -> Mapping:
    (source, figure) = next(iter(made.by_source.items()))
    pace = node.of[0]
    times = value_text(pace.right, every).replace(" ", "") if isinstance(pace, Compare) else ""
    average = duration_text(ratio.window or 0, every=every)
    least = None if ratio.minimum is None else duration_text(ratio.minimum, every=every)
    return block(
        node.span,
        liquidations=block(
            node.span,
            side=value_text(total.of).removeprefix("liq."),
            window=total.calendar or duration_text(total.window or 0, every=every),
            at_least=f"{times} average({average})",
            min=least,
            floor=number_text(figure, made.dimension),
            source=source,
        ),
    )
