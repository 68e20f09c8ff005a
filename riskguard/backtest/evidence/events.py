"""The catalogue of falls and dips: detected by a fixed definition, never picked.

A fall of at least `level` within `within` is an event; a dip is half as deep and soon half
regained. Both come from closes alone, so nobody who looks at the guard can choose them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from riskguard.market import DAY, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "APART",
    "Catalogue",
    "Event",
    "Fall",
    "catalogue",
    "counted",
    "dips",
    "falls",
    "independent",
    "month",
]

LONGEST = 30 * DAY  # a fall that has not regained half by then is over all the same
BOUNCE = 3 * DAY  # a dip has regained half by then
APART = 30 * DAY  # what begins closer than this is one event


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall by the numbers of its bars: the high before it, its first close, its low, its end."""

    peak: int
    start: int  # first close at least the level below the peak
    trough: int
    end: int  # half is regained, 30 days are over, or the data ends: this bar included
    depth: float  # of the low below the peak, as a share of it
    regained: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All falls and dips of one price history, by one definition."""

    level: float  # 0.1 is 10 %
    within: int  # ns
    falls: tuple[Fall, ...]
    dips: tuple[Fall, ...]
    events: tuple[tuple[int, ...], ...]  # falls that are one independent event, by their numbers


class Event(NamedTuple):
    """An independent event that counts: its month, and the bars (first, last) of its falls."""

    name: str  # "Oct 2025"
    spans: tuple[tuple[int, int], ...]  # from the bar behind the high, the first that falls


def falls(
    ts: NDArray[np.int64], closes: NDArray[np.float64], level: float, within: int
) -> tuple[Fall, ...]:
    """Return every fall of at least `level` (a share) below the highest close of `within` (ns).

    The high may lie exactly `within` back. A new fall is measured from highs since the end of
    the last one, so that one fall is never counted twice.
    """
    return tuple(_falls(ts.tolist(), closes.tolist(), level, within))


def dips(
    ts: NDArray[np.int64], closes: NDArray[np.float64], level: float, within: int
) -> tuple[Fall, ...]:
    """Return falls of at least half of `level` which had regained half within three days.

    The days count from the first close that deep. A fall of the full level that bounced so
    soon is a dip too: whoever sold into it late had to buy back dearer.
    """
    found = falls(ts, closes, level / 2, within)
    return tuple(one for one in found if one.regained and ts[one.end] - ts[one.start] <= BOUNCE)


def catalogue(
    ts: NDArray[np.int64], closes: NDArray[np.float64], level: float, within: int
) -> Catalogue:
    """Return falls, dips and independent events of closes at `ts` (ns)."""
    found = falls(ts, closes, level, within)
    groups = independent(int(ts[one.start]) for one in found)
    return Catalogue(level, within, found, dips(ts, closes, level, within), groups)


def independent(starts: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """Group events, given by the ns at which they began, into independent ones.

    What begins less than 30 days after another is one with it, on whatever asset it lies. Each
    group holds the numbers of its events in the order in which they began.
    """
    began = list(starts)
    order = sorted(range(len(began)), key=lambda number: (began[number], number))
    groups = [[number] for number in order[:1]]
    for last, number in pairwise(order):
        if began[number] - began[last] < APART:
            groups[-1].append(number)
        else:
            groups.append([number])
    return tuple(tuple(group) for group in groups)


def counted(
    found: Catalogue, ts: NDArray[np.int64], first: int, locked: Iterable[str]
) -> tuple[Event, ...]:
    """Return the events that may be counted: begun at bar `first` or later, in no locked month.

    Months are written 2022-11; an event lies in those of its first close and of its low.
    """
    kept = []
    for group in found.events:
        run = [found.falls[number] for number in group]
        months = {month(ts[bar]) for fall in run for bar in (fall.start, fall.trough)}
        closed = not months.isdisjoint(locked)
        if run[0].start >= first and not closed:
            deepest = max(run, key=lambda fall: fall.depth)
            name = f"{_day(ts[deepest.trough]):%b %Y}"
            kept.append(Event(name, tuple((fall.peak + 1, fall.end) for fall in run)))
    return tuple(kept)


def month(ts: int | np.int64) -> str:
    """Return the month of ns UTC as locked ones are written: 2022-11."""
    return f"{_day(ts):%Y-%m}"


def _day(ts: int | np.int64) -> datetime:
    return datetime.fromtimestamp(int(ts) // SECOND, UTC)


def _falls(ts: list[int], closes: list[float], level: float, within: int) -> Iterator[Fall]:
    highs: deque[int] = deque()  # bars whose closes fall from left to right: the first is highest
    bar = 0
    while bar < len(ts):
        while highs and ts[highs[0]] < ts[bar] - within:
            highs.popleft()
        # 100 -> 90 is a fall of 10 %, though 1 - 0.9 is 0.0999...8
        if highs and closes[bar] <= closes[highs[0]] * (1 - level) * (1 + 1e-9):
            one = _run(ts, closes, highs[0], bar)
            yield one
            highs.clear()
            bar = one.end
        while highs and closes[highs[-1]] <= closes[bar]:
            highs.pop()
        highs.append(bar)
        bar += 1


def _run(ts: list[int], closes: list[float], peak: int, start: int) -> Fall:
    """Follow a fall from its first bar to its end."""
    trough = bar = start
    regained = False
    while not regained and bar + 1 < len(ts) and ts[bar + 1] - ts[start] <= LONGEST:
        bar += 1
        if closes[bar] < closes[trough]:
            trough = bar
        regained = closes[bar] - closes[trough] >= (closes[peak] - closes[trough]) / 2
    depth = 1 - closes[trough] / closes[peak]
    return Fall(peak, start, trough, bar, depth, regained)
