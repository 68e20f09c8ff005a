"""`riskguard diff`: what two rule files mean differently, and what that does on a history."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskguard.cli import given
from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.places import elsewhere

if TYPE_CHECKING:
    from riskguard.backtest.differing import Differing, Span
    from riskguard.engine.decision import Decision
    from riskguard.history import History
    from riskguard.language.ruleset import RuleSet

__all__ = ["diff"]

STRATEGY = "buy_and_hold"
METAVARS = {
    "--on": "SCENARIO or PATH",
    "--strategy": "NAME or FILE.py:CLASS",
    "--symbol": "SYMBOL",
}


def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="Rule file, or the name of a pack.")],
    new: Annotated[str, typer.Argument(metavar="B", help="What it has become.")],
    scenario: Annotated[
        str | None,
        typer.Option("--on", metavar="SCENARIO", help="Scenario, folder or CSV file to run on."),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Strategy that --on runs under both [{STRATEGY}]."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="Symbol that --on trades [the rules'].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> int:
    """Tell what two rule files mean differently, and which protects less.

    Texts, comments, the order of rules and ways of writing are no meaning. With --on it tells
    which decisions change on a history, when, and what that did.

    Example: riskguard diff balanced my-rules.yaml --on feb-2026

    Exit codes: 0 no change of meaning, 1 changes or errors in a file, 2 wrong use.
    """
    from riskguard.cli import diff_text
    from riskguard.language.changes.differences import differences

    given.filled(METAVARS, {"--on": scenario, "--strategy": strategy, "--symbol": symbol})
    if scenario is None and (strategy or symbol):
        option = "--strategy" if strategy else "--symbol"
        raise WrongUse(f"{option} is for --on", f"write --on feb-2026 {option} ...")
    history = None if scenario is None else _history(scenario, given.symbol(symbol))
    every = None if history is None else history.every
    before, after = _rules(old, "A", every), _rules(new, "B", every)
    found = differences(before, after)
    tried = None if history is None else _tried(before, after, history, strategy, symbol)
    if as_json:
        told = {"changes": [asdict(one) for one in found], "on": _plain(tried, scenario)}
        print(json.dumps(told, indent=2))
    else:
        lines = diff_text.changes(found)
        if tried is not None:
            lines += diff_text.trial(tried, scenario or "", strategy or STRATEGY)
        print("\n".join(lines))
    return FINDINGS if found or (tried is not None and tried.spans) else 0


def _rules(text: str, what: str, every: int | None) -> RuleSet:
    from riskguard.language.reader import load_rules

    return load_rules(given.pack(text, what), every=every)


def _history(source: str, symbol: str | None) -> History:
    from riskguard.history import History, scenarios

    known = scenarios()
    if source not in known and not Path(source).exists():
        fix = f"{given.nearest(source, known)}; or write the path of a folder or of a CSV file"
        raise WrongUse(f"--on {source} is no scenario and no file", elsewhere(source, fix))
    return History.read(source, symbol=symbol)


def _tried(
    old: RuleSet, new: RuleSet, history: History, strategy: str | None, symbol: str | None
) -> Differing:
    from riskguard.backtest.differing import Trial, differing
    from riskguard.backtest.strategies import find
    from riskguard.errors import AdapterError

    name = strategy or STRATEGY
    with redirect_stdout(sys.stderr):  # what a strategy prints is no part of the answer
        try:
            found = find(name)
        except AdapterError as error:
            raise WrongUse(str(error)) from error
        except SystemExit as left:
            raise WrongUse(f"strategy {name} ends the process where it is loaded") from left
        return differing(old, new, Trial(history, found, symbol=symbol or ""))


def _plain(tried: Differing | None, scenario: str | None) -> dict[str, Any] | None:
    if tried is None:
        return None
    from riskguard.backtest.text_figures import duration, iso

    return {
        "scenario": scenario,
        "symbol": tried.symbol,
        "every": duration(tried.every),
        "start": iso(tried.start),
        "end": iso(tried.end),
        "spans": [_span(one) for one in tried.spans],
        "old": asdict(tried.old),
        "new": asdict(tried.new),
    }


def _span(span: Span) -> dict[str, Any]:
    from riskguard.backtest.text_figures import iso

    return {
        "start": iso(span.start),
        "end": iso(span.end),
        "bars": span.bars,
        "old": _decision(span.old),
        "new": _decision(span.new),
        "equity_difference": span.gained,
    }


def _decision(one: Decision) -> dict[str, Any]:
    names = ("stage", "latched", "exposure_cap", "block_entries", "reduce_only", "leverage_cap",
             "stop", "close", "hedge", "cancel_orders", "reduce_by")  # fmt: skip
    return {
        **{name: getattr(one, name) for name in names},
        "state": one.state.name,
        "lines": [reading.leaf for reading in one.reasons],
    }
