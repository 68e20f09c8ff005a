from __future__ import annotations

import json
from pathlib import Path

import pytest

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


def test_a_folder_means_its_rule_files(riskguard, bad: Path) -> None:
    (bad.parent / "bad_test.yaml").write_text("not: rules\n")
    code, out, _ = riskguard("check", bad.parent)
    assert code == 1
    assert "bad_test" not in out
    assert out.endswith("in 1 file\n")


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_nothing_to_check_is_wrong_use(riskguard, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = riskguard("check", tmp_path / name)
    assert (code, out) == (2, "")
    assert name in err
