"""Keys that slipped out of their block: said once, and read where they were meant."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.language.findings import SURE, near
from riskguard.language.schema import (
    ACTIONS,
    CONDITION_KEYS,
    DURING_KEYS,
    REENTRY_KEYS,
    RESERVED,
    RULE_KEYS,
)
from riskguard.language.source import Entry, Listing, Mapping, Scalar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Mapping as Table

    from riskguard.language.findings import Findings
    from riskguard.language.source import Node

__all__ = [
    "coloned",
    "gathered",
    "halved",
    "laddered",
    "named",
    "parted",
    "returned",
    "undashed",
    "whole_numbers",
]

NUMBER_HEAD = re.compile(r"-?\$?\d+$")
NUMBER_TAIL = re.compile(r"(?P<digits>\d+)(?P<unit>%|[^\W\d_]*)(?: for .*)?$")
NAMING = ("name", "rule", "id", "title")
DEEPER = "indent it by two more spaces"
# keys that hold a block -> the keys of that block; () = names that the author gives
INSIDE: Table[str, Collection[str]] = {
    **dict.fromkeys(("when", "clear", "enter", "recover", "not"), CONDITION_KEYS),
    **dict.fromkeys(("do", "fallback"), ACTIONS),
    **dict.fromkeys(("rules", "params", "define", "inputs", "per_symbol"), ()),
    "reentry": REENTRY_KEYS,
    "during": DURING_KEYS,
}


def gathered(entries: Sequence[Entry], keys: Collection[str], found: Findings) -> list[Entry]:
    """Put keys that stand beside an empty key, and belong under it, there."""
    written = {entry.key.text for entry in entries}
    free = [key for key in keys if key not in written]
    kept: list[Entry] = []
    for entry in entries:
        owner = kept[-1] if kept else None
        if owner is None or not _belongs(entry, owner, keys, free):
            kept.append(entry)
            continue
        if isinstance(owner.node, Scalar):
            message = f"'{entry.key.text}' stands beside '{owner.key.text}:', not under it"
            found.error("RG120", entry.key.span, message, DEEPER)
        kept[-1] = _with(owner, entry)
    return kept


def _belongs(entry: Entry, owner: Entry, keys: Collection[str], free: Collection[str]) -> bool:
    key, inside = entry.key.text, INSIDE.get(owner.key.text)
    if inside is None or key in keys or not _waits(owner):
        return False
    if inside:
        return key in inside or bool(near(key, inside, SURE) and not near(key, free, SURE))
    return isinstance(entry.node, Mapping) or not near(key, free, SURE)


def returned(entries: Sequence[Entry], section: str, found: Findings) -> list[Entry]:
    """Put keys of a rule (or definition) that stand beside it back into it."""
    kept: list[Entry] = []
    told: Entry | None = None
    for entry in entries:
        if not _lost(entry, section, kept):
            kept.append(entry)
            continue
        key = entry.key
        if not kept:
            message = f"'{key.text}' stands directly under 'rules:': every rule has a name"
            found.error("RG120", key.span, message, f'write "my_rule:" above it, and {DEEPER}')
            kept.append(Entry(replace(key, text="my_rule"), Scalar("", key.span)))
            told = kept[-1]
        if told is None or told.key is not kept[-1].key:
            owner = kept[-1].key.text
            message = f"'{key.text}' stands beside '{owner}:', not under it"
            found.error("RG120", key.span, message, DEEPER)
        kept[-1] = told = _with(kept[-1], entry)
    return kept


def _lost(entry: Entry, section: str, kept: Sequence[Entry]) -> bool:
    if section == "define":
        condition = entry.key.text in CONDITION_KEYS and entry.key.text in RESERVED
        return condition and bool(kept) and _waits(kept[-1])
    if section != "rules" or entry.key.text not in RULE_KEYS:
        return False
    if isinstance(entry.node, Mapping):  # a rule may be called so, if it looks like one
        inner = {key.text for key, _ in entry.node.items if isinstance(key, Scalar)}
        if inner & {"when", "do"}:
            return False
    return not kept or isinstance(kept[-1].node, Mapping) or _waits(kept[-1])


def _waits(entry: Entry) -> bool:
    """Say whether nothing stands under a key, or only what was put there."""
    node = entry.node
    put = isinstance(node, Mapping) and node.span == entry.key.span
    return put or (isinstance(node, Scalar) and node.empty)


def _with(owner: Entry, entry: Entry) -> Entry:
    items = owner.node.items if isinstance(owner.node, Mapping) else ()
    span = owner.node.span if isinstance(owner.node, Mapping) else owner.key.span
    return Entry(owner.key, Mapping((*items, (entry.key, entry.node)), span))


# ---------------------------------------------------------------- what is written in one piece


def named(node: Listing) -> Mapping:
    """Read a list of rules as the block it should be: what has a name stands under it."""
    pairs: list[tuple[Node, Node]] = []
    for item in node.items:
        if not isinstance(item, Mapping) or not item.items:
            continue
        (key, value), *rest = item.items
        if rest and isinstance(key, Scalar) and key.text in NAMING and isinstance(value, Scalar):
            pairs.append((value, Mapping(tuple(rest), item.span)))
        elif not rest and isinstance(value, Mapping):
            pairs.append((key, value))
    return Mapping(tuple(pairs), node.span)


def laddered(node: Node) -> tuple[Node, ...]:
    """Read a block of stages as the list it should be: what stands under a name begins with it."""
    return tuple(
        Mapping(((replace(key, text="stage"), key), *value.items), key.span)
        for key, value in (node.items if isinstance(node, Mapping) else ())
        if isinstance(key, Scalar) and isinstance(value, Mapping)
    )


def undashed(node: Node, what: str, found: Findings) -> Node:
    """Read a list of blocks as the one block it was meant to be."""
    if not isinstance(node, Listing) or not node.items:
        return node
    items: list[tuple[Node, Node]] = []
    for item in node.items:
        if not isinstance(item, Mapping):
            return node
        items += item.items
    message = f'{what} must be a block of "key: value" lines'
    found.error("RG120", node.span, message, "leave out the dashes")
    return Mapping(tuple(items), node.span)


def parted(entry: Entry, found: Findings) -> Entry:
    """Read `{exposure_cap:50%}` as a key and its value."""
    key, text = entry.key, entry.key.text
    at = text.find(":")
    if at < 1 or key.style or not (isinstance(entry.node, Scalar) and entry.node.empty):
        return entry
    value = text[at + 1 :]
    message = f"missing space after the colon of '{text[:at]}'"
    found.error("RG014", key.place(at, at + 1), message, f'write "{text[:at]}: {value}"')
    name = Scalar(text[:at], key.place(0, at), "", key.lines)
    return Entry(name, Scalar(value, key.place(at + 1, len(text)), "", key.lines))


def coloned(entry: Entry, found: Findings) -> Entry:
    """Read `do {exposure_cap: 50%}`, whose first colon is missing, as a key with its block."""
    key, value = entry.key, entry.node
    brace = key.text.find(" {")
    if brace < 1 or key.style or not isinstance(value, Scalar):
        return entry
    word = key.text[:brace]
    inner, text = key.text[brace + 2 :], value.text.removesuffix("}")
    fix = f'write "{word}: {{{inner}: {text}}}"'
    found.error("RG039", key.place(0, brace), "a colon is missing in this line", fix)
    name = Scalar(inner, key.place(brace + 2, len(key.text)), "", key.lines)
    block = Mapping(((name, replace(value, text=text, whole=True)),), value.span)
    return Entry(Scalar(word, key.place(0, brace), "", key.lines), block)


def halved(before: Entry | None, entry: Entry, found: Findings) -> bool:
    """Note a value that a comma inside { } cut in two; return whether `entry` is its rest."""
    text, value = entry.key.text, before.node if before else None
    if not (isinstance(value, Scalar) and isinstance(entry.node, Scalar) and entry.node.empty):
        return False
    opened = value.text.rfind("(")
    if value.style or opened <= value.text.rfind(")") or ")" not in text:
        return False
    fix = "inside [ ] or { } put the whole comparison in quotes: a comma splits it"
    found.error("RG113", value.place(opened, opened + 1), '"(" is never closed', fix)
    return True


def whole_numbers(node: Listing, found: Findings) -> list[Node]:
    """Return the items of a list, those put together again that a comma in a number parted."""
    items: list[Node] = []
    for item in node.items:
        before = items[-1] if items and node.flow else None
        if not (isinstance(before, Scalar) and isinstance(item, Scalar)) or before.style:
            items.append(item)
            continue
        head, tail = NUMBER_HEAD.search(before.text), NUMBER_TAIL.match(item.text)
        close = before.span.end_column + 1 == item.span.column
        if head is None or tail is None or not close or before.span.line != item.span.line:
            items.append(item)
            continue
        thousands = len(tail["digits"]) == 3 and not tail["unit"]
        written = f"{head[0]}{'_' if thousands else '.'}{tail[0].strip()}"
        message = f"the comma splits {head[0]},{tail[0].strip()} in two"
        comma = replace(before.span, column=item.span.column - 1, end_column=item.span.column)
        found.error("RG113", comma, message, f"write {written}")
        items[-1] = Scalar(f"{before.text[: head.start()]}{written}", before.span, whole=True)
    return items
