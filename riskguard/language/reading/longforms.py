"""Long forms: what they stand for, written as lines (rules.md section 7).

A long form is a macro. Its lines are read like any others; what is found in them is shown at
the words they came from.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from riskguard.language.expression import (
    Binary,
    Comparison,
    Negative,
    Path,
    parse_line,
    parse_literal,
    parse_span,
)
from riskguard.language.findings import LineError, near
from riskguard.language.reading.blocks import BlockReader, Entry
from riskguard.language.ruleset import All, AtLeast, Parameter
from riskguard.language.ruleset import Any as AnyOf
from riskguard.language.schema import (
    BREADTH_KEYS,
    CALENDARS,
    COMBINATORS,
    LIQUIDATIONS_KEYS,
    LOSS_KEYS,
    MARKET,
    MEASURES,
    NAME,
    ONE_OF,
    SUPPORT_KEYS,
    SYMBOL,
)
from riskguard.language.source import Listing, Scalar
from riskguard.language.text.units import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.expression import Syntax
    from riskguard.language.reading.blocks import Block
    from riskguard.language.reading.conditions import ConditionReader
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Condition

__all__ = ["LongFormReader"]

LONGEST_NAME = 58  # leaves room for a number behind it
AVERAGE = re.compile(r"(?P<times>\S+)\s+average\((?P<window>[^(),]+)\)")
ATR = re.compile(r"(?P<times>\d[\d_]*(?:\.\d+)?)\s+atr\((?P<window>[^(),]+)\)", re.IGNORECASE)
WINDOWLESS = re.compile(r"\d[\d_]*(?:\.\d+)?\s+atr", re.IGNORECASE)
CLOSES = re.compile(r"(\d+)\s+(?:closes?|bars?)")


class LongFormReader(BlockReader):
    """Reads the long forms of one condition reader."""

    def __init__(self, conditions: ConditionReader) -> None:
        super().__init__(conditions.scope)
        self.conditions = conditions

    def _line(self, text: str, at: Scalar) -> Condition | None:
        return self.conditions.line(Scalar(text, at.span, whole=True))

    # ------------------------------------------------------------ breadth

    def breadth(self, entry: Entry) -> Condition | None:
        """Read `breadth` as what it stands for: at_least of the line for every symbol."""
        inner = self.form(entry, BREADTH_KEYS)
        if inner is None:
            return None
        symbols = self._symbols(inner["of"])
        line = self.scalar(inner["where"], "where")
        if line is None or self.conditions.line(line) is None or symbols is None:
            return None
        syntax = parse_line(line.text)
        quiet = self.conditions.quiet()
        parts: list[Condition] = []
        for symbol in symbols:
            part = quiet.line(_for_symbol(line, syntax, symbol, self.scope))
            if part is None:
                for one in quiet.findings.sorted()[:1]:  # told once, at the line as written
                    self.findings.error(one.code, line.span, one.message, one.help)
                return None
            parts.append(part)
        count = self.conditions.count(inner["at_least"], len(parts))
        return AtLeast(count, tuple(parts), entry.key.span) if count else None

    def _symbols(self, entry: Entry) -> list[str] | None:
        known = {self.scope.symbol, *self.scope.symbols} - {""}
        names = self.names(entry, "of")
        strange = [one for one in names if one.text not in known or not SYMBOL.fullmatch(one.text)]
        if not strange:
            return [name.text for name in names]
        first, close = strange[0], near(strange[0].text, known)
        listed = ", ".join(dict.fromkeys([*self.scope.symbols, *(one.text for one in strange)]))
        fix = f"did you mean '{close}'?" if close else f'list it: "symbols: [{listed}]"'
        self.findings.error("RG203", first.span, f"unknown symbol '{first.text}'", fix)
        return None

    # ------------------------------------------------------------ support_lost

    def support_lost(self, entry: Entry) -> Condition | None:
        """Read `support_lost`: closes under a level, by a buffer or for a time."""
        block = self.form(entry, SUPPORT_KEYS)
        if block is None or block.unknown:
            return None
        if sum(key in block for key in ONE_OF["support_lost"]) != 1:
            message = '"support_lost" needs "levels:" or "level:", one of them'
            fix = COMBINATORS["support_lost"].example
            self.findings.error("RG134", entry.key.span, message, fix)
            return None
        level = self._level(block)
        if level is None:
            return None
        confirm = self._span(block["confirm"], "confirm") if "confirm" in block else None
        below = self._span(block["or_below_for"], "or_below_for") if "or_below_for" in block else ""
        buffer = self._buffer(block)
        if confirm == "" or buffer is None or ("or_below_for" in block and not below):
            return None
        name, at = self._of_bars(level, confirm or ""), level
        held = f" for {confirm}" if confirm else ""
        first = self._line(f"close < {name}{buffer}{held}", at)
        if "or_below_for" not in block:
            return first
        second = self._line(f"close < {name} for {below}", at)
        if first is None or second is None:
            return None
        return AnyOf((first, second), entry.key.span)

    def _level(self, block: Block) -> Scalar | None:
        if "level" in block:
            return self.scalar(block["level"], "level")
        levels = self.names(block["levels"], "levels")
        if not levels:
            if isinstance(block["levels"].node, Listing):
                message = "'levels' is empty"
                fix = COMBINATORS["support_lost"].example
                self.findings.error("RG136", block["levels"].key.span, message, fix)
            return None
        if "broken" not in block:
            return levels[0]
        number = self.conditions.count(block["broken"], len(levels), "broken")
        return None if number is None else levels[number - 1]

    def _of_bars(self, level: Scalar, confirm: str) -> str:
        """Return the level; one that is measured leaves out the bars that confirm its break."""
        head = re.match(r"[a-z_]+(?=\()", level.text)
        text = f"close.{level.text}" if head and head[0] in MEASURES else level.text
        if "(" not in text:
            return text
        closes = CLOSES.fullmatch(confirm)
        back = f"{closes[1]} bars" if closes else confirm or "1 bars"
        return f"{text}.ago({back})"

    def _buffer(self, block: Block) -> str | None:
        """Return what is taken off the level, None with a message where it is no distance."""
        if "buffer" not in block:
            return ""
        written = self.scalar(block["buffer"], "buffer")
        if written is None or not self._unsigned(written, "buffer"):
            return None
        text = written.text.strip()
        if WINDOWLESS.fullmatch(text):
            fix = f"write {text.split()[0]} atr(14d)"
            self.findings.error("RG205", written.span, "buffer: an ATR has a window", fix)
            return None
        ranges = ATR.fullmatch(text)
        if ranges:
            return f" - {ranges['times']} * close.atr({ranges['window'].strip()})"
        return f" - {_grouped(text)}"

    def _unsigned(self, written: Scalar, what: str) -> bool:
        """Note an amount below zero: the line of a long form has the sign already."""
        text = written.text.strip()
        parameter = self.scope.params.get(text)
        below = parameter is not None and parameter.value is not None and parameter.value < 0
        if not below and not text.startswith("-"):
            return True
        said = parameter.text if parameter is not None and below else text
        fix = f"write {said.lstrip('- ')}" + (f" under params: {text}" if below else "")
        message = f"{what} is written without a sign: the form says which way it goes"
        self.findings.error("RG304", written.span, message, fix)
        return False

    # ------------------------------------------------------------ liquidations

    def liquidations(self, entry: Entry) -> Condition | None:
        """Read `liquidations`: a multiple of their average, and a floor in dollars."""
        block = self.form(entry, LIQUIDATIONS_KEYS)
        if block is None:
            return None
        side = self.chosen(block, "side", LIQUIDATIONS_KEYS)
        window = self._span(block["window"], "window")
        wanted = self.scalar(block["at_least"], "at_least")
        if not side or not window or wanted is None:
            return None
        if window not in CALENDARS and not self.duration(block["window"], "window"):
            return None
        match = AVERAGE.fullmatch(wanted.text)
        if match is None:
            message = f"at_least is a multiple of an average, not '{wanted.text}'"
            self.findings.error("RG134", wanted.span, message, "for example 3x average(7d)")
            return None
        if not self._unsigned(wanted, "at_least"):
            return None
        minimum = self._span(block["min"], "min") if "min" in block else None
        if minimum == "":
            return None
        least = f", min={minimum}" if minimum else ""
        total = f"liq.{side}.sum({window})"
        pace = f"{total}.times_avg({match['window'].strip()}{least}) >= {match['times']}"
        if "floor" not in block:
            return self._line(pace, wanted)
        floor = self._floor(block)
        first = self._line(pace, wanted)
        second = self._above(total, *floor) if floor else None
        if first is None or second is None:
            return None
        return All((first, second), entry.key.span)

    def _span(self, entry: Entry, what: str) -> str:
        """Return a window as a line takes it, "" with a message where it is none."""
        written = self.scalar(entry, what)
        if written is None:
            return ""
        try:
            if written.text not in CALENDARS:
                parse_span(written.text)
        except LineError as fault:
            self.scope.fail(fault, written)
            return ""
        return written.text.strip()

    def _floor(self, block: Block) -> tuple[str, Scalar] | None:
        """Return the floor as a line writes it; with a source it is a figure of that source."""
        written = self.scalar(block["floor"], "floor")
        if written is not None and not self._unsigned(written, "floor"):
            return None
        if written is None or "source" not in block:
            return (written.text, written) if written else None
        source = self.text(block["source"], "source")
        read = self.literal(block["floor"], "floor")
        if read is None or not source:
            return None
        value, dimension, _ = read
        if written.text in self.scope.params:
            message = "a floor that is a parameter names its sources itself"
            fix = f'write "by_source:" under params: {written.text}, and leave "source" out'
            self.findings.error("RG134", block["source"].key.span, message, fix)
            return None
        base = f"liq_floor_{re.sub('[^a-z0-9_]', '_', source.lower())}"[:LONGEST_NAME]
        made = Parameter(
            base, None, dimension, {source: value}, text=f"{source}: {written.text}",
            span=written.span, written={source: written.text},
        )  # fmt: skip
        name = self._equal(made) or self._free(base)
        if name not in self.scope.params:
            self.scope.floors.setdefault(name, replace(made, name=name))
        return name, written

    def _above(self, total: str, floor: str, at: Scalar) -> Condition | None:
        """Return the line of a floor; one that is made here has a name for this line alone."""
        made = self.scope.floors.get(floor)
        if made is not None:
            self.scope.params[floor] = made
        line = self._line(f"{total} >= {floor}", at)
        if made is not None:
            del self.scope.params[floor]
        return line

    def _equal(self, made: Parameter) -> str:
        """Return the name of an equal floor that was made before, "" where there is none."""
        same = (
            name
            for name, one in chain(self.scope.params.items(), self.scope.floors.items())
            if one.by_source == made.by_source and name.startswith(made.name)
            and replace(one, name=made.name) == made
        )  # fmt: skip
        return next(same, "")

    def _free(self, name: str) -> str:
        scope = self.scope
        named = (scope.inputs, scope.params, scope.floors, scope.definitions, scope.rules)
        taken = {*scope.stages}.union(*named)
        numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(one for one in numbered if one not in taken)

    # ------------------------------------------------------------ unrealised_loss

    def unrealised_loss(self, entry: Entry) -> Condition | None:
        """Read `unrealised_loss`: what a large holder would lose by selling now."""
        block = self.form(entry, LOSS_KEYS)
        if block is None:
            return None
        wanted = self.scalar(block["at_least"], "at_least")
        holder = self.text(block["holder"], "holder") if "holder" in block else ""
        if holder and not NAME.fullmatch(holder):
            self.scope.unfit(block["holder"].node.span, holder)
            return None
        if wanted is None or ("holder" in block and not holder):
            return None
        if not (self._unsigned(wanted, "at_least") and self._in_dollars(wanted)):
            return None
        name = f"holder.{holder}" if holder else "holder"
        text = f"{name}.units * (close - {name}.cost) <= -{_grouped(wanted.text)}"
        return self._line(text, wanted)

    def _in_dollars(self, wanted: Scalar) -> bool:
        """Note a loss that is a number of another unit; a line would speak of its sign."""
        try:
            literal = parse_literal(wanted.text)
        except LineError:
            return True  # a name or a sum: the line says what is wrong
        if literal.dimension == "dollars":
            return True
        message = "at_least is in US dollars"
        if literal.dimension == "plain":
            self.findings.error("RG302", wanted.span, message, f"write ${wanted.text.strip()}")
            return False
        message += f", {wanted.text} is {WORDS[literal.dimension]}"
        self.findings.error("RG305", wanted.span, message, "for example $0.9B")
        return False


def _grouped(text: str) -> str:
    """Return an amount as it can stand behind a minus: a sum in brackets."""
    return f"({text})" if "+" in text or "-" in text else text


def _for_symbol(line: Scalar, syntax: Comparison | Path, symbol: str, scope: Scope) -> Scalar:
    """Return the line with `symbol` before every market input of it."""
    text = line.text
    for at in sorted(_market_inputs(syntax, scope), reverse=True):
        text = f"{text[:at]}{symbol}.{text[at:]}"
    return Scalar(text, line.span, whole=True)


def _market_inputs(syntax: Comparison | Syntax, scope: Scope) -> Iterator[int]:
    """Yield where inputs begin that each symbol has of its own."""
    if isinstance(syntax, Comparison | Binary):
        yield from _market_inputs(syntax.left, scope)
        yield from _market_inputs(syntax.right, scope)
    elif isinstance(syntax, Negative):
        yield from _market_inputs(syntax.of, scope)
    elif isinstance(syntax, Path) and syntax.word not in scope.params:
        names = [segment.name for segment in syntax.segments]
        own = any(".".join(names[:count]) in MARKET for count in range(1, len(names) + 1))
        if own or names[0] == "ta":
            yield syntax.start
