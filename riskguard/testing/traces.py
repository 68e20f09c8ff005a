"""What every line of a rule file came to in a case, bar by bar.

What a guard decides rests on the truths of its lines alone: a change of a line that leaves its
truth as it was at every bar changes no decision.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.boundary import compare, slack
from riskguard.engine.logic import ABSENT, FALSE, NEVER, TRUE
from riskguard.language.ruleset import Compare, For

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.testing.lines import Line
    from riskguard.testing.playing import Market

__all__ = ["Traces"]


class Place(NamedTuple):
    """Where a line stands in a plan: what it ends in, its comparison, the numbers compared."""

    leaf: Compare
    truth: int
    inner: int  # the truth of the comparison, before its `for`
    left: int
    right: int


def _places(guard: Guard, line: Line) -> list[Place]:
    """Return every place of a line; a definition that nobody reads has none."""
    plan = guard.plan
    found = []
    for (node, clearing), slot in plan.slots.items():
        leaf = node.of if isinstance(node, For) else node
        if node in line.nodes and isinstance(leaf, Compare):
            inner = plan.slot(leaf, clearing=clearing)
            found.append(
                Place(leaf, slot, inner, plan.numbers[leaf.left], plan.numbers[leaf.right])
            )
    return found


class Traces:
    """A case played once by the rules as they are, with what its lines came to."""

    def __init__(self, market: Market, lines: Sequence[Line]) -> None:
        self.market = market
        self.decisions: list[Decision] = []
        self._bars: list[tuple[list[int], list[float]]] = []
        guard = market.guard()
        self._places = {line: _places(guard, line) for line in lines}
        for decision in market.decisions(guard):
            self.decisions.append(decision)
            if guard.as_of == NEVER:  # no bar of the rules has closed yet
                continue
            self._bars.append((guard.stream.truths.copy(), guard.stream.values.copy()))

    def seen(self, line: Line) -> set[str]:
        """Return which truths a line had: letters of "TFU"."""
        return {
            _letter(truths[place.truth], values[place.left], values[place.right])
            for place in self._places[line]
            for truths, values in self._bars
        }

    def waits(self, line: Line) -> bool:
        """Say whether the `for` of a line makes a difference at any bar."""
        return any(
            truths[place.truth] != truths[place.inner]
            for place in self._places[line]
            for truths, _ in self._bars
        )

    def crosses(self, line: Line, factor: float) -> bool:
        """Say whether `factor` times its threshold turns the comparison at any bar."""
        return any(
            one != other
            for place in self._places[line]
            for one, other in self._compared(place, factor)
        )

    def _compared(self, place: Place, factor: float) -> Iterator[tuple[bool, bool]]:
        """Yield what a comparison says at each bar where it is known, and what it would say."""
        op, sides = place.leaf.op, (place.leaf.left.dimension, place.leaf.right.dimension)
        absolute = "share" in sides or "ratio" in sides
        for _, values in self._bars:
            value, threshold = values[place.left], values[place.right]
            other = threshold * factor
            if not math.isnan(value - threshold):
                yield (
                    compare(op, value, threshold, slack(threshold, absolute=absolute)),
                    compare(op, value, other, slack(other, absolute=absolute)),
                )


def _letter(truth: int, left: float, right: float) -> str:
    # `on_missing` turns unknown into something else: the numbers tell what was known
    if truth == ABSENT or math.isnan(left) or math.isnan(right):
        return "U"
    return {TRUE: "T", FALSE: "F"}.get(truth, "U")
