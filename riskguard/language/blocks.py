"""Blocks of keys and single values: the parts that every section of a file is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.expression import parse_literal, parse_span
from riskguard.language.findings import LineError, near, suggestion
from riskguard.language.ruleset import Span
from riskguard.language.schema import COMBINATORS, required
from riskguard.language.source import Listing, Mapping, Scalar
from riskguard.language.units import WORDS
from riskguard.language.values import ValueReader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Mapping as Table

    from riskguard.language.findings import Findings
    from riskguard.language.schema import Key
    from riskguard.language.scope import Scope
    from riskguard.language.source import Node

__all__ = ["Block", "BlockReader", "Entry"]

TRUTHS = {"true": True, "false": False}
NEARLY_TRUE = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false"}
BRACES = "write the bare name: {}"


class Entry(NamedTuple):
    """A key and what stands under it."""

    key: Scalar
    node: Node


class Block(dict[str, Entry]):
    """The known keys of a block; `unknown` holds those that were refused."""

    unknown: tuple[str, ...] = ()

    def lacks(self, key: str) -> bool:
        """Say whether a required key is missing, not merely misspelt."""
        return key not in self and not any(near(word, [key]) for word in self.unknown)


class BlockReader:
    """Reads blocks and values by the key tables; every fault is noted, nothing is raised."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @property
    def findings(self) -> Findings:
        """Where faults are noted."""
        return self.scope.findings

    def block(self, node: Node, keys: Collection[str], what: str) -> Block | None:
        """Return the entries of a block with a closed set of keys."""
        entries = self.entries(node, what)
        if entries is None:
            return None
        found = Block()
        for entry in entries:
            key = entry.key.text
            if key not in keys:
                found.unknown = (*found.unknown, key)
                message = f"unknown key '{key}' in {what}"
                self.findings.error("RG123", entry.key.span, message, suggestion(key, keys))
            else:
                found[key] = entry
        return found

    def form(self, entry: Entry, keys: Table[str, Key]) -> Block | None:
        """Return the block of a long form, None where it lacks a key that it has to have."""
        name = entry.key.text
        block = self.block(entry.node, keys, name)
        if block is None:
            return None
        for key in required(keys):
            if key not in block:
                if block.lacks(key):
                    message, fix = f'"{name}" needs "{key}:"', COMBINATORS[name].example
                    self.findings.error("RG134", entry.key.span, message, fix)
                return None
        return block if self.joined(block, keys, COMBINATORS[name].example) else None

    def joined(self, block: Block, keys: Table[str, Key], example: str = "") -> bool:
        """Note each key without the one it belongs to; return whether there was none."""
        alone = [key for key in block if key in keys and keys[key].needs not in {"", *block}]
        for key in alone:
            needed = keys[key].needs
            if block.lacks(needed):
                message, fix = f'"{key}" needs "{needed}:"', example or COMBINATORS[needed].example
                self.findings.error("RG134", block[key].key.span, message, fix)
        return not alone

    def entries(self, node: Node, what: str) -> list[Entry] | None:
        """Return the entries of a block with free keys; a doubled key is an error."""
        if not isinstance(node, Mapping):
            message = f'{what} must be a block of "key: value" lines'
            fix = "indent its keys by two spaces under it"
            self.findings.error("RG120", node.span, message, fix)
            return None
        seen: dict[str, int] = {}
        found: list[Entry] = []
        for key, value in node.items:
            if not isinstance(key, Scalar):
                message = "a key must be plain text"
                fix = "{name} in braces is a YAML map: write the bare name"
                self.findings.error("RG121", key.span, message, fix)
            elif key.text in seen:
                message = (
                    f"'{key.text}' is written twice (first at line {seen[key.text]}); "
                    "YAML would silently keep the last"
                )
                self.findings.error("RG122", key.span, message, "merge the two")
            else:
                seen[key.text] = key.span.line
                found.append(Entry(key, value))
        return found

    def braces(self, node: Node) -> bool:
        """Note `{name}` written where a value is meant; return whether it was."""
        if not isinstance(node, Mapping) or len(node.items) != 1:
            return False
        key, value = node.items[0]
        if not (isinstance(key, Scalar) and isinstance(value, Scalar) and value.empty):
            return False
        message = f"{{{key.text}}} is a YAML map, not a value"
        self.findings.error("RG121", node.span, message, BRACES.format(key.text))
        return True

    def scalar(self, entry: Entry, what: str) -> Scalar | None:
        """Return the single, written value of a key."""
        node = entry.node
        if isinstance(node, Scalar) and not node.empty:
            return node
        if isinstance(node, Scalar):
            self.no_value(entry, what)
        elif not self.braces(node):
            self.findings.error("RG125", node.span, f"{what} must be a single value")
        return None

    def no_value(self, entry: Entry, what: str) -> None:
        """Note that nothing follows a key."""
        end = entry.key.span
        place = Span(end.end_line, end.end_column, end.end_line, end.end_column + 1, end.path)
        self.findings.error("RG124", place, f"{what} has no value")

    def text(self, entry: Entry, what: str) -> str:
        """Return a free text, "" when there is none."""
        found = self.scalar(entry, what)
        return found.text.strip() if found else ""

    def choice(self, entry: Entry, what: str, choices: Sequence[str]) -> str:
        """Return one of the words, "" when it is none of them."""
        found = self.scalar(entry, what)
        if found is None or found.text in choices:
            return found.text if found else ""
        message = f"{what} cannot be '{found.text}'"
        self.findings.error("RG127", found.span, message, suggestion(found.text, choices))
        return ""

    def chosen(self, block: Block, key: str, keys: Table[str, Key]) -> str:
        """Return the word under a key with choices, its default where there is none."""
        said = self.choice(block[key], key, keys[key].choices) if key in block else ""
        return said or keys[key].default

    def truth(self, entry: Entry, what: str) -> bool:
        """Return true or false."""
        found = self.scalar(entry, what)
        if found is None:
            return False
        if found.text not in TRUTHS:
            fix = f"write {NEARLY_TRUE.get(found.text.lower(), 'true or false')}"
            message = f"{what} must be true or false, not '{found.text}'"
            self.findings.error("RG126", found.span, message, fix)
        return TRUTHS.get(found.text, False)

    def literal(self, entry: Entry, what: str) -> tuple[float, str, Scalar] | None:
        """Return value, dimension and text of a number, or of the parameter named instead."""
        found = self.scalar(entry, what)
        if found is None:
            return None
        parameter = self.scope.params.get(found.text)
        if parameter is not None and parameter.value is not None:
            self.scope.used.add(found.text)
            return parameter.value, parameter.dimension, found
        try:
            literal = parse_literal(found.text)
        except LineError as fault:
            self.scope.fail(fault, found)
            return None
        return literal.value, literal.dimension, found

    def duration(self, entry: Entry, what: str) -> int:
        """Return a time in ns, 0 when it cannot be read."""
        found = self.scalar(entry, what)
        if found is None:
            return 0
        reader = ValueReader(self.scope, found.text, found.place)
        try:
            node = parse_span(found.text)
            if reader.held(node) is not None:
                return reader.window(node, what)
            message = f"\"{what}\" needs a duration, found '{found.text}'"
            fix = suggestion(found.text, self.scope.params) or "for example 12h"
            self.findings.error("RG108", found.span, message, fix)
        except LineError as fault:
            self.scope.fail(fault, found)
        return 0

    def share(self, entry: Entry, what: str, *, above: float = 0.0) -> float | None:
        """Return a share between 0 and 1."""
        found = self.literal(entry, what)
        if found is None:
            return None
        value, dimension, written = found
        if dimension == "plain":
            shown = f"{value * 100 if value <= 1 else value:g}%"
            message = f"{what}: {written.text} of what? a share is written with %"
            self.findings.error("RG303", written.span, message, f"write {shown}")
            return None
        if dimension != "share":
            message = f"{what} is a percentage, not {WORDS[dimension]}"
            self.findings.error("RG303", written.span, message, "for example 50%")
            return None
        if not above <= value <= 1:
            message = f"{what} {written.text} is outside {above:.0%}..100%"
            self.findings.error("RG304", written.span, message)
            return None
        return value

    def names(self, entry: Entry, what: str) -> list[Scalar]:
        """Return the texts of a list; a single text stands for a list of one."""
        node = entry.node
        if isinstance(node, Scalar):
            found = self.scalar(entry, what)
            return [found] if found else []
        if not isinstance(node, Listing):
            self.findings.error("RG125", node.span, f"{what} must be a list", "for example [a, b]")
            return []
        for item in node.items:
            if not isinstance(item, Scalar) or item.empty:
                self.findings.error("RG125", item.span, f"{what} holds names only")
        return [item for item in node.items if isinstance(item, Scalar) and not item.empty]

    def require(self, block: Block, keys: Iterable[str], at: Span, code: str, what: str) -> bool:
        """Note each key that the block lacks; return whether all are there."""
        whole = True
        for key in keys:
            if key not in block:
                whole = False
                if block.lacks(key):
                    self.findings.error(code, at, f'{what} has no "{key}"')
        return whole
