"""Series of a case in a CSV file: one column an input, one row a sample.

The first line names the inputs as rules do (`oi`, `liq.long`, `ETH.close`) or by their column
(`liq_long_usd`). Numbers are plain: dollars, coins, fractions. A blank cell is no sample. A
column `ts` or `time` is not read, but where it holds time stamps they must be one bar apart.
"""

from __future__ import annotations

import csv
import io
import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.joining.including import read_bytes
from riskguard.market import CATALOGUE
from riskguard.testing.notation import LONGEST, MISSING
from riskguard.testing.times import elapsed, instant

if TYPE_CHECKING:
    from pathlib import Path

    from riskguard.testing.notation import Item

__all__ = ["DataFault", "read_data"]

TIMES = ("ts", "time")
LARGEST = 16 << 20
COLUMNS = {
    word: name
    for name, spec in CATALOGUE.items()
    for word in (spec.column, name.replace(".", "_"))
    if word and word not in CATALOGUE
}


class DataFault(NamedTuple):
    """Why a file cannot be used: code, message and fix."""

    code: str
    message: str
    fix: str


def read_data(path: Path, every: int) -> dict[str, tuple[Item, ...]] | DataFault:
    """Return the columns of a CSV file by the key of their input; `every` in ns."""
    content = read_bytes(path, LARGEST)
    if content is None or len(content) > LARGEST:
        message = f"no data file '{path.name}' (at most 16 MiB)"
        return DataFault("RG005", message, "write its path from this file")
    try:
        text = content.decode("utf-8-sig")
        head, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except (UnicodeDecodeError, csv.Error) as broken:
        return DataFault("RG039", f"{path.name}: {broken}", "save it as CSV in UTF-8")
    names = [name.strip() for name in head]
    rows = [row for row in rows if row]
    fault = _shape(path.name, names, rows)
    if fault is not None:
        return fault
    found: dict[str, tuple[Item, ...]] = {}
    for number, name in enumerate(names):
        column = [row[number].strip() for row in rows]
        if name in TIMES:
            fault = _steady(path.name, column, every)
        else:
            items, fault = _items(f"{path.name}, column {name}", column)
            found[_key(name)] = tuple(items)
        if fault is not None:
            return fault
    return found


def _key(name: str) -> str:
    symbol, dot, rest = name.partition(".")
    if dot and symbol.isupper():
        return f"{symbol}.{COLUMNS.get(rest, rest)}"
    return COLUMNS.get(name, name)


def _shape(file: str, names: list[str], rows: list[list[str]]) -> DataFault | None:
    fix = "its first line names the inputs: time,close,oi"
    if not rows:
        return DataFault("RG704", f"{file} has no rows", fix)
    if len(rows) > LONGEST:
        message = f"{file} has more than {LONGEST:,} rows"
        return DataFault("RG002", message, "cut it to the weeks that matter")
    if len(set(map(_key, names))) < len(names):
        return DataFault("RG122", f"{file} names a column twice", fix)
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            message = f"{file}: row {number} has {len(row)} cells, the first line {len(names)}"
            return DataFault("RG701", message, "leave a cell empty where nothing was seen")
    return None


def _items(place: str, column: list[str]) -> tuple[list[Item], DataFault | None]:
    found: list[Item] = []
    for number, text in enumerate(column, 2):
        try:
            value: Item = float(text) if text else MISSING
        except ValueError:
            message = f"{place}, row {number}: '{text}' is no number"
            return found, DataFault("RG101", message, "write plain numbers: 74000, -0.044, 2.5e8")
        infinite = not isinstance(value, str) and math.isinf(value)
        found.append(math.nan if infinite else value)
    return found, None


def _steady(file: str, column: list[str], every: int) -> DataFault | None:
    stamps = [instant(text) for text in column]
    for number, (before, after) in enumerate(pairwise(stamps), 3):
        if before is not None and after is not None and after - before != every:
            message = (
                f"{file}: row {number} comes {elapsed(after - before)} after the one before it, "
                f"a bar is {elapsed(every)}"
            )
            fix = "one row for each bar, in order; blank cells where nothing was seen"
            return DataFault("RG506", message, fix)
    return None
