"""A guard in a live process: it forgets nothing, and loosens nothing that is not stored."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from riskguard import RuleError, State, StateInUseError
from riskguard.engine.events import Event
from riskguard.engine.orders import Intent
from riskguard.live.requests import asked, leave
from riskguard.live.rules import Fit
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, SECOND
from riskguard.store import Journal

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall:
    when: close.drop(2h) >= 5%
    clear: close.rise(2h) >= 3% for 2 closes
    do: {exposure_cap: 50%}
  flat:
    when: close < 60
    latch: true
    do: {exposure_cap: 0%}
"""


class World:
    """A clock set by hand, a folder, and a rule file."""

    def __init__(self, folder: Path, rules: str = RULES) -> None:
        self.now, self.rules, self.state = START, folder / "rules.yaml", folder / "state"
        self.rules.write_text(rules)

    def session(self, **options: object) -> Session:
        ticker = Ticker(wall=lambda: self.now, elapsed=lambda: self.now - START)
        return Session(self.rules, self.state, ticker=ticker, **options)

    def bar(self, session: Session, hour: int, close: float):
        self.now = START + hour * HOUR + SECOND
        data = {"close": close, "interval_ns": HOUR}
        session.take(Event(START + hour * HOUR, "bar", "BTC", data))
        self.now += 3 * SECOND
        return session.tick()

    def intent(self, quantity: float = 1.0, side: str = "buy", position: float = 0.0) -> Intent:
        return Intent(self.now, "BTC", side, quantity, position)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def fallen(world: World, session: Session) -> None:
    for hour, close in enumerate([100, 100, 100, 93, 92], 1):
        world.bar(session, hour, close)
    assert session.decision.active == ("fall",)


def test_what_is_on_is_in_force_before_the_first_event_after_a_restart(world: World) -> None:
    with world.session() as session:
        fallen(world, session)
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
    fallen(world, session)
    before = session.decision
    session.store._lock.release()  # as if the process had gone without a word
    session.store._db.close()
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
        fallen(world, session)
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
    fallen(world, session)
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
        fallen(world, session)
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
        fallen(world, session)
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
        fallen(world, session)
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
        fallen(world, session)
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds[0] == "started"
    assert kinds[-1] == "stopped"
    assert kinds.count("decision") >= 2


def test_a_damaged_state_starts_reducing_and_latched_and_says_so(world: World) -> None:
    with world.session() as session:
        fallen(world, session)
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


# ---------------------------------------------------------------- found by the simulator

OI = """\
  crowd:
    when: oi.drop(2h) >= 5%
    clear: oi.drop(2h) < 2%
    do: {exposure_cap: 60%}
"""


def polled(world: World, session: Session, hour: int, coins: float, close: float = 100.0) -> None:
    world.now = START + hour * HOUR
    session.take(Event(world.now, "open_interest", "BTC", {"coins": coins}))
    world.bar(session, hour, close)


@pytest.mark.parametrize("restart", [False, True])
def test_other_rules_keep_a_halt_and_what_was_done(world: World, *, restart: bool) -> None:
    session = world.session()
    fallen(world, session)
    (action, *_) = session.poll()
    session.done(action.id)
    path = leave(world.state, {"do": "halt", "by": "ann"})
    session.tick()
    assert asked(path, 0.0) == ""
    left = {one.id for one in session.poll()}
    tightening = session.guard.episodes.tightening
    for text in (RULES.replace("close < 60", "close < 61"), RULES):
        world.rules.write_text(text)
        if restart:
            session.close()
            session = world.session()
        else:
            assert session.reload() == ""
        assert (session.decision.state, session.decision.latched) == (State.HALTED, True)
        assert session.decide(world.intent()).answer == "deny"
        assert session.guard.episodes.tightening >= tightening
        assert action.id not in {one.id for one in session.poll()}
    assert {one.id for one in session.poll()} == left
    session.close()


def test_a_rule_of_an_earlier_file_hears_what_only_it_reads(world: World) -> None:
    world.rules.write_text(RULES + OI)
    with world.session() as session:
        for hour, coins in enumerate([1000.0, 1000.0, 1000.0, 900.0], 1):
            polled(world, session, hour, coins)
        assert session.decision.active == ("crowd",)
        world.rules.write_text(RULES)
        assert session.reload() == ""
        polled(world, session, 5, 900.0)
        assert session.decision.active == ("crowd",)
        polled(world, session, 6, 900.0)
        assert session.decision.active == ()


def test_other_rules_pass_over_what_waits_for_a_series_they_do_not_read(world: World) -> None:
    world.rules.write_text(RULES + OI.replace("oi.drop(2h)", "liq.long.sum(2h)").replace(
        ">= 5%", ">= $5M").replace("< 2%", "< $1M"))  # fmt: skip
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        data = {"liquidated_side": "long", "notional_usd": 5.0}
        session.take(Event(world.now, "liquidation", "BTC", data))
        world.rules.write_text(RULES)
        assert session.reload() == ""
        assert world.bar(session, 4, 100).state is State.ACTIVE


@pytest.mark.parametrize("stamp", [None, "now", 1.5, float("nan"), True, -1, 10**30])
def test_a_stamp_that_is_none_is_refused_and_counted(world: World, stamp: object) -> None:
    with world.session() as session:
        session.take(Event(stamp, "bar", "BTC", {"close": 100.0, "interval_ns": HOUR}))
        assert list(session.status()["intake_refused"].values()) == [1]


def test_what_waits_for_the_disk_is_all_that_was_in_force_since(world: World) -> None:
    world.rules.write_text(RULES + OI.replace("exposure_cap: 60%", "leverage_cap: 2x"))
    with world.session() as session:
        for hour, close in enumerate([100, 100, 100, 93, 92], 1):
            polled(world, session, hour, 1000.0, close)
        assert session.decision.active == ("fall",)
        session.store._db.execute("PRAGMA query_only=ON")
        for hour, coins in enumerate([1000.0, 1000.0, 900.0, 900.0, 900.0], 6):
            polled(world, session, hour, coins, 92 if hour == 6 else 99)
        assert session.guard.own.active == ()
        assert (session.decision.exposure_cap, session.decision.leverage_cap) == (0.5, 2.0)
        session.store._db.execute("PRAGMA query_only=OFF")
        world.now += 120 * SECOND
        assert session.tick().exposure_cap == 1.0


def test_time_that_passes_beside_rules_of_an_earlier_file_stores_nothing(world: World) -> None:
    with world.session() as session:
        fallen(world, session)
        world.rules.write_text(RULES.replace("50%", "90%"))
        assert session.reload() == ""
        before = session.store.seq
        for _ in range(60):
            world.now += SECOND
            session.tick()
        assert session.store.seq == before
