"""What is left of a gain when decisions come late, trades cost more, or one event is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["DEARER", "LATER", "Stress", "growth", "late", "share_of_best", "stress"]

LATER = (1, 2, 5)  # bars
DEARER = (1.0, 2.0, 4.0)  # times the costs


class Stress(NamedTuple):
    """The net benefit, summed over all bars, under one worsening."""

    late: int  # bars
    dearer: float  # times the costs
    benefit: float


def growth(x: Floats, r: Floats, k: Floats, dearer: float = 1.0) -> Floats:
    """Return x r - k |dx| per bar: what a path of exposures makes of the bare returns."""
    steps = np.abs(np.diff(x, prepend=x[:1]))
    made: Floats = x * r - dearer * k * steps
    return made


def late(x: Floats, bars: int) -> Floats:
    """Return exposures that follow every decision `bars` later; the first one stands till then."""
    return np.concatenate((np.full(min(bars, len(x)), x[0]), x[: max(0, len(x) - bars)]))


def stress(x: Floats, peer: Floats, r: Floats, k: Floats) -> tuple[Stress, ...]:
    """Return the benefit of exposures `x` over those of a peer, late and at higher costs.

    Only the guard is late: what a peer wants to hold is no alarm that must arrive in time. Both
    pay the higher costs.
    """
    found = [Stress(bars, 1.0, _benefit(late(x, bars), peer, r, k, 1.0)) for bars in LATER]
    found += [Stress(0, dearer, _benefit(x, peer, r, k, dearer)) for dearer in DEARER]
    return tuple(found)


def _benefit(x: Floats, peer: Floats, r: Floats, k: Floats, dearer: float) -> float:
    return float((growth(x, r, k, dearer) - growth(peer, r, k, dearer)).sum())


def share_of_best(benefits: Sequence[float], total: float) -> tuple[int, float] | None:
    """Return which event carries most of a total benefit, and what share of it.

    None where there is no benefit to carry, or no event.
    """
    if total <= 0 or not benefits:
        return None
    best = max(range(len(benefits)), key=lambda number: benefits[number])
    return best, benefits[best] / total
