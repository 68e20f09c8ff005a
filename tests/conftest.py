"""What every test may ask for, the figures that tests took, and a loud word on what was not run."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from riskguard.language import source
from riskguard.plugins import ALLOWED

ROOT = Path(__file__).resolve().parents[1]
# one package tells whether a dependency group is installed
GROUPS = {"parity": "quantstats", "browser": "playwright", "soak": "mutmut"}

MEASURED = pytest.StashKey[list[str]]()

# a shell starts what runs behind it deaf to Ctrl-C, and what that starts inherits it
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# what somebody allows on this machine is not allowed to the tests
os.environ.pop(ALLOWED, None)

settings.register_profile("house", derandomize=True, deadline=None, database=None)
settings.load_profile("house")


def data_folder() -> Path:
    """Return where the real sell-offs are looked for; the folder may not exist."""
    return Path(os.environ.get("RISKGUARD_DATA") or ROOT.parent / "shared" / "data")


def chromium() -> str | None:
    """Return the system's own Chromium, the browser of the tests; Playwright brings none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the folder of the real sell-offs; ask for it under `needs_market_data` only."""
    return data_folder()


@pytest.fixture(params=[yaml.CSafeLoader, source.PythonLoader], ids=["C", "Python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read every file of the test with one of the two loaders of YAML, then with the other."""
    monkeypatch.setattr(source, "LOADER", request.param)


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what has a line printed in the section MEASURED when all tests are done."""
    return request.config.stash.setdefault(MEASURED, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker of `-n 2` measured to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["measured"] = session.config.stash.get(MEASURED, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker measured; one that crashed has nothing to hand over."""
    told = getattr(node, "workeroutput", {}).get("measured", [])
    node.config.stash.setdefault(MEASURED, []).extend(told)


def _missing(item: pytest.Item) -> str:
    if item.get_closest_marker("needs_market_data") and not data_folder().is_dir():
        return f"no market data: set RISKGUARD_DATA (looked in {data_folder()})"
    lacking = (_absent(mark.args[0]) for mark in item.iter_markers("needs_group"))
    return next((reason for reason in lacking if reason), "")


def _absent(group: str) -> str:
    if find_spec(GROUPS[group]) is None:
        return f"dependency group '{group}' is not installed"
    if group == "browser" and chromium() is None:
        return "no Chromium: apt-get install chromium"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if reason := _missing(item):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    figures = terminalreporter.config.stash.get(MEASURED, [])
    if figures:
        terminalreporter.section("MEASURED")
        for line in figures:
            terminalreporter.line(line)
    _not_run(terminalreporter)


def _not_run(terminalreporter: pytest.TerminalReporter) -> None:
    absent = [reason for reason in map(_absent, GROUPS) if reason]
    skipped = terminalreporter.stats.get("skipped", [])
    if not absent and not skipped:
        return
    terminalreporter.section("NOT RUN")
    for reason in absent:
        terminalreporter.line(reason)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}  ({str(reason).removeprefix('Skipped: ')})")
