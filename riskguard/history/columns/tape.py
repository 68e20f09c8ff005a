"""The samples of one tape as arrays, its clock, and whether windows over it are filled.

`times` and `values` are the samples, `now` the instants; all int64 ns, ascending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.states import kind_of
from riskguard.engine.windows import FILL_OF, FILL_PARTS, NEVER, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["TapeColumn", "filled"]


@dataclass(slots=True)
class TapeColumn:
    """The samples of one tape, and its clock (see `engine.windows.Tape`)."""

    times: Ints
    values: Floats
    interval: int
    fresh: int
    bar: bool
    scale: int
    since: int = NEVER  # an account input: unknown before its first event
    step: int = 0  # time between samples where it never differs: places are then arithmetic

    def __post_init__(self) -> None:
        steps = np.diff(self.times)
        if steps.size and bool((steps == steps[0]).all()):
            self.step = int(steps[0])

    def upto(self, instants: Ints) -> Ints:
        """Return how many samples lie at or before each instant."""
        if not self.step:
            return np.searchsorted(self.times, instants, side="right")
        return np.clip((instants - self.first) // self.step + 1, 0, self.times.size)

    def before(self, instants: Ints) -> Ints:
        """Return how many samples lie before each instant."""
        if not self.step:
            return np.searchsorted(self.times, instants, side="left")
        return np.clip(-((self.first - instants) // self.step), 0, self.times.size)

    @property
    def first(self) -> int:
        """Time of the first sample."""
        return int(self.times[0])

    @property
    def start(self) -> int:
        """From when on the series has been observed."""
        return self.first - self.interval if self.bar else self.first

    def last(self, now: Ints) -> Ints:
        """Return the index of the last sample at or before each instant, -1 for none."""
        return self.upto(now) - 1

    def current(self, now: Ints) -> Floats:
        """Return the value that stands for each instant."""
        if not self.times.size:
            return np.full(now.size, np.nan)
        index = self.last(now)
        seen = np.maximum(index, 0)
        old = (now - self.times[seen] > self.fresh) | (now < self.since)
        return np.where((index < 0) | old, np.nan, self.values[seen])


def filled(
    window: Window, tape: TapeColumn, held: Ints, now: Ints, since: int
) -> NDArray[np.bool_]:
    """Say where enough has been observed since `since`, and `held` samples leave no hole."""
    reach = kind_of(window).reach
    full = window.span * reach
    need = full if window.minimum is None else window.minimum
    observed = now - since
    expected = np.minimum(observed, full)
    # ceil(0.9 * expected / interval), as in `fill_needed`
    least = -(-FILL_PARTS * expected // (FILL_OF * tape.interval))
    return (observed >= need) & (held >= least)
