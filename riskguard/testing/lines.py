"""The lines of a rule file as tests count them: one comparison as written, wherever it is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from riskguard.language.rewriting import Latch, altered, latches, release, trigger
from riskguard.language.ruleset import (
    All,
    Arithmetic,
    AtLeast,
    Compare,
    Constant,
    For,
    Measured,
    Not,
    Sequence,
    SeriesValue,
    parts,
    walk,
)
from riskguard.language.ruleset import Any as AnyOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from riskguard.language.ruleset import Condition, RuleSet, Span, Value

    Change = Callable[["Compare | For"], "Condition"]

__all__ = ["Line", "lines_of", "with_line"]


@dataclass(frozen=True, slots=True)
class Line:
    """One written comparison; `nodes` are its forms, several where a long form repeats it."""

    text: str
    span: Span
    nodes: tuple[Condition, ...]  # Compare, or For around one: equal by meaning


def conditions(rules: RuleSet) -> Iterator[Condition]:
    """Yield every condition of a rule set, those of symbols with their own rules after it."""
    yield from rules.define.values()
    for latch in latches(rules):
        again = latch.reentry.condition if latch.reentry else None
        yield from (one for one in (trigger(latch), release(latch), again) if one is not None)
    for own in rules.per_symbol.values():
        yield from conditions(own)


def lines_of(rules: RuleSet) -> list[Line]:
    """Return the lines of a rule set in the order written."""
    found: dict[tuple[Span, Condition], dict[Condition, None]] = {}
    texts: dict[tuple[Span, Condition], str] = {}
    for root in conditions(rules):
        for node, inner in _lines(root):
            key = (inner.span, _unnamed(node))
            found.setdefault(key, {}).setdefault(node)
            texts.setdefault(key, getattr(node, "text", "") or inner.text)
    made = [Line(texts[key], key[0], tuple(nodes)) for key, nodes in found.items()]
    return sorted(made, key=lambda line: (line.span.path, line.span.line, line.span.column))


def _lines(root: Condition) -> Iterator[tuple[Compare | For, Compare]]:
    held = {id(node.of) for node in walk(root) if isinstance(node, For)}
    for node in walk(root):
        if isinstance(node, For) and isinstance(node.of, Compare):
            yield node, node.of
        elif isinstance(node, Compare) and id(node) not in held:
            yield node, node


def _unnamed(node: Compare | For) -> Condition:
    """Return a line without the symbols it reads: breadth repeats one line for many."""
    if isinstance(node, For):
        inner = _unnamed(node.of) if isinstance(node.of, Compare) else node.of
        return replace(node, of=inner)
    return replace(node, left=_bare(node.left), right=_bare(node.right))


def _bare(value: Value) -> Value:
    if isinstance(value, SeriesValue):
        return replace(value, symbol="")
    if isinstance(value, Measured):
        of = _bare(value.of)
        return replace(value, of=of) if not isinstance(of, Arithmetic | Constant) else value  # type: ignore[arg-type]  # what is measured stays measurable
    if isinstance(value, Arithmetic):
        return replace(value, left=_bare(value.left), right=_bare(value.right))
    return value


# ---------------------------------------------------------------- changed


def with_line(rules: RuleSet, line: Line, change: Change) -> RuleSet:
    """Return the rules with one line changed wherever it is read."""
    spots = set(line.nodes)

    def node(one: Condition) -> Condition:
        if isinstance(one, Compare | For) and one in spots and _at(one) == line.span:
            return change(one)
        if isinstance(one, Not | For):
            return replace(one, of=node(one.of))
        if isinstance(one, All | AnyOf | AtLeast | Sequence):
            return replace(one, of=tuple(node(part) for part in parts(one)))
        return one

    def latch(one: Latch) -> Latch:
        frees, again = release(one), one.reentry
        return altered(
            one,
            node(trigger(one)),
            None if frees is None else node(frees),
            None if again is None else replace(again, condition=node(again.condition)),
        )

    return replace(
        rules,
        define={name: node(one) for name, one in rules.define.items()},
        rules=tuple(map(latch, rules.rules)),
        stages=tuple(map(latch, rules.stages)),
        per_symbol={
            symbol: with_line(own, line, change) for symbol, own in rules.per_symbol.items()
        },
    )


def _at(one: Compare | For) -> Span:
    return one.of.span if isinstance(one, For) and isinstance(one.of, Compare) else one.span
