"""When decisions are made: at closes or at every event; hours, and messages that are muted."""

from __future__ import annotations

import math

import pytest

from riskguard import Guard, Sample
from riskguard.engine.decision import Decision
from riskguard.language.reader import read_text
from riskguard.market import MINUTE

START = 1_767_225_600_000_000_000  # Thursday, midnight UTC
HEAD = "version: 1\nevery: 1h\nsymbol: BTC\nsymbols: [ETH]\n"
EVENT = HEAD + "evaluate: event\n"


def guard(text: str) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def rule(when: str, more: str = "") -> str:
    return f"rules:\n  r:\n    when: {when}\n    do: {{exposure_cap: 50%}}\n{more}"


def feed(made: Guard, minutes: float, symbol: str = "BTC", **values: float) -> Decision:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return made.update(Sample(START + int(minutes * MINUTE), symbol, named))


# ---------------------------------------------------------------- evaluate: event


def test_by_event_a_rule_fires_between_closes() -> None:
    quiet, quick = (
        guard(head + rule("close < 90", "    min_hold: 1h\n")) for head in (HEAD, EVENT)
    )
    for made in (quiet, quick):
        feed(made, 60, close=100.0)
        feed(made, 75, close=80.0)
    assert feed(quiet, 76, close=80.0).active == ()
    assert feed(quick, 76, close=80.0).active == ("r",)


def test_by_event_closes_are_counted_at_closes_only() -> None:
    made = guard(EVENT + rule("close < 90 for 2 closes"))
    feed(made, 60, close=80.0)
    for minute in range(61, 119):
        assert feed(made, minute, close=80.0).active == ()
    assert feed(made, 120, close=80.0).active == ("r",)


def test_by_event_a_close_that_is_sent_again_is_counted_once() -> None:
    made = guard(EVENT + rule("close < 90 for 2 closes"))
    feed(made, 60, close=80.0)
    assert feed(made, 60, close=80.0).active == ()
    assert feed(made, 61, close=80.0).active == ()
    assert feed(made, 120, close=80.0).active == ("r",)


def test_by_event_a_close_that_is_sent_again_feeds_no_measure_twice() -> None:
    made = guard(EVENT + rule("volume.sum(1h).mean(3h) > 100"))
    left = made.plan.numbers[made.ruleset.rules[0].when.left]
    for hour in range(1, 5):
        feed(made, 60 * hour, close=100.0, volume=float(hour))
    feed(made, 240, close=100.0, volume=4.0)
    assert made.stream.value(left) == 3.0


def test_by_event_a_duration_is_clock_time() -> None:
    made = guard(EVENT + rule("close < 90 for 90m"))
    assert feed(made, 7, close=80.0).active == ()
    assert feed(made, 96, close=80.0).active == ()
    assert feed(made, 97, close=80.0).active == ("r",)


def test_by_event_a_measure_of_a_measure_is_fed_at_closes() -> None:
    made = guard(EVENT + rule("volume.sum(1h).mean(3h) > 100"))
    left = made.plan.numbers[made.ruleset.rules[0].when.left]
    for hour in range(1, 6):
        feed(made, 60 * hour, close=100.0, volume=float(hour))
    assert made.stream.value(left) == 4.0
    feed(made, 60 * 5 + 30, close=100.0)
    assert made.stream.value(left) == 4.0
    feed(made, 60 * 6, close=100.0, volume=6.0)
    assert made.stream.value(left) == 5.0


def test_by_event_what_comes_together_is_seen_together() -> None:
    text = EVENT + rule("{sequence: [ETH.close < 5, close < 90], within: 2h}", "    min_hold: 1h\n")
    made = guard(text)
    feed(made, 60, "ETH", close=4.0)
    assert feed(made, 60, close=80.0).active == ()  # not one after the other
    assert feed(made, 61, close=80.0).active == ("r",)


def test_by_event_another_symbol_is_seen_as_soon_as_time_goes_on() -> None:
    made = guard(EVENT + rule("ETH.close < 5", "    min_hold: 1h\n"))
    feed(made, 60, close=100.0)
    assert feed(made, 61, "ETH", close=4.0).active == ()
    seen = feed(made, 61.01)  # the clock
    assert (seen.active, seen.ts) == (("r",), START + 61 * MINUTE)


def test_by_event_the_clock_alone_decides_nothing() -> None:
    made = guard(EVENT + rule("close < 90 for 30m"))
    feed(made, 10, close=80.0)
    assert feed(made, 70).active == ()
    assert feed(made, 71, close=80.0).active == ("r",)


def test_by_event_a_dead_feed_blinds_at_the_next_tick_of_the_clock() -> None:
    made = guard(EVENT + rule("oi < 90"))
    feed(made, 60, close=100.0, oi=100.0)
    assert feed(made, 180).blind == ()
    assert feed(made, 180.5).blind == ("oi",)


@pytest.mark.parametrize("seed", range(5))
def test_by_event_with_bars_alone_decides_at_closes_as_by_close(seed: int) -> None:
    text = rule("close.drop(4h) >= 1% for 2 closes", "    clear: close.mean(6h) > 100 for 2h\n")
    by_close, by_event = guard(HEAD + text), guard(EVENT + text)
    price = 100.0
    for hour in range(1, 200):
        price *= 1 + ((hour * 7919 + seed * 104_729) % 41 - 20) / 1_000
        one, two = (feed(made, 60 * hour, close=price) for made in (by_close, by_event))
        assert (one.active, one.exposure_cap, one.ts) == (two.active, two.exposure_cap, two.ts)


def left(made: Guard) -> float:
    return made.stream.value(made.plan.numbers[made.ruleset.rules[0].when.left])


def test_samples_that_come_more_often_do_not_shorten_a_mean() -> None:
    """ema(4h) of quarters of an hour is 16 samples long, not four."""
    made = guard(EVENT + rule("close.ema(4h) > 5", "    min_hold: 1h\n"))
    for quarter in range(1, 4 * 20 + 1):
        feed(made, 15 * quarter, close=100.0 if quarter <= 64 else 200.0)
    mean = 100.0
    for _ in range(16):
        mean += 2 / 17 * (200.0 - mean)
    assert left(made) == pytest.approx(mean)


def test_a_year_has_as_many_returns_as_come() -> None:
    made = guard(EVENT + rule("close.vol(4h) > 5%", "    min_hold: 1h\n"))
    for quarter in range(1, 4 * 20 + 1):
        feed(made, 15 * quarter, close=100.0 if quarter % 2 else 101.0)
    assert left(made) == pytest.approx(math.log(1.01) * math.sqrt(365 * 24 * 4))


@pytest.mark.parametrize("line", ["close.atr(3 bars) > 5", "ta.rsi(window=3, warmup=15) > 5"])
def test_ranges_and_functions_are_taken_of_closed_bars(line: str) -> None:
    quick, bars = (guard(EVENT + rule(line, "    min_hold: 1h\n")) for _ in range(2))
    for hour in range(1, 31):
        price = 100.0 + hour % 7
        for made in (quick, bars):
            feed(made, 60 * hour, close=price, high=price + 1, low=price - 1)
        for minute in (7, 21, 44):
            feed(quick, 60 * hour + minute, close=price + minute)
    assert left(quick) == left(bars) > 0


# ---------------------------------------------------------------- during


def test_a_rule_fires_inside_its_hours_and_clears_outside_them_too() -> None:
    hours = '    during: {days: mon-fri, from: "08:00", to: "10:00"}\n'
    made = guard(HEAD + rule("close < 90", hours + "    clear: close > 95\n"))
    prices = {7: 80.0, 8: 80.0, 10: 80.0, 12: 100.0, 13: 80.0}
    active = {hour: feed(made, 60 * hour, close=price).active for hour, price in prices.items()}
    assert active == {7: (), 8: ("r",), 10: ("r",), 12: (), 13: ()}


@pytest.mark.parametrize(
    "text",
    [
        rule("oi < 90", "    on_missing: ignore\n    min_hold: 1h\n    during: HOURS\n"),
        rule("{all: [{is: oi < 90, on_missing: ignore}, {during: HOURS}]}", "    min_hold: 1h\n"),
        rule("{all: [oi < 90, {not: {not: {during: HOURS}}}, oi < 80], on_missing: ignore}"),
    ],
)
def test_hours_alone_fire_nothing_while_the_line_beside_them_is_missing(text: str) -> None:
    made = guard(HEAD + text.replace("HOURS", "{from: '00:00', to: '12:00'}"))
    assert feed(made, 60, close=100.0).active == ()
    assert feed(made, 120, close=100.0, oi=70.0).active == ("r",)


def test_without_a_clear_the_end_of_the_hours_alone_clears_nothing() -> None:
    hours = '    during: {from: "08:00", to: "10:00"}\n    min_hold: 1h\n'
    made = guard(HEAD + rule("close < 90", hours))
    prices = {8: 80.0, 10: 80.0, 11: 80.0, 12: 100.0}
    active = {hour: feed(made, 60 * hour, close=price).active for hour, price in prices.items()}
    assert active == {8: ("r",), 10: ("r",), 11: ("r",), 12: ()}


def test_hours_are_a_condition_among_others() -> None:
    when = '{any: [close < 90, {during: {days: [sat, sun], from: "00:00", to: "24:00"}}]}'
    made = guard(HEAD + rule(when, "    min_hold: 1h\n"))
    active = {
        day: feed(made, 60 * 24 * day + 60, close=100.0).active for day in range(5)
    }  # 1 January 2026 is a Thursday
    assert active == {0: (), 1: (), 2: ("r",), 3: ("r",), 4: ()}


# ---------------------------------------------------------------- mutes


def test_a_rule_that_is_on_mutes_messages_and_nothing_else() -> None:
    text = HEAD + (
        "rules:\n"
        "  early: {when: close < 95, clear: close > 96, do: {exposure_cap: 80%, notify: falling}}\n"
        "  late:\n    when: close < 90\n    clear: close > 91\n    mutes: [early]\n"
        "    do: {exposure_cap: 90%, notify: fallen}\n"
    )
    made = guard(text)
    assert feed(made, 60, close=94.0).notify == ("falling",)
    seen = feed(made, 120, close=80.0)
    assert seen.notify == ("fallen",)
    assert seen.exposure_cap == 0.8
