"""Texts as YAML holds them on one line: plain where that is safe, else in quotes."""

from __future__ import annotations

import re

from riskguard.language.text.prescan import CURLY, INVISIBLE

__all__ = ["plain", "quoted"]

# what may begin a plain text; a minus only before a figure
BEGIN = re.compile(r"[^\W_]|[_$(./]|-[0-9$(.]")
# words that other readers of YAML would not take for text
ODD = frozenset({"yes", "no", "on", "off", "y", "n", "null", "none"})
IN_FLOW = frozenset(",[]{}?")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str, *, flow: bool = False) -> str:
    """Return a text as it is written; `flow` inside [ ] or { }, where a comma would end it.

    >>> quoted("close < 75_000"), quoted("low(20d, min=5d)", flow=True), quoted("no")
    ('close < 75_000', '"low(20d, min=5d)"', '"no"')
    """
    if plain(text, flow=flow):
        return text
    if not text.isprintable() or CURLY.search(text) or INVISIBLE.search(text):
        return f'"{"".join(map(_escaped, text))}"'
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def plain(text: str, *, flow: bool) -> bool:
    """Say whether a text needs no quotes."""
    if not BEGIN.match(text) or not text.isprintable() or text != text.strip():
        return False
    if CURLY.search(text) or INVISIBLE.search(text) or text.lower() in ODD:
        return False
    if flow and not IN_FLOW.isdisjoint(text):
        return False
    return ":" not in text and " #" not in text


def _escaped(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    if letter.isprintable() and not CURLY.match(letter) and not INVISIBLE.match(letter):
        return letter
    code = ord(letter)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
