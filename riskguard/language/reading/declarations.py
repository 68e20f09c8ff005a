"""What a file declares before it decides: inputs that differ, and parameters."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskguard.errors import Diagnostic
from riskguard.language.expression import parse_literal
from riskguard.language.findings import LineError, suggestion
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.ruleset import Input, Parameter
from riskguard.language.schema import INPUT_KEYS, PARAMETER_KEYS, UNITS
from riskguard.language.source import Mapping, Scalar
from riskguard.language.text.units import WORDS, comparable, thousands
from riskguard.market import CATALOGUE, SeriesSpec

if TYPE_CHECKING:
    from collections.abc import Mapping as Table

    from riskguard.language.expression import Literal
    from riskguard.language.reading.blocks import Block, Entry

__all__ = ["DeclarationReader"]

SERIES = re.compile(r"(?:[A-Z][A-Z0-9]{0,19}\.)?[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
OTHER = "other"
FIGURES = "one number with its unit: 75_000, 5%, $150M, 3x, 12h"


class DeclarationReader(BlockReader):
    """Reads `inputs` and `params` into the scope."""

    # ------------------------------------------------------------ inputs

    def inputs(self, entry: Entry) -> None:
        """Read what the file says of its series."""
        for one in self.entries(entry.node, "inputs") or ():
            name = one.key.text
            if not SERIES.fullmatch(name):
                self.scope.broken.add(name)
                message = "the name of an input has small letters, digits, _ and dots"
                self.findings.error("RG154", one.key.span, message, "for example stoxx")
                continue
            block = self.block(one.node, INPUT_KEYS, f"input '{name}'")
            if block is not None:
                self._input(one.key, block)
            if name not in self.scope.inputs:
                self.scope.broken.add(name.split(".", 1)[0])

    def _input(self, key: Scalar, block: Block) -> None:
        name = key.text
        base = CATALOGUE.get(name.split(".", 1)[1] if name[0].isupper() else name)
        if base is None and "unit" not in block:
            if block.lacks("unit"):
                message = f"input '{name}' has no \"unit\""
                fix = f"one of: {', '.join(UNITS)}"
                self.findings.error("RG143", key.span, message, fix)
            return
        base = base or SeriesSpec("number", "level")
        spec: dict[str, Any] = {}
        for what in ("unit", "kind"):
            if what in block:
                spec[what] = self.choice(block[what], what, INPUT_KEYS[what].choices)
                if not spec[what]:
                    return
        if "max_age" in block:
            spec["max_age"] = self.duration(block["max_age"], "max_age") or None
        if "signed" in block:
            spec["signed"] = self.truth(block["signed"], "signed")
        if "column" in block:
            spec["column"] = self.text(block["column"], "column")
        found = Input(name, replace(base, **spec), span=key.span, declared=tuple(block))
        self.scope.inputs[name] = replace(found, **self._feed(block))

    def _feed(self, block: Block) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if "available_after" in block:
            said["available_after"] = self.duration(block["available_after"], "available_after")
        for what in ("stamp", "coverage"):
            if what in block:
                said[what] = self.choice(block[what], what, INPUT_KEYS[what].choices)
        if "source" in block:
            said["source"] = self.text(block["source"], "source")
        if "scale" in block:
            found = self.literal(block["scale"], "scale")
            if found is not None:
                said["scale"] = found[0]
        return said

    # ------------------------------------------------------------ parameters

    def params(self, entry: Entry) -> None:
        """Read the numbers that the file names."""
        for one in self.entries(entry.node, "params") or ():
            if not self.scope.claim(one.key):
                continue
            found = self._parameter(one)
            if found is None:
                self.scope.broken.add(one.key.text)
            else:
                self.scope.params[found.name] = found

    def _parameter(self, entry: Entry) -> Parameter | None:
        name, node = entry.key.text, entry.node
        if not isinstance(node, Mapping):
            read = self._number(entry, name)
            return self._made(entry, read, None) if read else None
        braces = self.braces(node)
        block = None if braces else self.block(node, PARAMETER_KEYS, f"parameter '{name}'")
        if block is None:
            return None
        if "by_source" in block:
            return self._by_source(entry, block)
        if "value" not in block:
            if block.lacks("value"):
                message = 'parameter without "value" (or "by_source")'
                fix = f"{name}: {{value: 75_000}}"
                self.findings.error("RG143", entry.key.span, message, fix)
            return None
        read = self._number(block["value"], name)
        return self._made(entry, read, block) if read else None

    def _number(self, entry: Entry, what: str) -> tuple[Literal, Scalar] | None:
        found = self.scalar(entry, what)
        if found is None:
            return None
        thousands(found.text, found.span, self.findings)
        try:
            return parse_literal(found.text), found
        except LineError as fault:
            one = fault.code == "RG109" and not fault.fix.startswith("write")
            fault.fix = FIGURES if one or not fault.fix else fault.fix
            self.scope.fail(fault, found)
            return None

    def _made(
        self, entry: Entry, read: tuple[Literal, Scalar], block: Block | None
    ) -> Parameter | None:
        literal, written = read
        low, high, step = self._range(block, literal.dimension) if block else (None, None, None)
        self._inside(literal.value, written, low, high, block)
        return Parameter(
            entry.key.text,
            literal.value,
            literal.dimension,
            {},
            low,
            high,
            step,
            written.text,
            self.text(block["help"], "help") if block and "help" in block else "",
            entry.key.span,
        )

    def _by_source(self, entry: Entry, block: Block) -> Parameter | None:
        if "value" in block:
            message = '"value" and "by_source" side by side: which one holds?'
            fix = 'keep "by_source:" and put the rest under "other:"'
            self.findings.error("RG131", block["value"].key.span, message, fix)
        found: dict[str, float] = {}
        texts: dict[str, str] = {}
        low = high = step = None
        dimension = ""
        for one in self.entries(block["by_source"].node, "by_source") or ():
            read = self._number(one, one.key.text)
            if read is None:
                return None
            literal, written = read
            if not dimension:
                dimension = literal.dimension
                low, high, step = self._range(block, dimension)
            if literal.dimension != dimension:
                message = f"{written.text} is {WORDS[literal.dimension]}, not {WORDS[dimension]}"
                bare = dimension == "dollars" and literal.dimension == "plain"
                fix = f"write ${written.text}" if bare else "use one unit for all sources"
                self.findings.error("RG305", written.span, message, fix)
                return None
            self._inside(literal.value, written, low, high, block)
            found[one.key.text], texts[one.key.text] = literal.value, written.text
        if not found:
            message = "parameter without a figure for any source"
            self.findings.error("RG143", entry.key.span, message, "by_source: {binance: $50M}")
            return None
        self._same_but_for_case(block["by_source"])
        if set(found) == {OTHER}:
            message = "one floor for every source: sources differ several times over"
            fix = 'name the sources you know and keep "other:" for the rest'
            self.findings.warn("RG429", entry.key.span, message, fix)
        text = ", ".join(f"{source}: {figure}" for source, figure in texts.items())
        help_text = self.text(block["help"], "help") if "help" in block else ""
        name, place = entry.key.text, entry.key.span
        bounds = (low, high, step)
        return Parameter(name, None, dimension, found, *bounds, text, help_text, place, texts)

    def _same_but_for_case(self, entry: Entry) -> None:
        """Warn of sources that differ by case: a feed has only one of the two names."""
        seen: dict[str, str] = {}
        for one in self.entries(entry.node, "by_source") or ():
            first = seen.setdefault(one.key.text.lower(), one.key.text)
            if first != one.key.text:
                message = f"the names differ only by case: '{first}' and '{one.key.text}'"
                self.findings.warn("RG213", one.key.span, message, "keep the one the feed uses")

    def _range(
        self, block: Block, dimension: str
    ) -> tuple[float | None, float | None, float | None]:
        """Return lowest and highest value and the step of a sweep."""
        low = high = step = None
        if "range" in block:
            text = self.scalar(block["range"], "range")
            bounds = self._bounds(text, dimension) if text else None
            low, high = bounds or (None, None)
        if "step" in block:
            read = self._number(block["step"], "step")
            if read and read[0].dimension != dimension:
                message = f"the step is {WORDS[read[0].dimension]}, the value {WORDS[dimension]}"
                self.findings.error("RG144", read[1].span, message, "use the unit of the value")
            elif read and read[0].value <= 0:
                message = "a step is above 0"
                self.findings.error(
                    "RG144", read[1].span, message, "write how far values lie apart"
                )
            elif read:
                step = read[0].value
        return low, high, step

    def _bounds(self, text: Scalar, dimension: str) -> tuple[float, float] | None:
        halves = text.text.split("..")
        try:
            low, high = (parse_literal(half) for half in halves)
        except (LineError, ValueError):
            message, fix = "a range is written low..high", "for example 70_000..80_000"
            self.findings.error("RG144", text.span, message, fix)
            return None
        if {low.dimension, high.dimension} != {dimension}:
            message = f"the range is not in the unit of the value ({WORDS[dimension]})"
            self.findings.error("RG144", text.span, message, "use one unit for all three")
            return None
        if low.value > high.value:
            message = f"the range {text.text} is upside down"
            self.findings.error("RG144", text.span, message, f"write {halves[1]}..{halves[0]}")
            return None
        return low.value, high.value

    def _inside(
        self,
        value: float,
        written: Scalar,
        low: float | None,
        high: float | None,
        block: Block | None,
    ) -> None:
        if low is None or high is None or low <= value <= high or block is None:
            return
        shown = self.text(block["range"], "range")
        message = f"value {written.text} lies outside its range {shown}"
        self.findings.error("RG145", written.span, message, "widen the range or move the value")

    # ------------------------------------------------------------ settings

    def settings(self, given: Table[str, str]) -> None:
        """Put `--set name=value` in the place of what the file says, checked like the file."""
        for name, text in given.items():
            try:
                self.scope.params[name] = self._set(name, text)
            except LineError as fault:
                self.findings.take(_setting(name, text, fault))

    def _set(self, name: str, text: str) -> Parameter:
        parameter = self.scope.params.get(name)
        if parameter is None:
            fix = suggestion(name, self.scope.params)
            at = -len(name) - 1
            raise LineError("RG201", at, -1, f"no parameter '{name}' in this file", fix)
        literal = parse_literal(text)
        # a figure may leave its unit out, as in the file, but brings none where there is none
        united = parameter.dimension == "plain" != literal.dimension
        if united or not comparable(literal.dimension, parameter.dimension):
            message = (
                f"{name} is {WORDS[parameter.dimension]}, {text} is {WORDS[literal.dimension]}"
            )
            fix = f"write it in the unit of the file ({parameter.text})"
            raise LineError("RG305", 0, len(text), message, fix)
        low, high = parameter.low, parameter.high
        if low is not None and high is not None and not low <= literal.value <= high:
            message = f"value {text} lies outside the range of {name} (line {parameter.span.line})"
            raise LineError("RG145", 0, len(text), message, "widen the range in the file")
        if parameter.by_source:
            sources = [*parameter.by_source, OTHER]
            every, written = dict.fromkeys(sources, literal.value), dict.fromkeys(sources, text)
            return replace(parameter, by_source=every, written=written, text=text)
        return replace(parameter, value=literal.value, text=text)


def _setting(name: str, text: str, fault: LineError) -> Diagnostic:
    """Show a fault under the setting as it was given; offsets count from its value."""
    source = f"{name}={text}"
    begin = len(name) + 2
    column, end = begin + fault.start, begin + max(fault.end, fault.start + 1)
    return Diagnostic(
        "--set", 1, column, 1, end, fault.code, "error", fault.message, fault.fix, source
    )
