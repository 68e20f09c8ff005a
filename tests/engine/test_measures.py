"""Every measure against an oracle that recomputes it from the full list of samples."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from riskguard.engine.measures import MEASURES
from riskguard.engine.measures.baselines import PIECE, Ordered
from riskguard.engine.measures.recursive import average_true_range, exponential_mean
from riskguard.engine.windows import Tape
from riskguard.market import HOUR

SCALE = 100
Samples = list[tuple[int, float]]
BASELINES = ("times_avg", "stdev", "zscore", "percentile")
ENDPOINTS = ("ago", "change", "drop", "rise")


def exact(value: float) -> Fraction:
    return Fraction(round(value * SCALE), SCALE)


class Oracle:
    """Recomputes one measure from all samples seen, with exact arithmetic and no state."""

    def __init__(self, function: str, span: int, minimum: int | None, *, bar: bool) -> None:
        self.function, self.span, self.minimum, self.bar = function, span, minimum, bar
        self.fresh = 2 * HOUR

    def read(self, seen: Samples, now: int) -> float:
        if not seen:
            return math.nan
        if self.function in BASELINES:
            return self.baseline(seen, now)
        reach = {"accel": 2, "ema": 5}.get(self.function, 1)
        inside = [(ts, x) for ts, x in seen if now - reach * self.span < ts]
        held = len(inside) - 1 if self.function == "vol" and inside == seen else len(inside)
        if not self.whole(seen, now, held, reach):
            return math.nan
        return self.measured(seen, inside, now)

    def whole(self, seen: Samples, now: int, held: int, reach: int = 1) -> bool:
        start = seen[0][0]
        if self.bar and self.function not in ENDPOINTS:
            start -= HOUR
        full = reach * self.span
        if now - start < (self.minimum or full):
            return False
        return 10 * held * HOUR >= 9 * min(full, now - start)

    def measured(self, seen: Samples, inside: Samples, now: int) -> float:
        name, span = self.function, self.span
        current = seen[-1][1] if now - seen[-1][0] <= self.fresh else math.nan
        if name in ENDPOINTS:
            before = [(ts, x) for ts, x in seen if ts <= now - span]
            if not before or now - span - before[-1][0] > self.fresh:
                return math.nan
            past = before[-1][1]
            if name == "ago":
                return past
            if past == 0 or math.isnan(current):
                return math.nan
            fell = 1.0 - current / past
            rose = current / past - 1.0
            return {"change": rose, "drop": max(0.0, fell), "rise": max(0.0, rose)}[name]
        values = [x for _, x in inside]
        if name == "sum":
            return float(sum(map(exact, values)))
        if name == "mean":
            return float(sum(map(exact, values)) / len(values))
        if name in {"low", "high"}:
            return min(values) if name == "low" else max(values)
        if name == "drawdown":
            return 1.0 - current / max(values)
        if name == "accel":
            newer = sum((exact(x) for ts, x in inside if ts > now - span), Fraction(0))
            older = sum((exact(x) for ts, x in inside if ts <= now - span), Fraction(0))
            if not older:
                return math.nan if newer else 1.0
            return float(newer / older)
        if name == "ema":
            return exponential_mean(values, len(values) / 5)  # n: samples in one window
        return self.vol(seen, now)

    def vol(self, seen: Samples, now: int) -> float:
        returns = [
            Fraction(round(math.log(x / before) * 10**12), 10**12)
            for (ts, x), (_, before) in zip(seen[1:], seen[:-1], strict=True)
            if ts > now - self.span
        ]
        if not returns:
            return math.nan
        mean = sum(returns) / len(returns)
        spread = math.sqrt(sum((r - mean) ** 2 for r in returns) / len(returns))
        return spread * math.sqrt(8760 * HOUR * len(returns) / self.span)

    def baseline(self, seen: Samples, now: int) -> float:
        ts, x = seen[-1]
        before = [value for at, value in seen[:-1] if at >= ts - self.span]
        if now - ts > self.fresh or not before or not self.whole(seen, ts, len(before)):
            return math.nan
        mean = sum(map(exact, before)) / len(before)
        if self.function == "percentile":
            return sum(value < x for value in before) / len(before)
        if self.function == "times_avg":
            if not mean:
                return math.nan if exact(x) else 1.0
            return x / float(mean)
        spread = math.sqrt(sum((exact(v) - mean) ** 2 for v in before) / len(before))
        if self.function == "stdev":
            return spread
        return (x - float(mean)) / spread if spread > 1e-9 * abs(mean) else math.nan


def walk(seed: int, size: int) -> list[tuple[int, float | None]]:
    """Instants an hour apart, now and then further; None where no sample came."""
    pick, now, price = random.Random(seed), 1_700_000_000 * 10**9 // HOUR * HOUR, 100.0
    hole = pick.choice([0.0, 0.03, 0.15])
    out: list[tuple[int, float | None]] = []
    for _ in range(size):
        now += HOUR * (pick.randint(2, 6) if pick.random() < 0.02 else 1)
        price = round(price * math.exp(pick.gauss(0, 0.02)), 2)
        flat = pick.random() < 0.3
        out.append((now, None if pick.random() < hole else 100.0 if flat else price))
    return out


@pytest.mark.parametrize("function", sorted(set(MEASURES) - {"age"}))
@pytest.mark.parametrize("bar", [True, False])
def test_measure_equals_the_oracle_at_every_instant(function: str, bar: bool) -> None:
    known = 0
    for seed in range(6):
        pick = random.Random(seed)
        span = pick.choice([3, 8, 20]) * HOUR
        minimum = span // 2 if function in (*BASELINES, "mean") and seed % 2 else None
        tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=bar, scale=SCALE)
        rolling = MEASURES[function](tape, span, minimum)
        oracle = Oracle(function, span, minimum, bar=bar)
        seen: Samples = []
        for now, value in walk(seed, 160):
            if value is not None:
                tape.push(now, value)
                seen.append((now, value))
            got, want = rolling.read(now), oracle.read(seen, now)
            place = f"{function} seed {seed} at {(now - seen[0][0]) // HOUR if seen else 0}h"
            assert math.isnan(got) == math.isnan(want), f"{place}: {got} against {want}"
            if not math.isnan(got):
                known += 1
                assert got == pytest.approx(want, rel=1e-12, abs=1e-12), place
    assert known > 100


def test_one_huge_print_leaves_nothing_behind_when_it_has_left_the_window() -> None:
    tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=True, scale=SCALE)
    total, numbers = MEASURES["sum"](tape, 3 * HOUR), []
    for hour, value in enumerate([1.1, 2.2, 1e16, 0.0, 0.0, 0.0, 3.3], 1):
        tape.push(hour * HOUR, value)
        numbers.append(total.read(hour * HOUR))
    assert numbers[-2:] == [0.0, 3.3]


def test_window_ages_with_time_though_no_sample_comes() -> None:
    tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=True, scale=SCALE)
    total = MEASURES["sum"](tape, 20 * HOUR)
    for hour in range(1, 21):
        tape.push(hour * HOUR, 1.0)
    assert total.read(20 * HOUR) == 20.0
    assert total.read(22 * HOUR) == 18.0
    assert math.isnan(total.read(23 * HOUR)), "85 % filled: unknown"


def test_a_long_tape_without_windows_keeps_the_value_that_stands() -> None:
    tape = Tape(interval=HOUR, fresh=3 * HOUR)
    for hour in range(3000):
        tape.push(hour * HOUR, float(hour))
    tape.clock.trim(3001 * HOUR)  # between two samples
    assert tape.current(3001 * HOUR) == 2999.0
    assert len(tape.values) == 1


def test_a_long_tape_is_trimmed_and_the_measure_does_not_notice() -> None:
    tape = Tape(interval=HOUR, fresh=2 * HOUR, scale=SCALE)
    names = ["mean", "accel", "change", "zscore", "high", "vol", "ema", "percentile"]
    rollings = {name: MEASURES[name](tape, 24 * HOUR) for name in names}
    pick, values = random.Random(3), []
    for hour in range(1, 20_001):
        values.append(round(100 + pick.random(), 2))
        tape.push(hour * HOUR, values[-1])
        read = {name: rolling.read(hour * HOUR) for name, rolling in rollings.items()}
        tape.clock.trim(hour * HOUR)
    assert len(tape.times) < 5_000
    assert read["mean"] == pytest.approx(sum(values[-24:]) / 24, rel=1e-12)
    assert read["accel"] == pytest.approx(sum(values[-24:]) / sum(values[-48:-24]), rel=1e-12)
    assert read["change"] == values[-1] / values[-25] - 1.0
    assert read["high"] == max(values[-24:])
    assert read["percentile"] == sum(v < values[-1] for v in values[-25:-1]) / 24


def test_average_true_range_follows_wilder() -> None:
    high, low, close = [11.0, 12.0, 15.0], [9.0, 11.0, 12.0], [10.0, 11.5, 14.0]
    # true ranges 2, max(12, 10) - min(11, 10) = 2, 15 - 11.5 = 3.5
    assert average_true_range(high, low, close, 2) == pytest.approx((2.0 * 1 + 3.5) / 2)


@pytest.mark.parametrize("function", ["change", "drop", "rise"])
@pytest.mark.parametrize("base", [-100.0, 0.0])
def test_nothing_is_a_share_of_a_debt(function: str, base: float) -> None:
    """A loss of $100 that shrinks to $50 has not fallen by 50 %: there is no share of it."""
    tape = Tape(interval=HOUR, fresh=2 * HOUR, scale=SCALE)
    rolling = MEASURES[function](tape, HOUR)
    for hour, value in enumerate((100.0, 50.0, base, -50.0, 50.0), 1):
        tape.push(hour * HOUR, value)
        found = rolling.read(hour * HOUR)
        assert math.isnan(found) == (hour in {1, 4, 5}), hour


@pytest.mark.parametrize("spread", [3, 400, 10**9])
def test_values_in_order_are_counted_as_in_one_sorted_list(spread: int) -> None:
    """In pieces, none of which grows: what comes and goes moves a bounded number of others."""
    pick, kept, ordered = random.Random(spread), [], Ordered()
    for step in range(9_000):
        value = float(pick.randrange(spread) + step // 3)  # a price that wanders off
        if len(kept) > 4_000 or (kept and pick.random() < 0.2):
            ordered.remove(kept.pop(pick.randrange(len(kept))))
        ordered.add(value)
        kept.append(value)
        if step % 50 == 0:
            assert [one for piece in ordered.pieces for one in piece] == sorted(kept)
            assert all(0 < len(piece) <= PIECE for piece in ordered.pieces)
            for asked in (value, value + 0.5, min(kept), max(kept) + 1.0):
                assert ordered.below(asked) == sum(one < asked for one in kept)
    for value in kept:
        ordered.remove(value)
    assert (ordered.pieces, ordered.below(0.0)) == ([], 0)
    ordered.add(1.0)
    assert ordered.below(2.0) == 1
