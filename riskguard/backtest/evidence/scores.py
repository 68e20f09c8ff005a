"""The figures of one rule over all histories of a study: what its alarms came to, and cost."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.after import around
from riskguard.backtest.evidence.alarms import Counts, break_even
from riskguard.backtest.evidence.answers import alarms, counts
from riskguard.backtest.evidence.figures import exposure_of
from riskguard.backtest.evidence.signs import wilson
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.evidence.after import Moved
    from riskguard.backtest.evidence.answers import Answer, Scene

    Truths = NDArray[np.bool_]

__all__ = ["Score", "Share", "Span", "score"]

YEAR = 365 * DAY
DRAWS, SEED = 999, 1
EQUAL = 0.5  # a missed event weighs as much as a false alarm


class Share(NamedTuple):
    """A part of a whole with the 95 % interval of Wilson; None where none may be computed."""

    good: int
    of: int
    bounds: tuple[float, float] | None

    @property
    def value(self) -> float:
        """The share; NaN of nothing, and where the counts alone may be told."""
        return math.nan if self.bounds is None else self.good / self.of


class Span(NamedTuple):
    """The middle of some values and their range."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Score:
    """One rule or stage, or the guard as a whole; NaN and None are what cannot be measured."""

    rule: str
    years: float  # looked at
    alarms: int
    words: Counter[str]  # true late false unjudged
    kinds: Counter[str]  # fall dip calm: in what an alarm came
    precision: Share
    on: float  # share of the time
    lasts: float  # ns, the median of its alarms
    longest: int  # ns, of the time in which it was on
    hit_gains: float  # of a unit of position, mean over hits; NaN without one
    false_costs: float  # likewise over false alarms
    bars: Counts
    answers: tuple[Answer | None, ...]  # one of each event
    recall: Share
    lead: Span | None  # ns; of the events in which it spoke
    done: Span | None
    around: tuple[Moved, ...]  # what prices did around its alarms

    @property
    def yearly(self) -> float:
        """Alarms a year."""
        return self.alarms / self.years if self.years else math.nan

    @property
    def break_even(self) -> float:
        """The precision from which on hits pay for false alarms: 0 always, 1 never.

        NaN where an alarm of either kind is lacking, hits and false alarms alike lost, or nothing
        but counts may be told.
        """
        gain, cost = self.hit_gains, self.false_costs
        told = (gain, cost, self.precision.value)
        if any(math.isnan(one) for one in told) or not (gain > 0 or cost > 0):
            return math.nan
        return break_even(gain, cost) if gain > 0 and cost > 0 else float(cost > 0)

    @property
    def above(self) -> tuple[float, tuple[float, float] | None]:
        """Precision less break-even, with the interval of the precision alone."""
        even, bounds = self.break_even, self.precision.bounds
        moved = None if bounds is None or math.isnan(even) else (bounds[0] - even, bounds[1] - even)
        return self.precision.value - even, moved

    @property
    def usefulness(self) -> float:
        """The relative usefulness at equal weights: 1 perfect, 0 no better than no alarm."""
        return self.bars.usefulness(EQUAL)


def score(
    rule: str,
    seen: Sequence[tuple[Scene, Truths]],
    answers: Sequence[Answer | None],
    *,
    memory: int,
    tested: bool,
) -> Score:
    """Return the figures of a rule over scenes, each with when it was on.

    `memory` is how far back the rules look (ns); `tested` says whether the data allows intervals.
    """
    each = [(scene, alarms(scene, on)) for scene, on in seen]
    listed = [one for _, found in each for one in found]
    begun = [(scene, [one.bar for one in found]) for scene, found in each]
    words = Counter(one.word for one in listed)
    hits = words["true"] + words["late"]
    spoken = [one for one in answers if one is not None]
    on, longest = _time_on(seen)
    return Score(
        rule=rule,
        years=sum(int(scene.looked_at.sum()) * scene.every for scene, _ in seen) / YEAR,
        alarms=len(listed),
        words=words,
        kinds=Counter(one.kind for one in listed),
        precision=_share(hits, hits + words["false"], tested=tested),
        on=on,
        lasts=float(median([one.lasted for one in listed])) if listed else math.nan,
        longest=longest,
        hit_gains=_mean([one.benefit for one in listed if one.hit]),
        false_costs=_mean([-one.benefit for one in listed if one.word == "false"]),
        bars=_summed(seen),
        answers=tuple(answers),
        recall=_share(sum(one.in_time for one in spoken), len(answers), tested=tested),
        lead=_span([float(one.lead) for one in spoken]),
        done=_span([one.done for one in spoken]),
        around=around(begun, memory=memory, draws=DRAWS if tested else 0, seed=SEED),
    )


def _share(good: int, count: int, *, tested: bool) -> Share:
    return Share(good, count, wilson(good, count) if tested and count else None)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


def _span(values: Sequence[float]) -> Span | None:
    return Span(median(values), min(values), max(values)) if values else None


def _summed(seen: Sequence[tuple[Scene, Truths]]) -> Counts:
    each = [counts(scene, on) for scene, on in seen]
    return Counts(*(sum(column) for column in zip(*each, strict=True)))


def _time_on(seen: Sequence[tuple[Scene, Truths]]) -> tuple[float, int]:
    """Return the share of the time in which a rule was on, and its longest stretch (ns)."""
    held = [
        (exposure_of(np.where(on, 0.0, 1.0)[looked], scene.every), int(looked.sum()), scene.every)
        for scene, on in seen
        if (looked := scene.looked_at).any()
    ]
    bars = sum(count for _, count, _ in held)
    longest = max((one.longest_out * every for one, _, every in held), default=0)
    return sum(one.out * count for one, count, _ in held) / bars if bars else math.nan, longest
