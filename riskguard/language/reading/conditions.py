"""Conditions: lines, groups and the long forms that stand for them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.expression import Comparison, Path, parse_line, parse_span
from riskguard.language.findings import SURE, Findings, LineError, near, suggestion
from riskguard.language.judging import brevity
from riskguard.language.reading.blocks import BlockReader, Entry
from riskguard.language.reading.comparing import compared
from riskguard.language.reading.hours import HourReader
from riskguard.language.reading.longforms import LongFormReader
from riskguard.language.reading.pluginforms import PluginFormReader
from riskguard.language.reading.strays import whole_numbers
from riskguard.language.reading.values import ValueReader
from riskguard.language.ruleset import (
    All,
    Any,
    AtLeast,
    Flag,
    For,
    Not,
    Sequence,
)
from riskguard.language.schema import (
    BESIDE,
    CONDITION_KEYS,
    ONE_OF,
)
from riskguard.language.source import Listing, Mapping, Scalar
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.language.expression import Syntax
    from riskguard.language.reading.blocks import Block
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Condition
    from riskguard.language.source import Node

__all__ = ["ConditionReader"]

DOTTED = frozenset(name.partition(".")[0] for name in CATALOGUE)


class ConditionReader(BlockReader):
    """Reads conditions; `missing` is the on_missing that stands around a line."""

    clearing = False
    missing = "hold"

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.long = LongFormReader(self)
        self.hours = HourReader(scope)

    def quiet(self) -> ConditionReader:
        """Return a reader of the same names whose findings nobody sees."""
        reader = ConditionReader(replace(self.scope, findings=Findings("", ())))
        reader.missing = self.missing
        return reader

    def condition(
        self, entry: Entry, *, missing: str = "hold", clearing: bool = False
    ) -> Condition | None:
        """Return the condition under a key, None when it has a fault."""
        self.clearing = clearing
        self.missing = "hold" if clearing and missing == "fire" else missing
        return self._read(entry)

    def _read(self, entry: Entry) -> Condition | None:
        node = entry.node
        if isinstance(node, Listing):
            message = "a list of conditions needs to say how they combine"
            fix = 'put "all:" or "any:" above the list'
            self.findings.error("RG130", node.span, message, fix)
            self._parts(entry, "all")  # what is wrong inside is told as well
            return None
        if isinstance(node, Scalar):
            if node.empty:
                self.no_value(entry, "condition")
                return None
            return self.line(node)
        return None if self.braces(node) else self._group(node)

    def _parts(self, entry: Entry, what: str) -> list[Condition] | None:
        """Read a list of conditions; None when one of them has a fault."""
        node = entry.node
        if not isinstance(node, Listing):
            if isinstance(node, Scalar) and node.empty:
                self.no_value(entry, f"'{what}'")
                return None
            message = f"'{what}' needs a list"
            self.findings.error("RG135", entry.key.span, message, 'start each condition with "- "')
            return None
        if not node.items:
            self.findings.error("RG136", entry.key.span, f"'{what}' is empty", "give it conditions")
            return None
        found: list[Condition | None] = []
        split = False
        for item in whole_numbers(node, self.findings):
            if isinstance(item, Scalar) and item.empty:
                fix = "write a condition behind the dash"
                self.findings.error("RG124", item.span, "an item without a condition", fix)
                found.append(None)
                continue
            if split:  # the rest of a line that a comma cut in two
                split = not (isinstance(item, Scalar) and ")" in item.text)
                continue
            found.append(self._read(Entry(entry.key, item)))
            split = node.flow and isinstance(item, Scalar) and _cut(item)
        read = [part for part in found if part is not None]
        return read if len(read) == len(found) else None

    # ------------------------------------------------------------ groups

    def _group(self, written: Mapping) -> Condition | None:
        node = PluginFormReader(self.scope).plugged(written)
        if node is None or self._keyed(node):
            return None
        block = self.block(node, CONDITION_KEYS, "condition")
        if block is None or not self.joined(block, BESIDE):
            return None
        kinds = [key for key in block if key in ONE_OF["condition"]]
        if not kinds:
            if not block.unknown:
                fix = "give it a line, or one of all, any, not, at_least, sequence"
                self.findings.error("RG132", node.span, "no condition here", fix)
            return None
        if len(kinds) > 1:
            first, second = kinds[:2]
            message = f"'{first}' and '{second}' side by side: which one wins?"
            fix = "nest one inside the other"
            self.findings.error("RG131", block[second].key.span, message, fix)
            return None
        if "name" in block:
            self.text(block["name"], "name")
        around = self.missing
        self.missing = self._on_missing(block, around)
        forms: dict[str, Callable[[Block], Condition | None]] = {
            "all": self._all,
            "any": self._any,
            "not": self._not,
            "is": self._is,
            "at_least": self._at_least,
            "sequence": self._sequence,
            "breadth": lambda block: self.long.breadth(block["breadth"]),
            "support_lost": lambda block: self.long.support_lost(block["support_lost"]),
            "liquidations": lambda block: self.long.liquidations(block["liquidations"]),
            "unrealised_loss": lambda block: self.long.unrealised_loss(block["unrealised_loss"]),
            "during": lambda block: self.hours.during(block["during"]),
        }
        found = forms[kinds[0]](block)
        self.missing = around
        if found is not None and "for" in block:
            found = self._held(found, block["for"])
        return found if not block.unknown else None

    def _keyed(self, node: Node) -> bool:
        """Note `close: 75_000` where a comparison is meant; return whether it was."""
        if not isinstance(node, Mapping) or len(node.items) != 1:
            return False
        key, value = node.items[0]
        if not (isinstance(key, Scalar) and isinstance(value, Scalar)):
            return False
        first = re.split(r"[.(]", key.text)[0]
        if key.text in CONDITION_KEYS or not (near(first, CATALOGUE, SURE) or first in DOTTED):
            return False
        sign = "" if value.text[:1] in {"<", ">", "=", "!"} else "< "
        fix = f'a comparison is one text: "{key.text} {sign}{value.text}"'
        message = f"unknown key '{key.text}' in condition"
        self.findings.error("RG123", key.span, message, fix)
        return True

    def _on_missing(self, block: Block, around: str) -> str:
        if "on_missing" not in block:
            return around
        entry = block["on_missing"]
        found = self.choice(entry, "on_missing", BESIDE["on_missing"].choices)
        if found == "fire" and self.clearing:
            message = "missing data may not clear a guard"
            fix = "use hold (default) or ignore"
            self.findings.error("RG133", entry.node.span, message, fix)
            return around
        return found or around

    def _all(self, block: Block) -> Condition | None:
        parts = self._combined(block["all"], "all")
        return All(tuple(parts), block["all"].key.span) if parts else None

    def _any(self, block: Block) -> Condition | None:
        parts = self._combined(block["any"], "any")
        return Any(tuple(parts), block["any"].key.span) if parts else None

    def _combined(self, entry: Entry, what: str) -> list[Condition] | None:
        parts = self._parts(entry, what)
        if parts and len(parts) == 1:
            fix = f"write the condition without '{what}'"
            self.findings.warn("RG136", entry.key.span, f"'{what}' with 1 condition", fix)
        return parts

    def _not(self, block: Block) -> Condition | None:
        inner = self._read(block["not"])
        return Not(inner, block["not"].key.span) if inner else None

    def _is(self, block: Block) -> Condition | None:
        line = self.scalar(block["is"], "is")
        return self.line(line) if line else None

    def count(self, entry: Entry, of: int, what: str = "at_least") -> int | None:
        """Return a whole number from 1 to `of`, None when it is none."""
        found = self.scalar(entry, what)
        if found is None:
            return None
        if not found.text.isascii() or not found.text.isdigit() or int(found.text[:9]) < 1:
            message = f"{what} needs a whole number from 1, not '{found.text}'"
            self.findings.error("RG137", found.span, message, f"for example {what}: 2")
            return None
        count = int(found.text[:9])
        if count > of:
            message = f"at least {found.text} of {of} conditions can never be met"
            if what != "at_least":
                message = f"{what} {found.text}, but there are only {of}"
            self.findings.error("RG137", found.span, message, f"write at most {of}")
            return None
        return count

    def _at_least(self, block: Block) -> Condition | None:
        entry = block["at_least"]
        if "of" not in block:
            if block.lacks("of"):
                fix = "for example at_least: 2, of: [close < 75_000, oi.change(24h) <= -4%]"
                message = '"at_least" needs "of:" with the list'
                self.findings.error("RG134", entry.key.span, message, fix)
            return None
        parts = self._parts(block["of"], "of")
        if parts is None:
            return None
        count = self.count(entry, len(parts))
        return AtLeast(count, tuple(parts), entry.key.span) if count else None

    def _sequence(self, block: Block) -> Condition | None:
        entry = block["sequence"]
        parts = self._combined(entry, "sequence")
        if "within" not in block:
            if block.lacks("within"):
                message = 'a sequence needs "within:"'
                self.findings.error("RG138", entry.key.span, message, "for example within: 6h")
            return None
        within = self.duration(block["within"], "within")
        for part in parts or ():
            if isinstance(part, For) and (part.duration or 0) > within > 0:
                message = '"for" is longer than "within": never true'
                self.findings.warn("RG424", part.span, message, 'shorten "for"')
        return Sequence(tuple(parts), within, entry.key.span) if parts and within else None

    # ------------------------------------------------------------ lines

    def line(self, scalar: Scalar) -> Condition | None:
        """Return the condition of one line, None when it has a fault."""
        if self.scope.budget.spent:
            self.findings.stop()
        try:
            syntax = parse_line(scalar.text, self.scope.budget.take)
            if isinstance(syntax, Path):
                return self._flag(syntax, scalar)
            if isinstance(syntax.left, Path) and syntax.left.word == "stage":
                return self._stage(syntax, scalar)
            return self._leaf(syntax, scalar)
        except LineError as fault:
            self.scope.fail(fault, scalar)
            return None

    def _leaf(self, syntax: Comparison, scalar: Scalar) -> Condition:
        reader = ValueReader(self.scope, scalar.text, scalar.place)
        leaf = compared(reader, syntax, self.missing)
        if syntax.hold is None:
            return leaf
        duration, closes = self._hold(syntax.hold, reader)
        return For(leaf, duration, closes, leaf.span, scalar.text.strip())

    def _held(self, inner: Condition, entry: Entry) -> Condition | None:
        """Wrap a whole group in its `for`."""
        found = self.scalar(entry, "for")
        if found is None:
            return None
        try:
            reader = ValueReader(self.scope, found.text, found.place)
            duration, closes = self._hold(parse_span(found.text), reader)
        except LineError as fault:
            self.scope.fail(fault, found)
            return None
        return For(inner, duration, closes, entry.key.span, f"for {found.text}")

    def _hold(self, node: Syntax, reader: ValueReader) -> tuple[int | None, int | None]:
        held = reader.held(node)
        if held is None:
            text = reader.text[node.start : node.end]
            found = near(text, self.scope.params)
            fix = f"did you mean '{found}'?" if found else 'for example "for 2h" or "for 2 closes"'
            message = f"\"for\" needs a duration or a count, found '{text}'"
            raise LineError("RG108", node.start, node.end, message, fix)
        value, dimension = held
        if int(value) <= 0 or (dimension == "bars" and value != int(value)):
            message = '"for" needs a duration or a whole number of closes above 0'
            raise LineError("RG108", node.start, node.end, message, 'for example "for 2 closes"')
        if dimension == "bars":
            return None, int(value)
        if told := brevity.wait(int(value), self.scope.every):
            place = reader.place(node.start, node.end)
            self.findings.warn(told.code, place, told.message, told.help)
        return int(value), None

    def _flag(self, path: Path, scalar: Scalar) -> Flag:
        word = path.word
        self.scope.trust(word)
        place = scalar.place(path.start, path.end)
        for kind, names in (
            ("definition", self.scope.definitions),
            ("rule", self.scope.rules),
        ):
            if word in names:
                self.scope.used.add(word)
                return Flag(kind, word, self.missing, place, word)
        if word in self.scope.stages:
            fix = f'write "stage >= {word}"'
            raise LineError("RG106", path.start, path.end, f"'{word}' is a stage", fix)
        reader = ValueReader(self.scope, scalar.text, scalar.place)
        if word and word not in self.scope.params and not self.scope.find_input("", word):
            raise self.scope.unknown(word, path.start, path.end)
        value = reader.read(path)
        example = {"share": "<= -4%", "dollars": ">= $5M"}.get(value.dimension, "< 75_000")
        fix = f'for example "{value.text} {example}"'
        raise LineError("RG106", path.start, path.end, "a comparison is missing", fix)

    def _stage(self, syntax: Comparison, scalar: Scalar) -> Condition:
        """Read `stage >= NAME`, the only question a line may ask of the ladder."""
        if syntax.op != ">=":
            message = f"'{syntax.op}' cannot be asked of the ladder"
            end = syntax.op_start + len(syntax.op)
            raise LineError("RG103", syntax.op_start, end, message, 'write "stage >= NAME"')
        name = syntax.right.word if isinstance(syntax.right, Path) else ""
        if name not in self.scope.stages:
            at = syntax.right
            shown = scalar.text[at.start : at.end]
            fix = suggestion(shown, self.scope.stages)
            raise LineError("RG201", at.start, at.end, f"unknown stage '{shown}'", fix)
        text = scalar.text[syntax.left.start : syntax.end]
        place = scalar.place(syntax.left.start, syntax.end)
        flag = Flag("stage", name, self.missing, place, text)
        if syntax.hold is None:
            return flag
        reader = ValueReader(self.scope, scalar.text, scalar.place)
        duration, closes = self._hold(syntax.hold, reader)
        return For(flag, duration, closes, place, scalar.text.strip())


def _cut(scalar: Scalar) -> bool:
    """Say whether a comma inside brackets cut this line in two."""
    return scalar.text.count("(") > scalar.text.count(")")
