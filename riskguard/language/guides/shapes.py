"""How an editor sees the value under a key: one JSON Schema for each kind of value.

A text keeps its letters in the language; YAML types it before an editor sees it: 75_000 is a
number in version 1.1 and a text in 1.2, 16:30 too. Both are taken here; but an editor set to 1.1
refuses a rule called on, off, yes or no, which it takes for a truth.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from riskguard.language.joining.including import SUFFIXES
from riskguard.language.reading.actions import ATR
from riskguard.language.reading.allowances import CODE
from riskguard.language.reading.declarations import SERIES
from riskguard.language.reading.hours import CLOCK
from riskguard.language.reading.longforms import AVERAGE
from riskguard.language.schema import (
    DAYS,
    HIGHEST_PRIORITY,
    MEASURES,
    NAME,
    RESERVED,
    SYMBOL,
    WRITTEN,
)
from riskguard.language.text.units import BARE, DURATIONS, MULTIPLIERS, SHARES
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ONE_NAME", "SHAPES", "Schema", "ref"]

Schema = dict[str, Any]


def ref(*path: str) -> Schema:
    """Return a reference to a definition, or to a place inside it."""
    return {"$ref": "/".join(("#/definitions", *path))}


def _plain(pattern: re.Pattern[str] | str) -> str:
    """Return a pattern without the named groups that Python alone writes so."""
    text = pattern if isinstance(pattern, str) else pattern.pattern
    return re.sub(r"\(\?P<\w+>", "(?:", text)


def _words(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


def _number(unit: str) -> str:
    """Return the pattern of a number with its unit; a sign or brackets may stand around it."""
    return rf"[-(\s]*{_plain(BARE)}{unit}[)\s]*"


def _text(kind: str, *patterns: str, types: str | list[str] = "string") -> Schema:
    """Return the schema of texts that one of the patterns fits, with what to write instead."""
    whole = f"^(?:{'|'.join(patterns)})$"
    return {"type": types, "pattern": whole, "errorMessage": f"write {WRITTEN[kind]}"}


def _listed(item: Schema, least: int = 0) -> Schema:
    """Return the schema of a list, or of one item in its place."""
    types = item["type"] if isinstance(item["type"], list) else [item["type"]]
    return {**item, "type": ["array", *types], "items": item, "minItems": least}


ONE_NAME = _plain(NAME)
_TAKEN = _words(sorted(name for name in {*RESERVED, *MEASURES, *CATALOGUE} if "." not in name))
_BARS = r"\s+(?:closes?|bars?)"
_UNITS = _words(("%", *SHARES, *MULTIPLIERS, *DURATIONS, "x"))
_DAY = "(?:" + "|".join("".join(f"[{c.upper()}{c}]" for c in day) for day in DAYS) + ")"
_SHARE = _number(_words(SHARES))

_PROSE: Schema = {"type": ["string", "number", "boolean"]}  # a file may be called 2026, or yes
_OWN_NAME = _text("name", rf"(?!{_TAKEN}$){ONE_NAME}")
_SYMBOL = _text("symbol", _plain(SYMBOL))
_FIGURE = _text("figure", _number(f"(?:{_UNITS}|{_BARS})?"), types=["number", "string"])
_VALUE: Schema = {"type": ["string", "number"]}
_NAMED: Schema = {"type": "object", "propertyNames": _OWN_NAME}
# a comparison has a sign, anything else is the name of a condition
_LINE = rf"^\s*{ONE_NAME}\s*$|[<>]|[=!]="

SHAPES: Mapping[str, Schema] = {
    "text": _PROSE,
    "texts": _listed(_PROSE),
    "word": _PROSE,
    "name": _OWN_NAME,
    "names": _listed(_text("names", ONE_NAME)),
    "files": _listed(_text("files", r"pack:[^@]+@\d+", rf"[^\\]+{_words(SUFFIXES)}")),
    "codes": _listed(_text("codes", _plain(CODE))),
    "truth": _text("truth", "true", "false", types=["boolean", "string"]),
    "time": _text("time", rf"\s*(?:{_plain(BARE)}(?:{_words(DURATIONS)}|{_BARS})|{ONE_NAME})\s*"),
    # what YAML 1.1 makes of 16:30 is 990
    "clock": {
        **_text("clock", _plain(CLOCK), types=["string", "integer"]),
        "minimum": 60,
        "maximum": 24 * 60,
    },
    "days": _listed(_text("days", f"{_DAY}(?:-{_DAY})?"), 1),
    "zone": {"type": "string"},
    "share": _text("share", _SHARE, ONE_NAME),
    "multiple": _text("multiple", _number("x"), ONE_NAME),
    "stop": _text("stop", _SHARE, ONE_NAME, _plain(ATR)),
    "figure": _FIGURE,
    "range": _text("range", rf"{_number(f'{_UNITS}?')}\.\.{_number(f'{_UNITS}?')}"),
    "count": {**_text("count", "0*[1-9][0-9]*", types=["integer", "string"]), "minimum": 1},
    "priority": {
        **_text("priority", "[0-9]+", types=["integer", "string"]),
        "minimum": 0,
        "maximum": HIGHEST_PRIORITY,
    },
    "value": _VALUE,
    "values": _listed(_VALUE, 1),
    "average": _text("average", _plain(AVERAGE)),
    "symbol": _SYMBOL,
    "symbols": _listed(_SYMBOL),
    "guards": {"type": ["string", "array"], "items": _SYMBOL, "minItems": 1},
    "line": {"type": "string", "pattern": _LINE, "errorMessage": f"write {WRITTEN['line']}"},
    "conditions": {"type": "array", "items": ref("condition"), "minItems": 1},
    "inputs": {
        "type": "object",
        "propertyNames": _text("name", _plain(SERIES)),
        "patternProperties": {
            f"^(?:{_plain(SYMBOL)}\\.)?{_words(CATALOGUE)}$": ref("input"),
        },
        "additionalProperties": {"allOf": [ref("input")], "required": ["unit"]},
    },
    "params": {**_NAMED, "additionalProperties": ref("parameter")},
    "define": {**_NAMED, "additionalProperties": ref("condition")},
    "rules": {**_NAMED, "additionalProperties": ref("rule")},
    "stages": {"type": "array", "items": ref("stage")},
    "by_source": {"type": "object", "additionalProperties": _FIGURE, "minProperties": 1},
    "per_symbol": {
        "type": "object",
        "propertyNames": _SYMBOL,
        "additionalProperties": ref("symbol_changes"),
    },
}
