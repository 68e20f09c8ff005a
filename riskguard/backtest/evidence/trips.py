"""Each time a rule or stage came on, and whether a fall followed: true, late, false, redundant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.claims import RAMP, limiting, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.claims import Standing
    from riskguard.history.history import Bars

__all__ = ["Counted", "Trip", "judge", "trips", "trips_of"]

WORDS = ("true", "late", "false", "redundant", "unjudged")


@dataclass(frozen=True, slots=True)
class Trip:
    """A stretch of decisions in which a rule or stage limits: the bar at whose close it began."""

    rule: str
    bar: int
    redundant: bool  # at no time did it limit more than all others


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a rule came on, by what followed; None where no event says what is true."""

    trips: int = 0
    true: int | None = None
    late: int | None = None
    false: int | None = None
    redundant: int | None = None
    unjudged: int | None = None
    alarms: tuple[tuple[int, int], ...] = ()  # false ones, by the bars of this trip and the next


def trips_of(
    stood: Sequence[Standing], ladder: Sequence[str] = (), side: int = 1
) -> tuple[Trip, ...]:
    """Return every trip of a decision log, in the order in which they began.

    `ladder` are the stages, mildest first: a step down begins no trip. `side` is what is wanted,
    1 for longs and -1 for shorts: who limits the other is redundant.
    """
    begun: dict[str, int] = {}
    bound: set[str] = set()  # of those that are on, who limited more than all others
    found: list[Trip] = []
    height = -1
    for one in stood:
        on = {name for name, do in one.claims.items() if limiting(do) and RAMP not in name}
        for name in sorted(set(begun) - on):
            found.append(Trip(name, begun.pop(name), name not in bound))
            bound.discard(name)
        stages = [place for place, name in enumerate(ladder) if name in one.claims]
        before, height = height, max(stages, default=-1)
        for name in on - ({ladder[height]} if 0 <= height < before else set()):
            begun.setdefault(name, one.bar)
        binding = one.binding(side=side)
        if len(binding) == 1 and binding[0] in begun:
            bound.add(binding[0])
    found += [Trip(name, bar, name not in bound) for name, bar in begun.items()]
    return tuple(sorted(found, key=lambda trip: (trip.bar, trip.rule)))


def judge(bars: Bars, bar: int, fall: float, within: int) -> str:
    """Return whether a fall of `fall` (a share) followed within `within` (ns) after the fill.

    True where it did, late where more than half of the whole fall, from the highest close of the
    same time before, was done at the fill; unjudged where the data ends too soon to say false.
    """
    if bar + 1 >= bars.ts.size:
        return "unjudged"
    now, price = int(bars.ts[bar]), float(bars.open[bar + 1])
    end = int(np.searchsorted(bars.ts, now + within, side="right"))
    start = int(np.searchsorted(bars.ts, now - within, side="left"))
    low = float(bars.close[bar + 1 : end].min(initial=price))
    if low > price * (1 - fall) * (1 + 1e-12):
        return "false" if bars.ts[-1] >= now + within else "unjudged"
    peak = max(float(bars.close[start : bar + 1].max()), price)
    return "late" if peak - price > (peak - low) / 2 else "true"


def trips(
    comparison: Comparison, stood: Sequence[Standing], fall: float | None, within: int | None
) -> Mapping[str, Counted]:
    """Return the trips of each rule and stage, judged by an event where there is one."""
    wanted = comparison.results["bare"].run.wanted[comparison.trading_from + 1 :]
    ladder = [f"stage {stage.name}" for stage in comparison.ruleset.stages]
    bars = comparison.history.bars(comparison.symbol)
    begun: dict[str, list[tuple[int, str]]] = {name: [] for name in names_of(comparison.ruleset)}
    for trip in trips_of(stood, ladder, -1 if wanted.sum() < 0 else 1):
        word = "redundant" if trip.redundant else ""
        if not word and fall is not None and within is not None:
            word = judge(bars, trip.bar, fall, within)
        begun.setdefault(trip.rule, []).append((trip.bar, word))
    if fall is None or within is None:
        return {name: Counted(len(found)) for name, found in begun.items()}
    return {name: _counted(found, bars.ts.size) for name, found in begun.items()}


def _counted(begun: Sequence[tuple[int, str]], end: int) -> Counted:
    """Count trips by their words; what a trip did lasts until the next one of its rule."""
    words = Counter(word for _, word in begun)
    true, late, false, redundant, unjudged = (words[word] for word in WORDS)
    spans = pairwise([*(bar for bar, _ in begun), end])
    alarms = tuple(span for span, (_, word) in zip(spans, begun, strict=True) if word == "false")
    return Counted(len(begun), true, late, false, redundant, unjudged, alarms)
