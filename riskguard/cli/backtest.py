"""`riskguard backtest`: one strategy bare, guarded and at constant exposure, on one history."""

from __future__ import annotations

import re
import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.nulled import nulled
from riskguard.cli.ordering import (
    CASH,
    COST,
    STRATEGY,
    Cash,
    End,
    Fee,
    Files,
    Params,
    Settings,
    Slippage,
    Start,
    Symbol,
    compared,
    inputs,
    ordered,
    requests,
)
from riskguard.cli.pages import page_targets, write_pages
from riskguard.cli.preregistered import HOW, plan_of, under
from riskguard.cli.target import json_target
from riskguard.cli.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.backtest.evidence.plan import Plan
    from riskguard.cli.ordering import Order


__all__ = ["backtest"]

SCENARIO, RULES = "feb-2026", "feb-2026"
SURROGATES = 200
METAVARS = {
    "--scenario": "NAME",
    "--data": "PATH",
    "--rules": "FILE or PACK",
    "--strategy": "NAME or FILE.py:CLASS",
    "--symbol": "SYMBOL",
    "--json": "PATH, or - for standard output",
    "--preregister": "PLAN",
}


def backtest(
    context: typer.Context,
    count: Annotated[
        str | None, typer.Argument(metavar="N", help="With --null: how many histories [200].")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Embedded scenario [{SCENARIO}].")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="PATH", help="Folder with scenario.yaml, or CSV file.")
    ] = None,
    files: Files = None,
    rules: Annotated[
        str, typer.Option(metavar="FILE|PACK", help="Rule file, or the name of a pack.")
    ] = RULES,
    strategy: Annotated[
        str, typer.Option(metavar="NAME|FILE.py:CLASS|all", help="Strategy to run.")
    ] = STRATEGY,
    param: Params = None,
    settings: Settings = None,
    symbol: Symbol = None,
    cash: Cash = CASH,
    fee: Fee = COST,
    slippage: Slippage = COST,
    start: Start = None,
    end: End = None,
    preregister: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Run under this plan (riskguard plan writes one)."),
    ] = None,
    null: Annotated[
        bool,
        typer.Option("--null", help="Judge N histories without foresight instead, under a plan."),
    ] = False,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH|-", help="Write the full report; - prints it alone."),
    ] = None,
    report: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Write a page: .html, .md or .png; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict only.")] = False,
    list_strategies: Annotated[
        bool, typer.Option("--list-strategies", help="List the strategies, their parameters.")
    ] = False,
) -> int:
    """Run one strategy bare, guarded, and at constant exposure.

    Without options: buy_and_hold of BTC in February 2026 under the pack feb-2026.
    Under a plan every option that is not given is the plan's.

    Example: riskguard backtest --preregister plan.yaml

    Example: riskguard backtest --preregister plan.yaml --null 50

    Exit codes: 0 done, 1 rules or data are refused, or --null praised too often, 2 wrong use.
    """
    if list_strategies:
        return _list()
    given.filled(
        METAVARS,
        {
            "--scenario": scenario,
            "--data": data,
            "--rules": rules,
            "--strategy": strategy,
            "--symbol": symbol,
            "--json": json_path,
            "--preregister": preregister,
        },
    )
    surrogates = _surrogates(count, null=null, planned=preregister is not None)
    order = ordered(
        given.source(scenario, data, SCENARIO),
        rules,
        files=files,
        strategy=strategy,
        param=param,
        settings=settings,
        symbol=symbol,
        cash=cash,
        fee=fee,
        slippage=slippage,
        start=start,
        end=end,
    )
    plan = None if preregister is None else plan_of(preregister)
    if plan is not None and preregister is not None:
        order = under(plan, Path(preregister), order, _said(context))
    if plan is not None and surrogates:
        _unwritten(json_path, report)
        return nulled(order, plan, surrogates, quiet=quiet)
    read = list(inputs(order))
    target = json_target(json_path, read)
    pages = page_targets(_one(order.strategy, report), target, read)
    return _report(order, plan, target, pages, alone=json_path == "-", quiet=quiet)


def _one(chosen: str, report: Sequence[str] | None) -> Sequence[str]:
    """Return the pages that are asked for: they show one strategy."""
    if report and chosen == "all":
        raise WrongUse("--report shows one strategy", "write --strategy NAME beside it")
    return report or ()


def _unwritten(json_path: str | None, report: Sequence[str] | None) -> None:
    """Refuse files beside --null: it judges many histories, of which none is reported."""
    for option, given_ in (("--json", json_path), ("--report", report)):
        if given_:
            raise WrongUse(f"--null writes no {option}", "what it prints is all; leave it out")


def _said(context: typer.Context) -> list[str]:
    """Return the options that were given, by the names of their parameters."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, one in sources.items() if one is not None and one.name == "COMMANDLINE"]


def _surrogates(count: str | None, *, null: bool, planned: bool) -> int:
    """Return how many surrogate histories are judged; 0 for an ordinary run."""
    if not null:
        if count is not None:
            raise WrongUse(f"backtest takes no '{count}'", "a number stands with --null only")
        return 0
    if not planned:
        raise WrongUse("--null runs under a plan", f"write one, then --preregister: {HOW}")
    if count is not None and not re.fullmatch("[1-9][0-9]{0,4}", count):
        raise WrongUse(f"--null '{count}' is not a number of histories", "write --null 50")
    return int(count or SURROGATES)


def _list() -> int:
    from riskguard.backtest.strategies import find, names, settings, title

    for name in names():
        strategy = find(name)
        lines = [f"{name}: {title(strategy)}"]
        lines += [f"  --param {one.name}={one.default}  {one.help}" for one in settings(strategy)]
        for line in lines:
            print(textwrap.fill(line.rstrip(), 80, subsequent_indent="    "))
    return 0


def _report(
    order: Order,
    plan: Plan | None,
    target: Path | None,
    pages: Sequence[Path],
    *,
    alone: bool,
    quiet: bool,
) -> int:
    from riskguard.backtest.evidence.evidence import weigh
    from riskguard.backtest.report import as_json, build
    from riskguard.backtest.strategies import names
    from riskguard.backtest.text import overview, report_text, verdicts
    from riskguard.cli.writing import write

    every = list(names())
    chosen = every if order.strategy == "all" else [order.strategy]
    # what a strategy prints is no part of the report
    with redirect_stdout(sys.stderr), waiting(quiet=quiet) as tell:
        runs = compared(requests(order, chosen), tell)
        tell("weighing the evidence")
        found = [(one, weigh(one, plan=plan)) for one in runs]
        reports = [build(*pair) for pair in found] if target or alone else []
        write_pages(pages, *found[0], tell)
    if reports:
        text = as_json(reports[0] if order.strategy != "all" else reports)
        if alone:
            sys.stdout.write(text)
            return 0
        if target:
            try:
                write(text, target)
            except OSError as error:
                raise WrongUse(f"--json {target} cannot be written: {error.strerror}") from error
    if quiet:
        print("\n".join(verdicts(found)))
    elif order.strategy == "all":
        print(overview(found), end="")
    else:
        others = [name for name in every if name != order.strategy]
        print(report_text(*found[0], others), end="")
    if target and not quiet:
        print(f"\nfull report: {target}")
    if pages and not quiet:
        print("\n" + "\n".join(f"page: {path}" for path in pages))
    return 0
