"""A rule set compiled: every distinct tape, window, value and condition once, in order.

The plan is what stream and column have in common. Each table is a list whose entries name
others by index, lower indices first, so that one pass in order evaluates everything. The
tables say what is computed; `guard` runs them a step at a time, `history.columns` a column at
a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskguard.engine.states import looks_back
from riskguard.language.ruleset import During, input_of
from riskguard.market import CALENDAR, LARGEST, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.engine.boundary import Boundary
    from riskguard.engine.windows import Window
    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = ["Group", "Leaf", "Plan", "RampSpec", "Ref", "TapeSpec", "ValueSpec"]

ATR_BARS = 14  # of a stop that is measured in ATR


@dataclass(frozen=True, slots=True)
class TapeSpec:
    """One series as the plan reads it; `key` is "oi", "ETH.close", or the window feeding it."""

    key: str | Window
    symbol: str  # "" = the guarded symbol
    name: str
    interval: int
    max_age: int
    bar: bool
    scale: int
    signed: bool
    price: bool  # must be above 0
    needed: bool  # protection reads it: when it is stale the guard is blind
    feeder: int = -1  # index of the window that feeds it, -1 for a series
    most: float = LARGEST
    begins: str = ""  # zero | same: an account input, observed from its first event on

    @property
    def shown(self) -> str:
        """The key as the trader knows it."""
        return str(self.key).removesuffix(".nav")


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """One number: kind const (number), tape, window (index) or + - * / (left, right)."""

    kind: str
    number: float = 0.0
    index: int = -1
    left: int = -1
    right: int = -1


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison: against a boundary where the threshold is constant, else by formula."""

    left: int
    op: str
    right: int
    absolute: bool  # slack of 1e-9, else 1e-9 of the threshold
    bound: Boundary | None
    policy: str  # hold | fire | ignore


@dataclass(frozen=True, slots=True)
class Ref:
    """The truth of a definition (slot), or the state of a rule or the ladder."""

    kind: str  # slot | rule | stage
    index: int
    policy: str


@dataclass(frozen=True, slots=True)
class Group:
    """all, any, at_least, not, for, sequence over truth slots; within: a part, then its hours."""

    kind: str
    parts: tuple[int, ...]
    count: int = 0  # at_least, for N closes
    span: int = 0  # for, sequence within; ns


Truth = Leaf | Ref | Group | During


@dataclass(frozen=True, slots=True)
class RampSpec:
    """A re-entry ramp: which latch it follows, and the truth slot that lets it rise."""

    name: str
    start: float
    step: float
    every: int
    rising: int
    rule: int = -1  # index of the rule, or
    stage: int = -1  # number of the stage (from 1)


@dataclass(frozen=True, slots=True)
class LatchSpec:
    """One rule: truth slots of `when` and `clear`, and its times."""

    name: str
    when: int
    clear: int
    min_hold: int
    cooldown: int
    latch: bool


@dataclass(slots=True)
class Plan:
    """The tables, and `order`: what is stepped, one after another, as (kind, index).

    Kinds are truth, rule, ladder and ramp.
    """

    ruleset: RuleSet
    every: int
    tapes: list[TapeSpec] = field(default_factory=list)
    # each window with the tapes it reads, its source first
    windows: list[tuple[Window, tuple[int, ...]]] = field(default_factory=list)
    windows_needed: list[bool] = field(default_factory=list)
    window_texts: list[str] = field(default_factory=list)
    values: list[ValueSpec] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    latches: list[LatchSpec] = field(default_factory=list)
    enters: list[int] = field(default_factory=list)
    recovers: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    ramps: list[RampSpec] = field(default_factory=list)
    order: list[tuple[str, int]] = field(default_factory=list)
    atr: int = -1  # window under the stops in ATR, -1 where there are none
    close: int = -1  # tape of the guarded symbol's close, -1 where no rule reads it
    slots: dict[tuple[Condition, bool], int] = field(default_factory=dict)
    numbers: dict[Value, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)  # place of each among the latches

    def slot(self, node: Condition, *, clearing: bool) -> int:
        """Return the truth slot of a condition compiled for firing or for clearing."""
        return self.slots[node, clearing]

    def priming_texts(self, seen: Iterable[tuple[int, int, int]]) -> tuple[str, ...]:
        """Return what windows (index, seen, wanted; ns) lack: "oi.change(24h) has 12h of 24h"."""
        return tuple(
            f"{self.window_texts[index]} has {time_text(have)} of {time_text(wanted)}"
            for index, have, wanted in seen
        )

    def stands(self, name: str) -> int:
        """Return how long (ns) the last value of a series of the guarded symbol stands."""
        spec = input_of(self.ruleset, "", name).spec
        return spec.max_age or 2 * (spec.interval or self.every)

    @property
    def warming(self) -> list[int]:
        """Windows that protection needs."""
        return [index for index, needed in enumerate(self.windows_needed) if needed]

    def windows_under(self, *slots: int) -> list[int]:
        """Return the windows that conditions read, through definitions and through each other."""
        found: set[int] = set()
        for slot in slots:
            truth = self.truths[slot]
            if isinstance(truth, Leaf):
                self._read(truth.left, found)
                self._read(truth.right, found)
            elif isinstance(truth, Group):
                found.update(self.windows_under(*truth.parts))
            elif isinstance(truth, Ref) and truth.kind == "slot":
                found.update(self.windows_under(truth.index))
        return sorted(found)

    def _read(self, value: int, found: set[int]) -> None:
        spec = self.values[value]
        if spec.kind == "window":
            index = spec.index
            while index >= 0:
                found.add(index)
                index = self.tapes[self.windows[index][1][0]].feeder
        elif spec.left >= 0:
            self._read(spec.left, found)
            self._read(spec.right, found)

    def warm_up(self, index: int) -> int:
        """Return how much a window must have seen at most before it is known, in ns."""
        window = self.windows[index][0]
        calendar = window.calendar.partition("@")[0]
        return CALENDAR.get(calendar, 0) or window.minimum or looks_back(window)

    def lookback(self, tape: int) -> int:
        """Return how far back (ns) anything rests on a tape, through the tapes it feeds."""
        spec = self.tapes[tape]
        fed = {other.feeder: place for place, other in enumerate(self.tapes) if other.feeder >= 0}
        found = [
            looks_back(window) + (self.lookback(fed[index]) if index in fed else 0)
            for index, (window, tapes) in enumerate(self.windows)
            if tape in tapes
        ]
        return max(found, default=0) + max(spec.interval, spec.max_age)

    def chain(self, tape: int) -> list[int]:
        """Return the windows that rest on a tape, through the tapes they feed, in order."""
        reached, found = {tape}, []
        fed = {other.feeder: place for place, other in enumerate(self.tapes) if other.feeder >= 0}
        for index, (_, tapes) in enumerate(self.windows):
            if not reached.isdisjoint(tapes):
                found.append(index)
                if index in fed:
                    reached.add(fed[index])
        return found
