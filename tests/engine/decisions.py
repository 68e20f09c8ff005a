"""Decisions of every kind a gate meets, one or two of each state."""

from __future__ import annotations

from riskguard.engine.decision import Decision, State

__all__ = ["ACTIVE", "DECISIONS", "HALTED", "REDUCING", "decision"]


def decision(state: State, **more: object) -> Decision:
    said = dict.fromkeys(more, ("rule",))
    return Decision(0, "BTC", state=state, winners=said, rules="0123456789abcdef", **more)


ACTIVE = decision(State.ACTIVE)
REDUCING = decision(State.REDUCING, reduce_only=True)
HALTED = decision(State.HALTED, exposure_cap=0.0, block_entries="both", reduce_only=True)
DECISIONS = (
    ACTIVE,
    decision(State.CAUTION, exposure_cap=0.5),
    decision(State.CAUTION, exposure_cap=0.25, block_entries="long"),
    decision(State.CAUTION, block_entries="short"),
    decision(State.CAUTION, leverage_cap=2.0),
    decision(State.CAUTION, reduce_by=0.5),
    decision(State.CAUTION, exposure_cap=0.6, reduce_by=0.5),
    decision(State.CAUTION, close="longs"),
    REDUCING,
    HALTED,
)
