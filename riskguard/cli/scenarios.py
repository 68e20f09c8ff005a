"""`riskguard scenarios`: what is embedded, with spans, series and grades."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.history import SeriesSummary, Summary

__all__ = ["scenarios"]

BARS = ("open", "high", "low", "close", "volume")


def scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """List the embedded scenarios, their series and grades.

    Example: riskguard scenarios

    Exit codes: 0 fine, 2 wrong use.
    """
    from riskguard.history import summaries

    found = summaries()
    if as_json:
        print(json.dumps([_plain(item) for item in found], indent=2))
        return
    print("\n\n".join("\n".join(_lines(item)) for item in found))
    print("\nriskguard backtest --scenario NAME runs one, --data FOLDER or FILE.csv your own")


def _lines(item: Summary) -> Iterator[str]:
    from riskguard.backtest.text_figures import duration, moment

    yield f"{item.name}  {item.title}"
    yield f"  {moment(item.start)} .. {moment(item.end)}, {duration(item.every)} bars"
    yield f"  {'series':<24}{'unit':<13}{'grade':<15}{'rows':>7}  last value"
    for name, unit, series in _rows(item):
        yield (
            f"  {name:<24}{unit:<13}{series.grade:<15}{series.rows:>7,}  {moment(series.end)}"
        ).rstrip()
    for note in item.notes:
        yield from textwrap.wrap(f"note: {note}", 80, initial_indent="  ", subsequent_indent="    ")


def _rows(item: Summary) -> Iterator[tuple[str, str, SeriesSummary]]:
    """Yield one row a series, the bars of a symbol as one."""
    for series in item.series:
        symbol, _, name = series.key.partition(".")
        if name not in BARS:
            yield series.key.removeprefix("*."), series.unit, series
        elif name == "close":
            yield f"{symbol} bars", "price, coins", series


def _plain(item: Summary) -> dict[str, Any]:
    from riskguard.backtest.text_figures import duration, iso

    return {
        "name": item.name,
        "title": item.title,
        "symbol": item.symbol,
        "every": duration(item.every),
        "start": iso(item.start),
        "end": iso(item.end),
        "series": [
            {**one._asdict(), "start": iso(one.start), "end": iso(one.end)} for one in item.series
        ],
        "notes": list(item.notes),
    }
