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


def test_pack_is_known_by_its_name(riskguard: Callable[..., Any]) -> None:
    assert riskguard("test", "feb-2026").code == 0


def test_failure_shows_the_line_a_strip_of_seven_bars_and_where_it_would_hold(
    riskguard: Callable[..., Any], folder: Path
) -> None:
    done = riskguard("test", broken(folder))
    assert done.code == 1
    assert f"{folder / 'btc_test.yaml'}:8:14: expected rule lost first" in done.out
    assert "it would hold first at 5h" in done.out
    strip = next(line for line in done.out.splitlines() if line.startswith("  bar "))
    assert strip.split() == ["bar", *(f"{hour}h" for hour in range(1, 8))]
    assert max(map(len, done.out.split("\n\n")[1].splitlines())) <= 80
    assert "1 of 2 cases passed" in done.out


def test_json_tells_everything(riskguard: Callable[..., Any], folder: Path) -> None:
    done = riskguard("test", folder, "--coverage", "--mutate", "--json")
    told = json.loads(done.out)
    (file,) = told["files"]
    assert told["passed"]
    assert [case["passed"] for case in file["cases"]] == [True, True]
    assert {line["seen"] for line in file["coverage"]} <= {"TF-", "T--", "-F-"}
    assert file["mutation"]["killed"] + len(file["mutation"]["survivors"]) == 7


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
        (["nothing.yaml"], "there is no file or pack 'nothing.yaml'"),
        (["balansed"], "there is no file or pack"),
        (["alone.yaml"], "has no test beside it (alone_test.yaml)"),
        (["empty"], "no test file"),
        (["btc.yaml", "--junit", "no/such/junit.xml"], "cannot be written"),
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
