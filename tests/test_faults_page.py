"""The page on faults names tests that are there, with the counts that they are run with."""

from __future__ import annotations

import re
from pathlib import Path

from tests.counts import counts

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`((?:\w+/)*test_\w+\.py)`(?: \(([\d,]+) / ([\d,]+)\))?")


def test_every_test_that_the_page_names_is_there_with_its_counts() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 50
    for file, quick, whole in named:
        text = (TESTS / file).read_text(encoding="utf-8").replace("_", "")
        if quick:
            told = f"@{counts.__name__}({quick.replace(',', '')}, {whole.replace(',', '')})"
            assert told in text, file


def test_every_fault_is_on_the_page() -> None:
    rows = {int(number) for number in re.findall(r"^\| F(\d+) \|", PAGE, re.MULTILINE)}
    _, _, left = PAGE.partition("## Not done")
    for first, last in re.findall(r"F(\d+)(?: to F(\d+))?", left):
        rows |= set(range(int(first), int(last or first) + 1))
    assert rows == set(range(1, 51))
