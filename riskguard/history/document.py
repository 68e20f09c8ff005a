"""YAML read as text: no value is guessed, every word keeps its place.

Nodes come from the event stream; no constructor runs. Anchors, aliases, tags and second
documents are refused, and so are duplicate keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import yaml

from riskguard.errors import DataError
from riskguard.history.stamps import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Listing", "Node", "Section", "Word", "plain"]

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEPTH = 16


class Word(str):
    """A scalar as written, with the line it stands in (from 1)."""

    __slots__ = ("line",)
    line: int

    def __new__(cls, text: str, line: int) -> Self:
        """Return `text` as a word of line `line`."""
        word = super().__new__(cls, text)
        word.line = line
        return word


class Section(dict[Word, "Node"]):
    """A mapping; its keys are words."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class Listing(list["Node"]):
    """A sequence."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


Node = Word | Section | Listing


def plain(text: str, name: str) -> Node:
    """Return the document as words, sections and listings; raise DataError with its line."""
    try:
        events = _events(text, name)
        root = _node(next(events), events, name, 0)
        next(events, None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = int(mark.line) + 1 if mark else None
        problem = getattr(error, "problem", None) or "special characters are not allowed"
        raise DataError(f"not YAML: {shown(problem)}", path=name, line=line) from None
    except StopIteration:
        raise DataError("the file is empty", path=name, help="see the embedded ones") from None
    return root


def _events(text: str, name: str) -> Iterator[yaml.Event]:
    documents = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                fix = "one per file"
                raise DataError("a second document", path=name, line=_line(event), help=fix)
        elif isinstance(event, yaml.NodeEvent):
            _refuse_magic(event, name)
            yield event
        elif isinstance(event, yaml.CollectionEndEvent):
            yield event


def _refuse_magic(event: yaml.NodeEvent, name: str) -> None:
    found = ""
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        found = "anchors and aliases are"
    elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
        found = f"the tag {shown(event.tag)} is"
    if found:
        message = f"{found} not allowed"
        raise DataError(message, path=name, line=_line(event), help="write it out")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _node(event: yaml.Event, events: Iterator[yaml.Event], name: str, depth: int) -> Node:
    line = _line(event)
    if depth > DEPTH:
        raise DataError(f"more than {DEPTH} levels", path=name, line=line, help="write it flatter")
    if isinstance(event, yaml.MappingStartEvent):
        return _section(Section(line), events, name, depth)
    if isinstance(event, yaml.SequenceStartEvent):
        listing = Listing(line)
        for item in events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            listing.append(_node(item, events, name, depth + 1))
        return listing
    if not isinstance(event, yaml.ScalarEvent):
        raise DataError("not a value", path=name, line=line, help="write name: value")
    return Word(event.value, line)


def _section(section: Section, events: Iterator[yaml.Event], name: str, depth: int) -> Section:
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        line = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise DataError("a key must be a word", path=name, line=line, help="write name: value")
        key = Word(event.value, line)
        if key in section:
            fix = "keep one of the two"
            raise DataError("is written twice", path=name, line=line, column=shown(key), help=fix)
        section[key] = _node(next(events), events, name, depth + 1)
    return section
