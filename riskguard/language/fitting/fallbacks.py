"""What a bot can do: actions it lacks are replaced by the rule's fallback, strictest wins."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from riskguard.language.rewriting import title
from riskguard.language.ruleset import Actions, Stop
from riskguard.language.text.units import percent

if TYPE_CHECKING:
    from riskguard.language.findings import Findings
    from riskguard.language.ruleset import Rule, RuleSet, Stage

__all__ = ["afford", "joined", "said"]

NOTHING = Actions()
# a message that is not sent changes no position
HARMLESS = "notify"
BESIDE = "plugins"  # told by the process around the guard: a bot need not be able to


def said(actions: Actions) -> list[str]:
    """Return the names of the actions that are asked for."""
    return [
        one.name
        for one in fields(Actions)
        if one.name != BESIDE and getattr(actions, one.name) != getattr(NOTHING, one.name)
    ]


def afford(
    rules: RuleSet, capabilities: frozenset[str], found: Findings, notes: list[str]
) -> RuleSet:
    """Return the rules with nothing in them that the bot cannot do."""
    latches = tuple(
        replace(rule, do=_afforded(rule, capabilities, found, notes), fallback=None)
        for rule in rules.rules
    )
    stages = tuple(
        replace(stage, do=_afforded(stage, capabilities, found, notes), fallback=None)
        for stage in rules.stages
    )
    return replace(rules, rules=latches, stages=stages)


def _afforded(
    latch: Rule | Stage, capabilities: frozenset[str], found: Findings, notes: list[str]
) -> Actions:
    asked = said(latch.do)
    lacking = [name for name in asked if name not in capabilities]
    if not lacking:
        return latch.do
    kept = replace(latch.do, **{name: getattr(NOTHING, name) for name in lacking})
    if lacking == [HARMLESS]:
        notes.append(f"{title(latch)}: this bot cannot send messages, notify is left out")
        return kept
    instead = latch.fallback
    if instead is None or not said(instead) or not capabilities.issuperset(said(instead)):
        words = ", ".join(f'"{name}"' for name in lacking)
        short = "has no fallback" if instead is None else "has a fallback it cannot do either"
        message = f"this bot cannot do {words}, and '{latch.name}' {short}"
        fix = 'add "fallback:", for example {exposure_cap: 0%}'
        found.error("RG606", latch.span, message, fix)
        return kept
    dropped = ", ".join(_shown(latch.do, name) for name in lacking)
    used = ", ".join(_shown(instead, name) for name in said(instead))
    notes.append(f"{title(latch)}: this bot cannot do {dropped}; {used} stands in for it")
    return joined(kept, instead)


def _shown(actions: Actions, name: str) -> str:
    value = getattr(actions, name)
    if name in {"exposure_cap", "reduce_by", "hedge"}:
        return f"{name} {percent(value)}"
    if name == "leverage_cap":
        return f"{name} {value:g}x"
    if name == "stop":
        return f"stop {percent(value.share)}" if value.share else f"stop {value.atr:g} ATR"
    return name if value is True else f"{name} {value}"


def joined(one: Actions, other: Actions) -> Actions:
    """Return both, the stricter of each field."""
    return Actions(
        exposure_cap=_least(one.exposure_cap, other.exposure_cap),
        reduce_by=_most(one.reduce_by, other.reduce_by),
        close=_union(one.close, other.close, "all"),
        block_entries=_union(one.block_entries, other.block_entries, "both"),
        reduce_only=one.reduce_only or other.reduce_only,
        leverage_cap=_least(one.leverage_cap, other.leverage_cap),
        stop=_nearer(one.stop, other.stop),
        cancel_orders=_union(one.cancel_orders, other.cancel_orders, "all"),
        hedge=_most(one.hedge, other.hedge),
        notify=one.notify or other.notify,
        plugins=tuple(sorted((dict(other.plugins) | dict(one.plugins)).items())),
    )


def _least(one: float | None, other: float | None) -> float | None:
    given = [value for value in (one, other) if value is not None]
    return min(given) if given else None


def _most(one: float | None, other: float | None) -> float | None:
    given = [value for value in (one, other) if value is not None]
    return max(given) if given else None


def _nearer(one: Stop | None, other: Stop | None) -> Stop | None:
    """Return the nearer stop; of two units, which is nearer is seen at each bar."""
    if one is None or other is None:
        return one or other
    return Stop(share=_least(one.share, other.share), atr=_least(one.atr, other.atr))


def _union(one: str, other: str, both: str) -> str:
    if not one or not other or one == other:
        return one or other
    return both
