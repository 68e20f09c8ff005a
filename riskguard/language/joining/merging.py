"""Several files made one tree: single values of the later file, everything named united."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.schema import FILE_KEYS
from riskguard.language.source import Listing, Mapping, Scalar, items_of, text_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from riskguard.language.findings import Findings
    from riskguard.language.joining.including import Part
    from riskguard.language.source import Node

__all__ = ["COMPOSING", "listed", "merged", "stage_name"]

# what composes is done with once the tree is one
COMPOSING = frozenset({"extends", "override", "disable"})
NAMED = ("params", "define", "rules", "stages", "per_symbol")
UNITED = ("symbols", "tags", "references")


def merged(
    tree: Mapping | None, part: Part, findings: Findings, overridden: Collection[str]
) -> Mapping:
    """Return the tree with a further file in it; `overridden` are addresses given twice.

    What a file allows holds for that file alone.
    """
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in tree.items if tree is not None else ():
        if isinstance(key, Scalar) and key.text != "allow":
            found[key.text] = (key, value)
    earlier = set(found)
    for key, value in part.root.items:
        if not isinstance(key, Scalar) or key.text in COMPOSING:
            continue
        if key.text in earlier:
            joined = _joined(key, found[key.text][1], value, findings, overridden)
            found[key.text] = (key, joined)
        else:
            found.setdefault(key.text, (key, value))
    order = {key: place for place, key in enumerate(FILE_KEYS)}
    items = sorted(found.values(), key=lambda pair: order.get(pair[0].text, len(order)))
    return Mapping(tuple(items), part.root.span)


def _joined(
    key: Scalar, old: Node, new: Node, findings: Findings, overridden: Collection[str]
) -> Node:
    """Return what two files make of one key."""
    section = key.text
    if section == "inputs" and isinstance(old, Mapping) and isinstance(new, Mapping):
        names = {text_of(name) for name, _ in new.items}
        kept = tuple(pair for pair in old.items if text_of(pair[0]) not in names)
        return Mapping((*kept, *new.items), new.span)
    if section == "stages" and isinstance(old, Listing) and isinstance(new, Listing):
        return _ladder(old, new, findings, overridden)
    if section in NAMED and isinstance(old, Mapping) and isinstance(new, Mapping):
        return _named(section, old, new, findings, overridden)
    return listed(old, new) if section in UNITED else new


def _named(
    section: str, old: Mapping, new: Mapping, findings: Findings, overridden: Collection[str]
) -> Mapping:
    before = {text_of(name): name for name, _ in old.items}
    kept = dict.fromkeys(old.items)
    fresh: list[tuple[Node, Node]] = []
    for name, value in new.items:
        first = before.get(text_of(name))
        if first is None:
            fresh.append((name, value))
        elif f"{section}.{text_of(name)}" not in overridden:
            _twice(first, name, section, findings)
    return Mapping((*kept, *fresh), new.span)


def _ladder(old: Listing, new: Listing, findings: Findings, overridden: Collection[str]) -> Listing:
    before = {name.text: name for name in map(stage_name, old.items) if name is not None}
    fresh: list[Node] = []
    for stage in new.items:
        name = stage_name(stage)
        first = before.get(name.text) if name is not None else None
        if name is None or first is None:
            fresh.append(stage)
        elif f"stages.{name.text}" not in overridden:
            _twice(first, name, "stages", findings)
    return Listing((*old.items, *fresh), new.span)


def listed(old: Node, new: Node) -> Node:
    """Return the entries of two lists, each text once; a single text stands for a list of one."""
    both = [one for node in (old, new) for one in (items_of(node) or (node,))]
    found: dict[str, Node] = {}
    for one in both:
        found.setdefault(text_of(one) or str(id(one)), one)
    return Listing(tuple(found.values()), new.span)


def _twice(first: Node, again: Node, section: str, findings: Findings) -> None:
    name, place = text_of(again), first.span
    message = f"'{name}' is defined in {place.path}:{place.line} and here"
    fix = f'use "override:", for example override: {{{section}.{name}: …}}'
    if section == "per_symbol":
        fix = "say it in one of the two files"
    findings.error("RG601", again.span, message, fix)


def stage_name(stage: Node) -> Scalar | None:
    """Return where a stage of the list says its name."""
    for key, value in stage.items if isinstance(stage, Mapping) else ():
        if text_of(key) == "stage" and isinstance(value, Scalar):
            return value
    return None
