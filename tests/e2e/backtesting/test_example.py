"""The example in examples/ as a reader runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_shows_a_bare_and_a_guarded_run(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples/backtesting_py_bot.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    bare, kept, count, reason = done.stdout.splitlines()
    drawdown = [float(line.split()[2]) for line in (bare, kept)]
    assert drawdown[0] < drawdown[1] < 0
    assert int(count.split()[3]) > 0
    assert "blind" in reason
