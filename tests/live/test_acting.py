"""Action plug-ins that rules name: told once an activation, whatever is killed in between."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskguard import RuleError, Session, plugins
from riskguard.cli.status_text import lines
from riskguard.errors import StateError
from riskguard.live import actors
from riskguard.live.drilling import Silent
from riskguard.live.looking import look
from riskguard.live.replaying import Replay, checked
from riskguard.live.rules import Fit
from riskguard.live.ticker import Ticker
from riskguard.plugins import PluginError
from riskguard.store import Journal
from tests.live.world import START, World
from tests.plugged import Installed

RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  deep:
    when: close < 90
    clear: close > 100
    do: {exposure_cap: 50%, plugin.pager: it falls}
stages:
  - {stage: out, enter: close < 50, recover: close > 60, do: {plugin.pager: out, plugin.mail: bye}}
"""
ACTION = """
import threading
import time
from collections.abc import Callable
HEARD, FAIL, GO = [], [], threading.Event()
GO.set()

class Measure:
    api = (1, 0)

    def act(self, change):
        asked = change["asked"]
        HEARD.append((asked["id"], asked["rule"], asked["text"], change["exposure_cap"]))
        change.clear()
        GO.wait(60)
        if FAIL:
            raise FAIL[0]
"""
FIT = Fit(plugins=frozenset({"pager", "mail"}))
HOUR = 3_600_000_000_000


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.setattr(plugins, "_FOR_ALL", set())
    (tmp_path / "site").mkdir()
    return Installed(tmp_path / "site", monkeypatch)


def until(found: Callable[[], object]) -> None:
    """Wait for what another thread does; what never comes fails, and hangs nothing."""
    ends = time.monotonic() + 60
    while not found():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.001)


class Bot:
    """A world with a pager and mail, and what they heard."""

    def __init__(self, folder: Path, install: Installed, rules: str = RULES) -> None:
        self.pager = install("pager", ACTION, kind="actions")
        self.mail = install("mail", ACTION, kind="actions", of="acme2")
        self.world = World(folder, rules)
        self.hour = 0

    def session(self, **options: Any) -> Session:
        return self.world.session(**{"fit": FIT, **options})

    def closes(self, session: Session, *closes: float) -> None:
        for close in closes:
            self.hour += 1
            self.world.bar(session, self.hour, close)

    @property
    def module(self) -> Any:
        return sys.modules[self.pager]

    @property
    def heard(self) -> list[tuple[str, str, str, float]]:
        return self.module.HEARD

    def settled(self, session: Session, acted: int = 1) -> None:
        """Wait until the pager has ended with so much, and the session has heard of it."""
        actor = session.acting.actors["pager"]
        until(lambda: actor.acted + actor.faults + actor.dropped >= acted)
        session.tick()


@pytest.fixture
def bot(tmp_path: Path, install: Installed) -> Bot:
    return Bot(tmp_path, install)


def told(session: Session, action: str = "pager") -> dict[str, str]:
    (found,) = (one for one in session.status()["actions"] if one["action"] == action)
    return found["told"]


def test_each_time_that_a_rule_turns_on_is_told_once(bot: Bot) -> None:
    with bot.session() as session:
        bot.closes(session, 95, 89, 80, 85, 99, 101, 89, 88)
        bot.settled(session, 2)
        first, second = (f"plugin.pager:BTC:deep:{START + hour * HOUR}" for hour in (2, 7))
        assert bot.heard == [
            (first, "deep", "it falls", 0.5),
            (second, "deep", "it falls", 0.5),
        ]
        assert told(session) == {second: "done"}
        assert session.poll() == [] or "plugin" not in {one.kind for one in session.poll()}


def test_a_stage_asks_as_rules_do_and_two_that_ask_are_both_told(bot: Bot) -> None:
    with bot.session() as session:
        bot.closes(session, 95, 45)
        bot.settled(session, 2)
        at = START + 2 * HOUR
        assert {one[:3] for one in bot.heard} == {
            (f"plugin.pager:BTC:stage.out:{at}", "stage out", "out"),
            (f"plugin.pager:BTC:deep:{at}", "deep", "it falls"),
        }
    assert [one[2] for one in sys.modules[bot.mail].HEARD] == ["bye"]


def test_neither_a_restart_nor_a_kill_tells_again(bot: Bot) -> None:
    session = bot.session()
    bot.closes(session, 95, 89)
    bot.settled(session)
    bot.world.kill(session)
    session = bot.session()
    bot.closes(session, 88)
    session.close()
    with bot.session() as session:
        bot.closes(session, 87)
        assert list(told(session).values()) == ["done"]
    assert len(bot.heard) == 1
    assert checked(Replay(Journal(bot.world.state).contents())).step is None


def test_what_a_killed_process_was_doing_is_unknown_and_not_done_again(bot: Bot) -> None:
    session = bot.session()
    bot.module.GO.clear()
    bot.closes(session, 95, 89)
    bot.world.kill(session)
    found = look(bot.world.state)
    assert [list(one["told"].values()) for one in found.status["actions"]] == [
        ["unknown: the process ended first"]
    ]
    bot.module.GO.set()
    with bot.session() as session:
        bot.closes(session, 88)
        assert list(told(session).values()) == ["unknown: the process ended first"]
    assert len(bot.heard) == 1


def test_one_that_hangs_holds_nothing_back_and_what_does_not_fit_is_told_as_dropped(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "MOST", 1)
    session = bot.session()
    bot.module.GO.clear()
    bot.closes(session, 95, 89)
    until(lambda: bot.heard)
    bot.closes(session, 101, 89, 101, 89)
    assert session.decision.exposure_cap == 0.5
    assert list(told(session).values()) == ["dropped: too much waits before it"]
    monkeypatch.setattr("riskguard.live.acting.PATIENCE", 0.01)
    session.close()
    bot.module.GO.set()


@pytest.mark.parametrize("error", [SystemExit("no"), KeyboardInterrupt(), ValueError("x")])
def test_one_that_fails_is_not_asked_again_for_the_same_and_then_quarantined_until_a_reload(
    bot: Bot, error: BaseException
) -> None:
    with bot.session() as session:
        bot.module.FAIL.append(error)
        bot.closes(session, 95, 89, 88, 101, 89, 101, 89)
        bot.settled(session, 3)
        assert len(bot.heard) == 3
        bot.closes(session, 101, 89)
        bot.settled(session, 4)
        assert list(told(session).values()) == ["dropped: the plug-in is quarantined"]
        assert len(bot.heard) == 3
        (found,) = (one for one in session.status()["actions"] if one["action"] == "pager")
        assert (found["faults"], found["quarantined"]) == (3, True)
        assert session.decision.exposure_cap == 0.5
        seen = look(bot.world.state, patience=0.0)._replace(status=session.status(), how="told")
        shown = "\n".join(lines(seen))
        assert f"QUARANTINED until riskguard reload: action pager ({found['fault']})" in shown
        assert "dropped: the plug-in is" in shown
        bot.module.FAIL.clear()
        assert session.reload() == ""
        bot.closes(session, 88)
        assert len(bot.heard) == 3  # what it was asked before stays as it is
        bot.closes(session, 101, 89)
        bot.settled(session)
        assert list(told(session).values()) == ["done"]


def test_a_reload_lets_those_go_on_that_are_still_named(bot: Bot) -> None:
    with bot.session() as session:
        bot.closes(session, 95, 89)
        bot.settled(session)
        before = dict(session.acting.actors)
        bot.world.rules.write_text(RULES.replace(", plugin.mail: bye", ""))
        assert session.reload() == ""
        assert session.acting.actors == {"pager": before["pager"]}
        before["mail"].thread.join(60)
        bot.closes(session, 88)
        assert len(bot.heard) == 1
        assert list(told(session).values()) == ["done"]
        without = "  deep: {when: close < 90, clear: close > 100, do: {close: all}}\n"
        bot.world.rules.write_text(RULES.partition("  deep:")[0] + without)
        assert session.reload() == ""
        assert session.status()["actions"] == []


def test_a_reload_into_one_that_does_not_fit_changes_nothing(bot: Bot, install: Installed) -> None:
    install("bad", ACTION.replace("def act", "def __init__(self): 1 / 0\n\n    def act"),
            kind="actions", of="acme3")  # fmt: skip
    plugins.allow("bad")
    threads = set(threading.enumerate())
    with bot.session() as session:
        bot.world.rules.write_text(RULES.replace("plugin.mail: bye", "plugin.bad: bye"))
        assert "'bad' of acme3 0.1 cannot be made: ZeroDivisionError" in session.reload()
        assert sorted(session.acting.actors) == ["mail", "pager"]
        bot.closes(session, 95, 89)
        bot.settled(session)
    assert set(threading.enumerate()) <= threads
    bot.world.rules.write_text(RULES.replace("plugin.mail: bye", "plugin.bad: bye"))
    with pytest.raises(PluginError, match="cannot be made"):
        bot.session()
    assert set(threading.enumerate()) <= threads


def test_one_that_is_not_allowed_or_gone_is_refused_at_each_start(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, install: Installed
) -> None:
    with pytest.raises(RuleError, match="RG608"):
        bot.session(fit=Fit())
    with bot.session(fit=Fit(), plugins=["pager", "mail"]) as session:
        bot.closes(session, 95, 89)
    monkeypatch.setattr(plugins, "_FOR_ALL", set())
    with pytest.raises((RuleError, StateError), match="is not allowed here"):
        bot.session(fit=Fit())
    (points,) = install.folder.glob("acme2-*/entry_points.txt")
    points.unlink()
    monkeypatch.syspath_prepend(install.folder)
    with pytest.raises(RuleError, match="no plug-in 'mail' is installed"):
        bot.session()


def test_a_drill_calls_nobody(bot: Bot) -> None:
    ticker = Ticker(wall=lambda: bot.world.now, elapsed=lambda: bot.world.now)
    with Silent(bot.world.rules, bot.world.state, fit=FIT, ticker=ticker) as session:
        bot.closes(session, 95, 89)
        assert session.acting is None
        assert "actions" not in session.status()
    assert bot.heard == []


def test_history_tells_only_what_is_on_at_its_end(bot: Bot) -> None:
    from riskguard import Event

    def bar(hour: int, close: float) -> Event:
        data = {"close": close, "interval_ns": HOUR}
        return Event(START + hour * HOUR, "bar", "BTC", data)

    with bot.session() as session:
        bot.world.now = START + 6 * HOUR
        closes = enumerate([95, 89, 101, 95, 89], 1)
        session.prime(bar(hour, close) for hour, close in closes)
        bot.settled(session)
        assert [one[0] for one in bot.heard] == [f"plugin.pager:BTC:deep:{START + 5 * HOUR}"]


def test_a_rule_that_only_asks_a_plugin_protects_nothing(
    tmp_path: Path, install: Installed
) -> None:
    rules = RULES.replace("exposure_cap: 50%, ", "").replace("plugin.mail: bye", "notify: x")
    bot = Bot(tmp_path, install, rules)
    with bot.session() as session:
        bot.closes(session, 95, 89)
        bot.settled(session)
        assert session.decision.state.name == "ACTIVE"
        bot.world.now += 100 * HOUR  # nothing protective needs the closes
        session.tick()
        assert session.decision.blind == ()
    assert len(bot.heard) == 1
