"""A threshold that a trader writes is met exactly: never missed, and never a tick too early."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

from riskguard.engine.boundary import boundary, compare, slack
from riskguard.engine.measures import MEASURES
from riskguard.engine.windows import Tape
from riskguard.language.arithmetic import arithmetic
from riskguard.language.expression import parse_literal
from riskguard.market import DEFAULT_SCALE, HOUR, SCALES

CASES = 20_000
CENT, HAIR = Decimal("0.01"), Decimal("0.00000001")
# what a tick further down does to a threshold met exactly, and a tick further up
OPERATORS = {
    ">=": (False, True, True),
    ">": (False, False, True),
    "<=": (True, True, False),
    "<": (True, False, False),
    "==": (False, True, False),
    "!=": (True, False, True),
}


class Case(NamedTuple):
    """A threshold, the value a tick below it, exactly at it and a tick above it."""

    kind: str
    threshold: float
    values: tuple[float, float, float]
    share: bool  # compared with a slack of 1e-9 instead of 1e-9 of the threshold


def around(exact: Decimal, tick: Decimal) -> list[float]:
    return [float(exact - tick), float(exact), float(exact + tick)]


def read(function: str, samples: list[float], dimension: str) -> float:
    """Return a measure of samples an hour apart, over all but what it compares with."""
    tape = Tape(interval=HOUR, fresh=HOUR, bar=True, scale=SCALES.get(dimension, DEFAULT_SCALE))
    spans = {"change": 1, "drop": 1, "rise": 1, "times_avg": 1}
    rolling = MEASURES[function](tape, (len(samples) - spans.get(function, 0)) * HOUR)
    for hour, value in enumerate(samples, 1):
        tape.push(hour * HOUR, value)
    return rolling.read(len(samples) * HOUR)


def price(pick: random.Random) -> Case:
    cents = Decimal(pick.randint(100, 20_000_000)) / 100
    written = pick.choice([f"{cents:,}", f"${cents}", f"{cents / 1000}k"])
    return Case("price", parse_literal(written).value, tuple(around(cents, CENT)), share=False)


def buffered(pick: random.Random) -> Case:
    level, points = Decimal(pick.randint(1, 4_000) * 50), Decimal(pick.randint(1, 200))
    threshold = arithmetic("-share", float(level), parse_literal(f"{points}bp").value)
    exact = level - level * points / 10_000
    return Case("price less a share", threshold, tuple(around(exact, CENT)), share=False)


def moved(pick: random.Random, function: str) -> Case:
    """Return a change in shares, from open interest or prices with three decimals."""
    tenths = pick.randint(1, 4_000)  # of a basis point of ten
    sign = {"drop": -1, "rise": 1, "change": pick.choice([-1, 1])}[function]
    before = Decimal(pick.randint(1_000, 9_000_000)) / 1_000
    share = Decimal(tenths) / 10_000
    written = f"{'-' if function == 'change' and sign < 0 else ''}{Decimal(tenths) / 100}%"
    exact = before * (1 + sign * share)
    found = [
        read(function, [float(before), now], "price")
        for now in around(exact, max(before * HAIR * 10, HAIR))
    ]
    values = tuple(found if function != "drop" else found[::-1])
    return Case(function, parse_literal(written).value, values, share=True)


def total(pick: random.Random) -> Case:
    """Return a sum of amounts in cents that meets a round figure of dollars."""
    millions = Decimal(pick.randint(1, 9_999)) / pick.choice([1, 10])
    parts = [Decimal(pick.randint(0, 10**8)) / 100 for _ in range(pick.randint(1, 12))]
    last = millions * 10**6 - sum(parts)
    if last < 100:
        return total(pick)
    # a cent; above 5 million dollars it would drown in the slack of 1e-9 that rounding needs
    tick = CENT if millions < 5 else (millions / 250).quantize(CENT) + CENT
    values = tuple(read("sum", [*map(float, parts), one], "dollars") for one in around(last, tick))
    return Case("sum", parse_literal(f"${millions}M").value, values, share=False)


def mean(pick: random.Random) -> Case:
    """Return a mean of funding rates with eight decimals that meets some basis points."""
    points, size = Decimal(pick.randint(1, 500)) / 10, pick.randint(2, 12)
    rates = [Decimal(pick.randint(-90_000, 90_000)) / 10**8 for _ in range(size - 1)]
    last = points / 10_000 * size - sum(rates)
    values = tuple(
        read("mean", [*map(float, rates), one], "share")
        for one in around(last, Decimal(size) / 10**8)
    )
    return Case("mean", parse_literal(f"{points}bp").value, values, share=True)


def pace(pick: random.Random) -> Case:
    """Return a multiple of the average before, both in cents."""
    tenths, size = pick.randint(1, 120), pick.randint(1, 12)
    before = [Decimal(pick.randint(1, 10**5) * 10 * size) / 100 for _ in range(size)]
    exact = sum(before) / size * tenths / 10
    values = tuple(
        read("times_avg", [*map(float, before), one], "dollars") for one in around(exact, CENT)
    )
    return Case("times_avg", parse_literal(f"{tenths / 10}x").value, values, share=True)


KINDS: list[Callable[[random.Random], Case]] = [
    price,
    buffered,
    lambda pick: moved(pick, "change"),
    lambda pick: moved(pick, "drop"),
    lambda pick: moved(pick, "rise"),
    total,
    mean,
    pace,
]


def cases() -> Iterator[Case]:
    pick = random.Random(20260212)
    for number in range(CASES):
        yield KINDS[number % len(KINDS)](pick)


def test_a_threshold_is_met_exactly_and_a_tick_before_or_behind_is_not(measured):
    missed, early = Counter(), Counter()
    for case in cases():
        allowed = slack(case.threshold, absolute=case.share)
        for op, meant in OPERATORS.items():
            low, high, inside = boundary(op, case.threshold, allowed)
            for place, (value, said) in enumerate(zip(case.values, meant, strict=True)):
                by_formula = compare(op, value, case.threshold, allowed)
                by_boundary = (low <= value <= high) == inside
                wrong = {by_formula, by_boundary} - {said}
                (missed if place == 1 else early)[case.kind] += len(wrong)
    measured(
        f"{CASES:,} thresholds met exactly, six comparisons each: {missed.total()} missed, "
        f"{early.total()} wrong a tick beside them"
    )
    assert not +missed
    assert not +early
