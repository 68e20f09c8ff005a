"""Which series nobody measured: the word stands wherever they were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.backtest.evidence.grades import MODELLED, grades_read

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.history import Series

__all__ = ["found", "modelled", "resting"]


def found(comparison: Comparison, name: str, *, pilot: bool = False) -> Series | None:
    """Return a series by its name or key: of the traded symbol, of the rules', or market-wide.

    `pilot` asks for that of the symbol the rules read first.
    """
    series = comparison.history.series
    symbols = [comparison.symbol, comparison.ruleset.symbol or comparison.symbol]
    if pilot:
        symbols.reverse()
    keys = [name, *(f"{symbol}.{name}" for symbol in (*symbols, "*"))]
    return next((series[key] for key in keys if key in series and len(series[key].times)), None)


def modelled(comparison: Comparison) -> dict[str, str]:
    """Return what is modelled of all that rules read and runs trade, by key, with its grade."""
    grades = grades_read(
        comparison.history, comparison.ruleset, comparison.symbol, comparison.leverage
    )
    return {key: grade for key, grade in grades.items() if grade in MODELLED}


def resting(comparison: Comparison) -> str:
    """Return what is said of all that rests on the decisions: "on reconstructed data", or ""."""
    grades = " and ".join(sorted(set(modelled(comparison).values())))
    return f"on {grades} data" if grades else ""
