"""The plan stepped through time: the definition that columns, backtests and live bots share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.engine.boundary import compare, slack
from riskguard.engine.logic import (
    ABSENT,
    FALSE,
    TRUE,
    UNKNOWN,
    Follow,
    Ladder,
    Latch,
    Persist,
    Ramp,
    group,
)
from riskguard.engine.measures import MEASURES
from riskguard.engine.measures.recursive import average_true_range
from riskguard.engine.plan import ATR_BARS, ATR_SPANS, Group, Leaf, Plan, Ref, arithmetic
from riskguard.engine.reasons import Change
from riskguard.engine.windows import Rolling, Tape

if TYPE_CHECKING:
    from collections.abc import Callable

    Measurer = tuple[Callable[[int], float], int, Callable[[int, float], None] | None]

__all__ = ["Stream"]

MISSING = {"hold": UNKNOWN, "fire": TRUE, "ignore": ABSENT}


class Stream:
    """All state of one plan: tapes, windows, values, truths, machines.

    `step(now)` moves everything to the decision instant `now`; samples are pushed on `tapes`
    before. It is a `View` of its last instant.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tapes = [
            Tape(interval=spec.interval, fresh=spec.max_age, bar=spec.bar, scale=spec.scale)
            for spec in plan.tapes
        ]
        self.rollings: list[Rolling] = [
            MEASURES[window.function](self.tapes[tape], window.span, window.minimum)
            for window, tape in plan.windows
        ]
        if plan.atr is not None:
            for index in (plan.atr.high, plan.atr.low, plan.atr.close):
                bars = (ATR_SPANS * ATR_BARS + 1) * plan.every
                self.tapes[index].keep = max(self.tapes[index].keep, bars)
        self.values = [spec.number for spec in plan.values]
        self.truths = [UNKNOWN] * len(plan.truths)
        self.ladder = Ladder(plan.holds)
        self.latches = [
            Latch(spec.min_hold, spec.cooldown, latched=spec.latch) for spec in plan.latches
        ]
        self.ramps = [Ramp(spec.start, spec.step, spec.every) for spec in plan.ramps]
        self.caps = [1.0] * len(self.ramps)
        none = (False,) * len(self.latches)
        self.change = Change(0, 0, none, none)
        self._measures = self._measurers()
        self._steps = [
            self._reader(index)
            for index, spec in enumerate(plan.values)
            if spec.kind not in {"const", "window"}
        ]
        self._steps += [self._stepper(kind, index) for kind, index in plan.order]

    def truth(self, slot: int) -> int:
        """Return the truth of a slot at the last instant."""
        return self.truths[slot]

    def value(self, index: int) -> float:
        """Return the number of a value at the last instant."""
        return self.values[index]

    def step(self, now: int) -> Change:
        """Move to `now` and return where the machines stand and stood."""
        before, values = self.change, self.values
        for read, slot, push in self._measures:
            value = read(now)
            if slot >= 0:
                values[slot] = value
            if push is not None and value - value == 0.0:  # finite
                push(now, value)
        for step in self._steps:
            step(now)
        on = tuple([latch.on for latch in self.latches])
        self.change = Change(self.ladder.stage, before.stage, on, before.on)
        return self.change

    def average_true_range(self) -> float:
        """Return close.atr(14 bars) at the last instant, or unknown."""
        ref = self.plan.atr
        if ref is None:
            return math.nan
        bars = ATR_SPANS * ATR_BARS
        high, low, close = (self.tapes[i].values[-bars:] for i in (ref.high, ref.low, ref.close))
        if min(len(high), len(low), len(close)) < bars:
            return math.nan
        return average_true_range(high, low, close, ATR_BARS)

    def close(self) -> float:
        """Return the last close of the guarded symbol, or unknown."""
        index = self.plan.close
        return self.tapes[index].values[-1] if index >= 0 and self.tapes[index].values else math.nan

    def _measurers(self) -> list[Measurer]:
        """Pair each window with the value it is and the tape it feeds."""
        slots = {spec.index: i for i, spec in enumerate(self.plan.values) if spec.kind == "window"}
        fed = {spec.feeder: tape for spec, tape in zip(self.plan.tapes, self.tapes, strict=True)}
        return [
            (rolling.read, slots.get(index, -1), fed[index].push if index in fed else None)
            for index, rolling in enumerate(self.rollings)
        ]

    def _reader(self, index: int) -> Callable[[int], None]:
        spec, values = self.plan.values[index], self.values
        if spec.kind == "tape":
            current = self.tapes[spec.index].current

            def read_tape(now: int) -> None:
                values[index] = current(now)

            return read_tape
        op, left, right = spec.kind, spec.left, spec.right

        def read_arithmetic(_now: int) -> None:
            values[index] = arithmetic(op, values[left], values[right])

        return read_arithmetic

    def _stepper(self, kind: str, index: int) -> Callable[[int], None]:
        if kind == "truth":
            return self._truth_stepper(index)
        truths = self.truths
        if kind == "rule":
            spec, latch = self.plan.latches[index], self.latches[index]
            when, clear, latch_step = spec.when, spec.clear, latch.step

            def step_rule(now: int) -> None:
                latch_step(truths[when], truths[clear], now)

            return step_rule
        if kind == "ladder":
            enters, recovers, ladder = self.plan.enters, self.plan.recovers, self.ladder

            def step_ladder(now: int) -> None:
                ladder.step([truths[i] for i in enters], [truths[i] for i in recovers], now)

            return step_ladder
        return self._ramp_stepper(index)

    def _ramp_stepper(self, index: int) -> Callable[[int], None]:
        spec, ramp, truths = self.plan.ramps[index], self.ramps[index], self.truths

        def step_ramp(now: int) -> None:
            if spec.stage > 0:
                on, was_on = self.ladder.stage >= spec.stage, self.change.stage >= spec.stage
            else:
                on = self.latches[spec.rule].on
                was_on = self.change.on[spec.rule]
            self.caps[index] = ramp.step(truths[spec.rising], now, on=on, was_on=was_on)

        return step_ramp

    def _truth_stepper(self, slot: int) -> Callable[[int], None]:
        truth, truths = self.plan.truths[slot], self.truths
        if isinstance(truth, Leaf):
            return _leaf_stepper(truth, slot, self.values, truths)
        if isinstance(truth, Ref):
            return self._ref_stepper(truth, slot)
        kind, count, chosen = truth.kind, truth.count, truth.parts
        if kind == "not":
            (part,) = chosen

            def step_not(_now: int) -> None:
                inner = truths[part]
                truths[slot] = inner if inner == ABSENT else TRUE - inner

            return step_not
        if kind == "for":
            return self._for_stepper(truth, slot)
        if kind == "sequence":
            follow = Follow(len(chosen), truth.span)

            def step_sequence(now: int) -> None:
                truths[slot] = follow.step([truths[i] for i in chosen], now)

            return step_sequence

        def step_group(_now: int) -> None:
            truths[slot] = group(kind, count, [truths[i] for i in chosen])

        return step_group

    def _for_stepper(self, truth: Group, slot: int) -> Callable[[int], None]:
        truths, (part,) = self.truths, truth.parts
        persist = Persist(truth.span, truth.count, self.plan.every).step

        def step_for(now: int) -> None:
            inner = truths[part]
            answer = persist(UNKNOWN if inner == ABSENT else inner, now)
            truths[slot] = ABSENT if inner == ABSENT else answer

        return step_for

    def _ref_stepper(self, ref: Ref, slot: int) -> Callable[[int], None]:
        truths, index = self.truths, ref.index
        missing = MISSING[ref.policy]

        def step_ref(_now: int) -> None:
            if ref.kind == "slot":
                inner = truths[index]
                truths[slot] = missing if inner in {UNKNOWN, ABSENT} else inner
            elif ref.kind == "rule":
                truths[slot] = TRUE if self.latches[index].on else FALSE
            else:
                truths[slot] = TRUE if self.ladder.stage >= index else FALSE

        return step_ref


def _leaf_stepper(
    leaf: Leaf, slot: int, values: list[float], truths: list[int]
) -> Callable[[int], None]:
    missing = MISSING[leaf.policy]
    left, right, op, absolute = leaf.left, leaf.right, leaf.op, leaf.absolute
    if leaf.bound is not None:
        low, high, inside = leaf.bound
        within, beyond = (TRUE, FALSE) if inside else (FALSE, TRUE)

        def step_bound(_now: int) -> None:
            value = values[left]
            if value != value:  # noqa: PLR0124 - the fastest test for NaN
                truths[slot] = missing
            else:
                truths[slot] = within if low <= value <= high else beyond

        return step_bound

    def step_leaf(_now: int) -> None:
        value, threshold = values[left], values[right]
        if math.isnan(value) or math.isnan(threshold):
            truths[slot] = missing
        else:
            allowed = slack(threshold, absolute=absolute)
            truths[slot] = TRUE if compare(op, value, threshold, allowed) else FALSE

    return step_leaf
