"""`allow: [RG416]`: an author may silence warnings, never errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard.errors import visible
from riskguard.language.source import Listing, Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.findings import Findings
    from riskguard.language.source import Node

__all__ = ["silence"]

CODE = re.compile(r"RG\d{3}")


def silence(root: Mapping, found: Findings) -> None:
    """Drop the warnings that the file or one of its rules and stages allows."""
    for owner, listed in _allowances(root):
        items = listed.items if isinstance(listed, Listing) else (listed,)
        for item in items:
            if isinstance(item, Scalar) and CODE.fullmatch(item.text):
                _silence(item, owner, found)
            else:
                message = "allow lists codes of warnings"
                found.error("RG127", item.span, message, "for example allow: [RG416]")


def _allowances(root: Mapping) -> Iterator[tuple[Mapping, Node]]:
    """Yield what allows and its list: rules and stages first, the whole file last."""
    for key, section in root.items:
        name = key.text if isinstance(key, Scalar) else ""
        blocks: tuple[Node, ...] = ()
        if name == "rules" and isinstance(section, Mapping):
            blocks = tuple(value for _, value in section.items)
        elif name == "stages" and isinstance(section, Listing):
            blocks = section.items
        for block in blocks:
            yield from _own(block)
    yield from _own(root)


def _own(block: Node) -> Iterator[tuple[Mapping, Node]]:
    if isinstance(block, Mapping):
        for key, value in block.items:
            if isinstance(key, Scalar) and key.text == "allow":
                yield block, value


def _silence(item: Scalar, owner: Mapping, found: Findings) -> None:
    first, last = owner.span.line, owner.span.end_line
    path = visible(item.span.path or found.path)
    # the name of a rule stands on the line above its block, and warnings may stand at it
    hits = [one for one in found.sorted() if one.code == item.text and one.severity == "warning"]
    hits = [one for one in hits if one.path == path and first - 1 <= one.line <= last]
    for one in hits:
        found.drop(one)
    if not hits and not item.span.path:  # what extends a file may have changed what it allows
        fix = "remove it"
        found.warn("RG901", item.span, "this allow is not used", fix)
