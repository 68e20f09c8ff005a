from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.language.findings import LineError
from riskguard.testing.notation import LONGEST, series


@pytest.mark.parametrize(
    ("text", "dimension", "values"),
    [
        ("74_000 x3", "price", [74_000.0] * 3),
        ("75,000", "price", [75_000.0]),
        ("5, 100", "price", [5.0, 100.0]),
        ("90 -> 60 over 4", "price", [90.0, 80.0, 70.0, 60.0]),
        ("_ x2, 1", "price", ["_", "_", 1.0]),
        ("stale, 1", "price", ["stale", 1.0]),
        ("7, hold x2", "price", [7.0, 7.0, 7.0]),
        ("7, _ x1, hold", "price", [7.0, "_", 7.0]),
        ("10, +100 x2", "price", [10.0, 110.0, 210.0]),
        ("10, +-1 x2", "price", [10.0, 9.0, 8.0]),
        ("100, *0.5 x2", "price", [100.0, 50.0, 25.0]),
        ("$8.8B -> $8B over 3", "dollars", [8.8e9, 8.4e9, 8e9]),
        ("-4% x2, 1bp", "share", [-0.04, -0.04, 0.0001]),
        ("0 x2", "dollars", [0.0, 0.0]),
    ],
)
def test_series_are_read_as_written(text: str, dimension: str, values: list[object]) -> None:
    assert series(text, dimension) == values


def test_nan_is_a_sample_that_the_guard_will_refuse() -> None:
    first, second = series("nan x2", "price")
    assert isinstance(first, float)
    assert math.isnan(first)
    assert math.isnan(second)


def test_both_ends_of_a_slope_are_exact() -> None:
    values = series("88_000 -> 76_000 over 12", "price")
    assert (len(values), values[0], values[-1]) == (12, 88_000.0, 76_000.0)


@pytest.mark.parametrize(
    ("text", "dimension", "code", "start"),
    [
        ("74_000 x", "price", "RG101", 7),
        ("hold x5", "price", "RG101", 0),
        ("+5 x5", "price", "RG101", 0),
        ("5 -> 6", "price", "RG101", 5),
        ("5 -> 6 over 1", "price", "RG101", 12),
        ("5 x0", "price", "RG101", 3),
        ("5 x999999999999", "price", "RG002", 3),
        (f"5 x{LONGEST}, 5", "price", "RG002", 0),
        ("4.4", "share", "RG305", 0),
        ("12", "dollars", "RG305", 0),
        ("5%", "price", "RG305", 0),
        ("five x2", "price", "RG101", 0),
        ("5usd", "price", "RG112", 1),
        ("", "price", "RG101", 0),
        (" ", "price", "RG101", 0),
        ("5 x 4", "price", "RG101", 2),
        ("5 *4", "price", "RG101", 2),
        ("5x4", "price", "RG101", 1),
        ("5 for 4", "price", "RG101", 2),
    ],
)
def test_what_is_no_series_is_refused_at_its_characters(
    text: str, dimension: str, code: str, start: int
) -> None:
    with pytest.raises(LineError) as refused:
        series(text, dimension)
    assert (refused.value.code, refused.value.start) == (code, start)


@pytest.mark.parametrize(
    ("text", "dimension", "message", "fix"),
    [
        ("5 x 4, 6", "price", "'x 4' is no count", "write x4, without a space"),
        ("80_000x4", "price", "a space is missing before 'x4'", "write 80_000 x4"),
        ("5 +1 x4", "price", "a comma is missing before '+1'", "write 5, +1"),
        ("5 6", "price", "a comma is missing before '6'", "write 5, 6"),
        ("5 -> 6, 7", "price", 'a slope needs "over N"', "for example 90_000 -> 60_000 over 36"),
    ],
)
def test_a_slip_is_answered_with_what_to_write(
    text: str, dimension: str, message: str, fix: str
) -> None:
    with pytest.raises(LineError) as refused:
        series(text, dimension)
    assert (refused.value.message, refused.value.fix) == (message, fix)


PRICES = st.integers(1, 10**9)
COUNTS = st.integers(2, 50)
PARTS = st.one_of(
    st.builds(lambda value, count: (f"{value:_} x{count}", [float(value)] * count), PRICES, COUNTS),
    st.builds(lambda count: (f"_ x{count}", ["_"] * count), COUNTS),
    st.builds(lambda value: (f"{value:,}", [float(value)]), PRICES),
)


@given(st.lists(PARTS, min_size=1, max_size=8))
def test_parts_stand_behind_each_other_whatever_they_are(
    parts: list[tuple[str, list[object]]],
) -> None:
    assert series(", ".join(text for text, _ in parts), "price") == [
        value for _, values in parts for value in values
    ]


@given(PRICES, PRICES, COUNTS)
def test_slope_has_both_ends_and_never_leaves_them(first: int, last: int, count: int) -> None:
    found = series(f"{first} -> {last} over {count}", "price")
    assert (len(found), found[0], found[-1]) == (count, first, last)
    assert all(min(first, last) <= value <= max(first, last) for value in found)
    steps = [after - before for before, after in pairwise(found)]
    assert max(steps) - min(steps) <= 1e-6 * max(first, last)
