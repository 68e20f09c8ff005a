"""Text in, nodes out: the only module that knows YAML.

Every scalar stays text and keeps the place of each of its characters. A pre-scan catches what
YAML would blame on the wrong line or accept in silence; no constructor ever runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from riskguard.language.blaming import BACKSLASH, CHARACTER, blame
from riskguard.language.findings import Findings
from riskguard.language.prescan import prescan
from riskguard.language.ruleset import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Entry",
    "Listing",
    "Mapping",
    "Node",
    "Scalar",
    "children",
    "compose",
    "lines_of",
    "size",
]

# the loader in C gives the same nodes and marks, and is several times faster
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 20_000
LIMITS = "limits: 64 levels, 20,000 values, 2,000 rules"
HALVES = re.compile("[\ud800-\udfff]")  # of a character that JSON writes as a pair
# characters of the source that one character of a double-quoted value takes
ESCAPES = {"x": 4, "u": 6, "U": 10}


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One text of the file."""

    text: str
    span: Span
    style: str = ""  # "" plain, ', ", | or >
    lines: Sequence[str] = ()
    whole: bool = False  # made from another text: every character stands at all of that

    @property
    def empty(self) -> bool:
        """Say whether nothing was written."""
        return not self.text and not self.style

    def place(self, start: int, end: int) -> Span:
        """Return where the characters [start, end) of the text stand in the file."""
        first = self.span
        if self.whole:
            return first
        begin = first.column + len(self.style)
        as_long = first.end_column - first.column == len(self.text) + 2 * len(self.style)
        if first.line != first.end_line or not as_long:  # broken, folded or escaped
            return self._rescanned(start, end)
        return Span(first.line, begin + start, first.line, begin + end, first.path)

    def _rescanned(self, start: int, end: int) -> Span:
        places, at = _places(self), self.span
        if places is None:
            return Span(at.line, at.column, at.line, at.column + 1, at.path)
        row, column = places[min(start, len(places) - 1)]
        last_row, last = places[min(max(end - 1, start), len(places) - 1)]
        return Span(row + 1, column + 1, last_row + 1, last + 2, at.path)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A block of keys, in the order written, doubles included."""

    items: tuple[tuple[Node, Node], ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A list; `flow` when written in brackets."""

    items: tuple[Node, ...]
    span: Span
    flow: bool = False


Node = Scalar | Mapping | Listing


class Entry(NamedTuple):
    """A key and what stands under it."""

    key: Scalar
    node: Node


def children(node: Node) -> tuple[Node, ...]:
    """Return what stands directly in a node, keys included."""
    if isinstance(node, Mapping):
        return tuple(one for pair in node.items for one in pair)
    return node.items if isinstance(node, Listing) else ()


def size(node: Node) -> int:
    """Return how many nodes there are in a node, itself included."""
    return 1 + sum(map(size, children(node)))


def _places(scalar: Scalar) -> list[tuple[int, int]] | None:
    """Find each character of a quoted, folded or broken text again in the source."""
    row, column = scalar.span.line - 1, scalar.span.column - 1
    lines = scalar.lines
    if scalar.style in {"|", ">"}:
        row, column = row + 1, 0
    elif scalar.style:
        column += 1
    found: list[tuple[int, int]] = []
    for letter in scalar.text:
        if not letter.isspace():
            while row < len(lines) and lines[row][column : column + 1].strip() == "":
                row, column = (row, column + 1) if column < len(lines[row]) else (row + 1, 0)
        if row >= len(lines):
            return None
        width = _width(letter, lines[row][column : column + 2], scalar.style)
        if width is None:
            return None
        found.append((row, column))
        column += width
    return [*found, (row, column)] if found else None


def _width(letter: str, here: str, style: str) -> int | None:
    """Return how many characters of the source one of the text takes, None if it is another."""
    if style == '"' and here[:1] == "\\":
        return ESCAPES.get(here[1:], 2)
    if letter.isspace():
        return 1 if here[:1].isspace() else 0
    if here[:1] != letter:
        return None
    return 2 if style == "'" == letter else 1


def lines_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text with plain line breaks and without a byte-order mark, and its lines."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return plain, tuple(plain.split("\n"))


def compose(text: str, path: str, *, origin: str = "") -> tuple[Node | None, Findings]:
    """Return the nodes of a rule file (None when it cannot be read) and what was found.

    `origin` goes into the spans of a file that another one extends.
    """
    text, lines = lines_of(text)
    found = Findings(path, lines)
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        found.error("RG001", Span(), "the file is larger than 1 MiB", 'split it with "extends:"')
        return None, found
    if not prescan(lines, found):
        return None, found
    try:
        if not _events_allowed(text, found):
            return None, found
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as fault:
        blame(fault, lines, found)
        return None, found
    except yaml.YAMLError as fault:
        found.error("RG039", Span(), str(fault).split("\n", maxsplit=1)[0])
        return None, found
    except (OverflowError, ValueError):  # of the loader in Python: \\UFFFFFFFF
        found.error("RG039", Span(), BACKSLASH, CHARACTER)
        return None, found
    if root is None:
        found.error("RG003", Span(), "the file is empty", 'start with "version: 1"')
        return None, found
    return _converted(root, lines, origin), found


def _span(event: Any, path: str = "") -> Span:  # noqa: ANN401 - events and nodes of PyYAML share only their marks
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, path)


def _events_allowed(text: str, found: Findings) -> bool:
    """Refuse what YAML can do and rules never need, before any node is built."""
    depth = nodes = documents = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        refusal = _refused(event)
        if refusal is None and HALVES.search(getattr(event, "value", None) or ""):
            refusal = ("RG039", BACKSLASH, CHARACTER)  # what the loader in C refuses itself
        if refusal is None and documents > 1:
            refusal = (
                "RG033",
                '"---" starts a second document',
                'one file holds one document; use "extends:" for several files',
            )
        if refusal is None and (depth > MAX_DEPTH or nodes > MAX_NODES):
            refusal = ("RG002", "nested too deep or too large", LIMITS)
        if refusal is not None:
            code, message, help_text = refusal
            found.error(code, _span(event), message, help_text)
            return False
    return True


def _refused(event: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 - any event of PyYAML
    if isinstance(event, yaml.AliasEvent):
        help_text = 'give the value a name under "params:" or the condition a name under "define:"'
        return "RG020", "YAML aliases (*name) are not used here", help_text
    if getattr(event, "anchor", None):
        return "RG021", "YAML anchors (&name) are not used here", 'use "params:" or "define:"'
    tag = getattr(event, "tag", None)
    if tag:
        shown = str(tag).replace("tag:yaml.org,2002:", "!!")
        word = shown[1:] if shown[:2] != "!!" else ""
        help_text = f'write "not: {word}"' if word.isidentifier() else "remove it"
        return "RG022", f"YAML tags ({shown}) are not used here", help_text
    return None


def _converted(node: Any, lines: Sequence[str], path: str) -> Node:  # noqa: ANN401 - nodes of PyYAML are untyped
    span = _span(node, path)
    if isinstance(node, yaml.MappingNode):
        pairs = (tuple(_converted(one, lines, path) for one in pair) for pair in node.value)
        return Mapping(tuple((key, value) for key, value in pairs), span)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_converted(item, lines, path) for item in node.value)
        return Listing(items, span, bool(node.flow_style))
    return Scalar(node.value, span, node.style or "", lines)
