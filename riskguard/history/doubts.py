"""What looks wrong with the values that rules read: told at the line that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.language.findings import Findings
from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.ruleset import input_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.errors import Diagnostic
    from riskguard.history.history import History
    from riskguard.language.ruleset import RuleSet, SeriesValue
    from riskguard.market import SeriesSpec

__all__ = ["doubts", "rolls"]

FEWEST = 48  # values; less than that is no habit
BARS = 24
# Flows of real bars move from bar to bar by at least 0.24 of their median and 0.31 of what they
# move in 24 bars; totals over 6 to 42 of their bars by at most 0.16 and 0.25 (all liquidations and
# volumes of the sell-offs of 2020 to 2026, hours to days; the tests measure it again).
CALM, NEAR = 0.19, 0.28


def doubts(history: History, rules: RuleSet) -> list[Diagnostic]:
    """Return warnings on the series that the rules read, each at the first line that reads it."""
    found = Findings(rules.path, rules.lines, rules.files)
    asked: set[str] = set()
    lines = sorted(leaves(*deciding(rules)), key=lambda leaf: (leaf.span.line, leaf.span.column))
    for leaf in lines:
        for read in series_of(leaf):
            key = key_of(read)
            if key not in asked:
                asked.add(key)
                _doubt(key, read, history, rules, found)
    return rules.unsilenced(found.sorted())


def _doubt(key: str, read: SeriesValue, history: History, rules: RuleSet, found: Findings) -> None:
    names = (key, f"{history.symbol}.{key}", f"*.{key}")
    series = next((history.series[name] for name in names if name in history.series), None)
    if series is None:
        return
    values = series.values[np.isfinite(series.values)]
    spec = input_of(rules, read.symbol, read.name).spec
    if len(series.values) >= FEWEST and (not len(values) or (values == values[0]).all()):
        message = f"the column of '{key}' never moves: this line can never fire"
        found.warn("RG503", read.span, message, "look at the data, or leave the line out")
    elif spec.kind == "flow" and rolls(values):
        message = f"'{key}' looks like a rolling total: it moves little from bar to bar"
        found.warn("RG504", read.span, message, "declare kind: rolling, and drop sum()")
    elif _in_percent(values, spec):
        median = float(np.median(np.abs(values)))
        message = f"'{key}' looks like percent: half of its values are beyond {median * 100:.4g}%"
        found.warn("RG505", read.span, message, "write scale: 0.01 where the series is described")


def rolls(values: NDArray[np.float64]) -> bool:
    """Say whether values move as a total over many bars does."""
    if len(values) < FEWEST:
        return False
    step = float(np.median(np.abs(np.diff(values))))
    far = float(np.median(np.abs(values[BARS:] - values[:-BARS])))
    return step < CALM * float(np.median(values)) and step < NEAR * far


def _in_percent(values: NDArray[np.float64], spec: SeriesSpec) -> bool:
    return spec.dimension == "share" and bool(len(values)) and float(np.median(np.abs(values))) > 1
