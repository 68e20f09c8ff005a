"""A test file, read whole: every fault at its characters, as for rule files."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskguard.errors import Diagnostic
from riskguard.language.blocks import BlockReader
from riskguard.language.findings import Findings, LineError, suggestion
from riskguard.language.reader import read_rules
from riskguard.language.ruleset import Span, input_of
from riskguard.language.schema import ACTIONS
from riskguard.language.scope import Scope
from riskguard.language.source import MAX_BYTES, Listing, Mapping, Scalar, compose
from riskguard.market import CATALOGUE, SECOND
from riskguard.testing.cases import Case, Cases, Expectation
from riskguard.testing.expecting import ExpectationReader
from riskguard.testing.notation import LONGEST, MISSING, series
from riskguard.testing.possible import possible

if TYPE_CHECKING:
    from riskguard.language.blocks import Block, Entry
    from riskguard.language.ruleset import Input, RuleSet
    from riskguard.language.source import Node
    from riskguard.testing.notation import Item

__all__ = ["read_cases", "read_cases_text"]

FILE_KEYS = ("version", "rules", "every", "start", "sources", "capabilities", "cases")
CASE_KEYS = ("name", "series", "data", "expect")
TIME = "time"  # the column of a CSV file that is no input
LARGEST_DATA = 16 << 20


def read_cases(path: str | Path) -> tuple[Cases | None, list[Diagnostic]]:
    """Return the cases of a test file, None if it or its rules have errors, and what was found."""
    file, name = Path(path), str(path)
    if not file.is_file():
        message = f"no test file '{file.name}'"
        return None, [Diagnostic(name, 1, 1, 1, 2, "RG005", "error", message)]
    if file.stat().st_size > MAX_BYTES:
        message, fix = "the file is larger than 1 MiB", "split it into several"
        return None, [Diagnostic(name, 1, 1, 1, 2, "RG001", "error", message, fix)]
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"byte {fault.start + 1} is not UTF-8 text"
        fix = "save the file as UTF-8"
        return None, [Diagnostic(name, 1, 1, 1, 2, "RG038", "error", message, fix)]
    return read_cases_text(text, name)


def read_cases_text(text: str, name: str) -> tuple[Cases | None, list[Diagnostic]]:
    """Return the cases of a text; `name` is its path, from which that of the rules is taken."""
    root, found = compose(text, name)
    if root is None:
        return None, found.sorted()
    reader = _FileReader(found)
    cases = reader.read(root)
    ok = cases is not None and not found.failed
    return cases if ok else None, reader.of_rules or found.sorted()


class _FileReader(BlockReader):
    def __init__(self, findings: Findings) -> None:
        super().__init__(Scope(findings))
        self.of_rules: list[Diagnostic] = []  # errors of the rule file: they come first
        self.folder = Path(findings.path).parent

    def read(self, root: Node) -> Cases | None:
        if not isinstance(root, Mapping):
            message = 'a test file is a block of "key: value" lines'
            self.findings.error("RG120", root.span, message, 'start with "version: 1"')
            return None
        block = self.block(root, FILE_KEYS, "the test file")
        if block is None or not self._complete(block, root):
            return None
        loaded = self._rules(block["rules"])
        every = self.duration(block["every"], "every")
        start = self._instant(block["start"])
        if loaded is None or not every or start is None:
            return None
        path, ruleset = loaded
        if ruleset.every is not None and ruleset.every % every:
            message = "every is coarser than that of the rules, or does not divide it"
            fix = "write the every of the rules, or a part of it"
            self.findings.error("RG514", block["every"].node.span, message, fix)
            return None
        ruleset = ruleset if ruleset.every is not None else replace(ruleset, every=every)
        ruleset = ruleset if ruleset.symbol else replace(ruleset, symbol="BTC")
        sources = self._sources(block, ruleset)
        cases = self._cases(block["cases"], ruleset, every, start)
        lacking = self._lacking(block)
        lines = self.findings.lines
        return Cases(
            self.findings.path, path, ruleset, every, start, sources, lacking, cases, lines
        )

    def _complete(self, block: Block, root: Mapping) -> bool:
        if "version" in block and (version := self.scalar(block["version"], "version")):
            if version.text != "1":
                message = f"version {version.text} is not known here"
                self.findings.error("RG141", version.span, message, "write version: 1")
                return False
        elif "version" not in block and block.lacks("version"):
            message, fix = '"version" is missing', 'make the first line "version: 1"'
            self.findings.error("RG140", _begin(root.span), message, fix)
        whole = True
        examples = {
            "rules": "rules: my_rules.yaml",
            "every": "every: 4h",
            "start": "start: 2026-01-01T00:00Z",
            "cases": "cases:",
        }
        for key, example in examples.items():
            if key not in block:
                whole = False
                if block.lacks(key):
                    message = f'"{key}" is missing'
                    self.findings.error("RG134", _begin(root.span), message, f'write "{example}"')
        return whole

    # ------------------------------------------------------------ header

    def _rules(self, entry: Entry) -> tuple[Path, RuleSet] | None:
        written = self.scalar(entry, "rules")
        if written is None:
            return None
        path = self.folder / written.text
        rules, found = read_rules(path)
        missing = [one for one in found if one.code == "RG005"]
        if missing:
            self.findings.error("RG005", written.span, missing[0].message, missing[0].help)
            return None
        if rules is None:
            self.of_rules = [one for one in found if one.severity == "error"]
            return None
        return path, rules

    def _instant(self, entry: Entry) -> int | None:
        written = self.scalar(entry, "start")
        return None if written is None else self.instant(written)

    def instant(self, written: Scalar) -> int | None:
        try:
            when = datetime.fromisoformat(written.text)
        except ValueError:
            when = None
        if when is None or when.tzinfo is None:
            message = f"'{written.text}' is no time stamp with its zone"
            day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", written.text)
            fix = f"write {written.text}T00:00Z" if day else "for example 2026-02-05T12:00Z"
            self.findings.error("RG506", written.span, message, fix)
            return None
        since = when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * SECOND

    def _sources(self, block: Block, rules: RuleSet) -> dict[str, str]:
        found: dict[str, str] = {}
        if "sources" not in block:
            return found
        for one in self.entries(block["sources"].node, "sources") or ():
            if self._input(one.key, rules) is not None:
                found[one.key.text] = self.text(one, one.key.text)
        return found

    def _lacking(self, block: Block) -> frozenset[str]:
        if "capabilities" not in block:
            return frozenset()
        said = self.block(block["capabilities"].node, tuple(ACTIONS), "capabilities")
        return frozenset(name for name, one in (said or {}).items() if not self.truth(one, name))

    def _input(self, key: Scalar, rules: RuleSet) -> Input | None:
        symbol, name = split(key.text)
        own = {rules.symbol, *rules.symbols, *rules.per_symbol}
        if symbol and symbol not in own:
            fix = suggestion(symbol, own)
            self.findings.error("RG702", key.span, f"unknown symbol '{symbol}'", fix)
            return None
        declared = {*rules.inputs, *(one.rpartition(".")[2] for one in rules.inputs)}
        holder = re.fullmatch(r"holder\.([a-z][a-z0-9_]*\.)?(units|cost)", name)
        if name not in CATALOGUE and name not in declared and not holder:
            fix = suggestion(name, {*CATALOGUE, *rules.inputs})
            self.findings.error("RG702", key.span, f"unknown input '{name}'", fix)
            return None
        if holder and name not in rules.inputs and name not in CATALOGUE:
            name = f"holder.{holder[2]}"
        symbol = "" if symbol == rules.symbol else symbol
        return input_of(rules, symbol, name)

    # ------------------------------------------------------------ cases

    def _cases(self, entry: Entry, rules: RuleSet, every: int, start: int) -> tuple[Case, ...]:
        if not isinstance(entry.node, Listing) or not entry.node.items:
            fix = 'start each with "- name: what shall happen"'
            self.findings.error("RG135", entry.key.span, "'cases' needs a list", fix)
            return ()
        found = [self._case(node, rules, every, start) for node in entry.node.items]
        return tuple(case for case in found if case is not None)

    def _case(self, node: Node, rules: RuleSet, every: int, start: int) -> Case | None:
        block = self.block(node, CASE_KEYS, "case")
        if block is None:
            return None
        name = self.text(block["name"], "name") if "name" in block else "without a name"
        given = self._series(block, node, rules)
        if given is None:
            return None
        bars = len(next(iter(given.values())))
        expected = block["expect"].node if "expect" in block else None
        if isinstance(expected, Mapping):
            message, fix = "'expect' needs a list", 'start each expectation with "- "'
            self.findings.error("RG135", block["expect"].key.span, message, fix)
            return None
        if not isinstance(expected, Listing) or not expected.items:
            if "expect" in block or block.lacks("expect"):
                place = block["expect"].key.span if "expect" in block else _begin(node.span)
                fix = "for example expect: [{at: 8h, active: []}]"
                self.findings.error("RG704", place, "the case proves nothing", fix)
            return None
        reader = ExpectationReader(self.scope, rules, (every, start, bars), self.instant)
        expect = [reader.expectation(item) for item in expected.items]
        read = tuple(one for one in expect if one is not None)
        for one in read:
            self._founded(one, rules, set(given))
        return Case(name, given, read, _begin(node.span), bars)

    def _founded(self, expectation: Expectation, rules: RuleSet, given: set[str]) -> None:
        """Refuse an expectation that rests on an input that never comes."""
        lost = possible(rules, expectation, given)
        if lost:
            message = f"'{lost}' is not given: unknown throughout"
            fix = f'give it under "series:", for example {lost}: ...'
            self.findings.error("RG705", expectation.span, message, fix)

    def _series(
        self, block: Block, node: Node, rules: RuleSet
    ) -> dict[str, tuple[Item, ...]] | None:
        if "data" in block and "series" not in block:
            return self._data(block["data"], rules)
        if "series" not in block:
            if block.lacks("series"):
                fix = 'for example series: {close: "80_000 x10, 74_000 x5"}'
                self.findings.error("RG134", _begin(node.span), "a case without series", fix)
            return None
        found: dict[str, tuple[Item, ...]] = {}
        whole = True
        longest: tuple[str, int] = ("", 0)
        for one in self.entries(block["series"].node, "series") or ():
            read = self._one(one, rules)
            if read is None:
                whole = False
                continue
            name = one.key.text
            found[name] = read
            if longest[0] and len(read) != longest[1]:
                message = f"{longest[0]} has {longest[1]} samples, {name} {len(read)}"
                fix = "give every series of a case the same number"
                self.findings.error("RG701", one.key.span, message, fix)
                whole = False
            longest = longest if longest[0] else (name, len(read))
        if whole and rules_close(found, rules) is None:
            message = f"a case needs the closes of {rules.symbol}: nothing is decided without"
            self.findings.error("RG704", block["series"].key.span, message, "give close")
            return None
        return found if whole and found else None

    def _one(self, entry: Entry, rules: RuleSet) -> tuple[Item, ...] | None:
        known = self._input(entry.key, rules)
        text = self.scalar(entry, entry.key.text)
        if known is None or text is None:
            return None
        try:
            return tuple(series(text.text, known.spec.dimension))
        except LineError as fault:
            self.scope.fail(fault, text)
            return None

    def _data(self, entry: Entry, rules: RuleSet) -> dict[str, tuple[Item, ...]] | None:
        written = self.scalar(entry, "data")
        if written is None:
            return None
        path = self.folder / written.text
        if not path.is_file() or path.stat().st_size > LARGEST_DATA:
            message = f"no data file '{written.text}' (at most 16 MiB)"
            self.findings.error("RG005", written.span, message, "write its path from this file")
            return None
        try:
            rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        except (UnicodeDecodeError, csv.Error) as fault:
            self.findings.error("RG039", written.span, f"{written.text}: {fault}")
            return None
        head, *body = rows or [[]]
        found: dict[str, tuple[Item, ...]] = {}
        for number, name in enumerate(head):
            if name.strip() == TIME:
                continue
            key = Scalar(name.strip(), written.span, "", (), whole=True)
            if self._input(key, rules) is None:
                return None
            column = [row[number] if number < len(row) else "" for row in body[:LONGEST]]
            found[key.text] = tuple(map(_cell, column))
        if not body or rules_close(found, rules) is None:
            message = f"{written.text} has no closes"
            self.findings.error("RG704", written.span, message, "its first line names the inputs")
            return None
        return found


def _cell(text: str) -> Item:
    if not text.strip():
        return MISSING
    try:
        return float(text)
    except ValueError:
        return math.nan


def rules_close(found: dict[str, Any], rules: RuleSet) -> str | None:
    """Return the key of the closes of the guarded symbol, None where they are not given."""
    return next((key for key in ("close", f"{rules.symbol}.close") if key in found), None)


def split(key: str) -> tuple[str, str]:
    """Return symbol ("" for the guarded one) and name of a key such as "ETH.close"."""
    head, _, rest = key.partition(".")
    return (head, rest) if head.isupper() and rest else ("", key)


def _begin(span: Span) -> Span:
    return Span(span.line, span.column, span.line, span.column + 1)
