"""The example of a measure of one's own: installed by pip, used by the commands, as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "own_measure"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the example was installed into, without a network."""
    folder = tmp_path_factory.mktemp("own")
    source, target = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    install += ["--no-build-isolation", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run(
        [*install, str(source)], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return target


def ran(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(site)])
    return subprocess.run(
        [sys.executable, "-m", "riskguard", *words],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


ASKED = re.findall(r"^\$ riskguard (.+)$", (EXAMPLE / "README.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", ASKED)
def test_what_the_readme_says_runs(site: Path, line: str) -> None:
    done = ran(site, *line.split())
    assert done.returncode == 0, done.stdout + done.stderr
    shown = {
        "check": "0 errors, 0 warnings in 1 file",
        "test": "3 of 3 cases passed",
        "backtest": "bruised",
    }
    assert shown[line.partition(" ")[0]] in done.stdout


@pytest.mark.parametrize("line", ASKED)
def test_nothing_of_it_runs_where_it_is_not_allowed(site: Path, line: str) -> None:
    words = line.replace("--allow-plugin ulcer ", "").split()
    assert len(words) == len(line.split()) - 2
    done = ran(site, *words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "RG608] plug-in 'ulcer' is not allowed here" in done.stdout + done.stderr


def test_live_equals_the_backtest(site: Path) -> None:
    done = ran(site, "verify", "--allow-plugin", "ulcer", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equals the backtest at all 558 bars" in done.stdout
