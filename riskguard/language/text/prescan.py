"""A look at the bare lines, before YAML: slips that YAML accepts or blames elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.ruleset import Span
from riskguard.language.schema import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.language.findings import Findings


__all__ = ["prescan"]

CONTROL = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# YAML takes these for line breaks: they would move every line number after them
BREAKS = re.compile("[\x85\u2028\u2029]")
INVISIBLE = re.compile("[\xa0\xad\u2007\u200b-\u200d\u202f\u2060\ufeff]")
TABS = re.compile("\t")
CURLY = re.compile("[\u201c\u201d\u2018\u2019]")
TAB = re.compile(r" *\t")
DASH = re.compile(r"\s*(-)[A-Za-z(]")
COLON = re.compile(r"\s*(?:- )?(?P<key>[A-Za-z_][\w.]*)(?P<colon>:)(?P<value>[^\s/:].*)$")
# one look at a line that has none of all this
SUSPECT = re.compile(
    f"{TABS.pattern}|{INVISIBLE.pattern}|{CURLY.pattern}"
    r"|^(?:%|\s*-[A-Za-z(]|\s*(?:- )?[A-Za-z_][\w.]*:[^\s/:])"
)
# the body of a text begins under a key, plain or quoted, or in an item of a list
BLOCK_START = re.compile(
    r"\s*+(?:[-?] )*+(?:(?:\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|[^#\s'\"][^#]*)?:\s+)?"
    r"[|>][-+0-9]*\s*(?:#.*)?$"
)
PROSE = {
    name for keys in BLOCKS.values() for name, key in keys.items() if key.kind in {"text", "texts"}
}
FREE_TEXT = re.compile(rf"\s*(?:- )?\{{?(?:{'|'.join(sorted(PROSE))})\s*:")
EVERYWHERE = frozenset({"RG010", "RG011"})  # where one line has it, most have
MOST = 1_000  # lines with a fault; further ones are not looked at
COMMENT = re.compile(r"(?:^|\s)#")


class Fault(NamedTuple):
    """What is wrong with a line."""

    code: str
    place: Span
    message: str
    help: str


def prescan(lines: Sequence[str], found: Findings) -> bool:
    """Note faults of single lines; return whether the text may go on to YAML.

    What an editor or a web page put on many lines is told once.
    """
    for faults in (_characters(lines), _slips(lines)):
        for fault in _once(list(islice(faults, MOST))):
            found.error(*fault)
        if found.failed:
            return False
    return True


def _once(faults: Sequence[Fault]) -> Iterator[Fault]:
    often = Counter(fault.message for fault in faults if fault.code in EVERYWHERE)
    for fault in faults:
        more = often.pop(fault.message, 0) - 1 if fault.code in EVERYWHERE else 0
        if more >= 0:
            rest = f", here and on {more} more line{'s' if more > 1 else ''}" if more else ""
            yield fault._replace(message=fault.message + rest)


def _at(number: int, place: tuple[int, int]) -> Span:
    return Span(number, place[0] + 1, number, place[1] + 1)


def _characters(lines: Sequence[str]) -> Iterator[Fault]:
    for number, line in enumerate(lines, 1):
        control = CONTROL.search(line) or BREAKS.search(line)
        if control:
            message = f"character U+{ord(control[0]):04X} is not allowed in YAML"
            yield Fault("RG038", _at(number, control.span()), message, "remove it")


def _slips(lines: Sequence[str]) -> Iterator[Fault]:
    for number, line in _outside_blocks(lines):
        fault = _fault(number, line) if SUSPECT.search(line) else None
        if fault is not None:
            yield fault


def _outside_blocks(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines that are not the body of a folded or literal text."""
    margin: int | None = None
    for number, line in enumerate(lines, 1):
        if not line or line[0] == "#":
            continue
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        if margin is not None:
            if indent > margin or not bare.strip():
                continue
            margin = None
        yield number, line
        if BLOCK_START.match(line):
            margin = indent


def _fault(number: int, line: str) -> Fault | None:
    if line[0] == "%":
        message = "'%' at the start of a line is for directives of YAML, not used here"
        return Fault("RG039", _at(number, (0, 1)), message, "remove the line, or indent it")
    comment = COMMENT.search(line)
    text = line[: comment.end() - 1] if comment else line
    tab = TAB.match(text)
    if tab:
        place = _at(number, (tab.end() - 1, tab.end()))
        return Fault("RG010", place, "tab used for indentation", "use two spaces for each level")
    # the loader in C takes a tab for a space, the one in Python does not
    hidden = TABS.search(text) or (None if FREE_TEXT.match(text) else INVISIBLE.search(text))
    if hidden:
        message = f"invisible character U+{ord(hidden[0]):04X} (copied from a web page or chat?)"
        help_text = "replace it with an ordinary space"
        return Fault("RG011", _at(number, hidden.span()), message, help_text)
    if FREE_TEXT.match(text):
        return None
    curly = CURLY.search(text)
    if curly:
        help_text = "use straight quotes \" or '"
        return Fault("RG012", _at(number, curly.span()), "curly quote", help_text)
    dash = DASH.match(text)
    if dash:
        help_text = f'write "- {text.strip()[1:]}"'
        message = "a list item needs a space after the dash"
        return Fault("RG013", _at(number, dash.span(1)), message, help_text)
    colon = COLON.match(text)
    if colon:
        message = f"missing space after the colon of '{colon['key']}'"
        help_text = f'write "{colon["key"]}: {colon["value"].strip()}"'
        return Fault("RG014", _at(number, colon.span("colon")), message, help_text)
    return None
