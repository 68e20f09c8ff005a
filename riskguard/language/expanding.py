"""Conditions seen through their definitions: which leaves there are, which fire alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.language.arithmetic import arithmetic
from riskguard.language.rewriting import deciding, leaves
from riskguard.language.ruleset import (
    All,
    Any,
    Arithmetic,
    AtLeast,
    Compare,
    Constant,
    Flag,
    For,
    Not,
    ParameterValue,
    Sequence,
    parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = ["Expander"]

FALSE, UNKNOWN, TRUE = 0, 1, 2
# definitions nested deeper than this are read as unknown
DEEPEST = 100


class Expander:
    """Looks through the definitions of one rule set; there are no circles in it."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules

    def every_leaf(self) -> list[Compare]:
        """Return every comparison of the file, definitions that nobody reads included."""
        return list(leaves(*deciding(self.rules), *self.rules.define.values()))

    def through(self, node: Condition, depth: int = 0) -> Condition | None:
        """Return what a flag of a definition stands for, None for rules and stages."""
        while isinstance(node, Flag):
            if node.kind != "definition" or node.name not in self.rules.define or depth > DEEPEST:
                return None
            node, depth = self.rules.define[node.name], depth + 1
        return node

    def leaves(self, node: Condition | None, depth: int = 0) -> Iterator[Compare]:
        """Yield the comparisons under a condition, definitions looked through."""
        found = None if node is None else self.through(node, depth)
        if isinstance(found, Compare):
            yield found
        elif found is not None and depth < DEEPEST:
            for part in parts(found):
                yield from self.leaves(part, depth + 1)

    def alone(self, node: Condition, depth: int = 0) -> Iterator[Compare]:
        """Yield the comparisons that make a condition true by themselves."""
        found = self.through(node, depth)
        if isinstance(found, Compare):
            yield found
        elif depth < DEEPEST:
            single = isinstance(found, AtLeast) and found.count == 1
            wrapper = isinstance(found, All | Sequence) and len(found.of) == 1
            if found is not None and (isinstance(found, Any | For) or single or wrapper):
                for part in parts(found):
                    yield from self.alone(part, depth + 1)

    def sole(self, node: Condition | None) -> tuple[Compare, bool] | None:
        """Return the one comparison that a condition is, and whether it must hold for a time."""
        held = False
        found = None if node is None else self.through(node)
        while isinstance(found, For):
            held, found = True, self.through(found.of)
        return (found, held) if isinstance(found, Compare) else None

    def number(self, value: Value) -> float | None:
        """Return the figure that a threshold is, None where data or a source decides."""
        if isinstance(value, Constant):
            return value.value
        if isinstance(value, ParameterValue):
            return self.rules.params[value.name].value
        if not isinstance(value, Arithmetic):
            return None
        left, right = self.number(value.left), self.number(value.right)
        if left is None or right is None:
            return None
        found = arithmetic(value.op, left, right)
        return None if math.isnan(found) else found

    def fires_blind(self, node: Condition) -> bool:
        """Say whether it is true with every `fire` line true and every other one unknown."""
        return self._blind(node, 0) == TRUE

    def _blind(self, node: Condition, depth: int) -> int:
        found = self.through(node, depth)
        if found is None or depth >= DEEPEST:
            return UNKNOWN
        if isinstance(found, Compare):
            return TRUE if found.on_missing == "fire" else UNKNOWN
        truths = [self._blind(part, depth + 1) for part in parts(found)]
        if isinstance(found, Any):
            return max(truths, default=UNKNOWN)
        if isinstance(found, Not):
            return TRUE - truths[0]
        if isinstance(found, AtLeast):
            return TRUE if truths.count(TRUE) >= found.count else UNKNOWN
        return min(truths, default=UNKNOWN)
