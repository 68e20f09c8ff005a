"""`riskguard study`: what rules said in many histories, in falls, in dips and in calm."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.falling import depth, span
from riskguard.cli.ordering import COST, Fee, Files, Settings, Slippage, Symbol
from riskguard.cli.target import json_target
from riskguard.cli.waiting import waiting
from riskguard.errors import DataError, RiskguardError, RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from riskguard.backtest.evidence.study import Asked, Part, Study
    from riskguard.language.ruleset import RuleSet

__all__ = ["study"]

SCENARIO, RULES = "feb-2026", "feb-2026"
METAVARS = {
    "RULES": "FILE or PACK",
    "--data": "PATH",
    "--symbol": "SYMBOL",
    "--json": "PATH, or - for standard output",
}


def study(
    fall: Annotated[str, typer.Option(metavar="SHARE", help="How deep a fall is an event: 10%.")],
    within: Annotated[str, typer.Option(metavar="TIME", help="Within which time: 7d.")],
    rules: Annotated[
        str,
        typer.Argument(
            metavar="[RULES]",
            show_default=False,
            help="Rule file, or the name of a pack [feb-2026].",
        ),
    ] = RULES,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="Folder with scenario.yaml, or CSV file; repeatable [feb-2026]."
        ),
    ] = None,
    files: Files = None,
    settings: Settings = None,
    symbol: Symbol = None,
    fee: Fee = COST,
    slippage: Slippage = COST,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Look at the months kept for a last look, too.")
    ] = False,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH|-", help="Write it as JSON; - prints that alone."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the first line only.")
    ] = False,
) -> int:
    """Tell what each rule said in many histories: in falls, in dips, in calm.

    Falls and dips are found by --fall and --within, nobody picks them. Of each rule and stage:
    alarms a year, precision and recall, how long before the low, how much of the fall was done,
    and the precision at which hits pay for false alarms. Nothing is traded, no verdict is given.

    Example: riskguard study balanced --data 2022-05 --data quiet-2023 --fall 10% --within 7d

    Exit codes: 0 done, 1 rules or data are refused (the others are studied), 2 wrong use.
    """
    texts = {"RULES": rules, "--symbol": symbol, "--json": json_path}
    given.filled(METAVARS, texts)
    order = _ordered(rules, data, files, settings, symbol)
    asked = _asked(depth(fall), span(within), fee, slippage, unlock=unlock)
    read_in = [order.rules, *map(Path, order.sources), *([order.files] if order.files else [])]
    target = json_target(json_path, read_in)
    with waiting(quiet=quiet) as tell:
        read = _read(order, asked, tell)
        tell("counting alarms")
        found = _studied(asked, read)
    if json_path:
        _write(found, read, order, target)
    if json_path != "-":
        print("\n".join(_told(found, read, order, quiet=quiet)))
    if target and not quiet:
        print(f"\nas JSON: {target}")
    return FINDINGS if read.refused else 0


@dataclass(frozen=True)
class Order:
    """What is to be studied: rules, how they are shown, and the histories they are read over."""

    rules: Path
    rules_path: str
    sources: Sequence[str]
    files: Path | None
    settings: Mapping[str, str]
    symbol: str | None


@dataclass
class Read:
    """What could be read, and of the rest why not, by name."""

    ruleset: RuleSet
    parts: list[Part]
    refused: dict[str, RiskguardError]


def _ordered(
    rules: str,
    data: Sequence[str] | None,
    files: str | None,
    settings: Sequence[str] | None,
    symbol: str | None,
) -> Order:
    file = given.pack(rules, "RULES")
    sources = [_source(one) for one in data or [SCENARIO]]
    for place, one in enumerate(sources):
        if any(_same(one, other) for other in sources[:place]):
            raise WrongUse(f"--data {one} is given twice", "its bars count once: leave one out")
    return Order(
        rules=file,
        rules_path=given.pack_path(rules, file),
        sources=sources,
        files=given.described(given.folder(files), sources),
        settings=given.pairs("--set", settings or ()),
        symbol=given.symbol(symbol),
    )


def _source(text: str) -> str:
    given.filled(METAVARS, {"--data": text})
    from riskguard.history import scenarios

    embedded = text in scenarios() and not Path(text).exists()
    return text if embedded else given.source(None, text, SCENARIO)


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()


def _asked(level: float, within: int, fee: str, slippage: str, *, unlock: bool) -> Asked:
    from riskguard.backtest.evidence.plan import LOCKED
    from riskguard.backtest.evidence.study import Asked

    cost = given.share("--fee", fee) + given.share("--slippage", slippage)
    return Asked(level, within, cost, () if unlock else LOCKED)


def _read(order: Order, asked: Asked, tell: Callable[[str], None]) -> Read:
    """Read one history after another; of several, one that is refused does not stop the rest."""
    from riskguard.backtest.evidence.study import look
    from riskguard.history import History
    from riskguard.language.reader import load_rules

    found = Read(load_rules(order.rules, settings=order.settings), [], {})
    for source in order.sources:
        name = _name(source, order.sources)
        tell(f"reading {name}")
        try:
            history = History.read(source, symbol=order.symbol, files=order.files)
            rules = load_rules(order.rules, settings=order.settings, every=history.every)
            found.parts.append(look(asked, rules, history, name, symbol=order.symbol or ""))
        except RiskguardError as error:
            if len(order.sources) == 1:
                raise
            found.refused[name] = error
    return found


def _name(source: str, sources: Sequence[str]) -> str:
    """Return the last part of a path, the whole where another one ends so, too."""
    last = Path(source).resolve().name
    alike = [one for one in sources if Path(one).resolve().name == last]
    return last if len(alike) == 1 else source


def _studied(asked: Asked, read: Read) -> Study:
    from riskguard.backtest.evidence.study import study as studied

    return studied(asked, read.parts)


def _reason(error: RiskguardError) -> str:
    if isinstance(error, RuleError):
        faults = [one for one in error.diagnostics if one.severity == "error"]
        return "; ".join(f"{one.code} {one.message}" for one in faults)
    return error.message if isinstance(error, DataError) else str(error)


def _told(found: Study, read: Read, order: Order, *, quiet: bool) -> Iterator[str]:
    from riskguard.backtest.evidence.study_lines import headline, lines, wrapped

    if quiet:
        yield from wrapped(headline(found))
        return
    refused = {name: _reason(error) for name, error in read.refused.items()}
    yield from lines(found, order.rules_path, refused)


def _write(found: Study, read: Read, order: Order, target: Path | None) -> None:
    from riskguard.backtest.evidence.study_block import block
    from riskguard.cli.writing import write

    refused = {name: _reason(error) for name, error in read.refused.items()}
    made = block(found, read.ruleset, order.rules_path, refused)
    text = json.dumps(made, indent=1, allow_nan=False) + "\n"
    if target is None:
        sys.stdout.write(text)
        return
    try:
        write(text, target)
    except OSError as error:
        raise WrongUse(f"--json {target} cannot be written: {error.strerror}") from error
