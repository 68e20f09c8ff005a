"""What the data allows to be said: modelled series show mechanics, February 2026 illustrates.

A rule that stayed silent on a modelled series shaped the result as much as one that spoke, so
every series counts that a rule in force reads, the bars that are traded, and the funding that is
paid on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.rewriting import bars_of
from riskguard.language.ruleset import Compare, Indicator, SeriesValue, values, walk
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from riskguard.backtest.comparison import Comparison
    from riskguard.history import History
    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = [
    "FEBRUARY",
    "GRADES",
    "ILLUSTRATION",
    "OPEN",
    "Gate",
    "gate",
    "grade_of",
    "grades_read",
    "inputs_read",
    "modelled",
    "sampled",
]

EMBEDDED = "feb-2026"
GRADES = ("exchange", "vendor", "published", "reconstructed", "synthetic")  # the worst last
MODELLED = ("reconstructed", "synthetic")
# 2026-02-01 and 2026-03-01: whoever writes rules today knows this month, and the shipped
# thresholds come from its news
FEBRUARY = (20_485 * DAY, 20_513 * DAY)
ILLUSTRATION = "2026-02"  # its fall is no event that counts


class Gate(NamedTuple):
    """What stands in the way of a claim, before anything is computed."""

    embedded: bool  # the scenario that the shipped thresholds were made on
    modelled: tuple[str, ...]  # "BTC.liq.long is reconstructed"
    in_sample: bool  # the bars reach into February 2026

    @property
    def statistics(self) -> bool:
        """Whether a p-value or an interval may be computed at all."""
        return not (self.embedded or self.modelled)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What is said of it in the verdict; empty where nothing stands in the way."""
        if self.embedded:
            return "mechanics only", "in-sample"
        found = [f"mechanics only ({', '.join(self.modelled)})"] if self.modelled else []
        if self.in_sample:
            found.append("in-sample (February 2026 was known when the rules were written)")
        return tuple(found)


OPEN = Gate(embedded=False, modelled=(), in_sample=False)  # nothing stands in the way


def grade_of(series: object) -> str:
    """Return the grade that counts: a rebuilt series is reconstructed, whoever published it."""
    coverage = getattr(series, "coverage", "")
    return coverage if coverage in MODELLED else str(getattr(series, "grade", ""))


def gate(comparison: Comparison) -> Gate:
    """Return what the data of a comparison allows."""
    history, ts = comparison.history, comparison.ts
    read = grades_read(history, comparison.ruleset, comparison.symbol, comparison.leverage)
    reaches = int(ts[0]) < FEBRUARY[1] and int(ts[-1]) > FEBRUARY[0]
    return Gate(history.name == EMBEDDED, modelled(read), reaches)


def grades_read(
    history: History, ruleset: RuleSet, symbol: str, leverage: float = 1.0
) -> dict[str, str]:
    """Return the grade of each series that the rules read, or that a run is made of.

    A run is made of the closes of what is traded, and of its funding where `leverage` pays it.
    """
    read = inputs_read(ruleset, symbol) | {f"{symbol}.close"}
    if leverage > 1:
        read.add(f"{symbol}.funding")
    return {key: grade_of(history.series[key]) for key in sorted(read & set(history.series))}


def modelled(read: Mapping[str, str]) -> tuple[str, ...]:
    """Return what no statistics may rest on, in words; empty where all is measured."""
    return tuple(f"{key} is {grade}" for key, grade in read.items() if grade in MODELLED)


def sampled(history: History, read: Iterable[str]) -> list[str]:
    """Return a sentence for each series that is read and holds a part of what happened only."""
    return [
        f"{key} is sampled: a lower bound, to be held against the past of the same source alone"
        for key in read
        if history.series[key].coverage == "sampled"
    ]


def inputs_read(ruleset: RuleSet, symbol: str) -> set[str]:
    """Return the keys of all series the rules read: "BTC.oi", and "*.oi" for market-wide ones.

    `symbol` is meant where neither the line nor the file names one.
    """
    found = set()
    watched = ruleset.symbol or symbol  # which need not be traded
    for tree in _conditions(ruleset):
        for leaf in walk(tree):
            if isinstance(leaf, Compare):
                for side in (leaf.left, leaf.right):
                    for one in _series(side):
                        found |= {f"{one.symbol or watched}.{one.name}", f"*.{one.name}"}
    return found


def _series(side: Value) -> Iterator[SeriesValue]:
    """Yield the series under a value, those too that a library or a plug-in computes on."""
    for value in values(side):
        if isinstance(value, SeriesValue):
            yield value
        elif isinstance(value, Indicator):
            yield from bars_of(value)


def _conditions(ruleset: RuleSet) -> Iterator[Condition]:
    yield from ruleset.define.values()
    for stage in ruleset.stages:
        yield from (node for node in (stage.enter, stage.recover) if node is not None)
    for rule in ruleset.rules:
        yield from (node for node in (rule.when, rule.clear) if node is not None)
