"""Every test of a guard on plain paths: what the conditions of a verdict are read from.

Three exposures are compared over the same bars: the guard, constant exposure, and the best
simple peer. Nothing here knows of rules, data or plans, so that a simulation runs it as a
backtest does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.bootstrap import Interval, interval, optimal_block, resample
from riskguard.backtest.evidence.placebo import Placebo, drawdowns, placebo, worst_drawdowns
from riskguard.backtest.evidence.signs import Hits, hits
from riskguard.backtest.evidence.stress import Stress, growth, share_of_best, stress
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Findings", "Subject", "above_line", "findings", "per_year"]

YEAR = 365 * DAY


@dataclass(frozen=True)
class Subject:
    """What is tested: one value per bar on which something is wanted; exposures in 0 .. 1."""

    x: Floats  # the guard's
    r: Floats  # return of the bare run
    k: Floats  # cost of a change of exposure
    best: Floats  # exposure of the best simple peer
    every: int  # ns
    memory: int  # ns: longest window and cool-down of the rules
    # bars (first, last) of each independent event; empty where no plan says what one is
    events: tuple[tuple[tuple[int, int], ...], ...] = field(default=())

    @property
    def constant(self) -> Floats:
        """Constant exposure, as much as the guard held on average."""
        return np.full(len(self.x), float(self.x.mean()))

    @property
    def years(self) -> float:
        """Length of the path in years of 365 days."""
        return len(self.x) * self.every / YEAR


@dataclass(frozen=True, slots=True)
class Findings:
    """What the tests gave; shares of capital, the net ones a year."""

    placebo: Placebo | None  # None: the path is too short to shift
    block: float  # mean length of a resampled block, in bars
    against_constant: Interval  # net benefit a year
    against_best: Interval  # net benefit a year
    cdar: Interval  # of constant exposure less that of the guard
    ulcer: Interval  # likewise
    shallower: float  # share of resamples in which the guard's max drawdown was the smaller
    hits: Hits
    benefits: tuple[float, ...]  # of each independent event against the best peer, not a year
    without: tuple[float, ...]  # net benefit a year against the best peer, each event left out
    carried: tuple[int, float] | None  # the event that carries most, and its share of the benefit
    stress: tuple[Stress, ...]  # against the best peer, a year
    above_line: bool


def per_year(total: float, years: float) -> float:
    """Return a sum over bars as a share of capital a year."""
    return total / years


def findings(subject: Subject, *, draws: int, seed: int) -> Findings:
    """Run every test; `draws` placebos and one resample more."""
    x, r, k = subject.x, subject.r, subject.k
    guard, constant, best = (growth(one, r, k) for one in (x, subject.constant, subject.best))
    memory = max(1, -(-subject.memory // subject.every))
    block = min(max(optimal_block(guard - best), float(memory)), float(len(x)))
    yearly = len(x) / subject.years
    drawn = resample(
        np.stack((guard, constant, best)), _measure, block=block, draws=draws + 1, seed=seed
    )
    seen = _measure(np.stack((guard, constant, best))[:, None])[:, 0]
    benefits = _benefits(guard - best, subject.events)
    worse = stress(x, subject.best, r, k)
    return Findings(
        placebo=placebo(x, r, k, shortest=memory, draws=draws, seed=seed),
        block=block,
        against_constant=interval(seen[0] * yearly, drawn[0] * yearly),
        against_best=interval(seen[1] * yearly, drawn[1] * yearly),
        cdar=interval(seen[2], drawn[2]),
        ulcer=interval(seen[3], drawn[3]),
        shallower=float((drawn[4] > 0).mean()),
        hits=hits(benefits, seed=seed),
        benefits=tuple(benefits.tolist()),
        without=tuple(per_year(seen[1] * len(x) - one, subject.years) for one in benefits.tolist()),
        carried=share_of_best(benefits.tolist(), float((guard - best).sum())),
        stress=tuple(one._replace(benefit=per_year(one.benefit, subject.years)) for one in worse),
        above_line=above_line(guard, r, subject.every),
    )


def _measure(paths: Floats) -> Floats:
    """Return five comparisons of (guard, constant, best) returns: (5, draws)."""
    guard, constant, best = paths
    falls, others = drawdowns(guard), drawdowns(constant)
    return np.stack(
        (
            guard.mean(axis=1) - constant.mean(axis=1),
            guard.mean(axis=1) - best.mean(axis=1),
            worst_drawdowns(others) - worst_drawdowns(falls),
            np.sqrt((others**2).mean(axis=1)) - np.sqrt((falls**2).mean(axis=1)),
            others.max(axis=1) - falls.max(axis=1),
        )
    )


def _benefits(gain: Floats, events: Sequence[Sequence[tuple[int, int]]]) -> Floats:
    """Return the gain over the bars of each event, a bar counted once."""
    found = []
    for spans in events:
        inside = np.zeros(len(gain), dtype=bool)
        for first, last in spans:
            inside[max(0, first) : last + 1] = True
        found.append(float(gain[inside].sum()))
    return np.array(found)


def above_line(guard: Floats, r: Floats, every: int) -> bool:
    """Tell whether returns of a guard lie above the line that constant exposures make.

    The line is yearly growth against CDaR, from nothing held to the whole position; deeper
    drawdowns than those of the whole position are below it.
    """
    steps = np.linspace(0.0, 1.0, 41)
    paths = np.concatenate((steps[:, None] * r, guard[None]))
    falls = worst_drawdowns(drawdowns(paths))
    with np.errstate(divide="ignore"):  # all is lost: minus infinity
        grown = np.log(np.maximum(1 + paths, 0.0)).sum(axis=1) * (YEAR / (every * len(r)))
    if falls[-1] > falls[:-1].max():
        return False
    return bool(grown[-1] > np.interp(falls[-1], falls[:-1], grown[:-1]))
