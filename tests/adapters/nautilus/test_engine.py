"""The adapter of Nautilus where Nautilus is not installed; with it: tests/e2e/nautilus."""

from __future__ import annotations

import sys

import pytest

from riskguard.adapters import nautilus
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard


@pytest.fixture(autouse=True)
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nautilus_trader", None)


def test_it_is_imported_without_its_framework() -> None:
    assert nautilus.NAME == "nautilus"
    assert "hedge" not in nautilus.CAPABILITIES


def test_the_door_says_what_to_install() -> None:
    with pytest.raises(AdapterError, match=r"pip install nautilus_trader==1\.231\.0"):
        nautilus.guard_engine(object(), ScriptedGuard())


@pytest.mark.parametrize("name", ["GuardedStrategy", "Liquidation", "OpenInterest"])
def test_a_class_made_of_the_frameworks_says_it_too(name: str) -> None:
    with pytest.raises(AdapterError, match="this adapter needs nautilus_trader"):
        getattr(nautilus, name)


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nautilus.nothing  # noqa: B018 - to look is enough
