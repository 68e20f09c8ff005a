"""`override`: dotted addresses of a composed file, each replaced by a whole value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.expression import parse_literal
from riskguard.language.findings import LineError, near
from riskguard.language.joining.merging import stage_name
from riskguard.language.schema import (
    ACTIONS,
    FILE_KEYS,
    INPUT_KEYS,
    PARAMETER_KEYS,
    REENTRY_KEYS,
    RULE_KEYS,
    STAGE_KEYS,
)
from riskguard.language.source import Listing, Mapping, Scalar
from riskguard.language.text.units import WORDS, comparable, percent

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from riskguard.language.expression import Literal
    from riskguard.language.findings import Findings
    from riskguard.language.source import Node

__all__ = [
    "SECTIONS",
    "in_its_unit",
    "key_at",
    "overridden",
    "replaced_parameter",
    "value_of",
    "with_value",
]

SECTIONS = ("inputs", "params", "define", "rules", "stages")
SINGLE = tuple(
    key
    for key in FILE_KEYS
    if key not in {*SECTIONS, "version", "extends", "override", "disable", "per_symbol", "allow"}
)
KEYS = {
    "inputs": INPUT_KEYS,
    "params": PARAMETER_KEYS,
    "define": (),
    "rules": RULE_KEYS,
    "stages": tuple(key for key in STAGE_KEYS if key != "stage"),
}
INNER = {"do": tuple(ACTIONS), "fallback": tuple(ACTIONS), "reentry": REENTRY_KEYS}

ASKING = ("do", "fallback")  # plug-ins too: rules.cascade.do.plugin.webhook


class _AddressError(Exception):
    def __init__(self, fix: str) -> None:
        super().__init__(fix)
        self.fix = fix


def overridden(
    root: Mapping,
    changes: Iterable[tuple[Scalar, Node]],
    findings: Findings,
    *,
    whole: bool = True,
) -> Mapping:
    """Return the tree with the values at addresses replaced; an unknown address is noted.

    `whole` says that the single values of the file may be replaced too.
    """
    tree = _Tree(root, SINGLE if whole else (), findings)
    for key, value in changes:
        try:
            tree.replace(key, value)
        except _AddressError as fault:
            findings.error("RG602", key.span, "no such address", fault.fix)
    return tree.closed()


class _Tree:
    """A file whose sections are opened once, however many of their entries are replaced."""

    def __init__(self, root: Mapping, single: tuple[str, ...], findings: Findings) -> None:
        self.root, self.single, self.findings = root, single, findings
        self.opened: dict[str, _Section] = {}

    def replace(self, key: Scalar, value: Node) -> None:
        section, _, rest = key.text.partition(".")
        if section not in SECTIONS:
            if rest or section not in self.single:
                self._named_without_section(key.text)
                raise _meant(section, [*self.single, *SECTIONS], "", rest)
            self.root = with_value(self.root, section, key_at(key, section), value)
            return
        held = self._open(section)
        if not rest:
            first = _first(value)
            if first is not None and _longest(first[0], held.places):
                raise _AddressError(f"write {section}.{first[0]}: {first[1]}")
            example = next(iter(held.places), "my_name")
            raise _AddressError(f"name one of them, for example {section}.{example}")
        name = _longest(rest, held.places)
        if name is None:
            written, _, inner = rest.partition(".")
            raise _meant(written, held.places, f"{section}.", inner)
        inner = rest[len(name) + 1 :]
        old = held.value(name)
        figure = section == "params" and inner in {"", "value"}
        if figure and not in_its_unit(old, value, self.findings):
            return
        if inner:
            held.put(name, None, _inside(old, inner, key, value, (section, name)))
        else:
            new = replaced_parameter(old, value) if section == "params" else value
            held.put(name, key_at(key, name), new)

    def _named_without_section(self, address: str) -> None:
        for section in SECTIONS:
            if _longest(address, self._open(section).places):
                raise _AddressError(f"did you mean {section}.{address}?")

    def _open(self, section: str) -> _Section:
        if section not in self.opened:
            self.opened[section] = _Section(value_of(self.root, section))
        return self.opened[section]

    def closed(self) -> Mapping:
        for section, held in self.opened.items():
            node = held.closed()
            if node is not None:
                self.root = with_value(self.root, section, None, node)
        return self.root


class _Section:
    """The entries of a section by name: keys with values, or stages."""

    def __init__(self, node: Node | None) -> None:
        self.node = node
        self.pairs = list(node.items) if isinstance(node, Mapping) else []
        self.stages = list(node.items) if isinstance(node, Listing) else []
        keys = enumerate(key for key, _ in self.pairs)
        self.places = {key.text: at for at, key in keys if isinstance(key, Scalar)}
        for at, stage in enumerate(self.stages):
            written = stage_name(stage)
            if written is not None:
                self.places[written.text] = at

    def value(self, name: str) -> Node:
        at = self.places[name]
        return self.pairs[at][1] if self.pairs else self.stages[at]

    def put(self, name: str, key: Scalar | None, new: Node) -> None:
        at = self.places[name]
        if self.pairs:
            self.pairs[at] = (key or self.pairs[at][0], new)
            return
        written = stage_name(self.stages[at])
        if isinstance(new, Mapping) and stage_name(new) is None and written is not None:
            called = key or written  # a stage given whole has the name that its address says
            new = replace(new, items=((key_at(called, "stage"), called), *new.items))
        self.stages[at] = new
        again = stage_name(new)
        if again is not None and again.text != name:
            del self.places[name]
            self.places[again.text] = at

    def closed(self) -> Node | None:
        if isinstance(self.node, Mapping):
            return replace(self.node, items=tuple(self.pairs))
        if isinstance(self.node, Listing):
            return replace(self.node, items=tuple(self.stages))
        return self.node


def _inside(old: Node, rest: str, key: Scalar, value: Node, way: tuple[str, str]) -> Node:
    """Return a rule, stage, parameter or input with one of its keys replaced."""
    section, name = way
    first, _, second = rest.partition(".")
    prefix = f"{section}.{name}."
    if section == "params" and first == "value" and isinstance(old, Scalar) and not second:
        return value
    if first not in KEYS[section] or not isinstance(old, Mapping):
        for outer, keys in INNER.items():
            if first in keys and outer in KEYS[section]:
                raise _AddressError(f"did you mean {prefix}{outer}.{rest}?")
        raise _meant(first, KEYS[section], prefix, second)
    if not second:
        return with_value(old, first, key_at(key, first), value)
    inner = value_of(old, first)
    if section == "params" and first == "by_source" and isinstance(inner, Mapping):
        return with_value(old, first, None, with_value(inner, second, key_at(key, second), value))
    if first not in INNER:
        raise _AddressError(f"replace it whole: {prefix}{first}")
    if second not in INNER[first] and not (first in ASKING and second.startswith("plugin.")):
        raise _meant(second, INNER[first], f"{prefix}{first}.", "")
    if not isinstance(inner, Mapping):
        raise _AddressError(f"replace it whole: {prefix}{first}")
    return with_value(old, first, None, with_value(inner, second, key_at(key, second), value))


def replaced_parameter(old: Node, new: Node) -> Node:
    """Return a parameter with a bare value in place of its own: range, step and help stay.

    A parameter by source takes it for every source, as `--set` does.
    """
    if not isinstance(old, Mapping) or isinstance(new, Mapping):
        return new
    sources = value_of(old, "by_source")
    if not isinstance(sources, Mapping):
        return with_value(old, "value", None, new)
    items = [(key, new) for key, _ in sources.items]
    return with_value(old, "by_source", None, replace(sources, items=tuple(items)))


def in_its_unit(old: Node, new: Node, findings: Findings) -> bool:
    """Note a bare value in another unit than the parameter has; return whether there is none.

    Said here, since every line that reads the parameter would complain in a file of others.
    """
    before, after = _figure(old), _figure(new)
    if before is None or after is None or not isinstance(new, Scalar):
        return True
    was, now, value = before[0].dimension, after[0].dimension, after[0].value
    priced = (was, now) == ("plain", "dollars")  # 75_000 may be a price
    if priced or {was, now} == {"time", "bars"} or comparable(now, was):
        return True
    message = f"the parameter is {WORDS[was]}, {after[1]} is {WORDS[now]}"
    fix = f"write it in the unit of {before[1]}"
    if (was, now) == ("share", "plain"):
        fix = f"write {percent(value)}" if abs(value) < 1 else f"write {after[1]}%"
    findings.error("RG305", new.span, message, fix)
    return False


def _figure(node: Node | None) -> tuple[Literal, str] | None:
    """Return the number that a parameter holds, of several the first, and its text."""
    if isinstance(node, Mapping):
        sources = value_of(node, "by_source")
        first = sources.items[0][1] if isinstance(sources, Mapping) and sources.items else None
        return _figure(value_of(node, "value") or first)
    try:
        return (parse_literal(node.text), node.text) if isinstance(node, Scalar) else None
    except LineError:
        return None


# ---------------------------------------------------------------- nodes


def key_at(written: Scalar, text: str) -> Scalar:
    """Return a key that stands where an address was written."""
    return Scalar(text, written.span, whole=True)


def value_of(node: Node | None, key: str) -> Node | None:
    """Return what stands under a key of a block."""
    for name, value in node.items if isinstance(node, Mapping) else ():
        if isinstance(name, Scalar) and name.text == key:
            return value
    return None


def with_value(node: Mapping, key: str, place: Scalar | None, value: Node) -> Mapping:
    """Return a block with a key replaced or added; `place` is the new key, None keeps the old."""
    items = list(node.items)
    for at, (name, _) in enumerate(items):
        if isinstance(name, Scalar) and name.text == key:
            items[at] = (place or name, value)
            return replace(node, items=tuple(items))
    fresh = place or Scalar(key, value.span, whole=True)
    return replace(node, items=(*items, (fresh, value)))


def _first(value: Node) -> tuple[str, str] | None:
    """Return the first value of nested blocks, with the dotted way to it."""
    way: list[str] = []
    while isinstance(value, Mapping) and value.items and isinstance(value.items[0][0], Scalar):
        way.append(value.items[0][0].text)
        value = value.items[0][1]
    return (".".join(way), value.text) if way and isinstance(value, Scalar) else None


def _longest(rest: str, names: Container[str]) -> str | None:
    """Return the longest name that an address begins with: names of inputs have dots."""
    while rest not in names:
        rest, dot, _ = rest.rpartition(".")
        if not dot:
            return None
    return rest


def _meant(word: str, known: Iterable[str], before: str, after: str) -> _AddressError:
    names = list(known)
    close = near(word, names)
    if close:
        return _AddressError(f"did you mean {before}{close}{'.' if after else ''}{after}?")
    shown = ", ".join(f"{before}{name}" for name in sorted(names)[:12])
    return _AddressError(
        f"for example: {shown}" if shown else f"nothing is named under {before[:-1]}"
    )
