from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.evidence.events import (
    Fall,
    catalogue,
    counted,
    dips,
    falls,
    independent,
)
from riskguard.history import History
from riskguard.market import DAY, HOUR


def found(closes: list[float], level: float = 0.1, within: int = 5 * DAY) -> tuple[Fall, ...]:
    ts = DAY * np.arange(1, len(closes) + 1, dtype=np.int64)
    return falls(ts, np.array(closes, dtype=float), level, within)


def test_a_fall_begins_at_the_first_close_deep_enough_and_ends_when_half_is_regained() -> None:
    (one,) = found([100, 96, 89, 80, 85, 90, 95])
    assert (one.peak, one.start, one.trough, one.end) == (0, 2, 3, 5)
    assert one.depth == pytest.approx(0.2)
    assert one.regained


def test_a_fall_of_exactly_the_level_counts() -> None:
    assert len(found([100, 90, 90])) == 1
    assert not found([100, 90.1, 90.1])


def test_a_high_exactly_within_back_counts_and_an_older_one_does_not() -> None:
    assert len(found([100, 95, 95, 95, 95, 90])) == 1
    assert not found([100, 95, 95, 95, 95, 95, 90])


def test_a_fall_that_regains_nothing_is_over_after_30_days() -> None:
    (one,) = found([100, *[80.0] * 50])
    assert (one.start, one.end, one.regained) == (1, 31, False)


def test_a_fall_still_open_at_the_end_of_the_data_ends_there() -> None:
    (one,) = found([100, 80, 75])
    assert (one.trough, one.end, one.regained) == (2, 2, False)


def test_a_second_leg_is_measured_from_the_rebound_and_not_from_the_old_high() -> None:
    first, second = found([100, 80, 92, 85, 82, 81])
    assert (first.end, second.peak, second.start) == (2, 2, 4)
    assert len(found([100, 80, 92, 85, 84, 84])) == 1


def test_a_dip_is_half_as_deep_and_half_regained_within_three_days_of_its_first_close() -> None:
    ts = DAY * np.arange(1, 8, dtype=np.int64)
    quick = np.array([100, 94, 93, 92, 97, 98, 99.0])
    slow = np.array([100, 94, 93, 92, 91, 97, 98.0])
    assert len(dips(ts, quick, 0.1, 5 * DAY)) == 1
    assert not dips(ts, slow, 0.1, 5 * DAY)
    assert not falls(ts, quick, 0.1, 5 * DAY)


def test_falls_that_begin_closer_than_30_days_are_one_event_on_whatever_asset() -> None:
    starts = [40 * DAY, 0, 29 * DAY, 70 * DAY, 70 * DAY]
    assert independent(starts) == ((1, 2, 0), (3, 4))
    assert independent([]) == ()


def test_events_of_locked_months_and_of_the_warm_up_do_not_count() -> None:
    start = 18_993 * DAY  # 2022-01-01
    closes = np.full(365, 100.0)
    for day in (5, 100, 200, 310):  # in January, April, July and November
        closes[day : day + 3] = 80.0
    ts = start + DAY * np.arange(365, dtype=np.int64)
    found = catalogue(ts, closes, 0.15, 7 * DAY)
    assert len(found.events) == 4
    kept = counted(found, ts, 50, ["2022-11"])
    assert [one.name for one in kept] == ["Apr 2022", "Jul 2022"]


def test_the_rise_to_the_high_is_no_part_of_the_fall_behind_it() -> None:
    ts = 18_993 * DAY + DAY * np.arange(8, dtype=np.int64)
    closes = np.array([60, 60, 100, 80, 75, 90, 95, 95.0])
    (one,) = counted(catalogue(ts, closes, 0.15, 7 * DAY), ts, 0, ())
    first, last = one.spans[0]
    assert closes[first - 1] == closes.max()
    assert (first, last) == (3, 5)


def slow_falls(
    ts: np.ndarray, closes: np.ndarray, level: float, within: int
) -> list[tuple[int, int, int, int]]:
    """Look at every bar anew, word by word as the definition is written."""
    found, bar, floor = [], 0, 0
    while bar < len(ts):
        before = [i for i in range(floor, bar) if ts[bar] - within <= ts[i]]
        high = max((closes[i] for i in before), default=0.0)
        if closes[bar] > high * (1 - level) * (1 + 1e-9):
            bar += 1
            continue
        peak = max(i for i in before if closes[i] == high)
        end = bar
        for end in range(bar, len(ts)):
            low = closes[bar : end + 1].min()
            if closes[end] - low >= (high - low) / 2:
                break
            if end + 1 < len(ts) and ts[end + 1] - ts[bar] > 30 * DAY:
                break
        trough = bar + int(closes[bar : end + 1].argmin())
        found.append((peak, bar, trough, end))
        floor, bar = end, end + 1
    return found


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(50, 100)), min_size=1, max_size=120),
    st.sampled_from([0.05, 0.1, 0.3]),
    st.integers(1, 30),
)
def test_falls_are_those_of_the_definition_read_word_by_word(steps, level, days) -> None:
    ts = DAY * np.cumsum([step for step, _ in steps]).astype(np.int64)
    closes = np.array([close for _, close in steps], dtype=float)
    made = falls(ts, closes, level, days * DAY)
    plain = [(one.peak, one.start, one.trough, one.end) for one in made]
    assert plain == slow_falls(ts, closes, level, days * DAY)


def test_february_2026_is_one_event() -> None:
    bars = History.read("feb-2026").bars("BTC")
    made = catalogue(bars.ts, bars.close, 0.15, 10 * DAY)
    assert len(made.events) == 1
    assert made.falls[0].depth > 0.2
    lowest = bars.ts[made.falls[0].trough]
    assert abs(int(lowest) - int(bars.ts[int(bars.close.argmin())])) < 24 * HOUR
