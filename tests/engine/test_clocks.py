"""Series that come together share a clock; windows whose samples are even glide."""

from __future__ import annotations

import math
import random

import pytest

from riskguard.engine.calendar import Calendar
from riskguard.engine.guard import Guard
from riskguard.engine.inheriting import inherit
from riskguard.engine.measures import MEASURES
from riskguard.engine.measures.calendar import CALENDAR, DrawdownEver
from riskguard.engine.windows import FAR, Clock, Rolling, Tape
from riskguard.language.reader import read_text
from riskguard.market import HOUR, Sample

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall: {when: close.change(4h) < -5%, clear: close.change(4h) > -1%, do: {reduce_only: true}}
  thin: {when: oi.change(4h) < -5%, clear: oi.change(4h) > -1%, do: {block_entries: both}}
  flood: {when: liq.long.sum(4h) > $5k, clear: liq.long.sum(4h) < $2k, do: {exposure_cap: 50%}}
"""
GLIDING = (
    "ago", "change", "drawdown", "drop", "high", "low", "mean", "percentile", "rise", "stdev",
    "sum", "times_avg", "zscore",
)  # fmt: skip
BEGUN = (
    *(f"{name} today@Europe/London" for name in CALENDAR), "drop this_week@UTC", "drawdown all",
)  # fmt: skip


# of one account, some of which looks back a day and some a week
ACCOUNT = """\
version: 1
symbol: BTC
every: 1h
timezone: Europe/London
rules:
  day: {when: equity.drop(today) > 2%, clear: equity.drop(today) < 1%, do: {reduce_only: true}}
  ever: {when: equity.drawdown(all) > 9%, min_hold: 1h, do: {block_entries: both}}
  lost: {when: trades.lost.sum(4h) > 3, clear: trades.lost.sum(4h) < 1, do: {block_entries: both}}
  week: {when: pnl.realised.sum(7d) < -$900, min_hold: 1h, do: {exposure_cap: 50%}}
  row: {when: loss_streak > 4, clear: loss_streak < 1, do: {block_entries: both}}
"""
CHAINED = """\
  long: {when: equity.drawdown(7d).mean(2d) > 5%, min_hold: 1h, do: {block_entries: both}}
"""


def guard(rules: str = RULES) -> Guard:
    ruleset, found = read_text(rules, "clocks.yaml")
    assert ruleset is not None, found
    return Guard(ruleset)


def bar(hour: int, **values: float) -> Sample:
    told = {"close": 100.0 + hour % 3, "oi": 1e6 + hour, "liq.long": 500.0 * (hour % 4)}
    return Sample(START + hour * HOUR, "BTC", told | values)


def told(hour: int, dice: random.Random) -> Sample:
    """Return what an account says at an hour."""
    lost = dice.choice([0.0, 0.0, 0.0, 1.0])
    values = {
        "close": 100.0, "equity": 10_000.0 + dice.gauss(0, 200), "trades.closed": lost,
        "trades.lost": lost, "pnl.realised": -100.0 * lost,
    }  # fmt: skip
    return Sample(START + hour * HOUR, "BTC", values)


def clocks(made: Guard) -> list[list[str]]:
    """Return the names of the series by clock."""
    plan, stream = made.plan, made.stream
    names = {id(tape): spec.name for spec, tape in zip(plan.tapes, stream.tapes, strict=True)}
    return sorted(sorted(names[id(tape)] for tape in clock.tapes) for clock in stream.clocks)


def window(function: str, tape: Tape, span: int) -> Rolling:
    """Return a window of so long, or one that the calendar begins."""
    name, _, calendar = function.partition(" ")
    if calendar:
        return (
            DrawdownEver(tape, None)
            if calendar == "all"
            else CALENDAR[name](tape, Calendar(calendar))
        )
    return MEASURES[name](tape, span)


@pytest.mark.parametrize("function", [*GLIDING, *BEGUN])
@pytest.mark.parametrize("fresh", [0, 2 * HOUR])
def test_a_window_that_glides_is_the_window_that_does_not(function: str, fresh: int) -> None:
    glided = 0
    for seed in range(8):
        pick = random.Random(seed)
        span, hole = pick.choice([1, 3, 8, 20]) * HOUR, pick.choice([0.0, 0.01, 0.05])
        tapes = [Tape(interval=HOUR, fresh=fresh, scale=100) for _ in range(2)]
        gliding, plain = (window(function, tape, span) for tape in tapes)
        for hour in range(400):
            now = START + hour * HOUR
            if pick.random() >= hole:
                value = pick.choice([0.0, 1.0, round(pick.uniform(-50, 500), 2)])
                for tape in tapes:
                    tape.push(now, value)
            now += pick.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, HOUR // 2])
            tapes[0].clock.look(now)
            glided += tapes[0].clock.even > gliding.stride
            found, wanted = gliding.at(now), plain.read(now)
            assert found == wanted or math.isnan(found) is math.isnan(wanted) is True, (seed, hour)
    assert glided > 500


def test_a_long_tape_is_trimmed_under_windows_that_glide() -> None:
    tapes = [Tape(interval=HOUR, fresh=2 * HOUR, scale=100) for _ in range(2)]
    pick = random.Random(3)
    pairs = [[MEASURES[name](tape, 24 * HOUR) for tape in tapes] for name in GLIDING]
    for hour in range(1, 9_001):
        now, value = START + hour * HOUR, round(100 + pick.random(), 2)
        for tape in tapes:
            if hour % 997:
                tape.push(now, value)
        tapes[0].clock.look(now)
        for gliding, plain in pairs:
            found, wanted = gliding.at(now), plain.read(now)
            assert found == wanted or math.isnan(found) is math.isnan(wanted) is True, hour
        tapes[0].clock.trim(now)
    assert len(tapes[0].times) < 3_000 < len(tapes[1].times)


def test_series_that_come_together_share_a_clock() -> None:
    made = guard()
    for hour in range(1, 9):
        made.update(bar(hour))
    assert clocks(made) == [["close", "liq.long", "oi"]]


def test_a_series_that_comes_alone_parts_from_the_others_for_good() -> None:
    made = guard()
    made.update(bar(1))
    made.update(Sample(START + HOUR + 1, "BTC", {"oi": 1e6}))
    for hour in range(2, 6):
        made.update(bar(hour))
    assert clocks(made) == [["close", "liq.long"], ["oi"]]
    assert not made.refused


def test_a_series_whose_value_is_refused_parts_and_the_others_are_taken() -> None:
    made = guard()
    made.update(bar(1))
    made.update(bar(2, oi=-1.0))
    assert clocks(made) == [["close", "liq.long"], ["oi"]]
    assert made.refused == {"oi: negative": 1}
    assert made.stream.close() == bar(2).values["close"]
    made.update(bar(3, oi=math.nan, close=math.inf, **{"liq.long": -1.0}))
    assert clocks(made) == [["close", "liq.long"], ["oi"]], "what all are refused parts nothing"


def test_what_comes_late_is_refused_and_parts_nothing() -> None:
    made = guard()
    made.update(bar(2))
    made.update(bar(1))
    made.update(Sample(START + HOUR, "BTC", {"oi": "much"}))
    assert clocks(made) == [["close", "liq.long"], ["oi"]]
    late = {f"{name}: out of order": 1 for name in ("close", "oi", "liq.long")}
    assert made.refused == late | {"oi: not finite": 1}


def test_of_what_comes_together_only_what_is_late_is_refused() -> None:
    made = guard()
    made.update(bar(1))
    made.update(Sample(START + 2 * HOUR + 1, "BTC", {"oi": 7.0}))
    made.update(bar(2))
    assert made.refused == {"oi: out of order": 1}
    assert made.stream.close() == bar(2).values["close"]
    made.update(Sample(START + 2 * HOUR + 1, "BTC", {"oi": math.inf, "close": 5, "liq.long": -1.0}))
    assert made.refused == {"oi: out of order": 1, "oi: not finite": 1, "liq.long: negative": 1}
    assert made.stream.close() == 5.0
    assert clocks(made) == [["close"], ["liq.long"], ["oi"]]


def test_a_restart_lets_series_that_came_together_share_a_clock_again() -> None:
    before = guard()
    for hour in range(1, 12):
        before.update(bar(hour))
    before.update(Sample(START + 11 * HOUR + 1, "BTC", {"oi": 1e6}))
    after = guard()
    after.load(before.dump())
    assert clocks(after) == [["close", "liq.long"], ["oi"]]
    for hour in range(12, 30):
        assert before.update(bar(hour)) == after.update(bar(hour))
    assert before.dump() == after.dump()


def test_samples_of_ever_new_shapes_take_no_memory() -> None:
    made = guard()
    for hour in range(1, 2_000):
        made.update(bar(hour, **{f"made up {hour}": 1.0}))
    assert len(made.doors._shapes) < 1_000
    assert clocks(made) == [["close", "liq.long", "oi"]]


def test_a_clock_looked_at_again_or_between_two_samples_is_not_even() -> None:
    clock = Clock(HOUR)
    Tape(interval=HOUR, fresh=HOUR, clock=clock)
    seen = []
    for hour in range(1, 5):
        clock.tick(START + hour * HOUR)
        seen.append((clock.look(START + hour * HOUR), clock.even))
    assert seen == [(False, 0), (True, 2), (True, 3), (True, 4)]
    assert not clock.look(START + 4 * HOUR)
    clock.tick(START + 5 * HOUR)
    assert clock.look(START + 5 * HOUR)
    assert not clock.look(START + 5 * HOUR + 1)
    clock.tick(START + 6 * HOUR)
    assert not clock.look(START + 6 * HOUR)


def test_a_measure_that_cannot_glide_says_so() -> None:
    made = MEASURES["ema"](Tape(interval=HOUR, fresh=HOUR), 4 * HOUR)
    assert made.stride == FAR
    with pytest.raises(NotImplementedError):
        made.glide(START)


def test_what_an_account_says_begins_on_one_clock_though_it_looks_back_differently_far() -> None:
    made, dice = guard(ACCOUNT), random.Random(1)
    made.update(bar(1))
    made.update(told(2, dice))
    together = ["equity", "equity.nav", "loss_streak", "pnl.realised", "trades.lost"]
    assert together in clocks(made)
    assert len({len(tape.times) for tape in made.stream.tapes}) == 1
    for hour in range(3, 500):
        made.update(told(hour, dice))
    assert together in clocks(made)
    assert not made.refused


def test_an_account_that_shares_a_clock_decides_as_one_whose_series_do_not() -> None:
    """What feeds another begins alone; a rule on it that never fires changes no other."""
    lazy = CHAINED.replace("5%", "99%")
    for seed in range(5):
        shared, alone, dice = guard(ACCOUNT), guard(ACCOUNT + lazy), random.Random(seed)
        for hour in range(1, 400):
            if dice.random() < 0.02:
                continue
            sample = told(hour, dice) if hour > 3 * seed else bar(hour)
            one, other = shared.update(sample), alone.update(sample)
            assert (one.state, one.active, one.exposure_cap) == (
                other.state, other.active, other.exposure_cap,
            ), (seed, hour)  # fmt: skip
    assert ["equity.nav"] in clocks(alone)


def test_a_restart_lets_series_share_a_clock_though_they_look_back_differently_far() -> None:
    for rules, since in ((ACCOUNT, 1), (RULES.replace("oi.change(4h)", "oi.change(40h)"), 2)):
        before, dice = guard(rules), random.Random(2)
        samples = [told(hour, dice) if since == 1 else bar(hour) for hour in range(1, 300)]
        for sample in samples[:200]:
            before.update(sample)
        after = guard(rules)
        after.load(before.dump())
        assert clocks(after) == clocks(before)
        assert len({len(tape.times) for tape in after.stream.tapes}) == 1
        for sample in samples[200:]:
            assert before.update(sample) == after.update(sample)
            assert before.dump() == after.dump()


def test_of_a_tape_that_was_lengthened_late_flows_are_still_added_to() -> None:
    rules = RULES.replace("oi.change(4h)", "oi.change(40h)")
    before, after = guard(rules), guard(rules)
    for hour in range(1, 60):
        before.update(bar(hour))
    after.load(before.dump())
    for made in (before, after):
        made.amend("", "liq.long", START + 57 * HOUR, 4_000.0)
        made.amend("", "liq.long", START + 20 * HOUR, 4_000.0)  # nothing looks back so far
    for hour in range(60, 70):
        assert before.update(bar(hour)) == after.update(bar(hour))
        assert before.stream.values == after.stream.values


def test_new_rules_let_series_share_a_clock_though_they_look_back_differently_far() -> None:
    rules = RULES.replace("oi.change(4h)", "oi.change(40h)")
    before, after = guard(rules), guard(rules.replace("$5k", "$4k"))
    straight = guard(rules.replace("$5k", "$4k"))
    for hour in range(1, 100):
        before.update(bar(hour))
        straight.update(bar(hour))
    inherit(before, after, [])
    assert clocks(after) == [["close", "liq.long", "oi"]]
    for hour in range(100, 120):
        straight.update(bar(hour))
        after.update(bar(hour))
        assert after.stream.values == straight.stream.values


def test_windows_longer_than_any_before_do_not_glide_over_what_is_not_there() -> None:
    before, after = guard(), guard(RULES.replace("oi.change(4h)", "oi.change(40h)"))
    for hour in range(1, 100):
        before.update(bar(hour))
    inherit(before, after, [])
    after.update(bar(100))
    assert clocks(after) == [["close", "liq.long"], ["oi"]]
    assert after.decision.priming == ("oi.change(40h) has 8h of 40h",)
