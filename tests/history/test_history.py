from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.series import Series
from riskguard.market import CATALOGUE, HOUR, MINUTE, SeriesSpec

NAMES = ("oi", "oi_usd", "liq.long", "fear_greed")


@st.composite
def series(draw, name, symbol):
    steps = draw(st.lists(st.integers(1, 8), min_size=0, max_size=12))
    events = np.cumsum([0, *steps]).astype(np.int64) * MINUTE
    delay = draw(st.integers(0, 10)) * MINUTE
    values = np.array(draw(st.lists(st.integers(0, 9), min_size=len(events), max_size=len(events))))
    age = draw(st.none() | st.integers(0, 20))
    spec = SeriesSpec("coins", "level", 2 * MINUTE, None if age is None else age * MINUTE)
    return Series(
        symbol, name, spec, "made", "synthetic", "full", events + delay, events, values * 1.0
    )


@st.composite
def histories(draw):
    held = [
        draw(series(name, symbol))
        for symbol in ("BTC", "ETH", "*")
        for name in draw(st.sets(st.sampled_from(NAMES)))
    ]
    return History("x", "x", "x", "BTC", HOUR, None, {one.key: one for one in held})


def naive(one, ts):
    place = bisect_right(one.times.tolist(), ts)
    if not place or ts - int(one.times[place - 1]) > one.max_age:
        return math.nan
    return float(one.values[place - 1])


@settings(max_examples=150)
@given(histories(), st.lists(st.integers(-5, 130), min_size=1, max_size=30))
def test_value_visible_at_an_instant_was_known_then(history, minutes):
    clock = np.array(minutes, dtype=np.int64) * MINUTE
    for key, one in history.series.items():
        seen = history.aligned(key, clock)
        wanted = [naive(one, ts) for ts in clock.tolist()]
        assert np.array_equal(seen, wanted, equal_nan=True)
        for ts, value in zip(clock.tolist(), seen.tolist(), strict=True):
            known = one.values[one.times <= ts].tolist()
            assert math.isnan(value) or value in known


@settings(max_examples=150)
@given(histories(), st.integers(-5, 130))
def test_what_comes_later_changes_nothing_that_was_known(history, minute):
    end = minute * MINUTE
    cut = {key: one.until(end) for key, one in history.series.items()}
    past = History("x", "x", "x", "BTC", HOUR, None, cut)
    assert list(past.samples()) == [one for one in history.samples() if one.ts <= end]
    for key in cut:
        now = np.array([end], dtype=np.int64)
        assert np.array_equal(past.aligned(key, now), history.aligned(key, now), equal_nan=True)


@settings(max_examples=150)
@given(histories())
def test_samples_hold_every_value_once_in_the_agreed_order(history):
    samples = list(history.samples())
    order = [(one.ts, one.symbol == "BTC", one.symbol) for one in samples]
    assert order == sorted(set(order))
    told = [
        (sample.ts, f"{sample.symbol}.{name}", value)
        for sample in samples
        for name, value in sample.values.items()
    ]
    held = [
        (ts, key, value)
        for key, one in history.series.items()
        for ts, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
    ]
    assert sorted(told) == sorted(held)


def made(symbol, name, spec):
    times = np.array([HOUR, 2 * HOUR], dtype=np.int64)
    return Series(symbol, name, spec, "made", "vendor", "full", times, times, np.array([1.0, 2.0]))


def test_value_is_carried_for_twice_the_interval_and_no_longer():
    one = made("BTC", "oi", SeriesSpec("coins", "level", HOUR))
    history = History("x", "x", "x", "BTC", HOUR, None, {one.key: one})
    clock = np.array([HOUR - 1, HOUR, 4 * HOUR, 4 * HOUR + 1], dtype=np.int64)
    assert history.aligned("oi", clock).tolist()[1:3] == [1.0, 2.0]
    assert np.isnan(history.aligned("oi", clock)[[0, 3]]).all()


def test_names_alone_mean_the_traded_symbol_then_the_market():
    spec = CATALOGUE["fear_greed"]
    market, own = made("*", "fear_greed", spec), made("BTC", "oi", CATALOGUE["oi"])
    other = made("ETH", "oi", CATALOGUE["oi"])
    held = {one.key: one for one in (market, own, other)}
    history = History("x", "x", "x", "BTC", HOUR, None, held)
    assert set(history.inputs()) == {"fear_greed", "oi", "ETH.oi"}
    now = np.array([HOUR], dtype=np.int64)
    assert history.aligned("fear_greed", now).tolist() == [1.0]
    with pytest.raises(DataError, match="no series 'fear_gred'") as caught:
        history.aligned("fear_gred", now)
    assert "fear_greed" in caught.value.help


def test_history_without_values_has_no_samples():
    assert list(History("x", "x", "x", "BTC", HOUR).samples()) == []
