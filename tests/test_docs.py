from __future__ import annotations

import doctest
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from riskguard import Guard, Sample
from riskguard.cli import main
from riskguard.cli.app import app
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR
from riskguard.shipped import shipped
from riskguard.testing.expecting import KINDS, SPANS, WANTED
from tests.shown import completed, is_test

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: ([\w ]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w-]+\.yaml)`:\s*\Z")
# blocks that stand each for itself; two pages are sessions: test_tutorial.py, test_live_page.py
APART = [page for page in PAGES if page.name not in {"live.md", "tutorial.md"}]
SCENARIO = ROOT / "riskguard" / "history" / "scenarios" / "feb-2026"

FLAGS = doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE


class Block(NamedTuple):
    name: str  # of the file, when it is said before the block
    text: str
    mark: str  # refused, refused RG301, same or nothing


def blocks(page: Path, language: str) -> list[Block]:
    """Return the blocks of a page in one language."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if match[1] == language:
            name = NAMED.search(text[: match.start()])
            found.append(Block(name[1] if name else "", match[3], match[2] or ""))
    return found


YAML = [
    pytest.param(page, number, id=f"{page.stem}-{number}")
    for page in APART
    if page.stem != "diagnostics"  # run where they stand: tests/language/test_catalogue.py
    for number in range(len(blocks(page, "yaml")))
]
SESSIONS = [
    pytest.param(page, text, id=f"{page.stem}-{number}")
    for page in APART
    for number, (_, text, _) in enumerate(blocks(page, "console"))
]


def written(page: Path, folder: Path) -> None:
    """Write the packs and the files of a page, by the names that are said before them."""
    for pack in shipped("rules").glob("*.yaml"):
        (folder / pack.name).write_bytes(pack.read_bytes())
    for name, text, _ in blocks(page, "yaml"):
        if name:
            (folder / name).write_text(text)


@pytest.mark.parametrize(("page", "number"), YAML)
def test_every_yaml_block_is_what_it_says(
    page: Path, number: int, tmp_path: Path, monkeypatch, capsys
) -> None:
    block = blocks(page, "yaml")[number]
    mark, _, code = block.mark.partition(" ")
    assert mark in {"", "refused", "same"}, "see tests/shown.py"
    written(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    if is_test(block.text):
        (tmp_path / "shown_test.yaml").write_text(block.text)
        failed = run("riskguard test shown_test.yaml", monkeypatch)
        assert failed == (mark == "refused"), capsys.readouterr()
        return
    rules, found = read_text(completed(block.text, tmp_path), "shown.yaml")
    errors = [one.code for one in found if one.severity == "error"]
    assert bool(errors) == (mark == "refused"), [one.render() for one in found]
    assert errors == [code] or not code
    if rules is not None:
        obeyed(rules)
    if mark == "same":
        before = blocks(page, "yaml")[number - 1].text
        other, _ = read_text(completed(before, tmp_path), "shown.yaml")
        assert rules.rules[-1].when == other.rules[-1].when


def obeyed(rules: RuleSet) -> None:
    """Let a guard take the rules and a first sample."""
    whole = replace(rules, every=rules.every or HOUR)
    guard = Guard(whole, sources={"liq.long": "binance"})
    sample = Sample(1_767_600_000_000_000_000, rules.symbol or "BTC", {"close": 90_000.0})
    assert guard.update(sample).rules == rules.hash


def test_a_block_that_belongs_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the keys jobs, on belongs nowhere"):
        completed("on: push\njobs: {}\n", tmp_path)


def run(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command as it is typed and return its exit code."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


@pytest.mark.parametrize(("page", "session"), SESSIONS)
def test_every_command_shown_prints_what_is_shown(
    page: Path, session: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    written(page, tmp_path)
    (tmp_path / "BTCUSDT-4h.csv").write_bytes((SCENARIO / "BTC-4h.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        run(command, monkeypatch)
        shown = "".join(capsys.readouterr())
        same = doctest.OutputChecker().check_output(wanted, shown, FLAGS)
        assert same, f"$ {command}\n{shown}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("command", ["backtest", "study"])
def test_the_page_on_backtests_names_every_option(command: str, monkeypatch, capsys) -> None:
    assert run(f"riskguard {command} --help", monkeypatch) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    text = (ROOT / "docs" / "backtests.md").read_text(encoding="utf-8")
    assert {option for option in options if option not in text} == set()


def test_the_page_on_rule_tests_names_every_option_and_every_field(monkeypatch, capsys) -> None:
    assert run("riskguard test --help", monkeypatch) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    text = (ROOT / "docs" / "rule-tests.md").read_text(encoding="utf-8")
    assert {word for word in [*options, *WANTED, *SPANS, *KINDS] if word not in text} == set()


def test_shipped_rules_are_where_the_readme_says() -> None:
    assert (shipped("rules") / "feb-2026.yaml").is_file()


def test_the_reference_says_of_every_command_what_programs_read() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    table = text[text.index("## What programs read") :]
    rows = {name: how for names, how in re.findall(r"^\| (`.*?`) \| (.*?) \|", table, re.MULTILINE)
            for name in re.findall("`(.*?)`", names)}  # fmt: skip
    known = dict(commands(typer.main.get_command(app)))
    assert rows.keys() == known.keys()
    assert [
        name for name, how in rows.items() if ("--json" in how) != ("--json" in known[name])
    ] == []


def commands(group: Any, above: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield each command as it is typed, with its options."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{above}{name} ")
        else:
            yield f"{above}{name}", {option for param in one.params for option in param.opts}
