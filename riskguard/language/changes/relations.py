"""How a condition stands to another: true more often, less often, or neither can be told.

`more` means: whenever the old one is true, so is the new one, as soon as both are known. What
the lines alone do not tell is `other`; `same` is said only of what is true at the same instants.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from riskguard.language.expanding import Expander
from riskguard.language.ruleset import (
    All,
    Any,
    Arithmetic,
    AtLeast,
    Compare,
    During,
    Flag,
    For,
    Measured,
    Not,
    ParameterValue,
    Sequence,
    SeriesValue,
    input_of,
    walk,
)
from riskguard.language.schema import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence as Row

    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = ["LESS", "MORE", "OTHER", "SAME", "Relations", "both", "ordered", "turned"]

SAME, MORE, LESS, OTHER = "same", "more", "less", "other"
# what a longer window does to a measure
LONGER = {"high": MORE, "drawdown": MORE, "low": LESS}
MISSING = {("hold", "fire"): MORE, ("fire", "hold"): LESS}
OPS = {("<", "<="): MORE, (">", ">="): MORE, ("<=", "<"): LESS, (">=", ">"): LESS}


def both(one: str, two: str) -> str:
    """Return the relation of a whole that grows with each of two parts."""
    if SAME in {one, two}:
        return two if one == SAME else one
    return one if one == two else OTHER


def turned(relation: str) -> str:
    """Return the relation seen from the other side."""
    return {MORE: LESS, LESS: MORE}.get(relation, relation)


def ordered(old: float, new: float) -> str:
    """Return the relation of two numbers."""
    return SAME if old == new else MORE if new > old else LESS


class Relations:
    """Compares conditions of two rule sets; names are looked up in the set each comes from."""

    def __init__(self, before: RuleSet, after: RuleSet) -> None:
        self.before, self.after = Expander(before), Expander(after)
        # with the nodes, so that no other takes the place of one in memory
        self._known: dict[tuple[int, int], tuple[str, Condition, Condition]] = {}

    def of(self, old: Condition, new: Condition) -> str:
        """Return how `new` stands to `old`."""
        key = id(old), id(new)
        if key not in self._known:
            self._known[key] = self._of(old, new), old, new
        return self._known[key][0]

    def _of(self, old: Condition, new: Condition) -> str:
        if isinstance(old, Flag) or isinstance(new, Flag):
            return self._flags(old, new)
        if isinstance(old, Not) and isinstance(new, Not):
            return turned(self.of(old.of, new.of))
        if isinstance(old, For) or isinstance(new, For):
            return self._held(old, new)
        if isinstance(old, Sequence) and isinstance(new, Sequence):
            within = ordered(old.within, new.within)
            return both(within, self._pairwise(old.of, new.of))
        if isinstance(old, Compare) and isinstance(new, Compare):
            return self._leaf(old, new)
        if isinstance(old, During) and isinstance(new, During):
            return _hours(old, new)
        if _single(old) and _single(new):
            return OTHER
        return self._groups(old, new)

    def _flags(self, old: Condition, new: Condition) -> str:
        """Look through definitions; rules and stages are compared by their names."""
        first, second = _meant(old, self.before.rules), _meant(new, self.after.rules)
        if first is old and second is new:
            if _single(old) and _single(new):
                return SAME if old == new else OTHER
            return self._groups(old, new)
        found = self.of(first, second)
        looked = [one for one, node in ((old, first), (new, second)) if one is not node]
        policies = {one.on_missing for one in looked if isinstance(one, Flag)}
        if policies == {"hold"}:
            # a name that is unknown is no line that is left out
            return found if len(looked) == 2 or not _ignoring(first, second) else OTHER
        alike = len(looked) == 2 and len(policies) == 1
        return found if alike and (policies == {"fire"} or found == SAME) else OTHER

    # ------------------------------------------------------------ groups

    def _held(self, old: Condition, new: Condition) -> str:
        """Compare what must hold for a time; what need not hold at all is true sooner."""
        if isinstance(old, For) and isinstance(new, For):
            if (old.closes is None) != (new.closes is None):
                return OTHER
            long, longer = old.closes or old.duration or 0, new.closes or new.duration or 0
            return both(turned(ordered(long, longer)), self.of(old.of, new.of))
        if isinstance(old, For):
            return both(MORE, self.of(old.of, new))
        return both(LESS, self.of(old, new.of)) if isinstance(new, For) else OTHER

    def _pairwise(self, old: Row[Condition], new: Row[Condition]) -> str:
        if len(old) != len(new):
            return OTHER
        return reduce(both, map(self.of, old, new), SAME)

    def _groups(self, old: Condition, new: Condition) -> str:
        """Compare n of these with m of those; a single condition is one of one."""
        if type(old) is not type(new) and _ignoring(old, new):
            return OTHER  # a line that is left out counts otherwise in each kind of group
        least, parts = _shape(old)
        most, others = _shape(new)
        if any(self.of(old, one) == SAME for one in others if one is not new):
            least, parts = 1, [old]
        elif any(self.of(one, new) == SAME for one in parts if one is not old):
            most, others = 1, [new]
        gone, added = self._unmatched(parts, others, {SAME})[:2]
        gone, added, moved = self._unmatched(gone, added, {MORE, LESS})
        if not gone and not added:  # the fewer are needed, the more often it is true
            return both(turned(ordered(least, most)), moved)
        step = OTHER
        if not gone:
            step = MORE if most <= least else LESS if most - least >= len(added) else OTHER
        elif not added:
            step = LESS if most >= least else MORE if least - most >= len(gone) else OTHER
        return both(step, moved)

    def _unmatched(
        self, old: list[Condition], new: list[Condition], wanted: set[str]
    ) -> tuple[list[Condition], list[Condition], str]:
        """Return the parts of each without a like in the other, and how the likes have moved."""
        gone, added, moved = [], list(new), SAME
        for one in old:
            found = (at for at, two in enumerate(added) if self.of(one, two) in wanted)
            twin = next(found, None)
            if twin is None:
                gone.append(one)
            else:
                moved = both(moved, self.of(one, added.pop(twin)))
        return gone, added, moved

    # ------------------------------------------------------------ leaves

    def _leaf(self, old: Compare, new: Compare) -> str:
        missing = MISSING.get((old.on_missing, new.on_missing), OTHER)
        missing = SAME if old.on_missing == new.on_missing else missing
        left, right = self.value(old.left, new.left), self.value(old.right, new.right)
        op = SAME if old.op == new.op else OPS.get((old.op, new.op), OTHER)
        if old.op in {"==", "!="} and not left == right == SAME:
            return OTHER
        # a line with < is true more often where its left is less
        moved = both(turned(left), right) if old.op[0] == "<" else both(left, turned(right))
        return both(both(op, moved), missing)

    def value(self, old: Value, new: Value) -> str:
        """Return whether a value has become more or less, at every instant."""
        numbers = self._figures(old, new)
        if numbers is not None:
            return reduce(both, (ordered(*pair) for pair in numbers), SAME)
        if isinstance(old, Arithmetic) and isinstance(new, Arithmetic) and old.op == new.op:
            return self._arithmetic(old, new)
        if isinstance(old, Measured) and isinstance(new, Measured):
            return self._measured(old, new)
        return SAME if old == new else OTHER

    def _figures(self, old: Value, new: Value) -> list[tuple[float, float]] | None:
        """Return both numbers, of each source where they differ by source; None with data."""
        one, two = _by_source(old, self.before), _by_source(new, self.after)
        if one is None or two is None:
            return None
        sources = one.keys() | two.keys()
        pairs = [(_for(one, source), _for(two, source)) for source in sources]
        found = [(old, new) for old, new in pairs if old is not None and new is not None]
        return found if len(found) == len(pairs) else None

    def _arithmetic(self, old: Arithmetic, new: Arithmetic) -> str:
        left, right = self.value(old.left, new.left), self.value(old.right, new.right)
        if left == right == SAME:
            return SAME
        if old.op == "+" or (old.op == "+share" and self._positive(old.left)):
            return both(left, right)
        if old.op == "-" or (old.op == "-share" and self._positive(old.left)):
            return both(left, turned(right))
        factor = self.after.number(new.right)
        if right == SAME and factor is not None and old.op in {"*", "/"}:
            return left if factor > 0 else turned(left)
        return OTHER

    def _positive(self, value: Value) -> bool:
        """Say whether a value is known never to be below 0."""
        number = self.before.number(value)
        if number is not None:
            return number >= 0
        while isinstance(value, Measured) and not MEASURES[value.function].result:
            value = value.of
        if not isinstance(value, SeriesValue):
            return False
        return not input_of(self.before.rules, value.symbol, value.name).spec.signed

    def _measured(self, old: Measured, new: Measured) -> str:
        same = self.value(old.of, new.of) == SAME
        if not same or old.function != new.function or old.minimum != new.minimum:
            return OTHER
        if (old.window, old.calendar) == (new.window, new.calendar):
            return SAME
        if old.window is None or new.window is None:
            return OTHER
        longer = LONGER.get(old.function, OTHER)
        return longer if new.window > old.window else turned(longer)


def _meant(node: Condition, rules: RuleSet) -> Condition:
    """Return what a name of a definition stands for, else the condition itself."""
    if isinstance(node, Flag) and node.kind == "definition":
        return rules.define.get(node.name, node)
    return node


def _single(node: Condition) -> bool:
    return not isinstance(node, All | Any | AtLeast)


def _ignoring(*conditions: Condition) -> bool:
    lines = (leaf for node in conditions for leaf in walk(node))
    return any(isinstance(one, Compare | Flag) and one.on_missing == "ignore" for one in lines)


def _hours(old: During, new: During) -> str:
    if (old.start, old.end, old.timezone) != (new.start, new.end, new.timezone):
        return OTHER
    before, after = set(old.days), set(new.days)
    if before == after:
        return SAME
    return MORE if before < after else LESS if after < before else OTHER


def _shape(node: Condition) -> tuple[int, list[Condition]]:
    """Return a condition as so many of these."""
    if isinstance(node, All):
        return len(node.of), list(node.of)
    if isinstance(node, Any):
        return 1, list(node.of)
    if isinstance(node, AtLeast):
        return node.count, list(node.of)
    return 1, [node]


def _by_source(value: Value, expander: Expander) -> dict[str, float] | None:
    if isinstance(value, ParameterValue) and expander.rules.params[value.name].by_source:
        return dict(expander.rules.params[value.name].by_source)
    number = expander.number(value)
    return None if number is None else {"": number}


def _for(figures: dict[str, float], source: str) -> float | None:
    """Return the figure for a source: its own, that of all others, or one that holds for all."""
    for key in (source, "other", ""):
        if key in figures:
            return figures[key]
    return None
