"""What must hold after every step, whatever has failed; in words of its own, not the guard's."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

from riskguard.engine.decision import Decision
from riskguard.engine.guard import Guard
from riskguard.market import MINUTE, Sample
from riskguard.store import Journal

__all__ = ["allows_more", "finite", "same", "unbroken", "unmoved"]

SIDES = {"none": 0, "long": 1, "short": 2, "both": 3}
CLOSES = {"none": 0, "longs": 1, "shorts": 2, "all": 3}
CANCELS = {"none": 0, "entries": 1, "all": 3}
COMPARED = (
    "stage", "state", "latched", "priming", "blind", "exposure_cap", "block_entries",
    "reduce_only", "leverage_cap", "close", "hedge", "cancel_orders", "reduce_by",
    "active",
)  # fmt: skip


def allows_more(new: Decision, old: Decision) -> list[str]:
    """Return in which fields one decision allows what another did not."""
    found = []
    if new.state < old.state:
        found.append(f"state {old.state.name} -> {new.state.name}")
    for name, sign in (("exposure_cap", 1), ("reduce_by", -1), ("hedge", -1)):
        if sign * getattr(new, name) > sign * getattr(old, name):
            found.append(f"{name} {getattr(old, name)} -> {getattr(new, name)}")
    one, two = new.leverage_cap, old.leverage_cap
    if two is not None and (one is None or one > two):
        found.append(f"leverage_cap {two} -> {one}")
    if old.stop is not None and new.stop is None:  # how far it is goes with the price
        found.append("stop -> none")
    for name, bits in (("block_entries", SIDES), ("close", CLOSES), ("cancel_orders", CANCELS)):
        if bits[getattr(old, name)] & ~bits[getattr(new, name)]:
            found.append(f"{name} {getattr(old, name)} -> {getattr(new, name)}")
    if old.reduce_only and not new.reduce_only:
        found.append("reduce_only -> free")
    return found


def same(one: Decision, two: Decision) -> dict[str, Any]:
    """Return in which fields two decisions differ, but for times and the numbers behind them."""
    return {
        name: (getattr(one, name), getattr(two, name))
        for name in COMPARED
        if getattr(one, name) != getattr(two, name)
    }


def finite(decision: Decision, told: object) -> None:
    """Check that nothing that is no finite number is in a decision or a status."""
    for field in fields(decision):
        value = getattr(decision, field.name)
        if isinstance(value, float):
            assert math.isfinite(value), (field.name, value)
    json.dumps(told, allow_nan=False)


def unbroken(journal: Journal) -> int:
    """Check that the transitions have no holes and stand under their seals; return the last."""
    assert journal.verify() == ""
    numbers = [one.seq for one in journal.transitions()]
    first = numbers[0] if numbers else 1  # a state that began after a lost one goes on from it
    assert numbers == list(range(first, first + len(numbers))), ("holes", numbers)
    return numbers[-1] if numbers else 0


def unmoved(old: Guard, new: Guard, rules: set[str]) -> None:
    """Tell two guards the same closes: for rules that mean the same, both must see the same."""
    ts = max(old.as_of, new.as_of, 0) // MINUTE * MINUTE
    for close in (96.0, 92.0, 88.0, 88.0, 99.0, 99.0, 99.0):
        ts += MINUTE
        told = []
        for guard in (old, new):
            guard.update(Sample(ts, "BTC", {"close": close}))
            assert not guard.fault, ("failed after a reload", guard.fault)
            told.append(_seen(guard, rules | {f"reentry {name}" for name in rules}))
        assert told[0] == told[1], ("moved by a reload", told)


def _seen(guard: Guard, names: set[str]) -> dict[str, Any]:
    """Return what is told of rules and of ways back, but for the ages of inputs."""
    told, found = guard.explain(), {}
    for one in (*told["rules"], *told["ramps"]):
        if one["name"] in names:
            lines = [(line["line"], line["value"], line["truth"]) for line in one.get("lines", ())]
            found[one["name"]] = {**one, "lines": lines}
    return found
