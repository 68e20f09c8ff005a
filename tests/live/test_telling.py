"""Action plug-ins hear of each change of decision, and hold nothing back."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from riskguard import Event, Guard
from riskguard.adapters.shared.desk import Offline
from riskguard.language.reader import read_text
from riskguard.live import actors
from riskguard.live.telling import Telling
from riskguard.market import HOUR
from riskguard.plugins import PluginError
from tests.plugged import Installed

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules: {deep: {when: close < 90, clear: close > 100, do: {exposure_cap: 50%}}}
"""
ACTION = """
HEARD = []

class Measure:
    api = (1, 0)

    def act(self, change):
        HEARD.append((change["exposure_cap"], change["state"]))
        change.clear()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = Installed(tmp_path, monkeypatch)
    found.allow("webhook", "mail")
    return found


def test_a_text_is_one_name(install: Installed) -> None:
    install("mail", ACTION, kind="actions")
    rules, _ = read_text(RULES, "rules.yaml")
    assert rules is not None
    one = Telling(Offline(Guard(rules)), "mail")
    assert [told["action"] for told in one.actions()] == ["mail"]
    one.hush()


def desk(*actions: str) -> Telling:
    rules, _ = read_text(RULES, "rules.yaml")
    assert rules is not None
    return Telling(Offline(Guard(rules)), actions)


def fed(one: Telling, closes: list[float], first: int = 1) -> list[float]:
    found = []
    for bar, close in enumerate(closes, first):
        ohlc = {"open": close, "high": close, "low": close, "close": close, "volume": 1.0}
        data: dict[str, Any] = {**ohlc, "interval_ns": HOUR}
        found.append(one.take(Event(START + bar * HOUR, "bar", "BTC", data)).exposure_cap)
    return found


def test_each_change_is_told_once_in_order(install: Installed) -> None:
    webhook = install("webhook", ACTION, kind="actions")
    mail = install("mail", ACTION, kind="actions", of="acme2")
    one = desk("webhook", "mail")
    assert fed(one, [95, 80, 81, 82, 105, 106]) == [1.0, 0.5, 0.5, 0.5, 1.0, 1.0]
    one.hush()
    for module in (webhook, mail):
        heard = sys.modules[module].HEARD
        assert [cap for cap, _ in dict.fromkeys(heard)] == [1.0, 0.5]
        assert heard[-1] == (1.0, "ACTIVE")
    assert [(told["faults"], told["dropped"]) for told in one.actions()] == [(0, 0)] * 2


def test_one_that_hangs_holds_nothing_back_and_what_does_not_fit_is_counted(
    install: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "MOST", 2)
    module = install(
        "webhook",
        "import threading\nGO, IN = threading.Event(), threading.Event()\n"
        + ACTION.replace("HEARD.append", "IN.set(); GO.wait(60); HEARD.append"),
        kind="actions",
    )
    one = desk("webhook")
    fed(one, [80])
    assert sys.modules[module].IN.wait(60)
    assert fed(one, [105, 80, 105, 80, 105], 2) == [1.0, 0.5, 1.0, 0.5, 1.0]
    (told,) = one.actions()
    assert (told["waiting"], told["acted"]) == (2, 0)
    assert told["dropped"] >= 3
    sys.modules[module].GO.set()
    one.hush()


def test_one_that_fails_is_quarantined_and_the_desk_goes_on(install: Installed) -> None:
    install("webhook", ACTION.replace("change.clear()", "raise SystemExit('no')"), kind="actions")
    one = desk("webhook")
    closes = [80.0, 105.0] * 6
    assert fed(one, closes) == [0.5, 1.0] * 6
    one.hush()
    (told,) = one.actions()
    assert (told["faults"], told["fault"], told["quarantined"]) == (3, "SystemExit: no", True)
    assert fed(one, [80.0], 20) == [0.5]


@pytest.mark.parametrize(
    "code", ["class Measure: api = (1, 0)", ACTION.replace("HEARD = []", "1/0")]
)
def test_one_that_does_not_fit_is_refused_at_the_start(install: Installed, code: str) -> None:
    install("webhook", code, kind="actions")
    threads = set(threading.enumerate())
    with pytest.raises(PluginError, match=r"plug-in 'webhook' of acme 0\.1 "):
        desk("webhook")
    assert set(threading.enumerate()) <= threads


def test_one_that_is_not_allowed_is_not_imported(install: Installed) -> None:
    module = install("pager", ACTION, kind="actions")
    with pytest.raises(PluginError, match="'pager' is not allowed here"):
        desk("pager")
    assert module not in sys.modules
