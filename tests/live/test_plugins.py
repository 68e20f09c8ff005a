"""Measures of plug-ins in a live process: allowed at each start, remembered, mended by a reload."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from riskguard import RuleError, plugins
from riskguard.errors import StateError
from riskguard.live.rules import Fit
from tests.live.world import World
from tests.plugged import GOOD, Installed

RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  odd: {when: plugin.total(window=2h) > 405, clear: close < 1, do: {exposure_cap: 50%}}
"""
TOTAL = "FAIL = []\n" + GOOD.replace(
    'self.last = values["close"]', '1 / (not FAIL); self.last = (self.last or 0) + values["close"]'
)
FIT = Fit(plugins=frozenset({"total"}))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.setattr(plugins, "_FOR_ALL", set())
    (tmp_path / "site").mkdir()
    return Installed(tmp_path / "site", monkeypatch)


def test_what_it_remembers_outlives_a_kill_and_each_start_has_to_allow_it(
    install: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("total", TOTAL)
    world = World(tmp_path, RULES)
    with pytest.raises(RuleError, match="RG608"):
        world.session()
    session = world.session(fit=FIT)
    for hour in (1, 2, 3, 4):
        assert world.bar(session, hour, 100).exposure_cap == 1.0
    world.kill(session)
    monkeypatch.setattr(plugins, "_FOR_ALL", set())  # a process of its own
    with pytest.raises((RuleError, StateError), match="'total' is not allowed here"):
        world.session()
    with world.session(fit=FIT) as again:
        assert world.bar(again, 5, 100).exposure_cap == 0.5  # 500 in all


@pytest.mark.parametrize("rules", [RULES, RULES.replace("close < 1,", "close < 2,")])
def test_a_reload_ends_a_quarantine(install: Installed, tmp_path: Path, rules: str) -> None:
    module = install("total", TOTAL)
    world = World(tmp_path, RULES)
    with world.session(fit=FIT) as session:
        for hour in (1, 2):
            world.bar(session, hour, 10)
        sys.modules[module].FAIL.append(1)
        for hour in (3, 4, 5):
            world.bar(session, hour, 10)
        assert session.guard.status()["plugins"][0]["quarantined"] is True
        assert session.decision.block_entries == "both"
        sys.modules[module].FAIL.clear()
        world.bar(session, 6, 10)
        assert session.decision.block_entries == "both"
        world.rules.write_text(rules)
        assert session.reload() == ""
        assert session.guard.status()["plugins"][0]["quarantined"] is False
        assert world.bar(session, 7, 10).block_entries == "none"
