"""Nodes laid out as the lines of a rule file: in braces where a line holds them, else in blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.source import Listing, Mapping, Scalar, children, text_of
from riskguard.language.writing.quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.ruleset import Span
    from riskguard.language.source import Node

__all__ = ["Row", "laid_out"]

WIDTH = 100
LONGEST_KEY = 1_000  # YAML wants a longer one marked
# how many levels under a key of the file always stand in blocks, its own included
OPEN = {"inputs": 1, "params": 1, "define": 1, "rules": 2, "stages": 2, "per_symbol": 3}
FOLDS = re.compile(r"(?<=\S) (?=\S)")  # where a text may go on in the next line


class Row(NamedTuple):
    """A line, and where its words were written; None in the middle of a text."""

    text: str
    span: Span | None


def laid_out(root: Mapping, *, by_origin: bool = False, width: int = WIDTH) -> list[Row]:
    """Return the lines of a rule file, of at most `width` columns where that can be.

    `by_origin` lets no line hold words of two files.
    """
    return list(_Layout(width, by_origin=by_origin).block(root, 0, 0))


class _Layout:
    """One way to lay nodes out; `depth` levels under a node stand in blocks."""

    def __init__(self, width: int, *, by_origin: bool) -> None:
        self.width, self.by_origin = width, by_origin

    def block(self, node: Mapping, margin: int, depth: int, *, item: bool = False) -> Iterator[Row]:
        indent = " " * (margin - 2) + "- " if item else " " * margin
        for key, value in node.items:
            below = OPEN.get(text_of(key), 0) if margin == 0 else max(0, depth - 1)
            head = f"{indent}{quoted(text_of(key))}:"
            indent = " " * margin
            if len(head) - margin > LONGEST_KEY:
                yield Row(f"{head[:margin]}? {head[margin:-1]}", key.span)
                head = f"{indent}:"
            yield from self.under(head, key.span, value, margin, below)

    def under(self, head: str, at: Span, value: Node, margin: int, depth: int) -> Iterator[Row]:
        """Yield a value after what leads to it: on its line, or on those below."""
        if isinstance(value, Scalar):
            yield from self.scalar(head, value, margin)
        elif self.fits(head, value, at, depth):
            yield Row(f"{head} {_flow(value)}", at)
        else:
            yield Row(head, at)
            if isinstance(value, Mapping):
                yield from self.block(value, margin + 2, depth)
                return
            for one in value.items:
                yield from self.item(one, margin + 2, max(0, depth - 1))

    def item(self, node: Node, margin: int, depth: int) -> Iterator[Row]:
        """Yield an item of a list."""
        head = f"{' ' * margin}-"
        if isinstance(node, Scalar):
            yield from self.scalar(head, node, margin)
        elif isinstance(node, Mapping) and not self.fits(head, node, _begin(node), depth):
            yield from self.block(node, margin + 2, depth, item=True)
        else:
            yield Row(f"{head} {_flow(node)}", _begin(node))

    def fits(self, head: str, node: Mapping | Listing, at: Span, depth: int) -> bool:
        """Say whether a node stands in braces behind what leads to it."""
        if not node.items:
            return True
        scalars = all(isinstance(one, Scalar) for one in children(node))
        if depth and not (isinstance(node, Listing) and scalars):
            return False
        return len(head) + 1 + len(_flow(node)) <= self.width and self.of_one(node, at)

    def of_one(self, node: Node, at: Span) -> bool:
        """Say whether all words of a node are of one file, where that matters."""
        if not self.by_origin:
            return True
        same = not isinstance(node, Scalar) or node.span.path == at.path
        return same and all(self.of_one(one, at) for one in children(node))

    def scalar(self, head: str, value: Scalar, margin: int) -> Iterator[Row]:
        """Yield a text: on one line, or folded where that is too long."""
        line = f"{head} {_flow_text(value, flow=False)}".rstrip(" ")
        indent = " " * (margin + 2)
        body = None
        if len(line) > self.width or "\n" in value.text:
            body = _broken(value.text, self.width - len(indent))
        if body is None:
            yield Row(line, value.span)
            return
        sign = "|-" if "\n" in value.text else ">-"
        yield Row(f"{head} {sign}", value.span)
        for row in body:
            yield Row(f"{indent}{row}", None)


def _begin(node: Node) -> Span:
    inside = children(node)
    return inside[0].span if inside else node.span


def _flow_text(node: Scalar, *, flow: bool) -> str:
    return "" if node.empty else quoted(node.text, flow=flow)


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return _flow_text(node, flow=True)
    if isinstance(node, Listing):
        return f"[{', '.join(map(_flow, node.items))}]"
    pairs = (f"{quoted(text_of(key), flow=True)}: {_flow(value)}" for key, value in node.items)
    return f"{{{', '.join(pairs)}}}"


def _broken(text: str, width: int) -> list[str] | None:
    """Return the lines of a text that are read as that text again, None where there are none."""
    lines = text.split("\n")
    if not all(line and line == line.strip() and line.isprintable() for line in lines):
        return None
    if len(lines) > 1:
        return lines
    found = [""]
    for part in FOLDS.split(text):
        longer = f"{found[-1]} {part}".lstrip()
        found[-1:] = [longer] if len(longer) <= width or not found[-1] else [found[-1], part]
    return found if len(found) > 1 else None
