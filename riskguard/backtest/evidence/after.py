"""What prices did around the alarms of a rule, beside alarms as many that came at other times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.evidence.answers import Scene

    Floats = NDArray[np.float64]

__all__ = ["AROUND", "Moved", "around"]

AROUND = (-DAY, DAY, 3 * DAY, 7 * DAY)  # from the fill on; the first is the day before it
BAND = (5, 95)  # percentiles


class Moved(NamedTuple):
    """The return of the price over one time around the fills; NaN where none is whole."""

    span: int  # ns, below 0 before the fill
    mean: float
    median: float
    band: tuple[float, float] | None  # of the means of shifted alarms; None: nothing to shift in


def around(
    seen: Sequence[tuple[Scene, Sequence[int]]], *, memory: int, draws: int, seed: int
) -> tuple[Moved, ...]:
    """Return how prices moved around alarms, given by the bars of each scene.

    All alarms of a scene are shifted together, round the end, by at least `memory` (ns): number
    and clustering are kept. A scene that is too short for that leaves no band. `draws` is 0 where
    the data allows none.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    told = [(scene, bars) for scene, bars in seen if bars]
    places = [_shifted(scene, bars, memory, draws, chance) for scene, bars in told]
    found = []
    for span in AROUND:
        moves = [_moves(scene, span) for scene, _ in told]
        pairs = zip(moves, told, strict=True)
        own = np.concatenate([move[list(bars)] for move, (_, bars) in pairs] or [np.zeros(0)])
        own = own[np.isfinite(own)]
        mean, middle = (float(own.mean()), float(np.median(own))) if own.size else (np.nan, np.nan)
        found.append(Moved(span, mean, middle, _band(moves, places)))
    return tuple(found)


def _moves(scene: Scene, span: int) -> Floats:
    """Return for each bar the return between its fill and so long before or after it."""
    ts, closes, opens = scene.bars.ts, scene.bars.close, scene.bars.open
    fills = np.append(opens[1:], np.nan)
    at = np.searchsorted(ts, ts + span, side="right") - 1
    inside = (at >= 0) & (ts + span <= ts[-1])
    shut = np.concatenate(([0], np.cumsum(scene.closed)))
    here = np.arange(ts.size)
    low, high = np.minimum(here, np.maximum(at, 0)), np.maximum(here, at)
    inside &= shut[high + 1] == shut[low]
    other = closes[np.maximum(at, 0)]
    change = fills / other - 1 if span < 0 else other / fills - 1
    found: Floats = np.where(inside, change, np.nan)
    return found


def _shifted(
    scene: Scene, bars: Sequence[int], memory: int, draws: int, chance: np.random.Generator
) -> NDArray[np.int64] | None:
    """Return the bars of shifted alarms, one row a draw; None where there is no room."""
    looked = np.flatnonzero(scene.looked_at)
    shortest = max(1, -(-memory // scene.every))
    if not draws or looked.size < 2 * shortest + 1:
        return None
    own = np.searchsorted(looked, bars)
    steps = chance.integers(shortest, looked.size - shortest, size=(draws, 1), endpoint=True)
    found: NDArray[np.int64] = looked[(own + steps) % looked.size]
    return found


def _band(
    moves: Sequence[Floats], places: Sequence[NDArray[np.int64] | None]
) -> tuple[float, float] | None:
    drawn = [move[rows] for move, rows in zip(moves, places, strict=True) if rows is not None]
    if not drawn or len(drawn) < len(places):
        return None
    joined = np.concatenate(drawn, axis=1)
    known = np.isfinite(joined)
    counts = known.sum(axis=1)
    sums = np.where(known, joined, 0.0).sum(axis=1)
    means = sums[counts > 0] / counts[counts > 0]
    if not means.size:
        return None
    low, high = np.percentile(means, BAND)
    return float(low), float(high)
