"""A guard in a live process: it forgets nothing, and loosens nothing that is not stored."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard import RuleError, State, StateInUseError
from riskguard.engine.events import Event
from riskguard.live.requests import asked, leave
from riskguard.live.rules import Fit
from riskguard.market import HOUR
from riskguard.store import Journal
from tests.live.world import RULES, START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_on_is_in_force_before_the_first_event_after_a_restart(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        before = session.decision
    with world.session() as again:
        assert again.decision == before
        assert again.decide(world.intent()).quantity == 0.5
        assert world.bar(again, 6, 92).active == ("fall",)
        # a rise that began before the restart needs its two closes after it
        assert world.bar(again, 7, 99).active == ("fall",)
    with world.session() as third:
        assert world.bar(third, 8, 99).active == ()


def test_a_kill_loses_no_decision(world: World) -> None:
    session = world.session()
    world.fallen(session)
    before = session.decision
    world.kill(session)
    with world.session() as again:
        assert again.decision == before


def test_a_second_process_is_refused(world: World) -> None:
    with world.session(), pytest.raises(StateInUseError):
        world.session()
    world.session().close()


def test_the_kill_switch_holds_at_the_next_order_and_after_a_restart(world: World) -> None:
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        assert session.decide(world.intent()).answer == "allow"
        (world.state / "KILL").touch()
        refused = session.decide(world.intent())
        assert (refused.answer, refused.state) == ("deny", State.HALTED)
        assert session.decide(world.intent(1.0, "sell", 1.0)).answer == "allow"
        path = leave(world.state, {"do": "resume", "by": "ann"})
        session.tick()
        assert "remove it first" in asked(path, 1.0)
    with world.session() as again:
        assert again.decision.state is State.HALTED
        (world.state / "KILL").unlink()
        path = leave(world.state, {"do": "resume", "by": "ann"})
        again.tick()
        assert asked(path, 1.0) == ""
        assert again.decision.state is State.ACTIVE


def test_requests_that_cannot_be_met_are_answered(world: World) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        told = {}
        for request in (
            {"do": "release", "rule": "flat"},
            {"do": "release", "rule": "nobody"},
            {"do": "panic"},
            {"do": "mute", "rule": "fall"},
            {},
        ):
            path = leave(world.state, request)
            session.tick()
            told[str(request)] = asked(path, 1.0)
        assert all(told.values()), told


def test_a_broken_rule_file_changes_nothing(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        before, hash_before = session.decision, session.loaded.hash
        for text in (
            "",
            "version: 1\nrules:\n  x: 1\n",
            RULES[:120],
            "\0",
            RULES.replace("50%", "0.5"),
        ):
            world.rules.write_text(text)
            assert session.reload()
            assert (session.decision, session.loaded.hash) == (before, hash_before)
            assert session.status()["stale_rules"]
        world.rules.unlink()
        assert session.reload()
        world.rules.write_text(RULES)
        assert session.reload() == ""
        assert session.status()["stale_rules"] == ""
    world.rules.write_text("version: 1\nrules:\n  x: 1\n")
    with pytest.raises(RuleError):
        world.session()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("change", ["dropped", "loosened"])
def test_a_rule_that_is_on_stays_on_when_the_file_drops_or_loosens_it(
    world: World, change: str, *, restart: bool
) -> None:
    looser = (
        RULES.replace("50%", "90%")
        if change == "loosened"
        else RULES.replace(RULES[RULES.index("  fall:") : RULES.index("  flat:")], "")
    )
    session = world.session()
    world.fallen(session)
    world.rules.write_text(looser)
    if restart:
        session.close()
        session = world.session()
    else:
        assert session.reload() == ""
    assert session.status()["still_on_from_earlier_rules"] == ["fall"]
    assert session.decision.exposure_cap == 0.5
    assert "fall" in session.decision.active
    assert world.bar(session, 6, 92).exposure_cap == 0.5
    session.close()
    session = world.session()  # it is remembered beside the new rules
    assert session.decision.exposure_cap == 0.5
    world.bar(session, 7, 99)
    world.bar(session, 8, 99)
    assert world.bar(session, 9, 99).exposure_cap == 1.0
    assert session.status()["still_on_from_earlier_rules"] == []
    session.close()


def test_an_operator_releases_what_stayed_on(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        world.rules.write_text(
            RULES.replace(RULES[RULES.index("  fall:") : RULES.index("  flat:")], "")
        )
        session.reload()
        path = leave(world.state, {"do": "release", "rule": "fall", "by": "ann", "note": "known"})
        session.tick()
        assert asked(path, 1.0) == ""
        assert session.decision.exposure_cap == 1.0


def test_rules_that_did_not_change_keep_their_state(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        since = session.guard.stream.latches[0].since
        world.rules.write_text(RULES.replace("close < 60", "close < 61"))
        assert session.reload() == ""
        assert session.guard.stream.latches[0].since == since
        assert session.status()["still_on_from_earlier_rules"] == []
        assert session.decision.active == ("fall",)
        assert world.bar(session, 6, 99).active == ("fall",)
        assert world.bar(session, 7, 99).active == ()


def test_a_loosening_waits_for_the_disk_and_a_tightening_does_not(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        world.bar(session, 6, 92)
        session.store._db.execute("PRAGMA query_only=ON")
        world.bar(session, 7, 99)
        loosened = world.bar(session, 8, 99)
        assert session.guard.own.exposure_cap == 1.0
        assert loosened.exposure_cap == 0.5
        verdict = session.decide(world.intent())
        assert "degraded" in {reason.cause for reason in verdict.reasons}
        assert world.bar(session, 9, 55).state is State.HALTED
        session.store._db.execute("PRAGMA query_only=OFF")


def test_what_was_decided_can_be_read_in_the_journal(world: World) -> None:
    with world.session(fit=Fit(sources={"liq.long": "bybit"})) as session:
        world.fallen(session)
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds[0] == "started"
    assert kinds[-1] == "stopped"
    assert kinds.count("decision") >= 2


def test_a_damaged_state_starts_reducing_and_latched_and_says_so(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
    blob = bytearray((world.state / "state.db").read_bytes())
    for place in random.Random(1).sample(range(len(blob)), 200):
        blob[place] ^= 255
    (world.state / "state.db").write_bytes(blob)
    with world.session() as again:
        assert again.decision.latched
        assert again.decision.state is State.REDUCING
        assert again.decision.exposure_cap == 1.0  # nothing is sold for what is not known
        assert "state_lost" in {reason.cause for reason in again.decide(world.intent()).reasons}
        assert "state_lost" in str(again.status())
        assert again.decide(world.intent(1.0, "sell", 1.0)).answer == "allow"
    with world.session() as third:  # until somebody has looked
        assert third.decision.latched
        leave(world.state, {"do": "resume", "by": "ann"})
        third.tick()
        assert not third.decision.latched


@pytest.mark.parametrize("kind", [int, float, str])
def test_an_order_is_judged_by_the_clock_of_the_session_whatever_time_it_names(
    world: World, kind: type
) -> None:
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        asked = replace(world.intent(), ts=kind(world.now))
        assert session.decide(asked).answer == "allow"
        world.now += 9 * HOUR  # and nothing ticked
        assert session.decide(asked).answer == "deny"
        assert session.decide(replace(asked, side="sell", position=1.0)).answer == "allow"


def test_what_is_no_order_is_denied_and_breaks_nothing(world: World) -> None:
    with world.session() as session:
        assert session.decide(None).answer == "deny"


def test_a_folder_in_which_nobody_can_look_lets_nothing_in_and_every_exit_out(world: World) -> None:
    session = world.session()
    for hour in (1, 2, 3):
        world.bar(session, hour, 100)
    away = world.state.rename(world.state.with_name("away"))
    world.state.touch()  # a file where the folder was: whether the switch lies there is not known
    denied = session.decide(world.intent())
    assert (denied.answer, denied.reasons[0].cause) == ("deny", "guard_error")
    assert session.decide(world.intent(1.0, "sell", 1.0)).answer == "allow"
    world.bar(session, 4, 90)  # time goes on: what falls is seen
    assert session.decision.active == ("fall",)
    world.state.unlink()
    away.rename(world.state)
    world.bar(session, 5, 90)
    assert session.decide(world.intent()).quantity == 0.5
    session.close()


def test_a_switch_that_is_a_broken_link_is_a_switch(world: World) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        (world.state / "KILL").symlink_to("nowhere")
        assert session.decide(world.intent()).state is State.HALTED


def test_history_may_be_stamped_in_any_unit(world: World) -> None:
    world.now += 10 * HOUR
    bars = [
        Event((START + hour * HOUR) // 10**6, "bar", "BTC", {"close": 100, "interval_ns": HOUR})
        for hour in range(1, 10)
    ]
    with world.session() as session:
        session.prime(bars)
        assert session.guard.as_of >= START + 8 * HOUR
