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
    "FAR",
    "NEVER",
    "UNKNOWN",
    "Clock",
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
FAR = 1 << 62  # more samples than there can be
# a week, and the sample that stands for its beginning
CALENDAR_REACH = 8 * DAY
SAME = ("interval", "first", "last", "latest", "run")  # of clocks that are one
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


class Clock:
    """When samples came: one for all tapes whose samples have always come together.

    `even` says at an instant how many of the last samples came an interval apart, where the last
    came at this instant and the one before it at the instant before; else it is 0. In a window
    that is no longer than that one sample came since and one went: it glides.
    """

    __slots__ = (
        "due", "even", "first", "interval", "last", "latest", "ring", "run", "stride", "tapes",
        "times",
    )  # fmt: skip

    def __init__(self, interval: int, ring: list[Clock] | None = None) -> None:
        self.interval = interval
        self.ring: list[Clock] = [] if ring is None else ring  # all clocks of a stream
        self.ring.append(self)
        self.tapes: list[Tape] = []
        self.times: list[int] = []
        self.first: int | None = None
        self.latest = NEVER  # time of the last sample: the next is later
        self.last = NEVER  # the same, until its feed says that it stands no longer
        self.run = 0  # how many of the last samples came an interval apart, without a hole
        self.even, self.due = 0, NEVER  # due: when the next sample comes, if it is even
        self.stride = 0  # so many samples must be even for all windows to glide

    def tick(self, ts: int) -> None:
        """Take note of a sample, to be added to every tape; `ts` must be later than the last."""
        if ts - self.last == self.interval:
            self.run += 1
        else:
            self.run = 1
            if self.first is None:
                self.first = ts
        self.last = self.latest = ts
        self.times.append(ts)

    def look(self, now: int) -> bool:
        """Find `even` and say whether all windows glide; asked at each instant before a reading."""
        if self.last != now:
            self.rest()
            return False
        self.even = self.run if self.due == now else 0
        self.due = now + self.interval
        return self.even > self.stride

    def rest(self) -> None:
        """Let the next instant be looked at as if none had been before it."""
        self.even, self.due = 0, NEVER

    def went_with(self, other: Clock) -> bool:
        """Say whether another has told the same, as far back as it remembers."""
        same = all(getattr(self, name) == getattr(other, name) for name in SAME)
        return same and self.times[len(self.times) - len(other.times) :] == other.times

    def part(self, tapes: Sequence[Tape]) -> Clock:
        """Return the clock of tapes that go their own way from now on."""
        if len(tapes) == len(self.tapes):
            return self
        other = Clock(self.interval, self.ring)
        for name in ("due", "first", "last", "latest", "run"):
            setattr(other, name, getattr(self, name))
        other.times[:] = self.times
        for tape in tapes:
            tape.follow(other)
        self.stride = max((tape.stride for tape in self.tapes), default=0)
        return other

    def trim(self, now: int) -> None:
        """Drop what no window at or after `now` can reach."""
        gone = min(tape.spare(now) for tape in self.tapes)
        if gone < TRIM_LEAST:
            return
        del self.times[:gone]
        for tape in self.tapes:
            tape.drop(gone)


class Tape:
    """The recent samples of one series, oldest first.

    `interval` is the time between samples, `fresh` how long the last one stands for the
    present (0: only at its own instant), `bar` whether a sample observes the whole interval
    before it, `scale` the fixed-point units in 1. Tapes of one `clock` get their samples together.
    """

    __slots__ = ("bar", "clock", "fixed", "fresh", "keep", "readers", "scale", "summed", "values")

    def __init__(
        self,
        *,
        interval: int,
        fresh: int,
        bar: bool = False,
        scale: int = 1,
        clock: Clock | None = None,
    ) -> None:
        self.clock = Clock(interval) if clock is None else clock
        self.clock.tapes.append(self)
        self.fresh, self.bar, self.scale = fresh, bar, scale
        self.values: list[float] = []
        self.fixed: list[int] = []  # the values in fixed point, where something sums them
        self.summed = False
        self.keep = 0
        self.readers: list[Rolling] = []

    @property
    def interval(self) -> int:
        """The time between two samples."""
        return self.clock.interval

    @property
    def times(self) -> list[int]:
        """When the samples came."""
        return self.clock.times

    @property
    def first(self) -> int | None:
        """When the first of all came."""
        return self.clock.first

    @property
    def last(self) -> int:
        """When the last came; earlier where its feed says that it stands no longer."""
        return self.clock.last

    @property
    def start(self) -> int:
        """From when on the series has been observed; 0 before the first sample."""
        first = self.clock.first
        return 0 if first is None else first - self.clock.interval if self.bar else first

    def push(self, ts: int, value: float) -> None:
        """Append one sample; `ts` must be later than the last."""
        self.alone().tick(ts)
        self.add(value)

    @property
    def stride(self) -> int:
        """How many samples must be even for all windows that can glide."""
        return max((one.stride for one in self.readers if one.stride != FAR), default=0)

    def add(self, value: float) -> None:
        """Append the value of a sample that the clock has taken note of."""
        self.values.append(value)
        if self.summed:
            self.fixed.append(round(value * self.scale))

    def follow(self, clock: Clock) -> None:
        """Take another clock for its own, which has told the same."""
        if clock is not self.clock:
            self.clock.tapes.remove(self)
            clock.tapes.append(self)
            clock.stride = max(clock.stride, self.stride)
            self.clock = clock

    def alone(self) -> Clock:
        """Return its clock, which from now on no other tape shares."""
        return self.clock.part([self])

    def amend(self, ts: int, value: float) -> bool:
        """Add to the sample of an instant that has passed; say whether there was one, or could be.

        Windows that have read the tape must read it again.
        """
        clock, place = self.clock, bisect_left(self.clock.times, ts)
        if place == 0 and clock.first is not None and ts < clock.first:
            return False
        if place == len(clock.times) or clock.times[place] != ts:
            clock = self.alone()
            clock.times.insert(place, ts)
            self.values.insert(place, 0.0)
            clock.run = 0
            if self.summed:
                self.fixed.insert(place, 0)
        fixed = round(self.values[place] * self.scale) + round(value * self.scale)
        self.values[place] = fixed / self.scale
        if self.summed:
            self.fixed[place] = fixed
        return True

    def clear(self) -> None:
        """Forget every sample: nothing has ever been observed."""
        clock = self.alone()
        clock.times.clear()
        self.values.clear()
        self.fixed.clear()
        clock.first, clock.last, clock.latest, clock.run = None, NEVER, NEVER, 0
        clock.rest()

    def withdraw(self) -> None:
        """Take the last sample back: what comes next stands in its place."""
        clock = self.alone()
        del clock.times[-1], self.values[-1]
        if self.summed:
            del self.fixed[-1]
        clock.last = clock.latest = clock.times[-1] if clock.times else NEVER
        clock.run = 0

    def current(self, now: int) -> float:
        """Return the value that stands for `now`, or unknown."""
        return self.values[-1] if now - self.clock.last <= self.fresh else UNKNOWN

    def expire(self, now: int) -> None:
        """Let the last sample stand no longer: its feed says so, or a test does."""
        clock = self.alone()
        clock.last, clock.run = min(clock.last, now - self.fresh - 1), 0

    def beyond(self, now: int) -> int:
        """Return how many samples no window at or after `now` can reach.

        The one before them stays: it is where the first change of a window begins.
        """
        return max(0, bisect_left(self.clock.times, now - self.keep) - 1)

    def spare(self, now: int) -> int:
        """Return how many samples can be dropped."""
        return min([self.beyond(now), *(reader.place() for reader in self.readers)])

    def drop(self, gone: int) -> None:
        """Drop the first samples, as the clock does."""
        del self.values[:gone], self.fixed[:gone]
        for reader in self.readers:
            reader.moved(gone)


class Rolling(ABC):
    """The state of one window over a tape: `read(now)` once an instant, in order of time."""

    __slots__ = ("back", "lag", "left", "need", "span", "stride", "tape", "turned", "warm", "whole")

    endpoint: ClassVar[bool] = False  # compares with a value at now - span: needs a sample there
    reach: ClassVar[int] = 1  # looks back over this many spans
    sums: ClassVar[bool] = False  # needs the samples in fixed point
    # what cannot be found again from the samples in reach: a saved state holds no more of it
    kept: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tape: Tape, span: int, minimum: int | None = None) -> None:
        self.tape, self.span, self.left = tape, span, 0
        self.need = span * self.reach if minimum is None else minimum
        self.whole = fill_needed(span * self.reach, tape.interval)
        # samples in a span, and how many must be even for the window to glide
        self.lag = 0 if span % tape.interval else span // tape.interval
        self.stride = FAR
        self.back = -1 - self.lag  # place of the sample at the far end, from the end of the tape
        self.turned = NEVER  # when it glided last: its places are of before that
        self.warm = False  # the whole span has been observed
        if self.lag and type(self).glide is not Rolling.glide:
            self.stride = self.lag + 1
            tape.clock.stride = max(tape.clock.stride, self.stride)
        tape.clock.rest()  # it has taken nothing yet
        tape.summed |= self.sums
        tape.readers.append(self)
        # one more interval: the sample that stands for the far end may be that old
        tape.keep = max(tape.keep, span * self.reach + max(tape.interval, tape.fresh))

    @abstractmethod
    def read(self, now: int) -> float:
        """Return the measure at `now`, or unknown."""

    def glide(self, now: int) -> float:
        """Return the same where samples are even: since the last instant one came and one went."""
        raise NotImplementedError

    def at(self, now: int) -> float:
        """Return the measure at `now`, the shorter way where that can be gone."""
        return self.glide(now) if self.tape.clock.even > self.stride else self.read(now)

    def place(self) -> int:
        """Return the oldest index of the tape that is still needed."""
        if self.turned != NEVER:
            self.land()
        return self.left

    def land(self) -> None:
        """Find its places on the tape again, after it glided."""
        self.left = bisect_right(self.tape.clock.times, self.turned) - self.lag
        self.turned = NEVER

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
        clock = self.tape.clock
        first = clock.first
        if first is None:
            return False
        observed = now - first
        if self.tape.bar and not self.endpoint:
            observed += clock.interval
        if observed < self.need:
            return False
        full = self.span * self.reach
        self.warm = observed >= full
        return held >= fill_needed(min(observed, full), clock.interval)


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
