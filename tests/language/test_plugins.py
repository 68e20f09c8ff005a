"""Measures of plug-ins: named by a file, installed by somebody, allowed by the operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.language.reader import read_text

pytestmark = pytest.mark.usefixtures("loader")

TEXT = """\
version: 1
rules:
  r:
    when: plugin.toxicity(window=1h) > 5
    min_hold: 1h
    do: {block_entries: both}
"""


def told() -> list[str]:
    _, found = read_text(TEXT, "rules.yaml")
    return [f"{one.code} {one.line}:{one.column} {one.help}" for one in found]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a plug-in as pip does: its entry point stands beside it on the path."""
    folder = tmp_path / "toxicity-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: toxicity\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[riskguard.measures]\ntoxicity = toxicity:Measure\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_plugin_that_is_not_installed_is_refused():
    assert told() == ["RG607 4:18 none is installed"]


@pytest.mark.usefixtures("installed")
def test_a_plugin_that_the_operator_has_not_allowed_is_refused():
    assert told() == ["RG608 4:18 the operator sets RISKGUARD_PLUGINS=toxicity"]


@pytest.mark.usefixtures("installed")
def test_a_plugin_is_not_evaluated_by_this_version_yet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RISKGUARD_PLUGINS", "other, toxicity")
    assert told() == ["RG900 4:18 use the inputs and measures of the language"]
