"""A rule file, read whole: every fault is found at once, nothing half read is used."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from riskguard.errors import RuleError
from riskguard.language.findings import SURE, near
from riskguard.language.joining.addresses import value_of
from riskguard.language.joining.composition import compose_file, compose_text
from riskguard.language.lint import lint
from riskguard.language.reading.allowances import silence
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.reading.conditions import ConditionReader
from riskguard.language.reading.declarations import DeclarationReader
from riskguard.language.reading.header import HeaderReader
from riskguard.language.reading.latches import LatchReader
from riskguard.language.reading.references import circles
from riskguard.language.reading.scope import Budget, Scope
from riskguard.language.reading.strays import laddered, named, returned
from riskguard.language.rewriting import latches
from riskguard.language.ruleset import RuleSet, Span
from riskguard.language.schema import FILE_KEYS, MAX_RULES, STAGE_KEYS
from riskguard.language.source import LIMITS, Listing, Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Table
    from contextlib import AbstractContextManager
    from pathlib import Path

    from riskguard.errors import Diagnostic
    from riskguard.language.joining.composition import Composed
    from riskguard.language.reading.blocks import Block, Entry
    from riskguard.language.ruleset import Parameter
    from riskguard.language.source import Node

__all__ = ["load_rules", "read_rules", "read_text"]


def load_rules(
    path: str | Path,
    *,
    settings: Table[str, str] | None = None,
    every: int | None = None,
    plugins: Iterable[str] = (),
) -> RuleSet:
    """Return the rules of a file; `settings` are texts of `--set`, `every` the bars in ns.

    `plugins` are the names of plug-ins that the operator allows it to use.

    Raises:
        RuleError: with every diagnostic, if there is an error among them.
    """
    with _allowing(plugins):
        rules, found = read_rules(path, settings=settings, every=every)
    if rules is None:
        raise RuleError(found)
    return rules


def _allowing(plugins: Iterable[str]) -> AbstractContextManager[None]:
    if not plugins:
        return nullcontext()
    from riskguard.plugins import allowing  # noqa: PLC0415 - rarely needed

    return allowing(plugins)


def read_rules(
    path: str | Path, *, settings: Table[str, str] | None = None, every: int | None = None
) -> tuple[RuleSet | None, list[Diagnostic]]:
    """Return the rules of a file, None if it has errors, and all that was found."""
    return _read(compose_file(path), settings or {}, every)


def read_text(
    text: str, name: str, *, settings: Table[str, str] | None = None, every: int | None = None
) -> tuple[RuleSet | None, list[Diagnostic]]:
    """Return the rules of a text; `name` stands for its path in what is found."""
    return _read(compose_text(text, name), settings or {}, every)


def _read(
    composed: Composed, settings: Table[str, str], every: int | None
) -> tuple[RuleSet | None, list[Diagnostic]]:
    found = composed.findings
    rules: RuleSet | None = None
    with found.bounded():
        rules = _whole(composed, settings, every)
        allowed = [one for root in composed.roots for one in silence(root, found)]
    if rules is None or found.failed:
        return None, found.sorted()
    return replace(rules, allowed=tuple(allowed)), found.sorted()


def _whole(composed: Composed, settings: Table[str, str], every: int | None) -> RuleSet | None:
    found = composed.findings
    if composed.root is None:
        return None
    scoped = partial(Scope, found, every=every, budget=Budget())
    scope = scoped(disabled=composed.disabled, spared=composed.mentioned)
    rules = _linted(scope, composed.root, settings)
    if rules is not None and composed.per_symbol:
        rules = _with_symbols(rules, composed, settings, scoped)
    return rules


def _linted(
    scope: Scope, root: Node, settings: Table[str, str], made: Table[str, Parameter] | None = None
) -> RuleSet | None:
    rules = _FileReader(scope).read(root, settings, made)
    if rules is not None and not scope.findings.failed:
        lint(rules, scope.findings)
    return rules


def _with_symbols(
    rules: RuleSet, composed: Composed, settings: Table[str, str], scoped: partial[Scope]
) -> RuleSet:
    """Read the rules once more for each symbol that has its own; a fault is told once."""
    own: dict[str, RuleSet | None] = {}
    params = value_of(composed.root, "params") if composed.root is not None else None
    made = {
        name: one
        for name, one in rules.params.items()
        if params is None or value_of(params, name) is None
    }
    for symbol, variant in composed.per_symbol.items():
        scope = scoped(disabled=variant.disabled)
        scope.spared = composed.mentioned | rules.params.keys() | rules.define.keys()
        given = {name: text for name, text in settings.items() if name not in variant.params}
        own[symbol] = _linted(scope, variant.root, given, made)
    whole = {symbol: read for symbol, read in own.items() if read is not None}
    return replace(rules, per_symbol=whole, hash="")


# one of these makes a text a rule file
FRAME = ("version", "rules", "stages", "extends")


class _FileReader(BlockReader):
    """Walks the sections of a file: names first, then what they mean."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.conditions = ConditionReader(scope)
        self.latches = LatchReader(scope, self.conditions)

    def read(
        self, root: Node, settings: Table[str, str], made: Table[str, Parameter] | None = None
    ) -> RuleSet | None:
        """Return the rules of a tree; `made` are parameters that long forms made elsewhere."""
        if not isinstance(root, Mapping):
            message = 'a rule file is a block of "key: value" lines'
            self.findings.error("RG120", root.span.begin, message, 'start with "version: 1"')
            return None
        if self._frameless(root):
            return None
        block = self.block(root, FILE_KEYS, "the file")
        header = HeaderReader(self.scope)
        if block is None or not header.version(block):
            return None
        if not block.keys() & {"rules", "stages"} and block.lacks("rules"):
            place = next(iter(block.values())).key.span
            message = 'no "rules:" and no "stages:": nothing to guard'
            self.findings.error("RG146", place, message, "add a rule under rules:")
        base = header.read(block)
        given = self.scope.every
        declarations = DeclarationReader(self.scope)
        if "inputs" in block:
            declarations.inputs(block["inputs"])
        if "params" in block:
            declarations.params(block["params"])
        declarations.settings(settings)
        self.scope.floors |= made or {}
        found = self._decisions(block, base)
        if base.every is None and self.scope.bars_used:
            found = replace(found, every=given, hash="")
        return found

    def _frameless(self, root: Mapping) -> bool:
        """Note a text that has nothing of a rule file around its rule; return whether it is one."""
        keys = {key.text for key, _ in root.items if isinstance(key, Scalar)}
        if any(near(key, FRAME, SURE) for key in keys):
            return False
        fix = 'make the first line "version: 1"'
        if keys & {"when", "do"}:
            fix = 'a rule stands below "version: 1", "rules:" and its name, each further in'
        elif any(near(key, FILE_KEYS, SURE) for key in keys):
            return False
        self.findings.error("RG140", Span(), '"version" is missing', fix)
        return True

    def _decisions(self, block: Block, base: RuleSet) -> RuleSet:
        definitions = self._named(block, "define", self.scope.definitions)
        rules = self._named(block, "rules", self.scope.rules)
        stages = self._ladder(block)
        define = {entry.key.text: self.conditions.condition(entry) for entry in definitions}
        ladder = [self.latches.stage(name, one) for name, one in stages]
        latches = [self.latches.rule(entry) for entry in rules]
        found = replace(
            base,
            hash="",
            inputs=self.scope.inputs,
            params=self.scope.params | self.scope.floors,
            define={name: part for name, part in define.items() if part is not None},
            stages=tuple(stage for stage in ladder if stage is not None),
            rules=tuple(rule for rule in latches if rule is not None),
        )
        if not self.findings.failed:
            self._whole(found)
        circles(found, self.scope)
        if not self.findings.failed:
            self._unused()
        if not (self.findings.failed or found.rules or found.stages):
            empty = block["rules" if "rules" in block else "stages"].key
            message = f'"{empty.text}:" is empty: nothing to guard'
            self.findings.error("RG146", empty.span, message, "add a rule under rules:")
        return found

    def _whole(self, found: RuleSet) -> None:
        """Refuse a file of which a part was read as nothing: no protection is lost in silence."""
        read = {*found.define, *(latch.name for latch in latches(found))}
        for names in (self.scope.definitions, self.scope.stages, self.scope.rules):
            for name in names.keys() - read:
                fix = "write it in other words, and tell us: this is a fault of riskguard"
                self.findings.error("RG039", names[name], f"'{name}' cannot be read", fix)

    # ------------------------------------------------------------ names

    def _named(self, block: Block, key: str, taken: dict[str, Span]) -> list[Entry]:
        """Claim the names of a section before anything in it is read."""
        if key not in block:
            return []
        entry = block[key]
        if key == "rules" and isinstance(entry.node, Listing):
            message = "rules are named, not listed"
            fix = 'write "my_rule:" instead of "- name: my_rule"'
            self.findings.error("RG147", entry.key.span, message, fix)
            entry = entry._replace(node=named(entry.node))
        if isinstance(entry.node, Scalar) and entry.node.empty:
            self.no_value(entry, key)
            return []
        entries = returned(self.entries(entry.node, key) or [], key, self.findings)
        if len(entries) > MAX_RULES:
            message = f"nested too deep or too large: {len(entries)} entries"
            self.findings.error("RG002", entry.key.span, message, LIMITS)
            return []
        for one in entries:  # what stands under a name that is refused is read all the same
            self.scope.claim(one.key, taken)
        return entries

    def _ladder(self, block: Block) -> list[tuple[Scalar, Block]]:
        """Claim the names of the stages, mildest first."""
        if "stages" not in block:
            return []
        entry = block["stages"]
        items = entry.node.items if isinstance(entry.node, Listing) else laddered(entry.node)
        if not isinstance(entry.node, Listing):
            message = "stages are a list, mildest first"
            self.findings.error("RG150", entry.key.span, message, 'start each with "- stage: name"')
        found: list[tuple[Scalar, Block]] = []
        for item in items:
            block_of = self.block(item, STAGE_KEYS, "stage")
            if block_of is None:
                continue
            if "stage" not in block_of:
                if block_of.lacks("stage"):
                    message, fix = 'a stage without "stage: name"', 'begin it with "stage: watch"'
                    self.findings.error("RG153", item.span.begin, message, fix)
                continue
            name = self.scalar(block_of["stage"], "stage")
            if name is None:
                continue
            if name.text in self.scope.stages:
                message = f"stage '{name.text}' appears twice"
                self.findings.error("RG151", name.span, message, "give it another name")
            elif self.scope.claim(name, self.scope.stages):
                found.append((name, block_of))
        return found

    def _unused(self) -> None:
        for name, parameter in self.scope.params.items():
            if name not in self.scope.used | self.scope.spared:
                message = f"parameter '{name}' is never used"
                self.findings.warn("RG211", parameter.span, message, "remove it")
        for name, place in self.scope.definitions.items():
            if name not in self.scope.used | self.scope.spared:
                message = f"definition '{name}' is never used"
                self.findings.warn("RG212", place, message, "remove it")
