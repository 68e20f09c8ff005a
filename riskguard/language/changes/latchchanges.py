"""How a rule or a stage has changed: when it fires and clears, what it asks for, how long."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import ndiff
from typing import TYPE_CHECKING

from riskguard.language.changes.relations import LESS, MORE, OTHER, SAME, Relations, ordered
from riskguard.language.changes.strictness import (
    DIFFERENT,
    LOOSER,
    STRICTER,
    action_effects,
    effect,
)
from riskguard.language.rewriting import release, trigger
from riskguard.language.ruleset import Actions, Not, Rule, Span
from riskguard.language.source import text_of
from riskguard.language.writing.acting import action_block, asked_texts
from riskguard.language.writing.clauses import Clauses
from riskguard.language.writing.layout import laid_out
from riskguard.language.writing.numerals import duration_text, number_text
from riskguard.language.writing.wording import keyed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.language.ruleset import Condition, Reentry, RuleSet, Stage
    from riskguard.language.source import Node

__all__ = ["Difference", "LatchChanges", "blocks", "moves", "rows"]

WIDTH = 74  # of the lines of a block: they stand behind a sign
# what a condition of each role does when it is true more often, and what less often
ROLES = {
    "fires": {MORE: (STRICTER, "sooner"), LESS: (LOOSER, "later")},
    "clears": {MORE: (LOOSER, "sooner"), LESS: (STRICTER, "later")},
    "comes back": {MORE: (LOOSER, "sooner"), LESS: (STRICTER, "later")},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of meaning: its address, both forms, and whether it protects less or more."""

    where: str  # rules.cascade.when, params.support_1
    old: str  # "" where there was nothing
    new: str
    effect: str  # looser | stricter | different, "" where others tell it
    says: str = ""  # fires later
    lines: tuple[str, ...] = ()  # "- was" and "+ is", where a line does not hold both


def rows(key: str, node: Node | None) -> list[str]:
    """Return a key with what stands under it as lines, none without it."""
    return [] if node is None else [line.text for line in laid_out(keyed({key: node}), width=WIDTH)]


def blocks(where: str, was: list[str], now: list[str], effect: str, says: str = "") -> Difference:
    """Return the difference of two blocks, with the lines in which they differ."""
    lines = tuple(line for line in ndiff(was, now) if line[0] in "-+")
    return Difference(where, "\n".join(was), "\n".join(now), effect, says, lines)


def said(role: str, relation: str) -> tuple[str, str]:
    """Return effect and words of a condition that is true at other times than it was."""
    if relation == SAME:
        return "", ""
    found, when = ROLES[role].get(relation, (DIFFERENT, "at other times"))
    return found, f"{role} {when}"


def moves(latch: Rule | Stage, relations: Relations) -> Iterator[tuple[str, str]]:
    """Yield effect and words of what a latch does otherwise, where names mean something else."""
    parts = [("fires", trigger(latch))]
    frees = release(latch)
    if frees is not None and not (isinstance(latch, Rule) and latch.latch):
        parts.append(("clears", frees))
    if latch.reentry is not None:
        parts.append(("comes back", latch.reentry.condition))
    for role, node in parts:
        found = said(role, relations.of(node, node))
        if found[0]:
            yield found


class LatchChanges:
    """Compares latches of two rule sets; `known` has the names of both."""

    def __init__(self, before: RuleSet, after: RuleSet, known: RuleSet) -> None:
        self.before, self.after = Clauses(before, figures=True), Clauses(after, figures=True)
        self.every = after.every
        self.relations = Relations(known, known)

    def of(self, where: str, old: Rule | Stage, new: Rule | Stage) -> Iterator[Difference]:
        """Yield what has changed."""
        on, off = ("when", "clear") if isinstance(new, Rule) else ("enter", "recover")
        yield from self._condition(f"{where}.{on}", "fires", trigger(old), trigger(new))
        yield from self._release(f"{where}.{off}", old, new)
        yield from _actions(f"{where}.do", old.do, new.do)
        yield from self._fallback(f"{where}.fallback", old.fallback, new.fallback)
        yield from self._time(f"{where}.min_hold", old.min_hold, new.min_hold, STRICTER)
        yield from self._ramp(f"{where}.reentry", old.reentry, new.reentry)
        if isinstance(old, Rule) and isinstance(new, Rule):
            yield from self._rule(where, old, new)

    def _condition(
        self, where: str, role: str, old: Condition | None, new: Condition | None,
        instead: tuple[Condition, Condition] | None = None,
    ) -> Iterator[Difference]:  # fmt: skip
        """Yield a condition that is true at other times; `instead` are what is compared."""
        one, two = instead or (old, new)
        relation = OTHER if one is None or two is None else self.relations.of(one, two)
        found, words = said(role, relation)
        if not found:
            return
        key = where.rpartition(".")[2]
        was = rows(key, None if old is None else self.before.words.condition(old))
        now = rows(key, None if new is None else self.after.words.condition(new))
        yield blocks(where, was, now, found, words)

    def _release(self, where: str, old: Rule | Stage, new: Rule | Stage) -> Iterator[Difference]:
        frees, freed = release(old), release(new)
        latched = isinstance(old, Rule) and isinstance(new, Rule) and old.latch and new.latch
        if latched or (frees is None and freed is None):
            return
        instead = (frees or Not(trigger(old)), freed or Not(trigger(new)))
        yield from self._condition(where, "clears", frees, freed, instead)

    def _fallback(
        self, where: str, old: Actions | None, new: Actions | None
    ) -> Iterator[Difference]:
        if old is not None and new is not None:
            yield from _actions(where, old, new)
        elif old != new:
            yield Difference(where, _written(old), _written(new), DIFFERENT)

    def _time(self, where: str, old: int, new: int, longer: str) -> Iterator[Difference]:
        found = effect(ordered(old, new), more=longer)
        if found:
            was, now = (duration_text(one, every=self.every) if one else "" for one in (old, new))
            yield Difference(where, was, now, found)

    def _ramp(self, where: str, old: Reentry | None, new: Reentry | None) -> Iterator[Difference]:
        if old is None or new is None:
            if old is not new:
                gone, added = (
                    rows("reentry", None if one is None else of.ramp(one))
                    for one, of in ((old, self.before), (new, self.after))
                )
                yield blocks(where, gone, added, STRICTER if old is None else LOOSER)
            return
        for key in ("start", "step"):
            numbers = getattr(old, key), getattr(new, key)
            found = effect(ordered(*numbers), more=LOOSER)
            if found:
                was, now = (number_text(one, "share") for one in numbers)
                yield Difference(f"{where}.{key}", was, now, found)
        yield from self._time(f"{where}.every", old.every, new.every, STRICTER)
        yield from self._condition(f"{where}.while", "comes back", old.condition, new.condition)

    def _rule(self, where: str, old: Rule, new: Rule) -> Iterator[Difference]:
        yield from self._time(f"{where}.cooldown", old.cooldown, new.cooldown, LOOSER)
        if old.latch != new.latch:
            was, now = ("true" if one else "false" for one in (old.latch, new.latch))
            yield Difference(f"{where}.latch", was, now, STRICTER if new.latch else LOOSER)
        for key in ("priority", "severity", "mutes"):
            one, two = getattr(old, key), getattr(new, key)
            if one != two:
                was, now = (
                    ", ".join(of) if isinstance(of, tuple) else str(of) for of in (one, two)
                )
                yield Difference(f"{where}.{key}", was, now, DIFFERENT)


def _actions(where: str, old: Actions, new: Actions) -> Iterator[Difference]:
    was, now = asked_texts(old), asked_texts(new)
    for key, found in action_effects(old, new):
        yield Difference(f"{where}.{key}", was.get(key, ""), now.get(key, ""), found)


def _written(do: Actions | None) -> str:
    if do is None:
        return ""
    pairs = action_block(do, Span()).items
    return ", ".join(f"{text_of(key)}: {text_of(one)}" for key, one in pairs)
