"""The adapter of hummingbot where hummingbot is not installed; with it: tests/e2e/hummingbot."""

from __future__ import annotations

import sys

import pytest

from riskguard.adapters import hummingbot
from riskguard.errors import AdapterError


@pytest.fixture(autouse=True)
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hummingbot", None)


def test_it_is_imported_without_its_framework() -> None:
    assert hummingbot.NAME == "hummingbot"
    assert "leverage_cap" not in hummingbot.CAPABILITIES


def test_the_decorator_says_what_to_install() -> None:
    with pytest.raises(AdapterError, match=r"pip install hummingbot==20260922"):
        hummingbot.guarded("rules.yaml")


def test_there_have_to_be_rules() -> None:
    with pytest.raises(AdapterError, match="nothing to obey"):
        hummingbot.guarded()
