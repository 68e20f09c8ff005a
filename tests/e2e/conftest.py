"""What the tests of each framework share: the version they run against, and what came of them."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

# package, version and Python, as environments.py says them; elsewhere nothing is collected
PACKAGE, VERSION, PYTHON = os.environ.get("RISKGUARD_E2E", "- - -").split()
LONG = {"test_record.py", "test_example.py"}
if PACKAGE == "-":
    collect_ignore_glob = ["*"]


def pytest_sessionstart() -> None:
    """Refuse to test against another version than the one that is said to be tested."""
    if PACKAGE != "-" and version(PACKAGE) != VERSION:
        pytest.exit(f"{PACKAGE} {version(PACKAGE)} is installed, not {VERSION}", 3)
    if PACKAGE != "-" and not platform.python_version().startswith(f"{PYTHON}."):
        pytest.exit(f"this is Python {platform.python_version()}, not {PYTHON}", 3)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for minutes to pass, where several processes share the tests."""
    items.sort(key=lambda item: Path(item.location[0]).name not in LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Hand what came of the tests to the process that prints the summary."""
    path = os.environ.get("RISKGUARD_E2E_OUTCOME")
    if path is None:
        return
    stats = terminalreporter.stats
    skipped = stats.get("skipped", [])
    told = {
        "asserted": version(PACKAGE),
        "python": PYTHON,
        "passed": len(stats.get("passed", [])),
        "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
        "skipped": len(skipped),
        "skips": [f"{one.nodeid}  ({_reason(one)})" for one in skipped],
    }
    Path(path).write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return rules that read a measure of a plug-in, which nobody has allowed yet."""
    from plugged import Installed

    from riskguard import plugins

    monkeypatch.setattr(plugins, "_FOR_ALL", set())
    monkeypatch.delenv(plugins.ALLOWED, raising=False)
    (tmp_path / "site").mkdir()
    Installed(tmp_path / "site", monkeypatch)("last")
    path = tmp_path / "plugged.yaml"
    path.write_text(
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  fallen: {when: plugin.last() < 95, clear: plugin.last() > 99, do: {reduce_only: true}}\n"
    )
    return path


def _reason(report: pytest.TestReport) -> str:
    found = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return str(found).removeprefix("Skipped: ")
