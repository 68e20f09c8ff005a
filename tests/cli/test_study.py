from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, ValidationError

from riskguard.backtest.evidence import study as studying
from riskguard.backtest.evidence.study_block import schema_path
from tests.backtest.evidence.daily import daily_file, rules_file
from tests.cli.words import instead

FLUSH = """\
  flush:
    when: oi.change(5d) <= -5%
    clear: oi.change(5d) > -1%
    do: {exposure_cap: 0%}
"""
COUNTS = r"^fell +\d+ +\d+\.\d +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+%$"
WORTH = r"^fell +\d+% \[\d+, \d+\] +[+-]\d+\.\d% +[+-]\d+\.\d% +\d+% +[+-]"
EVENTS = r"^fell +\d+% \[\d+, \d+\] +\d+\w \(\S+\.\.\S+\) +\d+% \("
EVENT = ("--fall", "10%", "--within", "7d")
VALIDATOR = Draft7Validator(json.loads(schema_path().read_text()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    daily_file(tmp_path, 3)
    rules_file(tmp_path)
    return tmp_path


@pytest.fixture
def asked(folder: Path) -> tuple[object, ...]:
    return ("study", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT)


def test_a_study_tells_events_first_and_then_each_rule(riskguard, asked) -> None:
    code, out, err = riskguard(*asked)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "13 INDEPENDENT EVENTS: past alarms described, nothing said of the next"
    assert "no plan, no verdict" in lines[1]
    heads = ("data ", "independent events", "alarms ", "what they were worth", "in the events")
    places = [next(n for n, line in enumerate(lines) if line.startswith(head)) for head in heads]
    assert places == sorted(places)
    assert re.search(
        r"^fell +\d+ +\d+\.\d +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+%$", out, re.MULTILINE
    )
    for row in (COUNTS, WORTH, EVENTS):
        assert re.search(row, out, re.MULTILINE), row
    assert "  of shifted ones" in out
    assert out.count("locked, kept for a last look") >= 1


def test_no_sentence_of_a_study_says_that_a_rule_foresees(riskguard, folder, monkeypatch) -> None:
    monkeypatch.chdir(folder)  # a path may hold any letters
    for files in (("rules.yaml", "--data", "BTCUSDT-1d.csv"), ()):
        _, out, _ = riskguard("study", *files, *EVENT)
        assert not re.search(r"predict|foresee|foresight|would have|avoids|HELPS", out)
        assert max(map(len, out.splitlines())) <= 80
        assert out.isascii()
        assert "\x1b" not in out


def test_without_data_the_embedded_sell_off_shows_mechanics_and_no_interval(riskguard) -> None:
    code, out, err = riskguard("study", *EVENT)
    assert (code, err) == (0, "")
    assert out.startswith("MECHANICS ONLY, in-sample: BTC.liq.long is reconstructed; no interval")
    assert not re.search(r"\d+% \[", out), "counts alone"
    assert re.search("^feb-2026 .* reconstructed$", out, re.MULTILINE)
    told = json.loads(riskguard("study", *EVENT, "--json", "-").out)
    assert told["mechanics_only"]
    for one in told["scores"]:
        assert one["precision"]["interval"] is one["precision"]["value"] is None
        assert one["recall"]["interval"] is one["break_even"] is None
        assert all(each["placebo"] is None for each in one["around"])


def test_json_holds_what_the_text_tells(riskguard, asked, tmp_path: Path) -> None:
    target = tmp_path / "study.json"
    code, out, _ = riskguard(*asked, "--json", target)
    assert code == 0
    assert out.splitlines()[-1] == f"as JSON: {target}"
    told = json.loads(target.read_text())
    assert told["schema"] == "riskguard/study-1"
    assert told["says"] == out.splitlines()[0]
    assert told["event"] == {"fall": 0.1, "within": 7 * 86_400}
    assert told["locked"] == ["2022-11", "2024-08", "2025-10"]
    (part,) = told["data"]
    assert (part["name"], part["counts"], part["grades"]) == (
        "BTCUSDT-1d.csv",
        True,
        {"BTC.close": "vendor"},
    )
    whole, rule = told["scores"]
    assert (whole["rule"], rule["rule"]) == ("the guard", "fell")
    words = ("true", "late", "false", "unjudged")
    assert sum(rule[word] for word in words) == sum(rule["came_in"].values()) == rule["alarms"]
    assert len(rule["answers"]) == rule["recall"]["of"] == len(told["events"]) == 13
    again = riskguard(*asked, "--json", "-")
    assert json.loads(again.out) == told
    assert again.out == target.read_text(), "the same study, byte for byte"


def test_a_study_satisfies_its_schema_on_measured_and_on_modelled_data(riskguard, asked) -> None:
    Draft7Validator.check_schema(VALIDATOR.schema)
    for call in (asked, ("study", *EVENT), ("study", "cascade", *EVENT)):
        told = json.loads(riskguard(*call, "--json", "-").out)
        VALIDATOR.validate(told)
        assert set(VALIDATOR.schema["required"]) == set(told)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("scores", 0, "precision", "value"), 1.5),
        (("scores", 0, "alarms"), -1),
        (("scores", 0, "answers", 0), "late"),
        (("data", 0, "first"), "2020-01-01"),
        (("data", 0, "grades", "BTC.close"), "good"),
        (("events", 0, "low"), None),
        (("rules", "hash"), "none"),
    ],
)
def test_the_schema_refuses_what_is_not_promised(riskguard, asked, place: tuple, value) -> None:
    told = json.loads(riskguard(*asked, "--json", "-").out)
    inner = told
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(told)


def test_a_study_in_a_folder_of_data_is_written_again(riskguard, folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (folder / "BTCUSDT-1d.csv").rename(data / "BTCUSDT-1d.csv")
    (data / "scenario.yaml").write_text(
        "name: daily\ntitle: Days\nsymbol: BTC\nseries:\n"
        "  - {file: BTCUSDT-1d.csv, symbol: BTC, series: bars, interval: 1d, stamp: open,\n"
        "     source: made, grade: vendor}\n"
    )
    call = ("study", folder / "rules.yaml", "--data", data, *EVENT, "--json", data / "study.json")
    for _ in range(2):
        code, _, err = riskguard(*call)
        assert (code, err) == (0, "")


def test_quiet_prints_one_line(riskguard, asked) -> None:
    code, out, _ = riskguard(*asked, "--quiet")
    assert (code, len(out.splitlines())) == (0, 1)


def test_locked_months_are_looked_at_on_request_and_that_is_said(riskguard, asked) -> None:
    _, out, _ = riskguard(*asked, "--unlock")
    assert out.startswith("14 INDEPENDENT EVENTS")
    assert "are looked at: for these rules they are spent" in out
    assert "kept for a last look" not in out.replace("months kept for a last look are", "")


def test_one_refused_history_does_not_stop_the_others(riskguard, folder: Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text() + FLUSH)
    short = folder / "ETHUSDT-1d.csv"
    short.write_text((folder / "BTCUSDT-1d.csv").read_text())
    code, out, err = riskguard(
        "study", rules, "--data", short, "--data", "feb-2026", *EVENT, "--json", folder / "s.json"
    )
    assert (code, err) == (1, "")
    assert "ETHUSDT-1d.csv: refused: RG501 the data has no column for 'oi'" in out
    assert re.search("^flush ", out, re.MULTILINE)
    told = json.loads((folder / "s.json").read_text())
    assert [one["data"] for one in told["refused"]] == ["ETHUSDT-1d.csv"]
    # alone it is an error, with its place
    code, out, err = riskguard("study", rules, "--data", short, *EVENT)
    assert (code, out) == (1, "")
    assert "rules.yaml:8:11: error[RG501] the data has no column for 'oi'" in err


def test_nothing_but_refusals_is_told_as_such(riskguard, folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.csv").write_text("ts,open\n")
    code, out, _ = riskguard(
        "study", folder / "rules.yaml", "--data", folder / "one.csv", "--data", folder / "two.csv",
        *EVENT,
    )  # fmt: skip
    assert code == 1
    assert out.startswith("NOTHING LOOKED AT")
    assert out.count(": refused: ") == 2


def test_a_fall_within_less_than_a_bar_is_refused(riskguard, asked) -> None:
    code, out, err = riskguard(*instead(asked, "--within", "23h"))
    assert (code, out) == (1, "")
    assert "a fall within 23h cannot be seen in bars of 24h" in err


def test_rules_that_need_an_account_are_sent_to_a_backtest(riskguard) -> None:
    code, out, err = riskguard("study", "account-limits", "--data", "feb-2026", *EVENT)
    assert (code, out) == (1, "")
    assert "error" in err


@pytest.mark.parametrize(
    ("more", "says", "fix"),
    [
        (("--fall", "10"), "--fall '10'", "write 10% or 0.1"),
        (("--within", "soon"), "--within", "write 24h or 7d"),
        (("--data", "nowhere"), "there is no nowhere", "folder with scenario.yaml"),
        (("--data", ""), "--data is empty", "--data PATH"),
        (("--data", "SAME"), "is given twice", "leave one out"),
        (("--files", "nowhere"), "--files nowhere is no folder", "names of scenario.yaml count"),
        (("--symbol", "btc"), "there is no symbol 'btc'", "BTC"),
        (("--set", "depth"), "is not NAME=VALUE", "name=value"),
        (("--fee", "50%"), "limit is 10%", "5bp"),
        (("--json", "SAME"), "would replace what is read", "report.json"),
    ],
)
def test_wrong_use_is_told_with_the_fix(riskguard, asked, more, says, fix) -> None:
    words = [asked[3] if word == "SAME" else word for word in more]
    code, out, err = riskguard(*(instead(asked, *words) if words[0] in EVENT else [*asked, *words]))
    assert (code, out) == (2, "")
    assert says in err
    assert fix in err


def test_an_event_without_its_definition_is_asked_for(riskguard) -> None:
    code, _, err = riskguard("study", "--within", "7d")
    assert code == 2
    assert "--fall" in err


def test_rules_that_are_wrong_by_themselves_are_told_before_any_data(riskguard, folder) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("drop", "dorp"))
    data = ("--data", folder / "BTCUSDT-1d.csv", "--data", "feb-2026")
    code, out, err = riskguard("study", rules, *data, *EVENT)
    assert (code, out) == (1, "")
    assert "rules.yaml:4" in err


def test_two_folders_of_one_name_are_told_by_their_paths(riskguard, folder: Path, tmp_path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        daily_file(tmp_path / place, 3)
    paths = [tmp_path / place / "BTCUSDT-1d.csv" for place in ("a", "b")]
    data = [word for path in paths for word in ("--data", path)]
    told = json.loads(riskguard("study", folder / "rules.yaml", *data, *EVENT, "--json", "-").out)
    assert [one["name"] for one in told["data"]] == [str(path) for path in paths]
    assert [one["bars"] > 0 for one in told["data"]].count(True) == 1, "their bars count once"
    _, out, _ = riskguard("study", folder / "rules.yaml", *data, *EVENT)
    assert re.search(r"^\.\.\.\S*/b/BTCUSDT-1d\.csv +nothing", out, re.MULTILINE)


def test_ctrl_c_ends_a_study_with_130(riskguard, asked, monkeypatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(studying, "study", stopped)
    code, out, err = riskguard(*asked)
    assert (code, out, err) == (130, "", "interrupted\n")
