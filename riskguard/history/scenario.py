"""`scenario.yaml`: what is said of a folder of files, checked word by word.

The scenario: `name`, `title`, `symbol` (traded; required), `mark: {name, at}`, `notes`, `series`.
One entry of `series`:

file             relative to the folder, may lie outside it (`../data/x.csv`)
symbol           BTC, or "*" for the whole market
series           bars (open high low close and, where there is one, volume), or one name
column, columns  column of that name; or `{liq.long: long_usd, liq.short: short_usd}`
unit             price usd coins contracts fraction index count multiple number
kind             level flow rolling (as in the catalogue where the name is in it)
interval         4h: time between rows
stamp            open or close: what `ts` is of a bar or a flow; a level is stamped at its instant
available_after  time from the close (the instant) until the value may be known; 0s
max_age          age up to which a value holds; twice the interval
source, scope    binance; spot (rules choose their dollar floors by source)
grade            exchange vendor published reconstructed synthetic
coverage         full sampled reconstructed
repair           drop: rows that would be refused are left out and counted, holes are kept
scale            factor to the unit: 0.01 for a column in percent
signed           true where negative values are meant, outside the catalogue
recipe           published-liquidations: rebuild liq.long from the totals in the file
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from riskguard.errors import DataError, visible
from riskguard.history.document import Listing, Section, Word, plain
from riskguard.history.series import BARS, Entry
from riskguard.history.stamps import CellError, duration, instant, shown
from riskguard.history.table import read_text, suggestion
from riskguard.market import CATALOGUE, DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from riskguard.history.document import Node

__all__ = ["GRADES", "Mark", "Scenario", "read_scenario"]

Value = TypeVar("Value")
FILE_NAME = "scenario.yaml"
FILE_KEYS = ("name", "title", "symbol", "mark", "notes", "series")
MARK_KEYS = ("name", "at")
ENTRY_KEYS = (
    "file",
    "symbol",
    "series",
    "column",
    "columns",
    "unit",
    "kind",
    "interval",
    "stamp",
    "available_after",
    "max_age",
    "source",
    "scope",
    "grade",
    "coverage",
    "repair",
    "recipe",
    "scale",
    "signed",
)
KINDS = ("level", "flow", "rolling")
GRADES = ("exchange", "vendor", "published", "reconstructed", "synthetic")
COVERAGES = ("full", "sampled", "reconstructed")
RECIPES = ("published-liquidations",)
SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,19}|\*", re.ASCII)
SERIES = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", re.ASCII)


class Mark(NamedTuple):
    """A named instant (ns UTC) at which a report stops to look."""

    name: str
    ts: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as written, before any series is read."""

    name: str
    title: str
    symbol: str
    mark: Mark | None
    remarks: tuple[str, ...]
    entries: tuple[Entry, ...]
    mark_line: int = 1


class Words:
    """The keys of one section, each read once and checked; errors name their line."""

    def __init__(self, path: str, node: Node, known: Iterable[str], what: str) -> None:
        self.path, self.what = path, what
        if not isinstance(node, Section):
            line = node.line if node else 1
            raise DataError(f"{what} must be keys and values", path=path, line=line)
        self.section = node
        keys = list(known)
        for key in node:
            if key not in keys:
                word, fix = shown(key), suggestion(key, keys) or f"the keys are: {', '.join(keys)}"
                raise DataError("unknown key", path=path, line=key.line, column=word, help=fix)

    def word(self, key: str, default: str | None = None, fix: str = "") -> str:
        """Return the text of a key; without `default` it must be there."""
        if key not in self.section:
            if default is not None:
                return default
            fix = fix or f"write {key}: ..."
            raise self.refusal(key, f"{self.what} does not say it", fix, self.section.line)
        value = self.section[Word(key, 0)]
        if not isinstance(value, Word) or not value.strip():
            raise self.refusal(key, "must be one word or number", fix or f"write {key}: ...")
        return str(value)

    def text(self, key: str, default: str | None = None, fix: str = "") -> str:
        """Return what a key says to people, in one line and fit for a terminal."""
        return _said(self.word(key, default, fix))

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Return the text of a key that must be one of `allowed`."""
        allowed = list(allowed)
        fix = f"allowed: {', '.join(allowed)}"
        found = self.word(key, default, fix)
        if found not in allowed and found != default:
            raise self.refusal(
                key, f"'{shown(found)}' is unknown", suggestion(found, allowed) or fix
            )
        return found

    def read(self, key: str, reader: Callable[[str], Value], default: Value) -> Value:
        """Return the value of a key through `reader`, or `default` when it is not there."""
        if key not in self.section:
            return default
        try:
            return reader(self.word(key))
        except CellError as fault:
            raise self.refusal(key, fault.message, fault.help) from None

    def refusal(self, key: str, message: str, fix: str, line: int | None = None) -> DataError:
        """Return the DataError of a key."""
        if line is None:
            line = next((word.line for word in self.section if word == key), self.section.line)
        return DataError(message, path=self.path, line=line, column=shown(key), help=fix)


def read_scenario(folder: Path) -> Scenario:
    """Read `scenario.yaml` of a folder; raise DataError for the first mistake."""
    path = folder / FILE_NAME
    if not path.is_file():
        fix = "a folder of data needs a scenario.yaml that says what its files hold"
        raise DataError(f"the folder has no {FILE_NAME}", path=str(folder), help=fix)
    name = str(path)
    words = Words(name, plain(read_text(path), name), FILE_KEYS, "the scenario")
    symbol = _symbol(words)
    listed = words.section.get(Word("series", 0))
    if not isinstance(listed, Listing) or not listed:
        raise words.refusal("series", "must be a list, one entry a series", "- {file: ...}")
    entries = [_entry(Words(name, node, ENTRY_KEYS, "the series")) for node in listed]
    known = words.text("name", folder.resolve().name)
    return Scenario(
        known,
        words.text("title", known),
        symbol,
        _mark(words),
        _remarks(words),
        tuple(entries),
        next((key.line for key in words.section if key == "mark"), 1),
    )


def _symbol(words: Words) -> str:
    symbol = words.word("symbol", fix="write the symbol whose bars are traded: symbol: BTC")
    if not SYMBOL.fullmatch(symbol):
        raise words.refusal(
            "symbol", f"'{shown(symbol)}' is not a symbol", "capitals and digits: BTC, or *"
        )
    return symbol


def _mark(words: Words) -> Mark | None:
    node = words.section.get(Word("mark", 0))
    if node is None:
        return None
    mark = Words(words.path, node, MARK_KEYS, "the mark")
    at = mark.word("at", fix="write at: 2026-02-13T00:00Z")
    return Mark(mark.text("name", at), mark.read("at", instant, 0))


def _remarks(words: Words) -> tuple[str, ...]:
    node = words.section.get(Word("notes", 0), Listing(0))
    if isinstance(node, Word):
        return (_said(node),)
    if not isinstance(node, Listing) or not all(isinstance(item, Word) for item in node):
        raise words.refusal("notes", "must be a list of sentences", "notes: [first, second]")
    return tuple(_said(item) for item in node if isinstance(item, Word))


def _said(text: str) -> str:
    return visible(" ".join(text.split()))


def _entry(words: Words) -> Entry:
    columns = _columns(words)
    bars = "open" in columns
    interval = words.read("interval", duration, 0)
    if interval <= 0:
        raise words.refusal("interval", "every series says its interval", "write interval: 4h")
    flow = bars or any(_is_bar(name) for name in columns)
    return Entry(
        file=words.word("file", fix="write the file, relative to this folder"),
        symbol=_symbol(words),
        columns=columns,
        interval=interval,
        unit=_unit(words, columns, bars=bars),
        kind="" if bars else _kind(words, columns),
        stamp=words.choice("stamp", ("open", "close"), None if flow else "close"),
        available_after=words.read("available_after", duration, 0),
        max_age=words.read("max_age", duration, None),
        source=words.text("source", fix="say where it comes from: source: binance"),
        scope=words.text("scope", ""),
        grade=words.choice("grade", GRADES),
        coverage=words.choice("coverage", COVERAGES, "full"),
        repair=words.choice("repair", ("drop",), ""),
        recipe=_recipe(words, columns),
        scale=words.read("scale", _scale, 1.0),
        signed=words.choice("signed", ("true", "false"), "false") == "true",
        line=words.section.line,
    )


def _is_bar(name: str) -> bool:
    known = CATALOGUE.get(name)
    return known is not None and (known.bar or known.kind == "flow")


def _recipe(words: Words, columns: dict[str, str]) -> str:
    recipe = words.choice("recipe", RECIPES, "")
    if recipe and tuple(columns) != ("liq.long",):
        raise words.refusal("recipe", "makes liq.long and nothing else", "write series: liq.long")
    return recipe


def _scale(text: str) -> float:
    try:
        scale = float(text.replace("_", "?"))
    except ValueError:
        scale = 0.0
    if not 0 < scale < float("inf"):
        message = f"'{shown(text)}' is not a factor above zero"
        raise CellError(message, "write scale: 0.01 for a column in percent")
    return scale


def _columns(words: Words) -> dict[str, str]:
    written: dict[str, str] = {}
    node = words.section.get(Word("columns", 0))
    if node is not None:
        keys = [str(key) for key in node] if isinstance(node, Section) else []
        names = Words(words.path, node, keys, "columns")
        written = {key: names.word(key) for key in keys}
    series = words.word("series", "" if written else None, "write series: bars, or one name")
    if series == "bars":
        for name in written:
            if name not in BARS:
                raise words.refusal(
                    "columns", f"'{shown(name)}' is no part of a bar", f"{', '.join(BARS)}"
                )
        return {name: written.get(name, name) for name in BARS}
    if series:
        if written:
            raise words.refusal(
                "columns", "either series or columns", "columns names the series itself"
            )
        known = CATALOGUE.get(series)
        column = (known.column if known else "") or series.replace(".", "_")
        written = {series: words.word("column", column)}
    for name in written:
        _check_name(words, name)
    return written


def _check_name(words: Words, name: str) -> None:
    key = "series" if "series" in words.section else "columns"
    if name in BARS and name != "volume":
        raise words.refusal(
            key, f"'{name}' is part of a bar", "write series: bars for the whole bar"
        )
    if name in CATALOGUE:
        return
    if not SERIES.fullmatch(name):
        raise words.refusal(
            key, f"'{shown(name)}' is not a name", "small letters, digits and _: dvol_btc"
        )
    near = suggestion(name, list(CATALOGUE)) if "unit" not in words.section else ""
    if near:
        raise words.refusal(key, f"'{shown(name)}' is unknown", near)


def _unit(words: Words, columns: dict[str, str], *, bars: bool) -> str:
    if bars:
        return words.choice("unit", ("price",), "price")
    unit = words.choice("unit", DIMENSIONS)
    for name in columns:
        known = CATALOGUE.get(name)
        if known and known.unit != unit:
            other = [n for n, s in CATALOGUE.items() if s.unit == unit and n.startswith(name)]
            fix = f"write series: {other[0]}" if other else f"convert with scale to {known.unit}"
            raise words.refusal("unit", f"{name} is in {known.unit}, not in {unit}", fix)
    return unit


def _kind(words: Words, columns: dict[str, str]) -> str:
    catalogued = {CATALOGUE[name].kind for name in columns if name in CATALOGUE}
    default = catalogued.pop() if len(catalogued) == 1 and len(columns) else None
    kind = words.choice("kind", KINDS, default if all(n in CATALOGUE for n in columns) else None)
    for name in columns:
        known = CATALOGUE.get(name)
        if known and kind != known.kind and not (known.kind == "flow" and kind == "rolling"):
            raise words.refusal(
                "kind", f"{name} is a {known.kind}, not a {kind}", f"kind: {known.kind}"
            )
    return kind
