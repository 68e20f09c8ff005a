"""Components: conditions and machines that read one another, stepped together or not at all."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, cast

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
from riskguard.engine.plan import Group, Leaf, Plan, Ref
from riskguard.language.ruleset import During

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.engine.boundary import Boundary
    from riskguard.engine.logic import Change

    Node = tuple[str, int]  # (kind, index), as in the order of the plan
    Step = Callable[[int], bool]  # moves one thing, and says whether it did
    Line = Callable[[int], bool]  # reads a line, and says whether it turned

__all__ = ["Cell", "Component", "Machines", "components", "lines"]

MISSING = {"hold": UNKNOWN, "fire": TRUE, "ignore": ABSENT}


class Machines(NamedTuple):
    """The state that components step.

    `was` returns where the machines stood an instant ago, `closed` whether a bar closes now.
    """

    plan: Plan
    truths: list[int]
    latches: list[Latch]
    ladder: Ladder
    ramps: list[Ramp]
    caps: list[float]
    persists: dict[int, Persist]  # by slot
    follows: dict[int, Follow]
    was: Callable[[], Change]
    closed: Callable[[], bool]


class Component:
    """Steps in order, what is read before what reads it; sleeps where no machine waits for time."""

    __slots__ = ("awake", "persists", "steps", "waiting")

    def __init__(self) -> None:
        self.awake = True
        self.steps: list[Step] = []
        self.persists: list[Persist] = []
        self.waiting: list[Callable[[], bool]] = []  # does a machine wait for time?

    def run(self, now: int, before: int) -> bool:
        """Step to `now` and say whether anything moved; `before` is the instant before it."""
        for persist in self.persists:
            persist.wake(before)
        moved = self.awake = False
        for step in self.steps:
            if step(now):
                moved = True
        for waits in self.waiting:
            if waits():
                self.awake = True
                break
        return moved


def components(machines: Machines) -> tuple[list[Component], dict[int, list[Component]]]:
    """Return the components of a plan, and for each leaf's slot those that read it."""
    roots = _roots(machines.plan)
    found: dict[Node, Component] = {}
    woken: dict[int, list[Component]] = {}
    for node in machines.plan.order:
        if _is_leaf(machines.plan, node):
            continue
        component = found.setdefault(roots[node], Component())
        _add(machines, component, node)
        for kind, index in _inputs(machines.plan, node):
            if _is_leaf(machines.plan, (kind, index)):
                readers = woken.setdefault(index, [])
                if component not in readers:
                    readers.append(component)
    return list(found.values()), woken


def _is_leaf(plan: Plan, node: Node) -> bool:
    return node[0] == "truth" and isinstance(plan.truths[node[1]], Leaf | During)


def _inputs(plan: Plan, node: Node) -> list[Node]:
    """Return what a node reads."""
    kind, index = node
    if kind == "rule":
        spec = plan.latches[index]
        return [("truth", spec.when), ("truth", spec.clear)]
    if kind == "ladder":
        return [("truth", slot) for slot in (*plan.enters, *plan.recovers)]
    if kind == "ramp":
        ramp = plan.ramps[index]
        followed = ("ladder", 0) if ramp.stage > 0 else ("rule", ramp.rule)
        return [("truth", ramp.rising), followed]
    truth = plan.truths[index]
    if isinstance(truth, Ref):
        names = {"slot": ("truth", truth.index), "rule": ("rule", truth.index)}
        return [names.get(truth.kind, ("ladder", 0))]
    return [("truth", part) for part in truth.parts] if isinstance(truth, Group) else []


def _roots(plan: Plan) -> dict[Node, Node]:
    """Name for every node the component it belongs to; leaves join nothing together."""
    parent: dict[Node, Node] = {node: node for node in plan.order}

    def root(node: Node) -> Node:
        while parent[node] != node:
            node = parent[node]
        return node

    for node in plan.order:
        for source in _inputs(plan, node):
            if not _is_leaf(plan, source):
                parent[root(source)] = root(node)
    return {node: root(node) for node in plan.order}


# ---------------------------------------------------------------- steps


def _moved(truths: list[int], slot: int, truth: int) -> bool:
    """Set the truth of a slot and say whether it is another."""
    if truths[slot] == truth:
        return False
    truths[slot] = truth
    return True


def _add(machines: Machines, component: Component, node: Node) -> None:
    kind, index = node
    if kind == "truth":
        _add_truth(machines, component, index)
    elif kind == "rule":
        _add_rule(machines, component, index)
    elif kind == "ladder":
        _add_ladder(machines, component)
    else:
        _add_ramp(machines, component, index)


def _add_truth(machines: Machines, component: Component, slot: int) -> None:
    truth = machines.plan.truths[slot]
    if isinstance(truth, Ref):
        component.steps.append(_ref_step(machines, truth, slot))
    else:  # lines and hours are stepped by nobody: they are read
        _add_group(machines, component, cast("Group", truth), slot)


def _add_group(machines: Machines, component: Component, truth: Group, slot: int) -> None:
    kind, count, parts, truths = truth.kind, truth.count, truth.parts, machines.truths
    if kind == "for":
        _add_for(machines, component, truth, slot)
    elif kind == "sequence":
        follow = machines.follows[slot] = Follow(len(parts), truth.span)
        component.waiting.append(lambda: True)  # a match grows old while nothing moves

        def step_sequence(now: int) -> bool:
            return _moved(truths, slot, follow.step([truths[part] for part in parts], now))

        component.steps.append(step_sequence)
    elif kind == "not":

        def step_not(_now: int) -> bool:
            inner = truths[parts[0]]
            return _moved(truths, slot, inner if inner == ABSENT else TRUE - inner)

        component.steps.append(step_not)
    else:

        def step_group(_now: int) -> bool:
            return _moved(truths, slot, group(kind, count, [truths[part] for part in parts]))

        component.steps.append(step_group)


def _add_for(machines: Machines, component: Component, truth: Group, slot: int) -> None:
    truths, (part,) = machines.truths, truth.parts
    persist = machines.persists[slot] = Persist(truth.span, truth.count, machines.plan.every)
    advance, closed = persist.step, machines.closed

    def step_for(now: int) -> bool:
        inner = truths[part]
        answer = advance(UNKNOWN if inner == ABSENT else inner, now, closed=closed())
        return _moved(truths, slot, ABSENT if inner == ABSENT else answer)

    component.steps.append(step_for)
    component.persists.append(persist)
    component.waiting.append(lambda: persist.before and truths[slot] != TRUE)


def _ref_step(machines: Machines, ref: Ref, slot: int) -> Step:
    truths, index, missing = machines.truths, ref.index, MISSING[ref.policy]

    def step_slot(_now: int) -> bool:
        inner = truths[index]
        return _moved(truths, slot, missing if inner in {UNKNOWN, ABSENT} else inner)

    def step_rule(_now: int) -> bool:
        return _moved(truths, slot, TRUE if machines.latches[index].on else FALSE)

    def step_stage(_now: int) -> bool:
        return _moved(truths, slot, TRUE if machines.ladder.stage >= index else FALSE)

    return {"slot": step_slot, "rule": step_rule, "stage": step_stage}[ref.kind]


def _add_rule(machines: Machines, component: Component, index: int) -> None:
    spec, latch, truths = machines.plan.latches[index], machines.latches[index], machines.truths
    when, clear, advance = spec.when, spec.clear, latch.step

    def step(now: int) -> bool:
        was = latch.on
        return advance(truths[when], truths[clear], now) is not was

    component.steps.append(step)
    component.waiting.append(lambda: latch.waits(truths[when], truths[clear]))


def _add_ladder(machines: Machines, component: Component) -> None:
    ladder, truths = machines.ladder, machines.truths
    enters, recovers = machines.plan.enters, machines.plan.recovers

    def step(now: int) -> bool:
        was = ladder.stage
        return ladder.step([truths[i] for i in enters], [truths[i] for i in recovers], now) != was

    component.steps.append(step)
    component.waiting.append(
        lambda: ladder.stage > 0 and truths[recovers[ladder.stage - 1]] == TRUE
    )


def _add_ramp(machines: Machines, component: Component, index: int) -> None:
    spec, ramp = machines.plan.ramps[index], machines.ramps[index]
    truths, caps, latches, ladder = (
        machines.truths,
        machines.caps,
        machines.latches,
        machines.ladder,
    )

    def step(now: int) -> bool:
        was, before = machines.was(), caps[index]
        if spec.stage > 0:
            on, was_on = ladder.stage >= spec.stage, was.stage >= spec.stage
        else:
            on, was_on = latches[spec.rule].on, was.on[spec.rule]
        caps[index] = ramp.step(truths[spec.rising], now, on=on, was_on=was_on)
        return caps[index] != before

    component.steps.append(step)
    component.waiting.append(lambda: ramp.rising)


# ---------------------------------------------------------------- lines


def lines(
    machines: Machines, values: list[float], woken: dict[int, list[Component]]
) -> tuple[dict[int, Cell], list[Line]]:
    """Return the cells of values that are compared with constants, by value, and other lines."""
    leaves: dict[int, list[tuple[Turn, Leaf]]] = {}
    others: list[Line] = []
    for slot, truth in enumerate(machines.plan.truths):
        turn = Turn(machines.truths, slot, woken.get(slot, []))
        if isinstance(truth, During):
            others.append(_clocked(truth, turn))
        elif isinstance(truth, Leaf) and truth.bound is None:
            others.append(_compared(truth, values, turn))
        elif isinstance(truth, Leaf):
            leaves.setdefault(truth.left, []).append((turn, truth))
    return {value: Cell(read) for value, read in leaves.items()}, others


class Turn:
    """Sets the truth of a line, and wakes what reads it."""

    __slots__ = ("readers", "slot", "truths")

    def __init__(self, truths: list[int], slot: int, readers: list[Component]) -> None:
        self.truths, self.slot, self.readers = truths, slot, readers

    def to(self, truth: int) -> bool:
        """Take a truth and say whether it is another."""
        if truth == self.truths[self.slot]:
            return False
        self.truths[self.slot] = truth
        for component in self.readers:
            component.awake = True
        return True


Turns = list[tuple[Turn, int]]  # lines, each with the truth that it takes


class Cell:
    """Where a value may move without touching a threshold: [low, high]; empty while unknown."""

    __slots__ = ("edges", "high", "low", "missing", "rooms")

    def __init__(self, leaves: Sequence[tuple[Turn, Leaf]] = ()) -> None:
        self.low, self.high = math.inf, -math.inf
        bounds = [(turn, cast("Boundary", leaf.bound)) for turn, leaf in leaves]
        starts = {bound.low for _, bound in bounds}
        starts |= {math.nextafter(bound.high, math.inf) for _, bound in bounds}
        # each is the first float of a room, all of which have their own truths
        self.edges = sorted(starts - {-math.inf, math.inf})
        lows = [-math.inf, *self.edges]
        highs = [*(math.nextafter(edge, -math.inf) for edge in self.edges), math.inf]
        self.rooms: list[tuple[float, float, Turns]] = [
            (low, high, [(turn, TRUE if bound.holds(high) else FALSE) for turn, bound in bounds])
            for low, high in zip(lows, highs, strict=True)
        ]
        self.missing: Turns = [(turn, MISSING[leaf.policy]) for turn, leaf in leaves]

    def enter(self, value: float) -> bool:
        """Find the cell of `value`, set the truths of its leaves and say whether one turned."""
        if value != value:  # noqa: PLR0124 - NaN is unequal
            self.low, self.high, turns = math.inf, -math.inf, self.missing
        else:
            self.low, self.high, turns = self.rooms[bisect_right(self.edges, value)]
        turned = False
        for turn, truth in turns:
            if turn.to(truth):
                turned = True
        return turned


def _compared(leaf: Leaf, values: list[float], turn: Turn) -> Line:
    left, right, op, absolute = leaf.left, leaf.right, leaf.op, leaf.absolute

    def read(_now: int) -> bool:
        value, threshold = values[left], values[right]
        if math.isnan(value) or math.isnan(threshold):
            return turn.to(MISSING[leaf.policy])
        allowed = slack(threshold, absolute=absolute)
        return turn.to(TRUE if compare(op, value, threshold, allowed) else FALSE)

    return read


def _clocked(during: During, turn: Turn) -> Line:
    from riskguard.engine.calendar import Hours  # noqa: PLC0415 - rarely needed

    inside = Hours(during).inside
    return lambda now: turn.to(TRUE if inside(now) else FALSE)
