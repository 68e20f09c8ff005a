"""`override`: dotted addresses of a composed file, each replaced by a whole value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.findings import near
from riskguard.language.merging import stage_name
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

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.language.findings import Findings
    from riskguard.language.source import Node

__all__ = ["SECTIONS", "key_at", "overridden", "replaced_parameter", "value_of", "with_value"]

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


class _AddressError(Exception):
    def __init__(self, fix: str) -> None:
        super().__init__(fix)
        self.fix = fix


def overridden(
    root: Mapping, key: Scalar, value: Node, findings: Findings, *, whole: bool = True
) -> Mapping:
    """Return the tree with the value at an address replaced; an unknown address is noted.

    `whole` says that the single values of the file may be replaced too.
    """
    try:
        return _replaced(root, key, value, SINGLE if whole else ())
    except _AddressError as fault:
        findings.error("RG602", key.span, "no such address", fault.fix)
        return root


def _replaced(root: Mapping, key: Scalar, value: Node, single: tuple[str, ...]) -> Mapping:
    section, _, rest = key.text.partition(".")
    if section not in SECTIONS:
        if rest or section not in single:
            raise _meant(section, [*single, *SECTIONS], "", rest)
        return with_value(root, section, key_at(key, section), value)
    if not rest:
        raise _AddressError(f"name one of them, for example {section}.{_example(root, section)}")
    names = dict(_names(value_of(root, section)))
    name = _longest(rest, names)
    if name is None:
        written, _, inner = rest.partition(".")
        raise _meant(written, names, f"{section}.", inner)
    inner = rest[len(name) + 1 :]
    old = names[name]
    if not inner:
        new = replaced_parameter(old, value) if section == "params" else value
    else:
        new = _inside(old, inner, key, value, (section, name))
    return _put(root, section, (key_at(key, name) if not inner else None, name), new)


def _inside(old: Node, rest: str, key: Scalar, value: Node, way: tuple[str, str]) -> Node:
    """Return a rule, stage, parameter or input with one of its keys replaced."""
    section, name = way
    first, _, second = rest.partition(".")
    prefix = f"{section}.{name}."
    if section == "params" and first == "value" and isinstance(old, Scalar) and not second:
        return value
    if first not in KEYS[section] or not isinstance(old, Mapping):
        raise _meant(first, KEYS[section], prefix, second)
    if not second:
        return with_value(old, first, key_at(key, first), value)
    inner = value_of(old, first)
    if section == "params" and first == "by_source" and isinstance(inner, Mapping):
        return with_value(old, first, None, with_value(inner, second, key_at(key, second), value))
    if first not in INNER:
        raise _AddressError(f"replace it whole: {prefix}{first}")
    if second not in INNER[first]:
        raise _meant(second, INNER[first], f"{prefix}{first}.", "")
    if not isinstance(inner, Mapping):
        raise _AddressError(f"replace it whole: {prefix}{first}")
    return with_value(old, first, None, with_value(inner, second, key_at(key, second), value))


def _put(root: Mapping, section: str, name: tuple[Scalar | None, str], new: Node) -> Mapping:
    """Return the tree with the entry of that name in a section replaced."""
    key, text = name
    held = value_of(root, section)
    if isinstance(held, Mapping):
        return with_value(root, section, None, with_value(held, text, key, new))
    if not isinstance(held, Listing):
        return root
    items = []
    for stage in held.items:
        written = stage_name(stage)
        same = written is not None and written.text == text
        items.append(_stage(new, key, written) if same and written else stage)
    return with_value(root, section, None, replace(held, items=tuple(items)))


def _stage(new: Node, key: Scalar | None, name: Scalar) -> Node:
    """Return a stage given whole, with the name that its address says."""
    if not isinstance(new, Mapping) or stage_name(new) is not None:
        return new
    called = key or name
    return replace(new, items=((key_at(called, "stage"), called), *new.items))


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


# ---------------------------------------------------------------- nodes


def key_at(written: Scalar, text: str) -> Scalar:
    """Return a key that stands where an address was written."""
    return Scalar(text, written.span, whole=True)


def value_of(node: Node, key: str) -> Node | None:
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


def _names(held: Node | None) -> Iterable[tuple[str, Node]]:
    if isinstance(held, Mapping):
        for name, value in held.items:
            if isinstance(name, Scalar):
                yield name.text, value
    for stage in held.items if isinstance(held, Listing) else ():
        written = stage_name(stage)
        if written is not None:
            yield written.text, stage


def _longest(rest: str, names: Iterable[str]) -> str | None:
    """Return the longest name that an address begins with: names of inputs have dots."""
    fitting = [name for name in names if rest == name or rest.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def _example(root: Mapping, section: str) -> str:
    return next((name for name, _ in _names(value_of(root, section))), "my_name")


def _meant(word: str, known: Iterable[str], before: str, after: str) -> _AddressError:
    names = list(known)
    close = near(word, names)
    if close:
        return _AddressError(f"did you mean {before}{close}{'.' if after else ''}{after}?")
    shown = ", ".join(f"{before}{name}" for name in sorted(names)[:12])
    return _AddressError(f"for example: {shown}" if shown else f"nothing is named under {before}")
