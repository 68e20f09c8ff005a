"""A journal decided again: byte for byte what was decided, and what differs is found."""

from __future__ import annotations

import random

import pytest

from riskguard.engine.events import Event
from riskguard.engine.recorded import recorded
from riskguard.live.replaying import Replay, differs
from riskguard.live.requests import leave
from riskguard.market import HOUR, MINUTE, SECOND
from riskguard.store import Entry, Journal
from tests.counts import counts
from tests.live.world import RULES, START, World

LOOSER = RULES.replace("50%", "90%")
LEVELS = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall:
    when: close.drop(2h) >= 5%
    clear: close.rise(2h) >= 3% for 2 closes
    do: {exposure_cap: 50%}
  flush:
    when: oi.change(2h) <= -5%
    do: {reduce_only: true}
  crowded:
    when: funding >= 10bp for 2h
    do: {leverage_cap: 2x}
  loss:
    when: equity.drawdown(all) >= 10%
    latch: true
    do: {block_entries: both, notify: loss}
stages:
  - stage: watch
    enter: close.drawdown(6h) >= 4%
    recover: close.rise(3h) >= 1% for 2h
    do: {exposure_cap: 70%}
    reentry: {start: 40%, step: 20%, every: 2h, while: close.drop(2h) <= 2%}
  - stage: out
    enter: close.drawdown(6h) >= 9%
    recover: close.rise(3h) >= 2%
    do: {exposure_cap: 0%, close: longs}
    min_hold: 3h
inputs:
  funding: {max_age: 90m}
  oi: {max_age: 20m}
"""
FLUSH = LEVELS[LEVELS.index("  flush") : LEVELS.index("  crowded")]


def same(world: World) -> int:
    """Decide a journal again and return how many decisions were the same."""
    replay = Replay(Journal(world.state).contents())
    steps = list(replay.steps())
    for step in steps:
        assert differs(step) is None, (step.seq, step.kind, differs(step))
    return len(steps)


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_what_was_decided_is_decided_again_through_restarts_orders_and_reloads(world) -> None:
    with world.session() as session:
        world.fallen(session)
    with world.session() as session:
        world.bar(session, 6, 92)
        world.rules.write_text(LOOSER)
        assert session.reload() == ""
        world.bar(session, 7, 99)
        leave(world.state, {"do": "halt", "by": "ann", "note": "odd"})
        world.bar(session, 8, 55)
    world.rules.write_text(RULES.replace("close < 60", "close < 61"))
    with world.session() as session:
        leave(world.state, {"do": "resume", "by": "ann"})
        leave(world.state, {"do": "release", "rule": "flat", "by": "ann"})
        world.bar(session, 9, 99)
        world.bar(session, 10, 99)
    assert same(world) >= 12
    kinds = [one.kind for one in Journal(world.state).transitions()]
    assert kinds.count("reload") == 2
    assert kinds.count("started") == 3


def test_a_decision_that_was_altered_is_found_with_what_differs(world) -> None:
    with world.session() as session:
        world.fallen(session)
        altered = recorded(session.decision)
        altered["reasons"][0][2] += 0.001
        session.store.commit([Entry(world.now, "decision", {"decision": altered})])
        world.bar(session, 6, 92)
    found = [differs(step) for step in Replay(Journal(world.state).contents()).steps()]
    assert found[0] is None
    one = next(difference for difference in found if difference)
    assert one.place.startswith("reasons: fall: ")
    assert one.place.endswith(": value")
    assert one.stored == pytest.approx(one.again + 0.001)


def test_an_input_that_the_guard_was_not_told_is_found(world) -> None:
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        session.recorder.told.append(["update", START + 4 * HOUR, "BTC", {"close": 50.0}])
        world.bar(session, 5, 100)
    found = [differs(step) for step in Replay(Journal(world.state).contents()).steps()]
    assert any(found)


def test_what_was_pruned_is_not_needed(world) -> None:
    with world.session() as session:
        world.fallen(session)
        for hour in range(6, 30):
            world.bar(session, hour, 99 if hour % 5 else 90)
        session.store.prune(START + 25 * HOUR)
        world.bar(session, 30, 100)
        world.bar(session, 31, 70)
    contents = Journal(world.state).contents()
    assert contents.inputs[0].seq > 1
    replay = Replay(contents)
    assert replay.from_snapshot is not None
    assert all(differs(step) is None for step in replay.steps())
    assert replay.told > 0


@counts(8, 2_000)
def test_any_stream_with_restarts_kills_and_reloads_is_decided_again(
    count: int, tmp_path, measured
) -> None:
    decided = 0
    for seed in range(count):
        dice = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        rules = LEVELS if seed % 3 else LEVELS.replace("every: 1h", "every: 1h\nevaluate: event")
        world = World(folder, rules)
        session = world.session()
        price, oi = 100.0, 1000.0
        for hour in range(1, 24):
            for _ in range(dice.randrange(8)):
                world.now += dice.randrange(9 * MINUTE)
                if dice.random() < 0.5:
                    oi *= dice.uniform(0.97, 1.03)
                    session.take(Event(world.now, "open_interest", "BTC", {"coins": oi}))
                elif dice.random() < 0.5:
                    rate = dice.choice([0.0001, 0.002])
                    session.take(Event(world.now, "funding", "BTC", {"rate": rate}))
                else:
                    equity = dice.choice([10_000.0, 9_500.0, 8_000.0])
                    told = {"position": float(dice.randrange(3)), "equity": equity}
                    session.take(Event(world.now, "account", "BTC", told))
                session.tick()
            world.now = max(world.now, START + hour * HOUR + SECOND)
            price *= dice.uniform(0.95, 1.05)
            world.bar(session, hour, price)
            chance = dice.random()
            if chance < 0.1:
                session.close()
                session = world.session()
            elif chance < 0.2:
                world.kill(session)
                session = world.session()
            elif chance < 0.35:
                cap, fall = dice.choice(["50%", "30%", "80%"]), dice.choice(["5%", "2%", "9%"])
                text = rules.replace("50%", cap).replace("5%\n    clear", f"{fall}\n    clear")
                if dice.random() < 0.3:
                    text = text.replace(FLUSH, "")
                world.rules.write_text(text)
                assert session.reload() == ""
        session.close()
        decided += same(world)
    measured(f"{decided:,} decisions of {count} journals decided again, byte for byte")


def test_lines_are_told_as_they_were_written_after_a_restart_too(world) -> None:
    text = RULES.replace("5%\n", "500bp\n")
    world.rules.write_text(text)
    with world.session() as session:
        world.bar(session, 1, 100)
    with world.session() as session:
        for hour, close in ((2, 100), (3, 100), (4, 93)):
            world.bar(session, hour, close)
        assert session.decision.reasons[0].leaf == "close.drop(2h) >= 500bp"
    assert same(world)


def test_what_has_cleared_in_an_earlier_file_comes_on_no_more(world) -> None:
    with world.session() as session:
        world.fallen(session)
        world.rules.write_text(LOOSER.replace("5%", "50%"))
        assert session.reload() == ""
        for hour, close in ((6, 92), (7, 99), (8, 99), (9, 99)):
            world.bar(session, hour, close)
        assert session.decision.exposure_cap == 1.0
        assert world.bar(session, 10, 90).exposure_cap == 1.0
    assert same(world)


def test_quiet_ticks_beside_an_earlier_rule_store_nothing(world) -> None:
    with world.session() as session:
        world.fallen(session)
        world.rules.write_text(LOOSER)
        assert session.reload() == ""
        world.bar(session, 6, 92)
        before = session.store.seq
        for _ in range(20):
            world.now += SECOND
            session.tick()
        assert session.store.seq == before


def test_a_state_that_was_lost_is_decided_again_from_its_new_beginning(world) -> None:
    with world.session() as session:
        world.fallen(session)
    (world.state / "state.db").write_bytes(b"no database" * 1000)
    with world.session() as session:
        assert session.decision.latched
        world.bar(session, 6, 92)
    assert same(world) >= 2


def test_a_level_that_is_told_often_makes_no_other_one_look_old(world) -> None:
    world.rules.write_text(LEVELS.replace("oi: {max_age: 20m}", "oi: {max_age: 4h}"))

    def told(minute: int, kind: str, **data: float) -> None:
        world.now = START + minute * MINUTE
        session.take(Event(world.now, kind, "BTC", data))
        session.tick()

    with world.session() as session:
        for hour in (1, 2):
            world.bar(session, hour, 100)
        told(125, "open_interest", coins=1000.0)
        told(130, "funding", rate=0.0001)
        world.bar(session, 3, 100)
        assert session.decision.blind == ()
        for minute in (185, 200):
            told(minute, "open_interest", coins=1000.0)
        told(210, "funding", rate=0.0001)  # 80m after the last: in time
        for minute in range(215, 236):
            told(minute, "open_interest", coins=1000.0)
        assert session.decision.blind == ()
        rows = [row[0] for row in session.recorder.told if row]
        assert rows == ["update", "renew", "renew", "renew"]  # as many as show each level fresh
    assert same(world)


def test_a_position_that_stands_is_kept_once(world) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        for position in (1.0, 1.0, 1.0, 2.0, 2.0):
            world.now += SECOND
            session.take(Event(world.now, "account", "BTC", {"position": position}))
        assert [row[3] for row in session.recorder.told] == [{"position": 1.0}, {"position": 2.0}]
        position = session.guard.episodes.of("BTC").position
    with world.session() as session:
        assert session.guard.episodes.of("BTC").position == position == 2.0
