from __future__ import annotations

import json
from pathlib import Path

from tests.history.test_floors import recorded


def test_floors_are_told_as_lines_to_paste_and_as_json(riskguard, tmp_path: Path) -> None:
    recorded(tmp_path, 240)
    words = ("data", "floors", str(tmp_path), "--rules", str(tmp_path / "rules.yaml"))
    done = riskguard(*words)
    assert done.code == 0
    assert "  bybit: $230M\n  exceeded in 5 % of 240 samples" in done.out
    assert "coverage sampled" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    many, few = json.loads(riskguard(*words, "--json").out)
    assert (many["figure"], few["figure"]) == ("$230M", "")


def test_a_folder_that_is_not_there_and_rules_without_floors_are_told(
    riskguard, tmp_path: Path
) -> None:
    done = riskguard("data", "floors", tmp_path / "none", "--rules", "cascade")
    assert done.code == 2
    assert "name a folder of riskguard record" in done.err
    recorded(tmp_path, 48)
    plain = tmp_path / "plain.yaml"
    plain.write_text(
        "version: 1\nsymbol: BTC\nevery: 1h\n"
        "rules: {gone: {when: close < 1, do: {block_entries: both}}}\n"
    )
    done = riskguard("data", "floors", tmp_path, "--rules", plain)
    assert done.out == (
        "no parameter of these rules is written by_source: there is nothing to propose\n"
    )
