"""`allow: [RG416]`: an author may silence warnings, never errors."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from riskguard.errors import visible
from riskguard.language.ruleset import Allowance
from riskguard.language.source import Listing, Mapping, Scalar, children, items_of, text_of

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
    for lines, listed in _allowances(root):
        items = listed.items if isinstance(listed, Listing) else (listed,)
        for item in items:
            if isinstance(item, Scalar) and CODE.fullmatch(item.text):
                path = visible(item.span.path or found.path)
                allowed = Allowance(item.text, path, *lines)
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


def _allowances(root: Mapping) -> Iterator[tuple[tuple[int, int], Node]]:
    """Yield the lines that a list holds for, and the list: rules and stages first, then the file.

    Those of a rule begin where its name stands, since warnings may stand at it.
    """
    for key, section in root.items:
        if text_of(key) == "rules" and isinstance(section, Mapping):
            for name, rule in section.items:
                yield from _own(name.span.line, rule)
        elif text_of(key) == "stages":
            for stage in items_of(section):
                yield from _own(stage.span.line, stage)
    yield from _own(1, root)


def _own(first: int, block: Node) -> Iterator[tuple[tuple[int, int], Node]]:
    for key, value in block.items if isinstance(block, Mapping) else ():
        if text_of(key) == "allow":
            yield (first, block.span.end_line), value


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
