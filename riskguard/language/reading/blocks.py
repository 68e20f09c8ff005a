"""Blocks of keys and single values: the parts that every section of a file is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.expression import parse_literal, parse_span
from riskguard.language.findings import SURE, LineError, advice, near, suggestion
from riskguard.language.reading.strays import coloned, gathered, halved, parted, undashed
from riskguard.language.reading.values import ValueReader
from riskguard.language.ruleset import Span
from riskguard.language.schema import COMBINATORS, required
from riskguard.language.source import Entry, Listing, Mapping, Scalar
from riskguard.language.text.units import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Mapping as Table

    from riskguard.language.findings import Findings
    from riskguard.language.reading.scope import Scope
    from riskguard.language.schema import Key
    from riskguard.language.source import Node

__all__ = ["Block", "BlockReader", "Entry"]

TRUTHS = {"true": True, "false": False}
NEARLY_TRUE = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}
# examples of the keys that a rule or a stage cannot do without
LACKING = {
    "when": "when: close < 75_000",
    "enter": "enter: close < 75_000",
    "do": "do: {exposure_cap: 50%}",
}
BRACES = "write the bare name: {}"


class Block(dict[str, Entry]):
    """The known keys of a block; `unknown` holds those that were refused.

    A refused key stands under the known one it surely means, so that no second message follows;
    `guessed` holds those.
    """

    unknown: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()

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

    def block(
        self, node: Node, keys: Collection[str], what: str, example: str = ""
    ) -> Block | None:
        """Return the entries of a block with a closed set of keys."""
        entries = self.entries(node, what, example)
        if entries is None:
            return None
        found = Block()
        entries = gathered(entries, keys, self.findings)
        written = {entry.key.text for entry in entries}
        free = [key for key in keys if key not in written]
        for entry in entries:
            key = entry.key.text
            if key in keys:
                found[key] = entry
                continue
            found.unknown = (*found.unknown, key)
            opened = _opened(entry, free)
            message = f"unknown key '{key}' in {what}"
            fix = opened or advice(key, free)
            self.findings.error("RG123", entry.key.span, message, fix)
            meant = "" if opened else near(key, free, SURE)
            if meant and meant not in found:
                found.guessed = (*found.guessed, meant)
                found[meant] = Entry(replace(entry.key, text=meant, whole=True), entry.node)
        return found

    def form(self, entry: Entry, keys: Table[str, Key]) -> Block | None:
        """Return the block of a long form, None where it lacks a key that it has to have."""
        name = entry.key.text
        block = self.block(entry.node, keys, name, COMBINATORS[name].example)
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

    def entries(self, node: Node, what: str, example: str = "") -> list[Entry] | None:
        """Return the entries of a block with free keys; a doubled key is an error."""
        node = undashed(node, what, self.findings)
        if not isinstance(node, Mapping):
            message = f'{what} must be a block of "key: value" lines'
            fix = f"write {example}" if example else "indent its keys by two spaces under it"
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
                entry = parted(coloned(Entry(key, value), self.findings), self.findings)
                if not halved(found[-1] if found else None, entry, self.findings):
                    found.append(entry)
        return found

    def braces(self, node: Node) -> bool:
        """Note `{name}` written where a value is meant; return whether it was."""
        if not isinstance(node, Mapping) or len(node.items) != 1:
            return False
        key, value = node.items[0]
        if key.span.column == node.span.column:  # a key with nothing under it, no braces
            return False
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
            items = node.items if isinstance(node, Listing) else ()
            texts = [item.text for item in items if isinstance(item, Scalar)]
            fix = f"write {texts[0]}" if len(texts) == 1 else "write one value, without brackets"
            fix = f"write {texts[0]}..{texts[1]}" if what == "range" and texts[1:] else fix
            self.findings.error("RG125", node.span, f"{what} must be a single value", fix)
        return None

    def no_value(self, entry: Entry, what: str) -> None:
        """Note that nothing follows a key."""
        end = entry.key.span
        place = Span(end.end_line, end.end_column, end.end_line, end.end_column + 1, end.path)
        fix = "write it behind the colon, or below and further in"
        self.findings.error("RG124", place, f"{what} has no value", fix)

    def text(self, entry: Entry, what: str) -> str:
        """Return a free text, "" when there is none."""
        found = self.scalar(entry, what)
        return found.text.strip() if found else ""

    def choice(self, entry: Entry, what: str, choices: Sequence[str]) -> str:
        """Return one of the words, "" when it is none of them."""
        if isinstance(entry.node, Listing) and "both" in choices:
            self.findings.error("RG125", entry.node.span, f"{what} is one word", "write both")
            return ""
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

    def literal(
        self, entry: Entry, what: str, example: str = "5"
    ) -> tuple[float, str, Scalar] | None:
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
            fault.fix = fault.fix or f"for example {example}"
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
            held = reader.held(node)
            if held is not None and held[0] <= 0:
                message = f'"{what}" must be longer than nothing'
                self.findings.error("RG205", found.span, message, "for example 24h")
                return 0
            if held is not None:
                return reader.window(node, what)
        except LineError as fault:
            if fault.code != "RG108":  # its words speak of "for"
                self.scope.fail(fault, found)
                return 0
        names = [name for name in self.scope.params if name != found.text]
        message = f"\"{what}\" needs a duration, found '{found.text}'"
        fix = suggestion(found.text, names) or "for example 12h"
        self.findings.error("RG108", found.span, message, fix)
        return 0

    def share(
        self, entry: Entry, what: str, *, above: float = 0.0, example: str = "50%"
    ) -> float | None:
        """Return a share between 0 and 1."""
        found = self.literal(entry, what, example)
        if found is None:
            return None
        value, dimension, written = found
        if dimension == "plain":
            message = f"{what}: {written.text} of what? a share is written with %"
            shown = f"{value * 100 if value <= 1 else value:g}%"
            fix = f"write {shown}" if 0 <= value <= 100 else f"for example {example}"
            self.findings.error("RG303", written.span, message, fix)
            return None
        if dimension != "share":
            message = f"{what} is a percentage, not {WORDS[dimension]}"
            self.findings.error("RG303", written.span, message, f"for example {example}")
            return None
        if not above <= value <= 1:
            message = f"{what} {written.text} is outside {above:.0%}..100%"
            self.findings.error("RG304", written.span, message, f"for example {example}")
            return None
        return value

    def names(self, entry: Entry, what: str) -> list[Scalar]:
        """Return the texts of a list; a single text stands for a list of one."""
        node = entry.node
        if isinstance(node, Scalar):
            found = self.scalar(entry, what)
            return self._listed(found, what) if found else []
        if not isinstance(node, Listing):
            self.findings.error("RG125", node.span, f"{what} must be a list", "for example [a, b]")
            return []
        for item in node.items:
            if not isinstance(item, Scalar) or item.empty:
                message = f"{what} holds names only"
                self.findings.error("RG125", item.span, message, "for example [a, b]")
        return [item for item in node.items if isinstance(item, Scalar) and not item.empty]

    def _listed(self, written: Scalar, what: str) -> list[Scalar]:
        """Return the one name that a text is, or those that were joined by commas."""
        parts = [part.strip() for part in written.text.split(",")]
        if len(parts) == 1:
            return [written]
        fix = f"write [{', '.join(parts)}]"
        self.findings.error("RG125", written.span, f"{what} must be a list", fix)
        return [Scalar(part, written.span, whole=True) for part in parts if part]

    def require(
        self,
        block: Block,
        keys: Iterable[str],
        at: Span,
        code: str,
        what: str,
        *,
        example: str = "",
    ) -> bool:
        """Note each key that the block lacks; return whether all are there."""
        whole = True
        for key in keys:
            if key not in block:
                whole = False
                if block.lacks(key):
                    fix = example or f'add "{key}:", for example {LACKING[key]}'
                    self.findings.error(code, at, f'{what} has no "{key}"', fix)
        return whole


def _opened(entry: Entry, known: Collection[str]) -> str:
    """Return how a dotted key is written as a block: "params.t: 5" as "params: {t: 5}"."""
    outer, _, inner = entry.key.text.partition(".")
    if outer not in known or not inner or "." in inner or not isinstance(entry.node, Scalar):
        return ""
    return f"write {outer}: {{{inner}: {entry.node.text}}}"
