"""A plan over a history: columns in the order of the plan, then the decisions at their changes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from riskguard.engine.boundary import RELATIVE
from riskguard.engine.calendar import Calendar, Hours
from riskguard.engine.decision import Moment, decided
from riskguard.engine.logic import ABSENT, FALSE, NEVER, TRUE, UNKNOWN, Change
from riskguard.engine.plan import Leaf, Ref
from riskguard.engine.reasons import blind, explain
from riskguard.engine.states import kind_of
from riskguard.history.columns import logic
from riskguard.history.columns.account import begun, first_event, with_derived
from riskguard.history.columns.measures import measure, stepped
from riskguard.history.columns.tape import TapeColumn
from riskguard.language.arithmetic import arithmetic
from riskguard.language.ruleset import During, input_of
from riskguard.market import DAY, HOUR, LARGEST, MINUTE, SECOND, SMALLEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskguard.engine.decision import Decision
    from riskguard.engine.measures.plugged import Foreign
    from riskguard.engine.plan import Plan, TapeSpec
    from riskguard.engine.windows import Window

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Truths = NDArray[np.int8]
    Samples = Mapping[str, tuple[Ints, Floats]]

__all__ = ["Columns"]

MISSING = {"hold": UNKNOWN, "fire": TRUE, "ignore": ABSENT}


class Columns:
    """Everything a plan computes, at every decision instant `now` (int64[n], ascending).

    `samples` holds (times, values) of each series by its key in the plan ("oi", "ETH.close").
    `windows` and `values` are float64[n], `truths` int8[n], `stage` int64[n], `on` bool[rules, n].
    """

    def __init__(self, plan: Plan, samples: Samples, now: Ints, symbol: str = "") -> None:
        self.plan, self.now, self.symbol = plan, now, symbol or plan.ruleset.symbol
        self.tapes: list[TapeColumn] = []
        accounts = any(spec.begins for spec in plan.tapes)
        self._samples = with_derived(samples) if accounts else samples
        self._event = first_event(samples) if accounts else None
        self.windows: list[Floats] = []
        self.foreign: dict[int, Foreign] = {}  # measures of plug-ins, as they ended
        self._fill_windows()
        self.values: list[Floats] = []
        for spec in plan.values:
            self.values.append(
                self._value(spec.kind, spec.number, spec.index, spec.left, spec.right)
            )
        empty = np.zeros(now.size, np.int8)
        self.truths: list[Truths] = [empty] * len(plan.truths)
        self.on: list[NDArray[np.bool_]] = [empty.astype(bool)] * len(plan.latches)
        self.stage: Ints = np.zeros(now.size, np.int64)
        self.caps: list[Floats] = [np.ones(now.size)] * len(plan.ramps)
        for kind, index in plan.order:
            getattr(self, f"_{kind}")(index)
        self.blind = [index for index, spec in enumerate(plan.tapes) if spec.needed]
        self.blind_at = [self._stale(index) for index in self.blind]
        self.cold = plan.warming
        self.cold_at = [self._seen(index) < self._wanted(index) for index in self.cold]

    # ------------------------------------------------------------ numbers

    def _fill_windows(self) -> None:
        windows = iter(self.plan.windows)
        for spec in self.plan.tapes:
            while spec.feeder >= len(self.windows):
                self._window(*next(windows))
            self.tapes.append(self._tape(spec))
        for window, tape in windows:
            self._window(window, tape)

    def _window(self, window: Window, tapes: tuple[int, ...]) -> None:
        read = [self.tapes[tape] for tape in tapes]
        if window.plugged is None:
            self.windows.append(measure(window, read, self.now))
            return
        column, state = stepped(window, read, self.now)
        self.foreign[len(self.windows)] = cast("Foreign", state)
        self.windows.append(column)

    def _tape(self, spec: TapeSpec) -> TapeColumn:
        if spec.feeder >= 0:
            times, values, since = self._fed(spec.feeder)
        else:
            since = NEVER
            times, values = self._samples.get(
                str(spec.key), (np.empty(0, np.int64), np.empty(0, np.float64))
            )
            size = np.abs(values)
            good = (size <= LARGEST) & ((size >= SMALLEST) | (size == 0.0))  # NaN is neither
            good &= values <= spec.most
            if not spec.signed:
                good &= values > 0 if spec.price else values >= 0
            if not bool(good.all()):
                times, values = times[good], values[good]
            if spec.begins and self._event is not None and self._carried(spec):
                back = self.plan.lookback(len(self.tapes))
                times, values, since = begun(
                    times, values, spec.begins,
                    event=self._event, interval=spec.interval, back=back,
                )  # fmt: skip
        return TapeColumn(times, values, spec.interval, spec.max_age, spec.bar, spec.scale, since)

    def _carried(self, spec: TapeSpec) -> bool:
        return input_of(self.plan.ruleset, "", spec.shown).carried

    def _fed(self, feeder: int) -> tuple[Ints, Floats, int]:
        """Return what a window feeds to others: its values at the instants, where known.

        One that rests on an account input was read before the first event too.
        """
        window, tapes = self.plan.windows[feeder]
        column, now, since = self.windows[feeder], self.now, self.tapes[tapes[0]].since
        if since != NEVER:
            source = self.tapes[tapes[0]]
            early = source.times[source.times < since]
            whole = replace(source, since=NEVER)
            column = np.concatenate((measure(window, [whole], early), column[now >= since]))
            now = np.concatenate((early, now[now >= since]))
        known = np.isfinite(column)
        return now[known], column[known], since

    def _value(self, kind: str, number: float, index: int, left: int, right: int) -> Floats:
        if kind == "const":
            return np.full(self.now.size, number)
        if kind == "tape":
            return self.tapes[index].current(self.now)
        if kind == "window":
            return self.windows[index]
        one, two = self.values[left], self.values[right]
        if kind == "/":
            return one / np.where(two == 0.0, np.nan, two)
        return cast("Floats", arithmetic(kind, cast("float", one), cast("float", two)))

    # ------------------------------------------------------------ truths and machines

    def _truth(self, slot: int) -> None:
        truth = self.plan.truths[slot]
        if isinstance(truth, Leaf):
            self.truths[slot] = self._leaf(truth)
        elif isinstance(truth, During):
            inside = map(Hours(truth).inside, self.now.tolist())
            self.truths[slot] = np.array([TRUE if one else FALSE for one in inside], np.int8)
        elif isinstance(truth, Ref):
            self.truths[slot] = self._ref(truth)
        else:
            parts = [self.truths[part] for part in truth.parts]
            if truth.kind == "not":
                (inner,) = parts
                self.truths[slot] = np.where(inner == ABSENT, ABSENT, TRUE - inner).astype(np.int8)
            elif truth.kind == "for":
                self.truths[slot] = logic.persist(
                    parts[0], self.now, truth.span, truth.count, self.plan.every
                )
            elif truth.kind == "sequence":
                self.truths[slot] = logic.follow(parts, self.now, truth.span)
            else:
                self.truths[slot] = logic.group(truth.kind, truth.count, parts)

    def _leaf(self, leaf: Leaf) -> Truths:
        value = self.values[leaf.left]
        if leaf.bound is not None:
            low, high, inside = leaf.bound
            met = ((value >= low) & (value <= high)) == inside
            unknown = np.isnan(value)
        else:
            threshold = self.values[leaf.right]
            met = _compared(leaf.op, value, threshold, absolute=leaf.absolute)
            unknown = np.isnan(value) | np.isnan(threshold)
        known = np.where(met, TRUE, FALSE)
        return np.where(unknown, MISSING[leaf.policy], known).astype(np.int8)

    def _ref(self, ref: Ref) -> Truths:
        if ref.kind == "slot":
            inner = self.truths[ref.index]
            lost = (inner == UNKNOWN) | (inner == ABSENT)
            return np.where(lost, MISSING[ref.policy], inner).astype(np.int8)
        state = self.on[ref.index] if ref.kind == "rule" else self.stage >= ref.index
        return np.where(state, TRUE, FALSE).astype(np.int8)

    def _rule(self, index: int) -> None:
        spec = self.plan.latches[index]
        self.on[index] = logic.latch(
            self.truths[spec.when],
            self.truths[spec.clear],
            self.now,
            spec.min_hold,
            spec.cooldown,
            latched=spec.latch,
        )

    def _ladder(self, _index: int) -> None:
        enters = [self.truths[slot] for slot in self.plan.enters]
        recovers = [self.truths[slot] for slot in self.plan.recovers]
        self.stage = logic.ladder(enters, recovers, self.now, self.plan.holds)

    def _ramp(self, index: int) -> None:
        spec = self.plan.ramps[index]
        on = self.stage >= spec.stage if spec.stage > 0 else self.on[spec.rule]
        shape = (spec.start, spec.step, spec.every)
        self.caps[index] = logic.ramp(shape, self.truths[spec.rising], self.now, on)

    # ------------------------------------------------------------ seeing

    def _stale(self, index: int) -> NDArray[np.bool_]:
        tape = self.tapes[index]
        due = np.ones(self.now.size, bool)
        if self.plan.tapes[index].begins:  # an account owes nothing before its first event
            due = self.now >= (math.inf if self._event is None else self._event)
        if not tape.times.size:
            return due
        last = tape.last(self.now)
        late = (last < 0) | (self.now - tape.times[np.maximum(last, 0)] > tape.fresh)
        return np.asarray((late | (self.now < tape.since)) & due)

    def _seen(self, index: int) -> Ints:
        """Return how much a window has observed, in ns."""
        window, places = self.plan.windows[index]
        seen = self._wanted(index)
        for tape in (self.tapes[place] for place in places):
            if not tape.times.size:
                return np.zeros(self.now.size, np.int64)
            since = tape.first if kind_of(window).endpoint else tape.start
            seen = np.minimum(seen, np.where(self.now < tape.first, 0, self.now - since))
        if index in self.foreign and self.foreign[index].quarantined:
            seen = np.where(self.now >= self.foreign[index].lost, 0, seen)
        return np.asarray(np.maximum(seen, 0), np.int64)

    def _wanted(self, index: int) -> Ints:
        """Return how much a window must have observed before it is known, in ns."""
        calendar = self.plan.windows[index][0].calendar
        if calendar in {"", "all"}:
            return np.full(self.now.size, self.plan.warm_up(index))
        begin = Calendar(calendar).begin
        return np.array([instant - begin(instant) for instant in self.now.tolist()], np.int64)

    @property
    def priming(self) -> NDArray[np.bool_]:
        """Say at which instants something needed has not seen its full span."""
        cold = np.zeros(self.now.size, bool)
        for column in self.cold_at:
            cold |= column
        return cold

    @property
    def failed(self) -> list[str]:
        """Say which measures of plug-ins failed, how often, and what they said last."""
        found: list[str] = []
        for index, state in self.foreign.items():
            if state.faults:
                times = "once" if state.faults == 1 else f"{state.faults} times"
                end = ", and was not called again" if state.quarantined else ""
                which = f"{self.plan.window_texts[index]} of {state.plugged.whose}"
                found.append(f"{which} failed {times}{end}: {state.fault}")
        return found

    # ------------------------------------------------------------ decisions

    def changes(self) -> Ints:
        """Return the instants (their numbers) at which the decision is another, 0 first."""
        moved = np.zeros(self.now.size, bool)
        moved[:1] = True
        told = [
            np.where(cold, _rounded(part), -1)
            for index, cold in zip(self.cold, self.cold_at, strict=True)
            for part in (self._seen(index), self._wanted(index))
        ]
        ranged = [np.isfinite(self.windows[self.plan.atr])] if self.plan.atr >= 0 else []
        for column in (self.stage, *self.on, *self.caps, *self.blind_at, *told, *ranged):
            moved[1:] |= column[1:] != column[:-1]
        return np.flatnonzero(moved)

    def change(self, number: int) -> Change:
        """Return where the machines stand and stood at an instant."""
        before = number - 1
        on = tuple(bool(column[number]) for column in self.on)
        if before < 0:
            return Change(int(self.stage[number]), 0, on, (False,) * len(on))
        was = tuple(bool(column[before]) for column in self.on)
        return Change(int(self.stage[number]), int(self.stage[before]), on, was)

    def decision(self, number: int) -> Decision:
        """Return the decision made at an instant."""
        late = sorted(
            (self.plan.tapes[index].shown, self._age(index, number), self.tapes[index].fresh)
            for index, column in zip(self.blind, self.blind_at, strict=True)
            if column[number]
        )
        seen = tuple(
            (index, int(self._seen(index)[number]), int(self._wanted(index)[number]))
            for index, column in zip(self.cold, self.cold_at, strict=True)
            if column[number]
        )
        change = self.change(number)
        moment = Moment(
            int(self.now[number]), self.symbol, change,
            tuple(float(column[number]) for column in self.caps),
            tuple(blind(*one) for one in late),
            self.plan.priming_texts(seen), self._atr(number), self._close(number),
            explain(self.plan, Instant(self, number), change),
        )  # fmt: skip
        return decided(self.plan, moment)

    def _age(self, index: int, number: int) -> int | None:
        tape = self.tapes[index]
        last = int(tape.last(self.now[number : number + 1])[0]) if tape.times.size else -1
        came = last >= 0 and self.now[number] >= tape.since
        return int(self.now[number] - tape.times[last]) if came else None

    def _close(self, number: int) -> float:
        if self.plan.close < 0:
            return math.nan
        tape = self.tapes[self.plan.close]
        last = int(tape.last(self.now[number : number + 1])[0])
        return float(tape.values[last]) if last >= 0 else math.nan

    def _atr(self, number: int) -> float:
        return float(self.windows[self.plan.atr][number]) if self.plan.atr >= 0 else math.nan


class Instant:
    """One instant of columns, as a view."""

    def __init__(self, columns: Columns, number: int) -> None:
        self.columns, self.number = columns, number

    def truth(self, slot: int) -> int:
        """Return the truth of a slot."""
        return int(self.columns.truths[slot][self.number])

    def value(self, index: int) -> float:
        """Return the number of a value."""
        return float(self.columns.values[index][self.number])


def _rounded(span: Ints) -> Ints:
    """Round times down to what `time_text` shows of them."""
    days, hours, minutes = (span // unit * unit for unit in (DAY, HOUR, MINUTE))
    rest = span // SECOND * SECOND
    limits = [span >= 2 * DAY, span >= 2 * HOUR, span >= 2 * MINUTE]
    return np.select(limits, [days, hours, minutes], rest)


def _compared(op: str, value: Floats, threshold: Floats, *, absolute: bool) -> NDArray[np.bool_]:
    allowed = RELATIVE if absolute else RELATIVE * np.abs(threshold)
    difference = value - threshold
    if op == ">=":
        return np.asarray(difference >= -allowed)
    if op == ">":
        return np.asarray(difference > allowed)
    if op == "<=":
        return np.asarray(difference <= allowed)
    if op == "<":
        return np.asarray(difference < -allowed)
    return np.asarray((np.abs(difference) <= allowed) == (op == "=="))
