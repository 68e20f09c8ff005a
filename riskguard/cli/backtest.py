"""`riskguard backtest`: one strategy bare, guarded and at constant exposure, on one history."""

from __future__ import annotations

import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.ordering import Order, compared, inputs, requests
from riskguard.cli.target import json_target
from riskguard.cli.waiting import waiting
from riskguard.errors import RiskguardError
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["backtest"]

SCENARIO, RULES, STRATEGY = "feb-2026", "feb-2026", "buy_and_hold"
NAME = "NAME=VALUE"
METAVARS = {
    "--scenario": "NAME",
    "--data": "PATH",
    "--rules": "FILE or PACK",
    "--strategy": "NAME or FILE.py:CLASS",
    "--symbol": "SYMBOL",
    "--json": "PATH, or - for standard output",
}


def backtest(
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Embedded scenario [{SCENARIO}].")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="PATH", help="Folder with scenario.yaml, or CSV file.")
    ] = None,
    rules: Annotated[
        str, typer.Option(metavar="FILE|PACK", help="Rule file, or the name of a pack.")
    ] = RULES,
    strategy: Annotated[
        str, typer.Option(metavar="NAME|FILE.py:CLASS|all", help="Strategy to run.")
    ] = STRATEGY,
    param: Annotated[
        list[str] | None, typer.Option(metavar=NAME, help="Parameter of the strategy; repeatable.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar=NAME, help="Parameter of the rules; repeatable."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="Symbol to trade [the scenario's].")
    ] = None,
    cash: Annotated[str, typer.Option(metavar="AMOUNT", help="Cash at the start.")] = "100_000",
    fee: Annotated[str, typer.Option(metavar="SHARE", help="Fee of a fill: 5bp, 0.05%.")] = "5bp",
    slippage: Annotated[
        str, typer.Option(metavar="SHARE", help="Slippage of a fill: 5bp, 0.05%.")
    ] = "5bp",
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Trade no earlier than this (UTC).")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Read no further than this (UTC).")
    ] = None,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH|-", help="Write the full report; - prints it alone."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict only.")] = False,
    list_strategies: Annotated[
        bool, typer.Option("--list-strategies", help="List the strategies, their parameters.")
    ] = False,
) -> int:
    """Run one strategy bare, guarded, and at constant exposure.

    Without options: buy_and_hold of BTC in February 2026 under the pack feb-2026.
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
        },
    )
    file = given.pack(rules)
    order = Order(
        source=given.source(scenario, data, SCENARIO),
        rules=file,
        rules_path=given.pack_path(rules, file),
        strategy=strategy,
        params=given.pairs("--param", param or ()),
        settings=given.pairs("--set", settings or ()),
        symbol=given.symbol(symbol),
        cash=given.amount("--cash", cash),
        fee=given.share("--fee", fee),
        slippage=given.share("--slippage", slippage),
        start=given.instant("--from", start),
        end=given.instant("--to", end),
    )
    if order.start is not None and order.end is not None and order.start >= order.end:
        raise WrongUse(f"--from {start} does not lie before --to {end}")
    target = json_target(json_path, inputs(order))
    return _report(order, target, alone=json_path == "-", quiet=quiet)


def _inputs(order: Order) -> Iterator[Path]:
    """Yield the files and folders that are read: no report may replace them."""
    from riskguard.history.embedded import locate
    from riskguard.history.scenario import read_scenario

    yield order.rules
    file = order.strategy.rpartition(":")[0] or order.strategy
    yield Path(file) if file.endswith(".py") else shipped("strategies") / f"{file}.py"
    if Path(order.source).exists() and not Path(order.source).is_dir():
        yield Path(order.source)
    try:
        folder = locate(order.source)
        yield folder
        if folder.is_dir():  # its files may lie outside of it
            yield from (folder / entry.file for entry in read_scenario(folder).entries)
    except RiskguardError:
        return  # what is wrong with it is said when it is read


def _list() -> int:
    from riskguard.backtest.strategies import find, names, settings, title

    for name in names():
        strategy = find(name)
        lines = [f"{name}: {title(strategy)}"]
        lines += [f"  --param {one.name}={one.default}  {one.help}" for one in settings(strategy)]
        for line in lines:
            print(textwrap.fill(line.rstrip(), 80, subsequent_indent="    "))
    return 0


def _report(order: Order, target: Path | None, *, alone: bool, quiet: bool) -> int:
    from riskguard.backtest.report import as_json, build
    from riskguard.backtest.report_verdict import judge
    from riskguard.backtest.strategies import names
    from riskguard.backtest.text import overview, report_text
    from riskguard.cli.writing import write

    every = list(names())
    chosen = every if order.strategy == "all" else [order.strategy]
    # what a strategy prints is no part of the report
    with redirect_stdout(sys.stderr), waiting(quiet=quiet) as tell:
        found = compared(requests(order, chosen), tell)
        reports = [build(item) for item in found] if target or alone else []
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
        verdict = judge(found[0])
        print(f"{verdict.word}: {verdict.reason}")
    elif order.strategy == "all":
        print(overview(found), end="")
    else:
        print(report_text(found[0], [name for name in every if name != order.strategy]), end="")
    if target and not quiet:
        print(f"\nfull report: {target}")
    return 0
