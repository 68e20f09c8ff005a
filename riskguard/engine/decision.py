"""The decision: what is on, merged so that the order of rules can never matter.

Every field is merged by min, max, union or nearest, and names the rules that set it: the
winner first, then those it outdid. A decision is immutable and stands until the next one;
`ts` is the instant it came into force.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.language.ruleset import Actions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from riskguard.engine.logic import Change
    from riskguard.engine.plan import Plan
    from riskguard.language.ruleset import Stop

__all__ = [
    "Claim",
    "Decision",
    "Moment",
    "Reading",
    "State",
    "decided",
    "faulted",
    "merge",
    "state_of",
]

# number fields: 1 where the least is strictest, -1 where the most is
NUMBERS = (("exposure_cap", 1), ("leverage_cap", 1), ("hedge", -1), ("reduce_by", -1))
NEUTRAL: Mapping[str, float | None] = MappingProxyType(
    {"exposure_cap": 1.0, "leverage_cap": None, "hedge": 0.0, "reduce_by": 0.0, "stop": None}
)
# word fields, and the word that two different ones make together
WORDS = (("close", "all"), ("block_entries", "both"), ("cancel_orders", "all"))
FAULT = "guard_error"
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


class Claim(NamedTuple):
    """What one rule, stage or ramp asks for."""

    name: str
    do: Actions
    priority: int = 0


def _joined(words: set[str], both: str) -> str:
    return both if len(words) > 1 else words.pop() if words else "none"


def _ordered(claims: list[tuple[float, Claim]]) -> tuple[str, ...]:
    # equal values: higher priority, then name, so that the order of rules cannot matter
    ranked = sorted(claims, key=lambda item: (item[0], -item[1].priority, item[1].name))
    return tuple(claim.name for _, claim in ranked)


def merge(
    claims: Iterable[Claim],
    *,
    blind: bool = False,
    priming: bool = False,
    price: float = math.nan,
    atr: float = math.nan,
) -> dict[str, Any]:
    """Return the merged fields of a decision, `winners` and `state` among them.

    `price` is the last close and `atr` the average true range: they turn stops into distances.
    `blind` and `priming` say that entries are blocked because the guard cannot see.
    """
    claims = tuple(claims)
    ranks: dict[str, list[tuple[float, Claim]]] = {}
    for claim in claims:
        for name, rank in _ranks(claim.do, price, atr):
            ranks.setdefault(name, []).append((rank, claim))
    winners = {name: _ordered(found) for name, found in ranks.items()}
    wanted: dict[str, Any] = {
        name: abs(min(rank for rank, _ in ranks[name])) if name in ranks else neutral
        for name, neutral in NEUTRAL.items()
    }
    words = {
        name: _joined({getattr(claim.do, name) for claim in claims} - {""}, both)
        for name, both in WORDS
    }
    for cause, holds in (("priming", priming), ("blind", blind)):
        if holds:
            words["block_entries"] = "both"
            winners["block_entries"] = (cause, *winners.get("block_entries", ()))
    notify = tuple(sorted({claim.do.notify for claim in claims if claim.do.notify}))
    fields = _settled(wanted, words, winners, reduce_only="reduce_only" in ranks)
    return fields | {"notify": notify}


def _ranks(do: Actions, price: float, atr: float) -> Iterator[tuple[str, float]]:
    """Yield each field that is asked for with its rank: the lowest is the strictest."""
    for name, sign in NUMBERS:
        value = getattr(do, name)
        if value is not None:
            yield name, sign * value
    distance = None if do.stop is None else _distance(do.stop, price, atr)
    if distance is not None:
        yield "stop", distance
    for name, both in WORDS:
        word = getattr(do, name)
        if word:
            yield name, 0.0 if word == both else 1.0
    if do.reduce_only:
        yield "reduce_only", 0.0


def _distance(stop: Stop, price: float, atr: float) -> float | None:
    asked = ((stop.share, price), (stop.atr, atr))
    distances = [times * unit for times, unit in asked if times is not None]
    return min((one for one in distances if not math.isnan(one)), default=None)


def _settled(
    wanted: dict[str, Any],
    words: dict[str, str],
    winners: dict[str, tuple[str, ...]],
    *,
    reduce_only: bool,
) -> dict[str, Any]:
    halted = wanted["exposure_cap"] <= 0 or words["close"] == "all"
    if (halted or reduce_only) and words["block_entries"] != "both":
        words["block_entries"] = "both"
        capped = wanted["exposure_cap"] <= 0
        cause = winners["reduce_only" if reduce_only else "exposure_cap" if capped else "close"]
        winners["block_entries"] = (cause[0], *winners.get("block_entries", ()))
    fields = {
        **wanted,
        **words,
        "reduce_only": reduce_only or halted,
        "winners": MappingProxyType(winners),
    }
    return fields | {"state": state_of(fields)}


def state_of(asked: Mapping[str, Any]) -> State:
    """Return the canonical state of what the fields of a decision ask for (rules.md section 9)."""
    if asked["exposure_cap"] <= 0 or asked["close"] == "all":
        return State.HALTED
    if asked["reduce_only"] or asked["block_entries"] == "both":
        return State.REDUCING
    restricted = (
        asked["block_entries"] != "none"
        or asked["close"] != "none"
        or asked["cancel_orders"] != "none"
        or asked["exposure_cap"] < 1
        or asked["leverage_cap"] is not None
        or asked["stop"] is not None
        or asked["hedge"]
        or asked["reduce_by"]
    )
    return State.CAUTION if restricted else State.ACTIVE


class Moment(NamedTuple):
    """What one instant left behind, ready to be merged into a decision."""

    now: int
    symbol: str
    change: Change
    caps: tuple[float, ...]  # of the re-entry ramps
    blind: tuple[Reading, ...]  # by key
    priming: tuple[str, ...]
    atr: float
    close: float
    reasons: tuple[Reading, ...]
    claims: tuple[Claim, ...] = ()  # of an operator
    latched: bool = False  # something waits for an operator, beside the rules that say `latch`
    muted: frozenset[str] = frozenset()  # rules and stages whose messages an operator silenced


def _claim(name: str, do: Actions, priority: int, muted: Collection[str]) -> Claim:
    return Claim(name, replace(do, notify="") if name in muted else do, priority)


def decided(plan: Plan, moment: Moment) -> Decision:
    """Return the decision of one instant."""
    ruleset, change = plan.ruleset, moment.change
    stage = ruleset.stages[change.stage - 1] if change.stage else None
    on = [rule for rule, is_on in zip(ruleset.rules, change.on, strict=True) if is_on]
    muted = {name for rule in on for name in rule.mutes} | moment.muted
    claims = [*moment.claims]
    if stage is not None:
        claims.append(_claim(f"stage {stage.name}", stage.do, 0, muted))
    claims += [_claim(rule.name, rule.do, rule.priority, muted) for rule in on]
    claims += [
        Claim(spec.name, Actions(exposure_cap=cap))
        for spec, cap in zip(plan.ramps, moment.caps, strict=True)
        if cap < 1.0
    ]
    block = ruleset.blind == "block"
    fields = merge(
        claims,
        blind=block and bool(moment.blind),
        priming=block and bool(moment.priming),
        price=moment.close,
        atr=moment.atr,
    )
    return Decision(
        ts=moment.now,
        symbol=moment.symbol,
        stage=stage.name if stage is not None else "normal",
        latched=moment.latched or any(rule.latch for rule in on),
        priming=moment.priming,
        blind=tuple(reading.leaf for reading in moment.blind),
        active=tuple(sorted(rule.name for rule in on)),
        reasons=(*moment.reasons, *moment.blind),
        rules=ruleset.hash,
        **fields,
    )


def faulted(decision: Decision, ts: int, text: str) -> Decision:
    """Return a decision as it stands while the guard fails: no entries, all else as it was."""
    winners = dict(decision.winners)
    others = [name for name in winners.get("block_entries", ()) if name != FAULT]
    winners["block_entries"] = (FAULT, *others)
    told = Reading(FAULT, text, None, None, None, "true", "truth")
    return replace(
        decision,
        ts=ts,
        state=max(decision.state, State.REDUCING),
        block_entries="both",
        winners=MappingProxyType(winners),
        reasons=(*(reading for reading in decision.reasons if reading.rule != FAULT), told),
    )
