"""A controller in the live task: its own loop and queue, candles and prices of a test."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engine import BUY, CONNECTOR, LADDER, MINUTE, PAIR, Config, Scripted
from live import Live, Provider

from riskguard.adapters.hummingbot import guarded
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard


def test_the_live_task_sends_what_is_granted(guard: ScriptedGuard) -> None:
    live = Live(desk=lambda: guard)
    assert len(live.task(80_000, lambda one: one.order(BUY, 1))) == 1
    guard.state(State.REDUCING)
    assert live.task(70_000, lambda one: one.order(BUY, 1)) == []
    assert [one.kind for one in guard.events if one.kind != "account"] == ["bar", "bar"]


def test_what_is_put_into_the_queue_past_the_method_is_judged_too(guard: ScriptedGuard) -> None:
    live = Live(desk=lambda: guard)
    live.task(80_000)
    assert live.controller.buy(CONNECTOR, PAIR, Decimal(1))
    assert len(live.drain()) == 1
    guard.state(State.REDUCING)
    live.controller.buy(CONNECTOR, PAIR, Decimal(1))
    assert live.drain() == []
    assert len(guard.intents) == 2


def test_time_passes_for_the_guard_while_a_connector_is_not_ready(guard: ScriptedGuard) -> None:
    ticks: list[int] = []
    guard.tick = lambda: ticks.append(1)
    live = Live(desk=lambda: guard)
    live.provider.ready_now = False
    assert live.task(80_000, lambda one: one.order(BUY, 1)) == []
    assert ticks


def test_a_live_guard_remembers_and_asks_for_its_candles(rules: Path, tmp_path: Path) -> None:
    live = Live(rules=rules, state=tmp_path / "state")
    live.controller.initialize_candles()
    assert [one.interval for one in live.provider.asked] == ["1m"]
    session = live.controller._riskguard.desk
    assert (tmp_path / "state" / "c1").is_dir()
    # its clock is that of the machine: candles of another year are no sight of now
    assert live.task(80_000, lambda one: one.order(BUY, 1)) == []
    session.close()


@pytest.mark.parametrize(("last", "sent"), [(80_000.0, 1), (70_000.0, 0)])
def test_a_live_guard_decides_by_the_candles_of_now(
    rules: Path, tmp_path: Path, last: float, sent: int
) -> None:
    rules.write_text(LADDER.replace("every: 5m", "every: 1m"))
    live = Live(rules=rules, state=tmp_path / "state")
    live.provider.first = int(time.time()) // MINUTE * MINUTE - 10 * MINUTE
    live.provider.closes = [80_000.0] * 9 + [last]  # and the one under way
    live.provider.clock = time.time() - MINUTE
    assert len(live.task(90_000.0, lambda one: one.order(BUY, 1))) == sent
    assert ("half" in "".join(live.controller._riskguard.denials)) is not bool(sent)
    live.controller._riskguard.desk.close()


def test_a_live_guard_needs_a_folder(rules: Path) -> None:
    with pytest.raises(AdapterError, match="remembers in a folder"):
        Live(rules=rules)


def test_a_controller_made_of_a_guarded_one_is_guarded(guard: ScriptedGuard) -> None:
    kept = guarded(desk=lambda: guard, bars="1m")(type("Parent", (Scripted,), {}))

    class Child(kept):
        def determine_executor_actions(self) -> list[Any]:
            return [self.order(BUY, 1), *super().determine_executor_actions()]

    guard.state(State.REDUCING)
    child = Child(Config(), Provider(), asyncio.Queue())
    child.todo = [child.order(BUY, 2)]
    assert child.determine_executor_actions() == []
    assert [one.quantity for one in guard.intents] == [1, 2]
