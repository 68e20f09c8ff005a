"""Definitions, rules and stages as the blocks of a rule file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.ruleset import All, During, Not
from riskguard.language.writing.acting import action_block
from riskguard.language.writing.numerals import duration_text, number_text
from riskguard.language.writing.wording import Wording, block, missing_in, row

if TYPE_CHECKING:
    from riskguard.language.ruleset import Condition, Reentry, Rule, RuleSet, Stage
    from riskguard.language.source import Mapping, Node

__all__ = ["Clauses"]


class Clauses:
    """Prints the conditions of one rule set, each with its block."""

    def __init__(self, rules: RuleSet, *, figures: bool = False) -> None:
        self.rules = rules
        self.words = Wording(rules, figures=figures)

    def definition(self, name: str) -> Node:
        """Return the condition that a name stands for."""
        return self.words.condition(self.rules.define[name])

    def rule(self, rule: Rule) -> Mapping:
        """Return the block of a rule."""
        when, clear, hours = _hours_apart(rule)
        missing = _missing(when, clear)
        span = rule.span
        return block(
            span,
            name=rule.title or None,
            description=rule.description or None,
            severity=rule.severity if rule.severity != "warning" else None,
            priority=str(rule.priority) if rule.priority else None,
            during=None if hours is None else self.words.hours(hours),
            when=self.words.condition(when, missing),
            clear=self._release(clear, missing),
            on_missing=missing if missing != "hold" else None,
            do=action_block(rule.do, span),
            fallback=None if rule.fallback is None else action_block(rule.fallback, span),
            min_hold=self._time(rule.min_hold),
            cooldown=self._time(rule.cooldown),
            latch="true" if rule.latch else None,
            reentry=self.ramp(rule.reentry),
            mutes=row(rule.mutes, span) if rule.mutes else None,
        )

    def stage(self, stage: Stage, *, called: bool = True) -> Mapping:
        """Return the block of a stage, with its name where it is `called` by it."""
        missing = _missing(stage.enter, stage.recover)
        span = stage.span
        return block(
            span,
            stage=stage.name if called else None,
            description=stage.description or None,
            enter=self.words.condition(stage.enter, missing),
            recover=self._release(stage.recover, missing),
            on_missing=missing if missing != "hold" else None,
            do=action_block(stage.do, span),
            fallback=None if stage.fallback is None else action_block(stage.fallback, span),
            min_hold=self._time(stage.min_hold),
            reentry=self.ramp(stage.reentry),
        )

    def _release(self, clear: Condition | None, missing: str) -> Node | None:
        if clear is None:
            return None
        return self.words.condition(clear, "hold" if missing == "fire" else missing)

    def ramp(self, ramp: Reentry | None) -> Mapping | None:
        """Return the block of `reentry`."""
        if ramp is None:
            return None
        return block(
            ramp.span,
            start=number_text(ramp.start, "share"),
            step=number_text(ramp.step, "share"),
            every=self._time(ramp.every),
            while_=self.words.condition(ramp.condition),
        )

    def _time(self, length: int) -> str | None:
        return duration_text(length, every=self.rules.every) if length else None


def _hours_apart(rule: Rule) -> tuple[Condition, Condition | None, During | None]:
    """Return `when`, `clear` and `during` of a rule, as a file says them."""
    when, clear = rule.when, rule.clear
    if isinstance(when, All) and len(when.of) == 2 and clear is not None:
        hours, rest = when.of
        if isinstance(hours, During):
            # a rule with hours that does not say how it clears, clears without regard to them
            return rest, None if clear == Not(rest) else clear, hours
    return when, clear, None


def _missing(fires: Condition, frees: Condition | None) -> str:
    """Return the on_missing that a whole rule may say: what all its lines have, both sides."""
    found = missing_in(fires)
    if len(found) != 1:
        return "hold"
    (own,) = found
    others = missing_in(frees) if frees is not None else set()
    return own if others <= {"hold" if own == "fire" else own} else "hold"
