"""Columns equal the stream to the last bit, on random rules over random histories."""

from __future__ import annotations

import math
import random
import struct

import numpy as np
import pytest

from riskguard.engine.compile import compile_rules
from riskguard.engine.guard import Guard
from riskguard.engine.plan import Plan
from riskguard.engine.states import state_of
from riskguard.engine.windows import Tape, Window
from riskguard.history.columns import Columns
from riskguard.history.columns.measures import measure
from riskguard.history.columns.tape import TapeColumn
from riskguard.language.ruleset import (
    Actions,
    All,
    Any,
    Arithmetic,
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
    Reentry,
    Rule,
    RuleSet,
    Sequence,
    SeriesValue,
    Stage,
    Stop,
    Value,
)
from riskguard.language.schema import CALENDARS_OF
from riskguard.market import HOUR, Sample

EVERY = HOUR
START = 1_767_225_600_000_000_000
SERIES = {
    "close": "price", "high": "price", "low": "price", "oi": "coins", "liq.long": "dollars",
    "funding": "share",
}  # fmt: skip
ACCOUNT = {
    "equity": "dollars", "pnl.realised": "dollars", "trades.lost": "count",
    "loss_streak": "count",
}  # fmt: skip
FLOWS = {"liq.long", "pnl.realised", "trades.lost"}
ZONES = ["UTC", "UTC", "Asia/Kolkata", "America/New_York"]
BASELINES = ("mean", "stdev", "zscore", "times_avg", "percentile")


class Draw:
    """Random rule sets and histories from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self) -> Value:
        pick = self.random
        if pick.random() < 0.02:
            return Indicator("ta", "rsi", pick.choice(["", "ETH"]), (("window", 3),), text="rsi")
        name = pick.choice(list(SERIES))
        node: Value = SeriesValue(pick.choice(["", "", "", "ETH"]), name, SERIES[name])
        if pick.random() < 0.2:
            name = pick.choice(list(ACCOUNT))
            node = SeriesValue("", name, ACCOUNT[name])
        for _ in range(pick.choice([0, 1, 1, 2])):
            node = self.measured(node)  # type: ignore[arg-type]  # a series or a measure of one
        if pick.random() < 0.15:
            share = Constant(pick.choice([0.005, 0.02]), "share")
            node = Arithmetic(pick.choice(["+share", "-share"]), node, share, node.dimension)
        return node

    def measured(self, of: SeriesValue | Measured) -> Measured:
        pick = self.random
        functions = ["ago", "change", "drop", "rise", "mean", "low", "high", "drawdown", "age"]
        functions += [*BASELINES, "vol", "ema"]
        flow = isinstance(of, SeriesValue) and of.name in FLOWS
        functions += ["sum", "accel"] * 3 if flow or isinstance(of, Measured) else []
        functions += ["atr"] * 3 if isinstance(of, SeriesValue) and of.name == "close" else []
        name = pick.choice(functions)
        if name == "age" and isinstance(of, Measured):
            name = "mean"
        span = pick.choice([3, 5, 12, 24, 40]) * EVERY
        minimum = span // 3 if name in BASELINES and pick.random() < 0.4 else None
        dimension = "share" if name in {"change", "drop", "rise", "drawdown"} else of.dimension
        words = CALENDARS_OF.get(name, ())
        if words and pick.random() < 0.25:
            return Measured(name, of, None, None, dimension, text=name, calendar=pick.choice(words))
        return Measured(name, of, None if name == "age" else span, minimum, dimension, text=name)

    def leaf(self) -> Condition:
        pick = self.random
        left = self.value()
        right: Value = Constant(self.threshold(left), left.dimension)
        if pick.random() < 0.2:
            right = self.value()
        op = pick.choice(["<", "<=", ">", ">=", ">", "<", "==", "!="])
        missing = pick.choice(["hold", "hold", "hold", "ignore", "fire"])
        return Compare(left, op, right, missing, text="leaf")

    def hours(self) -> During:
        pick = self.random
        start, end = pick.sample(range(24), 2)
        days = tuple(sorted(pick.sample(range(7), pick.choice([2, 5, 7]))))
        return During(days, start * HOUR, end * HOUR, pick.choice(ZONES))

    def threshold(self, left: Value) -> float:
        centre = {"price": 100.0, "coins": 1000.0, "dollars": 3e6, "share": 0.01, "count": 2.0}
        base = centre.get(left.dimension, 1.0)
        return base * self.random.choice([0.5, 0.9, 0.99, 1.0, 1.01, 1.1, 2.0, -1.0])

    def condition(self, depth: int = 2) -> Condition:
        pick = self.random
        if depth == 0 or pick.random() < 0.3:
            node = self.leaf() if pick.random() < 0.95 else self.hours()
        else:
            parts = tuple(self.condition(depth - 1) for _ in range(pick.choice([2, 2, 3])))
            node = pick.choice(
                [
                    All(parts),
                    Any(parts),
                    AtLeast(2, parts),
                    Sequence(parts, pick.choice([2, 6, 12]) * EVERY),
                    Not(parts[0]),
                ]
            )
        if pick.random() < 0.3:
            closes = pick.choice([None, 2, 3])
            node = For(node, None if closes else pick.choice([2, 5]) * EVERY, closes)
        return node

    def rules(self) -> RuleSet:
        pick = self.random
        define = {"calm": self.condition(1)}
        rules = []
        for number in range(3):
            when = self.condition()
            if pick.random() < 0.3:
                flag = Flag("definition", "calm", pick.choice(["hold", "ignore", "fire"]))
                when = Any((when, flag))
            if number and pick.random() < 0.3:
                when = All((when, Flag("rule", f"r{number - 1}")))
            if pick.random() < 0.2:
                when = Any((when, Flag("stage", "b")))
            rules.append(
                Rule(
                    f"r{number}", when, self.actions(),
                    clear=pick.choice([None, self.condition(1)]),
                    min_hold=pick.choice([0, 3]) * EVERY, cooldown=pick.choice([0, 4]) * EVERY,
                    latch=pick.random() < 0.1, reentry=self.reentry(),
                )
            )  # fmt: skip
        stages = tuple(
            Stage(
                name, self.condition(1), self.actions(), pick.choice([None, self.condition(1)]),
                pick.choice([0, 2]) * EVERY, self.reentry(),
            )
            for name in "abc"
        )  # fmt: skip
        return RuleSet(
            symbol="BTC", every=EVERY, define=define, rules=tuple(rules), stages=stages,
            timezone=pick.choice(ZONES),
        )  # fmt: skip

    def actions(self) -> Actions:
        pick = self.random
        return pick.choice(
            [
                Actions(exposure_cap=0.5),
                Actions(exposure_cap=0.0, close="longs"),
                Actions(block_entries="long", stop=Stop(atr=1.5)),
                Actions(leverage_cap=2.0, stop=Stop(share=0.05)),
                Actions(notify="look"),
                Actions(reduce_only=True, cancel_orders="all"),
            ]
        )

    def reentry(self) -> Reentry | None:
        if self.random.random() < 0.6:
            return None
        return Reentry(0.25, 0.25, 3 * EVERY, self.condition(0))

    def history(
        self, size: int = 150
    ) -> tuple[list[Sample], dict[str, tuple[list[int], list[float]]]]:
        """Samples in the order of the contract, and the same as columns."""
        pick = self.random
        samples: list[Sample] = []
        columns: dict[str, tuple[list[int], list[float]]] = {}
        price = {"": 100.0, "ETH": 50.0}
        holes = {(s, n): pick.choice([0.0, 0.02, 0.2]) for s in price for n in SERIES}
        dead = {key: pick.choice([size, size, pick.randrange(size)]) for key in holes}
        trading, equity = False, 3e6
        ts, jumps = START, pick.choice([0.0, 0.0, 0.03])
        for bar in range(size):
            ts += EVERY * (pick.choice([2, 5]) if pick.random() < jumps else 1)
            trading = trading or pick.random() < 0.05
            for symbol in ("ETH", ""):
                price[symbol] *= 1 + pick.gauss(0, 0.01)
                seen = self.bar(price[symbol])
                if not symbol and trading:
                    seen |= self.account(equity)
                    equity = seen["equity"]
                kept = {
                    name: value
                    for name, value in seen.items()
                    if (name == "close" and not symbol)
                    or (
                        pick.random() >= holes.get((symbol, name), 0.05)
                        and bar < dead.get((symbol, name), size)
                    )
                }
                samples.append(Sample(ts, symbol or "BTC", kept))
                for name, value in kept.items():
                    key = f"{symbol}.{name}" if symbol else name
                    times, values = columns.setdefault(key, ([], []))
                    times.append(ts)
                    values.append(value)
            if pick.random() < 0.2:
                samples.append(Sample(ts + EVERY // 2, "*", {}))
        return samples, columns

    def account(self, equity: float) -> dict[str, float]:
        pick = self.random
        closed = float(pick.choice([0, 0, 0, 1, 2]))
        moved = float(pick.choice([0, 0, 0, 0, 1000, -1000]))
        return {
            "equity": max(0.0, round(equity * (1 + pick.gauss(0, 0.02)) + moved, 2)),
            "transfers": moved, "pnl.realised": round(pick.gauss(0, 5e4), 2),
            "trades.closed": closed, "trades.lost": float(pick.randint(0, int(closed))),
        }  # fmt: skip

    def bar(self, price: float) -> dict[str, float]:
        pick = self.random
        flow = 0.0 if pick.random() < 0.3 else round(pick.expovariate(1 / 3e6), 2)
        return {
            "close": price, "high": price * 1.01, "low": price * 0.99,
            "oi": round(1000 * (1 + pick.gauss(0, 0.02)), 3), "liq.long": flow,
            "funding": round(pick.gauss(0.0001, 0.01), 6),
        }  # fmt: skip


def bits(number: float) -> bytes:
    return b"nan" if math.isnan(number) else struct.pack("<d", number)


def streamed(ruleset: RuleSet, samples: list[Sample]) -> tuple[Plan, list[tuple[object, ...]]]:
    guard, rows = Guard(ruleset), []
    for sample in samples:
        before = guard.as_of
        decision = guard.update(sample)
        if guard.as_of != before:
            stream = guard.stream
            numbers = [bits(number) for number in stream.values]
            rows.append((guard.as_of, numbers, list(stream.truths), list(stream.caps), decision))
    return guard.plan, rows


@pytest.mark.parametrize("block", range(8))
def test_every_value_truth_and_decision_of_the_columns_is_the_streams(block: int) -> None:
    for seed in range(block * 12, block * 12 + 12):
        draw = Draw(seed)
        ruleset, (samples, columns) = draw.rules(), draw.history()
        plan, rows = streamed(ruleset, samples)
        now = np.array([row[0] for row in rows], np.int64)
        arrays = {
            key: (np.array(times, np.int64), np.array(values))
            for key, (times, values) in columns.items()
        }
        table = Columns(compile_rules(ruleset), arrays, now)
        decision = table.decision(0)
        changes = set(table.changes().tolist())
        for number, (ts, numbers, truths, caps, made) in enumerate(rows):
            where = f"seed {seed}, bar {number}"
            got = [bits(float(column[number])) for column in table.values]
            for index, (one, two) in enumerate(zip(numbers, got, strict=True)):  # type: ignore[call-overload]  # rows hold lists
                assert one == two, f"{where}: value {plan.values[index]}"
            assert truths == [int(column[number]) for column in table.truths], where
            assert caps == [float(column[number]) for column in table.caps], where
            if number in changes:
                decision = table.decision(number)
                assert decision.ts == ts, where
            assert made == decision, where


@pytest.mark.parametrize("function", ["times_avg", "accel"])
def test_nothing_after_nothing_is_the_usual_pace(function: str) -> None:
    times = np.arange(1, 13, dtype=np.int64) * HOUR
    values = np.zeros(12)
    values[9] = 5.0
    column = TapeColumn(times, values, HOUR, 2 * HOUR, bar=True, scale=100)
    found = measure(Window(function, "liq.long", 3 * HOUR), [column], times).tolist()
    first = 3 if function == "times_avg" else 5
    assert all(math.isnan(value) for value in found[:first])
    assert found[first:9] == [1.0] * (9 - first)
    assert math.isnan(found[9])  # the first dollar is infinitely many times nothing
    tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=True, scale=100)
    state = state_of(Window(function, "liq.long", 3 * HOUR), [tape])
    for ts, value, column_value in zip(times.tolist(), values.tolist(), found, strict=True):
        tape.push(ts, value)
        assert bits(state.read(ts)) == bits(column_value)


@pytest.mark.parametrize("function", ["ema", "vol", "atr"])
def test_samples_that_come_more_often_than_bars_close(function: str) -> None:
    pick = random.Random(5)
    times = [
        HOUR * hour + HOUR * quarter // 4
        for hour in range(1, 40)
        for quarter in range(4)
        if not quarter or pick.random() < 0.5
    ]
    values = [100 + pick.random() for _ in times]
    window = Window(function, "close", 3 * HOUR)
    clock = {"interval": HOUR, "fresh": 2 * HOUR, "bar": True, "scale": 100}
    count = 3 if function == "atr" else 1
    stamps = np.array(times, np.int64)
    columns = [TapeColumn(stamps, np.array(values), **clock) for _ in range(count)]
    found = measure(window, columns, stamps)
    tapes = [Tape(**clock) for _ in range(count)]
    state = state_of(window, tapes)
    for ts, value, column_value in zip(times, values, found.tolist(), strict=True):
        for tape in tapes:
            tape.push(ts, value)
        assert bits(state.read(ts)) == bits(column_value)
    assert np.isfinite(found).sum() > 20
