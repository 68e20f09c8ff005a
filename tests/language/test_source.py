"""Text to nodes: places of characters, limits, and what is refused before any node is built."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from riskguard.errors import RuleError
from riskguard.language import source
from riskguard.language.reader import load_rules, read_rules, read_text
from riskguard.language.source import Mapping, Scalar, compose


def only_value(text: str) -> Scalar:
    root, found = compose(text, "a.yaml")
    assert found.sorted() == []
    assert isinstance(root, Mapping)
    value = root.items[-1][1]
    assert isinstance(value, Scalar)
    return value


def shown(text: str, word: str) -> str:
    """Return the characters of the file at which `word` of the last value is placed."""
    value = only_value(text)
    at = value.text.index(word)
    span = value.place(at, at + len(word))
    return text.split("\n")[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, source.PythonLoader], ids=["C", "Python"])
@pytest.mark.parametrize(
    "text",
    [
        "a: close < clsoe\n",
        "a: 'close < clsoe'\n",
        "a: 'it''s < clsoe'\n",
        'a: "close < clsoe"\n',
        'a: "close\\t< \\u00e9 clsoe"\n',
        "a: close <\n  clsoe\n",
        "a: >-\n  close <\n  clsoe\n",
        "a: |\n  close <\n  clsoe\n",
        "a: é < clsoe\n",
        "a: \U0001f600 < clsoe\n",
        "a:\r\n  close < clsoe\r\n",
    ],
)
def test_a_word_is_found_again_where_it_was_written(text, loader, monkeypatch):
    monkeypatch.setattr(source, "LOADER", loader)
    assert shown(text, "clsoe") == "clsoe"


def test_scalars_keep_their_letters():
    for word in ("no", "13:30", "010", "2026-02-05", "~", "1_000", "0x10"):
        assert only_value(f"a: {word}\n").text == word


def test_a_byte_order_mark_and_windows_line_ends_are_dropped(tmp_path: Path):
    text = "version: 1\nrules:\n  r: {when: close < 5, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    windows = tmp_path / "windows.yaml"
    windows.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    plain = tmp_path / "plain.yaml"
    plain.write_text(text, encoding="utf-8")
    assert load_rules(windows) == load_rules(plain)


def test_json_is_read_too(tmp_path: Path):
    file = tmp_path / "rules.json"
    file.write_text(
        '{"version": 1, "rules": {"r": {"when": "close < 5", "latch": true,'
        ' "do": {"exposure_cap": "50%"}}}}\n',
        encoding="utf-8",
    )
    assert load_rules(file).rules[0].latch


DOUBLED = (
    "{{any: [d{0}, d{0}]}}",
    "{{all: [d{0}, {{not: d{0}}}]}}",
    "{{at_least: 1, of: [d{0}, d{0}, d{0}]}}",
    "{{sequence: [d{0}, d{0}], within: 6h}}",
)


@pytest.mark.parametrize("form", DOUBLED)
def test_definitions_that_double_at_each_step_cost_no_more_than_their_number(form):
    steps = "".join(f"  d{number}: {form.format(number - 1)}\n" for number in range(1, 41))
    line = "{is: close < 5, on_missing: fire}"
    text = f"version: 1\ndefine:\n  d0: {line}\n{steps}rules:\n"
    text += "  r: {when: d40, clear: {any: [d40, close > 7]}, do: {exposure_cap: 50%}}\n"
    _, found = read_text(text, "doubled.yaml")
    assert {one.code for one in found} <= {"RG428"}


def test_missing_data_that_sells_is_seen_through_definitions_read_twice():
    text = "version: 1\ndefine:\n  a: {is: close < 5, on_missing: fire}\n  b: {all: [a, a]}\n"
    text += "rules:\n  r: {when: {all: [b, b]}, min_hold: 1h, do: {close: all}}\n"
    _, found = read_text(text, "twice.yaml")
    assert [one.code for one in found] == ["RG428"]


def chained(count: int) -> str:
    links = "".join(f"  d{number}: d{number + 1}\n" for number in range(count))
    text = f"version: 1\ndefine:\n{links}  d{count}: close < 5\nrules:\n"
    return text + "  r: {when: d0, min_hold: 1h, do: {exposure_cap: 50%}}\n"


def test_a_chain_of_definitions_is_followed_as_far_as_the_core_can():
    rules, found = read_text(chained(145), "chain.yaml")
    assert rules is not None, [one.render() for one in found]
    for text in (chained(1_500), chained(1_500).replace("when: d0", "when: d1499")):
        rules, found = read_text(text, "chain.yaml")
        assert rules is None
        assert [one.code for one in found] == ["RG002"]


def test_rules_that_read_rules_are_followed_as_far():
    links = "".join(
        f"  r{number}: {{when: r{number + 1}, min_hold: 1h, do: {{exposure_cap: 50%}}}}\n"
        for number in range(300)
    )
    text = f"version: 1\nrules:\n{links}"
    text += "  r300: {when: close < 5, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    _, found = read_text(text, "chain.yaml")
    assert [one.code for one in found] == ["RG002"]


def test_a_circle_as_long_as_a_file_is_found():
    looped = chained(1_500).replace("d1500: close < 5", "d1500: d0")
    _, found = read_text(looped, "chain.yaml")
    assert [one.code for one in found] == ["RG208"]


def test_a_file_that_is_not_there_is_named_with_the_near_one(tmp_path: Path):
    (tmp_path / "btc.yaml").write_text("version: 1\n", encoding="utf-8")
    rules, found = read_rules(tmp_path / "btc.yml2")
    assert rules is None
    assert found[0].code == "RG005"
    assert found[0].help == "did you mean 'btc.yaml'?"
    assert read_rules(tmp_path)[1][0].code == "RG005"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    file = tmp_path / "a.yaml"
    file.write_bytes("version: 1\n".encode("utf-16"))
    with pytest.raises(RuleError, match="UTF-8"):
        load_rules(file)
    file.write_bytes(b"version: 1\n" * 100_000)
    with pytest.raises(RuleError, match="1 MiB"):
        load_rules(file)


def test_free_text_may_hold_what_a_rule_may_not():
    text = (
        "version: 1\nname: “February”\ndescription: >-\n  see note:this, -and this\n"
        "rules:\n  r: {when: close < 5, min_hold: 1h, do: {exposure_cap: 50%}}\n"
    )
    rules, found = read_text(text, "a.yaml")
    assert found == []
    assert rules is not None
    assert rules.name == "“February”"


def test_the_text_of_an_item_may_begin_its_lines_with_a_minus():
    text = "version: 1\ntags:\n  - >-\n    one\n    -two\n  - |\n    “three”\n    a:b\n"
    text += '"name": >-\n  -four\n'
    root, found = compose(text, "a.yaml")
    assert found.sorted() == []
    assert [item.text for item in root.items[1][1].items] == ["one -two", "“three”\na:b\n"]
