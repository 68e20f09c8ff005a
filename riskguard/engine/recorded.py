"""A decision as JSON holds it, to the last bit, and back."""

from __future__ import annotations

import math
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from riskguard.engine.decision import Decision, Reading, State

if TYPE_CHECKING:
    from riskguard.engine.bodies import Body

__all__ = ["OF_READING", "decision_of", "recorded"]

FIELDS = tuple(one.name for one in fields(Decision))
OF_READING = tuple(one.name for one in fields(Reading))
SIDES = ("none", "long", "short", "both")
CLOSES = ("none", "longs", "shorts", "all")
CANCELS = ("none", "entries", "all")
TRUTHS = ("true", "false", "unknown")


def recorded(decision: Decision) -> dict[str, Any]:
    """Return a decision as a mapping of what JSON can hold."""
    found = {name: getattr(decision, name) for name in FIELDS}
    return found | {
        "state": decision.state.name,
        "winners": {name: list(rules) for name, rules in sorted(decision.winners.items())},
        "reasons": [[getattr(one, name) for name in OF_READING] for one in decision.reasons],
    }


def decision_of(body: Body) -> Decision:
    """Return the decision that `recorded` wrote.

    Raises:
        StateError: where it is none.
    """
    body.names(FIELDS)
    winners = body.part("winners")
    return Decision(
        ts=body.whole("ts"),
        symbol=body.text("symbol"),
        stage=body.text("stage"),
        state=State[body.text("state", State.__members__)],
        latched=body.flag("latched"),
        priming=body.texts("priming"),
        blind=body.texts("blind"),
        exposure_cap=body.number("exposure_cap"),
        block_entries=body.text("block_entries", SIDES),
        reduce_only=body.flag("reduce_only"),
        leverage_cap=_maybe(body, "leverage_cap"),
        stop=_maybe(body, "stop"),
        close=body.text("close", CLOSES),
        hedge=body.number("hedge"),
        cancel_orders=body.text("cancel_orders", CANCELS),
        reduce_by=body.number("reduce_by"),
        notify=body.texts("notify"),
        active=body.texts("active"),
        winners=MappingProxyType({name: winners.texts(name) for name in winners.of}),
        reasons=tuple(_reading(body, one) for one in body.items("reasons")),
        rules=body.text("rules"),
    )


def _maybe(body: Body, name: str) -> float | None:
    return None if body.value(name) is None else body.number(name)


def _reading(body: Body, found: object) -> Reading:
    if not isinstance(found, list) or len(found) != len(OF_READING):
        raise body.refused("reasons", f"is a list of {len(OF_READING)} things each")
    rule, leaf, value, threshold, margin, truth, dimension, role, reads = found
    texts = (rule, leaf, dimension, role)
    numbers = (value, threshold, margin)
    if not all(isinstance(text, str) for text in texts) or truth not in TRUTHS:
        raise body.refused("reasons", "names rule, leaf, truth, dimension and role")
    if not all(number is None or _finite(number) for number in numbers):
        raise body.refused("reasons", "has finite numbers")
    if not isinstance(reads, list) or not all(map(_looked_back, reads)):
        raise body.refused("reasons", "names series with how far back they were read")
    told = tuple((key, span) for key, span in reads)
    return Reading(rule, leaf, value, threshold, margin, truth, dimension, role, told)


def _finite(number: object) -> bool:
    return _int(number) or (isinstance(number, float) and math.isfinite(number))


def _looked_back(one: object) -> bool:
    return isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and _int(one[1])


def _int(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)
