"""One tree out of several files: `extends`, `override`, `disable` and `per_symbol` on nodes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.language.findings import Findings, near, suggestion
from riskguard.language.joining.addresses import (
    in_its_unit,
    key_at,
    overridden,
    replaced_parameter,
    value_of,
    with_value,
)
from riskguard.language.joining.including import SUFFIXES, Includer, read_bytes, siblings
from riskguard.language.joining.merging import listed, merged, stage_name
from riskguard.language.reading.blocks import Block, BlockReader
from riskguard.language.reading.scope import Scope
from riskguard.language.ruleset import Span
from riskguard.language.schema import FILE_KEYS, PER_SYMBOL_KEYS, SYMBOL
from riskguard.language.source import (
    LIMITS,
    MAX_BYTES,
    MAX_NODES,
    Listing,
    Mapping,
    Scalar,
    children,
    compose,
    items_of,
    size,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Table

    from riskguard.language.joining.including import Part
    from riskguard.language.reading.blocks import Entry
    from riskguard.language.source import Node

__all__ = ["Composed", "Variant", "compose_file", "compose_text"]

COMPOSERS = frozenset({"extends", "override", "disable", "per_symbol"})
WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Variant:
    """The tree of one symbol, and the parameters it sets itself."""

    root: Mapping
    params: frozenset[str]
    disabled: Table[str, Scalar]


@dataclass(frozen=True, slots=True)
class Composed:
    """A file and all it extends as one tree; every node knows the file it came from."""

    root: Node | None  # None: cannot be read, `findings` say why
    findings: Findings
    roots: tuple[Mapping, ...] = ()  # of each file, as written
    per_symbol: Table[str, Variant] = field(default_factory=dict)
    disabled: Table[str, Scalar] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()  # words of conditions, replaced ones too


def compose_file(path: str | Path) -> Composed:
    """Return the tree of a rule file; faults are in its findings, nothing is raised."""
    file, found = Path(path), Findings(str(path), ())
    content = read_bytes(file) if file.suffix in SUFFIXES else None
    if content is None:
        close = near(file.name, siblings(file.parent, stems=False))
        fix = f"did you mean '{close}'?" if close else ""
        if close == file.name:
            fix = "it is there, and is no file that can be read"
            if not os.access(file, os.R_OK):
                fix = "it is there, and this user may not read it"
        message = f"no rule file '{file.name}' (.yaml, .yml, .json)"
        found.error("RG005", Span(), message, fix)
        return Composed(None, found)
    if len(content) > MAX_BYTES:
        found.error("RG001", Span(), "the file is larger than 1 MiB", 'split it with "extends:"')
        return Composed(None, found)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"byte {fault.start + 1} is not UTF-8 text"
        found.error("RG038", Span(), message, "save the file as UTF-8")
        return Composed(None, found)
    return compose_text(text, str(path))


def compose_text(text: str, name: str) -> Composed:
    """Return the tree of a text; what it extends is looked for beside the path `name`."""
    root, found = compose(text, name)
    if not isinstance(root, Mapping):
        return Composed(root, found)
    if COMPOSERS.isdisjoint(key.text for key, _ in root.items if isinstance(key, Scalar)):
        return Composed(root, found, (root,))
    with found.bounded():
        includer = Includer(found)
        if includer.gather(root, name):
            return _Composer(found, includer.parts).whole()
    return Composed(None, found)


class _Composer(BlockReader):
    """Joins the files in order, each with its own changes to what came before it."""

    def __init__(self, found: Findings, parts: list[Part]) -> None:
        super().__init__(Scope(found))
        self.parts = parts

    def whole(self) -> Composed:
        tree: Mapping | None = None
        disabled: dict[str, Scalar] = {}
        blocks = [self.block(part.root, FILE_KEYS, "the file") or Block() for part in self.parts]
        overrides = [self._overrides(block) for block in blocks]
        addressed = {key.text for pairs in overrides for key, _ in pairs}
        for part, block, pairs in zip(self.parts, blocks, overrides, strict=True):
            tree = merged(tree, part, self.findings, addressed)
            tree = overridden(tree, pairs, self.findings)
            if "disable" in block:
                names = self.names(block["disable"], "disable")
                tree = self._without(tree, names, disabled)
        roots = tuple(part.root for part in self.parts)
        variants = {} if tree is None else dict(self._variants(tree, disabled))
        mentioned = frozenset(word for root in roots for word in _words(root))
        return Composed(tree, self.findings, roots, variants, disabled, mentioned)

    def _overrides(self, block: Block) -> list[tuple[Scalar, Node]]:
        if "override" not in block:
            return []
        found = self.entries(block["override"].node, "override") or []
        return [(entry.key, entry.node) for entry in found]

    def _without(self, tree: Mapping, names: list[Scalar], disabled: dict[str, Scalar]) -> Mapping:
        """Return the tree without rules and stages of these names."""
        rules, stages = value_of(tree, "rules"), value_of(tree, "stages")
        known = {key.text for key, _ in _pairs(rules) if isinstance(key, Scalar)}
        known |= {name.text for name in map(stage_name, items_of(stages)) if name is not None}
        for name in names:
            if name.text not in known:
                message = f"no rule or stage '{name.text}' to disable"
                self.findings.error("RG602", name.span, message, suggestion(name.text, known))
        gone = {name.text: name for name in names if name.text in known}
        disabled.update(gone)
        if isinstance(rules, Mapping):
            kept = [pair for pair in rules.items if text_of(pair[0]) not in gone]
            tree = with_value(tree, "rules", None, replace(rules, items=tuple(kept)))
        if isinstance(stages, Listing):
            left = [one for one in stages.items if text_of(stage_name(one)) not in gone]
            tree = with_value(tree, "stages", None, replace(stages, items=tuple(left)))
        return tree

    # ------------------------------------------------------------ one symbol

    def _variants(
        self, tree: Mapping, disabled: Table[str, Scalar]
    ) -> Iterator[tuple[str, Variant]]:
        section = value_of(tree, "per_symbol")
        if section is None:
            return
        plain = tuple(
            pair for pair in tree.items if text_of(pair[0]) not in {"per_symbol", "guards"}
        )
        entries = self.entries(section, "per_symbol") or []
        if len(entries) * size(replace(tree, items=plain)) > MAX_NODES:
            message = "the rules once for each of these symbols are too large"
            self.findings.error("RG002", section.span, message, LIMITS)
            return
        for entry in entries:
            symbol = entry.key
            if not SYMBOL.fullmatch(symbol.text):
                message = f"a symbol has capital letters and digits, not '{symbol.text}'"
                fix = f"write {symbol.text.upper()}" if symbol.text.isalnum() else "for example ETH"
                self.findings.error("RG203", symbol.span, message, fix)
                continue
            block = self.block(entry.node, PER_SYMBOL_KEYS, f"symbol '{symbol.text}'")
            if block is not None:
                base = _of_symbol(replace(tree, items=plain), symbol)
                yield symbol.text, self._variant(base, block, dict(disabled))

    def _variant(self, tree: Mapping, block: Block, disabled: dict[str, Scalar]) -> Variant:
        own: set[str] = set()
        if "params" in block:
            entries = self.entries(block["params"].node, "params") or []
            own.update(entry.key.text for entry in entries)
            tree = self._parameters(tree, entries)
        changes = self._overrides(block)
        tree = overridden(tree, changes, self.findings, whole=False)
        for key, _ in changes:
            own.update(_words_of(key.text) if key.text.startswith("params.") else ())
        if "disable" in block:
            tree = self._without(tree, self.names(block["disable"], "disable"), disabled)
        return Variant(tree, frozenset(own), disabled)

    def _parameters(self, tree: Mapping, entries: list[Entry]) -> Mapping:
        """Replace parameters; the range of another symbol's prices does not hold for them."""
        params = value_of(tree, "params")
        items = list(_pairs(params))
        places = {text_of(name): at for at, (name, _) in enumerate(items)}
        for key, value in entries:
            at = places.get(key.text)
            if at is None and isinstance(value, Mapping):  # said in full: one of the symbol alone
                items.append((key, value))
            elif at is None:
                message = f"no parameter '{key.text}'"
                self.findings.error("RG602", key.span, message, suggestion(key.text, places))
            elif in_its_unit(items[at][1], value, self.findings):
                new = replaced_parameter(items[at][1], value)
                if isinstance(new, Mapping) and new is not value:
                    kept = [pair for pair in new.items if text_of(pair[0]) not in {"range", "step"}]
                    new = replace(new, items=tuple(kept))
                items[at] = (key_at(key, key.text), new)
        if not items:
            return tree
        place = params.span if params is not None else items[0][0].span
        return with_value(tree, "params", None, Mapping(tuple(items), place))


def _of_symbol(tree: Mapping, symbol: Scalar) -> Mapping:
    """Return the tree for another symbol; the file's own stays a symbol whose data is named."""
    pilot, others = value_of(tree, "symbol"), value_of(tree, "symbols")
    if pilot is not None:
        both = listed(others, pilot) if others is not None else Listing((pilot,), pilot.span)
        tree = with_value(tree, "symbols", None, both)
    return with_value(tree, "symbol", None, symbol)


def _pairs(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.items if isinstance(node, Mapping) else ()


def _words(root: Mapping) -> Iterator[str]:
    """Yield the words of what decides, as it was written in one file."""
    ahead = [value for key, value in root.items if text_of(key) in {"define", "rules", "stages"}]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Scalar):
            yield from _words_of(node.text)
        elif isinstance(node, Mapping):
            ahead += [value for _, value in node.items]
        else:
            ahead += children(node)


def _words_of(text: str) -> list[str]:
    return WORD.findall(text)
