from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from riskguard.cli.failures import WrongUse
from riskguard.cli.target import json_target

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes of POSIX")
FORMER = '{\n  "schema": "riskguard/report-1",\n'


@pytest.mark.parametrize("text", [None, "-"])
def test_no_file_is_wanted(text: str | None) -> None:
    assert json_target(text, []) is None


def test_a_file_that_is_new_or_there_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert json_target(str(path), []) == path
    path.write_text("old")
    assert json_target(str(path), [tmp_path / "rules.yaml"]) == path


@pytest.mark.parametrize(
    ("place", "said"),
    [(".", "is a folder"), ("no/report.json", "does not exist"), ("r" * 300, "cannot be written")],
)
def test_a_place_that_takes_no_report_is_refused(tmp_path: Path, place: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        json_target(str(tmp_path / place), [])


@posix
def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("here")
        with pytest.raises(WrongUse, match="is a socket"):
            json_target("here", [])


@posix
def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(WrongUse, match="leads nowhere"):
        json_target(str(tmp_path / "loop"), [])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that takes no file")
def test_a_folder_that_takes_no_file_is_refused_even_for_root() -> None:
    with pytest.raises(WrongUse, match="cannot be written"):
        json_target("/proc/report.json", [])


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(WrongUse, match="cannot be written to"):
        json_target(str(path), [])
    tmp_path.chmod(0o555)
    with pytest.raises(WrongUse, match="cannot be written: Permission denied"):
        json_target(str(tmp_path / "new.json"), [])
    tmp_path.chmod(0o755)


@posix
@pytest.mark.parametrize("way", ["itself", "link", "hard link"])
def test_an_input_is_never_replaced(tmp_path: Path, way: str) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\n")
    path = tmp_path / "report.json"
    if way == "itself":
        path = rules
    elif way == "link":
        path.symlink_to(rules)
    else:
        os.link(rules, path)
    with pytest.raises(WrongUse, match="would replace what is read"):
        json_target(str(path), [tmp_path / "nothing.py", rules])


def test_files_in_a_folder_of_data_are_inputs_but_a_former_report_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    bars, report = folder / "deep" / "bars.csv", folder / "report.json"
    bars.write_text("ts,close\n")
    with pytest.raises(WrongUse, match="would replace what is read"):
        json_target(str(bars), [folder])
    assert json_target(str(report), [folder]) == report
    report.write_text(FORMER)
    assert json_target(str(report), [folder]) == report


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    text = "version: 1\nrules:\n  r:\n    when: close.drop(24h) >= 8%\n"
    path.write_text(text + "    do: {exposure_cap: 40%}\n")
    return path


@pytest.mark.parametrize("name", ["rules.yaml", "BTCUSDT-4h.csv", "mine.py"])
def test_a_run_refuses_to_write_over_what_it_reads(riskguard, rules: Path, name: str) -> None:
    csv, mine = rules.with_name("BTCUSDT-4h.csv"), rules.with_name("mine.py")
    csv.write_text("no bars, never read\n")
    mine.write_text("raise SystemError('never loaded')\n")
    before = {path: path.read_bytes() for path in rules.parent.iterdir()}
    code, out, err = riskguard(
        "backtest", "--data", csv, "--rules", rules, "--strategy", f"{mine}:Mine",
        "--json", rules.with_name(name),
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert "would replace what is read" in err
    assert {path: path.read_bytes() for path in rules.parent.iterdir()} == before


def test_a_file_that_a_scenario_names_is_an_input_wherever_it_lies(riskguard, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    outside = tmp_path / "bars.csv"
    outside.write_text("ts,open,high,low,close\n")
    (tmp_path / "data" / "scenario.yaml").write_text(
        "symbol: BTC\nseries:\n  - {file: ../bars.csv, symbol: BTC, series: bars, unit: price,"
        " interval: 4h, stamp: open, source: me, grade: exchange, coverage: full}\n"
    )
    code, _, err = riskguard("backtest", "--data", tmp_path / "data", "--json", outside)
    assert code == 2
    assert "would replace what is read" in err
    assert outside.read_text() == "ts,open,high,low,close\n"


@posix
def test_a_pipe_is_written_to_and_stays_a_pipe(riskguard, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    code, out, err = riskguard("backtest", "-q", "--json", pipe)
    reader.join(10)
    assert (code, out, err) == (0, "NOT SHOWN: mechanics only, in-sample\n", "")
    assert got[0].startswith(FORMER)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
