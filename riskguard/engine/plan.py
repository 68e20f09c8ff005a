"""A rule set compiled: every distinct tape, window, value and condition once, in order.

The plan is what stream and column have in common. Each table is a list whose entries name
others by index, lower indices first, so that one pass in order evaluates everything. The
tables say what is computed; `guard` runs them a step at a time, `history.columns` a column at
a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskguard.engine.measures import MEASURES
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.engine.boundary import Boundary
    from riskguard.engine.windows import Window
    from riskguard.language.ruleset import Condition, RuleSet, Value

__all__ = ["AtrRef", "Group", "Leaf", "Plan", "Ref", "TapeSpec", "ValueSpec"]

ATR_BARS = 14
ATR_INDEX = -1  # where windows are named by number, the one under stops in ATR
ATR_SPANS = 5  # Wilder's recurrence is begun anew over this many windows (rules.md section 5)


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
    """all, any, at_least, not, for, sequence over truth slots."""

    kind: str
    parts: tuple[int, ...]
    count: int = 0  # at_least, for N closes
    span: int = 0  # for, sequence within; ns


Truth = Leaf | Ref | Group


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


@dataclass(frozen=True, slots=True)
class AtrRef:
    """Index of the tapes high, low, close that ATR stops are measured on."""

    high: int
    low: int
    close: int
    needed: bool = True  # the feed carries all three


@dataclass(slots=True)
class Plan:
    """The tables, and `order`: what is stepped, one after another, as (kind, index).

    Kinds are truth, rule, ladder and ramp.
    """

    ruleset: RuleSet
    every: int
    tapes: list[TapeSpec] = field(default_factory=list)
    windows: list[tuple[Window, int]] = field(default_factory=list)  # window, tape it reads
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
    atr: AtrRef | None = None
    close: int = -1  # tape of the guarded symbol's close, -1 where no rule reads it
    slots: dict[tuple[Condition, bool], int] = field(default_factory=dict)
    numbers: dict[Value, int] = field(default_factory=dict)

    def slot(self, node: Condition, *, clearing: bool) -> int:
        """Return the truth slot of a condition compiled for firing or for clearing."""
        return self.slots[node, clearing]

    def priming_texts(self, seen: Iterable[tuple[int, int]]) -> tuple[str, ...]:
        """Return what windows have seen so far (ns), as text: "oi.change(24h) has 12h of 24h"."""
        return tuple(
            f"{self._window_text(index)} has {time_text(have)} of {time_text(self.warm_up(index))}"
            for index, have in seen
        )

    def _window_text(self, index: int) -> str:
        return "close.atr(14 bars)" if index == ATR_INDEX else self.window_texts[index]

    @property
    def warming(self) -> list[int]:
        """Windows that protection needs; ATR_INDEX stands for that of a stop in ATR."""
        needed = [index for index, needed in enumerate(self.windows_needed) if needed]
        return [*needed, ATR_INDEX] if self.atr is not None and self.atr.needed else needed

    def warm_up(self, index: int) -> int:
        """Return how much a window must have seen before it is known, in ns."""
        if index == ATR_INDEX:
            return ATR_SPANS * ATR_BARS * self.every
        window = self.windows[index][0]
        return window.minimum or window.span * MEASURES[window.function].reach
