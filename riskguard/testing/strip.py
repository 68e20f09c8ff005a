"""What is shown around an expectation that was not kept: seven bars, and the lines that decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from riskguard.engine.decision import Reading
from riskguard.engine.logic import FALSE, NEVER, TRUE
from riskguard.engine.reasons import readings
from riskguard.language.fitting.fallbacks import said
from riskguard.language.rewriting import latches, release, title, trigger
from riskguard.language.ruleset import During, Stage, walk
from riskguard.market import HOUR, MINUTE
from riskguard.testing.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.language.ruleset import Rule, RuleSet
    from riskguard.testing.cases import Expectation
    from riskguard.testing.playing import Market

__all__ = ["Bar", "strip"]

AROUND = 3  # bars of the strip on each side
MOST_LINES = 12  # leaves of the strip
SIDES = ("when", "clear")
FIELDS = {"blocked": "block_entries"}  # field of an expectation -> action of a rule


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the strip: its decision, and the leaves that the expectation rests on."""

    hours: str
    ts: int  # when it closes, ns
    decision: Decision
    readings: tuple[Reading, ...]


def strip(
    expectation: Expectation, bar: int, decisions: Sequence[Decision], market: Market
) -> tuple[tuple[Bar, ...], tuple[str, ...]]:
    """Return the bars around one at which an expectation is not kept, and notes on it."""
    first = max(0, min(bar - AROUND, len(decisions) - 2 * AROUND - 1))
    bars = range(first, min(first + 2 * AROUND + 1, len(decisions)))
    asked = _asked(expectation, decisions, bar, market.rules)
    sides: list[str] = []  # of each that is asked about, the one that decides at `bar`
    seen: list[list[dict[str, list[Reading]]]] = []

    guard = market.guard()
    for number, _ in enumerate(market.decisions(guard)):
        if number in bars:
            seen.append([{side: _lines(guard, one, side) for side in SIDES} for one in asked])
        if number == bar:
            sides = [_side(one, decisions, bar, guard) for one in asked]
    made = []
    for number, both in zip(bars, seen, strict=True):
        lines = [line for one, side in zip(both, sides, strict=True) for line in one[side]]
        ts = market.cases.start + number * market.cases.every
        told = tuple(lines[:MOST_LINES])
        made.append(Bar(market.hours(number), ts, decisions[number], told))
    refused = [f"refused at the door: {why}, {n} times" for why, n in guard.refused.items()]
    return tuple(made), (*refused, *_notes(expectation, decisions, bar, market))


def _asked(
    expectation: Expectation, decisions: Sequence[Decision], bar: int, rules: RuleSet
) -> list[Rule | Stage]:
    """Return the rules and stages that an expectation asks about: first what it names."""
    wanted, decision = expectation.wanted, decisions[bar]
    named = {wanted.get("rule", ""), *wanted.get("active", ()), *wanted.get("active_includes", ())}
    named |= {f"stage {wanted['stage']}"} if "stage" in wanted else set()
    acting = {name for names in decision.winners.values() for name in names}
    on = _on(decision) | acting | (_on(decisions[bar - 1]) if bar else set())
    fields = {FIELDS.get(name, name) for name in wanted}
    chosen = [one for one in latches(rules) if title(one) in named]
    chosen += [one for one in latches(rules) if title(one) in on]
    if not chosen:  # nothing acts: what could have
        chosen = [one for one in latches(rules) if fields & set(said(one.do))]
    return list(dict.fromkeys(chosen))


def _on(decision: Decision) -> set[str]:
    return {f"stage {decision.stage}", *decision.active}


def _side(latch: Rule | Stage, decisions: Sequence[Decision], bar: int, guard: Guard) -> str:
    """Say what decides: what turned it on or keeps it on, or what turns it off or does not yet."""
    name = title(latch)
    if release(latch) is None:
        return "when"
    if name in _on(decisions[bar]):
        fires = guard.stream.truth(guard.plan.slot(trigger(latch), clearing=False)) == TRUE
        return "when" if fires else "clear"
    left = bar > 0 and name in _on(decisions[bar - 1])
    harsher = isinstance(latch, Stage) and _rank(decisions[bar], guard) > _rank(
        decisions[bar - 1], guard
    )
    return "clear" if left and not harsher else "when"


def _rank(decision: Decision, guard: Guard) -> int:
    names = ["normal", *(stage.name for stage in guard.plan.ruleset.stages)]
    return names.index(decision.stage)


def _lines(guard: Guard, latch: Rule | Stage, role: str) -> list[Reading]:
    node = release(latch) if role == "clear" else trigger(latch)
    if node is None:
        return []
    found = readings(guard.plan, guard.stream, title(latch), node, role)
    hours = [one for one in walk(node) if isinstance(one, During)]
    found += [_hours(guard, title(latch), one, role) for one in hours]
    if guard.as_of == NEVER:  # no bar of the rules has closed yet
        return [replace(one, value=None, threshold=None, margin=None) for one in found]
    return found


def _hours(guard: Guard, owner: str, node: During, role: str) -> Reading:
    """Return whether it is the time of day: a truth without numbers."""
    truth = guard.stream.truth(guard.plan.slot(node, clearing=role == "clear"))
    words = {TRUE: "true", FALSE: "false"}
    text = f"during {_clock(node.start)}-{_clock(node.end)} {node.timezone}"
    return Reading(owner, text, None, None, None, words.get(truth, "unknown"), "truth", role)


def _clock(time: int) -> str:
    return f"{time // HOUR:02}:{time % HOUR // MINUTE:02}"


def _notes(
    expectation: Expectation, decisions: Sequence[Decision], bar: int, market: Market
) -> Iterator[str]:
    decision = decisions[bar]
    yield from (f"not enough history: {text}" for text in decision.priming)
    if decision.blind:
        yield f"blind: {', '.join(decision.blind)}"
    for name in expectation.wanted:
        winners = decision.winners.get(FIELDS.get(name, name))
        if winners:
            yield f"{name} is set by {', '.join(winners)}"
    for latch in latches(market.rules):
        yield from _waits(latch, decisions, bar, market)


def _waits(
    latch: Rule | Stage, decisions: Sequence[Decision], bar: int, market: Market
) -> Iterator[str]:
    """Say of a latch that is on what it waits for beside its lines."""
    name = title(latch)
    since = bar
    while since and name in _on(decisions[since - 1]):
        since -= 1
    if name not in _on(decisions[bar]):
        return
    if getattr(latch, "latch", False):
        yield f"{name} is on since {market.hours(since)} until it is released by hand"
    elif (bar - since) * market.cases.every < latch.min_hold:
        held = elapsed(latch.min_hold)
        yield f"{name} is on since {market.hours(since)} and held for {held} (min_hold)"
