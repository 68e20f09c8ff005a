"""A framework that is missing, or of another version, is told in a sentence."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import pytest

from riskguard.adapters import UntestedVersionWarning, framework
from riskguard.errors import AdapterError

RULE = "rules.yaml"
# what a bot writes first, by adapter
DOORS: dict[str, Any] = {
    "backtesting": lambda door: door.guarded(RULE),
    "backtrader": lambda door: door.GuardedBroker,
    "ccxt": lambda door: door.guard_exchange(object(), object()),
    "freqtrade": lambda door: door.guarded(RULE),
    "hummingbot": lambda door: door.guarded(RULE),
    "jesse": lambda door: door.guarded(RULE),
    "nautilus": lambda door: door.guard_engine(object(), RULE),
    "vectorbt": lambda door: door.masks(RULE, object()),
}
PACKAGES = {name: name for name in DOORS} | {"nautilus": "nautilus_trader"}


class Missing:
    """An import system in which one package is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("name", DOORS)
def test_the_first_use_says_what_to_install(name: str, monkeypatch) -> None:
    package = PACKAGES[name]
    for module in [one for one in sys.modules if one.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])
    door = import_module(f"riskguard.adapters.{name}")
    if hasattr(door, "handle"):
        door.handle.denied.cache_clear()
    with pytest.raises(AdapterError, match=f"needs {package}, which cannot be imported") as told:
        DOORS[name](door)
    assert f"pip install {package}=={door.TESTED}" in str(told.value)


def test_another_version_than_the_tested_one_is_told_and_used() -> None:
    with pytest.warns(UntestedVersionWarning, match="is tested with 0.1"):
        assert framework("pytest", package="pytest", tested="0.1") is pytest


def test_the_tested_version_is_used_in_silence() -> None:
    assert framework("pytest", package="pytest", tested=pytest.__version__) is pytest
