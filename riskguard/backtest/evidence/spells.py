"""When each rule and stage was on, bar by bar, as decisions say it, without a strategy.

A stage is on while the ladder stands at it or higher: who went out at once was cut, too. The way
back by a ramp is no alarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.claims import limiting
from riskguard.language.rewriting import title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from riskguard.backtest.track import Track
    from riskguard.engine.decision import Decision
    from riskguard.language.ruleset import Rule, RuleSet, Stage

    Truths = NDArray[np.bool_]

__all__ = ["WHOLE", "Spell", "spells", "standing_on"]

WHOLE = "the guard"  # any rule or stage that limits


class Spell(NamedTuple):
    """A stretch in which a rule is on: the bar at whose close it came on, and went off."""

    begun: int
    over: int | None  # None: on to the last bar


def standing_on(track: Track, ruleset: RuleSet, bars: int) -> dict[str, Truths]:
    """Return for the guard as a whole, each stage and each rule whether it is on at each close."""
    latches: tuple[Stage | Rule, ...] = (*ruleset.stages, *ruleset.rules)
    names = (WHOLE, *(title(one) for one in latches))
    found = {name: np.zeros(bars, dtype=bool) for name in names}
    ends = [*track.starts[1:], bars]
    for start, end, decision in zip(track.starts, ends, track.decisions, strict=True):
        for name in _on(decision, ruleset):
            found[name][start:end] = True
    return found


def _on(decision: Decision, ruleset: RuleSet) -> Iterator[str]:
    limits = False
    heights = [stage.name for stage in ruleset.stages]
    reached = heights.index(decision.stage) + 1 if decision.stage in heights else 0
    for stage in ruleset.stages[:reached]:
        limits = limits or limiting(stage.do)
        yield title(stage)
    for rule in ruleset.rules:
        if rule.name in decision.active:
            limits = limits or limiting(rule.do)
            yield title(rule)
    if limits:
        yield WHOLE


def spells(on: Truths, first: int) -> tuple[Spell, ...]:
    """Return the stretches that begin after bar `first`; what is on there began unseen."""
    seen = on[first:]
    rises = np.flatnonzero(seen[1:] & ~seen[:-1]) + first + 1
    falls = np.flatnonzero(~seen[1:] & seen[:-1]) + first + 1
    places = np.searchsorted(falls, rises, side="right").tolist()
    return tuple(
        Spell(begun, int(falls[place]) if place < falls.size else None)
        for begun, place in zip(rises.tolist(), places, strict=True)
    )
