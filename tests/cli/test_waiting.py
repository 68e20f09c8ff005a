from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from riskguard.cli import waiting

ROOT = Path(__file__).resolve().parents[2]
SLOW = """
import threading
from riskguard.cli import waiting
waiting.PATIENCE = {patience}
with waiting.waiting(quiet={quiet}) as tell:
    tell('running bare')
    for one in threading.enumerate():
        if isinstance(one, threading.Timer) and one.interval < 1:
            one.join()
print('done')
"""


def in_a_terminal(patience: float, *, quiet: bool = False) -> str:
    """Run a slow command in a terminal of its own and return what the terminal shows."""
    pty = pytest.importorskip("pty", reason="no terminals on this system")
    terminal, inside = pty.openpty()
    code = SLOW.format(patience=patience, quiet=quiet)
    environment = {**os.environ, "TERM": "xterm"}
    started = subprocess.Popen(
        [sys.executable, "-c", code], stdout=inside, stderr=inside, cwd=ROOT, env=environment
    )
    os.close(inside)
    shown = b""
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:
            break
        if not read:
            break
        shown += read
    started.wait(timeout=60)
    os.close(terminal)
    return shown.decode()


def test_a_long_run_shows_its_step() -> None:
    assert "running bare" in in_a_terminal(0.01)


def test_a_short_run_and_a_quiet_one_show_nothing() -> None:
    assert in_a_terminal(30).strip() == "done"
    assert in_a_terminal(0.01, quiet=True).strip() == "done"


def test_a_pipe_is_told_nothing(capsys, monkeypatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    with waiting.waiting() as tell:
        tell("running")
    assert capsys.readouterr() == ("", "")
