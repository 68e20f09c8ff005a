"""What is to be run, read from the options that commands share: rules, data, strategy, costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.errors import AdapterError, RiskguardError
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from riskguard.backtest.compare import Request
    from riskguard.backtest.comparison import Comparison
    from riskguard.history import History

__all__ = [
    "CASH",
    "COST",
    "STRATEGY",
    "Cash",
    "End",
    "Fee",
    "Files",
    "Order",
    "Params",
    "Settings",
    "Slippage",
    "Start",
    "Symbol",
    "compared",
    "inputs",
    "ordered",
    "requests",
]

STRATEGY, CASH, COST = "buy_and_hold", "100_000", "5bp"
NAME = "NAME=VALUE"

Params = Annotated[
    list[str] | None,
    typer.Option("--param", metavar=NAME, help="Parameter of the strategy; repeatable."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar=NAME, help="Parameter of the rules; repeatable."),
]
Files = Annotated[
    str | None,
    typer.Option(metavar="FOLDER", help="Where file names of scenario.yaml count from [there]."),
]
Symbol = Annotated[
    str | None, typer.Option(metavar="SYMBOL", help="Symbol to trade [the scenario's].")
]
Cash = Annotated[str, typer.Option(metavar="AMOUNT", help="Cash at the start.")]
Fee = Annotated[str, typer.Option(metavar="SHARE", help="Fee of a fill: 5bp, 0.05%.")]
Slippage = Annotated[str, typer.Option(metavar="SHARE", help="Slippage of a fill: 5bp, 0.05%.")]
Start = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="Trade no earlier than this (UTC).")
]
End = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Read no further than this (UTC).")
]


@dataclass(frozen=True)
class Order:
    """What is to be run, read from the options and checked as far as they can tell."""

    source: str
    files: Path | None  # from where the file names of the source count
    rules: Path
    rules_path: str  # as shown: a shipped pack by its path in the shipped folder
    strategy: str
    params: Mapping[str, str]
    settings: Mapping[str, str]
    symbol: str | None
    cash: float
    fee: float
    slippage: float
    start: int | None
    end: int | None
    dates: tuple[str, str] = ("--from", "--to")  # where start and end were said


def ordered(
    source: str,
    rules: str,
    *,
    files: str | None,
    strategy: str,
    param: Sequence[str] | None,
    settings: Sequence[str] | None,
    symbol: str | None,
    cash: str,
    fee: str,
    slippage: str,
    start: str | None,
    end: str | None,
    named: str = "--rules",
) -> Order:
    """Return what is ordered by options as they were written; `named` is the one of the rules."""
    file = given.pack(rules, named)
    made = Order(
        source=source,
        files=given.folder(files),
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
    if made.start is not None and made.end is not None and made.start >= made.end:
        raise WrongUse(f"--from {start} does not lie before --to {end}", "write the earlier first")
    return made


def inputs(order: Order) -> Iterator[Path]:
    """Yield the files and folders that are read: nothing written may replace them."""
    from riskguard.backtest.strategies import own_file
    from riskguard.history.embedded import locate
    from riskguard.history.scenario import read_scenario

    yield order.rules
    yield own_file(order.strategy) or shipped("strategies") / f"{order.strategy}.py"
    if Path(order.source).exists() and not Path(order.source).is_dir():
        yield Path(order.source)
    try:
        folder = locate(order.source)
        yield folder
        if folder.is_dir():  # its files may lie outside of it
            beside = order.files or folder
            yield from (beside / entry.file for entry in read_scenario(folder).entries)
    except RiskguardError:
        return  # what is wrong with it is said when it is read


def requests(order: Order, names: Sequence[str]) -> list[Request]:
    """Return what to compare, one request a strategy; rules and data are read once."""
    from riskguard.backtest.compare import Request
    from riskguard.backtest.runs import Costs
    from riskguard.language.reader import load_rules

    strategies = [_strategy(order, name) for name in names]
    history = _history(order)
    rules = load_rules(order.rules, settings=order.settings, every=history.every)
    return [
        Request(
            history=history,
            ruleset=rules,
            rules_path=order.rules_path,
            strategy=strategy,
            strategy_name=name,
            params=params,
            symbol=order.symbol or "",
            cash=order.cash,
            costs=Costs(order.fee, order.slippage),
            start=order.start,
        )
        for name, (strategy, params) in zip(names, strategies, strict=True)
    ]


def compared(asked: Sequence[Request], tell: Callable[[str], None]) -> list[Comparison]:
    """Run each comparison; a strategy that ends the process is refused by name."""
    from riskguard.backtest.compare import compare

    found = []
    for request in asked:
        try:
            found.append(compare(request, tell))
        except SystemExit as left:
            raise _ended(request.strategy_name, left) from left
    return found


def _strategy(order: Order, name: str) -> tuple[type, dict[str, object]]:
    from riskguard.backtest.strategies import find, settings, typed

    try:
        strategy = find(name)
        params = typed(strategy, order.params)
    except SystemExit as left:
        raise _ended(name, left) from left
    except AdapterError as error:
        if isinstance(error.__cause__, SystemExit):
            raise  # the name was right
        raise WrongUse(str(error)) from error
    declared = {setting.name: setting.default for setting in settings(strategy)}
    return strategy, declared | params


def _ended(name: str, left: SystemExit) -> AdapterError:
    code = left.code if isinstance(left.code, int) else int(left.code is not None)
    return AdapterError(f"strategy {name} ended the process (exit {code})")


def _history(order: Order) -> History:
    from riskguard.backtest.text_figures import moment
    from riskguard.history import History

    first, last = order.dates
    files = given.described(order.files, [order.source])
    history = History.read(order.source, symbol=order.symbol, files=files)
    ts = history.bars().ts
    span = f"the data has {moment(int(ts[0]))} .. {moment(int(ts[-1]))}"
    if order.end is not None:  # cut here: a pipe cannot be read twice
        if order.end < ts[0]:
            raise WrongUse(f"{last} {moment(order.end)} lies before the data", span)
        cut = {key: one.until(order.end) for key, one in history.series.items()}
        history = replace(history, series=cut)
    if order.start is not None and order.start >= history.bars().ts[-1]:
        raise WrongUse(f"{first} {moment(order.start)} leaves no bar to trade", span)
    return history
