"""A feed of one's own: what another program writes into a file, a line a minute.

A line is `time,open,high,low,close,mood`: the time in seconds UTC at which the minute ended, the
mood an index from 0 to 100 of whoever sells it. In the place of the file a real one has the API
of a venue or a vendor; what it tells is the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from riskguard import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Ticks"]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Ticks:
    """Minutes and the mood, from the file that OWN_TICKS names."""

    api = (1, 0)  # the interface that it was written for
    series = ("bars",)  # what it brings of the series that venues bring
    values: ClassVar = {"mood": ("index", "1m")}  # and of its own: the unit, how often one comes
    every = 0.5  # seconds between two polls

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbol = symbols[0]
        self.path = os.environ["OWN_TICKS"]

    def poll(self, since: int) -> Iterator[Event]:
        """Yield what is newer than `since`; a file that cannot be read is tried again."""
        with open(self.path, encoding="ascii") as file:  # noqa: PTH123 - as anybody would write it
            lines = file.read().splitlines()
        for line in lines:
            time, *prices, mood = line.split(",")
            ts = int(time) * SECOND
            if ts > since:
                names = ("open", "high", "low", "close")
                told = dict(zip(names, map(float, prices), strict=True))
                yield Event(ts, "value", "*", {"series": "mood", "value": float(mood)})
                yield Event(ts, "bar", self.symbol, {**told, "interval_ns": MINUTE})
