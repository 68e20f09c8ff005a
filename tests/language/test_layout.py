from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riskguard.language import source
from riskguard.language.source import Listing, Mapping, Node, Scalar, compose
from riskguard.language.writing.layout import laid_out
from riskguard.language.writing.quoting import quoted
from riskguard.language.writing.wording import NOWHERE, word
from tests.language.rule_grammar import TEXTS

COUNT = 400
HALVES = ("Cs",)  # of characters: no file holds them
ANY_TEXT = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=HALVES), max_size=30),
    st.text("ab -:#,'\"[]{}?\n>|&*!%@\u201c\u00a0\t", max_size=30),
    st.lists(st.text("ab-:#'", min_size=1, max_size=9), min_size=20, max_size=60).map(" ".join),
)


def written(value: object) -> Node:
    if isinstance(value, dict):
        return Mapping(tuple((word(key), written(one)) for key, one in value.items()), NOWHERE)
    if isinstance(value, list):
        return Listing(tuple(map(written, value)), NOWHERE)
    return word(str(value))


def plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Listing):
        return [plain(one) for one in node.items]
    assert node is not None
    return {plain(key): plain(value) for key, value in node.items}


@settings(max_examples=COUNT)
@given(ANY_TEXT, st.sampled_from((yaml.CSafeLoader, yaml.SafeLoader)))
@example("word " * 40 + "-end", yaml.SafeLoader)
@example("x" * 1_100, yaml.CSafeLoader)
def test_any_text_survives_wherever_it_stands(text: str, loader: type):
    data = {
        "version": "1",
        "name": text,
        "tags": [text, "other", [text]],
        "params": {"p": {"value": text, text or "k": "5"}},
        "rules": {"r": {"when": {"all": [{"is": text, "for": text}]}, text or "k": text}},
    }
    before, source.LOADER = source.LOADER, loader
    try:
        root, found = compose("".join(f"{row}\n" for row, _ in laid_out(written(data))), "a.yaml")
    finally:
        source.LOADER = before
    assert [one.render() for one in found.sorted()] == []
    assert plain(root) == data


@pytest.mark.parametrize(
    ("text", "block", "flow"),
    [
        ("close < 75_000", "close < 75_000", "close < 75_000"),
        ("low(20d, min=5d)", "low(20d, min=5d)", '"low(20d, min=5d)"'),
        ("-4.4%", "-4.4%", "-4.4%"),
        ("-$0.9B", "-$0.9B", "-$0.9B"),
        ("-close", '"-close"', '"-close"'),
        ("08:00", '"08:00"', '"08:00"'),
        ("no", '"no"', '"no"'),
        ("true", "true", "true"),
        ("it's", "it's", "it's"),
        ("a: b", '"a: b"', '"a: b"'),
        ('so "called": x', "'so \"called\": x'", "'so \"called\": x'"),
        ("two\nlines", '"two\\nlines"', '"two\\nlines"'),
        ("\u201cx\u201d", '"\\u201cx\\u201d"', '"\\u201cx\\u201d"'),
    ],
)
def test_quotes_stand_where_they_are_needed(text: str, block: str, flow: str):
    assert (quoted(text), quoted(text, flow=True)) == (block, flow)


def test_what_a_line_holds_stands_on_one_and_the_rest_in_blocks():
    data = {
        "version": "1",
        "description": "a word " * 20 + "end",
        "params": {"p": {"value": "5", "range": "1..9"}},
        "rules": {
            "r": {
                "when": {"all": ["close < 5", {"any": ["oi < 6", "x" * 90]}]},
                "do": {"close": "all"},
            }
        },
    }
    assert "".join(f"{row}\n" for row, _ in laid_out(written(data))) == (
        f"version: 1\ndescription: >-\n  {'a word ' * 14}\n".replace(" \n", "\n")
        + f"  {'a word ' * 6}end\n"
        "params:\n"
        "  p: {value: 5, range: 1..9}\n"
        "rules:\n"
        "  r:\n"
        "    when:\n"
        "      all:\n"
        "        - close < 5\n"
        "        - any:\n"
        "            - oi < 6\n"
        f"            - {'x' * 90}\n"
        "    do: {close: all}\n"
    )
