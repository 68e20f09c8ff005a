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
    from collections.abc import Callable, Iterator

    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = ["Expander"]

FALSE, UNKNOWN, TRUE = 0, 1, 2


class Expander:
    """Looks through the definitions of one rule set; there are no circles in it."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._blinded: dict[str, int] = {}  # by definition

    def every_leaf(self) -> list[Compare]:
        """Return every comparison of the file, definitions that nobody reads included."""
        return list(leaves(*deciding(self.rules), *self.rules.define.values()))

    def through(self, node: Condition) -> Condition | None:
        """Return what a flag of a definition stands for, None for rules and stages."""
        while isinstance(node, Flag):
            if node.kind != "definition" or node.name not in self.rules.define:
                return None
            node = self.rules.define[node.name]
        return node

    def leaves(self, *nodes: Condition) -> Iterator[Compare]:
        """Yield the comparisons under the conditions, each definition looked through once."""
        return self._reached(nodes, parts)

    def alone(self, *nodes: Condition) -> Iterator[Compare]:
        """Yield the comparisons that make one of the conditions true by themselves."""
        return self._reached(nodes, _sufficient)

    def _reached(
        self, nodes: tuple[Condition, ...], below: Callable[[Condition], tuple[Condition, ...]]
    ) -> Iterator[Compare]:
        ahead = list(reversed(nodes))
        read: set[str] = set()
        while ahead:
            found = ahead.pop()
            if isinstance(found, Compare):
                yield found
            elif not isinstance(found, Flag):
                ahead += reversed(below(found))
            elif found.name not in read:
                read.add(found.name)
                ahead += [one for one in [self.through(found)] if one is not None]

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
        return self._blind(node) == TRUE

    def _blind(self, node: Condition) -> int:
        if not isinstance(node, Flag):
            return self._blind_parts(node)
        if node.name not in self._blinded:
            found = self.through(node)
            self._blinded[node.name] = UNKNOWN if found is None else self._blind_parts(found)
        return self._blinded[node.name]

    def _blind_parts(self, node: Condition) -> int:
        if isinstance(node, Compare):
            return TRUE if node.on_missing == "fire" else UNKNOWN
        truths = [self._blind(part) for part in parts(node)]
        if isinstance(node, Any):
            return max(truths, default=UNKNOWN)
        if isinstance(node, Not):
            return TRUE - truths[0]
        if isinstance(node, AtLeast):
            return TRUE if truths.count(TRUE) >= node.count else UNKNOWN
        return min(truths, default=UNKNOWN)


def _sufficient(node: Condition) -> tuple[Condition, ...]:
    """Return the parts of which each makes the whole true."""
    single = isinstance(node, AtLeast) and node.count == 1
    wrapper = isinstance(node, All | Sequence) and len(node.of) == 1
    return parts(node) if isinstance(node, Any | For) or single or wrapper else ()
