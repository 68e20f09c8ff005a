"""The trip path on paper: it works with every pack, and what does not work is found."""

from __future__ import annotations

import json
import resource

import pytest

from riskguard.engine.guard import Guard
from riskguard.engine.orders import Verdict
from riskguard.live.session import Session
from riskguard.store import Journal
from tests.cli.bots import bot
from tests.live.world import RULES, World


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("pack", ["conservative", "account-limits", "feb-2026"])
def test_the_path_works_with_shipped_rules(riskguard, pack: str) -> None:
    code, out, err = riskguard("drill", pack)
    assert (code, err) == (0, "")
    assert out.count("\nok   ") + 1 == 12
    assert "an entry is granted as before" in out
    assert out.endswith("12 steps, each as it must be\n")
    assert max(map(len, out.splitlines())) <= 80


def test_it_is_noted_in_the_state_of_a_bot_that_runs_or_does_not(riskguard, world) -> None:
    with bot(world.rules, world.state) as process:
        code, out, _ = riskguard("drill", world.rules, "--state", world.state)
        assert code == 0
        assert f"by process {process.pid}" in " ".join(out.split())
        told = riskguard("status", world.state).out
        assert "last drill  20" in told
        assert ", of these rules\n" in told
    code, out, _ = riskguard("drill", world.rules, "--state", world.state)
    assert code == 0
    assert "by this command" in " ".join(out.split())
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds.count("drilled") == 2
    assert "the last stopped" in " ".join(riskguard("status", world.state).out.split())
    assert riskguard("replay", world.state, "--check").code == 0
    world.rules.write_text(RULES.replace("50%", "40%"))
    world.session().close()
    assert ", of other rules (" in riskguard("status", world.state).out


def test_a_state_whose_bot_hangs_is_in_use(riskguard, world) -> None:
    with bot(world.rules, world.state, "100,100,100", "hangs"):
        code, out, err = riskguard("drill", world.rules, "--state", world.state)
    assert code == 5
    assert "12 steps" in out
    assert "is in use by process" in err


def test_a_gate_that_lets_an_entry_through_is_found(riskguard, world, monkeypatch) -> None:
    whole = Guard.decide

    def broken(guard: Guard, intent, fault: str = "") -> Verdict:
        return whole(guard, intent, fault)._replace(quantity=intent.quantity)

    monkeypatch.setattr(Guard, "decide", broken)
    code, out, _ = riskguard("drill", world.rules)
    assert code == 1
    assert "FAIL orders are asked for: an entry of 1 passes" in out
    assert "the drill failed" in out


def test_duties_that_are_not_listed_or_come_back_are_found(riskguard, world, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Guard, "poll", lambda *_: [])
        code, out, _ = riskguard("drill", world.rules)
    assert code == 1
    assert "FAIL duties are asked for: to flatten is not listed: nothing" in out
    with monkeypatch.context() as broken:
        broken.setattr(Session, "done", lambda *_: None)
        code, out, _ = riskguard("drill", world.rules)
    assert code == 1
    assert "FAIL they are told as done" in out


def test_a_restart_that_forgets_is_found(riskguard, world, monkeypatch) -> None:
    monkeypatch.setattr("riskguard.live.session.restored", lambda _: _fresh(world))
    code, out, _ = riskguard("drill", world.rules)
    assert code == 1
    assert "FAIL killed, and started again: " in out


def _fresh(world: World):
    from riskguard.live.memory import Memory
    from riskguard.live.rules import Fit, Loaded

    loaded = Loaded.read(world.rules, Fit(symbol="BTC"))
    return Memory(loaded, loaded.guard())


def test_rules_that_say_no_symbol_and_no_bar_are_made_to_fit(riskguard, tmp_path) -> None:
    rules = tmp_path / "any.yaml"
    rules.write_text(
        "version: 1\nparams:\n  floor: {by_source: {published: $150M, bybit: $50M}}\nrules:\n"
        "  burst: {when: liq.long.sum(4h) >= floor, do: {exposure_cap: 20%, stop: 2 ATR}}\n"
        "  always: {when: close > 0, clear: close <= 0, do: {block_entries: both}}\n"
    )
    code, out, _ = riskguard("drill", rules)
    assert code == 0, out
    assert "REDUCING (always)" in out
    assert "and so it must be after the drill" in " ".join(out.split())


def test_wrong_rules_and_wrong_folders_are_told(riskguard, world, tmp_path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nrules:\n  x: 1\n")
    assert riskguard("drill", bad).code == 1
    assert riskguard("drill", "nobody").code == 2
    assert riskguard("drill", world.rules, "--state", tmp_path).code == 2


def test_a_disk_that_refuses_fails_the_step_that_it_befalls(riskguard, world) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        code, out, err = riskguard("drill", world.rules)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (code, err) == (1, "")
    assert "\nFAIL " in f"\n{out}"
    assert "is closed" not in out
    assert "do not rely on the kill switch" in out


def test_a_program_is_told_of_a_drill(riskguard, world, monkeypatch) -> None:
    world.session().close()
    code, out, err = riskguard("drill", world.rules, "--state", world.state, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (told["works"], told["noted_by"], len(told["steps"])) == (True, "this command", 12)
    assert told["steps"][1] == {
        "done": "an entry is asked for",
        "seen": "it is granted",
        "fault": "",
    }
    monkeypatch.setattr(Guard, "poll", lambda *_: [])
    code, out, err = riskguard("drill", world.rules, "--state", world.state, "--json")
    told = json.loads(out)
    assert (code, err) == (1, "")
    assert (told["works"], told["noted_by"]) == (False, None)
    assert told["steps"][-1]["fault"].startswith("to flatten is not listed")


def test_a_drill_that_cannot_be_noted_is_told_all_the_same(riskguard, world) -> None:
    with bot(world.rules, world.state, "100,100,100", "hangs"):
        code, out, err = riskguard("drill", world.rules, "--state", world.state, "--json")
    told = json.loads(out)
    assert (code, told["works"], told["noted_by"]) == (5, True, None)
    assert "is in use by process" in err
