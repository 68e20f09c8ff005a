"""The example in examples/ as a reader runs it: compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_shows_a_bare_and_a_guarded_run(tmp_path: Path) -> None:
    variables = {name: one for name, one in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    command = [sys.executable, str(ROOT / "examples/vectorbt_masks.py")]
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    bare, kept, blocked = done.stdout.splitlines()
    drawdown = [float(line.split()[2]) for line in (bare, kept)]
    assert drawdown[0] < drawdown[1] < 0
    assert blocked.startswith("entries blocked at ")
