"""A test file, read whole: every fault at its characters, as for rule files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.errors import Diagnostic
from riskguard.language.joining.including import SHIPPED, pack_file, read_bytes, siblings
from riskguard.language.reader import read_rules
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.reading.scope import Scope
from riskguard.language.schema import ACTIONS
from riskguard.language.source import MAX_BYTES, Mapping, compose
from riskguard.shipped import shipped
from riskguard.testing.case_reader import CaseReader
from riskguard.testing.cases import Cases
from riskguard.testing.series_reader import SeriesReader
from riskguard.testing.times import DAY_ALONE, elapsed, instant, stamp

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.ruleset import RuleSet
    from riskguard.language.source import Node

__all__ = ["read_cases", "read_cases_text"]

FILE_KEYS = ("version", "rules", "every", "start", "sources", "capabilities", "cases")
EXAMPLES = {  # the keys that a test file must have
    "rules": "rules: my_rules.yaml",
    "every": "every: 4h",
    "start": "start: 2026-01-01T00:00Z",
    "cases": "cases:",
}


def read_cases(path: str | Path) -> tuple[Cases | None, list[Diagnostic]]:
    """Return the cases of a test file, None if it or its rules have errors, and what was found."""
    file, name = Path(path), str(path)
    content = read_bytes(file)
    if content is None:
        message = f"no test file '{file.name}' that can be read"
        hidden = os.path.lexists(file) and not os.access(file, os.R_OK)
        fix = "this user may not read it" if hidden else ""
        return None, [Diagnostic(name, 1, 1, 1, 2, "RG005", "error", message, fix)]
    if len(content) > MAX_BYTES:
        message, fix = "the file is larger than 1 MiB", "split it into several"
        return None, [Diagnostic(name, 1, 1, 1, 2, "RG001", "error", message, fix)]
    try:
        text = content.decode("utf-8")
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
    reader, cases = _FileReader(found), None
    with found.bounded():
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
            self.findings.error("RG120", root.span.begin, message, 'start with "version: 1"')
            return None
        block = self.block(root, FILE_KEYS, "the test file")
        if block is None or not self._complete(block, root):
            return None
        loaded = self._rules(block["rules"])
        every = self.duration(block["every"], "every")
        start = self._start(block["start"], every)
        if loaded is None or not every or start is None:
            return None
        path, ruleset = loaded
        if ruleset.every is not None and ruleset.every % every:
            message = f"every is longer than {elapsed(ruleset.every)}, that of the rules"
            if ruleset.every > every:
                message = f"{elapsed(ruleset.every)}, the every of the rules, is no multiple of it"
            fix = f"write {elapsed(ruleset.every)}, or a part of it"
            self.findings.error("RG514", block["every"].node.span, message, fix)
            return None
        ruleset = _clocked(ruleset, every)
        sources = self._sources(block, SeriesReader(self.scope, ruleset, self.folder, every))
        cases = CaseReader(self.scope, ruleset, self.folder, every, start).cases(block["cases"])
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
            self.findings.error("RG140", root.span.begin, message, fix)
        missing = [key for key in EXAMPLES if key not in block]
        told = [key for key in missing if block.lacks(key)]
        if told:
            names = ", ".join(f'"{key}"' for key in told)
            message = f"{names} {'is' if len(told) == 1 else 'are'} missing"
            fix = f'write "{EXAMPLES[told[0]]}"'
            self.findings.error("RG134", root.span.begin, message, fix)
        return not missing

    # ------------------------------------------------------------ header

    def _rules(self, entry: Entry) -> tuple[Path, RuleSet] | None:
        written = self.scalar(entry, "rules")
        if written is None:
            return None
        path: Path | None = self.folder / written.text
        if written.text.startswith(SHIPPED):
            path = pack_file(written, self.findings)
        if path is None:
            return None
        rules, found = read_rules(path)
        missing = [one for one in found if one.code == "RG005"]
        if missing:
            message, fix = f"no rule file '{written.text}' (.yaml, .yml, .json)", missing[0].help
            if written.text in siblings(shipped("rules")):
                fix = f"a pack is written {SHIPPED}{written.text}@1"
            fix = fix or "the path is relative to this file"
            self.findings.error("RG005", written.span, message, fix)
            return None
        if rules is None:
            self.of_rules = [one for one in found if one.severity == "error"]
            return None
        return path, rules

    def _start(self, entry: Entry, every: int) -> int | None:
        written = self.scalar(entry, "start")
        if written is None:
            return None
        when = instant(written.text)
        if when is None:
            message = f"'{written.text}' is no time stamp with its zone"
            day = DAY_ALONE.fullmatch(written.text)
            fix = f"write {written.text}T00:00Z" if day else "for example 2026-02-05T12:00Z"
            self.findings.error("RG506", written.span, message, fix)
        elif every and when % every:
            message = f"no bar of {elapsed(every)} closes at {stamp(when)}"
            fix = f"write {stamp(when - when % every)}: bars count from 1970-01-01T00:00Z"
            self.findings.error("RG703", written.span, message, fix)
            return None
        return when

    def _sources(self, block: Block, inputs: SeriesReader) -> dict[str, str]:
        found: dict[str, str] = {}
        if "sources" not in block:
            return found
        for one in self.entries(block["sources"].node, "sources") or ():
            if inputs.find(one.key) is not None:
                key = one.key.text.removeprefix(f"{inputs.rules.symbol}.")
                found[key] = self.text(one, one.key.text)
        return found

    def _lacking(self, block: Block) -> frozenset[str]:
        if "capabilities" not in block:
            return frozenset()
        said = self.block(block["capabilities"].node, tuple(ACTIONS), "capabilities")
        return frozenset(name for name, one in (said or {}).items() if not self.truth(one, name))


def _clocked(rules: RuleSet, every: int) -> RuleSet:
    """Return the rules with the clock and the symbol of the test where they say none."""
    own = {symbol: _clocked(one, every) for symbol, one in rules.per_symbol.items()}
    return replace(rules, every=rules.every or every, symbol=rules.symbol or "BTC", per_symbol=own)
