from __future__ import annotations

import math
from pathlib import Path

import pytest

from riskguard.market import HOUR
from riskguard.testing.datafile import DataFault, read_data


def read(tmp_path: Path, text: str) -> object:
    (tmp_path / "made.csv").write_text(text)
    return read_data(tmp_path / "made.csv", HOUR)


def test_columns_are_named_as_inputs_or_as_market_data_names_them(tmp_path: Path) -> None:
    text = "ts,close,liq_long_usd,liq_short,funding_rate,ETH.oi_coins,ETH.close\n1,5,6,7,8,9,1e3\n"
    assert read(tmp_path, text) == {
        "close": (5.0,),
        "liq.long": (6.0,),
        "liq.short": (7.0,),
        "funding": (8.0,),
        "ETH.oi": (9.0,),
        "ETH.close": (1000.0,),
    }


def test_blank_cell_is_no_sample_and_nan_is_one_that_the_guard_refuses(tmp_path: Path) -> None:
    found = read(tmp_path, "close,oi\n5,\n6,nan\n7, inf\n")
    assert isinstance(found, dict)
    missing, *others = found["oi"]
    assert missing == "_"
    assert all(math.isnan(one) for one in others)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "RG704", "has no rows"),
        ("close,oi\n", "RG704", "has no rows"),
        ("close,oi\n5,6\n7\n", "RG701", "row 3 has 1 cells, the first line 2"),
        ("close,close\n5,6\n", "RG122", "names a column twice"),
        ("close,liq_long,liq.long\n5,6,7\n", "RG122", "names a column twice"),
        ("close\n5\n$6\n", "RG101", "column close, row 3: '$6' is no number"),
        (
            "time,close\n2026-01-01T00:00Z,5\n2026-01-01T01:00Z,6\n2026-01-01T03:00Z,7\n",
            "RG506",
            "row 4 comes 2h after the one before it, a bar is 1h",
        ),
        ("close\n" + "5\n" * 100_001, "RG002", "more than 100,000 rows"),
    ],
)
def test_file_that_may_be_misread_is_refused(
    tmp_path: Path, text: str, code: str, message: str
) -> None:
    found = read(tmp_path, text)
    assert isinstance(found, DataFault)
    assert found.code == code
    assert message in found.message


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "made.csv").write_bytes(b"close\n\xff\n")
    assert getattr(read_data(tmp_path / "made.csv", HOUR), "code", "") == "RG039"
    assert getattr(read_data(tmp_path, HOUR), "code", "") == "RG005"
