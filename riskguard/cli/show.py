"""`riskguard show`: the file in effect, with all it extends, and where each line is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.language.writing.layout import Row

__all__ = ["show"]

COLUMN = 72  # of the origins, where the lines leave room
VERSION = 1  # of the shipped packs


def show(
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Rule file, or the name of a pack.")
    ],
    origin: Annotated[
        bool, typer.Option("--origin", help="Say behind each line which file it is from.")
    ] = False,
    expand: Annotated[
        bool, typer.Option("--expand", help="Print long forms as what they stand for.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Parameter of the rules; repeatable."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="The rules as they hold for one symbol.")
    ] = None,
) -> int:
    """Print the file in effect: extends, overrides and --set applied.

    What is printed is a rule file of the same meaning; comments are left out.

    Example: riskguard show my-rules.yaml --origin

    Exit codes: 0 fine, 1 errors in the file, 2 wrong use.
    """
    from riskguard.language.reader import load_rules
    from riskguard.language.writing.effective import effective

    given.filled({"--symbol": "SYMBOL"}, {"--symbol": symbol})
    wanted = given.symbol(symbol) or ""
    changed = given.pairs("--set", settings or ())
    file = given.pack(rules, "RULES")
    if wanted:
        _guarded(load_rules(file, settings=changed).guarded(wanted), rules, wanted)
    found = effective(file, settings=changed, symbol=wanted, expand=expand)
    lines = found.rows(by_origin=origin)
    for line in _traced(lines, _shown(file, rules)) if origin else (row.text for row in lines):
        print(line)
    return 0


def _guarded(guarded: bool, rules: str, symbol: str) -> None:
    if not guarded:
        fix = 'leave --symbol out, or write "guards: all" or rules under per_symbol'
        raise WrongUse(f"{rules} does not guard {symbol}", fix)


def _shown(file: Path, text: str) -> str:
    """Return what the file is called: a shipped pack by its name."""
    return f"pack:{file.stem}@{VERSION}" if file.parent == shipped("rules") else text


def _traced(rows: list[Row], path: str) -> Iterator[str]:
    """Yield the lines, each with where it is from in one column behind them."""
    from riskguard.errors import visible

    width = min(COLUMN, max(len(row.text) for row in rows))
    for text, span in rows:
        if span is None or not span.line:
            yield text
            continue
        place = span.path if span.path == "--set" else f"{span.path or path}:{span.line}"
        yield f"{text.ljust(width)}  # from {visible(place)}"
