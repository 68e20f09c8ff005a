"""The tutorial is one session: its files, its edits and its commands, in the order of the page."""

from __future__ import annotations

import doctest
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from riskguard.cli import main
from riskguard.language.reader import read_rules
from riskguard.testing.reader import read_cases

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
STEP = re.compile(
    r"`(?P<name>[\w-]+\.yaml)`:\s+```yaml(?P<refused> refused)?\n(?P<text>.*?)^```$"
    r"|In\s+`(?P<edited>[\w-]+\.yaml)`\s+write\s+`(?P<new>[^`]+)`\s+for\s+`(?P<old>[^`]+)`"
    r"|^```console\n(?P<session>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ANSWER = re.compile(r"^   \[[^]]+\] (.*)$", re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE


class Typing(io.StringIO):
    """A terminal at which the answers of a session are typed."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:
        line = super().readline(size)
        sys.stdout.write(line)  # a terminal shows what is typed
        return line


def written(name: str, text: str, refused: bool) -> None:
    Path(name).write_text(text)
    rules, found = read_cases(name) if name.endswith("_test.yaml") else read_rules(name)
    assert (rules is None) == refused, (name, [one.render() for one in found])


def run(command: str, wanted: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    monkeypatch.setattr(sys, "stdin", Typing("\n".join([*ANSWER.findall(wanted), ""])))
    with pytest.raises(SystemExit):
        main()
    shown = "".join(capsys.readouterr())
    assert doctest.OutputChecker().check_output(wanted, shown, FLAGS), f"$ {command}\n{shown}"


def test_the_tutorial_does_what_it_says(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        if step["name"]:
            written(step["name"], step["text"], bool(step["refused"]))
        elif step["edited"]:
            before = Path(step["edited"]).read_text()
            assert before.count(step["old"]) == 1, step[0]
            Path(step["edited"]).write_text(before.replace(step["old"], step["new"]))
        else:
            for part in re.split(r"^\$ ", step["session"], flags=re.MULTILINE)[1:]:
                command, _, wanted = part.partition("\n")
                run(command, wanted, monkeypatch, capsys)


def test_every_block_of_the_tutorial_is_a_step() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("\n```") == 2 * sum(not step["edited"] for step in STEP.finditer(text))
