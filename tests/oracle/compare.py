"""Engine and oracle side by side, and the smallest failure of a seed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from riskguard.engine.decision import Decision, Reading
from riskguard.engine.guard import Guard
from riskguard.language.ruleset import RuleSet
from riskguard.market import Sample
from tests.oracle.drawing import Draw
from tests.oracle.feeding import feed
from tests.oracle.model import Model
from tests.oracle.truths import FALSE, TRUE, Line

__all__ = ["EVENTS", "Failure", "Pair", "failure", "replayed", "shrunk"]

EVENTS = 500  # of one rule set
FIELDS = (
    "ts", "symbol", "stage", "latched", "blind", "exposure_cap", "block_entries", "reduce_only",
    "leverage_cap", "close", "hedge", "cancel_orders", "reduce_by", "notify", "active", "rules",
)  # fmt: skip
WORDS = {FALSE: "false", TRUE: "true"}


class Failure(NamedTuple):
    """The first event after which the two differ, and in what."""

    event: int
    text: str


def near(one: float | None, two: float | None) -> bool:
    """Say whether two numbers are the same but for the rounding on their ways."""
    if one is None or two is None:
        return one is two
    return one == two or math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-11)


def known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def margin(value: float, threshold: float, dimension: str) -> float | None:
    """Return shares in points, all else as a share of the threshold."""
    if not (math.isfinite(value) and math.isfinite(threshold)):
        return None
    if dimension == "share":
        return value - threshold
    found = value / threshold - 1.0 if threshold else math.inf
    return known(found)


def apart(one: object, two: object) -> str:
    """Return in what they differ, without what both say."""
    if isinstance(one, tuple) and isinstance(two, tuple) and set(one) != set(two):
        return f"{sorted(set(one) - set(two))}, oracle {sorted(set(two) - set(one))}"
    return f"{one!r}, oracle {two!r}"


class Pair:
    """A guard and the model of it; `update` returns in what they differ."""

    def __init__(self, rules: RuleSet, sources: dict[str, str]) -> None:
        self.guard, self.model = Guard(rules, sources=sources), Model(rules, sources)
        self.seen: tuple[object, object] = (None, None)
        self.told: dict[int, Decision] = {}  # decisions whose reasons were compared
        self.instants = 0

    def update(self, sample: Sample) -> str:
        decision = self.guard.update(sample)
        before = self.model.as_of
        self.model.update(sample)
        if self.guard.as_of != self.model.as_of:
            return f"the instant: {self.guard.as_of}, oracle {self.model.as_of}"
        if self.model.as_of != before:
            self.instants += 1
            if wrong := self.machines():
                return wrong
        answer = self.model.answer
        if self.seen[0] is decision and self.seen[1] is answer:
            return ""
        wrong = self.fields(decision, answer) or self.reasons(decision, answer)
        self.seen, self.told[id(decision)] = (decision, answer), decision
        return wrong

    def machines(self) -> str:
        """Compare stage, rules and ramps at an instant, whether or not they made a decision."""
        stream, machines = self.guard.stream, self.model.machines
        change = stream.change
        now = (change.stage, *change.on)
        if now != (machines.ladder.stage, *(one.on for one in machines.latches.values())):
            return f"stage and rules {now}, oracle otherwise"
        caps = [machines.ramps[spec.name].cap for spec in self.guard.plan.ramps]
        return "" if caps == stream.caps else f"ramps {stream.caps}, oracle {caps}"

    def fields(self, decision: Decision, answer: dict[str, object]) -> str:
        if decision.ts == 0 and answer["ts"] == 0:
            return ""
        for name in FIELDS:
            if getattr(decision, name) != answer[name]:
                return f"{name}: {getattr(decision, name)!r}, oracle {answer[name]!r}"
        for name, one, two in (
            ("state", decision.state.name, answer["state"]),
            ("priming", tuple(sorted(decision.priming)), answer["priming"]),
            ("winners", dict(decision.winners), answer["winners"]),
        ):
            if one != two:
                return f"{name}: {apart(one, two)}"
        if not near(decision.stop, answer["stop"]):  # type: ignore[arg-type]  # a number or None
            return f"stop: {decision.stop!r}, oracle {answer['stop']!r}"
        return ""

    def reasons(self, decision: Decision, answer: dict[str, object]) -> str:
        if id(decision) in self.told:
            return ""
        late: dict[str, tuple[int | None, int]] = dict(answer["late"])  # type: ignore[call-overload]  # of the model
        for reading in decision.reasons:
            if reading.rule == "blind":
                age, fresh = late.pop(reading.leaf)
                if (reading.value, reading.threshold) != (age, fresh):
                    return f"{reading}: oracle {age} > {fresh}"
            elif wrong := self.reading(reading, answer["lines"]):  # type: ignore[arg-type]  # of the model
                return wrong
        return f"blind, and no reason: {late}" if late else self.explained(decision)

    def reading(self, reading: Reading, lines: dict[tuple[str, bool], Line]) -> str:
        line = lines[reading.leaf, reading.role == "clear"]
        value, threshold, truth, dimension = line
        wanted = (known(value), known(threshold), margin(value, threshold, dimension))
        found = (reading.value, reading.threshold, reading.margin)
        if reading.truth != WORDS.get(truth, "unknown") or reading.dimension != dimension:
            return f"{reading}: oracle {WORDS.get(truth, 'unknown')}, a {dimension}"
        if not all(near(one, two) for one, two in zip(found, wanted, strict=True)):
            return f"{reading}: oracle {wanted}"
        return ""

    def explained(self, decision: Decision) -> str:
        """Every reason speaks for what is on or has just cleared."""
        names = {rule.name for rule in self.model.rules.rules}
        names |= {f"stage {stage.name}" for stage in self.model.rules.stages}
        strange = {one.rule for one in decision.reasons} - names - {"blind"}
        return f"reasons of {strange}" if strange else ""


def failure(rules: RuleSet, sources: dict[str, str], samples: list[Sample]) -> Failure | None:
    """Return the first difference between engine and oracle, None where there is none."""
    pair = Pair(rules, sources)
    for number, sample in enumerate(samples):
        try:
            wrong = pair.update(sample)
        except Exception as error:  # noqa: BLE001 - a crash is a difference too
            wrong = f"{type(error).__name__}: {error} (line {error.__traceback__.tb_lineno})"  # type: ignore[union-attr]  # raised
        if wrong:
            return Failure(number, wrong)
    return None


def replayed(seed: int, size: int = EVENTS) -> tuple[Draw, list[Sample], Failure | None]:
    """Draw a rule set and its samples from a seed and compare."""
    draw = Draw(seed)
    samples = list(feed(draw, size))
    return draw, samples, failure(draw.rules, draw.sources, samples)


def shrunk(
    rules: RuleSet, sources: dict[str, str], samples: list[Sample]
) -> tuple[RuleSet, list[Sample], Failure]:
    """Return fewer rules and samples that still differ: the shortest beginning, no spare rule."""
    found = failure(rules, sources, samples)
    assert found is not None
    samples = samples[: found.event + 1]
    for group in ("rules", "stages"):
        for one in getattr(rules, group):
            rest = tuple(each for each in getattr(rules, group) if each is not one)
            smaller = replace(rules, **{group: rest})
            try:
                still = failure(smaller, sources, samples)
            except (KeyError, ValueError):  # another rule reads it
                continue
            if still and (rest or (rules.rules and rules.stages)):
                rules, found, samples = smaller, still, samples[: still.event + 1]
    return rules, samples, found
