from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from riskguard.backtest.page.markdown import markdown
from riskguard.backtest.text import report_text
from riskguard.market import HOUR
from tests.backtest import made
from tests.backtest.page import drawn


@pytest.fixture(scope="module")
def text() -> str:
    comparison = drawn.comparison(2_000, HOUR)
    return markdown(comparison, drawn.evidence(comparison))


def test_verdict_is_the_title_and_all_parts_are_there(text: str) -> None:
    lines = text.splitlines()
    assert lines[0] == "<!-- riskguard/report-1 -->"
    assert lines[2] == "# NOT SHOWN: exploratory run, no plan; foresight p = 0.210"
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "At the end (on reconstructed data)",
        "What the guard was worth (on reconstructed data)",
        "Further figures (on reconstructed data)",
        "Peers at equal mean exposure (on reconstructed data)",
        "Tests (on reconstructed data)",
        "Ledger of the rules (on reconstructed data)",
        "Ledger in percent of the capital a year (on reconstructed data)",
        "Decisions (on reconstructed data)",
        "Data",
        "Notes",
        "Rules as run",
    ]


def test_each_row_of_a_table_has_as_many_cells_as_its_head(text: str) -> None:
    counts = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()]
    for before, after in pairwise(counts):
        assert not (before and after) or before == after


def test_figures_are_those_of_the_terminal(tmp_path) -> None:
    comparison = made.comparison(tmp_path)
    told = report_text(comparison, made.untested(comparison))
    found = markdown(comparison, made.untested(comparison))
    for figure in re.findall(r"\d+\.\d%|\$\d+,\d+", told[: told.index("constant:")]):
        assert figure in found, figure


def test_text_of_a_file_cannot_become_markup() -> None:
    comparison = drawn.comparison(300, text=drawn.RULES.replace("version: 1", "version: 1 # ````"))
    sly = "<script>x</script> | [a](http://x) `b` *c*\n# d"
    found = markdown(*drawn.weighed(replace(comparison, notes=(sly,))))
    assert "<script>" not in found.replace("\\<", "")
    assert r"\<script\>x\</script\> \| \[a\](http://x) \`b\` \*c\* \# d" in found
    assert "`````yaml\nversion: 1 # ````\n" in found


def test_of_many_decisions_the_strictest_are_told_and_the_count_of_all() -> None:
    levels = drawn.np.arange(4_000) % 2
    levels[1_234] = 3
    found = markdown(*drawn.weighed(drawn.comparison(4_000, HOUR, levels)))
    assert "200 of 4,000: of each stretch the strictest." in found
    assert found.count("| out | HALTED |") == 1
