"""What every form of the report says first: the verdict, its conditions, and what was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.told import header
from riskguard.backtest.report import notes
from riskguard.backtest.text_figures import duration, moment, money

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.conditions import Condition
    from riskguard.backtest.evidence.evidence import Evidence

__all__ = ["MET", "Setting", "all_notes", "asked", "settings", "source_files", "title"]

# a word for what a condition came to; never a colour alone
MET = {True: "met", False: "not met", None: "not tested"}


class Setting(NamedTuple):
    """One thing the run was made with."""

    name: str
    text: str


def title(comparison: Comparison) -> str:
    """Return what was run, in one line."""
    name = comparison.strategy
    if comparison.leverage > 1:
        name += f" ({comparison.leverage:g}x)"
    return f"{name} on {comparison.symbol} {duration(comparison.every)}"


def asked(evidence: Evidence) -> list[tuple[str, list[Condition]]]:
    """Return the conditions of each verdict that has some: one not met is no fault of HURTS."""
    found: dict[str, list[Condition]] = {}
    for one in evidence.conditions:
        found.setdefault(one.verdict, []).append(one)
    return [(f"{word} asks for", listed) for word, listed in found.items()]


def settings(comparison: Comparison, evidence: Evidence) -> list[Setting]:
    """Return what the run was made with, in the order a reader asks for it."""
    costs, start = comparison.costs, comparison.trading_from
    params = ", ".join(f"{name} {value}" for name, value in comparison.params.items())
    span = f"{moment(int(comparison.ts[start]))} to {moment(int(comparison.ts[-1]))}"
    history = comparison.history
    return [
        Setting("history", history.title or history.name),
        Setting("traded", span),
        Setting("rules", f"{comparison.rules_path} ({comparison.ruleset.hash[:12]})"),
        Setting("strategy", comparison.strategy + (f": {params}" if params else "")),
        Setting("plan", header(evidence) or "none: an exploratory run"),
        Setting("cash", money(comparison.cash)),
        Setting("costs", f"fee {costs.fee * 1e4:g} bp, slippage {costs.slippage * 1e4:g} bp"),
    ]


def all_notes(comparison: Comparison, evidence: Evidence) -> list[str]:
    """Return what is to be known of data, rules and evidence, each once."""
    return list(dict.fromkeys((*notes(comparison), *evidence.notes)))


def source_files(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the rule file as read, then those it extends, each with its path."""
    rules = comparison.ruleset
    found = [(comparison.rules_path, "\n".join(rules.lines))]
    found += [
        (path, "\n".join(lines))
        for path, lines in rules.files.items()
        if path != rules.path and lines != rules.lines
    ]
    return found
