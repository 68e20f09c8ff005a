"""Which lines of a rule file its tests have seen true, false and unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.rewriting import key_of, leaves, series_of
from riskguard.testing.lines import lines_of
from riskguard.testing.playing import Market
from riskguard.testing.traces import Traces

if TYPE_CHECKING:
    from riskguard.testing.cases import Cases
    from riskguard.testing.lines import Line

__all__ = ["Covered", "coverage"]


class Covered(NamedTuple):
    """A line, and which truths were seen of it: letters of "TFU"."""

    line: Line
    seen: frozenset[str]
    lacking: tuple[str, ...] = ()  # inputs it reads that no case gives

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
    played = [Traces(Market(cases, case), lines) for case in cases.cases]
    given = {key for case in cases.cases for key in case.given}
    return [
        Covered(
            line,
            frozenset().union(*(traces.seen(line) for traces in played)),
            _lacking(line, given),
        )
        for line in lines
    ]


def _lacking(line: Line, given: set[str]) -> tuple[str, ...]:
    read = {key_of(one) for leaf in leaves(*line.nodes) for one in series_of(leaf)}
    return tuple(sorted(read - given))
