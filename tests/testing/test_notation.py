from __future__ import annotations

import math

import pytest

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
        ("74_000 x", "price", "RG101", 6),
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
    ],
)
def test_what_is_no_series_is_refused_at_its_characters(
    text: str, dimension: str, code: str, start: int
) -> None:
    with pytest.raises(LineError) as refused:
        series(text, dimension)
    assert (refused.value.code, refused.value.start) == (code, start)
