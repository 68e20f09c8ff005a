"""The tables of the reference page, made from the tables of the language.

The page has its own words; what stands between two marks is made here:

    <!-- made: rule keys -->
    ...
    <!-- end -->

`python -m riskguard.language.guides.reference docs/reference.md` makes it anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.language.schema import (
    ACTIONS,
    BESIDE,
    BLOCKS,
    CALENDARS_OF,
    COMBINATORS,
    FILE_KEYS,
    INPUT_KEYS,
    LITERALS,
    MARKET,
    MEASURES,
    PARAMETER_KEYS,
    PER_SYMBOL_KEYS,
    REENTRY_KEYS,
    RESERVED,
    RULE_KEYS,
    STAGE_KEYS,
    STANDS_FOR,
    TOLD,
    UNITS,
    WRITTEN,
)
from riskguard.language.tables.ta_table import FUNCTIONS
from riskguard.language.text.units import WORDS
from riskguard.market import ACCOUNT, CATALOGUE, DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.language.schema import Key, Measure
    from riskguard.language.tables.ta_table import Number

__all__ = ["filled", "made"]

MADE = re.compile(r"(<!-- made: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with everything between its marks made anew."""
    parts = made()
    return MADE.sub(lambda mark: f"{mark[1]}\n{parts[mark[2]]}\n{mark[3]}", page)


def made() -> dict[str, str]:
    """Return each part of the page by the name of its mark."""
    return {
        "file keys": _keys(FILE_KEYS),
        "rule keys": _keys(RULE_KEYS),
        "stage keys": _keys(STAGE_KEYS),
        "reentry keys": _keys(REENTRY_KEYS),
        "input keys": _keys(INPUT_KEYS),
        "parameter keys": _keys(PARAMETER_KEYS),
        "symbol keys": _keys(PER_SYMBOL_KEYS),
        "literals": _literals(),
        "units": _table(("unit", "is"), ((_code(unit), _words(unit)) for unit in UNITS)),
        "inputs": _inputs(),
        "functions": _functions(),
        "measures": _measures(),
        "conditions": _conditions(),
        "beside": _keys(BESIDE),
        "actions": _actions(),
        "reserved": _listed(sorted(RESERVED)) + "\n",
    }


# ---------------------------------------------------------------- parts


def _keys(keys: Mapping[str, Key]) -> str:
    rows = ((_code(name), _value(key), _default(key), key.help) for name, key in keys.items())
    return _table(("key", "value", "default", "meaning"), rows)


def _value(key: Key) -> str:
    listed = _listed(key.choices)
    return (
        f"{listed}, or a list of symbols" if key.kind == "guards" else listed or WRITTEN[key.kind]
    )


def _default(key: Key) -> str:
    if key.required:
        return "**required**"
    return _code(key.default) if key.default in key.choices else key.default


def _literals() -> str:
    rows = (
        (WORDS[dimension], _listed(written.examples), written.help)
        for dimension, written in LITERALS.items()
    )
    return _table(("kind", "written", "use"), rows)


def _inputs() -> str:
    rows = []
    for name, spec in CATALOGUE.items():
        whose = "each symbol" if name in MARKET else "account" if name in ACCOUNT else "market"
        sign = ", may be below 0" if spec.signed else ""
        rows.append((_code(name), _words(spec.unit), f"{spec.kind}{sign}", whose, spec.help))
    return _table(("input", "is", "kind", "of", "meaning"), rows)


def _functions() -> str:
    """Return the functions of `ta` with their parameters and what these are when left out."""
    lines = []
    for name, function in FUNCTIONS.items():
        given = ", ".join(_given(word, value) for word, value in function.parameters.items())
        lines.append(f"`ta.{name}({given})`")
    return "\n".join(f"{line}," for line in lines[:-1]) + f"\n{lines[-1]}\n"


def _measures() -> str:
    rows = []
    for name, measure in MEASURES.items():
        result = WORDS[measure.result] if measure.result else "the same as its input"
        flows = "; flows only" if measure.flows else ""
        rows.append((_calls(name, measure), result + flows, measure.help, measure.unknown))
    return _table(("measure", "gives", "definition", "unknown when"), rows)


def _calls(name: str, measure: Measure) -> str:
    """Return how a measure is called: with a window, with min=, over a day."""
    if not measure.windowed:
        return _code(f"{name}()")
    calls = [f"{name}(w, min=m)" if measure.baseline else f"{name}(w)"]
    calls += [f"{name}({word})" for word in CALENDARS_OF.get(name, ())]
    return ", ".join(map(_code, calls))


def _conditions() -> str:
    return "\n".join(_condition(name, key) for name, key in COMBINATORS.items())


def _condition(name: str, key: Key) -> str:
    parts = [f"### `{name}`\n\n{key.help}\n", _block(key.example)]
    if name in STANDS_FOR:
        parts.append(f"This stands for:\n\n{_block(STANDS_FOR[name], 'same')}")
    if name in BLOCKS:
        parts.append(_keys(BLOCKS[name]))
    return "\n".join(parts)


def _actions() -> str:
    rows = [
        (_code(name), _value(action), action.help, action.merge) for name, action in ACTIONS.items()
    ]
    rows.append((_code("plugin.NAME"), "a text", TOLD, "each"))
    return _table(("action", "value", "meaning", "of several"), rows)


# ---------------------------------------------------------------- Markdown


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _block(text: str, mark: str = "") -> str:
    return f"```yaml {mark}".rstrip() + f"\n{text}\n```\n"


def _code(text: str) -> str:
    return f"`{text}`"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_code, words))


def _words(unit: str) -> str:
    return WORDS[DIMENSIONS[unit]]


def _given(word: str, value: Number) -> str:
    if value is None:  # left out, there is none
        return word
    return f"{word}={value:g}" if isinstance(value, float) else f"{word}={str(value).lower()}"


if __name__ == "__main__":
    _page = Path(sys.argv[1])
    _page.write_text(filled(_page.read_text(encoding="utf-8")), encoding="utf-8")
