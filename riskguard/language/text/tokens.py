"""The words, numbers and signs of a line, each with its columns."""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import digit

from riskguard.language.findings import LineError
from riskguard.language.text.slips import strange
from riskguard.language.text.units import NUMBER, amount

__all__ = ["MAX_LETTERS", "Token", "tokens"]

SYMBOLIC = re.compile(r"<=|>=|==|!=|=<|=>|<>|[≤≥≠]|[-<>=+*/().,]")
NAME = re.compile(r"[^\W\d]\w*")
JOINED = re.compile(r"&&?|\|\|?")
MAX_TOKENS = 200
MAX_LETTERS = 4_000


class Token(NamedTuple):
    """A word, a number or a sign; `value` and `dimension` for numbers."""

    kind: str  # number | name | sign | end
    text: str
    start: int
    end: int
    value: float = 0.0
    dimension: str = ""


def tokens(text: str) -> list[Token]:
    """Return the tokens of a line, an `end` after the last."""
    if len(text) > MAX_LETTERS:
        message = f"more than {MAX_LETTERS:,} characters in one line"
        raise LineError("RG002", 0, 1, message, 'name parts of it under "define:"')
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if len(found) >= MAX_TOKENS:
            message = f"more than {MAX_TOKENS} words in one line"
            raise LineError("RG002", at, at + 1, message, 'name parts of it under "define:"')
        if text[at].isdigit() or (text[at] == "$" and text[at + 1 : at + 2].isdigit()):
            found.append(_number(text, at))
        elif name := NAME.match(text, at):
            found.append(Token("name", name[0], at, name.end()))
        elif sign := SYMBOLIC.match(text, at):
            found.append(Token("sign", sign[0], at, sign.end()))
        else:
            raise _strange(text, at, found[-1] if found else None)
        at = found[-1].end
    found.append(Token("end", "the end of the line", len(text), len(text) + 1))
    return found


def _strange(text: str, at: int, before: Token | None) -> LineError:
    joiner = JOINED.match(text, at)
    if joiner:
        message, word = f"'{joiner[0]}' inside a line", "all" if joiner[0][0] == "&" else "any"
        fix = f'one comparison per line: put each on its own line under "{word}:"'
        return LineError("RG104", at, joiner.end(), message, fix)
    number = before.text if before and before.kind == "number" else ""
    message, fix = f"unexpected character '{text[at]}'", strange(text, at, number)
    return LineError("RG101", at, at + 1, message, fix)


def _number(text: str, at: int) -> Token:
    match = NUMBER.match(text, at)
    if match is None or not match["digits"].isascii():
        odd = next(place for place in range(at, len(text)) if not text[place].isascii())
        message, fix = f"unexpected character '{text[odd]}'", f"write {digit(text[odd])}"
        raise LineError("RG101", odd, odd + 1, message, fix)
    value, dimension = amount(match)
    return Token("number", match[0], at, match.end(), value, dimension)
