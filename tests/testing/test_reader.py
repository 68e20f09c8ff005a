from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.testing.reader import read_cases, read_cases_text

RULES = """\
version: 1
symbol: BTC
symbols: [BTC, ETH]
every: 1h
rules:
  lost: {when: close < 75_000, clear: close > 76_000, do: {block_entries: long}}
  flush: {when: oi.change(4h) <= -4%, clear: oi.change(4h) >= -1%, do: {exposure_cap: 50%}}
stages:
  - {stage: watch, enter: close < 70_000, recover: close > 71_000, do: {exposure_cap: 80%}}
"""
HEAD = """\
version: 1
rules: rules.yaml
every: 1h
start: 2026-01-01T00:00Z
cases:
"""
GOOD = '  - name: x\n    series: {close: "80_000 x3, 70_000 x3"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def found(folder: Path, text: str) -> list[tuple[str, int, int]]:
    _, diagnostics = read_cases_text(text, str(folder / "rules_test.yaml"))
    return [(one.code, one.line, one.column) for one in diagnostics]


def test_file_without_faults_is_read(folder: Path) -> None:
    text = (
        HEAD + GOOD + "    expect: [{at: 5h, active: [lost]}, {never: {stage: watch}, after: 4h}]\n"
    )
    cases, diagnostics = read_cases_text(text, str(folder / "rules_test.yaml"))
    assert diagnostics == []
    assert cases is not None
    assert [one.kind for one in cases.cases[0].expect] == ["at", "never"]
    assert cases.cases[0].bars == 6


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        # unequal lengths
        (HEAD + '  - name: x\n    series: {close: "1 x3", oi: "1 x4"}\n'
         "    expect: [{at: 1h, active: []}]\n", "RG701", (7, 29)),
        # unknown rule, stage, input, symbol
        (HEAD + GOOD + "    expect: [{at: 1h, active: [losst]}]\n", "RG702", (8, 32)),
        (HEAD + GOOD + "    expect: [{at: 1h, stage: wacth}]\n", "RG702", (8, 30)),
        (HEAD + '  - name: x\n    series: {clsoe: "1 x3"}\n    expect: [{at: 1h, active: []}]\n',
         "RG702", (7, 14)),
        (HEAD + '  - name: x\n    series: {close: "1 x3", XTH.close: "1 x3"}\n'
         "    expect: [{at: 1h, active: []}]\n", "RG702", (7, 29)),
        # beyond the series, between bars, an empty span
        (HEAD + GOOD + "    expect: [{at: 9h, active: []}]\n", "RG703", (8, 19)),
        (HEAD + GOOD + "    expect: [{at: 90m, active: []}]\n", "RG703", (8, 19)),
        (HEAD + GOOD + "    expect: [{always: {rule: lost}, between: 3h..9h}]\n", "RG703", (8, 50)),
        (HEAD + GOOD + "    expect: [{always: {rule: lost}, between: 3h..2h}]\n", "RG703", (8, 46)),
        # nothing expected
        (HEAD + GOOD, "RG704", (6, 5)),
        (HEAD + GOOD + "    expect: []\n", "RG704", (8, 5)),
        (HEAD + GOOD + "    expect: [{at: 1h}]\n", "RG704", (8, 14)),
        (HEAD + GOOD + "    expect: [{stage: watch}]\n", "RG704", (8, 14)),
        # written otherwise
        (HEAD + GOOD + "    expect: {at: 1h, active: []}\n", "RG135", (8, 5)),
        (HEAD + GOOD + "    expect: [{at: 10, active: []}]\n", "RG111", (8, 19)),
        (HEAD.replace("T00:00Z", "") + GOOD, "RG506", (4, 8)),
        (HEAD + GOOD.replace("name", "it") + "    expect: [{at: 1h, active: []}]\n",
         "RG123", (6, 5)),
        # an input that never comes
        (HEAD + GOOD + "    expect: [{first: {rule: flush}, between: 1h..3h}]\n", "RG705", (8, 14)),
        (HEAD + GOOD + "    expect: [{never: {rule: flush}}]\n", "RG705", (8, 14)),
        # the file
        (HEAD.replace("rules.yaml", "rule.yaml") + GOOD, "RG005", (2, 8)),
        (HEAD.replace("00Z", "00") + GOOD, "RG506", (4, 8)),
        (HEAD.replace("1h", "2h") + GOOD, "RG514", (3, 8)),
        (HEAD.replace("version: 1", "version: 2"), "RG141", (1, 10)),
        (HEAD.replace("every", "evry") + GOOD + "    expect: [{at: 1h, active: []}]\n",
         "RG123", (3, 1)),
        (HEAD + "  - name: x\n    serie: {close: 1 x3}\n    expect: [{at: 1h, active: []}]\n",
         "RG123", (7, 5)),
        (HEAD + GOOD + "    expect: [{at: 1h, blocked: longs}]\n", "RG127", (8, 32)),
        (HEAD + GOOD + "    expect: [{at: 1h, exposure_cap: 0.5}]\n", "RG303", (8, 37)),
        # bars that never close, times that mean nothing
        (HEAD.replace("T00:00", "T00:30") + GOOD, "RG703", (4, 8)),
        (HEAD.replace("2026", "9999") + GOOD, "RG506", (4, 8)),
        (HEAD.replace("every: 1h", "every: 0h") + GOOD, "RG205", (3, 8)),
        (HEAD.replace("every: 1h", "every: -1h") + GOOD, "RG108", (3, 8)),
        # a comma that cuts a series short, one series twice
        (HEAD + GOOD.replace('"', "") + "    expect: [{at: 1h, active: []}]\n", "RG113", (7, 32)),
        (HEAD + GOOD.replace("}", ", BTC.close: 1 x6}") + "    expect: [{at: 1h, active: []}]\n",
         "RG122", (7, 5)),
        (HEAD + GOOD + "    data: made.csv\n    expect: [{at: 1h, active: []}]\n",
         "RG131", (8, 5)),
        (HEAD + GOOD.replace("close", "oi") + "    expect: [{at: 1h, active: []}]\n",
         "RG704", (7, 5)),
        # packs and symbols
        (HEAD.replace("rules.yaml", "pack:feb-2025@1") + GOOD, "RG604", (2, 8)),
        (HEAD.replace("rules.yaml", "pack:feb-2026") + GOOD, "RG604", (2, 8)),
        (HEAD.replace("rules.yaml", "feb-2026") + GOOD, "RG005", (2, 8)),
        (HEAD + GOOD + "    symbol: ETH\n    expect: [{at: 1h, active: []}]\n", "RG702", (8, 13)),
    ],
)  # fmt: skip
def test_each_fault_is_told_once_at_its_characters(
    folder: Path, text: str, code: str, place: tuple[int, int]
) -> None:
    assert found(folder, text) == [(code, *place)]


def test_errors_of_the_rules_come_first(folder: Path) -> None:
    (folder / "rules.yaml").write_text(RULES.replace("75_000", "75_000 and"))
    cases, diagnostics = read_cases_text(HEAD + GOOD, str(folder / "rules_test.yaml"))
    assert cases is None
    assert [Path(one.path).name for one in diagnostics] == ["rules.yaml"]


def test_series_may_stand_in_a_csv_file(folder: Path) -> None:
    (folder / "made.csv").write_text("time,close,oi\na,80000,1000\nb,70000,\nc,60000,900\n")
    text = HEAD + "  - name: x\n    data: made.csv\n    expect: [{at: 1h, active: [lost]}]\n"
    cases, diagnostics = read_cases_text(text, str(folder / "rules_test.yaml"))
    assert diagnostics == []
    assert cases is not None
    assert cases.cases[0].series == {
        "close": (80_000.0, 70_000.0, 60_000.0),
        "oi": (1_000.0, "_", 900.0),
    }


def test_rules_may_be_a_pack(folder: Path) -> None:
    head = HEAD.replace("rules.yaml", "pack:feb-2026@1")
    text = head + GOOD + "    expect: [{at: 1h, stage: normal}]\n"
    cases, diagnostics = read_cases_text(text, str(folder / "rules_test.yaml"))
    assert diagnostics == []
    assert cases is not None
    assert cases.ruleset.name == "February 2026 sell-off"


def test_a_pack_by_its_bare_name_is_told_how_to_write_it(folder: Path) -> None:
    text = HEAD.replace("rules.yaml", "feb-2026") + GOOD
    _, (told,) = read_cases_text(text, str(folder / "rules_test.yaml"))
    assert told.message == "no rule file 'feb-2026' (.yaml, .yml, .json)"
    assert told.help == "a pack is written pack:feb-2026@1"


def test_all_missing_keys_are_told_at_once(folder: Path) -> None:
    _, (told,) = read_cases_text("version: 1\nrules: rules.yaml\n", str(folder / "x_test.yaml"))
    assert told.message == '"every", "start", "cases" are missing'


def test_start_between_two_bars_names_the_one_before(folder: Path) -> None:
    text = HEAD.replace("1h", "30m").replace("T00:00", "T00:45") + GOOD
    _, (told,) = read_cases_text(text, str(folder / "rules_test.yaml"))
    assert told.message == "no bar of 30m closes at 2026-01-01T00:45Z"
    assert told.help == "write 2026-01-01T00:30Z: bars count from 1970-01-01T00:00Z"


def test_missing_test_file_is_a_finding(tmp_path: Path) -> None:
    cases, diagnostics = read_cases(tmp_path / "none_test.yaml")
    assert cases is None
    assert diagnostics[0].code == "RG005"
