"""A journal does not grow for ever, and a database that is full is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.cli import status_text
from riskguard.live.forgetting import Forgetting
from riskguard.live.looking import look
from riskguard.live.replaying import Replay, checked
from riskguard.live.session import Session
from riskguard.market import DAY, HOUR, SECOND
from riskguard.store import PRUNED, Journal
from tests.live.world import START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def hours(world: World, session: Session, first: int, behind: int) -> None:
    for hour in range(first, behind):
        world.bar(session, hour, 92 if hour // 4 % 2 else 100)


def oldest(world: World) -> int:
    return Journal(world.state).inputs()[0].ts


def test_a_journal_is_kept_whole_until_it_is_large(world: World) -> None:
    with world.session() as session:
        hours(world, session, 1, 60)
        assert session.store.size() > 40_000
        assert session.store.size() < session.forgetting.large
    journal = Journal(world.state)
    assert journal.inputs()[0].seq == 1
    assert not [one for one in journal.transitions() if one.kind == PRUNED]


def test_what_is_large_forgets_the_oldest_and_never_the_last_day(world: World) -> None:
    with world.session() as session:
        hours(world, session, 1, 60)
        session.forgetting = Forgetting(session.store, large=20_000)
        hours(world, session, 60, 62)
        assert world.now - DAY - HOUR <= oldest(world) <= world.now - DAY + HOUR
        before = session.decision
    contents = Journal(world.state).contents()
    assert Journal(world.state).verify() == ""
    assert checked(Replay(contents)).step is None
    with world.session() as again:  # what a start needs is there
        assert again.decision == before
        assert not again.store.degraded


def test_a_replay_begins_when_something_was_decided_not_when_it_was_forgotten(
    world: World,
) -> None:
    with world.session() as session:
        hours(world, session, 1, 60)
        session.forgetting = Forgetting(session.store, large=20_000)
        session.tick()
        hours(world, session, 60, 61)
        contents = Journal(world.state).contents()
    replay = Replay(contents)
    assert replay._behind()[0].kind == PRUNED
    assert replay.start == world.now - 3 * SECOND


def test_what_is_old_goes_before_what_is_younger(world: World) -> None:
    with world.session() as session:
        hours(world, session, 1, 30)
        hours(world, session, 24 * 50, 24 * 50 + 30)
        hours(world, session, 24 * 100, 24 * 100 + 30)
        size = session.store.size()
        session.forgetting = Forgetting(session.store, large=size - 1)
        session.tick()
        assert oldest(world) >= START + 50 * DAY - HOUR  # older than 90 days is gone
        assert oldest(world) <= START + 51 * DAY
        assert session.store.size() < size
        kept = oldest(world)
        session.tick()
        assert oldest(world) == kept  # it is large no more


def test_what_is_nearly_full_keeps_what_a_start_needs_alone(world: World) -> None:
    with world.session() as session:
        hours(world, session, 1, 60)
        session.forgetting = Forgetting(session.store, large=10_000, full=20_000)
        for _ in range(3):
            session.tick()
        first = Journal(world.state).inputs()[0]
        assert first.seq > Journal(world.state).snapshots()[0].after_input
        world.kill(session)
    with world.session() as again:
        assert again.decision.ts > 0
        assert again.store.restored.lost == ""
        hours(world, again, 60, 63)
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_forgetting_goes_in_small_steps_and_rests_when_nothing_is_old(
    world: World, monkeypatch
) -> None:
    monkeypatch.setattr("riskguard.live.forgetting.ROWS", 7)
    with world.session() as session:
        hours(world, session, 1, 60)
        first = Journal(world.state).inputs()[0].seq
        forgetting = Forgetting(session.store, large=1)
        assert forgetting.step(world.now, "")
        assert Journal(world.state).inputs()[0].seq == first + 7
        while forgetting.step(world.now, ""):
            pass
        kept = Journal(world.state).inputs()[0].seq
        assert kept > first + 7
        session.store.prune(world.now, most=1)
        assert not forgetting.step(world.now + HOUR - 1, "")
        assert forgetting.step(world.now + 2 * HOUR, "")
        assert Journal(world.state).verify() == ""


def test_a_full_database_goes_on_from_memory_and_says_so(world: World) -> None:
    with world.session() as session:
        world.fallen(session)
        db = session.store._db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        (most,) = db.execute("PRAGMA max_page_count").fetchone()
        db.execute(f"PRAGMA max_page_count={pages}")
        hour = 6
        while not session.store.degraded:
            world.bar(session, hour, 92)
            session.done(f"filled {hour} " + "x" * 1000)
            hour += 1
        assert "full" in session.store.degraded
        assert "full" in session.status()["degraded"]
        for _ in range(3):  # it would loosen
            world.bar(session, hour, 99)
            hour += 1
        assert session.decision.exposure_cap == 0.5
        refused = session.decide(world.intent())
        assert refused.quantity == 0.5
        assert any(reason.cause == "degraded" for reason in refused.reasons)
        world.bar(session, hour, 50)  # it tightens at once
        assert session.decision.exposure_cap == 0.0
        assert session.decide(world.intent(1.0, "sell", 1.0)).answer == "allow"
        db.execute(f"PRAGMA max_page_count={most}")
        world.bar(session, hour + 1, 99)
        assert not session.store.degraded
        assert session.decision.latched
    assert Journal(world.state).verify() == ""
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_status_tells_when_the_last_decision_was_stored_not_until_when_it_was_forgotten(
    world: World,
) -> None:
    with world.session() as session:
        hours(world, session, 1, 60)
        stored = look(world.state, patience=0.0).stored
        session.store.prune(START + 10 * HOUR)
        assert look(world.state, patience=0.0).stored == stored
    assert "NOT RUNNING" in next(status_text.lines(look(world.state)))
