"""A journal decided again by the command, and a planted difference explained."""

from __future__ import annotations

import json

import pytest

from riskguard.engine.recorded import recorded
from riskguard.market import HOUR
from riskguard.store import Entry
from tests.cli.bots import bot
from tests.live.world import START, World


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_a_sound_journal_is_decided_again(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
    code, out, err = riskguard("replay", world.state, "--check")
    assert (code, err) == (0, "")
    assert out.startswith("from the first input, 2026-01-01T00:00Z: 7 inputs, ")
    assert out.endswith("every decision is the one that was stored, byte for byte\n")
    code, out, _ = riskguard("replay", world.state)
    assert code == 0
    assert "2026-01-01T04:00Z  normal   CAUTION   cap 50%\n    fall: close.drop(2h) 7% >= 5%" in out
    told = json.loads(riskguard("replay", world.state, "--json").out)
    assert [one["decision"]["active"] for one in told][-1] == ["fall"]


def test_a_journal_that_was_forgotten_says_from_where_it_is_decided_again(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
        session.store.prune(world.now)
        world.bar(session, 6, 92)
    code, out, err = riskguard("replay", world.state, "--check")
    assert (code, err) == (0, "")
    assert "of what was before it the inputs are" in out
    assert out.endswith("no decision is stored behind it: there is nothing to compare\n")


def test_a_planted_decision_is_found_and_explained(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
        planted = recorded(session.decision) | {"exposure_cap": 0.75}
        entry = Entry(world.now, "decision", {"decision": planted})
        session.store.commit([entry], rule_hash=session.loaded.hash)
        world.bar(session, 6, 92)
    code, out, err = riskguard("replay", world.state, "--check")
    assert (code, err) == (1, "")
    assert "the decision of 2026-01-01T04:00Z differs: transition " in out
    assert "  exposure_cap\n    stored    0.75\n    replayed  0.5\n" in out
    assert "  rules     the same, stored " in out
    assert "every seal of the journal holds" in out
    assert "this is " in out
    told = json.loads(riskguard("replay", world.state, "--check", "--json").out)
    assert told["first_difference"]["place"] == "exposure_cap"
    assert told["first_difference"]["stored"] == 0.75


def test_a_planted_input_is_found(riskguard, world) -> None:
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        session.recorder.told.append(["update", START + 4 * HOUR, "BTC", {"close": 50.0}])
        world.bar(session, 5, 100)
    code, out, _ = riskguard("replay", world.state, "--check")
    assert code == 1
    assert 'state\n    stored    "ACTIVE"\n    replayed  "HALTED"' in out
    assert "the guard was told something that is not in the journal" in " ".join(out.split())


def test_another_version_is_named(riskguard, world, monkeypatch) -> None:
    monkeypatch.setattr("riskguard.live.session.VERSION", "0.0.9")
    with world.session() as session:
        world.fallen(session)
        planted = recorded(session.decision) | {"hedge": 0.75}
        session.store.commit(
            [Entry(world.now, "decision", {"decision": planted})], rule_hash="f" * 64
        )
    code, out, _ = riskguard("replay", world.state, "--check")
    assert code == 1
    assert "stored by riskguard 0.0.9" in out.replace(
        "version   stored by 0", "stored by riskguard 0"
    )
    assert "another version may decide otherwise" in " ".join(out.split())
    assert "stored ffffffff" in out


def test_from_where_on_it_could_be_decided_again_is_said(riskguard, world) -> None:
    with world.session() as session:
        world.fallen(session)
        for hour in range(6, 20):
            world.bar(session, hour, 99 if hour % 5 else 90)
        session.store.prune(START + 15 * HOUR)
        world.bar(session, 20, 70)
    code, out, _ = riskguard("replay", world.state, "--check")
    assert code == 0
    assert out.startswith("from snapshot ")
    assert "of what was before it the inputs are gone" in " ".join(out.split())


def test_a_bot_may_go_on_meanwhile(riskguard, world) -> None:
    with bot(world.rules, world.state, "100,100,93"):
        assert riskguard("replay", world.state, "--check").code == 0
