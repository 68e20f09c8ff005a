"""Where printed words come from: what the author wrote under the same keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.joining.addresses import value_of
from riskguard.language.joining.merging import stage_name
from riskguard.language.source import Listing, Mapping, Scalar

if TYPE_CHECKING:
    from riskguard.language.source import Node
    from riskguard.language.writing.naming import Names

__all__ = ["placed"]


def placed(node: Mapping, written: Mapping, names: Names) -> Mapping:
    """Return printed nodes at the places of the written ones that have the same keys.

    Where the name of a parameter was written, it takes the place of its number again.
    """
    return _Placing(names).block(node, written)


class _Placing:
    def __init__(self, names: Names) -> None:
        self.names = names

    def block(self, node: Mapping, written: Mapping) -> Mapping:
        return Mapping(tuple(self.pair(*pair, written) for pair in node.items), written.span)

    def pair(self, key: Node, value: Node, written: Mapping) -> tuple[Node, Node]:
        keys = {one.text: one for one, _ in written.items if isinstance(one, Scalar)}
        if not isinstance(key, Scalar) or key.text not in keys:
            return key, value
        return _at(key, keys[key.text]), self.value(value, value_of(written, key.text))

    def value(self, node: Node, written: Node | None) -> Node:
        if isinstance(node, Mapping) and isinstance(written, Mapping):
            return self.block(node, written)
        if isinstance(node, Listing) and isinstance(written, Listing):
            return replace(node, items=tuple(self.item(item, written) for item in node.items))
        if not isinstance(node, Scalar) or written is None:
            return node  # a long form is where its own words are
        if isinstance(written, Scalar) and self.names.stands_for(written.text, node.text):
            return written
        return _at(node, written)

    def item(self, node: Node, written: Listing) -> Node:
        """Return an item at the place of its like: a stage of that name, an equal text."""
        for one in written.items:
            if isinstance(node, Mapping) and isinstance(one, Mapping) and _same_stage(node, one):
                return self.block(node, one)
            if isinstance(one, Scalar) and isinstance(node, Scalar) and one.text == node.text:
                return _at(node, one)
        return node


def _same_stage(node: Mapping, written: Mapping) -> bool:
    name, called = stage_name(node), stage_name(written)
    return name is not None and called is not None and name.text == called.text


def _at(node: Scalar, written: Node) -> Scalar:
    return replace(node, span=written.span)
