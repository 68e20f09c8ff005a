"""Conditions walked recursively, and the machines by the table of rules.md 8.2.

Every node is stepped once at every instant: nothing sleeps here. A definition is walked anew
wherever it is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from riskguard.language.ruleset import (
    All,
    Any,
    AtLeast,
    Compare,
    Condition,
    During,
    Flag,
    For,
    Not,
    Reentry,
    Rule,
    Sequence,
    SeriesValue,
    Stage,
    parts,
    values,
)
from tests.oracle.world import World

__all__ = ["FALSE", "TRUE", "UNKNOWN", "Line", "Machines"]

FALSE, UNKNOWN, TRUE, ABSENT = 0, 1, 2, -1
MISSING = {"hold": UNKNOWN, "fire": TRUE, "ignore": ABSENT}
LONG_AGO = -(10**30)
SECOND = 1_000_000_000
Truth = Callable[[], int]
# what a line was at the last instant: value, threshold, truth, dimension
Line = tuple[float, float, int, str]


def holds(op: str, value: float, threshold: float, *, absolute: bool) -> bool:
    """Return the comparison of rules.md section 3."""
    slack = 1e-9 if absolute else 1e-9 * abs(threshold)
    over = value - threshold
    return {
        ">=": over >= -slack, ">": over > slack, "<=": over <= slack, "<": over < -slack,
        "==": abs(over) <= slack, "!=": abs(over) > slack,
    }[op]  # fmt: skip


def by_clock(node: Condition) -> bool:
    below = parts(node)
    return all(map(by_clock, below)) if below else isinstance(node, During)


class Machines:
    """Rules, stages and ramps, stepped to one instant after another."""

    def __init__(self, world: World) -> None:
        self.world, self.rules = world, world.rules
        self.tau, self.before = LONG_AGO, LONG_AGO  # this instant and the one before
        self.lines: dict[tuple[str, bool], Line] = {}
        self.latches = {rule.name: Latch(self, rule) for rule in self.rules.rules}
        self.ladder = Ladder(self)
        self.ramps: dict[str, Ramp] = {}
        for number, stage in enumerate(self.rules.stages, 1):
            if stage.reentry:
                on = self.at_least(number)
                self.ramps[f"reentry stage {stage.name}"] = Ramp(self, stage.reentry, on)
        for rule in self.rules.rules:
            if rule.reentry:
                on = self.latches[rule.name].step
                self.ramps[f"reentry {rule.name}"] = Ramp(self, rule.reentry, on)
        for latch in self.latches.values():
            latch.read()
        self.ladder.read()

    def at_least(self, number: int) -> Callable[[], bool]:
        return lambda: self.ladder.step() >= number

    def step(self, tau: int) -> None:
        self.before, self.tau = self.tau, tau
        self.ladder.step()
        for latch in self.latches.values():
            latch.step()
        for ramp in self.ramps.values():
            ramp.step()

    # ------------------------------------------------------------ conditions

    def truth(self, node: Condition, *, clearing: bool) -> Truth:
        """Return what steps a condition; a line of a clear that is missing always holds."""
        if isinstance(node, Compare):
            return self.leaf(node, clearing=clearing)
        if isinstance(node, Flag):
            return self.flag(node, clearing=clearing)
        if isinstance(node, During):
            return lambda: TRUE if inside(node, self.world.now) else FALSE
        below = [self.truth(part, clearing=clearing) for part in parts(node)]
        if isinstance(node, Not):
            return lambda: ABSENT if (one := below[0]()) == ABSENT else TRUE - one
        if isinstance(node, For):
            return self.persist(node, below[0], clearing=clearing)
        if len(below) == 1:
            return below[0]
        if isinstance(node, Sequence):
            return self.follow(node, below)
        if isinstance(node, All):
            return self.all_of(node, below)
        count = node.count if isinstance(node, AtLeast) else 1

        def step() -> int:
            present = [one for one in [part() for part in below] if one != ABSENT]
            if not present:
                return ABSENT
            true, unknown = present.count(TRUE), present.count(UNKNOWN)
            return TRUE if true >= count else UNKNOWN if true + unknown >= count else FALSE

        assert isinstance(node, Any | AtLeast)
        return step

    def all_of(self, node: All, below: list[Truth]) -> Truth:
        hours = [by_clock(part) for part in node.of]

        def step() -> int:
            truths = [part() for part in below]
            lines = [one for one, clock in zip(truths, hours, strict=True) if not clock]
            present = [one for one in truths if one != ABSENT]
            # hours alone fire nothing where every line beside them is left out
            left_out = bool(lines) and all(one == ABSENT for one in lines)
            return ABSENT if left_out or not present else min(present)

        return step

    def leaf(self, node: Compare, *, clearing: bool) -> Truth:
        world = self.world
        series = [
            one
            for side in (node.left, node.right)
            for one in values(side)
            if isinstance(one, SeriesValue)
        ]
        sources = {world.source(one.symbol, one.name) for one in series}
        source = sources.pop() if len(sources) == 1 else ""
        left, right = world.number(node.left, source), world.number(node.right, source)
        absolute = bool({node.left.dimension, node.right.dimension} & {"share", "ratio"})
        missing = MISSING["hold" if clearing else node.on_missing]
        place = (node.text, clearing)

        def step() -> int:
            value, threshold = left(), right()
            if math.isnan(value) or math.isnan(threshold):
                truth = missing
            else:
                truth = TRUE if holds(node.op, value, threshold, absolute=absolute) else FALSE
            self.lines[place] = (value, threshold, truth, node.left.dimension)
            return truth

        return step

    def flag(self, node: Flag, *, clearing: bool) -> Truth:
        place = (node.text or node.name, clearing)
        if node.kind == "definition":
            inner = self.truth(self.rules.define[node.name], clearing=clearing)
            policy = "hold" if clearing else node.on_missing
            if policy == "hold":
                return inner
            return lambda: MISSING[policy] if (one := inner()) in {UNKNOWN, ABSENT} else one
        names = [stage.name for stage in self.rules.stages]
        number = names.index(node.name) + 1 if node.kind == "stage" else 0

        def step() -> int:
            if node.kind == "rule":
                on = self.latches[node.name].step()
            else:
                on = self.ladder.step() >= number
            truth = TRUE if on else FALSE
            self.lines[place] = (math.nan, math.nan, truth, "truth")
            return truth

        return step

    def persist(self, node: For, inner: Truth, *, clearing: bool) -> Truth:
        confirmed, count, last_true, was = 0, 0, LONG_AGO, False
        gap = 3 * self.world.every
        line = node.of if isinstance(node.of, Compare) else None
        place = (node.text or (line.text if line else ""), clearing)

        def step() -> int:
            nonlocal confirmed, count, last_true, was
            truth = answer = inner()
            if truth == TRUE:
                if self.tau - last_true > gap:
                    confirmed = count = 0
                elif was:
                    confirmed += self.tau - self.before
                count += self.world.closed
                last_true = self.tau
                done = count >= node.closes if node.closes else confirmed >= (node.duration or 0)
                answer = TRUE if done else FALSE
            elif truth == FALSE:
                confirmed = count = 0
            was = truth == TRUE
            if line is not None:
                value, threshold, _, dimension = self.lines[line.text, clearing]
                self.lines[place] = (value, threshold, answer, dimension)
            return answer

        return step

    def follow(self, node: Sequence, below: list[Truth]) -> Truth:
        starts = [LONG_AGO] * len(below)  # the latest start of a match up to each part

        def step() -> int:
            truths = [part() for part in below]
            last = len(below) - 1
            answer = truths[last] if self.tau - starts[last - 1] <= node.within else FALSE
            for part in range(last - 1, 0, -1):
                if truths[part] == TRUE:
                    starts[part] = max(starts[part], starts[part - 1])
            if truths[0] == TRUE:
                starts[0] = self.tau
            return FALSE if answer == ABSENT else answer

        return step


def inside(hours: During, now: int) -> bool:
    """Say whether an instant lies in the hours; those past midnight belong to the day before."""
    clock = UTC if hours.timezone == "UTC" else ZoneInfo(hours.timezone)
    local = datetime.fromtimestamp(now // SECOND, clock)
    time = (local.hour * 3600 + local.minute * 60 + local.second) * SECOND + now % SECOND
    today, yesterday = local.weekday() in hours.days, (local.weekday() - 1) % 7 in hours.days
    if hours.start < hours.end:
        return today and hours.start <= time < hours.end
    return (today and time >= hours.start) or (yesterday and time < hours.end)


class Latch:
    """A rule: step returns whether it is on, once an instant."""

    def __init__(self, machines: Machines, rule: Rule) -> None:
        self.machines, self.rule = machines, rule
        self.on = self.was = False
        self.since = self.off = self.seen = LONG_AGO

    def read(self) -> None:
        rule, truth = self.rule, self.machines.truth
        self.when = truth(rule.when, clearing=False)
        self.clear = truth(Not(rule.when) if rule.clear is None else rule.clear, clearing=True)

    def step(self) -> bool:
        tau = self.machines.tau
        if self.seen != tau:
            self.seen, self.was = tau, self.on
            when, clear = self.when(), self.clear()
            if not self.on:
                if when == TRUE and tau - self.off >= self.rule.cooldown:
                    self.on, self.since = True, tau
            elif clear == TRUE and when != TRUE and not self.rule.latch and self.held(tau):
                self.on, self.off = False, tau
        return self.on

    def held(self, tau: int) -> bool:
        return tau - self.since >= self.rule.min_hold


class Ladder:
    """The stages: step returns the number of the one that holds, 0 is normal."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.stage = self.was = 0
        self.since = self.seen = LONG_AGO

    def read(self) -> None:
        truth, stages = self.machines.truth, self.machines.rules.stages
        self.stages: tuple[Stage, ...] = stages
        self.enters = [truth(one.enter, clearing=False) for one in stages]
        self.recovers = [
            truth(Not(one.enter) if one.recover is None else one.recover, clearing=True)
            for one in stages
        ]

    def step(self) -> int:
        tau = self.machines.tau
        if self.seen != tau:
            self.seen, self.was = tau, self.stage
            enters = [part() for part in self.enters]
            recovers = [part() for part in self.recovers]
            highest = max((n for n, one in enumerate(enters, 1) if one == TRUE), default=0)
            here = self.stage - 1
            if highest > self.stage:
                self.stage, self.since = highest, tau
            elif self.stage and recovers[here] == TRUE and enters[here] != TRUE and self.held(tau):
                self.stage, self.since = max(here, highest), tau
        return self.stage

    def held(self, tau: int) -> bool:
        return tau - self.since >= self.stages[self.stage - 1].min_hold


class Ramp:
    """Re-entry: the cap after a clearing."""

    def __init__(self, machines: Machines, spec: Reentry, on: Callable[[], bool]) -> None:
        self.machines, self.spec, self.on = machines, spec, on
        self.rising = machines.truth(spec.condition, clearing=True)
        self.was, self.climbs, self.earned, self.cap = False, False, 0, 1.0

    def step(self) -> None:
        on, truth, spec = self.on(), self.rising(), self.spec
        if on:
            self.climbs = False
        elif self.was:
            self.climbs, self.earned = True, 0
        elif self.climbs and truth == TRUE:
            self.earned += self.machines.tau - self.machines.before
        elif self.climbs and truth == FALSE:
            self.earned = 0
        self.was, self.cap = on, 1.0
        if self.climbs:
            self.cap = min(1.0, round(spec.start + spec.step * (self.earned // spec.every), 12))
            self.climbs = self.cap < 1.0
