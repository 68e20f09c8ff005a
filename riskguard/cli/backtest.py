"""`riskguard backtest`: one strategy bare, guarded and at constant exposure, on one history."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.waiting import waiting
from riskguard.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from riskguard.backtest.comparison import Comparison

__all__ = ["backtest"]

SCENARIO, RULES, STRATEGY = "feb-2026", "feb-2026", "buy_and_hold"
NAME = "NAME=VALUE"


@dataclass(frozen=True)
class Order:
    """What is to be run, read from the options and checked as far as they can tell."""

    source: str
    rules: Path
    rules_path: str  # as shown: a shipped pack by its name
    strategy: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    symbol: str | None
    cash: float
    fee: float
    slippage: float
    start: int | None
    end: int | None


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
    order = Order(
        source=_source(scenario, data),
        rules=given.pack(rules),
        rules_path=rules,
        strategy=strategy,
        params=given.pairs("--param", param or ()),
        settings=given.pairs("--set", settings or ()),
        symbol=symbol,
        cash=given.amount("--cash", cash),
        fee=given.share("--fee", fee),
        slippage=given.share("--slippage", slippage),
        start=given.instant("--from", start),
        end=given.instant("--to", end),
    )
    if order.start is not None and order.end is not None and order.start >= order.end:
        raise WrongUse(f"--from {start} does not lie before --to {end}")
    target = _target(json_path)
    return _report(order, target, alone=json_path == "-", quiet=quiet)


def _source(scenario: str | None, data: str | None) -> str:
    from riskguard.history import scenarios

    if data is not None:
        if scenario is not None:
            raise WrongUse("--scenario and --data exclude each other", "give one of the two")
        if not Path(data).exists():
            fix = "write the path of a folder with scenario.yaml or of a CSV file"
            raise WrongUse(f"there is no {data}", fix)
        # a folder called like a scenario is still a folder
        return str(Path(data).resolve()) if data in scenarios() else data
    name = scenario or SCENARIO
    if name not in scenarios():
        raise WrongUse(f"there is no scenario '{name}'", given.nearest(name, scenarios()))
    return name


def _target(json_path: str | None) -> Path | None:
    """Return where the report goes; a place that cannot take it is known before the run."""
    if json_path is None or json_path == "-":
        return None
    path = Path(json_path)
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise WrongUse(f"--json {json_path} {what}", "write the path of a file: report.json")
    return path


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
    from riskguard.backtest.report import as_json, build, write
    from riskguard.backtest.report_verdict import judge
    from riskguard.backtest.strategies import names
    from riskguard.backtest.text import overview, report_text

    every = list(names())
    chosen = every if order.strategy == "all" else [order.strategy]
    with waiting(quiet=quiet) as tell:
        found = [_compared(order, name, tell) for name in chosen]
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


def _compared(order: Order, name: str, tell: Callable[[str], None]) -> Comparison:
    from riskguard.backtest.compare import Request, compare
    from riskguard.backtest.runs import Costs
    from riskguard.backtest.strategies import find, settings, typed
    from riskguard.history import History
    from riskguard.language.reader import load_rules

    try:
        strategy = find(name)
        given_params = typed(strategy, order.params)
    except AdapterError as error:
        raise WrongUse(str(error)) from error
    declared = {setting.name: setting.default for setting in settings(strategy)}
    history = History.read(order.source, symbol=order.symbol, end=order.end)
    rules = load_rules(order.rules, settings=order.settings, every=history.every)
    request = Request(
        history=history,
        ruleset=rules,
        rules_path=order.rules_path,
        strategy=strategy,
        strategy_name=name,
        params=declared | given_params,
        symbol=order.symbol or "",
        cash=order.cash,
        costs=Costs(order.fee, order.slippage),
        start=order.start,
    )
    return compare(request, tell)
