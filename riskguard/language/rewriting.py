"""Conditions rebuilt leaf by leaf; a leaf that is left out is neutral in what it stands in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from riskguard.language.ruleset import (
    All,
    Arithmetic,
    AtLeast,
    Compare,
    During,
    Flag,
    For,
    Indicator,
    Measured,
    Not,
    Rule,
    Sequence,
    SeriesValue,
    of_hours,
    values,
    walk,
)
from riskguard.language.tables.ta_table import FUNCTIONS, warmup_bars
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from riskguard.language.ruleset import Actions, Condition, Reentry, RuleSet, Stage, Value

__all__ = [
    "altered",
    "bars_of",
    "conditions_of",
    "deciding",
    "key_of",
    "latches",
    "leaves",
    "observed",
    "parted",
    "rebuilt",
    "release",
    "respelt",
    "series_of",
    "title",
    "trigger",
    "uses_atr",
]

Latch = TypeVar("Latch", "Rule", "Stage")


def key_of(series: SeriesValue) -> str:
    """Return the key of a series as the data knows it: "oi", "ETH.close"."""
    return f"{series.symbol}.{series.name}" if series.symbol else series.name


def parted(key: str) -> tuple[str, str]:
    """Return the symbol ("" is the guarded one) and the name that a key is made of."""
    symbol, _, name = key.partition(".")
    return (symbol, name) if name and symbol.isupper() else ("", key)


def series_of(leaf: Compare) -> list[SeriesValue]:
    """Return every series that a leaf reads, the bars of an ATR included."""
    found: list[SeriesValue] = []
    for side in (leaf.left, leaf.right):
        for value in values(side):
            match value:
                case SeriesValue():
                    found.append(value)
                case Indicator():
                    found += bars_of(value)
                case Measured(function="atr", of=SeriesValue() as close):
                    found += [replace(close, name=name) for name in ("high", "low")]
    return found


def bars_of(value: Indicator) -> list[SeriesValue]:
    """Return the series that a function of a library is computed on."""
    if value.plugged is not None:
        read = value.plugged.series
    else:
        read = tuple((name, CATALOGUE[name].dimension) for name in FUNCTIONS[value.name].series)
    return [SeriesValue(value.symbol, *one, value.span, value.text) for one in read]


def observed(value: Indicator, every: int) -> int:
    """Return how much a function of a library must have seen before it is known, in ns."""
    if value.plugged is not None:
        return value.plugged.span or value.plugged.bars * every
    return warmup_bars(FUNCTIONS[value.name], dict(value.arguments)) * every


def leaves(*conditions: Condition) -> Iterator[Compare]:
    """Yield the comparisons under the conditions, not following flags."""
    for condition in conditions:
        yield from (node for node in walk(condition) if isinstance(node, Compare))


def conditions_of(latch: Rule | Stage) -> list[Condition]:
    """Return the conditions of a rule or a stage: what turns it on, off, and up again."""
    again = latch.reentry.condition if latch.reentry else None
    found = [trigger(latch), release(latch), again]
    return [node for node in found if node is not None]


def deciding(rules: RuleSet) -> list[Condition]:
    """Return every condition that rules and stages are decided by, definitions as far as read."""
    found = [root for latch in latches(rules) for root in conditions_of(latch)]
    read: set[str] = set()
    at = 0
    while at < len(found):
        for node in walk(found[at]):
            if isinstance(node, Flag) and node.kind == "definition" and node.name not in read:
                read.add(node.name)
                found.append(rules.define[node.name])
        at += 1
    return found


def rebuilt(
    node: Condition, change: Callable[[Compare | Flag], Condition | None]
) -> Condition | None:
    """Return the condition with every leaf changed, None when no leaf is left."""
    if isinstance(node, Compare | Flag):
        return change(node)
    if isinstance(node, During):
        return node
    if isinstance(node, Not | For):
        inner = rebuilt(node.of, change)
        return None if inner is None else replace(node, of=inner)
    parts = tuple(part for one in node.of if (part := rebuilt(one, change)) is not None)
    # nothing is left to decide by: n of fewer than n, a sequence without one of its parts, and
    # hours without a line
    lost = len(parts) < len(node.of)
    short = (
        (isinstance(node, AtLeast) and len(parts) < node.count)
        or (isinstance(node, Sequence) and lost)
        or (isinstance(node, All) and lost and all(map(of_hours, parts)))
    )
    return None if short or not parts else replace(node, of=parts)


def respelled(node: Value, symbol: str) -> Value:
    """Return the value with `symbol` written as the guarded symbol ("")."""
    if isinstance(node, SeriesValue | Indicator) and node.symbol == symbol:
        return replace(node, symbol="")
    if isinstance(node, Measured):
        of = respelled(node.of, symbol)
        return replace(node, of=of) if isinstance(of, SeriesValue | Indicator | Measured) else node
    if isinstance(node, Arithmetic):
        left, right = respelled(node.left, symbol), respelled(node.right, symbol)
        return replace(node, left=left, right=right)
    return node


def respelt(rules: RuleSet, symbol: str) -> RuleSet:
    """Return the rules with `symbol` written as the guarded symbol ("") throughout."""

    def spell(leaf: Compare | Flag) -> Condition:
        if isinstance(leaf, Flag):
            return leaf
        left, right = respelled(leaf.left, symbol), respelled(leaf.right, symbol)
        return replace(leaf, left=left, right=right)

    def kept(node: Condition) -> Condition:
        return rebuilt(node, spell) or node

    def spelt(latch: Latch) -> Latch:
        frees, again = release(latch), latch.reentry
        if again is not None:
            again = replace(again, condition=kept(again.condition))
        return altered(latch, kept(trigger(latch)), None if frees is None else kept(frees), again)

    return replace(
        rules,
        define={name: kept(node) for name, node in rules.define.items()},
        stages=tuple(map(spelt, rules.stages)),
        rules=tuple(map(spelt, rules.rules)),
    )


def latches(rules: RuleSet) -> list[Rule | Stage]:
    """Return rules and stages alike."""
    return [*rules.rules, *rules.stages]


def trigger(latch: Rule | Stage) -> Condition:
    """Return what turns a rule or a stage on."""
    return latch.when if isinstance(latch, Rule) else latch.enter


def release(latch: Rule | Stage) -> Condition | None:
    """Return what turns it off, None where that is `not` of the trigger."""
    return latch.clear if isinstance(latch, Rule) else latch.recover


def altered(
    latch: Latch, fires: Condition, frees: Condition | None, again: Reentry | None
) -> Latch:
    """Return a rule or a stage with other conditions."""
    if isinstance(latch, Rule):
        return replace(latch, when=fires, clear=frees, reentry=again)
    return replace(latch, enter=fires, recover=frees, reentry=again)


def title(latch: Rule | Stage) -> str:
    """Return how a sentence calls it."""
    return latch.name if isinstance(latch, Rule) else f"stage {latch.name}"


def uses_atr(actions: Actions | None) -> bool:
    """Say whether a stop is measured in ATR, which needs the bars of the symbol."""
    return bool(actions and actions.stop and actions.stop.atr)
