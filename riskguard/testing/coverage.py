"""Which lines of a rule file its tests have seen true, false and unknown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.logic import ABSENT, FALSE, TRUE
from riskguard.language.ruleset import Compare, For
from riskguard.testing.lines import lines_of
from riskguard.testing.playing import Market

if TYPE_CHECKING:
    from riskguard.engine.guard import Guard
    from riskguard.testing.cases import Cases
    from riskguard.testing.lines import Line

__all__ = ["Covered", "coverage"]


class Covered(NamedTuple):
    """A line, and which truths were seen of it: letters of "TFU"."""

    line: Line
    seen: frozenset[str]

    @property
    def marks(self) -> str:
        """The three letters, "-" for one that was not seen: "TF-"."""
        return "".join(letter if letter in self.seen else "-" for letter in "TFU")

    @property
    def whole(self) -> bool:
        """Say whether the line was seen both true and false."""
        return {"T", "F"} <= self.seen


def coverage(cases: Cases) -> list[Covered]:
    """Play all cases and return what was seen of every line, in the order written."""
    lines = lines_of(cases.ruleset)
    seen: list[set[str]] = [set() for _ in lines]
    for case in cases.cases:
        market = Market(cases, case)
        guard = market.guard()
        slots = [_slots(guard, line) for line in lines]

        def look(_bar: int, guard: Guard, slots: list[list[tuple[int, int, int]]] = slots) -> None:
            for number, places in enumerate(slots):
                if len(seen[number]) < 3:
                    seen[number].update(_letter(guard, *place) for place in places)

        market.play(guard, look)
    return [Covered(line, frozenset(marks)) for line, marks in zip(lines, seen, strict=True)]


def _slots(guard: Guard, line: Line) -> list[tuple[int, int, int]]:
    """Return where a line stands in a plan: truth slot, and the two numbers it compares."""
    numbers = guard.plan.numbers
    found = []
    for (node, _), slot in guard.plan.slots.items():
        leaf = node.of if isinstance(node, For) else node
        if node in line.nodes and isinstance(leaf, Compare):
            found.append((slot, numbers[leaf.left], numbers[leaf.right]))
    return found


def _letter(guard: Guard, slot: int, left: int, right: int) -> str:
    truth = guard.stream.truth(slot)
    value = guard.stream.value
    # `on_missing` turns unknown into something else: the numbers tell what was known
    if truth == ABSENT or math.isnan(value(left)) or math.isnan(value(right)):
        return "U"
    return {TRUE: "T", FALSE: "F"}.get(truth, "U")
