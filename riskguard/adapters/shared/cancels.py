"""Which resting orders have to go before a position is reduced, and which exits stay."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.adapters.shared.venue import Open
from riskguard.engine.decision import State
from riskguard.engine.gate import surplus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.orders import Pending

__all__ = ["ranked", "sides", "unwanted"]

SIDES = {"long": (1,), "short": (-1,), "longs": (1,), "shorts": (-1,), "none": ()}
BOTH = frozenset((1, -1))


def sides(decision: Decision) -> frozenset[int]:
    """Return the sides (1 buys, -1 sells) on which a decision wants no resting entry."""
    everything = (
        decision.exposure_cap < 1
        or decision.reduce_by > 0
        or decision.state >= State.REDUCING
        or decision.cancel_orders != "none"
    )
    if everything:
        return BOTH
    return frozenset((*SIDES.get(decision.block_entries, ()), *SIDES.get(decision.close, ())))


def unwanted(
    orders: Sequence[Pending],
    position: float,
    decision: Decision,
    kinds: Collection[str],
    *,
    book: str = "",
) -> list[str]:
    """Name the resting orders that have to go, by the duties (`kinds`) that stand.

    Entries go when a decision tightens (`cancel_entries`), and at any time while none may be
    made. Exits that together exceed the position go at any time, but for what the venue holds
    to reduce-only: of them the stop nearest to the price goes last.
    """
    resting = [one for one in orders if one.resting]
    if "cancel_all" in kinds:
        return [one.id for one in resting]
    blocked = sides(decision)
    anew = "cancel_entries" in kinds or decision.state >= State.REDUCING
    beyond = set(surplus(position, ranked(orders), decision, ceiling=0.0, book=book))
    found = []
    for one in resting:
        sign = 1 if one.side == "buy" else -1
        if one.id in beyond and sign in blocked and (anew or position * sign < 0):
            found.append(one.id)
    return found


def ranked(orders: Sequence[Pending]) -> list[Pending]:
    """Return open orders stamped so that those to keep are the oldest."""

    def rank(one: Pending) -> tuple[bool, float, int, str]:
        if isinstance(one, Open):
            return not one.stop, one.distance, one.ts, one.id
        return True, math.inf, one.ts, one.id

    return [replace(one, ts=place) for place, one in enumerate(sorted(orders, key=rank))]
