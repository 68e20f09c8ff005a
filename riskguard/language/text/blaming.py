"""What YAML could not read: put where the author's hand slipped, with what to write there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from riskguard.language.schema import (
    ACTIONS,
    CONDITION_KEYS,
    DURING_KEYS,
    FILE_KEYS,
    INPUT_KEYS,
    PARAMETER_KEYS,
    REENTRY_KEYS,
    RULE_KEYS,
    STAGE_KEYS,
)
from riskguard.language.tree import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.language.findings import Findings

__all__ = ["blame", "blame_block", "blame_escape", "blame_tag"]

COLON = re.compile("mapping values are not allowed|found unexpected ':'")
LIST = re.compile("sequence entries are not allowed")
CHARACTER = "write the character itself, or the text in single quotes"
WHOLE_COMPARISON = 'write the whole comparison ("close > 75_000") or put it in quotes'
ONE_COLUMN = "line up keys of the same block in the same column"
# the loaders differ in their words: "did not find expected X", "expected the X, but …"
DIFFERENT = re.compile(
    "^did not find |(?<=expected )the |, but .*$|block (?=sequence)|(?<=are not allowed).*$"
    "|'(?=<)|(?<=>)'|(?<=handle) '.*'$"
)
ESCAPE_FAULT = re.compile("escape|hexa?decimal")  # libyaml says "hexdecimal"
# a backslash with what belongs to it, "" at the end of a line
ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{0,2}|u[0-9A-Fa-f]{0,4}|U[0-9A-Fa-f]{0,8}|.|$)")
LETTERS = frozenset('0abt\tnvfre "/\\N_LP')
TAG = re.compile(r"![^\s,\[\]{}]*")
FLOW = "while parsing a flow"
DIGITS = {"x": 2, "u": 4, "U": 8}
KEYS = frozenset(
    {*FILE_KEYS, *RULE_KEYS, *STAGE_KEYS, *CONDITION_KEYS, *ACTIONS, *PARAMETER_KEYS}
    | {*INPUT_KEYS, *REENTRY_KEYS, *DURING_KEYS}
)


def blame(fault: Any, lines: Sequence[str], found: Findings) -> None:  # noqa: ANN401 - MarkedYAMLError is untyped
    """Note a fault of the YAML reader; both loaders are blamed alike."""
    context, problem = fault.context or "", fault.problem or ""
    at = fault.problem_mark or fault.context_mark
    begun = fault.context_mark or at
    here = Span(at.line + 1, at.column + 1, at.line + 1, at.column + 2)
    origin = Span(begun.line + 1, begun.column + 1, begun.line + 1, begun.column + 2)
    if lines[begun.line].startswith("!", begun.column) and not context.startswith(FLOW):
        blame_tag(begun, lines, found)
    elif "quoted scalar" in context and ESCAPE_FAULT.search(problem):
        blame_escape(begun, lines, found)
    elif "quoted scalar" in context:
        whole = Span(origin.line, origin.column, origin.line, 1 << 20)
        found.error("RG030", whole, "quote opened here is never closed", "add the closing quote")
    elif "block scalar" in context or "cannot start any token" in problem:
        blame_block(begun if "block scalar" in context else at, lines, found)
    elif "flow sequence" in context or "flow mapping" in context:
        _brackets(origin, here, lines, found)
    elif COLON.search(problem):
        _colon(here, lines, found)
    elif "simple key" in context:
        _no_colon(origin, lines, found)
    elif LIST.search(problem):
        message = "a list cannot begin behind a colon"
        fix = 'put "- ..." on the next line, below "all:" or "any:"'
        found.error("RG039", here, message, fix)
    elif "block mapping" in context or "block collection" in context:
        _outside(origin, here, lines, found)
    else:
        words = DIFFERENT.sub("", problem)
        fix = "look at the marked character and the line before it"
        found.error("RG039", here, words or "not valid YAML", fix)


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def blame_block(mark: Any, lines: Sequence[str], found: Findings) -> None:  # noqa: ANN401 - marks of PyYAML are of two kinds
    """Note a sign that begins no value, behind a mark of YAML."""
    place = Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
    sign = lines[mark.line][mark.column : mark.column + 1]
    message = f"a value cannot start with '{sign}' in YAML"
    found.error("RG015", place, message, WHOLE_COMPARISON)


def _brackets(origin: Span, here: Span, lines: Sequence[str], found: Findings) -> None:
    """Blame what stands inside [ ] or { }: a comma that is missing, a colon too many."""
    line = _line(lines, here.line)
    inside = re.split(r"[,{\[]", line[: here.column - 1])[-1]
    second = re.fullmatch(r"(?P<first>\s*[\w.]+:\s.*?)[\s;]+(?P<key>[\w.]+)", inside)
    sign = line[here.column - 1 : here.column]
    if origin.line != here.line or sign not in {":", "]", "}"}:
        message = "bracket opened here is never closed (or a comma is missing)"
        found.error("RG031", origin, message, "close it with ] or }")
    elif sign in {"]", "}"}:
        pair = {"]": "}", "}": "]"}[sign]
        found.error("RG031", here, f"'{sign}' closes what '{pair}' should", f"write {pair}")
    elif second and second["key"] in KEYS:
        column = here.column - len(second["key"])
        place = Span(here.line, column, here.line, here.column)
        fix = f'write "{second["first"].strip()}, {second["key"]}: ..."'
        found.error("RG031", place, f"a comma is missing before '{second['key']}'", fix)
    else:
        _too_many(here, found)


def _too_many(here: Span, found: Findings, fix: str = "put the whole text in quotes") -> None:
    found.error("RG032", here, 'unexpected ":" inside a value', fix)


def _colon(here: Span, lines: Sequence[str], found: Findings) -> None:
    """Blame a colon: a second one in its line, or the first below a line that has its value."""
    line = _line(lines, here.line)
    outer, colon, inner = line[: here.column - 1].partition(":")
    word, rest = inner.strip(), line[here.column :].strip()
    if colon and (lost := re.match(r"\s*(?:- )?(?P<key>\w+) \{", outer)):
        at = Span(here.line, lost.start("key") + 1, here.line, lost.end("key") + 1)
        fix = f'write "{lost["key"]}: {{..."'
        found.error("RG039", at, "a colon is missing in this line", fix)
    elif not colon:
        _deeper(here.line, lines, found)
    elif rest[:1] in {"<", ">", "="}:
        _too_many(here, found, f'leave the colon out: "{word} {rest}"')
    elif word in KEYS:
        first = outer.strip().removeprefix("- ")
        fix = f'put "{word}:" on a line of its own below "{first}:", two spaces further in'
        if word in ACTIONS and first in {"do", "fallback"}:
            fix = f'write "{first}: {{{word}: {rest}}}"'
        _too_many(here, found, fix)
    elif word.endswith(" for"):
        _too_many(here, found, 'leave the colon out: "for 12h"')
    else:
        _too_many(here, found)


def _deeper(number: int, lines: Sequence[str], found: Findings) -> None:
    """Blame a key that stands further in than a line that cannot hold it."""
    above = number - 1
    while above and (not _line(lines, above).strip() or _line(lines, above).lstrip()[0] == "#"):
        above -= 1
    text, line = _line(lines, above), _line(lines, number)
    item = re.match(r"\s*- (?P<text>.*)", text)
    if re.search(r":(\s|$)", text) or item:
        column = len(line) - len(line.lstrip(" -")) + 1
        place = Span(number, column, number, len(line.partition(":")[0]) + 1)
        message = f"indentation does not match the block that began at line {above}"
        key = line.strip().partition(":")[0]
        fix = f"write - {{is: {item['text'].strip()}, {key}: ...}}" if item else ONE_COLUMN
        found.error("RG034", place, message, fix)
    else:
        column = len(text) - len(text.lstrip(" -")) + 1
        _no_colon(Span(above, column, above, column + 1), lines, found)


def _no_colon(at: Span, lines: Sequence[str], found: Findings) -> None:
    """Blame a line that is neither a key nor an item of a list."""
    line = _line(lines, at.line)
    text = line[at.column - 1 :].rstrip()
    place = Span(at.line, at.column, at.line, at.column + max(1, len(text)))
    first, _, rest = text.partition(" ")
    above = _line(lines, at.line - 1)
    if text.startswith("//"):
        fix = "a comment begins with #"
    elif not rest:
        fix = f'write "{text}:"'
    elif first in KEYS:
        fix = f'write "{first}: {rest.lstrip("= ")}"'
    elif re.match(rf"\s{{{at.column - 1}}}- ", above):
        fix = f'write "- {text}"'
    else:
        fix = 'every line is "key: value", or "- " and one item of a list'
    found.error("RG039", place, "a colon is missing in this line", fix)


def _outside(origin: Span, here: Span, lines: Sequence[str], found: Findings) -> None:
    """Blame what stands where the block has already ended."""
    line = _line(lines, here.line)
    sign, before = line[here.column - 1 : here.column], line[: here.column - 1].rstrip()
    if sign in {"]", "}"}:
        found.error("RG031", here, f"'{sign}' closes nothing", "remove it")
    elif before.endswith(("'", '"')):
        fix = "put the whole text in quotes, or none of it"
        found.error("RG039", here, "text behind a closing quote", fix)
    else:
        message = f"indentation does not match the block that began at line {origin.line}"
        found.error("RG034", here, message, ONE_COLUMN)


def blame_tag(mark: Any, lines: Sequence[str], found: Findings) -> None:  # noqa: ANN401 - marks of PyYAML are of two kinds
    """Note a tag behind a mark of YAML, by its letters: the loaders cut them differently."""
    word = TAG.match(lines[mark.line], mark.column)
    shown = word[0] if word else "!"
    column = mark.column + 1
    place = Span(mark.line + 1, column, mark.line + 1, column + len(shown))
    name = shown[1:]
    fix = f'write "not: {name}"' if name.isidentifier() else "remove it"
    found.error("RG022", place, f"YAML tags ({shown}) are not used here", fix)


def blame_escape(start: Any, lines: Sequence[str], found: Findings) -> None:  # noqa: ANN401 - marks of PyYAML are of two kinds
    """Note the first wrong escape behind a mark of YAML."""
    ahead = enumerate(lines[start.line :], start.line + 1)
    wrong = (
        (Span(number, hit.start() + 1, number, hit.end() + 1), hit[0])
        for number, line in ahead
        for hit in ESCAPE.finditer(line, start.column if number == start.line + 1 else 0)
        if not _known(hit[1])
    )
    quote = Span(start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    place, shown = next(wrong, (quote, "\\"))
    message = f"'{shown}' stands for nothing inside double quotes"
    found.error("RG039", place, message, CHARACTER)


def _known(escape: str) -> bool:
    letter, digits = escape[:1], escape[1:]
    if letter not in DIGITS:
        return letter in LETTERS or not letter
    code = int(digits, 16) if len(digits) == DIGITS[letter] else -1
    return 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
