"""The verdict: which of the four sentences may be printed, and why (evidence comes first).

Without a plan and its tests only NOT SHOWN can be said, and the reason names what stands in
the way: data that allows mechanics only, a sell-off the thresholds were taken from, no plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.ruleset import Compare, SeriesValue, values, walk
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.backtest.comparison import Comparison
    from riskguard.language.ruleset import Condition, RuleSet

__all__ = ["Verdict", "grade_of", "inputs_read", "judge"]

EMBEDDED = "feb-2026"
MODELLED = ("reconstructed", "synthetic")
# 2026-02-01 and 2026-03-01: whoever writes rules today knows this month, and the shipped
# thresholds come from its news
FEBRUARY = (20_485 * DAY, 20_513 * DAY)


class Verdict(NamedTuple):
    """A word of evidence.md section 6 and the reason for it."""

    word: str
    reason: str


def grade_of(series: object) -> str:
    """Return the grade that counts: a rebuilt series is reconstructed, whoever published it."""
    coverage = getattr(series, "coverage", "")
    return coverage if coverage in MODELLED else str(getattr(series, "grade", ""))


def _conditions(ruleset: RuleSet) -> Iterator[Condition]:
    yield from ruleset.define.values()
    for stage in ruleset.stages:
        yield from (node for node in (stage.enter, stage.recover) if node is not None)
    for rule in ruleset.rules:
        yield from (node for node in (rule.when, rule.clear) if node is not None)


def inputs_read(ruleset: RuleSet, symbol: str) -> set[str]:
    """Return the keys of all series the rules read: "BTC.oi", and "*.oi" for market-wide ones."""
    found = set()
    for tree in _conditions(ruleset):
        for leaf in walk(tree):
            if isinstance(leaf, Compare):
                for side in (leaf.left, leaf.right):
                    for value in values(side):
                        if isinstance(value, SeriesValue):
                            found |= {f"{value.symbol or symbol}.{value.name}", f"*.{value.name}"}
    return found


def judge(comparison: Comparison) -> Verdict:
    """Return NOT SHOWN with its reason."""
    history, ts = comparison.history, comparison.ts
    if history.name == EMBEDDED:
        return Verdict("NOT SHOWN", "mechanics only, in-sample")
    read = inputs_read(comparison.ruleset, comparison.symbol) & set(history.series)
    modelled = sorted(
        f"{key} is {grade_of(history.series[key])}"
        for key in read
        if grade_of(history.series[key]) in MODELLED
    )
    reasons = [f"mechanics only ({', '.join(modelled)})"] if modelled else []
    if int(ts[0]) < FEBRUARY[1] and int(ts[-1]) > FEBRUARY[0]:
        reasons.append("in-sample (February 2026 was known when the rules were written)")
    if not modelled:
        reasons.insert(0, "exploratory run, no plan")
    return Verdict("NOT SHOWN", ", ".join(reasons))
