"""One environment for each trading framework, and the tests of its adapter run inside it.

The pins of the frameworks contradict each other, so each has a venv of its own, kept between
runs in ${RISKGUARD_VENVS:-${XDG_CACHE_HOME:-~/.cache}/riskguard/e2e}/<name>-<version>-py3.X, and
in .venv/ of the checkout where the user has no cache that can be written.
A stamp is written last: a venv without it is looked through, and made anew unless it is whole.

    python tests/e2e/environments.py [NAME ...]    # no name: all of them
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
STAMP = ".riskguard-ready"
TOOLS = ("aiohttp", "pytest>=8.2", "pyyaml>=6.0.1")
# seconds for one installation; for another run that makes the same venv, which may try twice
INSTALL, WAIT = 1200, 2700
PATIENT = ("--retries", "10", "--timeout", "60")  # with an index that is slow or breaks off
# what a half-made installation lacks: a file that it lists, or the list itself
WHOLE = """
from importlib.metadata import distributions
for one in distributions():
    files = one.files
    assert files is not None, one.metadata["Name"]
    for file in files:
        assert file.suffix == ".pyc" or file.locate().exists(), file
"""


# one test at a time to each process: those that wait for minutes to pass begin first
SHARED = ("-p", "xdist", "--maxschedchunk", "1", "-n")


@dataclass(frozen=True)
class Framework:
    """A framework at the version that its adapter is tested with."""

    name: str
    package: str
    version: str
    python: str
    seconds: (
        int  # for its tests: whatever takes longer hangs, however slow the machine, and is ended
    )
    variables: dict[str, str] = field(default_factory=dict)  # while it is installed
    tools: tuple[str, ...] = TOOLS
    beside: tuple[str, ...] = ()  # what it needs and pip does not find by itself
    processes: int = 1  # that share its tests: those of ccxt wait for minutes to pass

    @property
    def requirements(self) -> tuple[str, ...]:
        several = ("pytest-xdist>=3.6",) if self.processes > 1 else ()
        return (f"{self.package}=={self.version}", *self.tools, *self.beside, *several)

    @property
    def folder(self) -> Path:
        return venvs() / f"{self.name}-{self.version}-py{self.python}"


FRAMEWORKS = {
    one.name: one
    for one in (
        # the command line is tried there too: riskguard record
        Framework(
            "ccxt", "ccxt", "4.5.90", "3.11", 1200, processes=6,
            beside=("typer>=0.12", "rich>=13.7"),
        ),
        Framework("backtesting", "backtesting", "0.6.6", "3.11", 600),
        Framework("freqtrade", "freqtrade", "2026.9", "3.11", 1800),
        Framework("nautilus", "nautilus_trader", "1.231.0", "3.12", 900),
        # it pins pytest to 6.2
        Framework("jesse", "jesse", "3.5.3", "3.11", 900, tools=("aiohttp", "pytest", "pyyaml")),
        Framework("vectorbt", "vectorbt", "1.2.0", "3.11", 900),
        Framework(
            "hummingbot", "hummingbot", "20260922", "3.12", 900,
            {"WITHOUT_CYTHON_OPTIMIZATIONS": "1"},
            # left alone pip tries one after the other and ends with "ResolutionImpossible"
            beside=(
                "web3>=7.10,<8", "eth-utils>=5,<6", "eth-typing>=5,<6", "websockets>=14,<16",
                "protobuf>=5.26,<6", "grpcio-tools>=1.66,<1.72",
            ),
        ),
    )
}  # fmt: skip


class Outcome(NamedTuple):
    """What came of one framework."""

    name: str
    asserted: str = ""  # the version that was there when its tests ran
    python: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    why: str = ""  # it was not run, or ended badly
    skips: tuple[str, ...] = ()


class NotMade(Exception):  # noqa: N818 - it says what became of a venv
    """A venv could not be made; the text says why."""


def venvs() -> Path:
    told = os.environ.get("RISKGUARD_VENVS")
    return Path(told) if told else cache() / "riskguard" / "e2e"


def cache() -> Path:
    """Return the user's cache, and .venv of this checkout where none can be written."""
    with contextlib.suppress(RuntimeError):  # a user without a home
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        there = next((one for one in (folder, *folder.parents) if os.access(one, os.F_OK)), folder)
        if os.access(there, os.W_OK | os.X_OK):
            return folder
    return ROOT / ".venv"


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a child: nothing of the venv or the checkout this runs in."""
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in own} | more


def inside(framework: Framework, **more: str) -> dict[str, str]:
    """Return the variables under which something runs in a venv, offline, on this checkout."""
    return environment(
        # tests/ for what they share: the exchange on this machine
        PYTHONPATH=os.pathsep.join(map(str, (ROOT, HERE / "offline", ROOT / "tests"))),
        RISKGUARD_E2E=f"{framework.package} {framework.version} {framework.python}",
        **more,
    )


# ---------------------------------------------------------------- interpreters


def interpreter(version: str) -> str:
    """Return a Python of that version that can make venvs, "" where there is none."""
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for path in candidates(version):
        with contextlib.suppress(OSError, subprocess.SubprocessError):  # a shim of nothing
            done = subprocess.run(
                [path, "-c", probe], capture_output=True, text=True, timeout=30, check=False
            )
            if done.stdout.strip() == version:
                return path
    return ""


def candidates(version: str) -> Iterator[str]:
    yield sys.executable
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(folder) / f"python{version}"
        if folder and os.access(path, os.X_OK):
            yield str(path)
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield from kept_by_pyenv(
            version, Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        )


def kept_by_pyenv(version: str, root: Path) -> Iterator[str]:
    for path in sorted((root / "versions").glob(f"{version}.*/bin/python{version}")):
        yield str(path)


# ---------------------------------------------------------------- making


@contextlib.contextmanager
def locked(path: Path, kind: int) -> Iterator[None]:
    """Hold a lock file while a venv is made (alone) or used (with others)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        end, told = time.monotonic() + WAIT, False
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise NotMade(f"another run has held {path.name} for {WAIT} s") from error
                if not told:
                    say(f"waiting for another run to let go of {path.name}")
                told = True
                time.sleep(1)
        yield


def ready(framework: Framework) -> bool:
    """Say whether the venv stands as it was asked for."""
    with contextlib.suppress(OSError):
        stamp = (framework.folder / STAMP).read_text(encoding="utf-8")
        return stamp == recipe(framework) and (framework.folder / "bin" / "python").exists()
    return False


def recipe(framework: Framework) -> str:
    return "\n".join((*framework.requirements, f"python {framework.python}", ""))


def make(framework: Framework) -> None:
    """Make a venv, or see that one without a stamp is whole after all.

    Raises:
        NotMade: there is no interpreter, or the installation failed.
    """
    folder = framework.folder
    python = interpreter(framework.python)
    if not python:
        raise NotMade(
            f"no Python {framework.python} with venv: put python{framework.python} on PATH,"
            f" or pyenv install {framework.python}"
        )
    if not whole(framework):
        shutil.rmtree(folder, ignore_errors=True)
        say(f"making {folder.name}")
        run([python, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "-qq", "--disable-pip-version-check"]
        install = [*pip, *PATIENT, "install", *framework.requirements]
        try:
            run(install, **framework.variables)
        except NotMade as error:
            say(f"once more: {folder.name} {error}")  # what has been brought is kept by pip
            run(install, **framework.variables)
    (folder / STAMP).write_text(recipe(framework), encoding="utf-8")


def whole(framework: Framework) -> bool:
    """Say whether a venv without a stamp holds all it should, down to the last file."""
    python = str(framework.folder / "bin" / "python")
    names = [one.partition(">")[0].partition("=")[0] for one in framework.requirements]
    asked = f"from importlib.metadata import version as v; list(map(v, {names}))"
    right = f"assert v({framework.package!r}) == {framework.version!r}"
    with contextlib.suppress(NotMade, OSError):
        run([python, "-c", f"{asked}\n{right}\n{WHOLE}"], quiet=True)
        return True
    return False


def run(command: list[str], *, quiet: bool = False, **variables: str) -> None:
    found = subprocess.DEVNULL if quiet else None
    try:
        subprocess.run(
            command, env=environment(**variables), timeout=INSTALL, check=True,
            stdout=found, stderr=found, cwd=tempfile.gettempdir(),
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        raise NotMade(f"could not be installed: {str(error)[-300:]}") from error


# ---------------------------------------------------------------- testing


def tried(framework: Framework) -> Outcome:
    """Make what is not there, run the tests, and say what came of it."""
    folder, began = framework.folder, time.monotonic()
    lock = folder.with_name(f"{folder.name}.lock")
    if not (HERE / framework.name).is_dir():
        return Outcome(framework.name, why=f"no tests in tests/e2e/{framework.name}")
    try:
        while not ready(framework):
            with locked(lock, fcntl.LOCK_EX):
                if not ready(framework):
                    make(framework)
        with locked(lock, fcntl.LOCK_SH):
            return tested(framework)._replace(seconds=time.monotonic() - began)
    except OSError as error:
        return Outcome(framework.name, failed=1, why=str(error))
    except NotMade as error:
        failed = 0 if str(error).startswith("no Python") else 1
        return Outcome(framework.name, failed=failed, why=str(error))


def tested(framework: Framework) -> Outcome:
    """Run the tests of one framework in its venv, with this checkout and no network."""
    say(f"{framework.name} {framework.version}, Python {framework.python}")
    with tempfile.TemporaryDirectory() as scratch:
        told = Path(scratch) / "outcome.json"
        variables = environment(
            # tests/ for what they share: the exchange on this machine
            PYTHONPATH=os.pathsep.join(map(str, (ROOT, HERE / "offline", ROOT / "tests"))),
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",  # plugins that a framework happens to bring
            RISKGUARD_E2E=f"{framework.package} {framework.version} {framework.python}",
            RISKGUARD_E2E_OUTCOME=str(told),
        )  # fmt: skip
        command = [
            str(framework.folder / "bin" / "python"), "-m", "pytest",
            # a folder called as the framework must not be taken for it: names count from the root
            "-c", str(HERE / "pytest.ini"), "--rootdir", str(ROOT), "--confcutdir", str(HERE),
            str(HERE / framework.name),
            *((*SHARED, str(framework.processes)) if framework.processes > 1 else ()),
        ]  # fmt: skip
        ended = within(command, variables, framework.seconds)
        if not told.exists():
            return Outcome(framework.name, failed=1, why=ended or "ended without a report")
        found = json.loads(told.read_text(encoding="utf-8"))
    found["skips"] = tuple(found["skips"])
    outcome = Outcome(framework.name, **found)
    if ended:
        return outcome._replace(failed=max(1, outcome.failed), why=ended)
    return outcome


def within(command: list[str], variables: dict[str, str], seconds: int) -> str:
    """Run a command and all it starts for at most so long; say what went wrong, "" if nothing."""
    child = subprocess.Popen(command, env=variables, cwd=ROOT, start_new_session=True)
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"took longer than {seconds} s"
    finally:
        with contextlib.suppress(OSError):  # what it left behind, or all of it on Ctrl-C
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return "" if code in (0, 1) else f"pytest ended with {code}"


# ---------------------------------------------------------------- the command


def say(text: str) -> None:
    print(f"e2e: {text}", flush=True)


def summary(outcomes: list[Outcome]) -> Iterator[str]:
    row = "{:<14}{:<10}{:>7}{:>8}{:>8}{:>8}{:>7}".format
    yield row("framework", "version", "Python", "passed", "failed", "skipped", "s")
    for one in outcomes:
        numbers = (one.passed, one.failed, one.skipped, round(one.seconds))
        yield row(one.name, one.asserted or "-", one.python or "-", *numbers)
    for one in outcomes:
        for skip in one.skips:
            yield f"NOT RUN  {one.name}: {skip}"
        if one.why:
            yield f"{'FAILED ' if one.failed else 'NOT RUN'}  {one.name}: {one.why}"


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - FRAMEWORKS.keys())
    if unknown:
        say(f"no framework {', '.join(unknown)}; there are {', '.join(FRAMEWORKS)}")
        return 2
    outcomes = [tried(FRAMEWORKS[name]) for name in names or FRAMEWORKS]
    print()
    for line in summary(outcomes):
        print(line)
    return int(any(one.failed for one in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
