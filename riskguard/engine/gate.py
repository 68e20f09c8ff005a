"""The order gate: what an order may be (bots.md 3.1).

Pure: an order, the decision in force and a ceiling in units go in, a verdict comes out. Exits
pass in full in every state and under every fault; entries get the room that is left.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.engine.decision import State
from riskguard.engine.orders import (
    LARGEST,
    RESIDUE,
    Absurd,
    Action,
    Intent,
    Pending,
    Reason,
    Stand,
    Verdict,
    made,
    read,
    together,
)
from riskguard.errors import foreign
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from riskguard.engine.decision import Decision

__all__ = [
    "RESIDUE",
    "UNLIMITED",
    "Action",
    "Intent",
    "Pending",
    "Reason",
    "Terms",
    "Verdict",
    "exit_alone",
    "gate",
    "surplus",
]

UNLIMITED = math.inf
ACTIVE, REDUCING = State.ACTIVE, State.REDUCING  # an enum looks its members up each time
NOTHING: tuple[str, ...] = ()
NO_REASON: tuple[Reason, ...] = ()
# what stands among the winners of a decision and is no rule
CAUSES = frozenset({"guard_error", "manual", "state_lost", "degraded", "remote_down"})
# what stands in the way of an entry, and the words that mean the other side
FIELDS = (
    "exposure_cap", "reduce_by", "close", "reduce_only", "block_entries", "leverage_cap",
)  # fmt: skip
SHARES = frozenset({"exposure_cap", "reduce_by"})
# what a cap of leverage cannot be counted without
NO_EQUITY = "no equity was told of late: tell it by account events"
NO_PRICE = "no price is known: tell it with the order (Intent.price)"
UNSEEN = ("blind", "priming")  # stand among the winners too, and have words of their own
OTHERS = {"long": ("short", "shorts", "none"), "short": ("long", "longs", "none")}


def gate(
    intent: Intent,
    decision: Decision,
    *,
    ceiling: float = UNLIMITED,
    equity: float | None = None,
    price: float | None = None,
    step: float = 0.0,
    min_quantity: float = 0.0,
    contract_size: float = 1.0,
    fault: str = "",
    as_of: int | None = None,
    until: Callable[[Decision, int], int | None] | None = None,
    terms: Terms | None = None,
) -> Verdict:
    """Judge one order: exits pass in full, entries up to what the decision leaves room for.

    `ceiling` is the largest position in units (`Episode.ceiling`), `equity` the account in
    dollars and `price` that of one coin as it is known beside the order, `contract_size` the
    coins in one unit. A `fault` says what failed in the guard: nothing is entered. `as_of` is
    the time of the last evaluation, `until` tells of a decision and a time when a refusal may
    end at the earliest, `terms` are those of this decision where many orders are asked under
    it. Never raises: an order that makes no sense is denied, but for what it closes. The steps
    and their numbers are those of bots.md 3.1.
    """
    try:
        terms, stand = terms or Terms(decision), read(intent)
        side, asked, closing, along, room, mine, bound, _ = stand
        shut = terms.barred[side] or bool(fault)
        limit, first = 0.0 if shut else ceiling, NO_REASON
        if decision.leverage_cap is not None and not shut:
            geared, first = _geared(stand, decision.leverage_cap, equity, (price, contract_size))
            limit = min(limit, geared)
        leaving = _leaving(asked, closing, along, step) if closing else 0.0
        reach, cancel = along + closing, NOTHING
        if mine:
            reach, cancel = _room_first(mine, reach, limit, along if leaving else 0.0)
        entry = min(asked - closing, limit - reach) if limit > reach and not bound else 0.0
        granted = leaving
        if entry:
            granted = _rounded(asked, closing, leaving, entry, step, least=min_quantity)
        answer, reasons, end = "allow", NO_REASON, None
        if granted < asked:
            answer = "resize" if granted > 0 else "deny"
            reasons = _reasons(stand, _failed(fault) or first, entry, (reach, limit), terms)
            if not reasons:
                reasons = (Reason("venue", "", f"steps of {step:g}, at least {min_quantity:g}"),)
            end = None if until is None else until(decision, intent.ts)
        told = (
            answer,
            granted,
            _effect(asked, along, room, bound=bound),
            shut or bound or (granted <= closing and terms.limits),
            cancel,
            max(REDUCING, decision.state) if fault else decision.state,
            decision.latched,
            reasons,
            end,
            decision.leverage_cap,
            decision.ts if as_of is None else as_of,
            decision.rules,
        )
        return made(Verdict, told)
    except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
        return exit_alone(intent, error, decision=decision, step=step, as_of=as_of)


def exit_alone(
    intent: Intent,
    error: Exception,
    *,
    decision: Decision | None = None,
    step: float = 0.0,
    as_of: int | None = None,
) -> Verdict:
    """Grant what an order closes and nothing else, whatever it holds; never raises.

    What of it makes no sense is passed over: an open order without a size takes nothing away
    from an exit. Only without a side, a quantity or a position is there no exit to let pass.
    """
    state, latched, rules, ts = REDUCING, False, "", 0
    if decision is not None:
        state, latched = max(state, decision.state), decision.latched
        rules, ts = decision.rules, decision.ts
    granted, answer, effect = 0.0, "deny", "reduce"
    cancel: tuple[str, ...] = ()
    try:
        stand = read(intent, careful=True)
        asked, closing, along = stand.asked, stand.closing, stand.along
        granted = _leaving(asked, closing, along, step)
        answer = "allow" if granted >= asked else "resize" if granted > 0 else "deny"
        effect = _effect(asked, along, stand.room, bound=stand.bound)
        reach = along + closing
        cancel = _room_first(stand.mine, reach, 0.0, along if granted else 0.0)[1]
    except Exception:  # noqa: BLE001, S110 - there is no order in it, or none that can be read
        pass
    try:
        text = foreign(error if isinstance(error, Absurd) else f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - an error that cannot be shown is an error still
        text = "failed inside"
    reason = Reason("absurd" if isinstance(error, Absurd) else "guard_error", "", text)
    asof = ts if as_of is None else as_of
    return Verdict(
        answer, granted, effect, reduce_only=True, cancel_first=cancel, state=state,
        latched=latched, reasons=(reason,), as_of=asof, rules=rules,
    )  # fmt: skip


def surplus(
    position: float,
    pending: Sequence[Pending],
    decision: Decision,
    *,
    ceiling: float = UNLIMITED,
    book: str = "",
) -> tuple[str, ...]:
    """Name the resting orders to cancel, so that none can enlarge or flip what may be held.

    For the host to ask when a decision tightens and whenever the position changes (bots.md 3.2
    G9, section 4 step 3): entries beyond the limit, exits that together exceed the position.
    What the venue holds to reduce-only stays.
    """
    found: tuple[str, ...] = ()
    for side, sign, enters in (("buy", 1, "long"), ("sell", -1, "short")):
        mine = [one for one in pending if one.side == side and book in ("", one.book or book)]
        shut = _barred(decision, enters) or book not in ("", enters)
        limit = 0.0 if shut else ceiling
        size = math.fsum((abs(position), *(order.remaining for order in mine)))
        found += _room_first(mine, sign * position, limit, -size)[1]
    return found


def _barred(decision: Decision, side: str) -> bool:
    """Say whether a decision lets nothing be entered on a side."""
    others = OTHERS[side]
    return (
        decision.block_entries not in others
        or decision.close not in others
        or decision.state >= REDUCING
    )


def _geared(
    stand: Stand, cap: float, equity: float | None, unit: tuple[float | None, float]
) -> tuple[float, tuple[Reason, ...]]:
    """Return the largest position in units that a leverage cap allows, and what it lacks.

    `unit` is the last price that is known, and the coins in one. Of that price and the one that
    the order names the higher counts: a sale far below the market fills at the market. What
    cannot be counted is taken for no room: nothing known is no leave to enter.
    """
    known, size = unit
    price = max(stand.price, known or 0.0)
    dollars = price * size
    if equity is not None and 0 < dollars < math.inf:
        return max(0.0, cap * equity / dollars), NO_REASON
    lacks = [] if equity is not None else [NO_EQUITY]
    if not 0 < dollars < math.inf:
        lacks.append(f"a unit of {size:g} coins: see `instruments`" if price > 0 else NO_PRICE)
    return 0.0, tuple(Reason("blind", "", f"leverage is capped, and {text}") for text in lacks)


def _room_first(
    mine: Sequence[Pending], base: float, limit: float, closing: float
) -> tuple[float, tuple[str, ...]]:
    """Return how far all may reach, and the resting orders that an exit has cancelled for it.

    Newest first until what may fill fits the limit, an OCO group as one; what the venue holds
    to reduce-only stays. `closing` is the position that is closed, below 0; 0 cancels nothing.
    """
    reach = base + together(mine)
    fits = limit - RESIDUE * closing
    if closing >= 0 or reach <= fits:
        return reach, ()
    units: dict[object, list[Pending]] = {}
    loose = [order for order in mine if order.resting and not order.reduce_only]
    for order in sorted(loose, key=_age, reverse=True):
        units.setdefault(order.group or (order.id, len(units)), []).append(order)
    kept, cancel = mine, list[str]()
    for unit in units.values():
        gone = set(map(id, unit))
        kept = [order for order in kept if id(order) not in gone]
        reach = base + together(kept)
        cancel += [order.id for order in unit]
        if reach <= fits:
            break
    return reach, tuple(cancel)


def _age(order: Pending) -> tuple[int, int, str, float]:
    # venues and frameworks count their orders: of two numbers the longer is the later
    return order.ts, len(str(order.id)), str(order.id), order.remaining


def _floor(quantity: float, step: float) -> float:
    if not 0 < step <= LARGEST:
        return quantity
    steps = quantity / step
    # 0.3 / 0.1 is 2.9999999999999996
    if steps > 1e15 or steps % 1 > 1 - 1e-9:
        return quantity
    return min(quantity, math.floor(steps) * step)


def _leaving(asked: float, closing: float, along: float, step: float) -> float:
    """Return the exit in an order, in whole steps; a full close goes out as it is, dust and all."""
    whole = closing if closing >= -along * (1 - RESIDUE) else _floor(closing, step)
    return asked if asked - whole <= RESIDUE * asked else whole


def _rounded(
    asked: float, closing: float, leaving: float, entry: float, step: float, *, least: float
) -> float:
    """Return exit and entry in whole steps together; an entry below the least order is none."""
    noise = RESIDUE * asked
    if entry <= noise:
        return leaving
    granted = _floor(closing + entry, step)
    entering = granted - closing
    if entering <= noise or entering < least * (1 - 1e-9):
        return leaving
    return asked if asked - granted <= noise else granted


def _effect(asked: float, along: float, room: float, *, bound: bool) -> str:
    if bound:
        return "close" if 0 < room <= asked * (1 + RESIDUE) else "reduce"
    if along >= 0:
        return "add" if along > 0 else "open"
    if asked > room * (1 + RESIDUE):
        return "flip"
    return "close" if asked >= room * (1 - RESIDUE) else "reduce"


def _failed(fault: str) -> tuple[Reason, ...]:
    return (Reason("guard_error", "", fault),) if fault else NO_REASON


def _reasons(
    stand: Stand,
    first: tuple[Reason, ...],
    entry: float,
    reached: tuple[float, float],
    terms: Terms,
) -> tuple[Reason, ...]:
    """Say why less was let in than was asked; nothing when only rounding took it.

    What comes `first` is no doing of a rule: what failed, or is not known.
    """
    beyond = stand.asked - stand.closing
    if beyond - entry <= RESIDUE * stand.asked:
        return ()
    if stand.bound:
        return (Reason("order", "", f"may only close: {stand.room:g} left to close"),)
    reach, limit = reached
    found = (*first, *terms.refusal(stand.side, reach, limit))
    return found or (Reason("rule", "", f"{reach:g} of {limit:g} taken"),)


class Terms:
    """What one decision says to orders: found once for all that are asked under it.

    `barred` says by side whether nothing is entered, `shut` whether that is so by its state,
    `limits` whether it is stricter than ACTIVE. What is said to entries that are refused is
    worded once a side.
    """

    __slots__ = ("_worded", "barred", "decision", "limits", "shut")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.limits, self.shut = decision.state > ACTIVE, decision.state >= REDUCING
        self.barred = {side: _barred(decision, side) for side in OTHERS}
        # the words, and the places of those that tell sizes
        self._worded: dict[str, tuple[tuple[Reason, ...], tuple[int, ...]]] = {}

    def refusal(self, side: str, reach: float, limit: float) -> tuple[Reason, ...]:
        """Say which fields of the decision stand in the way of an entry, and who set them."""
        worded = self._worded.get(side)
        if worded is None:
            words = (*_unseen(self.decision), *_barring(self.decision, side))
            sized = tuple(place for place, word in enumerate(words) if word.unit)
            worded = self._worded[side] = words, sized
        words, sized = worded
        if not sized:
            return words
        found = list(words)
        for place in sized:
            found[place] = words[place].sized(reach, limit)
        return tuple(found)


def _barring(decision: Decision, side: str) -> Iterator[Reason]:
    for name in FIELDS:
        winners, value = decision.winners.get(name), getattr(decision, name)
        if not winners or winners[0] in UNSEEN or value in OTHERS[side]:
            continue
        who, share = winners[0], name in SHARES
        shown = f"{value:.0%}" if share else value
        cause, rule = (who, "") if who in CAUSES else ("rule", who)
        yield Reason(cause, rule, f"{name} {shown} <- {who}", unit="units" if share else "")


def _unseen(decision: Decision) -> Iterator[Reason]:
    """Yield what the guard cannot see."""
    ages = {reading.leaf: reading for reading in decision.reasons if reading.rule == "blind"}
    for name in decision.blind:
        old = ages.get(name)
        known = old is not None and old.value is not None and old.threshold is not None
        text = f" ({time_text(int(old.value))} > {time_text(int(old.threshold))})" if known else ""  # type: ignore[union-attr, arg-type]  # `known` says so
        yield Reason("blind", "", f"blind: {name}{text}")
    for text in decision.priming:
        yield Reason("priming", "", f"priming: {text}")
