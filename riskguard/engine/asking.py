"""What rules that are on ask of action plug-ins: a text for each, under an id that stays.

A plug-in changes no decision and is no duty of a bot: it is told once for each time that a rule
turns on, by the process around the guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.guard import Guard
    from riskguard.language.ruleset import RuleSet

__all__ = ["Asked", "asked", "asking", "named"]


class Asked(NamedTuple):
    """One plug-in that one rule asks for; the rule is on since `since` (ns)."""

    plugin: str
    text: str
    rule: str  # "cascade", "stage cut"
    symbol: str
    since: int

    @property
    def key(self) -> str:
        """Who asks for whom: one activation of it is told once."""
        return f"{self.rule}:{self.plugin}"

    @property
    def id(self) -> str:
        """The same for the same activation, in every process and in a replay."""
        rule = self.rule.replace(" ", ".")
        return f"plugin.{self.plugin}:{self.symbol}:{rule}:{self.since}"


def named(ruleset: RuleSet) -> dict[str, str]:
    """Return the plug-ins that rules and stages may ask for, by the key of each."""
    latches = [(rule.name, rule.do) for rule in ruleset.rules]
    latches += [(f"stage {stage.name}", stage.do) for stage in ruleset.stages]
    return {f"{name}:{plugin}": plugin for name, do in latches for plugin, _ in do.plugins}


def asking(ruleset: RuleSet) -> bool:
    """Say whether any rule or stage asks for a plug-in."""
    return any(rule.do.plugins for rule in ruleset.rules) or any(
        stage.do.plugins for stage in ruleset.stages
    )


def asked(guard: Guard) -> Iterator[Asked]:
    """Yield what the rules and the stage that are on ask for now."""
    stream, symbol = guard.stream, guard.decision.symbol
    ladder = stream.ladder
    if ladder.stage:
        stage = guard.ruleset.stages[ladder.stage - 1]
        for plugin, text in stage.do.plugins:
            yield Asked(plugin, text, f"stage {stage.name}", symbol, ladder.since)
    for rule, latch in zip(guard.ruleset.rules, stream.latches, strict=True):
        if latch.on:
            for plugin, text in rule.do.plugins:
                yield Asked(plugin, text, rule.name, symbol, latch.since)
