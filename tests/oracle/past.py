"""Every measure, recomputed from the whole list of samples with exact arithmetic.

Nothing is remembered from one instant to the next, and no code of the engine is used: only the
text of rules.md, sections 4 and 5. Sums are integers in fixed point, quotients are quotients of
integers with one rounding at the end. Unknown is NaN.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

__all__ = ["MEASURES", "REACH", "SINCE", "Past", "average_range", "ever", "midnight"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
YEAR = 365 * DAY
UNKNOWN = math.nan
REACH = {"accel": 2, "ema": 5, "atr": 5}  # how many windows a measure looks back over
Measure = Callable[["Past", int, int, int | None], float]


def midnight(now: int, word: str, zone: str) -> int:
    """Return when the day (the week) began that `now` lies in; midnight itself ends a day."""
    clock = UTC if zone == "UTC" else ZoneInfo(zone)
    local = datetime.fromtimestamp((now - 1) // SECOND, clock)
    day = local.date() - timedelta(days=local.weekday() if word == "this_week" else 0)
    return round(datetime(day.year, day.month, day.day, tzinfo=clock).timestamp()) * SECOND


def quotient(top: Fraction, bottom: Fraction) -> float:
    """Return top / bottom with one rounding; what is too large is infinite."""
    try:
        return (top.numerator * bottom.denominator) / (top.denominator * bottom.numerator)
    except OverflowError:
        return math.inf if (top > 0) == (bottom > 0) else -math.inf


class Past:
    """All samples of one series, oldest first; `units` are they in fixed point."""

    def __init__(self, *, interval: int, fresh: int, scale: int, bar: bool = False) -> None:
        self.interval, self.fresh, self.scale, self.bar = interval, fresh, scale, bar
        self.times: list[int] = []
        self.values: list[float] = []
        self.units: list[int] = []

    def add(self, ts: int, value: float) -> None:
        self.times.append(ts)
        self.values.append(value)
        # the float product, not the exact one: a mean that ends in half a cent is half a cent
        self.units.append(round(value * self.scale))

    def last(self) -> int | None:
        return self.times[-1] if self.times else None

    def current(self, now: int) -> float:
        if not self.times or now - self.times[-1] > self.fresh:
            return UNKNOWN
        return self.values[-1]

    def since(self, *, endpoint: bool = False) -> int:
        """Return from when on it has been observed: a bar observes the whole of itself."""
        return self.times[0] - (self.interval if self.bar and not endpoint else 0)

    def inside(self, after: int) -> int:
        """Return the place of the first sample later than `after`."""
        return bisect_right(self.times, after)

    def bars(self, after: int) -> dict[int, float]:
        """Return the bars by their closes: all samples, unless they come more often than that."""
        place = self.inside(after)
        found = dict(zip(self.times[place:], self.values[place:], strict=True))
        times = list(found)
        if len(times) > 1 and times[-1] - times[0] < (len(times) - 1) * self.interval:
            return {ts: value for ts, value in found.items() if ts % self.interval == 0}
        return found

    def whole(
        self, now: int, span: int, held: int, minimum: int | None = None, *, endpoint: bool = False
    ) -> bool:
        """Say whether enough was observed, and 90 % of the samples expected are there."""
        if not self.times:
            return False
        seen = now - self.since(endpoint=endpoint)
        if seen < (minimum or span):
            return False
        return 10 * held * self.interval >= 9 * min(span, seen)

    def before(self, cut: int) -> float:
        """Return the value that stood at `cut`, if it was not too old by then."""
        place = self.inside(cut) - 1
        if place < 0 or cut - self.times[place] > max(self.fresh, self.interval):
            return UNKNOWN
        return self.values[place]


# ---------------------------------------------------------------- against one instant


def ago(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    del minimum
    held = len(past.times) - past.inside(now - span)
    if not past.whole(now, span, held, endpoint=True):
        return UNKNOWN
    return past.before(now - span)


def moved(current: float, base: float) -> Fraction | None:
    """Return current / base - 1; a base that is not above 0 makes no share."""
    if math.isnan(current) or math.isnan(base) or base <= 0:
        return None
    return Fraction(current) / Fraction(base) - 1


def share(part: Fraction | None) -> float:
    return UNKNOWN if part is None else quotient(part, Fraction(1))


def change(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    return share(moved(past.current(now), ago(past, now, span, minimum)))


def drop(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    part = moved(past.current(now), ago(past, now, span, minimum))
    return UNKNOWN if part is None else share(max(Fraction(0), -part))


def rise(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    part = moved(past.current(now), ago(past, now, span, minimum))
    return UNKNOWN if part is None else share(max(Fraction(0), part))


# ---------------------------------------------------------------- over (t - w, t]


def total(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    units = past.units[past.inside(now - span) :]
    return sum(units) / past.scale if past.whole(now, span, len(units), minimum) else UNKNOWN


def mean(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    units = past.units[past.inside(now - span) :]
    if not past.whole(now, span, len(units), minimum):
        return UNKNOWN
    return sum(units) / (past.scale * len(units))


def extreme(best: Callable[[list[float]], float]) -> Measure:
    def measure(past: Past, now: int, span: int, minimum: int | None = None) -> float:
        values = past.values[past.inside(now - span) :]
        return best(values) if past.whole(now, span, len(values), minimum) else UNKNOWN

    return measure


def below(current: float, peak: float) -> float:
    if math.isnan(current) or not peak > 0:
        return UNKNOWN
    return share(1 - Fraction(current) / Fraction(peak))


def drawdown(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    return below(past.current(now), extreme(max)(past, now, span, minimum))


def ever(past: Past, now: int) -> float:
    return below(past.current(now), max(past.values, default=UNKNOWN))


def accel(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    del minimum
    middle, begin = past.inside(now - span), past.inside(now - 2 * span)
    if not past.whole(now, 2 * span, len(past.times) - begin):
        return UNKNOWN
    newer, older = sum(past.units[middle:]), sum(past.units[begin:middle])
    if not older:
        return UNKNOWN if newer else 1.0  # decision 0006
    return newer / older


def vol(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    returns = [
        round(Fraction(math.log(past.values[at] / past.values[at - 1])) * 10**12)
        for at in range(past.inside(now - span), len(past.times))
        if at and past.values[at] > 0 and past.values[at - 1] > 0
    ]
    count = len(returns)
    if not count or not past.whole(now, span, count, minimum):
        return UNKNOWN
    exact = count * sum(one * one for one in returns) - sum(returns) ** 2
    return math.sqrt(exact / (count * 10**12) ** 2) * math.sqrt(YEAR * count / span)


def ema(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    del minimum
    values = past.values[past.inside(now - 5 * span) :]
    if not past.whole(now, 5 * span, len(values)):
        return UNKNOWN
    keep = 1.0 - 2.0 / (max(1.0, len(values) / 5) + 1.0)  # n: samples in one window
    # the recurrence written out: the oldest sample is the seed and keeps what is left
    weights = [(1.0 - keep) * keep**back for back in range(len(values) - 1)]
    newest_first = values[::-1]
    parts = [weight * value for weight, value in zip(weights, newest_first, strict=False)]
    return math.fsum([*parts, keep ** (len(values) - 1) * values[0]])


def average_range(close: Past, high: Past, low: Past, now: int, span: int) -> float:
    """Return Wilder's average true range of the bars of the last five windows."""
    tails: list[dict[int, float]] = []
    for one in (high, low, close):
        if not one.times or now - one.since() < 5 * span:
            return UNKNOWN
        tails.append(one.bars(now - 5 * span))
    count = len(tails[0])
    if any(tail.keys() != tails[0].keys() for tail in tails):
        return UNKNOWN
    if not close.whole(now, 5 * span, count):
        return UNKNOWN
    tops, bottoms, closes = (list(tail.values()) for tail in tails)
    ranges = [tops[0] - bottoms[0]]
    for at in range(1, count):
        before = closes[at - 1]
        ranges.append(
            max(tops[at] - bottoms[at], abs(tops[at] - before), abs(bottoms[at] - before))
        )
    periods = max(1, round(span / close.interval))
    first = ranges[:periods]
    found = math.fsum(first) / len(first)
    for one in ranges[len(first) :]:
        found += (one - found) / periods
    return found


# ---------------------------------------------------------------- against [t - w, t)


def yardstick(past: Past, now: int, span: int, minimum: int | None) -> tuple[int, int] | None:
    """Return the places of the samples in the span before the current one."""
    last = past.last()
    if last is None or now - last > past.fresh:
        return None
    end = len(past.times) - 1
    begin = bisect_left(past.times, last - span)
    if begin >= end or not past.whole(last, span, end - begin, minimum):
        return None
    return begin, end


def times_avg(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    places = yardstick(past, now, span, minimum)
    if places is None:
        return UNKNOWN
    units = past.units[places[0] : places[1]]
    if not sum(units):
        return UNKNOWN if past.units[-1] else 1.0  # decision 0006
    return quotient(Fraction(past.values[-1]) * past.scale * len(units), Fraction(sum(units)))


def spread(units: list[int], scale: int) -> float:
    count = len(units)
    exact = count * sum(one * one for one in units) - sum(units) ** 2
    return math.sqrt(exact / (count * scale) ** 2)


def stdev(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    places = yardstick(past, now, span, minimum)
    return UNKNOWN if places is None else spread(past.units[slice(*places)], past.scale)


def zscore(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    places = yardstick(past, now, span, minimum)
    if places is None:
        return UNKNOWN
    units = past.units[slice(*places)]
    centre, width = Fraction(sum(units), past.scale * len(units)), spread(units, past.scale)
    if width <= 1e-9 * abs(centre):
        return UNKNOWN
    return float(Fraction(past.values[-1]) - centre) / width


def percentile(past: Past, now: int, span: int, minimum: int | None = None) -> float:
    places = yardstick(past, now, span, minimum)
    if places is None:
        return UNKNOWN
    before, current = past.values[slice(*places)], past.values[-1]
    return sum(one < current for one in before) / len(before)


MEASURES: dict[str, Measure] = {
    "accel": accel, "ago": ago, "change": change, "drawdown": drawdown, "drop": drop, "ema": ema,
    "high": extreme(max), "low": extreme(min), "mean": mean, "percentile": percentile,
    "rise": rise, "stdev": stdev, "sum": total, "times_avg": times_avg, "vol": vol,
    "zscore": zscore,
}  # fmt: skip


# ---------------------------------------------------------------- since a midnight


def day(past: Past, now: int, begun: int, *, endpoint: bool = False) -> int | None:
    """Return the place of the first sample after midnight, if none is missing since."""
    if not past.times or past.since(endpoint=endpoint) > begun:
        return None
    place = past.inside(begun)
    held, expected = len(past.times) - place, (now - begun) // past.interval
    return place if 10 * held >= 9 * expected else None


def of_day(word: str) -> Callable[[Past, int, int], float]:
    def measure(past: Past, now: int, begun: int) -> float:
        place = day(past, now, begun)
        if place is None:
            return UNKNOWN
        values, units = past.values[place:], past.units[place:]
        if word == "sum":
            return sum(units) / past.scale
        if not values:
            return UNKNOWN
        if word == "mean":
            return sum(units) / (past.scale * len(units))
        if word == "drawdown":
            return below(past.current(now), max(values))
        return max(values) if word == "high" else min(values)

    return measure


def from_midnight(word: str) -> Callable[[Past, int, int], float]:
    def measure(past: Past, now: int, begun: int) -> float:
        if day(past, now, begun, endpoint=True) is None:
            return UNKNOWN
        part = moved(past.current(now), past.before(begun))
        if part is None or word == "change":
            return share(part)
        return share(max(Fraction(0), part if word == "rise" else -part))

    return measure


SINCE: dict[str, Callable[[Past, int, int], float]] = {
    **{word: of_day(word) for word in ("sum", "mean", "high", "low", "drawdown")},
    **{word: from_midnight(word) for word in ("change", "drop", "rise")},
}
