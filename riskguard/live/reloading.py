"""New rules in the place of old ones, while the market goes on.

The new guard is warmed by what the old one still holds of its series. A rule whose meaning is
the same keeps its state; one that is on and was changed or dropped stays on in the old guard,
beside the new one, until it clears there or is released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.evaluation import STAGES
from riskguard.engine.inheriting import inherit
from riskguard.engine.logic import NEVER, Change
from riskguard.language.rewriting import conditions_of, title
from riskguard.language.ruleset import (
    Arithmetic,
    Compare,
    Condition,
    Flag,
    Indicator,
    Measured,
    ParameterValue,
    SeriesValue,
    input_of,
    values,
    walk,
)
from riskguard.live.recorder import Former
from riskguard.market import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.engine.guard import Guard
    from riskguard.language.ruleset import Rule, RuleSet, Stage, Value
    from riskguard.live.recorder import Recorder
    from riskguard.live.rules import Loaded

__all__ = ["adopt", "history", "meaning", "succeeded", "unchanged"]


def meaning(ruleset: RuleSet, latch: Rule | Stage) -> str:
    """Return all that decides when a rule or stage is on, and what it asks, as one text."""
    found: dict[str, object] = {"": (ruleset.every, ruleset.evaluate, ruleset.symbol, latch)}
    ahead: list[Condition] = list(conditions_of(latch))
    while ahead:
        for node in walk(ahead.pop()):
            if isinstance(node, Flag):
                _flagged(ruleset, node, found, ahead)
            elif isinstance(node, Compare):
                for value in (*values(node.left), *values(node.right)):
                    _valued(ruleset, value, found)
    return repr(sorted(found.items()))


def _flagged(
    ruleset: RuleSet, node: Flag, found: dict[str, object], ahead: list[Condition]
) -> None:
    name = f"{node.kind} {node.name}"
    if name in found:
        return
    found[name] = None
    if node.kind == "definition":
        found[name] = ruleset.define[node.name]
        ahead.append(ruleset.define[node.name])
        return
    latches: list[Rule | Stage] = [*ruleset.rules, *ruleset.stages]
    for other in latches:
        if other.name == node.name:
            found[name] = other
            ahead.extend(conditions_of(other))


def _valued(ruleset: RuleSet, value: Value, found: dict[str, object]) -> None:
    if isinstance(value, ParameterValue):
        one = ruleset.params[value.name]
        found[f"param {value.name}"] = (one.value, sorted(one.by_source.items()))
    elif isinstance(value, SeriesValue):
        given = input_of(ruleset, value.symbol, value.name)
        found[f"input {value.symbol}.{value.name}"] = (given.spec, given.source)
    elif isinstance(value, Indicator | Measured | Arithmetic):
        return


def succeeded(recorder: Recorder, before: Loaded, after: Loaded) -> tuple[Guard, list[Former]]:
    """Return the guard of new rules, warmed by the old one, and the former ones beside it.

    Raises:
        RuleError: the rules do not fit the bot; nothing was changed.
    """
    old, guard = recorder.guard, after.guard()
    stays, formers = adopt(old, guard), list(recorder.formers)
    if stays:
        old.also(None)
        old.only = stays
        old.remade()
        formers.append(Former(before, old))
    return guard, formers


def adopt(old: Guard, new: Guard) -> frozenset[str]:
    """Give a new guard what the old one knows; return which rules stay on in the old one."""
    for sample in history(old):
        new.update(sample)
    kept, ladder = unchanged(old.ruleset, new.ruleset), old.stream.ladder
    stays = _rules(old, new, kept)
    before, after = old.ruleset.stages, new.ruleset.stages
    same = len(before) == len(after) and all(
        meaning(old.ruleset, one) == meaning(new.ruleset, two)
        for one, two in zip(before, after, strict=True)
    )
    if same:
        new.stream.ladder.stage, new.stream.ladder.since = ladder.stage, ladder.since
    elif ladder.stage:
        stays.add(STAGES)
    goes_on: list[Rule | Stage] = [
        *(after if same else ()),
        *map(new.ruleset.rules.__getitem__, kept.values()),
    ]
    inherit(old, new, goes_on)
    names = {f"reentry {title(latch)}" for latch in goes_on}
    ramps = zip(old.plan.ramps, old.stream.ramps, strict=True)
    stays |= {spec.name for spec, ramp in ramps if ramp.rising and spec.name not in names}
    change = new.stream.change
    on = tuple(latch.on for latch in new.stream.latches)
    new.stream.stand(Change(new.stream.ladder.stage, change.stage, on, change.on))
    _by_hand(old, new)
    new.episodes.load(old.episodes.dump())
    new.remade()
    return frozenset(stays)


def _by_hand(old: Guard, new: Guard) -> None:
    """Keep what an operator has set: a halt, and the mutes of what is still there."""
    ruleset = new.ruleset
    names = {rule.name for rule in ruleset.rules} | {f"stage {one.name}" for one in ruleset.stages}
    if old.controls.halt is not None:
        new.controls.stop(*old.controls.halt)
    if old.controls.lost is not None:
        new.controls.lose(*old.controls.lost)
    for name, (until, reason) in old.controls.mutes.items():
        if name in names:
            new.controls.mute(name, until, reason)


def unchanged(old: RuleSet, new: RuleSet) -> dict[str, int]:
    """Return the rules that mean in the new file what they meant in the old: their places there."""
    theirs = {rule.name: place for place, rule in enumerate(new.rules)}
    return {
        rule.name: theirs[rule.name]
        for rule in old.rules
        if rule.name in theirs and meaning(old, rule) == meaning(new, new.rules[theirs[rule.name]])
    }


def _rules(old: Guard, new: Guard, same: Mapping[str, int]) -> set[str]:
    stays = set()
    for rule, mine in zip(old.ruleset.rules, old.stream.latches, strict=True):
        if rule.name in same:
            other = new.stream.latches[same[rule.name]]
            other.on, other.since, other.off = mine.on, mine.since, mine.off
            if rule.name in old.controls.latched:
                other.latched = mine.latched
                new.controls.latch(rule.name, *old.controls.latched[rule.name])
        elif mine.on:
            stays.add(rule.name)
    return stays


def history(guard: Guard) -> Iterator[Sample]:
    """Yield the samples that a guard can reach of its series, in the order it takes them.

    What it holds beyond them is not told: after a restart it is gone, and a guard that was
    warmed by it would be another one.
    """
    told: dict[tuple[int, bool, str], dict[str, float]] = {}
    for spec, tape in zip(guard.plan.tapes, guard.stream.tapes, strict=True):
        if spec.feeder >= 0 or spec.name.endswith(".nav"):
            continue
        gone = tape.beyond(guard.as_of)
        for ts, value in zip(tape.times[gone:], tape.values[gone:], strict=True):
            told.setdefault((ts, spec.symbol == "", spec.symbol), {})[spec.name] = value
    for (ts, _, symbol), found in sorted(told.items()):
        if ts > NEVER:
            yield Sample(ts, symbol or guard.symbol, found)
