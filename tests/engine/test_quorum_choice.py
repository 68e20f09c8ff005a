"""The price that is chosen among several, and when it is held back; each choice by itself."""

from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.engine.quorum import DEPARTS, Price
from riskguard.market import MINUTE, SECOND


def naive(last: float, prices: list[float]) -> float:
    """Return what is taken of prices that are told at one instant, as a person would say it."""
    if len(prices) > 2:
        return median(prices)
    if len(prices) == 2:
        one, two = prices
        return two if abs(two - last) < abs(one - last) else one
    return prices[0] if abs(prices[0] - last) <= DEPARTS * last else last


PRICES = st.floats(1, 1000)


@given(PRICES, st.lists(PRICES, min_size=1, max_size=6))
def test_the_choice_is_the_naive_one(last: float, prices: list[float]) -> None:
    names = [f"v{number}" for number in range(6)]
    price = Price("close", names, MINUTE, 2 * MINUTE, 2 * MINUTE)
    assert price.take(MINUTE, {key: {"close": last} for key in names}) == {"close": last}
    told = {name: {"close": one} for name, one in zip(names, prices, strict=False)}
    assert price.take(2 * MINUTE, told)["close"] == pytest.approx(naive(last, prices), rel=1e-15)


BARS = st.lists(st.lists(PRICES, min_size=4, max_size=4), min_size=1, max_size=5)


@given(PRICES, BARS)
def test_a_bar_holds_its_prices_whoever_told_them(last: float, drawn: list[list[float]]) -> None:
    price = Price("close", "abcde", MINUTE, 2 * MINUTE, 2 * MINUTE)
    price.take(MINUTE, {name: {"close": last} for name in "abcde"})
    told = {
        name: {"open": two, "high": four, "low": one, "close": three}
        for name, (one, two, three, four) in zip("abcde", map(sorted, drawn), strict=False)
    }
    bar = price.take(2 * MINUTE, told)
    assert bar["low"] <= min(bar["open"], bar["close"])
    assert bar["high"] >= max(bar["open"], bar["close"])


@pytest.mark.parametrize(
    ("bars", "low", "high"),
    [
        ([(98.0, 60.0, 99.0)], 98.0, 99.0),  # close, low, high: the low is held back
        ([(102.0, 101.0, 160.0)], 101.0, 102.0),
        ([(110.0, 99.0, 111.0), (98.5, 98.0, 99.0)], 98.5, 99.0),
        ([(90.0, 89.0, 101.0), (101.5, 99.0, 105.0)], 99.0, 101.5),
    ],
)
def test_a_bar_is_widened_to_its_close(
    bars: list[tuple[float, float, float]], low: float, high: float
) -> None:
    price = Price("close", "ab", MINUTE, 2 * MINUTE, 2 * MINUTE)
    price.take(MINUTE, {one: {"close": 100.0} for one in "ab"})
    names = ("close", "low", "high")
    told = {
        venue: dict(zip(names, bar, strict=True)) for venue, bar in zip("ab", bars, strict=False)
    }
    bar = price.take(2 * MINUTE, told)
    assert (bar["low"], bar["high"]) == (low, high)


def test_a_venue_that_tells_no_low_tells_its_close_of_it() -> None:
    price = Price("close", "abc", MINUTE, 2 * MINUTE, 2 * MINUTE)
    told = {"a": {"close": 100.0, "low": 60.0}, "b": {"close": 99.0}, "c": {"close": 98.0}}
    assert price.take(MINUTE, told) == {"close": 99.0, "low": 98.0}


def test_a_low_without_a_close_is_of_the_last_one() -> None:
    price = Price("close", "ab", MINUTE, 2 * MINUTE, 2 * MINUTE)
    assert price.take(1, {"a": {"low": 60.0}}) == {}
    price.take(2, {"a": {"close": 100.0}, "b": {"close": 100.0}})
    assert price.take(3, {"a": {"low": 60.0}}) == {"low": 100.0}


def test_a_low_that_one_venue_alone_tells_is_held_back_no_longer_than_a_close() -> None:
    price = Price("close", "ab", MINUTE, 2 * MINUTE, 2 * MINUTE)
    price.take(MINUTE, {one: {"close": 100.0, "low": 100.0} for one in "ab"})
    lows = [
        price.take(minute * MINUTE, {"a": {"close": 100.0, "low": low}})["low"]
        for minute, low in ((2, 90.0), (3, 91.0), (4, 99.0), (5, 92.0))
    ]
    assert lows == [100.0, 91.0, 99.0, 100.0]


def test_a_price_that_is_too_old_at_once_holds_nothing_back_for_longer() -> None:
    price = Price("close", "ab", MINUTE, SECOND, 2 * MINUTE)
    told = [price.take(minute * MINUTE, {"a": {"close": 100.0}}) for minute in range(1, 5)]
    assert told == [{}, {"close": 100.0}, {}, {"close": 100.0}]


def test_what_a_venue_said_earlier_and_tells_later_is_no_news() -> None:
    price = Price("close", "ab", MINUTE, 2 * MINUTE, 2 * MINUTE)
    for second in (1, 10):
        price.take(second * SECOND, {one: {"close": 100.0} for one in "ab"})
    assert price.take(5 * SECOND, {"a": {"close": 60.0}}) == {}
    assert price.take(20 * SECOND, {"b": {"close": 60.0}}) == {"close": 100.0}
