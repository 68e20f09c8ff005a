"""Whether a case could ever meet what it expects, by the inputs it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.fitting.carrying import carries
from riskguard.language.rewriting import key_of, series_of, trigger
from riskguard.language.ruleset import Any as AnyOf
from riskguard.language.ruleset import AtLeast, Compare, During, Flag, For, Not, parts

if TYPE_CHECKING:
    from riskguard.language.ruleset import Condition, RuleSet
    from riskguard.testing.cases import Expectation

__all__ = ["possible"]


def possible(rules: RuleSet, expectation: Expectation, given: frozenset[str]) -> str:
    """Return an input without which what is named can never come on, "" when it can."""
    wanted = expectation.wanted
    named = [wanted.get("rule", ""), *wanted.get("active", ()), *wanted.get("active_includes", ())]
    for rule in rules.rules:
        if rule.name in named:
            lost = _Reach(rules, given).lost(trigger(rule))
            if lost:
                return lost
    names = [stage.name for stage in rules.stages]
    stage = wanted.get("stage", "normal")
    if stage in names:
        # a stage is also reached on the way down from a harsher one
        reached = [
            _Reach(rules, given).lost(one.enter) for one in rules.stages[names.index(stage) :]
        ]
        return reached[0] if all(reached) else ""
    return ""


class _Reach:
    def __init__(self, rules: RuleSet, given: frozenset[str]) -> None:
        self.rules, self.given = rules, given

    def _own(self, key: str) -> str:
        return key.removeprefix(f"{self.rules.symbol}.") if self.rules.symbol else key

    def lost(self, node: Condition, depth: int = 0) -> str:
        """Return a missing input that keeps `node` from being true, "" when none surely does."""
        if isinstance(node, Compare):
            return self._leaf(node)
        if depth > 200 or isinstance(node, During | Not):
            return ""  # the negation of what is unknown is unknown too, but not surely read
        if isinstance(node, Flag):
            inner = self.rules.define.get(node.name) if node.kind == "definition" else None
            return self.lost(inner, depth + 1) if inner is not None else ""
        if isinstance(node, For):
            return self.lost(node.of, depth + 1)
        missing = [self.lost(part, depth + 1) for part in parts(node)]
        gone = [name for name in missing if name]
        needed = len(missing)
        if isinstance(node, AnyOf):
            needed = 1
        elif isinstance(node, AtLeast):
            needed = node.count
        return gone[0] if gone and len(missing) - len(gone) < needed else ""

    def _leaf(self, leaf: Compare) -> str:
        if leaf.on_missing != "hold":
            return ""
        for series in series_of(leaf):
            key = self._own(key_of(series))
            if not carries(self.given, key):
                return key
        return ""
