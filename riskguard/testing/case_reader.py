"""The cases of a test file, each read with the rules that it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.findings import suggestion
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.source import Listing, Mapping
from riskguard.testing.cases import Case, given, rules_for
from riskguard.testing.expecting import ExpectationReader
from riskguard.testing.possible import possible
from riskguard.testing.series_reader import SeriesReader
from riskguard.testing.times import TimeReader

if TYPE_CHECKING:
    from pathlib import Path

    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Node
    from riskguard.testing.cases import Expectation

__all__ = ["CaseReader"]

KEYS = ("name", "symbol", "series", "data", "expect")
EXAMPLE = "for example expect: [{at: 8h, active: []}]"


class CaseReader(BlockReader):
    """Reads the cases of known rules; `every` and `start` in ns."""

    def __init__(self, scope: Scope, rules: RuleSet, folder: Path, every: int, start: int) -> None:
        super().__init__(scope)
        self.rules, self.folder, self.every, self.start = rules, folder, every, start

    def cases(self, entry: Entry) -> tuple[Case, ...]:
        """Return every case that has no fault."""
        if not isinstance(entry.node, Listing) or not entry.node.items:
            fix = 'start each with "- name: what shall happen"'
            self.findings.error("RG135", entry.key.span, "'cases' needs a list", fix)
            return ()
        found = [self._case(node) for node in entry.node.items]
        return tuple(case for case in found if case is not None)

    def _case(self, node: Node) -> Case | None:
        block = self.block(node, KEYS, "case")
        if block is None:
            return None
        name = self.text(block["name"], "name") if "name" in block else "without a name"
        symbol = self._symbol(block["symbol"]) if "symbol" in block else self.rules.symbol
        if not symbol:
            return None
        own = rules_for(symbol, self.rules)
        series = SeriesReader(self.scope, own, self.folder, self.every).given(block, node)
        expected = self._expected(block, node)
        if series is None or expected is None:
            return None
        bars = len(next(iter(series.values())))
        keys = given(symbol, series)
        times = TimeReader(self.scope, self.every, self.start, bars)
        reader = ExpectationReader(times, own, keys)
        read = [reader.expectation(item) for item in expected]
        expect = tuple(one for one in read if one is not None)
        for one in expect:
            self._founded(one, own, keys)
        return Case(name, series, expect, node.span.begin, bars, symbol)

    def _symbol(self, entry: Entry) -> str:
        written = self.scalar(entry, "symbol")
        if written is None:
            return ""
        known = [self.rules.symbol, *self.rules.per_symbol]
        if written.text in known:
            return written.text
        message = f"the rules have none of their own for the symbol '{written.text}'"
        self.findings.error("RG702", written.span, message, suggestion(written.text, known))
        return ""

    def _expected(self, block: Block, node: Node) -> tuple[Node, ...] | None:
        if "expect" not in block:
            if not block.unknown:
                place = node.span.begin
                self.findings.error("RG704", place, "the case proves nothing", EXAMPLE)
            return None
        key, expected = block["expect"]
        if isinstance(expected, Mapping):
            self.findings.error("RG135", key.span, "'expect' needs a list", EXAMPLE)
        elif isinstance(expected, Listing) and expected.items:
            return expected.items
        else:
            self.findings.error("RG704", key.span, "the case proves nothing", EXAMPLE)
        return None

    def _founded(self, expectation: Expectation, rules: RuleSet, keys: frozenset[str]) -> None:
        """Refuse an expectation that rests on an input that never comes."""
        lost = possible(rules, expectation, keys)
        if lost:
            message = f"'{lost}' is not given: unknown throughout"
            fix = f'give it under "series:", for example {lost}: ...'
            self.findings.error("RG705", expectation.span, message, fix)
