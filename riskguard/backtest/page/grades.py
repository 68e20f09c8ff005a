"""Which series the rules read that nobody measured: the word stands wherever they were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.backtest.evidence.grades import MODELLED, grade_of, inputs_read

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.history import Series

__all__ = ["found", "modelled", "resting"]


def found(comparison: Comparison, name: str) -> Series | None:
    """Return a series by its name or key: of the traded symbol, of the rules', or market-wide."""
    series = comparison.history.series
    symbols = (comparison.symbol, comparison.ruleset.symbol, "*")
    keys = [name, *(f"{symbol}.{name}" for symbol in symbols if symbol)]
    return next((series[key] for key in keys if key in series and len(series[key].times)), None)


def modelled(comparison: Comparison) -> dict[str, str]:
    """Return the series of the rules that are modelled, by key, each with its grade."""
    rules, series = comparison.ruleset, comparison.history.series
    read = inputs_read(rules, rules.symbol or comparison.symbol) & set(series)
    grades = {key: grade_of(series[key]) for key in sorted(read)}
    return {key: grade for key, grade in grades.items() if grade in MODELLED}


def resting(comparison: Comparison) -> str:
    """Return what is said of all that rests on the decisions: "on reconstructed data", or ""."""
    grades = " and ".join(sorted(set(modelled(comparison).values())))
    return f"on {grades} data" if grades else ""
