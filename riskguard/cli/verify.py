"""`riskguard verify`: no look-ahead at any bar, and live decides as the backtest does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import FINDINGS, WrongUse
from riskguard.cli.ordering import Files
from riskguard.cli.rule_files import STDIN, is_test, rule_files
from riskguard.cli.waiting import waiting
from riskguard.errors import RiskguardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from riskguard.history.verifying import Verified

__all__ = ["verify"]

SCENARIO = "feb-2026"
METAVARS = {"--scenario": "NAME", "--data": "PATH", "--symbol": "SYMBOL"}


def verify(
    rules: Annotated[
        list[str],
        typer.Argument(metavar="RULES", help="Rule files, folders of them, or names of packs."),
    ],
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Embedded scenario [{SCENARIO}].")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="PATH", help="Folder with scenario.yaml, or CSV file.")
    ] = None,
    files: Files = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Parameter of the rules; repeatable."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="Symbol to guard [the rules'].")
    ] = None,
    cuts: Annotated[
        str | None, typer.Option(metavar="N", help="Cut at N bars, spread evenly [all].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> int:
    """Prove that rules see no future, and that live decides as a backtest.

    The data is cut at every bar: with nothing that came later, the decision must be the same.
    A guard stepped through the data must decide as the columns of a backtest, in every field to
    the last bit. What starts later must read the same once its windows are full. The first
    difference is explained.

    Example: riskguard verify my-rules.yaml --data my-folder

    Example: riskguard verify pack:feb-2026@1 balanced --scenario feb-2026 --cuts 100

    Exit codes: 0 nothing differs, 1 a difference, refused rules or data, 2 wrong use.
    """
    from riskguard.cli import verify_text

    given.filled(METAVARS, {"--scenario": scenario, "--data": data, "--symbol": symbol})
    source = given.source(scenario, data, SCENARIO)
    order = Order(
        _files(rules),
        source,
        given.described(given.folder(files), [source]),
        given.pairs("--set", settings or ()),
        given.symbol(symbol),
        _cuts(cuts),
    )
    with waiting(quiet=as_json) as tell:
        found = list(_each(order, tell))
    if as_json:
        told = [verify_text.plain(shown, one) for shown, one in found]
        print(json.dumps(told, indent=2, allow_nan=False))
    else:
        print("\n\n".join("\n".join(verify_text.report(shown, one)) for shown, one in found))
    fine = all(not isinstance(one, RiskguardError) and one.fine for _, one in found)
    return 0 if fine else FINDINGS


@dataclass(frozen=True)
class Order:
    """What is to be verified on what: rule files, each with how it is shown, and a history."""

    files: Sequence[tuple[Path, str]]
    source: str
    folder: Path | None  # from where the file names of the source count
    settings: Mapping[str, str]
    symbol: str | None
    cuts: int | None


def _files(rules: Sequence[str]) -> list[tuple[Path, str]]:
    if STDIN in rules:
        raise WrongUse("rules are not read from standard input", "save them to a file first")
    found = [path for path in rule_files(rules) if not is_test(path)]
    if not found:
        raise WrongUse("only tests of rules are named", "name the rule file itself")
    return [(path, given.pack_path(str(path), path)) for path in found]


def _cuts(text: str | None) -> int | None:
    if text is None:
        return None
    number = text.replace("_", "").replace(",", "")
    if not re.fullmatch("0*[1-9][0-9]{0,8}", number, re.ASCII):
        raise WrongUse(f"--cuts {text} is not a number of bars", "write for example --cuts 1_000")
    return int(number)


def _each(
    order: Order, tell: Callable[[str], None]
) -> Iterator[tuple[str, Verified | RiskguardError]]:
    """Verify one file after another; of several, one that is refused does not stop the rest."""
    from riskguard.history import History
    from riskguard.history.verifying import verify as verified
    from riskguard.language.reader import load_rules

    history = History.read(order.source, symbol=order.symbol, files=order.folder)
    for path, shown in order.files:
        try:
            rules = load_rules(path, settings=order.settings, every=history.every)
            yield (
                shown,
                verified(rules, history, symbol=order.symbol or "", cuts=order.cuts, tell=tell),
            )
        except RiskguardError as error:
            if len(order.files) == 1:
                raise
            yield shown, error
