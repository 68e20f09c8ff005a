"""Text in, nodes out: the only module that knows YAML.

Every scalar stays text and keeps the place of each of its characters. A pre-scan catches what
YAML would blame on the wrong line or accept in silence; no constructor ever runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from riskguard.language.findings import Findings
from riskguard.language.ruleset import Span
from riskguard.language.text.blaming import blame, blame_block, blame_escape, blame_tag
from riskguard.language.text.prescan import prescan
from riskguard.language.text.runs import Runs
from riskguard.language.text.tokens import MAX_LETTERS

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
    "items_of",
    "lines_of",
    "size",
    "text_of",
]

BLANKS = "\0 \t\n\r\x85\u2028\u2029"
# words without quotes and the spaces between them, outside and inside brackets
WORD = f"(?:[^:{BLANKS}]++|:(?![{BLANKS}]))++"
WORD_INSIDE = rf"(?:[^:,\[\]{{}}{BLANKS}]++|:(?![?,\[\]{{}}{BLANKS}]))++"
PLAIN = re.compile(f"(?:{WORD}(?: ++(?!#){WORD})*+)?+")
PLAIN_INSIDE = re.compile(f"(?:{WORD_INSIDE}(?: ++(?!#){WORD_INSIDE})*+)?+")


class PythonLoader(Runs, yaml.SafeLoader):
    """The loader in Python, with plain texts as the one in C reads them."""

    def scan_plain(self) -> yaml.ScalarToken:
        """Return a text without quotes; a '?' in brackets is a letter like any other."""
        text, inside = self.buffer, bool(self.flow_level)
        run = PLAIN_INSIDE if inside else PLAIN
        start = end = self.get_mark()
        parts: list[str] = []
        spaces: list[str] = []
        while not text.startswith("#", self.pointer):
            words = self.taken(run)
            if inside and text[self.pointer] == ":" and text[self.pointer + 1] in "?,[]{}":
                context, problem = "while scanning a plain scalar", "found unexpected ':'"
                raise yaml.scanner.ScannerError(context, start, problem, self.get_mark())
            if not words:
                break
            parts += (*spaces, words)
            self.allow_simple_key, end = False, self.get_mark()
            spaces = self.scan_plain_spaces(self.indent + 1, start) or []
            if not spaces or (not inside and self.column <= self.indent):
                break
        return yaml.ScalarToken("".join(parts), plain=True, start_mark=start, end_mark=end)


# the loader in C gives the same nodes and marks, and is several times faster
LOADER: Any = getattr(yaml, "CSafeLoader", PythonLoader)

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_LINES = 50_000
MAX_NODES = 20_000
LIMITS = "limits: 64 levels, 20,000 values, 2,000 rules"
TOO_LARGE = ("RG002", "nested too deep or too large", LIMITS)
SPLIT = 'split it with "extends:"'
SECOND = (
    "RG033",
    '"---" starts a second document',
    'one file holds one document; use "extends:" for several files',
)
# characters of the source that one character of a double-quoted value takes
ESCAPES = {"x": 4, "u": 6, "U": 10}
SPACES = re.compile(" *")
# a comment right behind the sign of a folded or literal text
HIDDEN_COMMENT = re.compile(r"[|>][-+0-9]*#")
BLOCKS = frozenset("|>")
SURROGATE = re.compile("[\ud800-\udfff]")


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
        places = _places(self) if len(self.text) <= MAX_LETTERS else None
        if places is None:
            return self.span.begin
        row, column = places[min(start, len(places) - 1)]
        last_row, last = places[min(max(end - 1, start), len(places) - 1)]
        return Span(row + 1, column + 1, last_row + 1, last + 2, self.span.path)


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


def items_of(node: Node | None) -> tuple[Node, ...]:
    """Return the items of a list, none of anything else."""
    return node.items if isinstance(node, Listing) else ()


def text_of(node: Node | None) -> str:
    """Return a single value as it is written, "" of anything else."""
    return node.text if isinstance(node, Scalar) else ""


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
        here = lines[row][column : column + 2] if row < len(lines) else ""
        width = _width(letter, here, scalar.style)
        if width is None:  # such as a word that a backslash breaks over two lines
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
        found.error("RG001", Span(), "the file is larger than 1 MiB", SPLIT)
        return None, found
    if len(lines) > MAX_LINES:
        message = f"more than {MAX_LINES:,} lines"
        found.error("RG002", Span(MAX_LINES + 1, 1, MAX_LINES + 1, 2), message, SPLIT)
        return None, found
    if not prescan(lines, found):
        return None, found
    if not text.endswith("\n"):  # the loaders differ on where such a text ends
        text, lines = f"{text}\n", (*lines, "")
    builder = _Builder(lines, origin, found)
    try:
        root = builder.build(text)
    except yaml.MarkedYAMLError as fault:
        if "nesting depth" in (fault.problem or ""):
            builder.too_deep()
        else:
            blame(fault, lines, found)
        return None, found
    except (OverflowError, ValueError):  # the loader in Python: an escape beyond Unicode
        blame_escape(builder.last.end_mark, lines, found)
        return None, found
    if root is None and not found.failed:
        found.error("RG003", Span(), "the file is empty", 'start with "version: 1"')
    return None if found.failed else root, found


def _span(event: Any, path: str = "") -> Span:  # noqa: ANN401 - events of PyYAML share only their marks
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, path)


class _Builder:
    """Builds our own nodes from the events of YAML; stops at what rules never need."""

    def __init__(self, lines: Sequence[str], path: str, found: Findings) -> None:
        self.lines, self.path, self.found = lines, path, found
        self.last: Any = None  # event
        self.open: list[tuple[Any, list[Node]]] = []  # what has begun, and what stands in it

    def build(self, text: str) -> Node | None:
        """Return the node of the one document, None where there is none or it is refused."""
        root: Node | None = None
        nodes = documents = 0
        for event in yaml.parse(text, Loader=LOADER):
            self.last = event
            begins = isinstance(event, yaml.CollectionStartEvent)
            nodes += begins or isinstance(event, yaml.ScalarEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            deep = len(self.open) + begins > MAX_DEPTH or nodes > MAX_NODES
            refusal = _refused(event) or (SECOND if documents > 1 else TOO_LARGE if deep else None)
            if refusal is not None:
                code, message, help_text = refusal
                self.found.error(code, _span(event), message, help_text)
                return None
            if getattr(event, "tag", None):
                blame_tag(event.start_mark, self.lines, self.found)
                return None
            if begins:
                self.open.append((event, []))
                continue
            if isinstance(event, yaml.ScalarEvent):
                node: Node = self._scalar(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                node = self._closed(*self.open.pop(), event)
            else:
                continue
            if self.open:
                self.open[-1][1].append(node)
            else:
                root = node
        return root

    def too_deep(self) -> None:
        """Note the bracket that the loader in C, looking ahead, met too many of."""
        row, column = self.last.end_mark.line, self.last.end_mark.column
        brackets = (at for at, sign in enumerate(self.lines[row]) if sign in "[{" and at >= column)
        at = next(islice(brackets, MAX_DEPTH - len(self.open), None), column)
        code, message, help_text = TOO_LARGE
        self.found.error(code, Span(row + 1, at + 1, row + 1, at + 2), message, help_text)

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401 - events of PyYAML are untyped
        begin, style = event.start_mark, event.style or ""
        span = _span(event, self.path)
        if style == '"' and SURROGATE.search(event.value):  # the loader in C refuses it
            blame_escape(begin, self.lines, self.found)
        elif style in BLOCKS and HIDDEN_COMMENT.match(self.lines[begin.line], begin.column):
            blame_block(begin, self.lines, self.found)  # the loader in Python does
        elif not (event.value or style) and self.open and self.open[-1][0].flow_style:
            span = self._nothing(begin)
        return Scalar(event.value, span, style, self.lines)

    def _nothing(self, mark: Any) -> Span:  # noqa: ANN401 - marks of PyYAML are of two kinds
        """Return where a value is missing in brackets: before what comes instead."""
        row, spaces = mark.line, SPACES.match(self.lines[mark.line], mark.column)
        while (
            spaces is not None and spaces.end() == len(spaces.string) and row + 1 < len(self.lines)
        ):
            row, spaces = row + 1, SPACES.match(self.lines[row + 1])
        column = spaces.end() + 1 if spaces is not None else mark.column + 1
        return Span(row + 1, column, row + 1, column, self.path)

    def _closed(self, begun: Any, items: list[Node], ended: Any) -> Node:  # noqa: ANN401 - as above
        start, end = begun.start_mark, ended.end_mark
        span = Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1, self.path)
        if isinstance(begun, yaml.MappingStartEvent):
            return Mapping(tuple(zip(items[::2], items[1::2], strict=True)), span)
        return Listing(tuple(items), span, bool(begun.flow_style))


def _refused(event: Any) -> tuple[str, str, str] | None:  # noqa: ANN401 - any event of PyYAML
    if isinstance(event, yaml.AliasEvent):
        help_text = 'give the value a name under "params:" or the condition a name under "define:"'
        return "RG020", "YAML aliases (*name) are not used here", help_text
    if getattr(event, "anchor", None):
        return "RG021", "YAML anchors (&name) are not used here", 'use "params:" or "define:"'
    return None
