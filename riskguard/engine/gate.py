"""The order gate: what an order may be, and what must be done unasked (bots.md sections 3, 4).

Pure functions over a decision, a position and the orders that are still open. Quantities are
in the order unit of the instrument and never negative; the position is signed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskguard.engine.decision import State
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from riskguard.engine.decision import Decision

__all__ = ["Action", "Episode", "Intent", "Pending", "Reason", "Verdict", "duties", "gate"]

UNLIMITED = math.inf
# a residue of float arithmetic, relative to the numbers it came from: not a quantity
RESIDUE = 1e-12


@dataclass(frozen=True, slots=True)
class Pending:
    """An order of the bot that is not finished."""

    id: str
    side: str  # buy | sell
    remaining: float
    resting: bool  # False: in flight, cannot be relied on to cancel
    reduce_only: bool = False  # held to it by the venue
    group: str = ""  # OCO or bracket


@dataclass(frozen=True, slots=True)
class Intent:
    """An order a bot wants to send, with what it stands on."""

    ts: int
    symbol: str
    side: str  # buy | sell
    quantity: float
    position: float  # signed
    pending: tuple[Pending, ...] = ()
    price: float | None = None
    leverage: float = 1.0
    reduce_only: bool = False
    close: bool = False
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an order was cut or refused."""

    cause: str  # rule | blind | priming | unguarded | state_lost | degraded | guard_error | manual
    rule: str
    text: str
    value: float | None = None
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to an intent; `quantity` is never above what was asked."""

    answer: str  # allow | resize | deny
    quantity: float
    effect: str  # open | add | reduce | close | flip
    reduce_only: bool
    cancel_first: tuple[str, ...]
    state: State
    latched: bool
    reasons: tuple[Reason, ...] = ()
    until: int | None = None
    max_leverage: float | None = None
    as_of: int = 0
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do unasked; the same condition keeps the same id."""

    id: str
    kind: str  # cancel_entries | cancel_all | reduce_to | flatten | set_stop | hedge
    symbol: str
    fraction: float = 0.0  # reduce_to: share of `base` to keep
    data: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


class Episode:
    """What one symbol remembers between leaving ACTIVE and the return to it.

    `base` is the size the caps are shares of: the position when the episode began or, if flat,
    the first entry asked in it. It does not grow inside an episode.
    """

    __slots__ = ("base", "held", "reduced", "tightening")

    def __init__(self) -> None:
        self.base: float | None = None
        self.held = UNLIMITED
        self.reduced = 0.0
        self.tightening = 0

    def see(self, decision: Decision, position: float) -> None:
        """Take note of a new decision, with the position held when it is made."""
        if decision.state is State.ACTIVE:
            self.base, self.held, self.reduced = None, UNLIMITED, 0.0
            return
        self.tightening += 1
        if self.base is None and position:
            self.base = abs(position)
        if decision.reduce_by > self.reduced:
            self.held = min(self.held, (1.0 - decision.reduce_by) * abs(position))
        elif not decision.reduce_by:
            self.held = UNLIMITED
        self.reduced = decision.reduce_by

    def ask(self, quantity: float) -> None:
        """Take note of an entry asked for while flat: it is the base if there is none yet."""
        if self.base is None and quantity > 0:
            self.base = quantity

    def ceiling(self, decision: Decision) -> float:
        """Return the largest position allowed, in units; infinite where nothing limits it."""
        limit = self.held
        if decision.exposure_cap < 1.0 and self.base is not None:
            limit = min(limit, decision.exposure_cap * self.base)
        return limit


def _floor(quantity: float, step: float) -> float:
    if step <= 0:
        return quantity
    steps = quantity / step
    whole = math.floor(steps)
    if steps - whole > 1 - 1e-9:  # 0.3 / 0.1 is 2.9999999999999996
        whole += 1
    return min(quantity, whole * step)


def _effect(position: float, sign: int, quantity: float) -> str:
    against = -position * sign
    if position == 0:
        return "open"
    if against <= 0:
        return "add"
    if quantity > against * (1 + RESIDUE):
        return "flip"
    return "close" if quantity >= against * (1 - RESIDUE) else "reduce"


def _grouped(orders: Sequence[Pending]) -> float:
    """Sum what could still fill; of an OCO group only one member can."""
    groups: dict[str, float] = {}
    total = 0.0
    for order in sorted(orders, key=lambda order: (order.group, order.id, order.remaining)):
        if order.group:
            groups[order.group] = max(groups.get(order.group, 0.0), order.remaining)
        else:
            total += order.remaining
    return total + math.fsum(groups.values())


def _limit(intent: Intent, decision: Decision, ceiling: float, equity: float | None) -> float:
    """Return the largest position allowed on the side of the order, in units."""
    if decision.state >= State.REDUCING:
        return 0.0
    if decision.leverage_cap is None or equity is None or not intent.price:
        return ceiling
    return min(ceiling, max(0.0, decision.leverage_cap * equity / intent.price))


def _room_first(
    mine: Sequence[Pending], reach: float, limit: float
) -> tuple[tuple[str, ...], list[Pending]]:
    """Name the resting orders to cancel, newest first, until what may fill fits the limit."""
    kept, cancel = list(mine), []
    for order in reversed(mine):
        if reach <= limit:
            break
        if order.resting and not order.reduce_only:
            before = _grouped(kept)
            kept.remove(order)
            cancel.append(order.id)
            reach -= before - _grouped(kept)
    return tuple(cancel), kept


def gate(
    intent: Intent,
    decision: Decision,
    *,
    ceiling: float = UNLIMITED,
    equity: float | None = None,
    step: float = 0.0,
    min_quantity: float = 0.0,
) -> Verdict:
    """Judge one order: exits pass in full, entries up to what the decision leaves room for.

    `ceiling` is the largest position in units (`Episode.ceiling`), `equity` the account in
    dollars where it is known. The steps and their numbers are those of bots.md 3.1.
    """
    sign = 1 if intent.side == "buy" else -1
    along = sign * intent.position
    limit = _limit(intent, decision, ceiling, equity)
    mine = [order for order in intent.pending if order.side == intent.side]
    busy = math.fsum(order.remaining for order in mine if not order.resting)
    room = max(0.0, -along - busy) if along < 0 else 0.0
    leaving = min(intent.quantity, room)
    cancel: tuple[str, ...] = ()
    kept = mine
    if leaving > 0:
        reach = along + _grouped(mine) + leaving
        cancel, kept = _room_first(mine, reach, limit)
    entry = 0.0
    if not _shut(intent, decision):
        taken = along + _grouped(kept) + leaving
        entry = _floor(min(intent.quantity - leaving, max(0.0, limit - taken)), step)
    if entry < min_quantity or entry <= RESIDUE * intent.quantity:
        entry = 0.0
    if leaving < -along * (1 - RESIDUE):  # a full close goes out as it is, dust and all
        leaving = _floor(leaving, step)
    return _verdict(intent, decision, sign, leaving + entry, cancel)


def _shut(intent: Intent, decision: Decision) -> bool:
    """Say whether nothing may be entered by this order."""
    side = "long" if intent.side == "buy" else "short"
    return (
        intent.reduce_only
        or intent.close
        or decision.state >= State.REDUCING
        or decision.block_entries in {side, "both"}
    )


def _verdict(
    intent: Intent, decision: Decision, sign: int, granted: float, cancel: tuple[str, ...]
) -> Verdict:
    asked = intent.quantity
    if asked - granted <= RESIDUE * asked:
        granted = asked
    answer = "allow" if granted == asked else "resize" if granted > 0 else "deny"
    return Verdict(
        answer,
        granted,
        _effect(intent.position, sign, asked),
        decision.state >= State.REDUCING,
        cancel,
        decision.state,
        decision.latched,
        () if answer == "allow" else _why(decision, "long" if sign > 0 else "short"),
        None,
        decision.leverage_cap,
        decision.ts,
        decision.rules,
    )


def _why(decision: Decision, side: str) -> tuple[Reason, ...]:
    """Say which fields of the decision stand in the way of an entry, and who set them."""
    found: list[Reason] = []
    ages = {reading.leaf: reading for reading in decision.reasons if reading.rule == "blind"}
    for name in decision.blind:
        old = ages.get(name)
        known = old is not None and old.value is not None and old.threshold is not None
        text = f" ({time_text(int(old.value))} > {time_text(int(old.threshold))})" if known else ""  # type: ignore[union-attr, arg-type]  # `known` says so
        found.append(Reason("blind", "", f"blind: {name}{text}"))
    found.extend(Reason("priming", "", f"priming: {text}") for text in decision.priming)
    for name in ("exposure_cap", "close", "reduce_only", "block_entries", "leverage_cap"):
        winners = decision.winners.get(name, ())
        if not winners or winners[0] in {"blind", "priming"}:
            continue
        value = getattr(decision, name)
        if name == "block_entries" and value not in {side, "both"}:
            continue
        shown = f"{value:.0%}" if name == "exposure_cap" else str(value)
        found.append(Reason("rule", winners[0], f"{name} {shown} <- {winners[0]}"))
    return tuple(found)


def _cancels_entries(decision: Decision) -> bool:
    tightened = decision.block_entries != "none" or decision.exposure_cap < 1.0
    return tightened or decision.cancel_orders != "none" or decision.reduce_by > 0


def duties(decision: Decision, episode: Episode, symbol: str, position: float) -> list[Action]:
    """List what the decision asks for unasked, cancels first; ids are stable in an episode."""
    if decision.state is State.ACTIVE:
        return []
    stem = f"{decision.rules[:8]}:{episode.tightening}"
    actions: list[Action] = []

    def add(kind: str, fraction: float = 0.0, **data: float) -> None:
        tail = f":{fraction:g}" if kind == "reduce_to" else ""
        actions.append(Action(f"{stem}:{kind}:{symbol}{tail}", kind, symbol, fraction, data))

    if decision.cancel_orders == "all":
        add("cancel_all")
    elif _cancels_entries(decision):
        add("cancel_entries")
    ceiling = episode.ceiling(decision)
    leaves = {"longs": position > 0, "shorts": position < 0, "all": True, "none": False}
    if decision.exposure_cap <= 0 or leaves[decision.close]:
        add("flatten")
    elif abs(position) > ceiling:
        add("reduce_to", ceiling / episode.base if episode.base else 0.0, ceiling=ceiling)
    if decision.stop is not None:
        add("set_stop", distance=decision.stop)
    if decision.hedge:
        add("hedge", share=decision.hedge)
    return actions
