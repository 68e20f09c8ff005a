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


def test_a_state_of_rules_whose_plugin_is_gone_is_refused_with_the_way_out(
    install: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("total", TOTAL)
    world = World(tmp_path, RULES)
    with world.session(fit=FIT) as session:
        world.bar(session, 1, 100)
    (points,) = install.folder.glob("acme-*/entry_points.txt")
    points.unlink()
    monkeypatch.syspath_prepend(install.folder)
    with pytest.raises(RuleError, match="no plug-in 'total' is installed"):
        world.session(fit=FIT)
    world.rules.write_text(RULES.replace("plugin.total(window=2h) > 405", "close > 405"))
    with pytest.raises(StateError) as refused:  # what the state knows is in terms of the old rules
        world.session(fit=FIT)
    assert "kept with the state cannot be used: no plug-in 'total' is installed" in str(
        refused.value
    )
    assert "none is installed; or begin with another folder of state" in str(refused.value)


def test_a_package_that_goes_while_a_bot_runs_leaves_its_rules_in_force(
    install: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("total", TOTAL)
    world = World(tmp_path, RULES)
    with world.session(plugins="total") as session:
        for hour in (1, 2, 3, 4, 5):
            world.bar(session, hour, 100)
        assert session.decision.exposure_cap == 0.5
        (points,) = install.folder.glob("acme-*/entry_points.txt")
        points.unlink()
        monkeypatch.syspath_prepend(install.folder)
        assert "no plug-in 'total' is installed" in session.reload()
        assert "no plug-in 'total' is installed" in session.status()["stale_rules"]
        assert world.bar(session, 6, 100).exposure_cap == 0.5
