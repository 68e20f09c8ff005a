from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from riskguard._version import VERSION
from riskguard.cli.app import app
from riskguard.cli.failures import WrongUse, run
from riskguard.errors import DataError, RiskguardError, StateError, StateInUseError

ROOT = Path(__file__).resolve().parents[2]


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PY": sys.executable, **environment},
        capture_output=True,
        check=False,
    )


def test_version(riskguard) -> None:
    assert riskguard("--version") == (0, f"riskguard {VERSION}\n", "")


def commands(group: Any, *above: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each group and each command."""
    yield above
    for name, one in getattr(group, "commands", {}).items():
        yield from commands(one, *above, name)


@pytest.mark.parametrize("command", [*commands(typer.main.get_command(app))], ids=" ".join)
def test_help_fits_80_columns_and_shows_how(riskguard, command: tuple[str, ...]) -> None:
    code, out, err = riskguard(*command, "--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii()
    assert riskguard(*command, "-h").out == out
    if "Commands:" not in out:
        assert f"Example: riskguard {' '.join(command)}" in out
        assert "Exit codes: 0" in out


@pytest.mark.parametrize(
    "arguments",
    [["foo"], ["--nonsense"], ["backtest", "--nonsense"], ["check"], ["check", "--format", "xml"]],
)
def test_wrong_use_is_2_with_a_message(riskguard, arguments: list[str]) -> None:
    code, out, err = riskguard(*arguments)
    assert code == 2
    assert "Error" in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (WrongUse("no", "yes"), 2),
        (DataError("bad", path="x.csv", line=3, help="good"), 1),
        (RiskguardError("refused"), 1),
        (StateError("written by a newer riskguard"), 1),
        (StateInUseError("in use by 1234"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_its_code(capsys, failure: BaseException, code: int) -> None:
    def command() -> None:
        raise failure

    assert run(command) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) in {1, 2}


def test_a_fault_of_ours_is_4_and_leaves_a_report_file(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    def command() -> None:
        raise ZeroDivisionError("ours")

    assert run(command) == 4
    (kept,) = tmp_path.glob("riskguard-error-*.txt")
    err = capsys.readouterr().err
    assert kept.name in err
    assert "Traceback" not in err
    text = kept.read_text()
    assert "ZeroDivisionError: ours" in text
    assert VERSION in text


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "arguments",
    ["--help", "--version", "backtest --help", "scenarios --json", "check rules/feb-2026.yaml",
     "backtest --json -", "study --fall 10% --within 7d"],
)  # fmt: skip
def test_a_closed_pipe_is_quiet_and_141(arguments: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # nobody will ever read
    done = subprocess.run(
        [sys.executable, "-m", "riskguard", *arguments.split()],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("place", ["module", "next"])
def test_a_strategy_that_prints_into_a_closed_pipe_has_not_failed(tmp_path, place: str) -> None:
    path = tmp_path / "mine.py"
    said = {"module": "", "next": "", place: "print('x')"}
    path.write_text(
        f"import backtrader as bt\n{said['module']}\nclass Mine(bt.Strategy):\n"
        f"    def next(self):\n        {said['next'] or 'pass'}\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [sys.executable, "-m", "riskguard", "backtest", "--strategy", f"{path}:Mine"]
    done = subprocess.run(arguments, cwd=ROOT, stdout=writing, stderr=writing, check=False)
    os.close(writing)
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
@pytest.mark.parametrize("arguments", ["--help", "backtest --json -"])
def test_an_output_that_cannot_be_written_is_2_in_one_line(arguments, where, tmp_path) -> None:
    done = shell(f'cd "{tmp_path}" && "$PY" -m riskguard {arguments} {where}', PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: standard output ")
    assert done.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("arguments", ["check nowhere.yaml", "explain --nonsense"])
def test_an_error_nobody_can_read_keeps_its_code(arguments: str, where: str) -> None:
    done = shell(f'"$PY" -m riskguard {arguments} {where}')
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("arguments", ["check nowhere.yaml", "explain --nonsense"])
def test_wrong_use_into_a_closed_pipe_is_2(arguments: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "riskguard", *arguments.split()]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=writing, check=False)
    os.close(writing)
    assert done.returncode == 2


def test_a_word_that_is_not_allowed_is_told_without_the_words_of_the_library(riskguard) -> None:
    err = riskguard("check", "--format", "xml").err
    assert "'--format': 'xml' is not one of 'text'" in err


def test_a_terminal_without_unicode_is_served(tmp_path: Path) -> None:
    path = tmp_path / "\u00fcber.yaml"
    path.write_text("version: 1\nrules: {}\n")
    done = shell(
        f'"$PY" -m riskguard check "{path}"', PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in {0, 1}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_control_c_is_130_and_one_line() -> None:
    code = "import time; from riskguard.cli.failures import run; import sys; "
    code += "sys.exit(run(lambda: print('ready', flush=True) or time.sleep(60)))"
    started = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert err == b"interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_control_c_while_a_command_runs_is_told_too() -> None:
    code = "import os, signal, sys, riskguard.cli.backtest as command\n"
    code += "command.given.pack = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
    code += "from riskguard.cli import main\nsys.argv = ['riskguard', 'backtest']\nmain()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"interrupted\n")


def test_control_c_while_the_commands_are_loaded_is_no_traceback() -> None:
    code = "import sys, riskguard.cli\n"
    code += "class Press:\n    def find_spec(self, name, path=None, target=None):\n"
    code += "        if name == 'typer':\n            raise KeyboardInterrupt\n"
    code += "sys.meta_path.insert(0, Press())\nriskguard.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")
