from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.history.stamps import (
    CellError,
    duration,
    duration_text,
    instant,
    instant_text,
    shown,
)
from riskguard.history.stamps import instants as column
from riskguard.market import DAY, HOUR, SECOND

NOON = 1_770_897_600 * SECOND  # 2026-02-12T12:00Z
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2261, 1, 1))  # noqa: DTZ001 - made aware below


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-12T12:00Z",
        "2026-02-12T12:00:00Z",
        "2026-02-12 12:00:00+00:00",
        "2026-02-12T14:00+02:00",
        "2026-02-12T06:30:00-05:30",
        "2026-02-12T12:00:00.000Z",
        "1770897600",
        "1770897600000",
        "1770897600000000",
        "1770897600000000000",
    ],
)
def test_one_instant_has_many_forms(text):
    assert instant(text) == NOON
    times, faults = column([text, text])
    assert (times.tolist(), faults) == ([NOON, NOON], {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-12T12:00", "no time zone"),
        ("2026-02-12", "not a time stamp"),
        ("12/02/2026 12:00", "not a time stamp"),
        ("2026-02-30T12:00Z", "does not exist"),
        ("2026-02-12T25:00Z", "does not exist"),
        ("17708976", "8 digits"),
        ("9999999999999999999", "out of range"),
        ("9999999999", "out of range"),
        ("2300-01-01T00:00Z", "out of range"),
        ("1969-12-31T23:59Z", "out of range"),
        ("", "not a time stamp"),
        ("2026-02-1\uff12T12:00Z", "not a time stamp"),
    ],
)
def test_what_is_no_instant_is_named_with_a_fix(text, said):
    with pytest.raises(CellError, match=said) as caught:
        instant(text)
    assert caught.value.help
    _, faults = column(["2026-02-12T12:00Z", text])
    assert list(faults) == [1]
    assert column([text, text])[1].keys() == {0, 1}


def test_digits_of_integers_may_not_change_inside_a_file():
    _, faults = column(["1770897600", "1770897600000"])
    assert "13 digits" in faults[1].message
    assert "10 digits" in faults[1].message


@given(st.lists(MOMENTS, min_size=1, max_size=20), st.sampled_from([0, 60, 120, -330]))
def test_column_equals_one_by_one(moments, minutes):
    zone = timezone(timedelta(minutes=minutes))
    aware = [moment.replace(microsecond=0, tzinfo=zone) for moment in moments]
    cells = [moment.isoformat() for moment in aware]
    wanted = [
        int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND
        for moment in aware
    ]
    times, faults = column(cells)
    assert times.tolist() == wanted == [instant(cell) for cell in cells]
    assert not faults
    assert times.dtype == np.int64


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_instant_text_is_read_back_exactly(ns):
    assert instant(instant_text(ns)) == ns


@pytest.mark.parametrize(("text", "ns"), [("4h", 4 * HOUR), ("1d", DAY), ("30s", 30 * SECOND)])
def test_durations_are_read_and_written(text, ns):
    assert duration(text) == ns
    assert duration_text(ns) == text


@pytest.mark.parametrize("text", ["4", "h", "9999w", "4 hours", "-4h", "1.5h", "1M"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(CellError, match=r"is not a time|longer"):
        duration(text)


@given(st.text(max_size=200))
def test_what_is_shown_of_a_text_is_short_and_harmless(text):
    said = shown(text)
    assert said.isprintable()
    if text.isprintable():
        assert len(said) <= 80
        assert said == text or (said.endswith("...") and text.startswith(said[:77]))


@pytest.mark.parametrize("text", ["9" * 5000, "x" * 5000, "9" * 5000 + "h"])
def test_long_text_is_not_repeated_whole(text):
    for reader in (instant, duration):
        with pytest.raises(CellError) as caught:
            reader(text)
        assert len(caught.value.message) < 160
