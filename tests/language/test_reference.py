"""The reference page is what the tables say, and says all of it."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from riskguard.cli import failures
from riskguard.engine.decision import State
from riskguard.language.guides import reference
from riskguard.language.guides.reference import filled, made
from riskguard.language.reader import read_text
from riskguard.language.schema import (
    ACTIONS,
    BLOCKS,
    COMBINATORS,
    LITERALS,
    MEASURES,
    RESERVED,
    UNITS,
)
from riskguard.language.tables.ta_table import FUNCTIONS
from riskguard.market import CATALOGUE

PATH = Path(__file__).parents[2] / "docs" / "reference.md"
PAGE = PATH.read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return a part of the page, from its heading to the next of the same level."""
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[
        re.findall(r"^## (.*)$", PAGE, flags=re.MULTILINE).index(title) + 1
    ]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `?([\w. ()]+?)`?[ ,|]", text, flags=re.MULTILINE)


def test_the_page_is_what_is_made_from_the_tables() -> None:
    again = "the tables have changed; run: make reference"
    assert filled(PAGE) == PAGE, again


def test_everything_that_is_made_stands_on_the_page_once() -> None:
    marks = re.findall(r"^<!-- made: ([a-z ]+) -->$", PAGE, flags=re.MULTILINE)
    assert sorted(marks) == sorted(made())
    assert PAGE.count("<!-- end -->") == len(marks)


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(KeyError, match="rule kees"):
        filled("<!-- made: rule kees -->\n<!-- end -->")


def test_a_stale_table_is_made_anew() -> None:
    page = "before\n<!-- made: units -->\n| old |\n<!-- end -->\nafter\n"
    new = filled(page)
    assert new.startswith("before\n<!-- made: units -->\n\n| unit | is |\n")
    assert new.endswith("\n\n<!-- end -->\nafter\n")
    assert "old" not in new
    assert filled(new) == new


def test_the_program_makes_a_page_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "reference.md"
    page.write_text("<!-- made: units -->\n| old |\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["reference", str(page)])
    runpy.run_path(str(reference.__file__), run_name="__main__")
    assert "| old |" not in page.read_text(encoding="utf-8")
    assert "| unit | is |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_key_is_on_the_page(block: str) -> None:
    told = set(first_cells(PAGE)) | set(re.findall(r"^### `(\w+)`$", PAGE, flags=re.MULTILINE))
    assert BLOCKS[block].keys() <= told


def test_every_measure_input_action_and_unit_is_on_the_page() -> None:
    measures = first_cells(section("Measures"))
    assert {one.partition("(")[0] for one in measures} >= MEASURES.keys()
    assert set(first_cells(section("Inputs"))) >= CATALOGUE.keys()
    assert set(first_cells(section("Actions"))) >= ACTIONS.keys()
    assert set(first_cells(section("The file"))) >= set(UNITS)
    for name in FUNCTIONS:
        assert f"`ta.{name}(" in section("Inputs")
    for literal in LITERALS.values():
        assert all(f"`{text}`" in section("Numbers and units") for text in literal.examples)
    assert all(f"`{word}`" in section("Names") for word in RESERVED)


def test_every_function_of_ta_can_be_written_as_shown() -> None:
    shown = re.findall(r"^`(ta\.\w+\(.*?\))`,?$", PAGE, flags=re.MULTILINE)
    lines = "".join(f'      - "{re.sub("(, )?smoothing_factor", "", one)} > 5"\n' for one in shown)
    head = "version: 1\nevery: 1h\nrules:\n  r:\n    min_hold: 6h\n    do: {notify: x}\n"
    rules, found = read_text(f"{head}    when:\n     any:\n{lines}", "a.yaml")
    assert rules is not None, [one.render() for one in found]
    written = {leaf.left.name: dict(leaf.left.arguments) for leaf in rules.rules[0].when.of}
    defaults = {
        name: {word: value for word, value in function.parameters.items() if value is not None}
        for name, function in FUNCTIONS.items()
    }
    assert written == defaults


@pytest.mark.parametrize("form", COMBINATORS)
def test_every_form_of_a_condition_has_its_example(form: str) -> None:
    part = PAGE.split(f"### `{form}`\n")[1].split("\n### ")[0]
    assert f"```yaml\n{COMBINATORS[form].example}\n```" in part


def test_the_states_are_told_strictest_first() -> None:
    told = [cell for cell in first_cells(section("Actions")) if cell.isupper()]
    assert told == [state.name for state in sorted(State, reverse=True)]


def test_the_exit_codes_are_those_of_the_commands() -> None:
    told = {int(cell) for cell in first_cells(section("Exit codes")) if cell.isdigit()}
    named = {"FINDINGS", "WRONG_USE", "STRICT", "INTERNAL", "IN_USE", "INTERRUPTED", "PIPE_CLOSED"}
    assert told == {0, *(getattr(failures, name) for name in named)}
