from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskguard.cli.given import packs
from riskguard.language.joining.including import siblings
from riskguard.language.reader import read_rules
from riskguard.shipped import shipped


def test_the_schema_is_printed(riskguard) -> None:
    code, out, err = riskguard("schema")
    assert (code, err) == (0, "")
    assert out == (shipped("rules") / "riskguard-1.json").read_text(encoding="utf-8")
    assert out.isascii()
    assert json.loads(out)["$schema"].endswith("draft-07/schema#")


def test_the_schema_is_written_to_a_file(riskguard, tmp_path: Path) -> None:
    path = tmp_path / "riskguard-1.json"
    path.write_text("old")
    assert riskguard("schema", "--output", path) == (0, "", "")
    assert path.read_text(encoding="utf-8") == riskguard("schema").out
    assert riskguard("schema", "--output", "-").out == riskguard("schema").out


@pytest.mark.parametrize(
    ("place", "said"),
    [(".", "is a folder"), ("no/riskguard-1.json", "lies in a folder that does not exist")],
)
def test_a_place_that_takes_no_file_is_wrong_use(
    riskguard, tmp_path: Path, place: str, said: str
) -> None:
    code, out, err = riskguard("schema", "--output", tmp_path / place)
    assert (code, out) == (2, "")
    assert said in err
    assert "= help: write the path of a file: riskguard-1.json" in err


def test_an_output_without_a_name_is_wrong_use(riskguard) -> None:
    assert riskguard("schema", "--output", "") == (
        2,
        "",
        "error: --output is empty\n  = help: write --output FILE\n",
    )


def test_the_help_tells_the_line_that_an_editor_reads(riskguard) -> None:
    out = riskguard("schema", "--help").out
    assert "\n  # yaml-language-server: $schema=riskguard-1.json\n" in out
    assert max(map(len, out.splitlines())) <= 80


# ---------------------------------------------------------------- no rule file, no pack


def test_the_schema_beside_them_is_not_taken_for_rules(riskguard) -> None:
    folder = shipped("rules")
    assert "riskguard-1.json" in {path.name for path in folder.iterdir()}
    assert "riskguard-1" not in packs()
    assert "riskguard-1.json" not in siblings(folder, stems=False)
    assert "riskguard-1" not in siblings(folder)
    code, out, _ = riskguard("check", folder)
    assert code == 0
    assert out.endswith(f"in {len(list(folder.glob('*.yaml')))} files\n")  # with their tests


def test_the_schema_is_no_name_that_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "riskguard-1.json").write_text("{}")
    _, (fault,) = read_rules(tmp_path / "riskguard-2.json")
    assert (fault.code, fault.help) == ("RG005", "")
