"""Whether a guard did well in more events than chance would give: one event, one answer."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["ENOUGH", "Hits", "flip_test", "hits", "needed_hits", "sign_test", "tail", "wilson"]

ENOUGH = 8  # independent events below which nothing is tested
EXACT = 14  # up to here every flip of signs is tried
FLIPS = 9_999


class Hits(NamedTuple):
    """Events in which the guard beat its peer, and how likely as many are by chance.

    A p is None where the events are too few.
    """

    hits: int
    events: int
    sign: float | None
    flip: float | None


def hits(benefits: Floats, *, seed: int) -> Hits:
    """Return how often the net benefit of an independent event was above 0."""
    count, good = len(benefits), int((benefits > 0).sum())
    if count < ENOUGH:
        return Hits(good, count, None, None)
    return Hits(good, count, sign_test(good, count), flip_test(benefits, seed=seed))


def sign_test(good: int, count: int) -> float:
    """Return the chance of `good` or more heads among `count` tosses of a coin."""
    return tail(good, count, 0.5)


def tail(good: int, count: int, share: float) -> float:
    """Return the chance of `good` or more among `count`, each with the chance `share` below 1."""
    # decimals: the ways to take half of 1,030 are more than a float holds
    hit = Decimal(share)
    miss = 1 - hit
    chance, found = miss**count, Decimal(0)
    for some in range(count + 1):
        if some >= good:
            found += chance
        chance *= hit * (count - some) / (miss * (some + 1))
    return float(found)


def needed_hits(count: int, p: float = 0.10) -> int:
    """Return the smallest number of hits among `count` events that the sign test accepts."""
    found = (good for good in range(count + 1) if sign_test(good, count) <= p)
    return next(found, count + 1)


def flip_test(benefits: Floats, *, seed: int) -> float:
    """Return the share of flips of signs whose sum is at least that of `benefits`.

    All flips of up to 14 events, else 9,999 drawn, with the events as they are counted in.
    """
    count, total = len(benefits), float(benefits.sum())
    slack = 1e-12 * float(np.abs(benefits).sum())
    if count <= EXACT:
        signs: Floats = np.array(list(product((1.0, -1.0), repeat=count)))
        return float(np.mean((signs @ benefits) >= total - slack))
    chance = np.random.Generator(np.random.PCG64(seed))
    signs = chance.choice((1.0, -1.0), (FLIPS, count))
    return float((1 + np.sum(signs @ benefits >= total - slack)) / (FLIPS + 1))


def wilson(good: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return the interval of Wilson (1927) of a share, of 95 % unless `z` says otherwise."""
    if not count:
        return 0.0, 1.0
    share, extra = good / count, z * z / count
    middle = (share + extra / 2) / (1 + extra)
    half = z / (1 + extra) * math.sqrt(share * (1 - share) / count + extra / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)
