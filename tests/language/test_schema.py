"""The tables of the language: the reader takes what they name, and looks at all of it."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
import yaml

from riskguard.language.expression import parse_literal
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Actions
from riskguard.language.schema import (
    ACTIONS,
    BLOCKS,
    COMBINATORS,
    LITERALS,
    MEASURES,
    ONE_OF,
    STANDS_FOR,
    WRITTEN,
)

FILE = {"version": "1", "symbols": ["BTC", "ETH", "SOL"]}
RULE = {"when": "close < 1", "do": {"exposure_cap": "50%"}, "min_hold": "6h"}
STAGE = {"stage": "watch", "enter": "close < 1", "do": {"exposure_cap": "50%"}, "min_hold": "6h"}
RAMP = {"start": "25%", "step": "25%", "every": "6h", "while": "close > 2"}
FORMS = ("breadth", "support_lost", "liquidations", "unrealised_loss", "during")


def with_rule(**changed: object) -> dict:
    return {**FILE, "rules": {"r": {**RULE, **changed}}}


def example(form: str) -> dict:
    return yaml.safe_load(COMBINATORS[form].example)[form]


# block -> its smallest form, and a file with it
FRAMES = {
    "file": ({}, lambda inner: {**with_rule(), **inner}),
    "rule": (RULE, lambda inner: {**FILE, "rules": {"r": inner}}),
    "stage": (STAGE, lambda inner: {**FILE, "stages": [inner]}),
    "input": ({"unit": "number"}, lambda inner: {"inputs": {"stoxx": inner}, **with_rule()}),
    "parameter": ({"value": "5%"}, lambda inner: {"params": {"p": inner}, **with_rule()}),
    "symbol_changes": ({}, lambda inner: {**with_rule(), "per_symbol": {"ETH": inner}}),
    "condition": ({"is": "close < 1"}, lambda inner: with_rule(when=inner)),
    "actions": (RULE["do"], lambda inner: with_rule(do=inner)),
    "reentry": (RAMP, lambda inner: with_rule(reentry=inner)),
    **{
        form: (example(form), lambda inner, form=form: with_rule(when={form: inner}))
        for form in FORMS
    },
}
KEYS = [
    pytest.param(block, key, id=f"{block}-{key}") for block, keys in BLOCKS.items() for key in keys
]


def found_in(block: str, key: str, value: object) -> list:
    """Return the errors of a file whose block of that kind has the key."""
    smallest, frame = FRAMES[block]
    alternatives = ONE_OF.get(block, ()) if key in ONE_OF.get(block, ()) else ()
    inner = {word: one for word, one in smallest.items() if word not in alternatives}
    text = json.dumps({"version": "1", **frame({**inner, key: value})}, indent=1)
    return [one for one in read_text(text, "a.json")[1] if one.severity == "error"]


@pytest.mark.parametrize("block", FRAMES)
def test_the_smallest_form_of_each_block_is_read(block: str) -> None:
    smallest, frame = FRAMES[block]
    text = json.dumps({"version": "1", **frame(smallest)}, indent=1)
    rules, found = read_text(text, "a.json")
    assert rules is not None, [one.render() for one in found]


def test_every_block_has_its_frame() -> None:
    assert FRAMES.keys() == BLOCKS.keys()


@pytest.mark.parametrize(("block", "key"), KEYS)
def test_the_reader_takes_every_key_of_the_tables_and_looks_at_it(block: str, key: str) -> None:
    found = found_in(block, key, [["x"]])  # no value of any kind
    assert found, "taken and ignored"
    assert "RG123" not in [one.code for one in found]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_reader_takes_no_other_key(block: str) -> None:
    found = found_in(block, "xyzzy", "1")
    assert [one.code for one in found] == ["RG123"]
    assert "'xyzzy'" in found[0].message


@pytest.mark.parametrize(("block", "key"), KEYS)
def test_every_key_says_how_it_is_written_and_what_it_is_for(block: str, key: str) -> None:
    said = BLOCKS[block][key]
    assert said.kind in WRITTEN
    assert said.help.endswith(".")
    assert said.help.isascii()
    assert (said.kind in {"choice", "guards"}) == bool(said.choices)
    assert not said.choices or said.default in {"", *said.choices}
    assert not said.needs or said.needs in BLOCKS[block]


def condition(text: str) -> tuple:
    """Return the condition that a text is, and its faults."""
    lines = "".join(f"      {line}\n" for line in text.splitlines())
    file = (
        "version: 1\nsymbols: [BTC, ETH, SOL]\nrules:\n  r:\n    when:\n"
        f"{lines}    do: {{exposure_cap: 50%}}\n    min_hold: 6h\n"
    )
    rules, found = read_text(file, "a.yaml")
    return (rules.rules[0].when if rules else None), found


@pytest.mark.parametrize("form", COMBINATORS)
def test_the_example_of_each_form_is_read(form: str) -> None:
    read, found = condition(COMBINATORS[form].example)
    assert read is not None, [one.render() for one in found]


@pytest.mark.parametrize("form", STANDS_FOR)
def test_a_long_form_means_what_it_stands_for(form: str) -> None:
    long, short = condition(COMBINATORS[form].example)[0], condition(STANDS_FOR[form])[0]
    assert long == short
    assert long is not None


@pytest.mark.parametrize("dimension", LITERALS)
def test_the_examples_of_literals_are_of_their_dimension(dimension: str) -> None:
    for text in LITERALS[dimension].examples:
        assert parse_literal(text).dimension == dimension, text


def test_every_action_of_the_table_reaches_the_guard() -> None:
    assert [field.name for field in fields(Actions)] == [*ACTIONS, "plugins"]
    assert all(action.merge for action in ACTIONS.values())


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_of_the_table_is_read_with_its_example(name: str) -> None:
    measure = MEASURES[name]
    series = "liq.long" if measure.flows else "close"
    zero = "0s" if measure.result == "time" else "0"
    window = measure.example if measure.windowed else ""
    calls = [f"{series}.{name}({window})"]
    calls += [f"{series}.{name}({window}, min=1d)"] if measure.baseline else []
    assert measure.help
    assert measure.unknown
    for call in calls:
        read, found = condition(f'"{call} > {zero}"')
        assert read is not None, [one.render() for one in found]
        assert read.left.dimension == measure.result or not measure.result
