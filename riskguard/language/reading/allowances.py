"""`allow: [RG416]`: an author may silence warnings, never errors."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from riskguard.errors import visible
from riskguard.language.ruleset import Allowance
from riskguard.language.source import Listing, Mapping, Scalar, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.errors import Diagnostic
    from riskguard.language.findings import Findings
    from riskguard.language.source import Node

__all__ = ["codes", "silence"]

CODE = re.compile(r"RG\d{3}")
LATER = "RG5"  # what data and a bot decide is found when rules are bound to them


def silence(root: Mapping, found: Findings) -> list[Allowance]:
    """Drop the warnings that the file or one of its rules and stages allows.

    Returns what is allowed of warnings that only data can bring.
    """
    later: list[Allowance] = []
    warnings = _Warnings(found)
    for owner, listed in _allowances(root):
        items = listed.items if isinstance(listed, Listing) else (listed,)
        for item in items:
            if isinstance(item, Scalar) and CODE.fullmatch(item.text):
                allowed = _allowance(item, owner, found)
                if item.text.startswith(LATER):
                    later.append(allowed)
                else:
                    warnings.silence(item, allowed)
            else:
                message = "allow lists codes of warnings"
                code = item.text.upper() if isinstance(item, Scalar) else ""
                fix = f"write {code}" if CODE.fullmatch(code) else "for example allow: [RG416]"
                found.error("RG127", item.span, message, fix)
    return later


def codes(root: Mapping) -> set[str]:
    """Return every code that a file, a rule or a stage of it allows."""
    lists = (listed for _, listed in _allowances(root))
    items = (one for listed in lists for one in (listed, *children(listed)))
    return {one.text for one in items if isinstance(one, Scalar)}


def _allowance(item: Scalar, owner: Mapping, found: Findings) -> Allowance:
    # the name of a rule stands on the line above its block, and warnings may stand at it
    path = visible(item.span.path or found.path)
    return Allowance(item.text, path, owner.span.line - 1, owner.span.end_line)


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


class _Warnings:
    """The warnings found, those of one file and code together, by line."""

    def __init__(self, found: Findings) -> None:
        self.found = found
        self.errors: set[str] = set()
        self.of: dict[tuple[str, str], list[Diagnostic]] = {}
        for one in found.sorted():
            if one.severity == "warning":
                self.of.setdefault((one.path, one.code), []).append(one)
            else:
                self.errors.add(one.code)

    def silence(self, item: Scalar, allowed: Allowance) -> None:
        """Drop those that are allowed."""
        held = self.of.get((allowed.path, allowed.code), [])
        begin = bisect_left(held, allowed.first, key=_line)
        end = bisect_right(held, allowed.last, key=_line)
        for one in held[begin:end]:
            self.found.drop(one)
        del held[begin:end]
        if begin == end and not item.span.path:  # what extends a file may have changed it
            error = item.text in self.errors
            fix = "errors cannot be silenced: remove it" if error else "remove it"
            self.found.warn("RG901", item.span, "this allow is not used", fix)


def _line(found: Diagnostic) -> int:
    return found.line
