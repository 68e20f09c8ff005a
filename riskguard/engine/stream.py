"""The plan stepped through time: the definition that columns, backtests and live bots share.

Most instants change nothing. A value that stays between the thresholds around it (its cell)
leaves every truth as it was, and a component whose inputs stand still and whose machines wait
for nothing sleeps. What sleeps would have stepped to the same state: that is tested.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.engine.components import Cell, Machines, components, lines
from riskguard.engine.logic import (
    GAPS,
    NEVER,
    UNKNOWN,
    Change,
    Follow,
    Ladder,
    Latch,
    Persist,
    Ramp,
)
from riskguard.engine.measures import Atr
from riskguard.engine.states import EVER, renewed, state_of
from riskguard.engine.windows import FAR, Clock, Rolling, Tape
from riskguard.language.arithmetic import arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskguard.engine.plan import Plan

    Read = Callable[[int], float]
    Reading = tuple[Read, int, Cell]
    Feeder = tuple[Read, int, Tape, Clock]

__all__ = ["Stream"]

TRIM_EVERY = 1024  # instants between two trims of the tapes


class Stream:
    """All state of one plan: tapes, windows, values, truths, machines.

    `step(now)` moves everything to the decision instant `now`; samples are pushed on `tapes`
    before. It is a `View` of its last instant.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clocks: list[Clock] = []  # of what comes from outside
        self._paced: list[Clock] = []  # those of windows that can glide
        self.parted = 0  # how many clocks there were when that was found
        self.tapes = self._tapes()
        self.rollings: list[Rolling] = [
            state_of(window, [self.tapes[tape] for tape in tapes]) for window, tapes in plan.windows
        ]
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
        self.last = NEVER  # the last instant
        self.closed = True  # a bar closes at the last instant
        self._gap, self._trim_every = GAPS * plan.every, TRIM_EVERY * plan.every
        self._trim_at, self._steady = NEVER, True
        self._idle = False  # no component is awake, and the last run moved nothing
        self.persists: dict[int, Persist] = {}
        self.follows: dict[int, Follow] = {}
        machines = Machines(
            plan, self.truths, self.latches, self.ladder, self.ramps, self.caps,
            self.persists, self.follows,
            was=lambda: self.change, closed=lambda: self.closed,
        )  # fmt: skip
        self.components, woken = components(machines)
        cells, self._formulas = lines(machines, self.values, woken)
        self._feeders, self._readings, self._glides = self._readers(cells)

    def truth(self, slot: int) -> int:
        """Return the truth of a slot at the last instant."""
        return self.truths[slot]

    def value(self, index: int) -> float:
        """Return the number of a value at the last instant."""
        return self.values[index]

    def step(self, now: int, instant: int, *, closed: bool = True) -> Change:
        """Move to `now` and return where the machines stand and stood.

        The machines step at `instant`, which must be later than the last one;
        `closed` says that a bar closes: only then are bars counted and measures fed to others.
        The same object comes back while nothing moves.
        """
        if len(self.clocks) != self.parted:
            self._paced = [clock for clock in self.clocks if clock.stride]
            self.parted = len(self.clocks)
        even, every = True, self.plan.every
        for clock in self._paced:
            if not clock.look(now) and clock.interval == every:
                even = False
        for read, slot, tape, clock in self._feeders:
            value = read(now)
            if slot >= 0:
                self.values[slot] = value
            if closed and value - value == 0.0:  # finite
                clock.tick(now)
                tape.add(value)
            even &= clock.look(now)
        self._read(now, self._glides if even else self._readings)
        self.closed = closed
        if now >= self._trim_at:
            self._trim(now)
        if self._idle and instant - self.last <= self._gap:
            self.last = instant
            return self.change
        return self._run(instant)

    def _read(self, now: int, readings: list[Reading]) -> None:
        """Read every number and line."""
        values = self.values
        for read, slot, cell in readings:
            values[slot] = value = read(now)
            if not cell.low <= value <= cell.high and cell.enter(value):
                self._idle = False
        for formula in self._formulas:
            if formula(now):
                self._idle = False

    def _run(self, instant: int) -> Change:
        before, self.last = self.last, instant
        if instant - before > self._gap:  # a silence breaks every `for`
            self._wake()
        moved = awake = False
        for component in self.components:
            if component.awake:
                moved |= component.run(instant, before)
                awake |= component.awake
        if moved or not self._steady:
            self._moved()
        self._idle = self._steady and not awake
        return self.change

    def look(self, now: int) -> None:
        """Read every number and line as of `now`; no machine steps."""
        for tape in self.tapes:
            tape.clock.rest()
        for read, slot in [(read, slot) for read, slot, _, _ in self._feeders if slot >= 0]:
            self.values[slot] = read(now)
        self._read(now, self._readings)

    def amend(self, tape: int, ts: int, value: float) -> bool:
        """Add to a sample that has passed; what was decided by it stands."""
        if not self.tapes[tape].amend(ts, value):
            return False
        for (window, tapes), state in zip(self.plan.windows, self.rollings, strict=True):
            if tape in tapes:
                renewed(state, window, [self.tapes[index] for index in tapes])
        return True

    def forget(self, tape: int) -> None:
        """Empty a tape, and all that its windows feed."""
        chain = self.plan.chain(tape)
        fed = [place for place, spec in enumerate(self.plan.tapes) if spec.feeder in chain]
        for place in (tape, *fed):
            self.tapes[place].clear()
        for index in chain:
            window, tapes = self.plan.windows[index]
            renewed(self.rollings[index], window, [self.tapes[one] for one in tapes], whole=True)

    def pause(self) -> None:
        """Let the time up to the next instant earn no credit in `for` and in ramps."""
        for persist in self.persists.values():
            persist.pause(self.last)
        for ramp in self.ramps:
            ramp.pause()
        self.rouse()

    def release(self, rule: int, now: int) -> Change:
        """Turn a rule off by hand and return where the machines stand then.

        The peaks of `drawdown(all)` that it reads begin anew, the ramps that follow it rise.
        """
        spec = self.plan.latches[rule]
        self.latches[rule].release(now)
        self.latches[rule].latched = spec.latch
        for index in self.plan.windows_under(spec.when, spec.clear):
            window = self.rollings[index]
            if self.plan.windows[index][0].calendar == EVER:
                window.restart()  # type: ignore[attr-defined]  # the one kind without a beginning
        for index, ramp in enumerate(self.plan.ramps):
            if ramp.rule == rule:
                self.caps[index] = self.ramps[index].step(UNKNOWN, now, on=False, was_on=True)
        on = tuple([latch.on for latch in self.latches])
        self.change = Change(self.change.stage, self.change.stage, on, on)
        self.rouse()
        return self.change

    def latch(self, rule: int, now: int) -> Change:
        """Turn a rule on until it is released, and return where the machines stand then."""
        latch = self.latches[rule]
        latch.latched = True
        if not latch.on:
            latch.on, latch.since = True, now
        on = tuple([latch.on for latch in self.latches])
        self.change = Change(self.change.stage, self.change.stage, on, on)
        self.rouse()
        return self.change

    def stand(self, change: Change) -> None:
        """Take `change` as where the machines stand and stood: they were put there."""
        self.change, self._idle = change, False
        self._steady = change.stage == change.stage_before and change.on == change.on_before

    def rouse(self) -> None:
        """Read and compare every number and step every component anew at the next instant."""
        for tape in self.tapes:
            tape.clock.rest()
        for _, _, cell in self._readings:
            cell.low, cell.high = math.inf, -math.inf
        self._wake()
        self._steady = False

    def _wake(self) -> None:
        self._idle = False
        for component in self.components:
            component.awake = True

    def _trim(self, now: int) -> None:
        self._trim_at = now + self._trim_every
        for clock in dict.fromkeys(tape.clock for tape in self.tapes):
            clock.trim(now)

    def _moved(self) -> None:
        before, stage = self.change, self.ladder.stage
        on = tuple([latch.on for latch in self.latches])
        self._steady = stage == before.stage and on == before.on
        still = self._steady and stage == before.stage_before and on == before.on_before
        if not still or self.ramps:  # a cap may move alone
            self.change = Change(stage, before.stage, on, before.on)

    def seen(self, index: int, now: int) -> int:
        """Return how much a window has observed at `now`, in ns."""
        return self.rollings[index].seen(now)

    def wanted(self, index: int, now: int) -> int:
        """Return how much a window must have observed at `now` before it is known, in ns."""
        return self.rollings[index].wanted(now)

    def average_true_range(self, now: int) -> float:
        """Return the range that stops in ATR are measured in, or unknown."""
        return self.rollings[self.plan.atr].read(now) if self.plan.atr >= 0 else math.nan

    def ranged(self, now: int) -> bool:
        """Say whether that range is known at `now`."""
        state = self.rollings[self.plan.atr] if self.plan.atr >= 0 else None
        return isinstance(state, Atr) and state.known(now)

    def close(self) -> float:
        """Return the last close of the guarded symbol, or unknown."""
        index = self.plan.close
        return self.tapes[index].values[-1] if index >= 0 and self.tapes[index].values else math.nan

    # ------------------------------------------------------------ tapes

    def _tapes(self) -> list[Tape]:
        """Return the tapes: until samples come apart, those of one symbol share a clock."""
        shared: dict[tuple[str, int], Clock] = {}
        found = []
        for spec in self.plan.tapes:
            key = spec.symbol, spec.interval
            if spec.feeder >= 0:
                clock = Clock(spec.interval)
            else:
                clock = shared[key] = shared.get(key) or Clock(spec.interval, self.clocks)
            found.append(
                Tape(
                    interval=spec.interval, fresh=spec.max_age, bar=spec.bar, scale=spec.scale,
                    clock=clock,
                )
            )  # fmt: skip
        return found

    # ------------------------------------------------------------ numbers

    def _readers(self, cells: dict[int, Cell]) -> tuple[list[Feeder], list[Reading], list[Reading]]:
        """Return the windows that feed a tape, and all that is read after them, with its cell.

        The last list is for instants at which all windows over series of bars glide. What only a
        stop reads is read for its orders.
        """
        specs = [(spec.kind, spec.index, slot) for slot, spec in enumerate(self.plan.values)]
        slots = {index: slot for kind, index, slot in specs if kind == "window"}
        fed = {spec.feeder: tape for spec, tape in zip(self.plan.tapes, self.tapes, strict=True)}
        feeders: list[Feeder] = [
            (rolling.at, slots.pop(index, -1), fed[index], fed[index].clock)
            for index, rolling in enumerate(self.rollings)
            if index in fed
        ]
        windows = {slot: self.rollings[index] for index, slot in slots.items()}
        tapes = {slot: self.tapes[index] for kind, index, slot in specs if kind == "tape"}
        others = {
            slot: self._calculated(spec.kind, spec.left, spec.right)
            for slot, spec in enumerate(self.plan.values)
            if spec.kind not in {"const", "tape", "window"}
        }
        # a constant, or what feeders have read
        for slot in cells.keys() - {*windows, *tapes, *others}:
            others[slot] = self._known(slot)
        read: dict[int, Read] = {slot: window.at for slot, window in windows.items()}
        read |= {slot: tape.current for slot, tape in tapes.items()} | others
        glide: dict[int, Read] = {
            slot: window.glide
            if window.stride != FAR and window.tape.interval == self.plan.every
            else window.at
            for slot, window in windows.items()
        }
        glide |= {slot: tape.current for slot, tape in tapes.items()} | others
        cell = {slot: cells.get(slot, Cell()) for slot in read}
        readings = [(found, slot, cell[slot]) for slot, found in read.items()]
        return feeders, readings, [(found, slot, cell[slot]) for slot, found in glide.items()]

    def _calculated(self, op: str, left: int, right: int) -> Read:
        values = self.values
        return lambda _now: arithmetic(op, values[left], values[right])

    def _known(self, slot: int) -> Read:
        values = self.values
        return lambda _now: values[slot]
