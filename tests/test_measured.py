"""What tests measure is printed once, by two processes as by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEST = "def test_{0}(measured):\n    measured('{0} took 5 s')\n"


@pytest.mark.parametrize("processes", [0, 2])
def test_what_was_measured_is_printed_once(processes: int, tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    for name in ("one", "other", "third"):
        (tmp_path / f"test_{name}.py").write_text(TEST.format(name))
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-n", str(processes)]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = ran.stdout.partition(" MEASURED ")[2]
    assert [told.count(f"{name} took 5 s") for name in ("one", "other", "third")] == [1, 1, 1]
