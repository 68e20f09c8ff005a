from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.errors import DataError
from riskguard.feeds import table as tables
from riskguard.feeds.table import Table, instant, rows, stamp
from riskguard.market import MINUTE

START = 1_770_300_000_000_000_000


def written(path: Path, first: int, count: int) -> Table:
    table = Table(path, ("a", "b"))
    for number in range(first, first + count):
        table.add(START + number * MINUTE, {"a": float(number), "b": 0.1})
    table.flush()
    return table


@given(st.integers(0, 4_000_000_000))
def test_a_stamp_is_read_as_it_was_written(second: int) -> None:
    ts = second * 1_000_000_000
    assert instant(stamp(ts)) == ts


def test_rows_come_back_as_they_went_in_and_a_missing_value_is_none(tmp_path: Path) -> None:
    table = Table(tmp_path / "x.csv", ("a", "b"))
    table.add(START, {"a": 1.5})
    table.add(START + MINUTE, {"b": 1e-9, "a": 3e22})
    table.flush()
    assert list(rows(tmp_path / "x.csv")) == [
        (START, {"a": 1.5}),
        (START + MINUTE, {"a": 3e22, "b": 1e-9}),
    ]


def test_cut_at_any_byte_a_table_goes_on_after_its_last_whole_row(tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    written(whole, 0, 4)
    text = whole.read_bytes()
    for cut in range(len(text) + 1):
        path = tmp_path / "cut.csv"
        path.write_bytes(text[:cut])
        table = Table(path, ("a", "b"))
        for number in range(6):  # told again from the beginning: what is there is passed over
            table.add(START + number * MINUTE, {"a": float(number), "b": 0.1})
        table.flush()
        assert [values["a"] for _, values in rows(path)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], cut


def test_a_reader_passes_over_a_row_that_is_being_written(tmp_path: Path) -> None:
    written(tmp_path / "x.csv", 0, 2)
    with (tmp_path / "x.csv").open("a") as file:
        file.write("2026-02-05T14:0")
    assert len(list(rows(tmp_path / "x.csv"))) == 2


def test_a_full_disk_loses_nothing_and_leaves_no_torn_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    table = written(path, 0, 2)
    before = path.read_bytes()

    def full(handle: int, data: bytes) -> int:
        os.pwrite(handle, data[:5], len(before))  # a part reaches the disk
        raise OSError(28, "No space left on device")

    table.add(START + 2 * MINUTE, {"a": 2.0, "b": 0.1})
    with monkeypatch.context() as patch:
        patch.setattr(tables.os, "write", full)
        with pytest.raises(OSError, match="No space"):
            table.flush()
    assert path.read_bytes().startswith(before)
    table.add(START + 3 * MINUTE, {"a": 3.0, "b": 0.1})
    table.flush()
    assert [values["a"] for _, values in rows(path)] == [0.0, 1.0, 2.0, 3.0]


def test_a_file_of_other_columns_is_refused_and_stays(tmp_path: Path) -> None:
    written(tmp_path / "x.csv", 0, 2)
    before = (tmp_path / "x.csv").read_bytes()
    with pytest.raises(DataError, match="its columns are 'ts,a,b', not 'ts,c'"):
        Table(tmp_path / "x.csv", ("c",))
    assert (tmp_path / "x.csv").read_bytes() == before


def test_a_last_row_without_a_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ts,a\nyesterday,1.0\n")
    with pytest.raises(DataError, match="last row begins with 'yesterday'"):
        Table(tmp_path / "x.csv", ("a",))


def test_a_row_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ts,a\n2026-02-05T14:00:00Z,much\n")
    with pytest.raises(DataError, match=r"x\.csv:2: "):
        list(rows(tmp_path / "x.csv"))
