"""Two decisions as one: in every field the stricter of both.

While a loosening is not yet stored, or rules of an earlier file are still on, two decisions hold
at once. Joining is commutative, associative and idempotent in all that is asked of a bot.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from riskguard.engine.decision import NUMBERS, WORDS, state_of

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision

__all__ = ["looser", "strictest"]

T = TypeVar("T")


def strictest(one: Decision, two: Decision) -> Decision:
    """Return what both ask for together; time, stage and rules are those of `one`."""
    if one is two:
        return one
    fields: dict[str, Any] = {"reduce_only": one.reduce_only or two.reduce_only}
    for name, sign in (*NUMBERS, ("stop", 1)):
        given = [value for value in (getattr(one, name), getattr(two, name)) if value is not None]
        fields[name] = (min(given) if sign > 0 else max(given)) if given else None
    for name, both in WORDS:
        mine, other = getattr(one, name), getattr(two, name)
        fields[name] = mine if other in {mine, "none"} else other if mine == "none" else both
    stage = one.stage if one.stage != "normal" else two.stage
    joined = replace(
        one,
        stage=stage,
        latched=one.latched or two.latched,
        priming=_union(one.priming, two.priming),
        blind=tuple(sorted({*one.blind, *two.blind})),
        notify=tuple(sorted({*one.notify, *two.notify})),
        active=tuple(sorted({*one.active, *two.active})),
        reasons=_union(one.reasons, two.reasons),
        state=state_of(fields),
        **fields,
    )
    winners = {name: _won(name, joined, one, two) for name in sorted({*one.winners, *two.winners})}
    return replace(joined, winners=MappingProxyType(winners))


def looser(new: Decision, old: Decision) -> bool:
    """Say whether `new` allows anything that `old` does not."""
    joined = strictest(new, old)
    asked = ("exposure_cap", "leverage_cap", "stop", "hedge", "reduce_by", "reduce_only")
    words = tuple(name for name, _ in WORDS)
    return any(getattr(joined, name) != getattr(new, name) for name in (*asked, *words, "state"))


def _union(one: tuple[T, ...], two: tuple[T, ...]) -> tuple[T, ...]:
    return (*one, *(item for item in two if item not in one))


def _won(name: str, joined: Decision, one: Decision, two: Decision) -> tuple[str, ...]:
    """Name who set a field: those of the stricter first, each side in its own order.

    How strict a runner-up is does not stand in a decision, so the two sides are not mixed.
    """
    first, second = one.winners.get(name, ()), two.winners.get(name, ())
    value = getattr(joined, name)
    if first and getattr(one, name) != value and second and getattr(two, name) == value:
        first, second = second, first
    return _union(first, second)
