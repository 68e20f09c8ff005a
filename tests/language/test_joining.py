"""What several files come to: places, names and limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.language.reader import read_rules
from riskguard.market import HOUR
from tests.language.test_composition import BASE, HEAD, read

pytestmark = pytest.mark.usefixtures("loader")


def test_an_override_may_rename_a_stage_and_change_it_under_its_new_name(tmp_path: Path):
    guard = "{stage: guard, enter: close < 68_000, recover: close > 83_000, do: {close: all}}"
    text = HEAD + f"override: {{stages.watch: {guard}, stages.guard.min_hold: 4h}}\n"
    rules, found = read(tmp_path, text)
    assert rules is not None, [one.render() for one in found]
    assert [(stage.name, stage.min_hold) for stage in rules.stages] == [("guard", 4 * HOUR)]


def test_the_value_of_a_bare_parameter_has_an_address(tmp_path: Path):
    rules, _ = read(tmp_path, HEAD + "override: {params.t.value: 69_500}\n")
    assert rules is not None
    assert rules.params["t"].value == 69_500


def test_a_bare_override_of_a_parameter_by_source_holds_for_every_source(tmp_path: Path):
    other = BASE.replace("  t: 70_000\n", "  t: {by_source: {a: $5M, other: $6M}}\n")
    other = other.replace("close < t", "liq.long.sum(24h) > t").replace(
        ", clear: close > 81_000", ""
    )
    text = "version: 1\nextends: ./other.yaml\noverride: {params.t: $60M}\n"
    rules, found = read(tmp_path, text, other=other)
    assert rules is not None, [one.render() for one in found]
    assert dict(rules.params["t"].by_source) == {"a": 60e6, "other": 60e6}


def test_a_word_for_a_number_is_replaced_by_a_number(tmp_path: Path):
    other = BASE.replace("t: 70_000", "t: abc")
    text = "version: 1\nextends: ./other.yaml\noverride: {params.t: 69_000}\n"
    rules, _ = read(tmp_path, text, other=other)
    assert rules is not None
    assert rules.params["t"].value == 69_000


def test_inputs_stages_and_what_is_replaced_are_joined(tmp_path: Path):
    other = BASE.replace("params:", "inputs: {oi: {max_age: 4h}, funding: {max_age: 9h}}\nparams:")
    out = "{stage: out, enter: close < 60_000, recover: close > 90_000, do: {close: all}}"
    deep = "{when: close < 6, latch: true, do: {close: all}}"
    watch = "{stage: watch, enter: close < 68_000, recover: close > 84_000, do: {close: longs}}"
    text = (
        "version: 1\nextends: ./other.yaml\ninputs: {oi: {max_age: 8h}}\n"
        f"stages: [{out}, {watch}]\nrules: {{deep: {deep}}}\n"
        f"override: {{rules.deep: {deep}, stages.watch: {watch}}}\n"
    )
    rules, found = read(tmp_path, text, other=other)
    assert rules is not None, [one.render() for one in found]
    ages = {name: one.spec.max_age for name, one in rules.inputs.items()}
    assert ages == {"oi": 8 * HOUR, "funding": 9 * HOUR}
    assert [(stage.name, stage.do.close) for stage in rules.stages] == [
        ("watch", "longs"),
        ("out", "all"),
    ]
    assert [rule.latch for rule in rules.rules] == [False, True]


def test_a_symbol_stands_in_one_of_several_files(tmp_path: Path):
    own = "per_symbol: {ETH: {disable: [deep]}}\n"
    _, found = read(tmp_path, f"version: 1\nextends: ./other.yaml\n{own}", other=BASE + own)
    assert [(one.code, one.line, one.help) for one in found] == [
        ("RG601", 3, "say it in one of the two files")
    ]


@pytest.mark.parametrize(
    ("other", "code", "place"),
    [
        (BASE.replace("version: 1\n", ""), "RG140", (1, 1)),
        (BASE.replace("version: 1\n", "version: 2\n"), "RG141", (1, 10)),
        ("- version: 1\n- rules\n", "RG120", (1, 1)),
    ],
)
def test_an_extended_file_that_is_no_rule_file_is_named(other, code, place, tmp_path: Path):
    _, found = read(tmp_path, "version: 1\nextends: ./other.yaml\n", other=other)
    assert [(one.code, (one.line, one.column), Path(one.path).name) for one in found] == [
        (code, place, "other.yaml")
    ]


def test_a_missing_folder_has_no_file_to_suggest(tmp_path: Path):
    _, found = read_rules(tmp_path / "gone" / "rules.yaml")
    assert [(one.code, one.help) for one in found] == [("RG005", "")]


def test_a_file_that_cannot_be_read_to_its_end_is_none(tmp_path: Path):
    (tmp_path / "memory.yaml").symlink_to("/proc/self/mem")
    _, found = read_rules(tmp_path / "memory.yaml")
    assert [one.code for one in found] == ["RG005"]


def test_more_files_than_may_be_extended_are_told_once(tmp_path: Path):
    names = [f"f{number}" for number in range(70)]
    listed = ", ".join(f"./{name}.yaml" for name in names)
    files = dict.fromkeys(names, "version: 1\n")
    _, found = read(tmp_path, f"version: 1\nextends: [{listed}]\n", **files)
    assert [(one.code, one.line) for one in found] == [("RG001", 2)]
    assert "64 files" in found[0].message


def test_files_that_are_too_large_together_are_told_once(tmp_path: Path):
    large = BASE + "define:\n" + "".join(f"  d{at}: close < 5\n" for at in range(9_000))
    listed = ", ".join(f"./{name}.yaml" for name in "abc")
    text = f"version: 1\nextends: [{listed}]\n"
    _, found = read(tmp_path, text, a=large, b=large, c=large)
    assert [(one.code, one.line, one.message) for one in found] == [
        ("RG002", 2, "nested too deep or too large: the files together")
    ]


def test_a_rule_in_one_line_allows_nothing_for_the_rule_above_it(tmp_path: Path):
    line = "{when: close < 5, do: {exposure_cap: 10%}"
    _, found = read(tmp_path, f"version: 1\nrules:\n  a: {line}}}\n  b: {line}, allow: [RG417]}}\n")
    assert [(one.code, one.line) for one in found] == [("RG417", 3)]
