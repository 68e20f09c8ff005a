"""`--files`: the files of a scenario lie in another folder than its description."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backtest.evidence.daily import daily_file, rules_file

EVENT = ("--fall", "10%", "--within", "7d")
SCENARIO = """\
name: apart
title: Files in a folder of their own
symbol: BTC
series:
  - {file: bars/BTCUSDT-1d.csv, symbol: BTC, series: bars, unit: price, interval: 1d, stamp: open,
     source: simulated, scope: spot, grade: exchange, coverage: full}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with rules, a description in `told`, its files in `store/bars`."""
    for folder in ("told", "store/bars"):
        (tmp_path / folder).mkdir(parents=True)
    daily_file(tmp_path / "store" / "bars", 3)
    rules_file(tmp_path)
    (tmp_path / "told" / "scenario.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


APART = ("--data", "told", "--files", "store")
RUNS = [
    ("study", "rules.yaml", *EVENT),
    ("plan", "rules.yaml", *EVENT),
    ("backtest", "--rules", "rules.yaml", "--quiet"),
    ("verify", "rules.yaml", "--cuts", "3"),
]


@pytest.mark.parametrize("words", RUNS, ids=lambda words: words[0])
def test_names_count_from_the_folder_that_is_named(riskguard, place, words) -> None:
    code, out, err = riskguard(*words, *APART[:2])
    assert (code, out) == (1, "")
    assert "told/bars/BTCUSDT-1d.csv: error: no such file" in err
    code, out, err = riskguard(*words, *APART)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.parametrize("words", RUNS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--data", "told", "--files", "nowhere"), "--files nowhere is no folder"),
        (("--data", "told", "--files", "rules.yaml"), "--files rules.yaml is no folder"),
        (("--data", "told", "--files", ""), "--files is empty"),
        (("--data", "store/bars/BTCUSDT-1d.csv", "--files", "store"), "for a folder with scenario"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_wrong_use(riskguard, place, words, more, told) -> None:
    code, out, err = riskguard(*words, *more)
    assert (code, out) == (2, "")
    assert told in err
    assert not (place / "plan.yaml").exists()


def test_a_plan_remembers_where_its_files_are_and_moves_with_them(riskguard, place) -> None:
    assert riskguard("plan", "rules.yaml", *EVENT, *APART).code == 0
    moved = place.with_name(f"{place.name}-moved")
    place.rename(moved)
    code, out, err = riskguard("backtest", "--preregister", moved / "plan.yaml")
    assert (code, err) == (0, "")
    assert "nothing changed since" in out
    (moved / "store").rename(moved / "elsewhere")
    code, out, err = riskguard("backtest", "--preregister", moved / "plan.yaml")
    assert (code, out) == (2, "")
    assert "say where they are: --files FOLDER" in err
    again = ("--preregister", moved / "plan.yaml", "--files", moved / "elsewhere")
    code, out, err = riskguard("backtest", *again)
    assert (code, err) == (0, "")
    assert "nothing changed since" in out


def test_a_plan_without_it_is_written_as_before(riskguard, place) -> None:
    (place / "bars").symlink_to(place / "store" / "bars")
    text = SCENARIO.replace("file: bars", "file: ../bars")
    (place / "told" / "scenario.yaml").write_text(text)
    assert riskguard("plan", "rules.yaml", *EVENT, "--data", "told").code == 0
    assert "files" not in (place / "plan.yaml").read_text()


@pytest.mark.parametrize("words", [RUNS[0], RUNS[2]], ids=lambda words: words[0])
def test_no_report_replaces_a_file_that_is_read_there(riskguard, place, words) -> None:
    bars = place / "store" / "bars" / "BTCUSDT-1d.csv"
    before = bars.read_bytes()
    code, out, err = riskguard(*words, *APART, "--json", bars)
    assert (code, out) == (2, "")
    assert "would replace what is read" in err
    assert bars.read_bytes() == before
