"""A file in effect: what it comes to can be read again, means the same, and knows its authors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.errors import RuleError
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.language.writing.effective import Effective, effective

FORM = "{side: long, window: 24h, at_least: 3x average(7d), floor: $5M, source: a}"
FILE = f"""\
version: 1
symbol: BTC
symbols: [BTC, ETH]
every: 1h
params:
  s: 75_000
  floor: {{by_source: {{a: $5M, b: $6M}}}}
rules:
  deep: {{when: close < s, clear: close > 80_000, do: {{exposure_cap: 50%}}}}
  flood: {{when: liq.short.sum(4h) >= floor, min_hold: 1h, do: {{block_entries: short}}}}
  pace: {{when: {{liquidations: {FORM}}}, min_hold: 1h, do: {{block_entries: long}}, mutes: deep}}
stages:
  - {{stage: watch, enter: close < s, recover: close > 83_000, do: {{exposure_cap: 70%}}}}
per_symbol:
  ETH: {{params: {{s: 2_200}}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def lines(found: Effective) -> str:
    return "".join(f"{line.text}\n" for line in found.rows())


def again(found: Effective) -> RuleSet:
    rules, told = read_text(lines(found), "again.yaml")
    assert rules is not None, [one.render() for one in told]
    return rules


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("symbol", ["", "BTC", "ETH"])
def test_what_is_shown_is_read_again_as_the_same(file: Path, symbol: str, expand: bool) -> None:
    found = effective(file, settings={}, symbol=symbol, expand=expand)
    assert again(found).hash == found.rules.hash
    assert ("liquidations:" in lines(found)) != expand


def test_a_setting_stands_in_the_place_of_what_was_written(file: Path) -> None:
    found = effective(file, settings={"s": "70_000", "floor": "$9M"})
    assert "  s: 70_000\n" in lines(found)
    assert "  floor: {by_source: {a: $9M, b: $9M, other: $9M}}\n" in lines(found)
    assert load_rules(file).params["s"].value == 75_000


def test_what_would_not_mean_the_same_is_never_shown(file: Path) -> None:
    found = effective(file, settings={})
    other = effective(file, settings={"s": "70_000"})
    with pytest.raises(RuntimeError, match="does not mean what the file means"):
        lines(replace(found, rules=other.rules))


def test_long_forms_that_would_be_too_large_written_out_are_refused(tmp_path: Path) -> None:
    listed = ", ".join(f"{'S' * 17}{number:03}" for number in range(100))
    level = "level_" + "x" * 58
    levels = " + ".join([level] * 4)
    form = f"{{breadth: {{of: [{listed}], at_least: 2, where: close < {levels}}}}}"
    head = f"version: 1\nsymbols: [{listed}]\nevery: 1h\nparams: {{{level}: 5}}\nrules:\n"
    rules = "".join(
        f"  r{number}: {{when: {form}, min_hold: 1h, do: {{notify: look}}}}\n"
        for number in range(44)
    )
    path = tmp_path / "large.yaml"
    path.write_text(head + rules, encoding="utf-8")
    with pytest.raises(RuleError, match="RG001"):
        lines(effective(path, settings={}, expand=True))
