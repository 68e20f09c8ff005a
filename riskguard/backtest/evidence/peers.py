"""Simple peers at the guard's mean exposure: what might explain away what a guard has done.

Each has one knob, set so that over the bars on which something is wanted its mean exposure is
the guard's. It is set on the evaluated range, which favours the peer; what it then holds in a bar
follows from closes before that bar alone. Peers pay the costs that the guard pays.

Volatility targeting is solved by bisection. A peer that is in or out takes the setting whose mean
is nearest, and is then mixed to match: where it is in too often it holds less than all when in,
else more than nothing when out. The moving average is judged at the close of each UTC day; at
every bar it would pay for each time the price crosses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskguard.backtest.evidence.figures import compounded
from riskguard.backtest.evidence.signals import (
    above_average,
    daily,
    favourable,
    trailing,
    volatility,
)
from riskguard.backtest.metrics import cdar, drawdowns
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from riskguard.backtest.evidence.paths import Paths

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

__all__ = ["SIMPLE", "Peer", "Point", "best_simple", "leverage_line", "peers", "random_guard"]

SIMPLE = ("constant exposure", "volatility target", "moving average", "trailing stop")
LENGTHS = (20, 50, 100, 200)  # of moving averages, in days
DISTANCES = tuple(0.01 * 1.1**step for step in range(42))  # of trailing stops: 1 % to 50 %
IN = 0.9  # of what is wanted; a holder that comes back at a higher price can afford less than all
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A simple way to hold as much on average; `equity` begins at 1 and has a point more."""

    name: str
    knob: str
    setting: float
    exposure: Floats  # NaN where nothing is wanted
    equity: Floats
    mean_exposure: float
    holds: tuple[float, float] = (1.0, 0.0)  # when in, when out


class Point(NamedTuple):
    """Constant exposure on the leverage line."""

    exposure: float
    cagr: float
    cdar: float


def peers(
    paths: Paths, closes: Floats, stamps: NDArray[np.int64], *, seed: int
) -> tuple[Peer, ...]:
    """Return the peers of a guard; none where nothing was ever wanted.

    `closes` of the traded symbol, at `stamps` (ns), end with the last bar of `paths` and may begin
    before its first.
    """
    if not paths.wanted.any():
        return ()
    seen = favourable(closes, paths.side)
    chance = np.random.Generator(np.random.PCG64(seed))
    lengths = ((float(days), max(1, round(days * DAY / paths.every))) for days in LENGTHS)
    averages = (
        (days, _before(paths, daily(above_average(seen, bars), stamps, paths.every), rest=True))
        for days, bars in lengths
    )
    stops = ((share, _before(paths, trailing(seen, share), rest=True)) for share in DISTANCES)
    return (
        _peer(paths, "constant exposure", "share held", paths.mean_exposure, _constant(paths)),
        _targeting(paths, volatility(closes, paths.every)),
        _switching(paths, "moving average", "days", averages),
        _switching(paths, "trailing stop", "distance", stops),
        _switching(paths, "drawdown stop", "drawdown", _falling(paths)),
        _peer(paths, "random guard", "seed", seed, random_guard(paths, chance)),
    )


def best_simple(found: Iterable[Peer]) -> Peer | None:
    """Return the simple peer that ended highest; of equal ones the first."""
    simple = [peer for peer in found if peer.name in SIMPLE]
    return max(simple, key=lambda peer: float(peer.equity[-1]), default=None)


def leverage_line(paths: Paths, points: int = 21) -> tuple[Point, ...]:
    """Return what holding less all the time gives: CAGR against CDaR, from 0 to all.

    Nothing where the stretch is too short to say what it would grow to in a year.
    """
    years = paths.r.size * paths.every / YEAR
    if not years or math.isnan(compounded(float(paths.equity(paths.x)[-1]), 1 / years)):
        return ()
    found = []
    for share in np.linspace(0.0, 1.0, points).tolist():
        path = paths.equity(np.full(paths.r.size, share))
        found.append(Point(share, compounded(float(path[-1]), 1 / years), cdar(path)))
    return () if any(math.isnan(point.cagr) for point in found) else tuple(found)


def random_guard(paths: Paths, chance: np.random.Generator) -> Floats:
    """Return the guard's own outs, in another order and at other times.

    Their number, lengths and depths stay, and at least one bar in lies between two of them.
    """
    wanted = paths.x[paths.wanted]
    out = wanted < IN
    edges = np.flatnonzero(np.diff(out, prepend=False, append=False)).reshape(-1, 2)
    count, inside = len(edges), wanted[~out]
    spare = inside.size - max(0, count - 1)
    cuts = np.sort(chance.integers(0, spare + 1, count)) + np.arange(count)
    parts = np.split(inside, cuts)
    for place, which in enumerate(chance.permutation(count).tolist()):
        first, last = edges[which]
        parts[place] = np.concatenate((parts[place], wanted[first:last]))
    return _spread(paths, np.concatenate(parts))


# ------------------------------------------------------------ how each is matched


def _constant(paths: Paths) -> Floats:
    return np.where(paths.wanted, paths.mean_exposure, np.nan)


def _targeting(paths: Paths, deviation: Floats) -> Peer:
    """Hold min(1, m / deviation), m solved for the mean."""
    sigma = _before(paths, deviation, rest=math.nan)
    calm = ~(sigma > 0)  # or not known yet

    def held(aim: float) -> Floats:
        share = np.minimum(1.0, aim / np.where(calm, 1.0, sigma))
        return np.where(paths.wanted, np.where(calm, float(aim > 0), share), np.nan)

    low, high = 0.0, float(sigma[~calm].max(initial=1e-300))
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if paths.mean(held(middle)) < paths.mean_exposure:
            low = middle
        else:
            high = middle
    aim = 0.0 if paths.mean_exposure == 0 else high
    yearly = aim * math.sqrt(YEAR / paths.every)
    return _peer(paths, "volatility target", "volatility a year", yearly, held(aim))


def _switching(
    paths: Paths, name: str, knob: str, settings: Iterable[tuple[float, Truths]]
) -> Peer:
    """Take the setting whose share of time in is nearest, and mix it to match."""
    wanted, mean = paths.wanted, paths.mean_exposure
    tried = [(setting, inside, float(inside[wanted].mean())) for setting, inside in settings]
    setting, inside, share = min(tried, key=lambda one: abs(one[2] - mean))
    holds = (1.0, (mean - share) / (1 - share)) if share < mean else (mean / (share or 1.0), 0.0)
    held = np.where(wanted, np.where(inside, *holds), np.nan)
    return _peer(paths, name, knob, setting, held, holds=holds)


def _falling(paths: Paths) -> list[tuple[float, Truths]]:
    """Be out while the bare account stood deeper below its peak than a level, two opens ago.

    What it is worth at the open of a bar is not known at the close before.
    """
    path = np.concatenate(([1.0], np.cumprod(1.0 + paths.r)))
    falls = np.concatenate(([0.0, 0.0], drawdowns(path)[:-2]))[: paths.r.size]
    levels = np.unique(falls[paths.wanted])
    # the share of time in rises with the level: the nearest stands beside where it crosses
    shares = np.searchsorted(np.sort(falls[paths.wanted]), levels, side="right")
    place = int(np.searchsorted(shares / paths.wanted.sum(), paths.mean_exposure))
    near = levels[max(0, place - 1) : place + 1].tolist()
    return [(level, falls <= level) for level in near]


def _before(paths: Paths, known: NDArray[Any], *, rest: float) -> NDArray[Any]:
    """Return what was known at the close before each bar; `rest` where nothing was."""
    size = paths.r.size
    last = known[-size - 1 : -1]
    return np.concatenate((np.full(size - last.size, rest, dtype=known.dtype), last))


def _spread(paths: Paths, held: Floats) -> Floats:
    found = np.full(paths.r.size, np.nan)
    found[paths.wanted] = held
    return found


def _peer(
    paths: Paths,
    name: str,
    knob: str,
    setting: float,
    held: Floats,
    *,
    holds: tuple[float, float] = (1.0, 0.0),
) -> Peer:
    equity = paths.equity(held)
    return Peer(name, knob, float(setting), held, equity, paths.mean(held), holds)
