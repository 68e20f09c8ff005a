from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  lost: {when: close < 75_000 for 2 closes, clear: close > 76_000, do: {block_entries: long}}
"""
TEST = """\
version: 1
rules: btc.yaml
every: 1h
start: 2026-01-01T00:00Z
cases:
  - name: two closes under support
    series: {close: "80_000 x4, 74_000 x4"}
    expect: [{first: {rule: lost}, between: 5h..5h}]
  - name: one is not enough
    series: {close: "80_000 x4, 74_000, 80_000 x4"}
    expect: [{never: {rule: lost}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "btc.yaml").write_text(RULES)
    (tmp_path / "btc_test.yaml").write_text(TEST)
    return tmp_path


def broken(folder: Path) -> Path:
    file = folder / "btc_test.yaml"
    file.write_text(TEST.replace("between: 5h..5h", "between: 4h..4h"))
    return file


@pytest.mark.parametrize("given", ["btc_test.yaml", "btc.yaml", "."])
def test_test_file_rule_file_and_folder_mean_the_same(
    riskguard: Callable[..., Any], folder: Path, given: str
) -> None:
    done = riskguard("test", folder / given)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "2 of 2 cases passed in 1 file"


def test_without_paths_this_folder_is_meant(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert riskguard("test").code == 0


@pytest.mark.parametrize("name", ["feb-2026", "pack:feb-2026", "pack:feb-2026@1"])
def test_pack_is_known_by_its_name(riskguard: Callable[..., Any], name: str) -> None:
    assert riskguard("test", name).code == 0


def test_failure_shows_the_line_a_strip_of_seven_bars_and_where_it_would_hold(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken(folder).parent)
    done = riskguard("test", "btc.yaml")
    assert done.code == 1
    assert (
        "btc_test.yaml:8:14: expected rule lost first between 4h and 4h; it came at 5h\n"
        "  |\n8 |     expect: [{first: {rule: lost}, between: 4h..4h}]\n"
        "  |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n\n"
    ) in done.out
    assert "it would hold first at 5h" in done.out
    strip = next(line for line in done.out.splitlines() if line.startswith("  bar "))
    assert strip.split() == ["bar", *(f"{hour}h" for hour in range(1, 8))]
    assert max(map(len, done.out.splitlines())) <= 80
    assert "1 of 2 cases passed" in done.out


def test_strip_has_a_row_for_each_field_that_is_expected(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    file = folder / "btc_test.yaml"
    wanted = "{at: 5h, exposure_cap: 50%, leverage_cap: 2x, stop: none, close: all, latched: true}"
    file.write_text(TEST.replace("{first: {rule: lost}, between: 5h..5h}", wanted))
    strip = riskguard("test", file).out.split("\n\n")[1]
    rows = {line[2:14].strip(): line[14:].split() for line in strip.splitlines()}
    assert rows["exposure_cap"] == ["100%"] * 7
    assert rows["leverage_cap"] == ["none"] * 7
    assert rows["latched"] == ["false"] * 7
    assert {"stop", "close"} <= rows.keys()
    assert "blocked" not in rows
    assert max(map(len, strip.splitlines())) <= 80


def test_survivors_are_told_line_by_line_within_80_columns(
    riskguard: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = riskguard("test", "btc.yaml", "--coverage", "--mutate")
    assert done.out == (
        "ok   two closes under support\n"
        "ok   one is not enough\n"
        "coverage: 2 of 2 lines seen both true and false\n"
        "  TF- close < 75_000 for 2 closes  (never unknown; btc.yaml:5)\n"
        "  TF- close > 76_000  (never unknown; btc.yaml:5)\n"
        "mutation score 57.1%: 4 of 7 mutants killed\n"
        "  close > 76_000  (btc.yaml:5)\n"
        "      survived: threshold x 0.9, threshold x 1.1, comparison turned round\n"
        "2 of 2 cases passed in 1 file\n"
    )


def test_line_that_no_case_gives_the_input_of_says_so(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    rules = RULES + "  flush: {when: oi <= 5, clear: oi >= 6, do: {close: all}}\n"
    (folder / "btc.yaml").write_text(rules)
    out = riskguard("test", folder, "--coverage").out
    assert "--U oi <= 5  (never given: oi;" in out


def test_folder_means_all_below_it(
    riskguard: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "more" / "deep").mkdir(parents=True)
    for name in ("btc.yaml", "btc_test.yaml"):
        (tmp_path / "more" / "deep" / name).write_bytes((folder / name).read_bytes())
    assert riskguard("test", tmp_path).out.endswith("4 of 4 cases passed in 2 files\n")


def test_several_files_are_told_apart(riskguard: Callable[..., Any], folder: Path) -> None:
    (folder / "more_test.yaml").write_text(TEST.replace("rule: lost", "rule: losst"))
    done = riskguard("test", folder)
    assert done.code == 1
    heads = [line for line in done.out.splitlines() if line.endswith("_test.yaml")]
    assert heads == [str(folder / "btc_test.yaml"), str(folder / "more_test.yaml")]
    last = done.out.splitlines()[-1]
    assert last == "2 of 2 cases passed in 1 file; 1 file with errors: no case of it was run"


def test_json_tells_everything(riskguard: Callable[..., Any], folder: Path) -> None:
    done = riskguard("test", folder, "--coverage", "--mutate", "--json")
    told = json.loads(done.out)
    (file,) = told["files"]
    assert told["passed"]
    assert [case["passed"] for case in file["cases"]] == [True, True]
    assert {line["path"] for line in file["coverage"]} == {str(folder / "btc.yaml")}
    assert {line["seen"] for line in file["coverage"]} <= {"TF-", "T--", "-F-"}
    assert file["mutation"]["killed"] + len(file["mutation"]["survivors"]) == 7


def test_json_says_of_a_failure_where_it_would_hold(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    told = json.loads(riskguard("test", broken(folder), "--json").out)
    assert told["files"][0]["cases"][0]["failures"] == [
        {
            "line": 8,
            "message": "expected rule lost first between 4h and 4h; it came at 5h",
            "notes": [],
            "would_hold": "first at 5h",
        }
    ]


def test_minima_set_the_exit_code(riskguard: Callable[..., Any], folder: Path) -> None:
    assert riskguard("test", folder, "--min-mutation", "10", "--min-coverage", "50").code == 0
    short = riskguard("test", folder, "--min-mutation", "100")
    assert short.code == 1
    assert "is below 100%" in short.out


def test_junit_holds_every_case(riskguard: Callable[..., Any], folder: Path) -> None:
    broken(folder)
    target = folder / "junit.xml"
    assert riskguard("test", folder, "--junit", target).code == 1
    root = ET.parse(target).getroot()
    suite = root.find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.find("failure") is not None for case in suite] == [True, False]


def test_file_with_errors_fails_with_their_places(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    (folder / "btc_test.yaml").write_text(TEST.replace("rule: lost", "rule: loost"))
    done = riskguard("test", folder, "--junit", folder / "junit.xml")
    assert done.code == 1
    assert "error[RG702] unknown rule 'loost'" in done.out
    assert ET.parse(folder / "junit.xml").getroot().find("testsuite").get("errors") == "1"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.yaml"], "there is no file nothing.yaml"),
        (["balansed"], "did you mean pack:balanced?"),
        (["pack:balanced@2"], "no pack has a version 2: write pack:balanced@1"),
        (["alone.yaml"], "has no test beside it (alone_test.yaml)"),
        (["empty"], "no test file"),
        (["btc.yaml", "--junit", "no/such/junit.xml"], "in a folder that does not exist"),
        (["btc.yaml", "--junit", "-"], "is no file"),
        (["btc.yaml", "--junit", ""], "--junit is empty"),
        (["btc.yaml", "--junit", "junit.yaml"], "is the name of a rule file"),
        pytest.param(
            ["btc.yaml", "--junit", "/dev/full"],
            "--junit /dev/full cannot be written",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device"),
        ),
        (["btc.yaml", "--min-coverage", "abc"], "--min-coverage: 'abc' is not a number"),
        (["btc.yaml", "--min-mutation", "nan"], "--min-mutation: 'nan' is not from 0 to 100"),
        (["btc.yaml", "--junit", "btc_test.yaml"], "would replace what is read"),
        (["btc.yaml", "--min-coverage", "150"], "--min-coverage"),
    ],
)
def test_wrong_use_is_said_with_its_fix(
    riskguard: Callable[..., Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(folder)
    (folder / "alone.yaml").write_text(RULES)
    (folder / "empty").mkdir()
    done = riskguard("test", *arguments)
    assert done.code == 2
    assert told in done.err
    assert (folder / "btc_test.yaml").read_text() == TEST
