"""Hostile samples: no crash, nothing that is no number, and as if they had not come (F4)."""

from __future__ import annotations

import math
from dataclasses import fields
from random import Random

import pytest

from riskguard import Guard, Sample
from riskguard.engine.decision import Decision
from riskguard.language.reader import read_text
from riskguard.market import HOUR
from tests.counts import counts
from tests.oracle.drawing import Draw
from tests.oracle.feeding import feed
from tests.oracle.poison import NO_INSTANTS, NO_SYMBOLS, NO_VALUES, POISON, TRADES, finite, poisoned

START = 1_767_225_600_000_000_000
EVENTS = 1_000  # through one rule set
SHARE = 0.1  # of the values are poisoned
LINES = (
    "close.change(3h) > 0%", "close.vol(3h) > 0%", "close.ema(3h) > 0", "close.zscore(3h) > 0",
    "oi.mean(3h) > 0", "oi_usd.stdev(3h) > $0", "volume.sum(3h) > 0", "funding.mean(8h) > 0%",
    "liq.long.accel(3h) > 1x", "liq.short.times_avg(3h) > 1x", "basis.percentile(3h) > 0%",
    "fear_greed > 5", "equity.drawdown(all) > 1%", "transfers.sum(3h) > $0", "close.atr(3h) > 0",
    "trades.lost.sum(3h) > 1", "loss_streak > 1", "position.high(3h) > 0", "leverage > 3x",
    "holder.units * (close - holder.cost) < $0", "pnl.realised.sum(today) < $0",
)  # fmt: skip
NAMES = (
    "close", "high", "low", "oi", "oi_usd", "volume", "funding", "liq.long", "liq.short", "basis",
    "fear_greed", "equity", "transfers", "trades.closed", "trades.lost", "loss_streak", "position",
    "leverage", "holder.units", "holder.cost", "pnl.realised",
)  # fmt: skip


def guard() -> Guard:
    text = "version: 1\nevery: 1h\nsymbol: BTC\nrules:\n"
    for number, line in enumerate(LINES):
        text += f'  r{number}:\n    when: "{line}"\n    min_hold: 1h\n    do: {{reduce_by: 5%}}\n'
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def state(made: Guard) -> list[object]:
    """Return everything that is remembered of samples."""
    stream = made.stream
    tapes = [(tape.times, tape.values, tape.fixed, tape.last) for tape in stream.tapes]
    numbers = [repr(value) for value in stream.values]
    return [tapes, numbers, stream.truths, stream.caps, stream.change, made.as_of]


def clean(decision: Decision) -> bool:
    return all(finite(getattr(decision, field.name)) for field in fields(decision)) and all(
        finite(getattr(reading, field.name))
        for reading in decision.reasons
        for field in fields(reading)
    )


def bar(hour: int) -> dict[str, float]:
    return dict.fromkeys(NAMES, 10.0 + hour % 3)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_amount_is_refused_counted_and_as_if_it_had_not_come(name: str) -> None:
    sick, well = guard(), guard()
    lost = {name} | (TRADES if name in TRADES else set())
    for hour, poison in enumerate((p for one in POISON for p in (None, one)), 1):
        values, ts = bar(hour), START + hour * HOUR
        if hour % 2:
            sick.update(Sample(ts, "BTC", values))
            well.update(Sample(ts, "BTC", values))
            continue
        rest = {key: value for key, value in values.items() if key not in lost}
        kept = {"close": math.nan} if name == "close" else {}  # that a bar came is known
        sick.update(Sample(ts, "BTC", {**rest, name: poison}))
        well.update(Sample(ts, "BTC", rest | kept))
        assert state(sick) == state(well), repr(poison)
        assert sum(sick.refused.values()) == hour // 2, repr(poison)


def test_numbers_of_other_kinds_are_numbers() -> None:
    import numpy as np

    made = guard()
    for hour, one in enumerate([5, np.float64(5), np.float32(5), np.int64(5), np.uint8(5)], 1):
        made.update(Sample(np.int64(START + hour * HOUR), "BTC", {"close": one, "oi": one}))  # type: ignore[arg-type]  # numpy's
    assert made.refused == {}
    close = made.stream.tapes[made.plan.close]
    assert close.values == [5.0] * 5
    assert {type(value) for value in close.values} == {float}
    assert {type(ts) for ts in close.times} == {int}


def test_samples_that_are_none_are_refused_and_counted() -> None:
    made = guard()
    made.update(Sample(START + HOUR, "BTC", bar(1)))
    before = state(made)
    for ts in NO_INSTANTS:
        made.update(Sample(ts, "BTC", bar(2)))
    for symbol in NO_SYMBOLS:
        made.update(Sample(START + 2 * HOUR, symbol, bar(2)))
    for values in NO_VALUES:
        made.update(Sample(START + 2 * HOUR, "BTC", values))  # type: ignore[arg-type]  # hostile
    assert state(made) == before
    assert made.refused == {
        "time: no instant in ns": len(NO_INSTANTS), "no sample": len(NO_SYMBOLS) + len(NO_VALUES)
    }  # fmt: skip


@pytest.mark.parametrize("block", range(2))
@counts(50_000, 5_000_000)
def test_hostile_mixtures_neither_crash_nor_leave_a_trace(block: int, count: int, measured) -> None:
    refused = 0
    for seed in range(block * 100_000, block * 100_000 + count // EVENTS):
        draw = Draw(seed)
        sick, well = (
            Guard(draw.rules, sources=draw.sources),
            Guard(draw.rules, sources=draw.sources),
        )
        made = sick.update(Sample(START, "*", {}))
        for number, (bad, left) in enumerate(poisoned(feed(draw, EVENTS), Random(seed), SHARE)):
            decision = sick.update(bad)
            if left is not None:
                well.update(left)
            if decision is not made:
                assert clean(decision), f"seed {seed}, event {number}: {decision}"
                made = decision
        assert state(sick) == state(well), f"seed {seed}"
        assert all(math.isfinite(one) for tape in sick.stream.tapes for one in tape.values)
        refused += sum(sick.refused.values())
    assert refused > count / 20
    measured(
        f"hostile mixtures: {count:,} events, {refused:,} values refused, no crash, nothing "
        f"non-finite, no trace (block {block + 1} of 2)"
    )


class Raising:
    """A number that cannot be had."""

    def __float__(self) -> float:
        raise RuntimeError


def test_a_number_that_raises_is_none_and_what_came_with_it_is_taken_whole() -> None:
    made = guard()
    for hour in (1, 2):
        made.update(Sample(START + hour * HOUR, "BTC", {"close": 100.0, "oi": 5.0}))
    values = {"close": 101.0, "oi": Raising()}
    made.update(Sample(START + 3 * HOUR, "BTC", values))  # type: ignore[dict-item]  # that is the test
    assert made.refused == {"oi: not finite": 1}
    assert made.stream.close() == 101.0
    assert all(len(tape.times) == len(tape.values) for tape in made.stream.tapes)
