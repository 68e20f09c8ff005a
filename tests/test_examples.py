"""Every file in examples/ runs as it stands, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# these need a framework of their own: tests/e2e runs them, each in its environment
ELSEWHERE = {
    "backtesting_py_bot.py": "backtesting",
    "freqtrade_bot.py": "freqtrade",
    "hummingbot_bot.py": "hummingbot",
    "jesse_bot.py": "jesse",
    "live_ccxt.py": "ccxt",
    "nautilus_bot.py": "nautilus",
    "vectorbt_masks.py": "vectorbt",
}
FOUND = sorted((ROOT / "examples").glob("*.py"))
EXAMPLES = [path for path in FOUND if path.name not in ELSEWHERE]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs_in_an_empty_folder_and_says_something(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_example_of_another_environment_is_run_there(name: str) -> None:
    assert ROOT / "examples" / name in FOUND
    tests = (ROOT / "tests" / "e2e" / ELSEWHERE[name]).glob("test_*.py")
    assert any(f"examples/{name}" in path.read_text(encoding="utf-8") for path in tests)
