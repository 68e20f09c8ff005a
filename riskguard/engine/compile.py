"""Compiling: a bound rule set becomes a plan, each distinct thing once, in order of need."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.engine.account import CHAINED, NAV, begins
from riskguard.engine.boundary import boundary, slack
from riskguard.engine.plan import (
    ATR_BARS,
    Group,
    LatchSpec,
    Leaf,
    Plan,
    RampSpec,
    Ref,
    TapeSpec,
    Truth,
    ValueSpec,
)
from riskguard.engine.windows import Window
from riskguard.language.arithmetic import arithmetic
from riskguard.language.rewriting import bars_of, observed, release, trigger
from riskguard.language.ruleset import (
    Actions,
    All,
    AtLeast,
    Compare,
    Condition,
    Constant,
    During,
    Flag,
    For,
    Indicator,
    Measured,
    Not,
    ParameterValue,
    Sequence,
    SeriesValue,
    Value,
    input_of,
    of_hours,
)
from riskguard.market import CATALOGUE, DEFAULT_SCALE, SCALES

if TYPE_CHECKING:
    from riskguard.language.ruleset import Reentry, Rule, RuleSet, Stage

__all__ = ["compile_rules"]


def _only_notifies(actions: Actions) -> bool:
    return replace(actions, notify="", plugins=()) == type(actions)()


class _Compiler:
    def __init__(self, ruleset: RuleSet, every: int) -> None:
        self.ruleset = ruleset
        self.plan = Plan(ruleset, every)
        self.tape_index: dict[str | Window, int] = {}
        self.window_index: dict[Window, int] = {}
        self.value_index: dict[ValueSpec, int] = {}
        self.truth_index: dict[Truth, int] = {}
        self.plan.rules = {rule.name: number for number, rule in enumerate(ruleset.rules)}
        self.stage_index = {stage.name: number + 1 for number, stage in enumerate(ruleset.stages)}
        self.done_rules: set[int] = set()
        self.ladder_done = False
        self.needed_now = False
        self.marked: set[tuple[Condition, bool]] = set()

    # ------------------------------------------------------------ values

    def tape(self, symbol: str, name: str) -> int:
        symbol = "" if symbol == self.ruleset.symbol else symbol
        key = f"{symbol}.{name}" if symbol else name
        if key not in self.tape_index:
            spec = input_of(self.ruleset, symbol, "equity" if name == NAV else name).spec
            interval = spec.interval or self.plan.every
            self.tape_index[key] = len(self.plan.tapes)
            self.plan.tapes.append(
                TapeSpec(
                    key,
                    symbol,
                    name,
                    interval,
                    spec.max_age or 2 * interval,
                    spec.bar,
                    spec.scale,
                    spec.signed,
                    spec.dimension == "price",
                    needed=False,
                    most=spec.most,
                    begins="" if symbol else begins(name),
                )
            )
        return self.tape_index[key]

    def need(self, tape: int) -> None:
        spec = self.plan.tapes[tape]
        own = spec.feeder < 0 and not spec.needed
        if self.needed_now and own and self.carried(spec.symbol, spec.name):
            self.plan.tapes[tape] = replace(spec, needed=True)

    def carried(self, symbol: str, name: str) -> bool:
        return input_of(self.ruleset, symbol, "equity" if name == NAV else name).carried

    def window(self, node: Measured) -> int:
        if isinstance(node.of, SeriesValue):
            tapes = self._read(node, node.of)
        else:
            inner = self.window(node.of) if isinstance(node.of, Measured) else self.ta(node.of)
            tapes = (self.chained(inner, node.of.dimension),)
        calendar = node.calendar
        if calendar and calendar != "all":
            calendar = f"{calendar}@{self.ruleset.timezone}"
        source, *beside = (self.plan.tapes[tape].key for tape in tapes)
        window = Window(
            node.function, source, node.window or 0, node.minimum, calendar, tuple(map(str, beside))
        )
        return self._window(window, tapes, node.text, needed=node.function != "age")

    def _read(self, node: Measured, series: SeriesValue) -> tuple[int, ...]:
        """Return the tapes that a measure of a series reads, and mark them as needed."""
        symbol, name = series.symbol, series.name
        if node.function == "atr":
            found = [self.tape(symbol, one) for one in (name, "high", "low")]
        elif name == "equity" and node.function in CHAINED:
            self.tape(symbol, name)  # what comes in is judged at its own door
            found = [self.tape(symbol, NAV)]
        else:
            found = [self.tape(symbol, name)]
        for tape in found:
            if node.function != "age":
                self.need(tape)
        return tuple(found)

    def ta(self, node: Indicator) -> int:
        tapes = tuple(self.tape(one.symbol, one.name) for one in bars_of(node))
        for tape in tapes:
            self.need(tape)
        source, *beside = (self.plan.tapes[tape].key for tape in tapes)
        window = Window(
            f"{node.library}.{node.name}", source, observed(node, self.plan.every), None, "",
            tuple(map(str, beside)), node.arguments, node.plugged,
        )  # fmt: skip
        return self._window(window, tapes, node.text, needed=True)

    def _window(self, window: Window, tapes: tuple[int, ...], text: str, *, needed: bool) -> int:
        if window not in self.window_index:
            self.window_index[window] = len(self.plan.windows)
            self.plan.windows.append((window, tapes))
            self.plan.windows_needed.append(False)
            self.plan.window_texts.append(text)
        index = self.window_index[window]
        if self.needed_now and needed and self._primes(tapes):
            self.plan.windows_needed[index] = True
        return index

    def _primes(self, tapes: tuple[int, ...]) -> bool:
        """Say whether a window has to warm up: its feed is there, and is no account's."""
        for tape in tapes:
            spec = self.plan.tapes[tape]
            while spec.feeder >= 0:
                spec = self.plan.tapes[self.plan.windows[spec.feeder][1][0]]
            if spec.begins or not self.carried(spec.symbol, spec.name):
                return False
        return True

    def chained(self, feeder: int, dimension: str) -> int:
        source = self.plan.windows[feeder][0]
        if source not in self.tape_index:
            self.tape_index[source] = len(self.plan.tapes)
            every = self.plan.every
            # between closes the value of the last one stands, where decisions are made between
            fresh = every - 1 if self.ruleset.evaluate == "event" else 0
            scale = SCALES.get(dimension, DEFAULT_SCALE)
            self.plan.tapes.append(
                TapeSpec(
                    source, "", "", every, fresh, bar=False, scale=scale,
                    signed=True, price=False, needed=False, feeder=feeder,
                )
            )  # fmt: skip
        return self.tape_index[source]

    def value(self, node: Value) -> int:
        index = self._number(node)
        self.plan.numbers[node] = index
        return index

    def _number(self, node: Value) -> int:
        if isinstance(node, Constant):
            return self._value(ValueSpec("const", node.value))
        if isinstance(node, ParameterValue):
            number = self.ruleset.params[node.name].value
            return self._value(ValueSpec("const", float(number)))  # type: ignore[arg-type]  # no parameter is without a number once the rules are bound
        if isinstance(node, SeriesValue):
            tape = self.tape(node.symbol, node.name)
            self.need(tape)
            return self._value(ValueSpec("tape", index=tape))
        if isinstance(node, Measured):
            if node.function == "age" and not self._sent(node.of):
                return self._value(ValueSpec("const", math.nan))  # of no age at all
            return self._value(ValueSpec("window", index=self.window(node)))
        if isinstance(node, Indicator):
            return self._value(ValueSpec("window", index=self.ta(node)))
        left, right = self.value(node.left), self.value(node.right)
        one, two = self.plan.values[left], self.plan.values[right]
        if one.kind == two.kind == "const":
            return self._value(ValueSpec("const", arithmetic(node.op, one.number, two.number)))
        return self._value(ValueSpec(node.op, left=left, right=right))

    def _sent(self, base: Value) -> bool:
        return isinstance(base, SeriesValue) and self.carried(base.symbol, base.name)

    def _value(self, spec: ValueSpec) -> int:
        if spec not in self.value_index:
            self.value_index[spec] = len(self.plan.values)
            self.plan.values.append(spec)
        return self.value_index[spec]

    # ------------------------------------------------------------ conditions

    def condition(self, node: Condition, *, clearing: bool) -> int:
        key = (node, clearing)
        known = key in self.plan.slots
        if not known or (self.needed_now and key not in self.marked):
            if self.needed_now:  # walked once more, to mark what it reads as needed
                self.marked.add(key)
            truth = self._compile(node, clearing=clearing)
            plain = isinstance(truth, Ref) and truth.kind == "slot" and truth.policy == "hold"
            self.plan.slots[key] = truth.index if plain else self._truth(truth)  # type: ignore[union-attr]  # `plain` says that it is a Ref
        return self.plan.slots[key]

    def _truth(self, truth: Truth) -> int:
        if truth not in self.truth_index:
            self.truth_index[truth] = len(self.plan.truths)
            self.plan.truths.append(truth)
            self.plan.order.append(("truth", self.truth_index[truth]))
        return self.truth_index[truth]

    def _compile(self, node: Condition, *, clearing: bool) -> Truth:
        if isinstance(node, Compare):
            return self._leaf(node, clearing=clearing)
        if isinstance(node, Flag):
            return self._flag(node, clearing=clearing)
        if isinstance(node, Not):
            return Group("not", (self.condition(node.of, clearing=clearing),))
        if isinstance(node, For):
            inner = self.condition(node.of, clearing=clearing)
            return Group("for", (inner,), node.closes or 0, node.duration or 0)
        if isinstance(node, During):
            return node
        parts = tuple(self.condition(part, clearing=clearing) for part in node.of)
        if len(parts) == 1:
            return Ref("slot", parts[0], "hold")
        if isinstance(node, AtLeast):
            return Group("at_least", parts, node.count)
        if isinstance(node, Sequence):
            return Group("sequence", parts, 0, node.within)
        return self._all(node, parts) if isinstance(node, All) else Group("any", parts)

    def _all(self, node: All, slots: tuple[int, ...]) -> Group:
        """Return the group: where all lines beside hours are ignored, the clock says nothing."""
        timed = [of_hours(part) for part in node.of]
        hours = [slot for slot, by_clock in zip(slots, timed, strict=True) if by_clock]
        lines = tuple(slot for slot, by_clock in zip(slots, timed, strict=True) if not by_clock)
        if not hours or not lines:
            return Group("all", slots)
        inner = lines[0] if len(lines) == 1 else self._truth(Group("all", lines))
        return Group("within", (inner, *hours))

    def _leaf(self, node: Compare, *, clearing: bool) -> Leaf:
        policy = _policy(node.on_missing, clearing=clearing)
        before, self.needed_now = self.needed_now, self.needed_now and policy != "ignore"
        if node.on_missing == "ignore":
            self.needed_now = False
        left, right = self.value(node.left), self.value(node.right)
        self.needed_now = before
        absolute = bool({node.left.dimension, node.right.dimension} & {"share", "ratio"})
        fixed = self.plan.values[right]
        bound = None
        if fixed.kind == "const" and math.isfinite(fixed.number):
            bound = boundary(node.op, fixed.number, slack(fixed.number, absolute=absolute))
        return Leaf(left, node.op, right, absolute, bound, policy)

    def _flag(self, node: Flag, *, clearing: bool) -> Ref:
        policy = _policy(node.on_missing, clearing=clearing)
        if node.kind == "definition":
            before = self.needed_now
            self.needed_now = before and node.on_missing != "ignore"
            slot = self.condition(self.ruleset.define[node.name], clearing=clearing)
            self.needed_now = before
            return Ref("slot", slot, policy)
        if node.kind == "rule":
            index = self.plan.rules[node.name]
            self.rule(index)
            self._through(node, self.ruleset.rules[index])
            return Ref("rule", index, policy)
        self.ladder()
        self._through(node, *self.ruleset.stages)
        return Ref("stage", self.stage_index[node.name], policy)

    def _through(self, flag: Flag, *read: Rule | Stage) -> None:
        """Mark as needed what decides the rules or stages that protection reads."""
        if self.needed_now and flag.on_missing != "ignore":
            for latch in read:
                self._sides(latch)

    # ------------------------------------------------------------ machines

    def _sides(self, latch: Rule | Stage) -> tuple[int, int]:
        """Return the slots of what turns a rule or a stage on and off."""
        fires, frees = trigger(latch), release(latch)
        on = self.condition(fires, clearing=False)
        return on, self.condition(Not(fires) if frees is None else frees, clearing=True)

    def rule(self, index: int) -> None:
        if index in self.done_rules:
            return
        self.done_rules.add(index)
        rule = self.ruleset.rules[index]
        before, self.needed_now = self.needed_now, not _only_notifies(rule.do)
        when, clear = self._sides(rule)
        while len(self.plan.latches) <= index:
            self.plan.latches.append(LatchSpec("", -1, -1, 0, 0, latch=False))
        self.plan.latches[index] = LatchSpec(
            rule.name, when, clear, rule.min_hold, rule.cooldown, rule.latch
        )
        self.plan.order.append(("rule", index))
        self.ramp(rule.reentry, rule.name, rule=index)
        self.needed_now = before

    def ladder(self) -> None:
        if self.ladder_done or not self.ruleset.stages:
            return
        self.ladder_done = True
        before = self.needed_now
        for stage in self.ruleset.stages:
            self.needed_now = not _only_notifies(stage.do)
            enter, recover = self._sides(stage)
            self.plan.enters.append(enter)
            self.plan.recovers.append(recover)
            self.plan.holds.append(stage.min_hold)
        self.plan.order.append(("ladder", 0))
        for number, stage in enumerate(self.ruleset.stages, 1):
            self.needed_now = not _only_notifies(stage.do)
            self.ramp(stage.reentry, f"stage {stage.name}", stage=number)
        self.needed_now = before

    def ramp(self, reentry: Reentry | None, name: str, *, rule: int = -1, stage: int = -1) -> None:
        if reentry is None:
            return
        rising = self.condition(reentry.condition, clearing=True)
        self.plan.order.append(("ramp", len(self.plan.ramps)))
        self.plan.ramps.append(
            RampSpec(
                f"reentry {name}", reentry.start, reentry.step, reentry.every, rising, rule, stage
            )
        )


def _policy(on_missing: str, *, clearing: bool) -> str:
    # missing data never loosens: in a clear, that of `not` of a trigger too, it holds
    return "hold" if clearing else on_missing


def compile_rules(ruleset: RuleSet) -> Plan:
    """Compile a bound rule set (`every` and by_source parameters settled)."""
    every = ruleset.every
    if every is None:
        msg = "a rule set without `every` cannot be compiled: bind it to data first"
        raise ValueError(msg)
    compiler = _Compiler(ruleset, every)
    compiler.ladder()
    for index in range(len(ruleset.rules)):
        compiler.rule(index)
    actions = [rule.do for rule in ruleset.rules] + [stage.do for stage in ruleset.stages]
    if any(do.stop is not None and do.stop.atr is not None for do in actions):
        close = SeriesValue("", "close", CATALOGUE["close"].dimension)
        compiler.needed_now = True
        text = f"close.atr({ATR_BARS} bars)"
        ranged = Measured("atr", close, ATR_BARS * every, None, "price", text=text)
        compiler.plan.atr = compiler.window(ranged)
    if any(do.stop is not None for do in actions):
        compiler.tape("", "close")  # turns a share into a distance
    compiler.plan.close = compiler.tape_index.get("close", -1)
    return compiler.plan
