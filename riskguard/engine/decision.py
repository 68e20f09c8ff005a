"""The decision: what is on, merged so that the order of rules can never matter.

Every field is merged by min, max, union or nearest, and names the rules that set it: the
winner first, then those it outdid. A decision is immutable and stands until the next one;
`ts` is the instant it came into force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Decision", "Reading", "State"]

NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class State(IntEnum):
    """How strict a decision is; >= means "at least as strict as". Exits pass in all four."""

    ACTIVE = 0
    CAUTION = 1
    REDUCING = 2
    HALTED = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One leaf as it stood: value, threshold, margin (shares: points; else value/threshold - 1)."""

    rule: str  # the rule or stage it speaks for: "stage out", "cascade", "blind"
    leaf: str  # as written
    value: float | None
    threshold: float | None
    margin: float | None
    truth: str  # true | false | unknown
    dimension: str = "plain"
    role: str = "when"  # when | clear
    reads: tuple[tuple[str, int], ...] = ()  # series key ("liq.long", "ETH.close"), ns looked back


@dataclass(frozen=True, slots=True)
class Decision:
    """What is allowed from `ts` on, and why. Caps are fractions of `base` (bots.md 3.3)."""

    ts: int
    symbol: str
    stage: str = "normal"
    state: State = State.ACTIVE
    latched: bool = False
    priming: tuple[str, ...] = ()  # "oi_usd.change(4w) has 12d of 28d"
    blind: tuple[str, ...] = ()  # series keys, sorted
    exposure_cap: float = 1.0
    block_entries: str = "none"  # none | long | short | both
    reduce_only: bool = False
    leverage_cap: float | None = None
    stop: float | None = None  # distance to the price, in price units, when the decision was made
    close: str = "none"  # none | longs | shorts | all
    hedge: float = 0.0
    cancel_orders: str = "none"  # none | entries | all
    reduce_by: float = 0.0
    notify: tuple[str, ...] = ()
    active: tuple[str, ...] = ()  # rules that are on, sorted
    winners: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    reasons: tuple[Reading, ...] = ()
    rules: str = ""  # hash of the rule set
