"""One CSV file of bars, with whatever series of the catalogue stand beside them.

The columns are `ts, open, high, low, close` and, where there are any, `volume` and series
under their column or their name with `_` for `.`: `oi`, `oi_usd`, `liq_long_usd`, `funding`.
`ts` is the open of the bar; everything in a row is known at the close. A blank cell means no
new value; only bars and flows must be complete.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskguard.errors import DataError
from riskguard.history.series import BARS, Entry, Series, read_series
from riskguard.history.stamps import STAMPS, duration_text, shown
from riskguard.history.table import Sieve, read_table, suggestion
from riskguard.market import ACCOUNT, CATALOGUE, HOUR

if TYPE_CHECKING:
    from riskguard.history.table import Table

__all__ = ["guess", "read_csv", "symbol_of"]

MARKET_WIDE = frozenset({"fear_greed"})
SETTLEMENT = 8 * HOUR  # what a funding rate is per, unless a scenario.yaml says otherwise
KNOWN = frozenset({"BTC", "ETH", "SOL", "BNB", "XRP"})
QUOTES = re.compile(r"(?<=.)(USDT|USDC|BUSD|USD)$")


def symbol_of(name: str) -> str:
    """Return the symbol that a file name begins with: BTC for `BTCUSDT-1h.csv`, else ASSET."""
    found = re.match(r"[A-Za-z]+[0-9]*(?=[-_. ])|[A-Za-z]+", name)
    symbol = QUOTES.sub("", found[0].upper()) if found else ""
    return symbol[:20] if symbol else "ASSET"


def guess(path: Path) -> tuple[str, list[str]]:
    """Return the symbol that the name of a file tells, and a note where it may be mistaken."""
    symbol = symbol_of(path.name)
    if symbol in KNOWN or "USD" in path.name.upper():
        return symbol, []
    if symbol == "ASSET" or not path.is_file() or path.name == "stdin":
        return "ASSET", ["no file name tells the symbol: ASSET; --symbol SYMBOL says otherwise"]
    taken = "is taken from the file name"
    return symbol, [f"symbol {symbol} {taken}; --symbol SYMBOL says otherwise"]


def read_csv(path: Path, symbol: str) -> tuple[list[Series], list[str]]:
    """Return the series of a CSV file and notes on what was assumed; raise DataError."""
    table = read_table(path)
    for name in BARS[:4]:
        table.column(name)
    interval = _interval(table, symbol)
    entries, unused = _entries(table, path.name, symbol, interval)
    series: list[Series] = []
    bars = f"bars of {duration_text(interval)}"
    notes = [f"{path.name}: ts is taken as the open of {bars}; a row is known at its close"]
    for entry in entries:
        made, dropped = read_series(entry, table)
        series += made
        notes += dropped
    if unused:
        notes.append(f"{path.name}: columns not used: {', '.join(unused)}")
    return [_settled(one, interval, notes) for one in series], notes


def _interval(table: Table, symbol: str) -> int:
    stamps, faults = table.instants()
    steps = np.abs(np.diff(np.delete(stamps, list(faults))))
    moving = steps[steps > 0]
    interval = int(np.median(moving)) if len(moving) else 0
    table.repair = _repair(table, symbol, interval) if interval else ""
    Sieve(table, drop=False).refuse_faults(faults, "ts", "unreadable time stamp")
    if not interval:
        fix = "at least two rows, oldest first"
        message = "the interval cannot be seen"
        raise DataError(message, path=table.path, column="ts", help=fix, code=STAMPS)
    return interval


def _repair(table: Table, symbol: str, interval: int) -> str:
    path = Path(table.path)
    file = path.name if path.suffix else "bars.csv"  # a pipe has none
    more = "" if {"ts", *BARS} >= set(table.header) else " (other columns: an entry each)"
    return (
        f"give a folder with {file} and a scenario.yaml{more} of this one line: "
        f"{{symbol: {symbol}, series: [{{file: {json.dumps(file)}, symbol: {symbol}, series: bars,"
        f" interval: {duration_text(interval)}, stamp: open, source: file, grade: vendor,"
        " repair: drop}]}"
    )


def _entries(table: Table, file: str, symbol: str, interval: int) -> tuple[list[Entry], list[str]]:
    columns = {name: name for name in BARS if name != "volume" or name in table.header}
    entries = [Entry(file, symbol, columns, interval, stamp="open")]
    unused = []
    taken: dict[str, str] = {}
    names = _names()
    for column in table.header:
        if column == "ts" or column in BARS:
            continue
        name = names.get(column)
        if name is None:
            near = suggestion(column, [*names, *BARS])
            word = shown(column) or "one without a name"
            unused.append(f"{word} ({near})" if near else word)
            continue
        if name in taken:
            message = f"is the same series as '{taken[name]}': {name}"
            raise DataError(message, path=table.path, line=1, column=column, help="keep one")
        taken[name] = column
        owner = "*" if name in MARKET_WIDE else symbol
        level = CATALOGUE[name].kind == "level"
        pace = _pace(table, name, column, interval) if level else 0
        if level and not pace:
            unused.append(f"{column} (all blank)")
            continue
        entries.append(Entry(file, owner, {name: column}, interval, stamp="open", pace=pace))
    return entries, unused


def _pace(table: Table, name: str, column: str, interval: int) -> int:
    given = np.array([bool(cell.strip()) for cell in table.column(column)])
    if given.all() or not given.any():
        return interval if given.any() else 0
    steps = np.diff(table.instants()[0][given])
    if len(steps) and (steps == steps[0]).all():
        return int(steps[0])
    usual = CATALOGUE[name].interval or interval
    return max(usual, int(np.median(steps))) if len(steps) else usual


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for name, spec in CATALOGUE.items():
        if name in ACCOUNT or name in BARS:
            continue
        names[name.replace(".", "_")] = name
        names[spec.column or name] = name
    return names


def _settled(series: Series, interval: int, notes: list[str]) -> Series:
    steps = np.diff(series.events)
    if series.name != "funding" or interval >= SETTLEMENT:
        return series
    if not len(steps) or np.median(steps) > interval:
        return series  # given at its settlements, not carried from row to row
    kept = series.events % SETTLEMENT == 0
    notes.append(f"{series.file}: funding read at 00:00, 08:00 and 16:00 UTC, a rate per 8h")
    spec = replace(series.spec, interval=SETTLEMENT)
    return replace(
        series,
        spec=spec,
        times=series.times[kept],
        events=series.events[kept],
        values=series.values[kept],
    )
