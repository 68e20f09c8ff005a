from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from riskguard._version import VERSION
from riskguard.shipped import shipped

MISTAKE = "version: 1\nrules:\n  r:\n    when: close below 75_000\n    do: {exposure_cap: 50%}\n"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(MISTAKE)
    return path


def test_the_shipped_pack_has_no_findings(riskguard) -> None:
    code, out, err = riskguard("check", "--strict", shipped("rules") / "feb-2026.yaml")
    assert (code, out, err) == (0, "0 errors, 0 warnings in 1 file\n", "")


def test_a_mistake_is_shown_with_place_caret_and_fix(riskguard, bad: Path) -> None:
    code, out, err = riskguard("check", bad)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == f"{bad}:4:17: error[RG105] 'below' is not a comparison"
    assert lines[2].index("below") == lines[3].index("^^^^^")
    assert "= help: write '<'" in lines[4]
    assert lines[-1].startswith("1 error, ")


def test_json_is_a_list_of_findings(riskguard, bad: Path) -> None:
    code, out, _ = riskguard("check", "--format", "json", bad)
    (found,) = [item for item in json.loads(out) if item["severity"] == "error"]
    assert code == 1
    assert (found["code"], found["line"], found["column"]) == ("RG105", 4, 17)
    assert set(found) == {
        "path", "line", "column", "end_line", "end_column", "code", "severity", "message", "help",
    }  # fmt: skip


def test_json_is_ascii_whatever_a_file_is_called(riskguard, bad: Path) -> None:
    path = bad.rename(bad.with_name("\u00fcber.yaml"))
    code, out, _ = riskguard("check", "--format", "json", path)
    assert code == 1
    assert out.isascii()
    assert json.loads(out)[0]["path"] == str(path)


def test_a_name_without_letters_is_wrong_use(riskguard) -> None:
    code, out, err = riskguard("check", "")
    assert (code, out) == (2, "")
    assert "is empty" in err


def test_json_without_findings_is_an_empty_list(riskguard) -> None:
    code, out, _ = riskguard("check", "--format", "json", shipped("rules") / "feb-2026.yaml")
    assert (code, json.loads(out)) == (0, [])


def test_github_annotations_stay_on_one_line_each(riskguard, tmp_path: Path) -> None:
    path = tmp_path / "50%, bad.yaml"
    path.write_text(MISTAKE)
    code, out, _ = riskguard("check", "--format", "github", path)
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("::error")]
    assert "50%25%2C bad.yaml,line=4,col=17" in line
    assert "title=RG105::'below' is not a comparison%0Ahelp: write '<'" in line


def test_a_folder_means_all_rule_files_below_it(riskguard, tmp_path: Path) -> None:
    names = ("a.yaml", "deep/er/b.yml", "c.json", ".hidden.yaml", ".git/d.yaml", "venv/e.yaml")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(MISTAKE)
    (tmp_path / "c.json").write_text('{"version": 1, "rules": {}}')
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    # what only looks like rules: an editor's schema, a report, a description of data
    (tmp_path / "schema.json").write_text('{"$schema": "x", "properties": {"rules": {}}}')
    (tmp_path / "report.json").write_text('{"version": 1, "verdict": "none"}')
    (tmp_path / "scenario.yaml").write_text("name: mine\n")
    code, out, _ = riskguard("check", "--format", "json", tmp_path)
    assert code == 1
    found = [Path(one["path"]).relative_to(tmp_path).as_posix() for one in json.loads(out)]
    assert list(dict.fromkeys(found)) == ["a.yaml", "c.json", "deep/er/b.yml"]


def test_a_file_that_is_named_twice_is_checked_once(riskguard, bad: Path) -> None:
    _, out, _ = riskguard("check", bad, bad.parent, bad)
    assert out.count("error[RG105]") == 1
    assert out.endswith("in 1 file\n")


TESTS = """\
version: 1
rules: bad.yaml
every: 1h
start: 2026-01-01T00:00Z
cases:
  - name: support is lost
    series: {close: "80_000 x3, 70_000 x3"}
    expect: [{at: 5h, active: [rr]}]
"""


def test_a_test_file_is_checked_as_a_test(riskguard, bad: Path) -> None:
    bad.write_text(MISTAKE.replace("below", "<"))
    tests = bad.with_name("bad_test.yaml")
    tests.write_text(TESTS)
    code, out, _ = riskguard("check", tests)
    assert code == 1
    assert "bad_test.yaml:8:32: error[RG702] unknown rule 'rr'" in out
    tests.write_text(TESTS.replace("[rr]", "[r]"))
    assert riskguard("check", tests).out == "0 errors, 0 warnings in 1 file\n"


def test_errors_of_rules_and_of_their_tests_are_told_once(riskguard, bad: Path) -> None:
    bad.with_name("bad_test.yaml").write_text(TESTS)
    _, out, _ = riskguard("check", bad.parent)
    assert out.count("error[RG105]") == 1
    assert "in 2 files" in out


def test_a_pack_is_checked_by_its_name(riskguard) -> None:
    for name in ("feb-2026", "pack:feb-2026", "pack:feb-2026@1"):
        assert riskguard("check", name).out == "0 errors, 0 warnings in 1 file\n"


class Stream:
    """Standard input, as a shell gives it."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (MISTAKE.encode(), "<stdin>:4:17: error[RG105]"),
        (MISTAKE.encode("utf-16"), "<stdin>:1:1: error[RG038] byte 1 is not UTF-8 text"),
        (b"# \xc3\xbc\n" * 250_000, "<stdin>:1:1: error[RG001]"),
        (b"", "<stdin>:1:1: error[RG003]"),
    ],
)
def test_a_dash_means_standard_input(riskguard, monkeypatch, data: bytes, said: str) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(data))
    code, out, _ = riskguard("check", "-")
    assert code == 1
    assert out.startswith(said)


def test_at_most_twenty_errors_of_a_file_are_shown(riskguard, tmp_path: Path) -> None:
    rule = "  r{}: {{when: close < -5, min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"
    many = "version: 1\nrules:\n" + "".join(map(rule.format, range(25)))
    (tmp_path / "many.yaml").write_text(many)
    (tmp_path / "other.yaml").write_text(MISTAKE)
    _, out, _ = riskguard("check", tmp_path)
    assert out.count("error[RG401]") == 20
    assert out.count("error[RG105]") == 1
    last = f"… and 5 more errors in {tmp_path / 'many.yaml'}"
    assert out.splitlines()[-3:] == [last, "", "26 errors, 0 warnings in 2 files"]
    _, out, _ = riskguard("check", "--format", "json", tmp_path)
    assert len(json.loads(out)) == 26


# ---------------------------------------------------------------- colour


def test_colour_is_for_terminals_and_never_against_the_wish(riskguard, bad: Path, monkeypatch):
    plain = riskguard("check", bad).out
    assert "\x1b" not in plain
    monkeypatch.setattr(sys.stdout.__class__, "isatty", lambda _self: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = riskguard("check", bad).out
    assert "\x1b[31m\x1b[1merror[RG105]\x1b[0m" in shown
    assert re.sub(r"\x1b\[\d+m", "", shown) == plain
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert riskguard("check", bad).out == plain


# ---------------------------------------------------------------- SARIF

# the part of the schema of SARIF 2.1.0 that we write, as strict as it is there
TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1}},
    "required": ["text"],
    "additionalProperties": False,
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": r"^RG\d{3}$"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": TEXT,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
    },
    "required": ["id", "shortDescription"],
    "additionalProperties": False,
}
COUNT = {"type": "integer", "minimum": 1}
REGION = {
    "type": "object",
    "properties": dict.fromkeys(("startLine", "startColumn", "endLine", "endColumn"), COUNT),
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "additionalProperties": False,
}
PLACE = {
    "type": "object",
    "properties": {
        "physicalLocation": {
            "type": "object",
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "properties": {"uri": {"type": "string", "format": "uri-reference"}},
                    "required": ["uri"],
                    "additionalProperties": False,
                },
                "region": REGION,
            },
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
        }
    },
    "required": ["physicalLocation"],
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": PLACE, "minItems": 1, "maxItems": 1},
    },
    "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
    "additionalProperties": False,
}
RUN = {
    "type": "object",
    "properties": {
        "tool": {
            "type": "object",
            "properties": {
                "driver": {
                    "type": "object",
                    "properties": {
                        "name": {"const": "riskguard"},
                        "version": {"const": VERSION},
                        "rules": {"type": "array", "items": RULE, "uniqueItems": True},
                    },
                    "required": ["name", "version", "rules"],
                    "additionalProperties": False,
                }
            },
            "required": ["driver"],
            "additionalProperties": False,
        },
        "columnKind": {"const": "unicodeCodePoints"},
        "results": {"type": "array", "items": RESULT},
    },
    "required": ["tool", "columnKind", "results"],
    "additionalProperties": False,
}
SARIF = {
    "type": "object",
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN, "minItems": 1, "maxItems": 1},
    },
    "required": ["version", "runs"],
    "additionalProperties": False,
}


def sarif(riskguard, *paths: object) -> dict[str, Any]:
    _, out, err = riskguard("check", "--format", "sarif", *paths)
    assert err == ""
    log = json.loads(out)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    return run


def test_sarif_names_rule_place_and_help(riskguard, bad: Path, monkeypatch) -> None:
    monkeypatch.chdir(bad.parent)
    (bad.parent / "50% \u00fcber").mkdir()
    bad.rename("50% \u00fcber/bad rules.yaml")
    Path("doubtful.yaml").write_text(MISTAKE.replace("below", "<"))
    run = sarif(riskguard, ".")
    error = next(one for one in run["results"] if one["level"] == "error")
    assert error["ruleId"] == "RG105"
    assert error["message"]["text"] == "'below' is not a comparison\nhelp: write '<'"
    place = error["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "50%25%20%C3%BCber/bad%20rules.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 17, "endLine": 4, "endColumn": 22}
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["RG105"]["shortDescription"]["text"] == "a comparison in words"
    assert rules["RG417"]["defaultConfiguration"] == {"level": "warning"}


def test_sarif_of_a_file_elsewhere_has_a_whole_address(riskguard, bad: Path) -> None:
    place = sarif(riskguard, bad)["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == bad.as_uri()


def test_sarif_without_findings_has_an_empty_list(riskguard) -> None:
    run = sarif(riskguard, shipped("rules"))
    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []


# ---------------------------------------------------------------- wrong use


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("bad.yml", "did you mean"),
        ("feb-2025", "did you mean pack:feb-2026?"),
        ("x", "write the"),
        ("pack:feb-2026@2", "write pack:feb-2026@1"),
    ],
)
def test_the_near_name_is_told(riskguard, bad: Path, monkeypatch, name: str, fix: str) -> None:
    monkeypatch.chdir(bad.parent)
    code, _, err = riskguard("check", name)
    assert code == 2
    assert fix in err


def test_a_link_that_leads_nowhere_is_told(riskguard, tmp_path: Path) -> None:
    link = tmp_path / "dangling.yaml"
    link.symlink_to("gone.yaml")
    code, _, err = riskguard("check", link)
    assert code == 2
    assert "leads nowhere" in err
    assert "did you mean" not in err


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_nothing_to_check_is_wrong_use(riskguard, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = riskguard("check", tmp_path / name)
    assert (code, out) == (2, "")
    assert name in err
