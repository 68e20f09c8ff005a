"""What is written in a line by habit, and what to write instead of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard.language.tables.synonyms import meanings
from riskguard.language.text.units import UNIT_WORDS, united

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.language.text.tokens import Token

__all__ = [
    "OPERATORS",
    "SLIPS",
    "being",
    "compared_by",
    "compared_how",
    "left_over",
    "multiple",
    "strange",
    "unit_apart",
    "within_brackets",
]

OPERATORS = frozenset({"<", "<=", ">", ">=", "==", "!="})
SLIPS = {"=<": "<=", "=>": ">=", "<>": "!=", "=": "==", "≤": "<=", "≥": ">=", "≠": "!="}

# words that compare: the first of < or > decides, "or equal" adds the =
BELOW, ABOVE, SAME, MOVES, FILLERS, HOLDING, SPANNING, RISING, DOLLARS = (
    frozenset(words.split())
    for words in (
        "below under less lower smaller beneath underneath",
        "above over greater more higher larger bigger exceeds exceed",
        "is equals equal",
        "falls fall drops drop crosses cross breaks break goes go rises rise stays stay moves has",
        "than to or by at not through the back",
        "within since during inside after until while throughout",
        "in over last past",
        "rises rise rose up gains gain gained climbs climbed jumps jumped increases increased",
        "usd usdt usdc dollar dollars",
    )
)

DASHES = "\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{HYPHEN}"
# signs that are not of the language -> what to write
STRANGE: Mapping[str, str] = {
    **dict.fromkeys(DASHES, "write the minus of the keyboard: -"),
    "\N{MULTIPLICATION SIGN}": "write x after a multiple (3x), * between two values",
    "\N{DIVISION SIGN}": "write /",
    "\N{MIDDLE DOT}": "write *",
    "[": "a window stands in round brackets: change(24h)",
    "]": "a window stands in round brackets: change(24h)",
    "{": "a name stands without braces",
    "}": "a name stands without braces",
    '"': "no quotes inside a line",
    "'": "no quotes inside a line",
    "!": 'write "not:" before the condition',
    "^": "write the product: close * close",
    "\N{EURO SIGN}": "amounts are in US dollars: write $",
    "\N{POUND SIGN}": "amounts are in US dollars: write $",
    "@": "write the name alone",
    "?": "leave it out",
    ";": "leave it out: a line is one comparison",
    ":": "leave the colon out",
}


def strange(text: str, at: int, before: str) -> str:
    """Return the help for a sign that no line has; `before` is the number in front of it."""
    sign = text[at]
    word = re.match(r"[^\W\d]\w*", text[at + 1 :])
    digits = re.match(r"\d{3}(?!\d)", text[at + 1 :])
    named = re.search(r"\(.*?([^\W\d]\w*)\s*$", text[:at])
    given = re.match(r"\s*([\w.]+)", text[at + 1 :])
    if sign == ":" and named and given:
        return f"write {named[1]}={given[1]}"
    if sign == "%" and before.endswith("%"):
        return "leave it out"
    if sign == "%":
        return f"write {before}%" if before else "write the unit right after the number"
    if sign == "$" and before:
        return f"write ${before}"
    if sign == "$" and word:
        return f"a name stands alone: write {word[0]}"
    if sign in {"'", "\N{RIGHT SINGLE QUOTATION MARK}"} and before and digits:
        return f"write {before}_{digits[0]}"
    if sign == "[" and (back := re.match(r"\s*-?(\d+)\s*\]", text[at + 1 :])):
        return f"an earlier value is written close.ago({back[1]} bars)"
    if sign == "{" and (inner := re.match(r"[\s{]*([^\W\d]\w*)", text[at + 1 :])):
        return f"a name stands without braces: write {inner[1]}"
    return STRANGE.get(sign, "")


def compared_by(words: Sequence[str]) -> tuple[int, str]:
    """Return how many of the words at the front compare, and the sign that they stand for."""
    count, found, equal = 0, "", False
    for word in (word.lower() for word in words):
        equal = equal or (word in SAME and bool(found))
        if word in BELOW | ABOVE and not found:
            found = "<" if word in BELOW else ">"
        elif word not in SAME | MOVES | FILLERS:
            break
        count += 1
    if not found:
        same = bool(words) and words[0].lower() in SAME
        return (1, "==") if same else (0, "")
    return count, found + ("=" if equal else "")


def compared_how(written: str, token: Token, rest: Sequence[Token]) -> str:
    """Return the help for a word that stands where a comparison should.

    `written` is what stands before it, `rest` what follows.
    """
    word, following = written.lower(), rest[0].text
    time = next((one.text for one in (token, *rest) if one.dimension == "time"), "24h")
    share = next((one.text for one in rest if one.dimension == "share"), "")
    if word in {"when", "if"}:
        return f"leave out '{written}'"
    if whole := meanings(f"{written} {token.text}"):
        return f"write {whole[0]}"
    if token.text == "for":
        return f"write {{is: {written}, for: {following}}}"
    if token.dimension == "time" and word == "for":
        return f'"for" ends the line: "close < 75_000 for {token.text}"'
    if token.dimension == "time" and word in {"after", "once"}:
        return f'a time alone is written "min_hold: {token.text}"'
    if token.dimension == "time" and "." in written:
        return f"a window stands in brackets: {written}({token.text})"
    if token.text in {"between", "in", "inside"}:
        return 'two lines under "all:", one with > and one with <'
    if token.kind == "name" and share:
        input_of = "close" if written.isupper() else written
        move = "rise" if token.text in RISING else "drop"
        return f"a move is measured: {input_of}.{move}({time}) >= {share}"
    number = token.text if token.kind == "number" else "75_000"
    return f'for example "{written if token.kind == "number" else "close"} < {number}"'


def unit_apart(number: Token, word: Token) -> str:
    """Return the number with the unit that follows it after a space, "" when none does."""
    if number.dimension not in {"plain", "dollars"} or word.kind != "name":
        return ""
    bare = not number.text[-1].isalpha()
    if word.text.lower() in DOLLARS and number.dimension == "plain":
        return f"${number.text}"
    known = bare and (word.text in UNIT_WORDS or word.text.lower() in UNIT_WORDS)
    return united(number.text, word.text) if known else ""


def left_over(before: Token, token: Token, after: Token) -> str:
    """Return the help for what stands behind a comparison; `before` is its last word."""
    number = before.kind == "number"
    if number and token.text == "," and after.kind == "number":
        whole = before.text.replace(".", "_") if "." in before.text else before.text
        return f"decimals follow a point: write {whole}.{after.text}"
    if number and token.kind == "number" and re.fullmatch(r"\d{3}", token.text):
        return f"write {before.text}_{token.text}"
    if number and token.text == "." and after.kind == "number":
        return f"thousands are joined by _: write {before.text.replace('.', '_')}_{after.text}"
    if token.dimension == "time" and after.text == "ago":
        return f"the value {token.text} earlier is written close.ago({token.text})"
    if token.text == ")":
        return "no bracket is open: leave it out"
    if token.text in SPANNING:
        span = after.text if after.dimension == "time" else "24h"
        return f"a window stands in brackets behind the input: sum({span}), change({span})"
    if token.text in HOLDING:
        held = after.text if after.dimension == "time" else "24h"
        return f'how long it must hold is written "for {held}"'
    if number and before.dimension == "plain" and token.kind == "name":
        return f"a count has no unit: write {before.text} alone"
    return 'a line is one comparison, and "for 12h" at most behind it'


def multiple(text: str, tokens: Sequence[Token]) -> str:
    """Return the help for "flow.sum(4h) > 5x average(7d)", "" when a line does not end so."""
    if len(tokens) < 4:
        return ""
    times, word, bracket = tokens[-3:]
    if word.text.lower() not in {"average", "avg", "mean"} or not times.text.endswith("x"):
        return ""
    window = text[bracket.start :].partition(")")[0]
    compared = next((one for one in tokens if one.text in {">", ">="}), None)
    if compared is None or bracket.text != "(":
        return ""
    return f"write {text[: compared.start].strip()}.times_avg{window}) >= {times.text}"


def being(written: str, word: str) -> str:
    """Return the help for "oi is stale", "calm is active", "stage is cut"."""
    if written == "stage":
        return f'write "stage >= {word}"'
    if word in {"stale", "missing", "old", "dead", "late", "unknown", "null", "none", "nan"}:
        return f"whether data is late is asked with age(): {written}.age() > 8h"
    return f"write {written} alone: it is true while it is active"


def within_brackets(before: Token, token: Token, *, called: bool) -> str:
    """Return the help for a word that no bracket holds; `called`: it is that of a measure."""
    if token.text in OPERATORS and called:
        return "close the bracket before the comparison"
    if token.text in OPERATORS:
        return "a comparison stands without brackets"
    if before.text == "this":
        return f"write {before.text}_{token.text}"
    return "a window is one word, for example 24h or 20 bars" if called else "close the bracket"
