"""What is taken of a price whose venues are new, fail, lag, differ, or come back."""

from __future__ import annotations

import pytest

from riskguard import Guard, Intake, State
from riskguard.engine.events import Event
from riskguard.engine.quorum import apart
from riskguard.market import MINUTE, SECOND
from tests.engine.several import FELL, START, THREE, Minutes

TWO = THREE[:2]
EARLY = FELL.replace("every: 1m", "every: 1m\nevaluate: event")


# ---------------------------------------------------------------- the first prices


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ({"a": 100.0}, []),  # nobody bears it out
        ({"a": 100.0, "b": 60.0}, []),
        ({"a": 100.0, "b": 99.0}, [100.0]),
        ({"a": 100.0, "b": 60.0, "c": 101.0}, [100.0]),
    ],
)
def test_the_first_price_is_that_of_two_venues(told: dict[str, float], taken: list[float]) -> None:
    live = Minutes("abc")
    live.minute(told)
    assert live.closes() == taken
    live.minute(told)  # it is still said a bar later
    assert live.closes()[-1] == 100.0


def test_history_is_borne_out_by_nobody_and_may_name_no_source() -> None:
    for source in ("bybit", ""):
        live = Minutes()
        live.live.primes = True
        for minute, close in enumerate([100.0, 80.0, 120.0, 50.0], 1):
            live.number = minute
            live.live.take(live.event(source, close, minute))
            live.tick(6 * SECOND)
        live.live.primes = False
        assert live.closes() == [100.0, 80.0, 120.0, 50.0]
        live.minute({"bybit": 20.0})
        assert live.closes()[-1] == 50.0


# ---------------------------------------------------------------- venues that fail


def test_a_venue_that_is_down_is_waited_for_once() -> None:
    live = Minutes()
    live.calm(3)
    guard = live.live.guard
    for number, waited in ((4, True), (5, False), (6, False)):
        live.number = number
        for venue in TWO:
            live.live.take(live.event(venue, 100.0, number))
        assert (guard.as_of == START + number * MINUTE) is not waited
        live.tick(5 * SECOND)
        assert guard.as_of == START + number * MINUTE
    live.minute(dict.fromkeys(THREE, 100.0))  # it comes back, and is waited for from then on
    live.minute({})
    for number in (9, 10):
        for venue in THREE:
            assert guard.as_of < START + number * MINUTE
            live.live.take(live.event(venue, 100.0, number))
    assert guard.as_of == START + 10 * MINUTE


def test_one_that_always_comes_last_is_one_of_them() -> None:
    for rules in (FELL, EARLY):
        live = Minutes(THREE, rules)
        for minute in range(1, 10):
            for venue, close in zip(THREE, (100.0, 102.0, 101.0), strict=True):
                live.live.take(live.event(venue, close, minute))
            live.live.take(Event(START + minute * MINUTE + 1, "clock", "*"))
        assert live.closes()[-7:] == [101.0] * 7


def test_one_that_sends_another_unit_is_outvoted() -> None:
    for by in (100.0, 0.001):
        live = Minutes()
        live.calm(5)
        for _ in range(5):
            live.minute({"binance": 100.0, "bybit": 100.0 * by, "okx": 101.0})
        assert live.closes()[-5:] == ([101.0] if by > 1 else [100.0]) * 5


def test_of_two_the_nearer_is_followed_however_long_they_differ() -> None:
    live = Minutes(TWO)
    live.calm(3)
    for minute in range(20):
        live.minute({"binance": 65.0, "bybit": 100.0 + minute})
    assert live.closes()[-20:] == [100.0 + minute for minute in range(20)]


def test_a_suspect_print_that_another_venue_denies_late_is_suspect_anew() -> None:
    live = Minutes(TWO)
    live.calm(5)
    for _ in range(10):
        live.minute({"binance": 65.0, "bybit": 100.0}, late=["bybit"])
    assert live.closes()[-1] == 100.0
    live.minute({"binance": 65.0})
    live.minute({"binance": 65.0})
    assert live.closes()[-1] == 65.0


def test_one_that_a_late_venue_bears_out_is_taken_a_bar_later() -> None:
    live = Minutes(TWO)
    live.calm(5)
    live.minute({"binance": 65.0, "bybit": 64.0}, late=["bybit"])
    assert live.closes()[-1] == 100.0
    live.minute({"binance": 65.0})
    assert live.closes()[-1] == 65.0


def test_after_a_silence_no_price_from_before_stands_for_anything() -> None:
    live = Minutes(TWO)
    live.calm(5)
    for _ in range(3):
        live.minute({})
    assert live.live.guard.decision.blind == ("close", "low")
    live.minute({"binance": 80.0})
    assert live.closes() == [100.0] * 5  # nothing is told: neither 80 nor what was before
    live.minute({"binance": 80.0})
    assert live.closes()[-1] == 80.0


def test_nor_does_a_doubt_from_before() -> None:
    live = Minutes(TWO)
    live.calm(5)
    live.minute({"binance": 80.0})
    for _ in range(3):
        live.minute({})
    live.minute({"binance": 8.0})
    assert live.closes() == [100.0] * 6
    live.minute({"binance": 80.0})
    assert live.closes()[-1] == 80.0


def test_a_venue_that_stops_within_a_bar_holds_back_no_fall_for_long() -> None:
    text = FELL.replace("1m", "1h").replace("5m", "2h").replace("2m", "2h")
    live = Minutes(TWO, text)
    for minute in range(1, 6 * 60 + 1):
        hour, within = divmod(minute - 1, 60)
        fell = (hour, within) >= (3, 50)
        for venue in TWO:
            if venue == "binance" or (hour, within) < (3, 30):
                live.live.take(live.event(venue, 60.0 if fell else 100.0, minute))
        live.number = minute
        live.tick(6 * SECOND)
        if live.live.guard.decision.state is State.HALTED:
            break
    # an oracle halts at the fourth close, with the fall
    assert minute == 5 * 60


def test_confirm_can_be_longer() -> None:
    live = Minutes(TWO, confirm=3 * MINUTE)
    live.calm(5)
    for _ in range(3):
        live.minute({"binance": 80.0})
        assert live.closes()[-1] == 100.0
    live.minute({"binance": 80.0})
    assert live.closes()[-1] == 80.0


def test_shorter_than_a_bar_it_lets_no_part_of_a_bar_be_lost() -> None:
    text = FELL.replace("1m", "1h").replace("5m", "2h").replace("2m", "2h")
    live = Minutes(TWO, text, confirm=MINUTE)
    for minute in range(1, 31):
        for venue in TWO:
            live.live.take(live.event(venue, 100.0, minute))
    live.number = 60
    live.tick(6 * SECOND)
    assert live.closes() == [100.0]


# ---------------------------------------------------------------- as prices come


def traded(live: Minutes, second: float, venue: str, price: float) -> State:
    ts = START + round(second * SECOND)
    event = Event(ts, "trade", "BTC", {"price": price}, source=venue)
    live.live.take(event)
    return live.live.take(Event(ts + SECOND, "clock", "*")).state


def test_a_fall_that_two_of_three_trade_at_is_obeyed_within_the_second() -> None:
    live = Minutes(THREE, EARLY)
    live.calm(10)
    assert traded(live, 610, "binance", 80.0) is not State.HALTED
    assert traded(live, 612, "bybit", 79.0) is State.HALTED


def test_what_one_venue_alone_trades_at_is_taken_after_a_minute() -> None:
    live = Minutes(TWO, EARLY)
    live.calm(10)
    live.calm(1, venues=["binance"])
    for second in range(665, 724):
        assert traded(live, second, "binance", 80.0) is not State.HALTED
    assert traded(live, 726, "binance", 80.0) is State.HALTED


def test_of_an_hour_too_it_is_a_minute() -> None:
    live = Minutes(TWO, EARLY.replace("1m", "1h").replace("5m", "2h").replace("2m", "2h"))
    for hour in (1, 2, 3):
        for venue in TWO:
            live.live.take(live.event(venue, 100.0, hour * 60))
    for second in (0, 30, 61):
        traded(live, 11_000 + second, "okx", 80.0)
    assert live.live.refused == {"trade: close comes from binance, bybit": 3}
    states = [traded(live, 11_100 + second, "bybit", 80.0) for second in (0, 30, 62)]
    assert [state is State.HALTED for state in states] == [False, False, True]


def test_at_a_close_one_that_is_down_is_waited_for_two_seconds() -> None:
    live = Minutes(THREE, EARLY)
    live.calm(10)
    live.number, guard = 11, live.live.guard
    for venue in TWO:
        live.live.take(live.event(venue, 100.0, 11))
    live.tick(SECOND)
    assert guard.as_of < START + 11 * MINUTE
    live.tick(2 * SECOND)
    assert guard.as_of >= START + 11 * MINUTE


def test_a_bar_that_comes_after_a_later_one_makes_no_venue_older() -> None:
    live = Minutes(TWO, FELL.replace("1m", "1h").replace("5m", "2h").replace("2m", "2h"))
    for minute in (1, 3, 2):
        live.live.take(live.event("bybit", 100.0, minute))
    assert live.live.venues["close"]["heard"] == {"bybit": START + 3 * MINUTE}


def test_at_a_close_the_bars_of_the_others_are_waited_for() -> None:
    live = Minutes(THREE, EARLY)
    live.calm(10)
    guard, end = live.live.guard, START + 11 * MINUTE
    live.live.take(live.event("binance", 80.0, 11))
    assert guard.as_of < end
    live.live.take(live.event("bybit", 80.0, 11))
    assert live.live.take(live.event("okx", 80.0, 11)).state is State.HALTED
    assert guard.as_of == end


def test_a_trade_of_no_named_venue_is_refused() -> None:
    live = Minutes(THREE, EARLY)
    for venue in ("gate", ""):
        traded(live, 5, venue, 1.0)
    said = "trade: close comes from binance, bybit, okx"
    assert live.live.refused == {said: 1, f"{said}, and this names no source": 1}


# ---------------------------------------------------------------- what comes beside it

WIDE = """\
version: 1
symbol: BTC
symbols: [ETH]
every: 1m
inputs:
  fix: {unit: price, kind: level, max_age: 1h}
rules:
  busy: {when: volume.sum(3m) >= 100, clear: volume.sum(3m) < 1, do: {leverage_cap: 3x}}
  other: {when: ETH.low < 20, clear: ETH.low > 30, do: {leverage_cap: 2x}}
  fixed: {when: fix < 20, clear: fix > 30, do: {leverage_cap: 2x}}
"""


def wide(**sources: object) -> Minutes:
    live = Minutes(TWO, WIDE)
    named = {"close": TWO, "fix": ["a", "b", "c"], "ETH.low": TWO, **sources}
    live.live = Intake(Guard(live.live.guard.ruleset, sources=named))
    return live


def held(live: Minutes, key: str) -> list[float]:
    guard = live.live.guard
    pairs = zip(guard.plan.tapes, guard.stream.tapes, strict=True)
    return next(list(tape.values) for spec, tape in pairs if str(spec.key) == key)


@pytest.mark.parametrize(("named", "venue"), [({}, "binance"), ({"volume": "bybit"}, "bybit")])
def test_volume_is_that_of_one_venue(named: dict[str, str], venue: str) -> None:
    live = wide(**named)
    for minute in range(1, 4):
        live.minute(dict.fromkeys(TWO, 100.0))
        assert held(live, "volume")[-1] == 1.0 + minute
    live.minute({one: 100.0 for one in TWO if one != venue})
    assert len(held(live, "volume")) == 3
    assert live.live.refused == {}


def test_prices_of_another_symbol_are_judged_by_its_close() -> None:
    live = wide()
    for minute in range(1, 5):
        for venue in TWO:
            low = 5.0 if (minute, venue) == (3, "bybit") else 50.0
            live.live.take(live.event(venue, (50.0, 50.0, low, 50.0), minute, "ETH"))
        live.minute(dict.fromkeys(TWO, 100.0))
    assert held(live, "ETH.low") == [50.0] * 4
    assert live.live.venues["ETH.close"]["last"] == 50.0


def test_a_level_of_a_price_is_taken_at_each_bar() -> None:
    live = wide()
    for second, source, value in (
        (10, "a", 60.0), (20, "b", 61.0), (30, "c", 62.0), (70, "a", 6.0), (130, "b", 6.0),
    ):  # fmt: skip
        live.number = second // 60
        data = {"series": "fix", "value": value}
        live.live.take(Event(START + second * SECOND, "value", "BTC", data, source=source))
        live.tick(59 * SECOND)
    live.tick(66 * SECOND)
    assert held(live, "fix") == [61.0, 61.0, 6.0]
    told = list(apart(live.live.venues["fix"]))
    assert told == [("a", START + 70 * SECOND, None), ("c", START + 30 * SECOND, None)]


def test_who_is_not_with_the_others_is_told() -> None:
    live = Minutes(THREE)
    assert list(apart(live.live.venues["close"])) == [(venue, 0, None) for venue in THREE]
    live.calm(2)
    assert list(apart(live.live.venues["close"])) == []
    live.minute({"binance": 100.0, "bybit": 65.0})
    told = list(apart(live.live.venues["close"]))
    assert told == [("bybit", START + 3 * MINUTE, 65.0), ("okx", START + 2 * MINUTE, None)]


def test_open_interest_goes_by_the_price_that_was_taken() -> None:
    live = Minutes(THREE, WIDE)
    live.calm(2)
    live.minute({"binance": 100.0, "bybit": 1.0, "okx": 100.0})
    assert live.live._price == 100.0
