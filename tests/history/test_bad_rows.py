from __future__ import annotations

import pytest

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.stamps import instant
from riskguard.market import HOUR

HEADER = "ts,open,high,low,close,volume"
ROWS = [f"2026-01-01T{hour:02d}:00Z,100,110,90,{100 + hour / 4},5" for hour in range(24)]
SCENARIO = """\
name: mine
symbol: BTC
series:
  - {file: bars.csv, symbol: BTC, series: bars, interval: 1h, stamp: open, source: mine,
     grade: exchange%s}
"""


def write(folder, rows=ROWS, header=HEADER, *, repair=False):
    (folder / "bars.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "scenario.yaml").write_text(SCENARIO % (", repair: drop" if repair else ""))
    return folder


def changed(row, text):
    return [*ROWS[:row], text, *ROWS[row + 1 :]]


BAD_ROWS = {
    "naive": ("2026-01-01T10:00,100,110,90,100,5", "ts", "no time zone"),
    "no such day": ("2026-02-30T10:00Z,100,110,90,100,5", "ts", "does not exist"),
    "integer among text": ("1767261600,100,110,90,100,5", "ts", "10 digits"),
    "duplicate": (ROWS[9], "ts", "duplicate time stamp 2026-01-01T09:00Z"),
    "unsorted": (ROWS[4], "ts", "not in order: 2026-01-01T04:00Z after 2026-01-01T09:00Z"),
    "half a step": ("2026-01-01T10:30Z,100,110,90,100,5", "ts", "no whole number of 1h"),
    "nan": ("2026-01-01T10:00Z,nan,110,90,100,5", "open", "not a finite number"),
    "infinity": ("2026-01-01T10:00Z,100,inf,90,100,5", "high", "not a finite number"),
    "zero price": ("2026-01-01T10:00Z,100,110,0,100,5", "low", "0 is not a price"),
    "negative price": ("2026-01-01T10:00Z,100,110,90,-3,5", "close", "-3 is not a price"),
    "high below low": ("2026-01-01T10:00Z,100,80,90,100,5", "high", "high 80 is below low 90"),
    "close outside": ("2026-01-01T10:00Z,100,110,90,111,5", "close", "close 111 lies outside"),
    "open outside": ("2026-01-01T10:00Z,80,110,90,100,5", "open", "open 80 lies outside"),
    "negative flow": ("2026-01-01T10:00Z,100,110,90,100,-5", "volume", "-5 is negative"),
    "text": ("2026-01-01T10:00Z,100,110,90,about 100,5", "close", "'about 100' is not a number"),
    "underscore": ("2026-01-01T10:00Z,100,110,90,1_00,5", "close", "'1_00' is not a number"),
    "digits of another script": (
        "2026-01-01T10:00Z,100,110,90,\u0661\u0660\u0660,5",
        "close",
        "is not a number",
    ),
    "too large": ("2026-01-01T10:00Z,100,1e200,90,100,5", "high", "1e+200 can be no amount"),
    "too small": ("2026-01-01T10:00Z,100,110,90,100,1e-200", "volume", "1e-200 can be no amount"),
    "empty": ("2026-01-01T10:00Z,100,110,90,,5", "close", "empty cell"),
    "too few": ("2026-01-01T10:00Z,100,110,90,100", "", "line 12 has 5 cells, the header has 6"),
    "too many": ("2026-01-01T10:00Z,100,110,90,100,5,6", "", "line 12 has 7 cells"),
    "one cell": ("2026-01-01T10:00Z", "", "line 12 has 1 cell, the header has 6"),
    "empty line": ("", "", "empty line"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_row_is_refused_with_file_line_column_and_fix(tmp_path, case):
    row, column, said = BAD_ROWS[case]
    with pytest.raises(DataError) as caught:
        History.read(write(tmp_path, changed(10, row)))
    error = caught.value
    assert said in error.message
    assert (error.line, error.column) == (12, column)
    assert error.path.endswith("bars.csv")
    assert "repair: drop" in error.help


@pytest.mark.parametrize("case", BAD_ROWS)
def test_the_same_row_is_dropped_and_counted_where_repair_is_asked(tmp_path, case):
    history = History.read(write(tmp_path, changed(10, BAD_ROWS[case][0]), repair=True))
    bars = history.bars()
    assert len(bars.ts) == 23
    assert instant("2026-01-01T11:00Z") not in bars.ts
    dropped, hole = history.notes
    assert "1 of 24 rows dropped" in dropped
    assert "1 hole of 1 missing rows" in hole


def test_missing_bars_are_refused_and_kept_as_a_hole_on_request(tmp_path):
    rows = ROWS[:5] + ROWS[8:]
    with pytest.raises(DataError) as caught:
        History.read(write(tmp_path, rows))
    assert (caught.value.line, caught.value.column) == (7, "ts")
    assert "3 of the rows every 1h missing" in caught.value.message
    assert "between 2026-01-01T04:00Z and 2026-01-01T08:00Z" in caught.value.message
    history = History.read(write(tmp_path, rows, repair=True))
    assert len(history.bars().ts) == 21
    assert "1 hole of 3 missing rows" in history.notes[0]


def test_repair_does_not_hide_a_file_that_fails_throughout(tmp_path):
    rows = [row.replace("Z,", ",") if number % 3 else row for number, row in enumerate(ROWS)]
    with pytest.raises(DataError, match="16 of 24 rows would be dropped"):
        History.read(write(tmp_path, rows, repair=True))


def test_another_interval_than_said_is_refused(tmp_path):
    with pytest.raises(DataError, match="rows are 2h apart, not 1h") as caught:
        History.read(write(tmp_path, ROWS[::2]))
    assert "interval: 2h" in caught.value.help


FILES = {
    "empty": (b"", None, "", "the file is empty"),
    "only a header": (b"ts,open,high,low,close\n", 1, "", "no rows"),
    "not UTF-8": (HEADER.encode() + b"\n2026-01-01T00:00Z,\xff\n", 2, "", "not UTF-8"),
    "no header": ("\n".join(ROWS).encode(), 1, "", "no header"),
    "semicolons": (b"ts;open;high\n2026-01-01T00:00Z;1;2\n", 1, "", "not separated by commas"),
    "twice": (b"ts,open,open,low,close\n1,2,3,4,5\n", 1, "open", "twice in the header"),
    "no ts": (b"timestamp,open,high,low,close\n1,2,3,4,5\n", 1, "ts", "missing"),
    "open quote": (b'ts,open,high,low,close\n"2026-01-01T00:00Z,1,2,1,2\n', 2, "", "told apart"),
    "no close": (b"ts,open,high,low,closing\n1,2,3,4,5\n", 1, "close", "missing"),
}


@pytest.mark.parametrize("case", FILES)
def test_file_that_is_no_table_is_refused(tmp_path, case):
    data, line, column, said = FILES[case]
    write(tmp_path)
    (tmp_path / "bars.csv").write_bytes(data)
    with pytest.raises(DataError) as caught:
        History.read(tmp_path)
    assert said in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.path.endswith("bars.csv")
    assert caught.value.help


def test_rows_with_the_newest_first_are_told_to_be_sorted(tmp_path):
    write(tmp_path, ROWS[::-1])
    for source in (tmp_path, tmp_path / "bars.csv"):
        with pytest.raises(DataError, match="rows are not in order") as caught:
            History.read(source)
        assert caught.value.line == 3
        assert "sort the rows" in caught.value.help


ESCAPE = "\x1b[2J\x07" + "x" * 5000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEADER}\n{ROWS[0].replace('Z', 'Z' + ESCAPE)}\n{ROWS[1]}\n", "is not a time stamp"),
        (f"{HEADER}\n{ROWS[0].replace('110', ESCAPE)}\n{ROWS[1]}\n", "is not a number"),
        (f"2026{ESCAPE},open\n1,2\n", "no header"),
        (f"ts,{ESCAPE},{ESCAPE}\n1,2,3\n", "stands twice"),
        (f"ts,{ESCAPE},open\n{ROWS[0][:23]},2\n", "missing from the header"),
    ],
)
def test_cell_is_shown_short_and_without_control_characters(tmp_path, text, said):
    write(tmp_path)
    (tmp_path / "bars.csv").write_text(text)
    for source in (tmp_path, tmp_path / "bars.csv"):
        with pytest.raises(DataError, match=said) as caught:
            History.read(source)
        told = str(caught.value)
        assert len(told.replace(str(tmp_path), "")) < 800
        assert told.replace("\n", "").isprintable()


def test_missing_columns_and_files_are_answered_with_the_nearest_name(tmp_path):
    write(tmp_path, header=HEADER.replace("close", "closed"))
    with pytest.raises(DataError) as caught:
        History.read(tmp_path)
    assert caught.value.help == "did you mean 'closed'?"
    (tmp_path / "bars.csv").rename(tmp_path / "bar.csv")
    with pytest.raises(DataError, match="no such file") as caught:
        History.read(tmp_path)
    assert caught.value.help == "did you mean 'bar.csv'?"


def test_byte_order_mark_crlf_and_quotes_are_accepted(tmp_path):
    plain = History.read(write(tmp_path))
    text = "\ufeff" + "\r\n".join([HEADER, *ROWS]) + "\r\n"
    (tmp_path / "bars.csv").write_bytes(text.encode())
    assert History.read(tmp_path).digest == plain.digest
    quoted = ['"' + row.replace(",", '","') + '"' for row in ROWS]
    (tmp_path / "bars.csv").write_text("\n".join([HEADER, *quoted]))
    assert History.read(tmp_path).digest == plain.digest


def test_open_interest_that_changes_its_unit_is_refused(tmp_path):
    write(tmp_path)
    rows = [f"2026-01-01T{hour:02d}:00Z,{90_000 if hour < 12 else 9e9}" for hour in range(24)]
    (tmp_path / "oi.csv").write_text("\n".join(["ts,oi_coins", *rows]))
    with (tmp_path / "scenario.yaml").open("a") as file:
        file.write(
            "  - {file: oi.csv, symbol: BTC, series: oi, unit: coins, interval: 1h,"
            " source: mine, grade: vendor}\n"
        )
    with pytest.raises(DataError, match="the unit changes") as caught:
        History.read(tmp_path)
    assert (caught.value.line, caught.value.column) == (14, "oi_coins")


def test_holes_in_snapshots_are_counted_not_refused(tmp_path):
    write(tmp_path)
    hours = [hour for hour in range(24) if hour not in {7, 8, 15}]
    rows = [f"2026-01-01T{hour:02d}:00Z,90000" for hour in hours]
    (tmp_path / "oi.csv").write_text("\n".join(["ts,oi_coins", *rows]))
    with (tmp_path / "scenario.yaml").open("a") as file:
        file.write(
            "  - {file: oi.csv, symbol: BTC, series: oi, unit: coins, interval: 1h,"
            " available_after: 5m, source: mine, grade: vendor}\n"
        )
    history = History.read(tmp_path)
    assert "2 holes of 3 missing rows" in history.notes[0]
    assert history.series["BTC.oi"].times[0] == instant("2026-01-01T00:05Z")
    assert history.series["BTC.close"].times[0] == instant("2026-01-01T00:00Z") + HOUR
