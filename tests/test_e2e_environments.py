from __future__ import annotations

import fcntl
import os
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


def test_without_a_home_that_can_be_written_venvs_are_kept_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RISKGUARD_VENVS", "XDG_CACHE_HOME", "PYENV_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "new"))
    assert environments.venvs() == tmp_path / "new" / ".cache" / "riskguard" / "e2e"
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert environments.venvs() == ROOT / ".venv" / "riskguard" / "e2e"

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert environments.venvs() == ROOT / ".venv" / "riskguard" / "e2e"
    assert list(environments.candidates("3.1")) == [sys.executable]


def test_a_cache_that_cannot_be_used_fails_its_framework_and_no_other(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "HERE", cache.parent)
    monkeypatch.setitem(FRAMEWORKS, "old", Framework("old", "old", "1", "3.1", 10))
    (cache.parent / "old").mkdir()
    cache.write_text("in the way")
    assert environments.main(["old", "jesse"]) == 1
    said = capsys.readouterr().out
    assert "FAILED   old: " in said
    assert "NOT RUN  jesse: no tests" in said


@pytest.mark.parametrize("broken", [1, 2])
def test_an_installation_that_an_index_breaks_off_is_tried_once_more(
    cache: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    framework = FRAMEWORKS["ccxt"]
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        ran.append(command)
        framework.folder.mkdir(parents=True, exist_ok=True)
        if "install" in command and sum("install" in one for one in ran) <= broken:
            raise environments.NotMade("the index broke off")

    monkeypatch.setattr(environments, "run", run)
    monkeypatch.setattr(environments, "whole", lambda _: False)
    monkeypatch.setattr(environments, "interpreter", lambda _: sys.executable)
    if broken == 1:
        environments.make(framework)
    else:
        with pytest.raises(environments.NotMade, match="broke off"):
            environments.make(framework)
    assert (framework.folder / STAMP).exists() == (broken == 1)
    assert ["install" in one for one in ran] == [False, True, True]


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
    own = {name: value for name, value in os.environ.items() if name != "RISKGUARD_E2E"}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout  # nothing collected


def test_tests_in_a_venv_reach_nothing_beyond_this_machine() -> None:
    offline = str(ROOT / "tests" / "e2e" / "offline")
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environments.environment(PYTHONPATH=offline),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "tests run offline: 192.0.2.1 is not this machine" in done.stderr
