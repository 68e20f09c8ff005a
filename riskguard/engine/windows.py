"""Windows: the only state that grows.

A `Tape` holds the recent samples of one series, or of a measure that feeds another; every
window over it keeps its own place on the tape and moves it forward with time, so that a step
costs what has entered and left, never what the window holds. Sums are integers in fixed point:
what was added is taken away again exactly, and an empty window is exactly 0.
Unknown is NaN. Times are int nanoseconds; windows are `(now - span, now]`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.language.tree import Plugged

__all__ = [
    "CALENDAR_REACH",
    "NEVER",
    "UNKNOWN",
    "Rolling",
    "Tape",
    "Window",
    "bars",
    "fill_needed",
]

UNKNOWN = math.nan
# below this share of the samples a window should hold it is unknown: it never bridges a hole
FILL_PARTS, FILL_OF = 9, 10
NEVER = -(1 << 62)  # before every time stamp
# a week, and the sample that stands for its beginning
CALENDAR_REACH = 8 * DAY
TRIM_LEAST = 2048  # samples: less is not worth moving the rest


@dataclass(frozen=True, slots=True)
class Window:
    """What is measured: equal windows are one object in a plan and computed once.

    `source` is the key of a series ("oi", "ETH.close") or the window that feeds this one;
    `beside` are further series of the same bars. `calendar` is "today@Europe/London",
    "this_week@UTC" or "all" where the calendar begins the window, and the span is 0.
    """

    function: str
    source: str | Window
    span: int
    minimum: int | None = None
    calendar: str = ""
    beside: tuple[str, ...] = ()
    arguments: tuple[tuple[str, float | int | bool], ...] = ()  # of a function of a library
    plugged: Plugged | None = field(default=None, repr=False)  # what a plug-in gives


def fill_needed(span: int, interval: int) -> int:
    """Return how many samples a window of `span` must hold to count as filled."""
    return -(-FILL_PARTS * span // (FILL_OF * interval))


class Tape:
    """The recent samples of one series, oldest first.

    `interval` is the time between samples, `fresh` how long the last one stands for the
    present (0: only at its own instant), `bar` whether a sample observes the whole interval
    before it, `scale` the fixed-point units in 1.
    """

    __slots__ = (
        "bar",
        "first",
        "fixed",
        "fresh",
        "interval",
        "keep",
        "last",
        "latest",
        "readers",
        "run",
        "scale",
        "start",
        "summed",
        "times",
        "values",
    )

    def __init__(self, *, interval: int, fresh: int, bar: bool = False, scale: int = 1) -> None:
        self.interval, self.fresh, self.bar, self.scale = interval, fresh, bar, scale
        self.times: list[int] = []
        self.values: list[float] = []
        self.fixed: list[int] = []  # the values in fixed point, where something sums them
        self.summed = False
        self.first: int | None = None
        self.latest = NEVER  # time of the last sample: the next is later
        self.last = NEVER  # the same, until its feed says that it stands no longer
        self.run = 0  # how many of the last samples came an interval apart, without a hole
        self.start = 0  # from when on the series has been observed; read only once `first` is set
        self.keep = 0
        self.readers: list[Rolling] = []

    def push(self, ts: int, value: float) -> None:
        """Append one sample; `ts` must be later than the last."""
        if ts - self.last == self.interval:
            self.run += 1
        else:
            self.run = 1
            if self.first is None:
                self.first = ts
                self.start = ts - self.interval if self.bar else ts
        self.last = self.latest = ts
        self.times.append(ts)
        self.values.append(value)
        if self.summed:
            self.fixed.append(round(value * self.scale))

    def amend(self, ts: int, value: float) -> bool:
        """Add to the sample of an instant that has passed; say whether there was one, or could be.

        Windows that have read the tape must read it again.
        """
        place = bisect_left(self.times, ts)
        if place == 0 and self.first is not None and ts < self.first:
            return False
        if place == len(self.times) or self.times[place] != ts:
            self.times.insert(place, ts)
            self.values.insert(place, 0.0)
            self.run = 0
            if self.summed:
                self.fixed.insert(place, 0)
        fixed = round(self.values[place] * self.scale) + round(value * self.scale)
        self.values[place] = fixed / self.scale
        if self.summed:
            self.fixed[place] = fixed
        return True

    def clear(self) -> None:
        """Forget every sample: nothing has ever been observed."""
        self.times.clear()
        self.values.clear()
        self.fixed.clear()
        self.first, self.last, self.latest = None, NEVER, NEVER
        self.run = self.start = 0

    def withdraw(self) -> None:
        """Take the last sample back: what comes next stands in its place."""
        del self.times[-1], self.values[-1]
        if self.summed:
            del self.fixed[-1]
        self.last = self.latest = self.times[-1] if self.times else NEVER
        self.run = 0

    def current(self, now: int) -> float:
        """Return the value that stands for `now`, or unknown."""
        return self.values[-1] if now - self.last <= self.fresh else UNKNOWN

    def expire(self, now: int) -> None:
        """Let the last sample stand no longer: its feed says so, or a test does."""
        self.last, self.run = min(self.last, now - self.fresh - 1), 0

    def beyond(self, now: int) -> int:
        """Return how many samples no window at or after `now` can reach.

        The one before them stays: it is where the first change of a window begins.
        """
        return max(0, bisect_left(self.times, now - self.keep) - 1)

    def trim(self, now: int) -> None:
        """Drop what no window at or after `now` can reach."""
        gone = min([self.beyond(now), *(reader.place() for reader in self.readers)])
        if gone < TRIM_LEAST:
            return
        del self.times[:gone], self.values[:gone], self.fixed[:gone]
        for reader in self.readers:
            reader.moved(gone)


class Rolling(ABC):
    """The state of one window over a tape: `read(now)` once an instant, in order of time."""

    __slots__ = ("lag", "left", "need", "span", "tape", "warm", "whole")

    endpoint: ClassVar[bool] = False  # compares with a value at now - span: needs a sample there
    reach: ClassVar[int] = 1  # looks back over this many spans
    sums: ClassVar[bool] = False  # needs the samples in fixed point
    # what cannot be found again from the samples in reach: a saved state holds no more of it
    kept: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        self.tape, self.span, self.left = tape, span, 0
        self.need = span * self.reach if minimum is None else minimum
        self.whole = fill_needed(span * self.reach, tape.interval)
        # samples in a span: where they came without a hole, places need no search
        self.lag = 0 if span % tape.interval else span // tape.interval
        self.warm = False  # the whole span has been observed
        tape.summed |= self.sums
        tape.readers.append(self)
        # one more interval: the sample that stands for the far end may be that old
        tape.keep = max(tape.keep, span * self.reach + max(tape.interval, tape.fresh))

    @abstractmethod
    def read(self, now: int) -> float:
        """Return the measure at `now`, or unknown."""

    def place(self) -> int:
        """Return the oldest index of the tape that is still needed."""
        return self.left

    def moved(self, gone: int) -> None:
        """Take note that the tape dropped its first `gone` samples."""
        self.left -= gone

    def wanted(self, now: int) -> int:
        """Return how much must have been observed at `now` before the measure is known, in ns."""
        del now
        return self.need

    def seen(self, now: int) -> int:
        """Return how much of what is wanted has been observed, in ns."""
        tape = self.tape
        if tape.first is None:
            return 0
        since = tape.first if self.endpoint else tape.start
        return max(0, min(self.wanted(now), now - since))

    def filled(self, held: int, now: int) -> bool:
        """Say whether enough has been observed, and `held` samples leave no hole in it."""
        if self.warm:
            return held >= self.whole
        tape = self.tape
        if tape.first is None:
            return False
        observed = now - (tape.first if self.endpoint else tape.start)
        if observed < self.need:
            return False
        full = self.span * self.reach
        self.warm = observed >= full
        return held >= fill_needed(min(observed, full), tape.interval)


def bars(tape: Tape, since: int) -> tuple[list[int], list[float]]:
    """Return times and values of the bars after `since`.

    Where samples come more often than bars close, a bar is what comes at its close.
    """
    start = bisect_right(tape.times, since)
    times, values = tape.times[start:], tape.values[start:]
    if len(times) > 1 and (len(times) - 1) * tape.interval > times[-1] - times[0]:
        kept = [(ts, x) for ts, x in zip(times, values, strict=True) if not ts % tape.interval]
        return [ts for ts, _ in kept], [x for _, x in kept]
    return times, values


def drop_until(times: Sequence[int], left: int, cut: int) -> int:
    """Return the first index at or after `left` whose time is later than `cut`."""
    end = len(times)
    while left < end and times[left] <= cut:
        left += 1
    return left
