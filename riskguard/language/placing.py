"""Where printed words come from: what the author wrote under the same keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.addresses import value_of
from riskguard.language.merging import stage_name
from riskguard.language.source import Listing, Mapping, Scalar

if TYPE_CHECKING:
    from riskguard.language.ruleset import Span
    from riskguard.language.source import Node

__all__ = ["placed"]


def placed(node: Mapping, written: Mapping) -> Mapping:
    """Return printed nodes at the places of the written ones that have the same keys."""
    return Mapping(tuple(_pair(key, value, written) for key, value in node.items), written.span)


def _pair(key: Node, value: Node, written: Mapping) -> tuple[Node, Node]:
    if not isinstance(key, Scalar):
        return key, value
    names = {one.text: one.span for one, _ in written.items if isinstance(one, Scalar)}
    if key.text not in names:
        return key, value
    return _at(key, names[key.text]), _value(value, value_of(written, key.text))


def _value(node: Node, written: Node | None) -> Node:
    if isinstance(node, Mapping) and isinstance(written, Mapping):
        return placed(node, written)
    if isinstance(node, Listing) and isinstance(written, Listing):
        return replace(node, items=tuple(_item(item, written) for item in node.items))
    if isinstance(node, Scalar) and isinstance(written, Scalar):
        return _at(node, written.span)
    if isinstance(node, Mapping | Listing) or written is None:
        return node  # a long form is where its own words are
    return _at(node, written.span)


def _item(node: Node, written: Listing) -> Node:
    """Return an item of a list at the place of its like: a stage of that name, an equal text."""
    name = stage_name(node)
    for one in written.items:
        if name is not None and isinstance(node, Mapping) and isinstance(one, Mapping):
            called = stage_name(one)
            if called is not None and called.text == name.text:
                return placed(node, one)
        if isinstance(one, Scalar) and isinstance(node, Scalar) and one.text == node.text:
            return _at(node, one.span)
    return node


def _at(node: Scalar, span: Span) -> Scalar:
    return replace(node, span=span)
