"""An adapter by its name: ours first, then a plug-in that the operator allows."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import pytest

import riskguard.adapters
from riskguard.adapters import backtrader
from riskguard.adapters.named import SHIPPED, adapter
from riskguard.errors import AdapterError
from riskguard.language.ruleset import Actions
from riskguard.plugins import PluginError
from tests.plugged import Installed

ACTIONS = {one.name for one in fields(Actions)}
CODE = """
class Measure:
    api = (1, 0)
    NAME, TESTED, CAPABILITIES = "lean", "1.0", frozenset({"exposure_cap"})
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(tmp_path, monkeypatch)


def test_ours_are_found_and_no_plugin_stands_in_their_place(install: Installed) -> None:
    module = install("backtrader", CODE, kind="adapters")
    install.allow("backtrader")
    assert adapter("backtrader") is backtrader
    assert module not in sys.modules


def test_each_folder_is_an_adapter_that_says_what_a_plugin_has_to_say() -> None:
    faces = Path(riskguard.adapters.__path__[0]).glob("*/__init__.py")
    assert {path.parent.name for path in faces} == {*SHIPPED, "shared"}
    for name in SHIPPED:
        module = adapter(name)
        assert name == module.NAME
        assert module.TESTED[0].isdigit()
        assert {"exposure_cap", "block_entries"} <= module.CAPABILITIES <= ACTIONS


def test_a_plugin_is_found_where_it_is_allowed(install: Installed) -> None:
    install("lean", CODE, kind="adapters")
    with pytest.raises(PluginError, match="'lean' is not allowed here"):
        adapter("lean")
    install.allow("lean")
    assert adapter("lean").NAME == "lean"
    with pytest.raises(PluginError, match="did you mean 'lean'"):
        adapter("leen")


@pytest.mark.parametrize("lacks", ["CAPABILITIES", "TESTED"])
def test_one_that_does_not_say_what_it_can_do_is_refused(install: Installed, lacks: str) -> None:
    install("lean", CODE.replace(lacks, "OTHER"), kind="adapters")
    install.allow("lean")
    with pytest.raises(AdapterError, match=f"of acme 0.1 does not say {lacks}"):
        adapter("lean")
