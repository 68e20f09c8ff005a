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

FALSE, UNKNOWN, TRUE, ABSENT = 0, 1, 2, -1
# what a line is while its data is missing
BLIND = {"hold": UNKNOWN, "fire": TRUE, "ignore": ABSENT}


class Expander:
    """Looks through the definitions of one rule set; there are no circles in it."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._blinded: dict[tuple[str, str], int] = {}  # by kind and name of a flag

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

    def needed(self, *nodes: Condition) -> Iterator[Compare]:
        """Yield the comparisons without which none of the conditions is true."""
        return self._reached(nodes, _necessary)

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
        """Say whether it is true while no data comes: `fire` is true, `ignore` is left out."""
        return self._blind(node) == TRUE

    def firing(self, node: Condition) -> Compare | Flag | None:
        """Return the first line that missing data makes true, through rules it reads as well."""
        ahead, read = [node], set[tuple[str, str]]()
        while ahead:
            found = ahead.pop()
            state = isinstance(found, Flag) and found.kind != "definition"  # never unknown
            if isinstance(found, Compare | Flag) and found.on_missing == "fire" and not state:
                return found
            if not isinstance(found, Flag):
                ahead += reversed(parts(found))
            elif (found.kind, found.name) not in read:
                read.add((found.kind, found.name))
                ahead += self._triggers(found)
        return None

    def _triggers(self, flag: Flag) -> list[Condition]:
        """Return the conditions of which one makes a flag true."""
        if flag.kind == "definition":
            return [self.rules.define[flag.name]] if flag.name in self.rules.define else []
        if flag.kind == "rule":
            return [rule.when for rule in self.rules.rules if rule.name == flag.name]
        names = [stage.name for stage in self.rules.stages]
        least = names.index(flag.name) if flag.name in names else len(names)
        return [stage.enter for stage in self.rules.stages[least:]]

    def _blind(self, node: Condition) -> int:
        if isinstance(node, Flag):
            known = self._flagged(node)
            lost = node.kind == "definition" and known in {UNKNOWN, ABSENT}
            return BLIND[node.on_missing] if lost else known
        if isinstance(node, Compare):
            return BLIND[node.on_missing]
        truths = [self._blind(part) for part in parts(node)]
        if isinstance(node, Sequence):
            return min((max(truth, FALSE) for truth in truths), default=UNKNOWN)
        present = [truth for truth in truths if truth != ABSENT]
        if not present:  # the hours of a day are no data
            return ABSENT
        if isinstance(node, Not):
            return TRUE - present[0]
        if isinstance(node, AtLeast):
            return TRUE if present.count(TRUE) >= node.count else UNKNOWN
        return max(present) if isinstance(node, Any) else min(present)

    def _flagged(self, flag: Flag) -> int:
        """Return what a definition is, and whether missing data turns a rule or a stage on."""
        key = (flag.kind, flag.name)
        if key not in self._blinded:
            truths = [self._blind(one) for one in self._triggers(flag)]
            known = flag.kind == "definition" and len(truths) == 1
            self._blinded[key] = truths[0] if known else TRUE if TRUE in truths else UNKNOWN
        return self._blinded[key]


def _sufficient(node: Condition) -> tuple[Condition, ...]:
    """Return the parts of which each makes the whole true."""
    single = isinstance(node, AtLeast) and node.count == 1
    wrapper = isinstance(node, All | Sequence) and len(node.of) == 1
    return parts(node) if isinstance(node, Any | For) or single or wrapper else ()


def _necessary(node: Condition) -> tuple[Condition, ...]:
    """Return the parts without which the whole is not true."""
    every = isinstance(node, AtLeast) and node.count == len(node.of)
    single = isinstance(node, Any) and len(node.of) == 1
    return parts(node) if isinstance(node, All | For) or every or single else ()
