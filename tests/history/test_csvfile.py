from __future__ import annotations

import os
from socket import AF_UNIX, socket
from threading import Thread

import numpy as np
import pytest

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.csvfile import symbol_of
from riskguard.history.stamps import instant
from riskguard.market import DAY, HOUR


def table(columns, rows=24, step=HOUR, start="2026-01-01T00:00Z"):
    times = np.datetime64(start[:-1], "m") + np.arange(rows) * np.timedelta64(step // 10**9, "s")
    lines = [f"ts,open,high,low,close{''.join(',' + name for name in columns)}"]
    for number, time in enumerate(times):
        extra = "".join(f",{number}" for _ in columns)
        lines.append(f"{time}Z,100,110,90,105{extra}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def write(tmp_path):
    def written(text, name="BTCUSDT-1h.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def test_bars_alone_are_enough(write):
    history = History.read(write(table([])))
    assert (history.symbol, history.every, history.name) == ("BTC", HOUR, "BTCUSDT-1h")
    assert int(history.bars().ts[0]) == instant("2026-01-01T01:00Z")
    assert np.isnan(history.bars().volume).all()
    assert "taken as the open" in history.notes[0]
    series = history.series["BTC.close"]
    assert (series.source, series.grade) == ("file", "vendor")


def test_columns_are_found_by_their_name_and_by_their_column(write):
    columns = ["volume", "oi", "oi_usd", "liq_long_usd", "liq_short", "fear_greed", "basis"]
    history = History.read(write(table(columns)))
    assert set(history.inputs()) == {
        *("open", "high", "low", "close", "volume"),
        *("oi", "oi_usd", "liq.long", "liq.short", "fear_greed", "basis"),
    }
    assert history.series["*.fear_greed"].times[0] == instant("2026-01-01T01:00Z")
    assert all(held.source == "file" for held in history.inputs().values())


def test_unknown_columns_are_said_not_guessed(write):
    history = History.read(write(table(["oi_usdd", "equity"])))
    assert "oi_usdd (did you mean 'oi_usd'?)" in history.notes[-1]
    assert "equity" in history.notes[-1]


def test_two_columns_of_one_series_are_refused(write):
    with pytest.raises(DataError, match="the same series as 'oi'") as caught:
        History.read(write(table(["oi", "oi_coins"])))
    assert (caught.value.line, caught.value.column) == (1, "oi_coins")


def test_funding_is_read_at_settlements_only(write):
    history = History.read(write(table(["funding_rate"], rows=48)))
    funding = history.series["BTC.funding"]
    assert (funding.times % (8 * HOUR)).tolist() == [0] * 6
    assert any("a rate per 8h" in note for note in history.notes)


def blanked(text, column, rows):
    """Return the table with the cells of a column blank but in `rows`."""
    header, *lines = [line.split(",") for line in text.splitlines()]
    for number, cells in enumerate(lines):
        if number not in rows:
            cells[header.index(column)] = ""
    return "\n".join(",".join(cells) for cells in [header, *lines])


@pytest.mark.parametrize(
    ("rows", "pace"),
    [
        (range(0, 48, 8), 8 * HOUR),
        (range(3, 48, 8), 8 * HOUR),
        (range(0, 48, 4), 4 * HOUR),
        (range(0, 48, 2), 2 * HOUR),
        ([0, 4, 8, 16, 20, 24], 8 * HOUR),
        ([0, 12, 36], 18 * HOUR),
        ([5], 8 * HOUR),
    ],
)
def test_funding_is_read_where_it_is_given(write, rows, pace):
    text = blanked(table(["funding_rate"], rows=48), "funding_rate", rows)
    history = History.read(write(text))
    funding = history.series["BTC.funding"]
    first = instant("2026-01-01T01:00Z")
    assert funding.times.tolist() == [first + row * HOUR for row in rows]
    assert funding.values.tolist() == list(rows)
    assert funding.spec.interval == pace
    assert len(history.bars().ts) == 48
    said = f"funding_rate: {48 - len(rows)} of 48 cells blank, no new value there"
    assert any(said in note for note in history.notes)
    assert not any("08:00" in note for note in history.notes)


def test_funding_carried_from_row_to_row_is_read_at_settlements_despite_a_blank(write):
    text = blanked(table(["funding"], rows=48), "funding", set(range(48)) - {5})
    history = History.read(write(text))
    assert (history.series["BTC.funding"].times % (8 * HOUR)).tolist() == [0] * 6
    assert any("funding: 1 of 48 cells blank" in note for note in history.notes)


def test_blank_cell_of_a_level_is_no_new_value(write):
    text = blanked(table(["oi", "fear_greed"], rows=48), "oi", set(range(48)) - {7, 8, 9, 20})
    history = History.read(write(blanked(text, "fear_greed", [0, 24])))
    oi, mood = history.series["BTC.oi"], history.series["*.fear_greed"]
    assert (len(oi.values), oi.spec.interval) == (44, HOUR)
    ts = instant("2026-01-01T00:00Z") + np.arange(7, 13) * HOUR
    assert history.aligned("oi", ts).tolist()[:3] == [6, 6, 6]
    assert np.isnan(history.aligned("oi", ts)).tolist() == [False] * 3 + [True, False, False]
    assert (mood.values.tolist(), mood.spec.interval) == ([0, 24], DAY)
    assert [note for note in history.notes if "blank" in note] == [
        "BTCUSDT-1h.csv: oi: 4 of 48 cells blank, no new value there",
        "BTCUSDT-1h.csv: fear_greed: 46 of 48 cells blank, no new value there",
    ]


def test_column_that_is_all_blank_is_not_used(write):
    history = History.read(write(blanked(table(["oi"]), "oi", [])))
    assert "BTC.oi" not in history.series
    assert "oi (all blank)" in history.notes[-1]


@pytest.mark.parametrize("column", ["volume", "liq_long_usd", "close"])
def test_bars_and_flows_must_be_complete(write, column):
    text = blanked(table(["volume", "liq_long_usd"]), column, set(range(24)) - {5})
    with pytest.raises(DataError, match="empty cell") as caught:
        History.read(write(text))
    assert (caught.value.line, caught.value.column) == (7, column)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1h.csv", "BTC"),
        ("ETH-4h.csv", "ETH"),
        ("solusdc_5m.csv", "SOL"),
        ("USDT-1h.csv", "USDT"),
        ("XRPUSD.csv", "XRP"),
        ("2026.csv", "ASSET"),
        ("-.csv", "ASSET"),
    ],
)
def test_symbol_comes_from_the_file_name(name, symbol):
    assert symbol_of(name) == symbol


def test_symbol_can_be_said(write):
    path = write(table([]), "mine.csv")
    assert History.read(path, symbol="BTC").symbol == "BTC"
    with pytest.raises(DataError, match="'btc' is not a symbol"):
        History.read(path, symbol="btc")


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("data.csv", "symbol DATA is taken from the file name; --symbol SYMBOL says otherwise"),
        ("USTC-1h.csv", "symbol USTC is taken from the file name; --symbol SYMBOL says otherwise"),
        ("2026.csv", "no file name tells the symbol: ASSET; --symbol SYMBOL says otherwise"),
        ("BTC.csv", ""),
        ("sol_1h.csv", ""),
        ("DOGEUSDT-1h.csv", ""),
        ("linkusd.csv", ""),
    ],
)
def test_symbol_that_is_guessed_is_told(write, name, note):
    path = write(table([]), name)
    told = [said for said in History.read(path).notes if "symbol" in said]
    assert told == ([note] if note else [])
    assert not any("symbol" in said for said in History.read(path, symbol="DATA").notes)


@pytest.fixture
def pipe(tmp_path):
    """Return the path of a named pipe into which a text is written from another thread."""
    writers = []

    def opened(text, name="bars"):
        os.mkfifo(tmp_path / name)
        writers.append(Thread(target=(tmp_path / name).write_text, args=(text,), daemon=True))
        writers[-1].start()
        return tmp_path / name

    yield opened
    for writer in writers:
        writer.join(5)


def test_pipe_is_read_as_a_csv_file(pipe):
    history = History.read(pipe(table(["oi"])))
    assert (history.symbol, history.every, len(history.bars().ts)) == ("ASSET", HOUR, 24)
    assert "no file name tells the symbol" in history.notes[0]
    assert History.read(pipe(table([]), "BTCUSDT-1h")).symbol == "BTC"
    assert History.read(pipe(table([]), "mine"), symbol="ETH").symbol == "ETH"


def test_spoilt_pipe_is_named_and_its_repair_is_a_file(pipe):
    with pytest.raises(DataError, match="line 25 has 3 cells") as caught:
        History.read(pipe(table([])[:-11]))
    assert "give a folder with bars.csv and a scenario.yaml" in caught.value.help
    with pytest.raises(DataError, match="empty") as caught:
        History.read(pipe("", "nothing"))
    assert "a pipe can be read once" in caught.value.help


def test_what_is_neither_file_nor_pipe_is_refused(tmp_path):
    with socket(AF_UNIX) as made:
        made.bind(str(tmp_path / "door"))
        with pytest.raises(DataError, match="neither a folder, a file nor a pipe") as caught:
            History.read(tmp_path / "door")
    assert "a CSV file" in caught.value.help


def test_step_must_be_constant(write):
    lines = table([]).splitlines()
    del lines[7]
    with pytest.raises(DataError, match="1 of the rows every 1h missing") as caught:
        History.read(write("\n".join(lines)))
    assert caught.value.line == 8
    with pytest.raises(DataError, match="interval cannot be seen"):
        History.read(write("\n".join(lines[:2])))


@pytest.mark.parametrize(
    ("row", "text", "said", "fix"),
    [
        (3, "2026-01-01T03:00Z,100", "line 5 has 2 cells, the header has 5", "cut off here"),
        (3, "2026-01-01T03:00Z,100,110,90,105,", "line 5 has 6 cells", "remove the extra comma"),
        (23, "2026-01-01T2", "line 25 has 1 cell, the header has 5", "fetch it again"),
        (3, "", "empty line", "remove the line"),
        (3, "  ", "empty line", "remove the line"),
        (3, ",,,,", "an empty cell is not a time stamp", "2025-12-01T00:00Z"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_line_that_does_not_fit_the_header_is_named(write, *, row, text, said, fix, quote):
    lines = table([]).splitlines()
    lines[0] = lines[0].replace("close", f"{quote}close{quote}")
    lines[row + 1] = text
    with pytest.raises(DataError) as caught:
        History.read(write("\n".join(lines)))
    assert said in caught.value.message
    assert caught.value.line == row + 2
    assert fix in caught.value.help


def test_commas_at_the_end_of_every_row_but_the_header_are_named(write):
    header, *rows = table([]).splitlines()
    with pytest.raises(DataError, match="line 2 has 6 cells, the header has 5") as caught:
        History.read(write("\n".join([header, *(f"{row}," for row in rows)])))
    assert "remove the extra comma" in caught.value.help
    assert "scenario.yaml" not in caught.value.help


def test_blank_lines_count_before_the_end_only(write):
    assert len(History.read(write(table([]) + "  \n\r\n\n")).bars().ts) == 24
    with pytest.raises(DataError, match="empty line") as caught:
        History.read(write("\n" + table([])))
    assert caught.value.line == 1


def test_comma_at_the_end_of_every_line_is_an_unused_column(write):
    history = History.read(write(table([]).replace("\n", ",\n")))
    assert history.notes[-1] == "BTCUSDT-1h.csv: columns not used: one without a name"


@pytest.mark.parametrize("spoil", ["hole", "short", "duplicate", "text", "stamp"])
@pytest.mark.parametrize("name", ["BTCUSDT-1h.csv", 'my: {data}, "1h".csv'])
def test_the_repair_that_is_offered_can_be_copied(write, tmp_path, spoil, name):
    lines = table(["volume"]).splitlines()
    spoilt = {
        "hole": [],
        "short": [lines[7][:12]],
        "duplicate": [lines[6]],
        "text": [lines[7].replace("105", "about 105")],
        "stamp": [lines[7].replace("Z", "")],
    }
    lines[7:8] = spoilt[spoil]
    with pytest.raises(DataError) as caught:
        History.read(write("\n".join(lines), name))
    said, _, scenario = caught.value.help.partition("of this one line: ")
    assert "give a folder with" in said
    (tmp_path / "scenario.yaml").write_text(scenario)
    repaired = History.read(tmp_path)
    assert len(repaired.bars().ts) == 23
    assert repaired.notes


def test_bars_off_the_grid_of_their_interval_are_refused(write):
    with pytest.raises(DataError, match="a bar of 1d closes at 2026-01-02T05:00Z"):
        History.read(write(table([], step=DAY, start="2026-01-01T05:00Z")))


def test_milliseconds_and_offsets_are_the_same_instants(write):
    text = table([])
    plain = History.read(write(text))
    assert History.read(write(text.replace("Z,", "+00:00,"))).digest == plain.digest
    lines = text.splitlines()
    first = instant("2026-01-01T00:00Z") // 10**6
    for number in range(24):
        rest = lines[number + 1].split(",", 1)[1]
        lines[number + 1] = f"{first + number * 3_600_000},{rest}"
    assert History.read(write("\n".join(lines))).digest == plain.digest
