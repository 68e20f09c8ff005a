"""The head of a file: version, symbols, clock, and who is guarded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard.language.reading.blocks import BlockReader
from riskguard.language.reading.hours import HourReader
from riskguard.language.ruleset import RuleSet, Span
from riskguard.language.schema import FILE_KEYS, SYMBOL, VERSION
from riskguard.language.source import Listing, Scalar

if TYPE_CHECKING:
    from riskguard.language.reading.blocks import Block, Entry

__all__ = ["HeaderReader"]

NEARLY = re.compile(r"v?1([.,]0+)*;?")


class HeaderReader(BlockReader):
    """Reads the single-valued keys of a file."""

    def version(self, block: Block, path: str = "") -> bool:
        """Return whether the file (`path` if it is extended) can be read as one of this version."""
        if "version" not in block:
            if block.lacks("version"):
                fix = 'make the first line "version: 1"'
                self.findings.error("RG140", Span(path=path), '"version" is missing', fix)
            return bool(block.keys() & {"rules", "stages"})
        found = self.scalar(block["version"], "version")
        if found is None:
            return False
        if found.text != VERSION:
            message = f"version {found.text} is not known here"
            nearly = NEARLY.fullmatch(found.text)
            fix = 'write "version: 1"' if nearly else f"this riskguard reads version {VERSION}"
            self.findings.error("RG141", found.span, message, fix)
            return bool(nearly)
        if next(iter(block)) != "version":
            message, fix = '"version" stands first', 'make the first line "version: 1"'
            self.findings.error("RG140", block["version"].key.span, message, fix)
        return True

    def read(self, block: Block) -> RuleSet:
        """Return the rule set without its rules; symbols and clock go into the scope."""
        every = self.duration(block["every"], "every") if "every" in block else 0
        self.scope.every = every or self.scope.every
        if "symbol" in block:
            self.scope.symbol = self._symbol(block["symbol"])
        symbols: tuple[str, ...] = ()
        if "symbols" in block:
            names = self.names(block["symbols"], "symbols")
            symbols = tuple(name.text for name in names if self._fit(name))
            self.scope.symbols = dict.fromkeys(symbols)
        guards = self._guards(block["guards"]) if "guards" in block else "symbol"
        said = {
            key: self.chosen(block, key, FILE_KEYS) for key in ("evaluate", "blind", "severity")
        }
        for key in ("tags", "references"):
            if key in block:
                self.names(block[key], key)
        texts = {
            key: self.text(block[key], key) if key in block else ""
            for key in ("name", "description", "author")
        }
        return RuleSet(
            symbol=self.scope.symbol,
            symbols=symbols,
            guards=guards,
            every=every or None,
            evaluate=said["evaluate"],
            timezone=self._timezone(block),
            blind=said["blind"],
            name=texts["name"],
            description=texts["description"],
            severity=said["severity"],
            path=self.findings.path,
            lines=self.findings.lines,
            files=self.findings.files,
            hash="-",  # no hash before the rules are there
        )

    def _fit(self, name: Scalar) -> bool:
        if SYMBOL.fullmatch(name.text):
            return True
        message = f"a symbol has capital letters and digits, not '{name.text}'"
        self.findings.error("RG203", name.span, message, f"for example {_capital(name.text)}")
        return False

    def _symbol(self, entry: Entry) -> str:
        found = self.scalar(entry, "symbol")
        return found.text if found and self._fit(found) else ""

    def _guards(self, entry: Entry) -> tuple[str, ...] | str:
        node = entry.node
        if isinstance(node, Scalar) and node.text in FILE_KEYS["guards"].choices:
            return node.text
        if isinstance(node, Scalar) and node.empty:
            self.no_value(entry, "guards")
            return "symbol"
        listed = node.items if isinstance(node, Listing) else ()
        names = [item.text for item in listed if isinstance(item, Scalar)]
        if names and len(names) == len(listed) and all(map(SYMBOL.fullmatch, names)):
            return tuple(names)
        shown = f"'{node.text}'" if isinstance(node, Scalar) else "this"
        message = f"guards must be symbol, all or a list of symbols, not {shown}"
        fix = 'write "guards: all" or "guards: [BTC, ETH]"'
        self.findings.error("RG155", node.span, message, fix)
        return "symbol"

    def _timezone(self, block: Block) -> str:
        zone = HourReader(self.scope).zone(block["timezone"]) if "timezone" in block else ""
        self.scope.timezone = zone or FILE_KEYS["timezone"].default
        return self.scope.timezone


def _capital(text: str) -> str:
    first = re.split(r"[/:_-]", text)[0] or text  # BTC/USDT:USDT is BTC
    plain = "".join(letter for letter in first.upper() if letter.isascii() and letter.isalnum())
    return plain if SYMBOL.fullmatch(plain) else "BTC"
