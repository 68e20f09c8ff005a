"""Every code has one entry that explains it, one case that finds it, and no code is a stranger."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskguard.language.guides.catalogue import FOLDER, Explanation, explanations, page
from riskguard.language.reader import read_text
from riskguard.market import HOUR

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "riskguard").rglob("*.py"))
CODE = re.compile(r"\bRG\d{3}\b")
TABLE = Path(__file__).with_name("mistakes.md")
# codes that one file alone cannot bring about -> the test that does
ELSEWHERE = {
    **dict.fromkeys(("RG001", "RG002"), "tests/language/test_limits.py"),
    "RG508": "tests/language/test_composition.py",
    **dict.fromkeys(("RG503", "RG504", "RG505", "RG506", "RG507"), "tests/history/test_doubts.py"),
    **dict.fromkeys(("RG509", "RG511", "RG512", "RG514"), "tests/language/test_binding.py"),
    **dict.fromkeys(("RG510", "RG513"), "tests/language/test_composition.py"),
    **dict.fromkeys(("RG601", "RG602", "RG603", "RG604"), "tests/language/test_composition.py"),
    "RG605": "tests/language/test_composition.py",
    "RG606": "tests/language/test_binding.py",
    **dict.fromkeys(("RG608", "RG609"), "tests/language/test_plugins.py"),
    **dict.fromkeys(("RG701", "RG702", "RG703", "RG704", "RG705"), "tests/testing/test_reader.py"),
}
# an empty list is an error and a list of one a warning; numbers are an error, parameters may vary
BOTH = {"RG136", "RG431"}
KNOWN = explanations()


def of_the_table() -> set[tuple[str, str]]:
    rows = re.findall(
        r"^\| (RG\d{3}) \| ([EW]) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {(code, {"E": "error", "W": "warning"}[letter]) for code, letter in rows}


def test_every_heading_is_an_entry_in_the_order_of_the_codes() -> None:
    headings = [
        code
        for path in sorted(FOLDER.glob("*.md"))
        for code in re.findall(r"^## (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert headings == sorted(set(headings))
    assert headings == list(KNOWN)


def test_every_code_of_the_sources_is_explained_and_the_other_way_round() -> None:
    used = {code for path in SOURCES for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert sorted(used - set(KNOWN)) == []
    assert sorted(set(KNOWN) - used) == []


@pytest.mark.parametrize("code", KNOWN)
def test_every_code_has_a_case(code: str) -> None:
    if code in ELSEWHERE:
        assert code in (ROOT / ELSEWHERE[code]).read_text(encoding="utf-8")
    else:
        assert code in {one for one, _ in of_the_table()}


def test_severities_are_those_of_the_cases() -> None:
    odd = {
        (code, severity)
        for code, severity in of_the_table()
        if KNOWN[code].severity != severity and code not in BOTH
    }
    assert odd == set()


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("one", KNOWN.values(), ids=lambda one: one.code)
def test_examples_are_wrong_and_right_as_they_say(one: Explanation) -> None:
    if one.wrong.kind != "text":
        _, found = read_text(one.wrong.file, "wrong.yaml", every=HOUR)
        shown = [item.render() for item in found]
        assert (one.code, one.severity) in {(item.code, item.severity) for item in found}, shown
        assert {item.code for item in found if item.severity == "error"} <= {one.code}, shown
    if one.right.kind != "text":
        rules, found = read_text(one.right.file, "right.yaml", every=HOUR)
        assert rules is not None
        assert [item.render() for item in found] == []


@pytest.mark.parametrize("one", KNOWN.values(), ids=lambda one: one.code)
def test_an_entry_is_short_and_fits_a_terminal(one: Explanation) -> None:
    assert len(f"  {one.code}  {one.severity:7}  {one.title}") <= 80
    assert one.finds.endswith((".", "?"))
    assert one.why.endswith((".", "?"))
    assert len(one.finds) + len(one.why) < 400
    lines = [*one.wrong.text.split("\n"), *one.right.text.split("\n")]
    assert max(map(len, lines)) <= 96
    assert len(lines) <= 16


@pytest.mark.parametrize("one", KNOWN.values(), ids=lambda one: one.code)
def test_a_program_is_given_all_that_an_entry_says(one: Explanation) -> None:
    told = one.as_dict()
    assert (told["code"], told["title"], told["why"]) == (one.code, one.title, one.why)
    assert {key for key, text in told.items() if not text} == set()


def test_the_page_of_the_documentation_is_that_of_the_catalogue() -> None:
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    assert text == page(), "write it anew: riskguard explain --markdown > docs/diagnostics.md"
