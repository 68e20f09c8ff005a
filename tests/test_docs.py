from __future__ import annotations

import doctest
import re
import shlex
import sys
from pathlib import Path

import pytest

from riskguard.cli import main
from riskguard.language.reader import read_text
from riskguard.shipped import shipped

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)( refused)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w-]+\.yaml)`:\s*\Z")
SCENARIO = ROOT / "riskguard" / "history" / "scenarios" / "feb-2026"

FLAGS = doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE


def blocks(page: Path, language: str) -> list[tuple[str, str, bool]]:
    """Return the file name said before each block, its text, and whether it is to be refused."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if match[1] == language:
            name = NAMED.search(text[: match.start()])
            found.append((name[1] if name else "", match[3], bool(match[2])))
    return found


RULES = [
    pytest.param(text, refused, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (_, text, refused) in enumerate(blocks(page, "yaml"))
    if text.startswith("version:")
]
SESSIONS = [
    pytest.param(page, text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (_, text, _) in enumerate(blocks(page, "console"))
]


@pytest.mark.parametrize(("text", "refused"), RULES)
def test_every_rule_file_shown_is_what_it_says(text: str, refused: bool) -> None:
    _, found = read_text(text, "shown.yaml")
    assert any(item.severity == "error" for item in found) == refused


@pytest.mark.parametrize(("page", "session"), SESSIONS)
def test_every_command_shown_prints_what_is_shown(
    page: Path, session: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    for name, text, _ in blocks(page, "yaml"):
        if name:
            (tmp_path / name).write_text(text)
    (tmp_path / "BTCUSDT-4h.csv").write_bytes((SCENARIO / "BTC-4h.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit):
            main()
        shown = "".join(capsys.readouterr())
        same = doctest.OutputChecker().check_output(wanted, shown, FLAGS)
        assert same, f"$ {command}\n{shown}"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_documentation_names_every_option_of_backtest(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["riskguard", "backtest", "--help"])
    with pytest.raises(SystemExit):
        main()
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    text = (ROOT / "docs" / "backtests.md").read_text(encoding="utf-8")
    assert {option for option in options if option not in text} == set()


def test_shipped_rules_are_where_the_readme_says() -> None:
    assert (shipped("rules") / "feb-2026.yaml").is_file()
