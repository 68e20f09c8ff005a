"""Round trips of the share held: at what price it was cut, and at what price it came back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RoundTrip", "Whipsaws", "round_trips", "whipsaws"]

LEAST = 0.01  # of what is wanted: a holder that comes back dearer can afford a little less


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Cut at the open of bar `start`, whole again at the open of bar `end`.

    `loss` is what coming back cost beyond what leaving brought, as a share of the price at which
    it was left and for the part that was cut; above 0 it is a whipsaw.
    """

    start: int
    end: int
    cut: float  # the largest part of what is wanted that was out
    exit: float  # mean price of what was cut
    reentry: float  # mean price of what came back
    loss: float  # costs included
    lag: int  # bars from the best open at which it might have come back


class Whipsaws(NamedTuple):
    """How round trips ended; losses as shares of the whole position, costs included."""

    trips: int
    dearer: int  # of those, how many came back at a worse price
    total: float  # lost by them
    worst: float  # as a share of the price at which it was left
    lag: float  # median time (days) from the best open at which it might have come back


def whipsaws(trips: Sequence[RoundTrip], every: int) -> Whipsaws:
    """Count round trips that lost; `every` is the length of a bar in ns."""
    lost = [trip for trip in trips if trip.loss > 0]
    return Whipsaws(
        trips=len(trips),
        dearer=len(lost),
        total=math.fsum(trip.loss * trip.cut for trip in lost),
        worst=max((trip.loss for trip in lost), default=0.0),
        lag=median(trip.lag for trip in trips) * every / DAY if trips else math.nan,
    )


def round_trips(
    held: Floats, opens: Floats, rate: Floats, side: Floats | None = None
) -> tuple[RoundTrip, ...]:
    """Return every round trip of a share held, one value a bar, NaN where nothing is wanted.

    `opens` are prices at the opens, `rate` what trading costs as a share of the value. What the
    strategy itself ends is no round trip. A short (`side` -1) is left by buying.
    """
    sign = np.where(side < 0, -1.0, 1.0) if side is not None else np.ones(held.size)
    return tuple(_trip(held, opens, rate, sign, span) for span in _spans(held.tolist()))


def _spans(held: list[float]) -> Iterator[tuple[int, int]]:
    """Yield the bar at which something was cut, and the one at which all of it was back."""
    start, level = -1, 1.0
    for bar in range(1, len(held)):
        before, now = held[bar - 1], held[bar]
        if before != before or now != now:  # noqa: PLR0124 - NaN: nothing is wanted
            start = -1
        elif now < before and start < 0:
            start, level = bar, before
        elif now > before and start >= 0 and now >= level - LEAST:
            yield start, bar
            start = -1


def _trip(
    held: Floats, opens: Floats, rate: Floats, signs: Floats, bars: tuple[int, int]
) -> RoundTrip:
    start, end = bars
    span, sign = slice(start, end + 1), float(signs[start])
    change = np.diff(held[start - 1 : end + 1])
    cut, back = np.maximum(-change, 0.0), np.maximum(change, 0.0)
    prices, costs = opens[span], sign * rate[span]

    def mean(parts: Floats, paid: Floats) -> float:
        return float((parts * prices * (1.0 + paid)).sum() / parts.sum())

    nothing = np.zeros(prices.size)
    late = int((sign * prices)[::-1].argmin())  # bars since it was last as good
    return RoundTrip(
        start=start,
        end=end,
        cut=float(held[start - 1] - held[span].min()),
        exit=mean(cut, nothing),
        reentry=mean(back, nothing),
        loss=sign * (mean(back, costs) / mean(cut, -costs) - 1.0),
        lag=late,
    )
