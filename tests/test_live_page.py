"""The page on live bots is one session: its rules, its bot, and the commands on its state."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from riskguard.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "live.md"
STEP = re.compile(
    r"`(?P<name>[\w-]+\.(?:yaml|py))`[^`]*?:\s+```(?:yaml|python)\n(?P<text>.*?)^```$"
    r"|^```console\n(?P<session>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
FLAGS = doctest.ELLIPSIS | doctest.DONT_ACCEPT_BLANKLINE


def printed(command: str, monkeypatch, capsys) -> str:
    words = shlex.split(command)
    if words[0] == "python":
        done = subprocess.run(
            [sys.executable, *words[1:]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        main()
    return "".join(capsys.readouterr())


def test_the_page_on_live_bots_does_what_it_says(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names = []
    for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        if step["name"]:
            names.append(step["name"])
            Path(step["name"]).write_text(step["text"])
            continue
        for part in re.split(r"^\$ ", step["session"], flags=re.MULTILINE)[1:]:
            command, _, wanted = part.partition("\n")
            shown = printed(command, monkeypatch, capsys)
            same = doctest.OutputChecker().check_output(wanted, shown, FLAGS)
            assert same, f"$ {command}\n{shown}"
    assert names == ["exit.yaml", "bot.py"]
