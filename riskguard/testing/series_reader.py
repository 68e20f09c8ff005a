"""The series of a case, written in the test file or in a CSV file beside it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from riskguard.language.findings import LineError, near, suggestion
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.rewriting import deciding, key_of, leaves, series_of
from riskguard.language.ruleset import Span, input_of
from riskguard.language.source import Scalar
from riskguard.market import CATALOGUE
from riskguard.testing.datafile import DataFault, read_data
from riskguard.testing.notation import series

if TYPE_CHECKING:
    from pathlib import Path

    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.reading.scope import Scope
    from riskguard.language.ruleset import Input, RuleSet
    from riskguard.language.source import Node
    from riskguard.testing.notation import Item

    Given = dict[str, tuple[Item, ...]]

__all__ = ["SeriesReader", "split"]

NAMES = re.compile(r"([A-Z][A-Z0-9]*\.)?[a-z][a-z0-9_.]*")
HOLDER = re.compile(r"holder\.([a-z][a-z0-9_]*\.)?(units|cost)")


def split(key: str) -> tuple[str, str]:
    """Return symbol ("" for the guarded one) and name of a key such as "ETH.close"."""
    head, _, rest = key.partition(".")
    return (head, rest) if head.isupper() and rest else ("", key)


class SeriesReader(BlockReader):
    """Reads what cases give to one set of rules, bars of `every` ns."""

    def __init__(self, scope: Scope, rules: RuleSet, folder: Path, every: int) -> None:
        super().__init__(scope)
        self.rules, self.folder, self.every = rules, folder, every

    def given(self, block: Block, node: Node) -> Given | None:
        """Return the samples of a case by the key of their input, None when there is a fault."""
        if "data" in block and "series" in block:
            message = "'series' and 'data' side by side: which one holds?"
            self.findings.error("RG131", block["data"].key.span, message, "keep one of the two")
            return None
        if "data" in block:
            found, place = self._data(block["data"]), block["data"].node.span
        elif "series" in block:
            found, place = self._written(block["series"]), block["series"].key.span
        else:
            if block.lacks("series"):
                at = node.span
                place = Span(at.line, at.column, at.line, at.column + 1)
                fix = 'for example series: {close: "80_000 x10, 74_000 x5"}'
                self.findings.error("RG134", place, "a case without series", fix)
            return None
        if found is not None and not {"close", f"{self.rules.symbol}.close"} & set(found):
            bars = len(next(iter(found.values()), ()))
            message = f"a case needs the closes of {self.rules.symbol}: nothing is decided without"
            self.findings.error("RG704", place, message, f"for example close: 80_000 x{bars or 10}")
            return None
        return found

    def find(self, key: Scalar) -> Input | None:
        """Return what is known of an input by its key; RG702 where the rules can have none."""
        rules, (symbol, name) = self.rules, split(key.text)
        own = {rules.symbol, *rules.symbols, *rules.per_symbol}
        if symbol and symbol not in own:
            fix = suggestion(symbol, own)
            self.findings.error("RG702", key.span, f"unknown symbol '{symbol}'", fix)
            return None
        declared = {*rules.inputs, *(one.rpartition(".")[2] for one in rules.inputs)}
        holder = HOLDER.fullmatch(name)
        if name not in CATALOGUE and name not in declared and not holder:
            close = near(name, {*CATALOGUE, *rules.inputs})
            fix = f"did you mean '{close}'?" if close else f"the rules read {self._read()}"
            self.findings.error("RG702", key.span, f"unknown input '{name}'", fix)
            return None
        if holder and name not in rules.inputs and name not in CATALOGUE:
            name = f"holder.{holder[2]}"
        return input_of(rules, "" if symbol == rules.symbol else symbol, name)

    def _read(self) -> str:
        lines = leaves(*deciding(self.rules))
        return ", ".join(sorted({key_of(one) for leaf in lines for one in series_of(leaf)}))

    # ------------------------------------------------------------ written

    def _written(self, entry: Entry) -> Given | None:
        entries = self.entries(entry.node, "series")
        if entries is None or self._cut(entries):
            return None
        found: Given = {}
        whole = True
        for one in entries:
            items = self._items(one)
            if items is None:
                whole = False
                continue
            found[one.key.text] = items
            first = next(iter(found))
            if len(items) != len(found[first]):
                name = one.key.text
                message = f"{first} has {len(found[first])} samples, {name} {len(items)}"
                fix = "give every series of a case the same number"
                self.findings.error("RG701", one.key.span, message, fix)
                whole = False
        return found if whole and not self._twice(found, entry.key.span) else None

    def _cut(self, entries: list[Entry]) -> bool:
        """Note a series that a comma cuts short inside { }: what follows it looks like a key."""
        for before, one in pairwise(entries):
            empty = isinstance(one.node, Scalar) and one.node.empty
            if empty and not NAMES.fullmatch(one.key.text) and isinstance(before.node, Scalar):
                name = before.key.text
                message = f"a comma ends the series of {name} here"
                fix = f'put the whole series in quotes: {name}: "{before.node.text}, ..."'
                self.findings.error("RG113", one.key.span, message, fix)
                return True
        return False

    def _items(self, entry: Entry) -> tuple[Item, ...] | None:
        known = self.find(entry.key)
        text = self.scalar(entry, entry.key.text)
        if known is None or text is None:
            return None
        try:
            return tuple(series(text.text, known.spec.dimension))
        except LineError as fault:
            self.scope.fail(fault, text)
            return None

    def _twice(self, found: Given, place: Span) -> bool:
        """Note a series that is given with and without the guarded symbol before it."""
        symbol = self.rules.symbol
        name = next((key for key in found if f"{symbol}.{key}" in found), "")
        if name:
            message = f"'{name}' and '{symbol}.{name}' are the same series"
            self.findings.error("RG122", place, message, "keep one of the two")
        return bool(name)

    # ------------------------------------------------------------ in a file

    def _data(self, entry: Entry) -> Given | None:
        written = self.scalar(entry, "data")
        if written is None:
            return None
        found = read_data(self.folder / written.text, self.every)
        if isinstance(found, DataFault):
            self.findings.error(found.code, written.span, found.message, found.fix)
            return None
        keys = [Scalar(name, written.span, "", (), whole=True) for name in found]
        unknown = [key for key in keys if self.find(key) is None]
        return found if not unknown and not self._twice(found, written.span) else None
