from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskguard.language.expression import parse_literal, parse_span
from riskguard.language.text.units import LONGEST
from riskguard.language.writing.numerals import duration_text, number_text
from riskguard.market import DAY, HOUR, MINUTE, SECOND

COUNT = 600
DIMENSIONS = ("plain", "share", "dollars", "ratio", "bars")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=COUNT)
@given(FINITE, st.sampled_from(DIMENSIONS))
def test_every_number_is_read_back_to_the_last_bit(value: float, dimension: str):
    read = parse_literal(number_text(value, dimension))
    assert (read.value, read.dimension) == (value, dimension)


@settings(max_examples=COUNT)
@given(
    st.floats(1e-6, 30_000),
    st.integers(0, 6),
    st.sampled_from((SECOND, MINUTE, HOUR, DAY)),
    st.sampled_from((float, round, int)),
)
def test_every_time_that_can_be_written_is_read_back(count: float, digits: int, unit: int, made):
    value = made(float(f"{count:.{digits}f}") * unit)
    if not 0 < value <= LONGEST:
        return
    text = number_text(value, "time") if made is float else duration_text(value, made)
    assert made(parse_span(text).value) == value


@settings(max_examples=COUNT)
@given(st.floats(1, 200_000), st.sampled_from((MINUTE, 90 * SECOND, HOUR, 4 * HOUR)))
def test_every_window_in_bars_is_read_back(count: float, every: int):
    window = round(count * every)
    read = parse_span(duration_text(window, every=every))
    assert round(read.value * (every if read.dimension == "bars" else 1)) == window


def test_what_no_unit_of_time_reaches_is_told_in_bars_or_not_at_all():
    window = 300_000 * 4 * HOUR
    assert window > LONGEST
    assert duration_text(window, every=4 * HOUR) == "300_000 bars"
    for length in (window, 3 * 10**18 + 1):  # longer than any, and finer than a float
        with pytest.raises(ValueError, match="no time is written for"):
            duration_text(length)


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (75_000, "price", "75_000"),
        (0.25, "number", "0.25"),
        (1e30, "plain", "1e30"),
        (-0.044, "share", "-4.4%"),
        (0.0005, "share", "5bp"),
        (0.0025, "share", "0.25%"),
        (1.0, "share", "100%"),
        (150e6, "dollars", "$150M"),
        (2.16e9, "dollars", "$2.16B"),
        (75_000, "dollars", "$75k"),
        (1_500, "dollars", "$1_500"),
        (-9e8, "dollars", "-$900M"),
        (1_234_567.89, "dollars", "$1_234_567.89"),
        (3, "ratio", "3x"),
        (14, "bars", "14 bars"),
        (24 * HOUR, "time", "24h"),
        (28 * DAY, "time", "28d"),
        (90 * MINUTE, "time", "90m"),
        (HOUR, "time", "1h"),
        (SECOND // 4, "time", "0.25s"),
        (0, "time", "0s"),
    ],
)
def test_a_number_is_written_as_people_do(value: float, dimension: str, text: str):
    assert number_text(value, dimension) == text
