"""Restarts: what is in force stays in force, what nobody watched counts for nothing (F10, F11)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from riskguard import Decision, Guard, Intent, Sample, State
from riskguard.engine.gate import gate
from riskguard.language.ruleset import (
    Actions,
    Compare,
    Condition,
    Constant,
    For,
    Reentry,
    Rule,
    RuleSet,
    SeriesValue,
)
from riskguard.market import DAY, HOUR
from tests.counts import counts

START = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
CUTS = 5  # restarts of one guard
BARS = 40
FALSE, UNKNOWN, TRUE = 0, 1, 2


def below(name: str, limit: float, dimension: str) -> Compare:
    return Compare(
        SeriesValue("", name, dimension), "<", Constant(limit, dimension), text=f"{name} < {limit}"
    )


class Times(NamedTuple):
    """The times of one rule, and of its way back."""

    held: int
    closes: int
    frees: int
    min_hold: int
    cooldown: int
    latch: bool
    start: float
    every: int

    @classmethod
    def drawn(cls, pick: random.Random) -> Times:
        return cls(
            pick.choice([0, HOUR, 3 * HOUR, 5 * HOUR]), pick.choice([0, 0, 2, 4]),
            pick.choice([0, 2 * HOUR]), pick.choice([0, 4 * HOUR, 30 * HOUR]),
            pick.choice([0, 5 * HOUR, 40 * HOUR]), pick.random() < 0.1,
            pick.choice([0.25, 0.5]), pick.choice([HOUR, 3 * HOUR]),
        )  # fmt: skip

    def rules(self) -> RuleSet:
        low, high = below("oi", 90.0, "coins"), below("funding", 0.0, "share")
        when: Condition = For(low, None if self.closes else self.held, self.closes or None)
        clear: Condition = For(high, self.frees, None)
        back = Reentry(self.start, 0.25, self.every, below("oi", 120.0, "coins"))
        rule = Rule(
            "deep", when, Actions(exposure_cap=0.0), clear, self.min_hold, self.cooldown,
            latch=self.latch, reentry=back,
        )  # fmt: skip
        return RuleSet(symbol="BTC", every=HOUR, rules=(rule,))


class Bar(NamedTuple):
    ts: int
    oi: float | None
    funding: float | None

    @property
    def sample(self) -> Sample:
        seen = {"close": 100.0, "oi": self.oi, "funding": self.funding}
        values = {name: value for name, value in seen.items() if value is not None}
        return Sample(self.ts, "BTC", values)


def bars(pick: random.Random, count: int = BARS) -> list[Bar]:
    found, oi, funding = [], 100.0, 0.1
    for number in range(1, count + 1):
        oi = pick.choice([80.0, 85.0, 100.0, 130.0]) if pick.random() < 0.2 else oi
        funding = pick.choice([0.1, -0.1, -0.1]) if pick.random() < 0.3 else funding
        lost = pick.random() < 0.15
        found.append(Bar(START + number * HOUR, None if lost else oi, funding))
    return found


# ---------------------------------------------------------------- what must be, from the whole list


class Seen(NamedTuple):
    """One bar that a guard was given: `watched` where it was up since the bar before."""

    bar: Bar
    watched: bool


def truth(seen: list[Seen], at: int, name: str, max_age: int, limit: float) -> int:
    """Return whether the last value of a series that still stands is below a limit."""
    now = seen[at].bar.ts
    for one in reversed(seen[: at + 1]):
        value = getattr(one.bar, name)
        if value is not None:
            if now - one.bar.ts > max_age:
                return UNKNOWN
            return TRUE if value < limit else FALSE
    return UNKNOWN


def lasted(truths: list[int], seen: list[Seen], at: int, held: int, closes: int) -> int:
    """Return `for`, looking back from one bar over all that was true before it."""
    if truths[at] != TRUE:
        return truths[at]
    credit, count, later = 0, 0, seen[at].bar.ts
    for place in range(at, -1, -1):
        if truths[place] == FALSE:
            break
        if truths[place] == TRUE:
            if later - seen[place].bar.ts > 3 * HOUR:
                break
            later = seen[place].bar.ts
            count += 1
            if place < at and truths[place + 1] == TRUE and seen[place + 1].watched:
                credit += seen[place + 1].bar.ts - later
    return TRUE if (count >= closes if closes else credit >= held) else FALSE


def expected(times: Times, seen: list[Seen]) -> tuple[bool, float]:
    """Return whether the rule is on at the last bar, and its cap on the way back."""
    on, since, off, rising, credit, cap = False, -DAY * 999, -DAY * 999, False, 0, 1.0
    size = range(len(seen))
    low = [truth(seen, at, "oi", 2 * HOUR, 90.0) for at in size]
    high = [truth(seen, at, "funding", 16 * HOUR, 0.0) for at in size]
    for at in size:
        now, was = seen[at].bar.ts, on
        fires = lasted(low, seen, at, times.held, times.closes) == TRUE
        frees = lasted(high, seen, at, times.frees, 0) == TRUE
        if not on and fires and now - off >= times.cooldown:
            on, since = True, now
        elif on and frees and not fires and not times.latch and now - since >= times.min_hold:
            on, off = False, now
        climbs = truth(seen, at, "oi", 2 * HOUR, 120.0)
        if on:
            rising = False
        elif was:
            rising, credit = True, 0
        elif rising and climbs == TRUE and seen[at].watched:
            credit += now - seen[at - 1].bar.ts
        elif rising and climbs == FALSE:
            credit = 0
        cap = min(1.0, times.start + 0.25 * (credit // times.every)) if rising else 1.0
        rising = rising and cap < 1.0
    return on, cap


def restarted(guard: Guard) -> Guard:
    again = Guard(guard.ruleset)
    again.load(guard.dump())
    return again


def shut(decision: Decision) -> bool:
    intent = Intent(decision.ts, "BTC", "buy", 1.0, 0.0)
    return gate(intent, decision).quantity == 0.0


# ---------------------------------------------------------------- the tests


@counts(10_000, 1_000_000)
def test_restarts_with_missed_bars_fed_equal_the_run_without_and_downtime_else_counts_for_nothing(
    count: int, measured: Callable[[str], None]
) -> None:
    fed = lost = halted = fired = 0
    for seed in range(count // (2 * CUTS)):
        pick = random.Random(seed)
        week = 168 if pick.random() < 0.1 else 0  # bars of the longest downtime
        times, history = Times.drawn(pick), bars(pick, BARS + week)
        cuts = {cut + (week if cut > BARS // 2 else 0) for cut in pick.sample(range(1, BARS), CUTS)}
        straight = Guard(times.rules())
        guarded, holed = Guard(times.rules()), Guard(times.rules())
        seen: list[Seen] = []
        ahead, until = True, 0
        for number, bar in enumerate(history):
            if number in cuts:
                before = guarded.decision
                guarded, holed = restarted(guarded), restarted(holed)
                assert guarded.decision == before  # in force before the first event
                halted += before.state is State.HALTED
                assert before.state is not State.HALTED or shut(guarded.decision)
                holed.pause()
                ahead = False
                down = pick.choice([0, SECOND, 59 * 60 * SECOND, 2 * HOUR, 5 * HOUR, DAY])
                until = bar.ts + (7 * DAY if week and number < BARS else down)
                fed, lost = fed + 1, lost + 1
            # the bars that were missed are fed to one, and never come to the other
            assert guarded.update(bar.sample) == straight.update(bar.sample), (seed, number)
            if bar.ts < until:
                continue
            decision = holed.update(bar.sample)
            seen.append(Seen(bar, ahead))
            ahead = True
            on, cap = expected(times, seen)
            assert (decision.active == ("deep",)) is on, (seed, number, times)
            assert holed.stream.caps == [cap], (seed, number, times)
            fired += on
        assert guarded.dump() == straight.dump(), seed
    measured(
        f"restarts: {fed:,} with the missed bars fed, equal to the run without; {lost:,} with them"
        f" lost, downtime not counted; {halted:,} in HALT; {fired:,} bars on"
    )


@pytest.mark.parametrize("away", [0, 30 * SECOND, 2 * HOUR, 9 * HOUR, 7 * DAY])
def test_a_guard_that_comes_back_halted_lets_nothing_in_until_the_rule_clears(away: int) -> None:
    times = Times(0, 0, 0, 10 * HOUR, 0, False, 0.5, HOUR)
    made = Guard(times.rules())
    made.update(Bar(START + HOUR, 80.0, 0.1).sample)
    again = restarted(made)
    assert again.decision.state is State.HALTED
    again.pause()
    back = again.update(Bar(START + 2 * HOUR + away - away % HOUR, 100.0, -0.1).sample)
    assert (back.active == ("deep",)) is (away < 9 * HOUR)  # held by event time


def test_a_pause_takes_one_interval_from_for_and_no_more() -> None:
    made = Guard(Times(3 * HOUR, 0, 0, 0, 0, False, 0.5, HOUR).rules())
    active = []
    for hour in range(1, 8):
        if hour == 3:
            made.pause()
        active.append(made.update(Bar(START + hour * HOUR, 80.0, 0.1).sample).active)
    assert active == [()] * 4 + [("deep",)] * 3


def test_a_pause_in_a_long_true_run_changes_nothing_that_is_confirmed() -> None:
    times = Times(2 * HOUR, 0, 0, 0, 0, False, 0.5, HOUR)
    made = Guard(times.rules())
    for hour in range(1, 60):
        if hour in {20, 21, 40}:
            made.pause()
        decision = made.update(Bar(START + hour * HOUR, 80.0, 0.1).sample)
        assert (decision.active == ("deep",)) is (hour >= 3)
