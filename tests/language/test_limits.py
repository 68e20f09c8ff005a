"""What is too large, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.language.reader import read_rules, read_text

pytestmark = pytest.mark.usefixtures("loader")

RULE = "  r{}: {{when: close < 5, min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"


def told(text: str) -> list[str]:
    _, found = read_text(text, "large.yaml")
    return [f"{one.code} {one.line}:{one.column}" for one in found]


def test_a_file_over_one_mebibyte_is_refused_unread(tmp_path: Path):
    text = "version: 1\n" + "# much\n" * 150_000
    assert told(text) == ["RG001 1:1"]
    (tmp_path / "large.yaml").write_text(text)
    assert [one.code for one in read_rules(tmp_path / "large.yaml")[1]] == ["RG001"]


def test_fifty_thousand_lines_are_read_and_one_more_is_not():
    assert told("version: 1\n" + "#\n" * 49_998) == ["RG146 1:1"]
    assert told("version: 1\n" + "#\n" * 50_000) == ["RG002 50001:1"]
    assert told("version: 1\nname: 'open\n" + "a\n" * 50_000) == ["RG002 50001:1"]


def test_sixty_four_levels_are_read_and_one_more_is_not():
    def nested(levels: int) -> str:
        return f"version: 1\nname: {'[' * levels}{']' * levels}\n"

    assert told(nested(63)) == ["RG146 1:1", "RG125 2:7"]
    assert told(nested(64)) == ["RG002 2:70"]


def test_twenty_thousand_values_are_too_many():
    assert told(f"version: 1\ntags: [{', '.join(['a'] * 19_995)}]\n") == ["RG146 1:1"]
    assert told(f"version: 1\ntags: [{', '.join(['a'] * 20_000)}]\n") == ["RG002 2:59993"]


def test_two_thousand_rules_are_too_many():
    # written short, or the values would be too many first
    names = "".join(f"  r{number}:\n" for number in range(2_001))
    assert told(f"version: 1\nrules:\n{names}") == ["RG002 2:1"]


def test_two_hundred_words_are_too_many_for_a_line():
    line = f"close < {' + '.join(['5'] * 100)}"
    assert told("version: 1\nrules:\n" + RULE.format(1).replace("close < 5", line)) == [
        "RG002 3:418"
    ]
