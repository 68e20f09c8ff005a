"""When values were known, as far as the data itself tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.history.verifying.differences import Cause, Difference
from riskguard.history.verifying.subject import available

if TYPE_CHECKING:
    from riskguard.history.series import Series
    from riskguard.history.verifying.subject import Subject

__all__ = ["BETTER", "distance", "misstamped", "used_early"]

FEWEST = 48  # values that have to fit, or not
BETTER = 3.0  # times nearer: bars of 4h move 14 times as far as spot and perpetual are apart


def used_early(subject: Subject) -> Difference | None:
    """Return the first value that is joined before it could be known."""
    found: list[tuple[int, int, Cause]] = []
    for one in subject.history.series.values():
        known = available(one)
        early = np.flatnonzero(one.times < known)
        if early.size:
            at = int(early[0])
            joined, could = int(one.times[at]), int(known[at])
            found.append((joined, could, Cause("input", one.key, joined, could)))
    if not found:
        return None
    joined, could, cause = min(found, key=lambda one: one[0])
    bar = min(int(np.searchsorted(subject.now, joined)), subject.now.size - 1)
    return Difference("early", int(subject.now[bar]), bar, cause, since=could)


def misstamped(subject: Subject) -> Difference | None:
    """Return bars whose closes fit the price in their open interest a bar earlier or later.

    Dollars of open interest over coins are a price; where both are carried, closes lie next to
    it at the same instant, unless one of the two clocks is wrong. `cause` has the usual distance
    (a share) as stamped and as it fits, `ahead` the bars between.
    """
    series = subject.history.series
    for symbol in subject.history.symbols:
        close, coins, dollars = (
            series.get(f"{symbol}.{name}") for name in ("close", "oi", "oi_usd")
        )
        if close is None or coins is None or dollars is None:
            continue
        far = {lag: distance(close, coins, dollars, lag) for lag in (-1, 0, 1)}
        best = min(far, key=lambda lag: far[lag])
        if best and far[best] * BETTER < far[0] < np.inf:
            cause = Cause("input", close.key, far[0], far[best])
            return Difference("stamp", int(subject.now[0]), 0, cause, ahead=best)
    return None


def distance(close: Series, coins: Series, dollars: Series, lag: int) -> float:
    """Return how far closes usually are from the price `lag` bars later; infinite: too few."""
    stamps, ours, theirs = np.intersect1d(coins.events, dollars.events, return_indices=True)
    held, worth = coins.values[ours], dollars.values[theirs]
    good = (held > 0) & (worth > 0)
    later = close.events + lag * (close.spec.interval or 0)
    _, bars, places = np.intersect1d(later, stamps[good], return_indices=True)
    if bars.size < FEWEST:
        return float(np.inf)
    prices = worth[good][places] / held[good][places]
    return float(np.median(np.abs(np.log(close.values[bars] / prices))))
