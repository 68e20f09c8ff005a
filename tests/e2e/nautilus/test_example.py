"""The example in examples/ as a reader runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_guarded_ladder_loses_less_than_the_bare_one(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples/nautilus_bot.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bare, guarded, refused, why = done.stdout.splitlines()
    left = [float(line.split()[1].replace(",", "")) for line in (bare, guarded)]
    assert left[0] < 0 < left[1]
    assert guarded.split("USDT")[1].split()[0] == "0"
    assert "riskguard: " in why
    assert "orders" in refused
