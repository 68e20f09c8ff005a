"""What comes late, between closes, twice or in a flood."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from riskguard import DataError, Sample
from riskguard.engine.events import Event
from riskguard.engine.intake import Intake
from riskguard.market import HOUR, MINUTE, SECOND
from tests.counts import counts
from tests.engine.test_guard import RULES, START, feed, guard, warm
from tests.engine.test_intake import (
    alive,
    at,
    bar,
    clock,
    dumped_and_loaded,
    intake,
    liquidation,
)


def test_reasons_beyond_a_thousand_are_counted_together() -> None:
    live = intake()
    for number in range(1_200):
        live.take(Event(at(1), "funding", "BTC", {f"x{number}": 1.0, "rate": 0.1}))
    assert len(live.refused) == 1_001
    assert live.refused["other reasons"] == 200


def test_the_first_bar_says_whose_rules_they_are_where_the_file_does_not() -> None:
    text = "version: 1\nevery: 1h\nrules:\n  r: {when: close < 90, clear: close > 95, "
    live = intake(text + "do: {exposure_cap: 0%}}\n")
    assert live.symbol == ""
    live.take(bar(1, 89.0, "SOL/USDT:USDT"))
    live.take(bar(1, 200.0, "ETH/USDT:USDT"))  # another symbol
    assert live.symbol == "SOL"
    assert live.take(clock(at(1) + 3 * SECOND)).exposure_cap == 0.0


BY_EVENT = """\
version: 1
symbol: BTC
symbols: [ETH]
every: 1h
evaluate: event
rules:
  fall: {when: close < 90, clear: close > 95, do: {exposure_cap: 0%}}
  apart: {when: ETH.close < 90, clear: ETH.close > 95, do: {leverage_cap: 2x}}
"""


def test_under_evaluate_event_a_level_that_is_late_stands_from_then_on() -> None:
    live = intake(BY_EVENT)
    live.take(bar(1, 100.0))
    assert live.take(clock(at(1) + SECOND)).leverage_cap is None
    live.take(bar(1, 80.0, "ETH/USDT:USDT"))
    live.take(bar(2, 100.0))
    assert live.take(clock(at(2) + SECOND)).leverage_cap == 2.0
    assert live.refused == {}


def test_prices_between_closes_count_under_evaluate_event_alone_and_above_zero() -> None:
    live = intake(BY_EVENT)
    live.take(bar(1, 100.0))
    live.take(Event(at(1.5), "trade", "BTC", {"price": 0.0}))
    live.take(Event(at(2), "trade", "BTC", {"price": 80.0}))  # the bar tells the close
    live.take(Event(at(1.5), "trade", "SOL", {"price": 80.0}))  # nobody reads it
    assert live.take(clock(at(2) + SECOND)).exposure_cap == 1.0
    assert live.refused == {"trade: close: a price of zero": 1}
    closes = intake(BY_EVENT.replace("evaluate: event\n", ""))
    closes.take(bar(1, 100.0))
    closes.take(Event(at(1.5), "trade", "BTC", {"price": 80.0}))
    assert closes.take(clock(at(2))).exposure_cap == 1.0


def test_an_account_cannot_have_less_than_no_leverage() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  r: {when: leverage > 3x, min_hold: 1h, "
    live, untold = (intake(text + "do: {exposure_cap: 50%}}\n") for _ in range(2))
    live.take(Event(at(1), "account", "BTC", {"position": 2.0, "leverage": -1.0}))
    assert live.refused == {"account: leverage: negative": 1}
    for one in (live, untold):
        one.take(clock(at(1) + 3 * SECOND))
    assert live.guard.dump() == untold.guard.dump()  # of what is refused nothing is taken


def test_a_feed_that_is_alive_keeps_its_last_level_from_growing_old() -> None:
    live = intake()
    live.take(alive(at(0), "weather"))  # nobody reads it
    live.take(alive(at(0), "oi"))  # it has told nothing yet
    live.take(Event(at(1), "open_interest", "BTC", {"coins": 1e6}))
    for hour in range(1, 9):
        live.take(bar(hour, 90.0))
        if hour > 1:
            live.take(alive(at(hour), "oi"))
        decision = live.take(clock(at(hour) + 3 * SECOND))
    assert "oi" not in decision.blind
    assert live.guard.stream.tapes[0].values[-3:] == [1e6] * 3


def test_a_mute_has_an_end_in_nanoseconds() -> None:
    live = intake()
    data = {"do": "mute", "rule": "pace", "until": at(9)}
    live.take(Event(at(1), "operator", "*", data))
    assert live.guard.controls.muted == {"pace"}
    for until in (True, "18:00", None):
        with pytest.raises(DataError, match="mute until") as told:
            live.take(Event(at(1), "operator", "*", {"do": "mute", "rule": "pace", "until": until}))
        assert "integer nanoseconds" in told.value.help


def test_a_feed_heard_from_the_middle_of_a_bucket_on_tells_nothing_of_it() -> None:
    live = intake()
    for hour in (1, 2):
        live.take(liquidation(at(hour - 0.3), 30e6))  # the first that was heard of it
        live.take(alive(at(hour)))
        live.take(bar(hour, 90.0))
        live.take(clock(at(hour) + 3 * SECOND))
    tape = live.guard.stream.tapes[1]
    assert (tape.times, tape.values) == ([at(2)], [30e6])


def test_under_evaluate_event_a_poll_decides_when_it_comes() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nevaluate: event\nrules:\n"
    live = intake(text + "  r: {when: oi < 5, clear: oi > 6, do: {exposure_cap: 0%}}\n")
    live.take(bar(1, 90.0))
    live.take(clock(at(1) + SECOND))
    live.take(Event(at(1.5), "open_interest", "BTC", {"coins": 4.0}))
    assert live.take(clock(at(1.5) + SECOND)).exposure_cap == 0.0


def test_what_is_told_and_not_yet_given_goes_on_from_a_dump() -> None:
    live = intake()
    live.take(alive(at(0)))
    live.take(liquidation(at(0.5), 30e6))
    live.take(Event(at(0.5), "open_interest", "BTC", {"coins": 4.0}))
    other = dumped_and_loaded(live)
    for each in (live, other):
        each.take(alive(at(1)))
        each.take(bar(1, 90.0))
        each.take(clock(at(1) + 3 * SECOND))
    assert other.guard.stream.tapes[1].values == live.guard.stream.tapes[1].values == [30e6]
    assert other.dump() == live.dump()


FLOWS = (
    "liq.long.sum(3h) >= $50M",
    "liq.short.high(3h) >= $50M",
    "liq.long.times_avg(6h) >= 9x",
    "volume.accel(3h) > 9x",
    "ta.money_flow_index(window=3) > 99",
    "liq.long.sum(today) > $900M",
    "liq.long.mean(this_week) > $900M",
    "liq.short.high(today) > $900M",
    "volume.drawdown(all) > 99%",
)


PRICES = {"close": 106.0, "high": 110.0, "low": 90.0}


def flow(hour: int) -> dict[str, float]:
    long, short = 1e6 * (1 + hour % 5), 1e6 * (1 + hour % 3)
    return {"liq.long": long, "liq.short": short, "volume": 100.0 + hour * hour % 13}


@pytest.mark.parametrize("part", [0.5, 0.0], ids=["a part", "all"])
def test_a_flow_that_comes_late_is_measured_as_if_it_had_come_in_time(part: float) -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n" + "".join(
        f"  r{at}: {{when: '{line}', min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"
        for at, line in enumerate(FLOWS)
    )
    early, late = guard(text), guard(text)
    for hour in range(1, 60):
        bar = {"close": 100.0 + hour % 7, "high": 110.0, "low": 90.0, **flow(hour)}
        feed(early, hour, **bar)
        told = {name: value * part for name, value in flow(hour).items() if part}
        feed(late, hour, **(bar if hour != 20 else {**bar, **told} if part else PRICES))
        if hour == 21:
            for name, value in flow(20).items():
                late.amend("BTC", name, START + 20 * HOUR, value * (1 - part))
        if not 20 <= hour <= 21:
            assert repr(late.stream.values) == repr(early.stream.values), hour
    assert late.refused == {}


def test_of_what_comes_together_the_good_is_taken_and_what_is_not_is_not() -> None:
    text = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
    text += "  r: {when: high / low > 2x, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    made = guard(text)
    bars = [{"high": 110, "low": 100}, {"high": 115, "low": math.nan}, {"high": 120.0, "low": 90}]
    for hour, told in enumerate(bars, 1):
        feed(made, hour, close=105, **told)
    assert made.refused == {"low: not finite": 1}
    high, low = made.stream.tapes
    assert ([type(one) for one in high.values], high.values) == ([float] * 3, [110, 115, 120])
    assert [ts - START for ts in high.times] == [HOUR, 2 * HOUR, 3 * HOUR]
    assert ([ts - START for ts in low.times], low.values) == ([HOUR, 3 * HOUR], [100, 90])


def test_what_is_added_late_is_judged_at_the_door_like_what_comes_in_time() -> None:
    made = guard(RULES.replace("oi.change(3h) <= -5%", "liq.long.sum(3h) >= $50M"))
    for hour in range(2, 6):
        feed(made, hour, **{"liq.long": 1e6})
    (tape,) = [tape for tape in made.stream.tapes if tape.summed]
    before = list(tape.times), list(tape.values)
    made.amend("BTC", "weather", START + 3 * HOUR, 5.0)  # nobody reads it
    made.amend("SOL", "liq.long", START + 3 * HOUR, 5.0)
    assert made.refused == {}
    made.amend("BTC", "liq.long", START + 3 * HOUR, math.nan)
    made.amend("BTC", "liq.long", START + HOUR, 5.0)  # before there was anything
    assert (tape.times, tape.values) == before
    assert list(made.refused) == ["liq.long: not finite", "liq.long: out of order"]
    made.amend("BTC", "liq.long", START + 6 * HOUR, 5.0)  # the first of its bucket
    assert (tape.last, tape.values[-1]) == (START + 6 * HOUR, 5.0)


def test_a_level_that_is_told_again_stands_in_the_place_of_the_last() -> None:
    made = guard(RULES.replace("oi.change(3h) <= -5%", "oi.mean(3h) <= 5"))
    warm(made)
    for told in (700.0, 800.0, 900.0):
        made.renew(Sample(START + 5 * HOUR + int(told), "BTC", {"oi": told}))
    (tape,) = [tape for tape in made.stream.tapes if tape.summed]
    assert tape.values == [1000.0] * 5 + [900.0]
    feed(made, 6)
    left = made.plan.numbers[made.ruleset.rules[0].when.left]  # type: ignore[union-attr]  # one line
    assert made.stream.value(left) == pytest.approx(966.67, abs=0.01)  # 1000, 1000 and 900


def test_a_level_that_is_taken_back_and_not_told_again_is_as_old_as_the_one_before() -> None:
    made = guard()
    warm(made)

    def at_minute(minute: int) -> int:
        return START + minute * MINUTE

    made.update(Sample(at_minute(390), "BTC", {"oi": 1000.0}))  # stands for two hours
    feed(made, 7)
    made.update(Sample(at_minute(500), "BTC", {"oi": 1000.0}))
    assert made.update(Sample(at_minute(511), "*", {})).blind == ()
    assert made.renew(Sample(at_minute(520), "BTC", {"oi": math.nan})).blind == ("oi",)


def test_what_comes_late_of_a_bucket_that_was_not_heard_whole_makes_no_bucket_of_it() -> None:
    """A sum over a part of a bucket is too small, and a rule on it would keep silent."""
    live = intake()
    live.take(liquidation(at(0.7), 1e6, id="a"))  # the feed is heard from here on
    for hour in (1, 2):
        live.take(alive(at(hour)))
        live.take(bar(hour, 90.0))
        live.take(clock(at(hour) + 3 * SECOND))
        if hour == 1:
            live.take(liquidation(at(0.8), 2e6, id="b"))
    (tape,) = [tape for tape in live.guard.stream.tapes if tape.summed]
    assert list(tape.times) == [at(2)]
    assert live.refused == {}


MANY = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall: {when: close.drop(3h) >= 5%, clear: close.drop(3h) < 1%, do: {exposure_cap: 50%}}
  burst: {when: liq.long.sum(4h) >= $5M, clear: liq.long.sum(4h) < $1M, do: {exposure_cap: 20%}}
  crowd: {when: oi.drop(3h) >= 5%, clear: oi.drop(3h) < 2%, do: {exposure_cap: 60%}}
"""


@counts(60, 20_000)
def test_events_in_any_order_within_the_lateness_leave_the_same_windows(
    count: int, measured: Callable[[str], None]
) -> None:
    dice, late = random.Random(5), 0

    def heard(events: list[Event], most: int) -> Intake:
        """Take events up to `most` after they happened, the clock going on meanwhile."""
        live = intake(MANY)
        live.take(alive(at(0)))
        arrived = sorted((one.ts + dice.randrange(most), one.kind, one.id, one) for one in events)
        for now in range(at(0), at(26), 300 * SECOND):
            while arrived and arrived[0][0] <= now:
                live.take(arrived.pop(0)[3])
            live.take(clock(now))
        return live

    for _ in range(count):
        events, price, oi = [], 100.0, 1e6
        for hour in range(1, 25):
            price, oi = price * dice.uniform(0.95, 1.05), oi * dice.uniform(0.95, 1.05)
            events += [bar(hour, price), alive(at(hour))]
            events += [Event(at(hour), "open_interest", "BTC", {"coins": oi})]
            events += [
                liquidation(
                    at(hour) - dice.randrange(1, HOUR), dice.uniform(1, 3e6), id=f"{hour}.{n}"
                )
                for n in range(dice.randrange(4))
            ]
        most = dice.choice((MINUTE, 20 * MINUTE, 55 * MINUTE))
        one, two = heard(events, 1), heard(events, most)
        assert one.refused == two.refused == {}
        for first, second in zip(one.guard.stream.tapes, two.guard.stream.tapes, strict=True):
            assert list(first.times) == list(second.times)
            assert list(first.values) == list(second.values)
        late += len(events)
    told = f"{count:,} markets, {late:,} events up to 55 minutes late, in any order"
    measured(f"{told}: the same windows")
