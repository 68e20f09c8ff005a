"""What the names of a file mean: inputs, parameters, definitions, rules, stages, symbols."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskguard.language.findings import SURE, LineError, near
from riskguard.language.ruleset import Input
from riskguard.language.schema import MARKET, MEASURES, NAME, RESERVED, SYMBOL
from riskguard.language.tables.synonyms import INSTEAD, plain
from riskguard.language.tables.ta_table import called
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Parameter, Span
    from riskguard.language.source import Scalar

__all__ = ["Budget", "Scope"]

NAMED = 'name it under "params:" (a number), "define:" (a condition) or "inputs:" (a series)'
SECTIONS = frozenset({"params", "define", "rules"})
# the code of a fault that was noted where its cause stands
SAID = ""
MAX_WORDS = 50_000
HOLDER = re.compile(r"holder\.[a-z][a-z0-9_]*\.(units|cost)")


@dataclass(slots=True)
class Budget:
    """How many words the lines of a file may still have, long forms written out."""

    left: int = MAX_WORDS

    @property
    def spent(self) -> bool:
        """Say whether a line had too many: that was noted, and no further line is read."""
        return self.left < 0

    def take(self, words: int) -> None:
        """Count the words of a line.

        Raises:
            LineError: when they are too many.
        """
        self.left -= words
        if self.spent:
            message = f"more than {MAX_WORDS:,} words in all lines together"
            fix = 'split the file, or name what is repeated under "define:"'
            raise LineError("RG002", 0, 1, message, fix)


@dataclass(slots=True)
class Scope:
    """The names that a line may use, and which of them were used."""

    findings: Findings
    symbol: str = ""
    symbols: Mapping[str, None] = field(default_factory=dict)  # in the order written
    every: int | None = None
    timezone: str = "UTC"
    bars_used: bool = False  # a window was written in bars
    inputs: dict[str, Input] = field(default_factory=dict)  # declared by the file
    params: dict[str, Parameter] = field(default_factory=dict)
    floors: dict[str, Parameter] = field(default_factory=dict)  # made by long forms, not to be read
    definitions: dict[str, Span] = field(default_factory=dict)
    rules: dict[str, Span] = field(default_factory=dict)
    stages: dict[str, Span] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)  # unknown names, each told once
    broken: set[str] = field(default_factory=set)  # declared with a fault: said once, there
    disabled: Mapping[str, Scalar] = field(default_factory=dict)  # rules and stages taken out
    spared: frozenset[str] = frozenset()  # names that need not be used
    budget: Budget = field(default_factory=Budget)

    def fail(self, fault: LineError, at: Scalar) -> None:
        """Note the fault of a text at its characters in the file."""
        if fault.code == SAID:
            return
        place = at.place(fault.start, fault.end)
        if fault.code == "RG605":
            line = f"{place.path}:{place.line}" if place.path else f"line {place.line}"
            place = self.disabled[fault.message].span
            message = f"'{fault.message}' is disabled but read at {line}"
            self.findings.error(fault.code, place, message, fault.fix)
            return
        self.findings.error(fault.code, place, fault.message, fault.fix)

    def find_input(self, symbol: str, name: str) -> Input | None:
        """Return what is known of a series, None when there is none of that name."""
        found = self.inputs.get(f"{symbol}.{name}" if symbol else name)
        if found is not None:
            return found
        if symbol and name not in MARKET:
            return None
        if name in self.inputs:
            return self.inputs[name]
        if HOLDER.fullmatch(name):
            kind = "holder." + name.rsplit(".", maxsplit=1)[1]
            self.inputs[name] = Input(name, CATALOGUE[kind])
            return self.inputs[name]
        return Input(name, CATALOGUE[name]) if name in CATALOGUE else None

    def trust(self, name: str) -> None:
        """Stop reading, without a second message, at a name that was declared with a fault."""
        if name in self.broken:
            raise LineError(SAID, 0, 1, f"{name} was declared with a fault")

    def known(self) -> list[str]:
        """Return every name that may begin a value or a flag."""
        return [*CATALOGUE, *self.inputs, *self.params, *self.definitions, *self.rules]

    def claim(self, key: Scalar, taken: dict[str, Span] | None = None) -> bool:
        """Give a new name to a parameter, definition, rule or stage, if it is free and fit."""
        name = key.text
        if not NAME.fullmatch(name):
            self.broken.add(name)
            self.unfit(key.span, name)
            return False
        owner = self._owner(name)
        if owner:
            message = f"'{name}' is already the name of {owner}"
            self.findings.error("RG210", key.span, message, "choose another name")
            return False
        if taken is not None:
            taken[name] = key.span
        return True

    def unfit(self, place: Span, name: str) -> None:
        """Note a name that is not written as names are."""
        fit = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        fix = f"write {fit}" if NAME.fullmatch(fit) else "for example my_rule"
        message = "a name has small letters, digits and _"
        self.findings.error("RG154", place, message, fix)

    def _owner(self, name: str) -> str:
        if name in self.inputs or name in CATALOGUE:
            return "an input"
        if name in MEASURES:
            return "a measure"
        if name in RESERVED:
            return "a word of the language"
        tables: dict[str, Mapping[str, object]] = {
            "a parameter": self.params,
            "a definition": self.definitions,
            "a rule": self.rules,
            "a stage": self.stages,
        }
        return next((what for what, names in tables.items() if name in names), "")

    def unknown(self, word: str, start: int, end: int, *, written: str = "") -> LineError:
        """Return the fault of a name that nobody gave."""
        whole = written or word
        if whole in self.strangers:
            return LineError(SAID, start, end, f"{whole} was named before")
        self.strangers.add(whole)
        if word in self.disabled:
            return LineError("RG605", start, end, word, "override what reads it, or keep it")
        return LineError("RG201", start, end, f"unknown name '{word}'", self._fix(word, whole))

    def _fix(self, word: str, whole: str) -> str:
        """Say what to write for an unknown name: `whole` with what is joined to it by dots."""
        known, (_, _, rest) = self.known(), whole.partition(".")
        if word in SECTIONS and rest in known:
            return f"write {rest} alone"
        if whole in known:
            return f"it belongs to no symbol: write {whole} alone"
        if rest in MARKET and SYMBOL.fullmatch(word.upper()):
            return f"a symbol has capital letters: {word.upper()}.{rest}"
        close = near(whole, known, SURE)
        measure = near(word, MEASURES, SURE)
        if measure and not close:
            return f"a measure follows an input: close.{measure}({MEASURES[measure].example})"
        told = INSTEAD.get(plain(word), "")
        if called(word):
            return f"functions of ta are written {called(word)}"
        close = close or ("" if told else near(whole, known))
        return f"did you mean '{close}'?" if close else told or NAMED
