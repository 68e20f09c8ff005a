"""Duties: what a decision wants done unasked, each under an id of its own (bots.md 2.4, 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from riskguard.engine.decision import State
from riskguard.engine.orders import Action

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision

__all__ = ["Held", "duties"]


class Held(Protocol):
    """What is known of a symbol: an `Episode`."""

    base: float | None
    position: float | None
    tightening: int

    def limit(self, decision: Decision) -> float:
        """Return what may be held of the position as it is."""

    def exceeds(self, decision: Decision) -> bool:
        """Say whether more is held than may be."""


def duties(decision: Decision, held: Held, symbol: str, least: float = 0.0) -> list[Action]:
    """List what a decision wants done, cancels first; less than `least` is not reduced.

    The same condition keeps the same id: rules, tightening, kind, symbol and the share kept. A
    position that nobody has told is taken to exceed its limit.
    """
    found: list[Action] = []

    def add(kind: str, fraction: float = 0.0, **data: float) -> None:
        tail = f":{fraction:g}" if kind == "reduce_to" else ""
        name = f"{decision.rules[:8]}:{held.tightening}:{kind}:{symbol}{tail}"
        found.append(Action(name, kind, symbol, fraction, data))

    if decision.cancel_orders == "all":
        add("cancel_all")
    elif _cancels_entries(decision):
        add("cancel_entries")
    if _excess(decision, held, least):
        limit = held.limit(decision)
        if limit <= 0 and (decision.exposure_cap <= 0 or decision.close != "none"):
            add("flatten")
        elif held.base:
            add("reduce_to", min(1.0, limit / held.base), ceiling=limit)
        else:
            add("reduce_to", min(decision.exposure_cap, 1.0 - decision.reduce_by))
    if decision.stop is not None:
        add("set_stop", distance=decision.stop)
    if decision.hedge:
        add("hedge", share=decision.hedge)
    return found


def _cancels_entries(decision: Decision) -> bool:
    return (
        decision.state >= State.REDUCING
        or decision.block_entries != "none"
        or decision.exposure_cap < 1.0
        or decision.cancel_orders != "none"
        or decision.reduce_by > 0
        or decision.close != "none"
    )


def _excess(decision: Decision, held: Held, least: float) -> bool:
    """Say whether a position is to be brought down, or may have to be."""
    if held.position is None:
        return decision.exposure_cap < 1 or decision.reduce_by > 0 or decision.close != "none"
    if not held.exceeds(decision):
        return False
    limit = held.limit(decision)
    return limit <= 0 or abs(held.position) - limit >= least
