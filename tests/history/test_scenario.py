from __future__ import annotations

import os

import pytest

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.document import plain
from riskguard.history.stamps import instant

BARS = "ts,open,high,low,close\n2026-01-01T00:00Z,1,2,1,2\n2026-01-01T01:00Z,2,3,2,3\n"
GOOD = """\
name: mine
title: My data
symbol: BTC
mark: {name: the day, at: 2026-01-01T02:00Z}
notes: [one, two]
series:
  - {file: bars.csv, symbol: BTC, series: bars, interval: 1h, stamp: open, source: me,
     grade: vendor}
  - file: oi.csv
    symbol: BTC
    series: oi
    column: oi
    unit: coins
    kind: level
    interval: 1h
    source: me
    grade: vendor
"""


def read(folder, text):
    (folder / "bars.csv").write_text(BARS)
    (folder / "oi.csv").write_text("ts,oi\n2026-01-01T00:00Z,5\n2026-01-01T01:00Z,6\n")
    (folder / "scenario.yaml").write_text(text)
    return History.read(folder)


def test_scenario_says_name_title_mark_and_notes(tmp_path):
    history = read(tmp_path, GOOD)
    assert (history.name, history.title, history.symbol) == ("mine", "My data", "BTC")
    assert history.mark is not None
    assert history.mark.name == "the day"
    assert history.remarks == ("one", "two")
    assert history.series["BTC.oi"].values.tolist() == [5, 6]
    assert set(history.inputs()) == {"open", "high", "low", "close", "oi"}


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "said", "fix"),
    [
        ("title: My", "titel: My", 2, "titel", "unknown key", "did you mean 'title'?"),
        ("    kind: level", "    knid: level", 14, "knid", "unknown key", "'kind'"),
        ("    unit: coins\n", "", 9, "unit", "does not say it", "allowed: price, usd, coins"),
        ("unit: coins", "unit: coin", 13, "unit", "'coin' is unknown", "'coins'"),
        ("unit: coins", "unit: usd", 13, "unit", "oi is in coins, not in usd", "oi_usd"),
        ("kind: level", "kind: flow", 14, "kind", "oi is a level, not a flow", "kind: level"),
        ("    interval: 1h", "    interval: 1", 15, "interval", "'1' is not a time", "4h"),
        ("    source: me\n", "", 9, "source", "does not say it", "source: binance"),
        ("    grade: vendor\n", "", 9, "grade", "does not say it", "exchange"),
        ("    grade: vendor\n", "    grade: good\n", 17, "grade", "'good' is unknown", "allowed"),
        ("stamp: open", "stamp: begin", 7, "stamp", "'begin' is unknown", "open, close"),
        ("stamp: open, ", "", 7, "stamp", "does not say it", "open, close"),
        ("symbol: BTC\nmark", "symbol: btc\nmark", 3, "symbol", "not a symbol", "capitals"),
        ("at: 2026-01-01T02:00Z", "at: 2026-01-01", 4, "at", "not a time stamp", "Z"),
        ("at: 2026-01-01T02:00Z", "at: 2026-01-01T02:00", 4, "at", "no time zone", "+02:00"),
        ("symbol: BTC\n    series", "symbol: BTC\n    symbol: ETH\n    series", 11, "symbol",
         "written twice", "one of the two"),
        ("name: mine", "name: &a mine", 1, "", "anchors and aliases", "write it out"),
        ("name: mine", "name: !!str mine", 1, "", "the tag", "write it out"),
        ("notes: [one, two]", "notes: [one, two", 6, "", "not YAML", ""),
        ("notes: [one, two]", "notes: [one, {a: b}]", 5, "notes", "list of sentences", ""),
        ("series: oi", "series: close", 11, "series", "part of a bar", "series: bars"),
        ("    source: me", "    recipe: published-liquidations\n    source: me", 16, "recipe",
         "makes liq.long", "liq.long"),
        ("    source: me", "    scale: -1\n    source: me", 16, "scale", "not a factor", "0.01"),
        ("    source: me", "    repair: fill\n    source: me", 16, "repair", "'fill'", "drop"),
        ("column: oi", "column: oi_coins", 1, "oi_coins", "missing from the header", "ts, oi"),
        ("file: oi.csv", "file: io.csv", None, "", "no such file", "oi.csv"),
    ],
)  # fmt: skip
def test_mistake_is_named_with_line_column_and_fix(tmp_path, *, old, new, line, column, said, fix):
    assert old in GOOD
    with pytest.raises(DataError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    error = caught.value
    assert said in error.message
    assert (error.line, error.column) == (line, column)
    assert fix in error.help
    assert error.path


@pytest.mark.parametrize("at", ["2026-01-01T00:59Z", "2026-01-01T02:01Z", "2016-01-01T02:00Z"])
def test_mark_outside_the_bars_is_refused(tmp_path, at):
    with pytest.raises(DataError, match="lies outside the bars of BTC") as caught:
        read(tmp_path, GOOD.replace("2026-01-01T02:00Z", at))
    error = caught.value
    assert (error.line, error.column) == (4, "mark")
    assert error.path.endswith("scenario.yaml")
    assert error.help == "their closes run from 2026-01-01T01:00Z to 2026-01-01T02:00Z"


def test_mark_after_what_was_known_is_kept(tmp_path):
    read(tmp_path, GOOD)
    known = History.read(tmp_path, end=instant("2026-01-01T01:00Z"))
    assert known.mark is not None
    assert len(known.bars().ts) == 1


@pytest.mark.parametrize(
    "old",
    ["symbol: BTC\nmark", "unit: coins", "kind: level", "interval: 1h\n", "series: oi", "oi.csv"],
)
@pytest.mark.parametrize("place", ["key", "value"])
def test_word_is_shown_short_and_without_control_characters(tmp_path, old, place):
    word = '"\\e[2J' + "x" * 500 + '"'
    key, _, value = old.partition(": ")
    new = f"{word}: {value}" if place == "key" and value else f"{key}: {word}"
    with pytest.raises(DataError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    error = caught.value
    assert max(map(len, (error.message, error.column))) < 160
    assert f"{error.message}{error.column}".isprintable()


def test_what_is_said_to_people_is_one_line_fit_for_a_terminal(tmp_path):
    odd = GOOD.replace("name: mine", 'name: "mine\\e]0;x\\a\\u202e"')
    odd = odd.replace("title: My data", 'title: "\\e[31mred"').replace(
        "[one,", '["one\\e[2J\\r\\n more",'
    )
    odd = odd.replace("source: me", 'source: "me\\e[5m"').replace(
        "name: the day", 'name: "a\\eday"'
    )
    found = read(tmp_path, odd)
    sources = {one.source for one in found.series.values()}
    assert (found.name, found.title, found.mark.name, *found.remarks, *sources) == (
        "mine\\x1b]0;x\\x07\\u202e", "\\x1b[31mred", "a\\x1bday",
        "one\\x1b[2J more", "two", "me\\x1b[5m",
    )  # fmt: skip


def test_a_file_that_would_be_read_for_ever_is_refused(tmp_path):
    read(tmp_path, GOOD)
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "/dev/zero"):
        with pytest.raises(DataError, match="is no regular file"):
            read(tmp_path, GOOD.replace("oi.csv", name))
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path, GOOD.replace("oi.csv", '"o\\0i.csv"'))


def test_series_given_twice_is_refused(tmp_path):
    twice = GOOD + GOOD[GOOD.index("  - file: oi.csv") :]
    with pytest.raises(DataError, match=r"BTC\.oi is given twice") as caught:
        read(tmp_path, twice)
    assert caught.value.line == 18


def test_folder_without_scenario_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no scenario\.yaml"):
        History.read(tmp_path)


def test_unknown_scenario_is_answered_with_the_nearest_name():
    with pytest.raises(DataError, match="no such scenario") as caught:
        History.read("feb-26")
    assert "did you mean 'feb-2026'?" in caught.value.help


def test_scale_brings_a_column_to_its_unit(tmp_path):
    history = read(tmp_path, GOOD.replace("unit: coins", "unit: coins\n    scale: 1000"))
    assert history.series["BTC.oi"].values.tolist() == [5000, 6000]


def test_series_outside_the_catalogue_says_what_it_is(tmp_path):
    text = GOOD.replace("series: oi\n", "series: stoxx\n").replace("unit: coins", "unit: number")
    spec = read(tmp_path, text).inputs()["stoxx"].spec
    assert (spec.unit, spec.kind, spec.signed) == ("number", "level", False)


def test_bars_to_be_traded_are_known_at_their_close(tmp_path):
    text = GOOD.replace("stamp: open,", "stamp: open, available_after: 1m,")
    with pytest.raises(DataError, match="come 1m late"):
        read(tmp_path, text)
    with pytest.raises(DataError, match="no bars of ETH") as caught:
        read(tmp_path, GOOD).for_symbol("ETH")
    assert "BTC" in caught.value.help


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("a: 1\n---\nb: 2\n", "second document"), ("? [a]\n: 1\n", "must be a word")],
)
def test_document_that_cannot_be_meant_is_refused(text, said):
    with pytest.raises(DataError, match=said):
        plain(text, "scenario.yaml")


def test_document_keeps_every_word_as_written():
    root = plain("a: no\nb: [010, 13:30]\nc: {d: 2026-02-13T00:00Z}\n", "x")
    assert root == {"a": "no", "b": ["010", "13:30"], "c": {"d": "2026-02-13T00:00Z"}}
    assert [key.line for key in root] == [1, 2, 3]


def test_deep_document_is_refused_before_it_hurts():
    with pytest.raises(DataError, match="levels"):
        plain("a: " + "[" * 200 + "]" * 200, "x")
