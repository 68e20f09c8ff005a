from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import environments
from tests.e2e.environments import FRAMEWORKS, ROOT, STAMP, Framework


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RISKGUARD_VENVS", str(tmp_path / "venvs"))
    return tmp_path / "venvs"


def made(framework: Framework) -> Path:
    """Make a venv as it is before anything was installed, or after that was interrupted."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(framework.folder)]
    subprocess.run(command, check=True)
    return framework.folder


def test_a_framework_whose_python_is_missing_is_named_and_fails_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "HERE", cache)
    (cache / "old").mkdir(parents=True)
    monkeypatch.setitem(FRAMEWORKS, "old", Framework("old", "old", "1", "3.1", 10))
    assert environments.main(["old"]) == 0
    assert "NOT RUN  old: no Python 3.1 with venv" in capsys.readouterr().out


def test_an_unknown_framework_is_refused_with_the_names_there_are(capsys) -> None:
    assert environments.main(["freqtrad"]) == 2
    assert "no framework freqtrad; there are ccxt, " in capsys.readouterr().out


def test_a_framework_without_tests_is_named(cache: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(environments, "HERE", cache)
    assert environments.main(["jesse"]) == 0
    assert "NOT RUN  jesse: no tests in tests/e2e/jesse" in capsys.readouterr().out


def test_a_half_made_venv_is_neither_ready_nor_whole(cache: Path) -> None:
    framework = FRAMEWORKS["ccxt"]
    made(framework)
    assert not environments.ready(framework)
    assert not environments.whole(framework)


def test_a_venv_of_other_requirements_is_not_ready(cache: Path) -> None:
    framework = FRAMEWORKS["ccxt"]
    stamp = made(framework) / STAMP
    stamp.write_text(environments.recipe(framework), encoding="utf-8")
    assert environments.ready(framework)
    stamp.write_text("ccxt==1.0", encoding="utf-8")
    assert not environments.ready(framework)


def test_two_runs_never_make_one_venv_at_once(cache: Path, monkeypatch) -> None:
    monkeypatch.setattr(environments, "WAIT", 0)
    lock = cache / "one.lock"
    with (
        environments.locked(lock, fcntl.LOCK_EX),
        pytest.raises(environments.NotMade, match="another run has held"),
        environments.locked(lock, fcntl.LOCK_EX),
    ):
        pass
    with environments.locked(lock, fcntl.LOCK_SH), environments.locked(lock, fcntl.LOCK_SH):
        pass


def test_tests_that_hang_are_ended() -> None:
    waits = "import time; time.sleep(60)"
    told = environments.within([sys.executable, "-c", waits], environments.environment(), 0)
    assert told == "took longer than 0 s"


def test_make_test_collects_nothing_of_another_venv() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/e2e"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout  # nothing collected


def test_tests_in_a_venv_reach_nothing_beyond_this_machine() -> None:
    offline = str(ROOT / "tests" / "e2e" / "offline")
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environments.environment(PYTHONPATH=offline),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "tests run offline: 192.0.2.1 is not this machine" in done.stderr
