"""The page on bots shows what the examples do, at the versions that are tested."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from riskguard.adapters.backtrader import TESTED
from tests.e2e.environments import FRAMEWORKS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "bots.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").rglob("*.py")]


def lines(text: str) -> list[str]:
    """Return the lines of a program, wherever it is indented and whatever is remarked."""
    return [line.partition("  #")[0].strip() for line in text.splitlines()]


def stands(piece: list[str], text: list[str]) -> bool:
    ends = range(len(piece), len(text) + 1)
    return any(text[end - len(piece) : end] == piece for end in ends)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_shows_stands_in_an_example_that_is_run(block: str) -> None:
    pieces = [lines(piece.strip()) for piece in re.split(r"^\.\.\.$", block, flags=re.MULTILINE)]
    assert any(all(stands(piece, lines(text)) for piece in pieces) for text in EXAMPLES)


@pytest.mark.parametrize("name", [*FRAMEWORKS, "backtrader"])
def test_each_framework_is_shown_from_its_import_to_the_whole_example(name: str) -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (section,) = [one for one in sections if f"from riskguard.adapters.{name} import" in one]
    assert len(section.splitlines()) <= 40
    assert re.search(r"\(\.\./examples/\w+\.py\)", section)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_page_the_adapter_and_its_environment_name_one_version(name: str) -> None:
    framework = FRAMEWORKS[name]
    assert framework.version == import_module(f"riskguard.adapters.{name}").TESTED
    assert f"| {framework.version} | {framework.python} |" in PAGE


def test_the_page_and_the_adapter_of_backtrader_name_the_version_that_is_here() -> None:
    assert version("backtrader") == TESTED
    assert f"| {TESTED} | 3.11 |" in PAGE


def test_every_example_of_a_bot_is_named() -> None:
    shown = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert {name for name in shown if name not in PAGE} == set()
