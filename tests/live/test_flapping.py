"""A rule that turns on and off again and again is latched, and a person lets it go."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from riskguard import DataError, Guard, RiskguardError, Sample, State, load_rules
from riskguard.cli import status_text, why_text
from riskguard.engine.events import Event
from riskguard.live.flapping import MOST, WITHIN, Flapping
from riskguard.live.looking import look
from riskguard.live.recorder import Recorder
from riskguard.live.replaying import Replay, checked
from riskguard.live.requests import asked, leave
from riskguard.live.session import Session
from riskguard.market import MINUTE, SECOND
from riskguard.store import Journal
from tests.counts import counts
from tests.live.world import START, World

SAW = """\
version: 1
symbol: BTC
every: 1m
rules:
  below:
    when: close < 100
    do: {exposure_cap: 50%}
  far:
    when: close < 10
    do: {exposure_cap: 0%}
"""
HIGH, LOW = 101.0, 99.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, SAW)


def minute(world: World, session: Session, number: int, close: float) -> None:
    world.now = START + number * MINUTE + SECOND
    event = Event(START + number * MINUTE, "bar", "BTC", {"close": close, "interval_ns": MINUTE})
    session.take(event)
    world.now += 3 * SECOND
    session.tick()


def turned(world: World, session: Session, times: int, first: int = 1) -> int:
    """Turn the rule on and off so many times; return the number of the next minute."""
    for number in range(first, first + times):
        minute(world, session, number, LOW if number % 2 else HIGH)
    return first + times


def test_a_rule_that_turns_thirteen_times_in_an_hour_is_latched(world: World) -> None:
    with world.session() as session:
        following = turned(world, session, MOST)
        assert not session.decision.latched
        assert session.decision.active == ()
        minute(world, session, following, LOW)
        assert session.decision.latched
        minute(world, session, following + 1, HIGH)
        assert session.decision.active == ("below",)
        assert session.decision.exposure_cap == 0.5
        assert session.decision.state is State.CAUTION
        assert "flapping" in next(one for one in session.decision.reasons).leaf


def test_twelve_turns_in_every_hour_latch_nothing(world: World) -> None:
    with world.session() as session:
        for number in range(1, 200):  # six minutes on, six off: ten turns an hour
            minute(world, session, number, LOW if number // 6 % 2 else HIGH)
        assert not session.decision.latched


def test_what_flapped_stays_latched_over_kill_restart_and_reload_until_released(
    world: World,
) -> None:
    session = world.session()
    following = turned(world, session, MOST + 1)
    world.kill(session)
    with world.session() as again:
        assert again.decision.latched
        minute(world, again, following, HIGH)
        world.rules.write_text(SAW.replace("close < 10\n", "close < 11\n"))
        assert again.reload() == ""
        minute(world, again, following + 1, HIGH)
        assert (again.decision.active, again.decision.latched) == (("below",), True)
    with world.session() as third:
        path = leave(world.state, {"do": "release", "rule": "below", "by": "ann"})
        third.tick()
        assert asked(path, 1.0) == ""
        assert (third.decision.active, third.decision.latched) == ((), False)
        # it is free: it turns as its file says, and is counted anew
        after = turned(world, third, MOST, following + 3)
        assert not third.decision.latched
        minute(world, third, after, HIGH)
        assert (third.decision.active, third.decision.latched) == ((), False)
    assert checked(Replay(Journal(world.state).contents())).step is None
    assert Journal(world.state).verify() == ""


def test_turns_before_a_restart_count(world: World) -> None:
    session = world.session()
    following = turned(world, session, MOST - 1)
    session.close()
    with world.session() as again:
        turned(world, again, 2, following)
        assert again.decision.latched


@pytest.mark.parametrize("restart", [False, True])
def test_a_changed_file_does_not_let_go_what_flapped(world: World, *, restart: bool) -> None:
    session = world.session()
    following = turned(world, session, MOST + 1)
    world.rules.write_text(SAW.replace("50%", "80%"))
    if restart:
        session.close()
        session = world.session()
    else:
        assert session.reload() == ""
    minute(world, session, following, HIGH)
    assert (session.decision.exposure_cap, session.decision.latched) == (0.5, True)
    assert "flapping" in " ".join(one.leaf for one in session.decision.reasons)
    path = leave(world.state, {"do": "release", "rule": "below", "by": "ann"})
    session.tick()
    assert asked(path, 1.0) == ""
    assert (session.decision.exposure_cap, session.decision.latched) == (1.0, False)
    session.close()
    assert checked(Replay(Journal(world.state).contents())).step is None


def test_history_that_flapped_latches_nothing(world: World) -> None:
    bars = [
        Event(START + n * MINUTE, "bar", "BTC", {"close": LOW if n % 2 else HIGH,
                                                 "interval_ns": MINUTE})
        for n in range(1, 40)
    ]  # fmt: skip
    world.now = START + 40 * MINUTE
    with world.session() as session:
        session.prime(bars)
        assert not session.decision.latched


def test_what_flaps_after_a_history_that_could_not_be_told_is_latched(world: World) -> None:
    with world.session() as session:
        with pytest.raises(DataError):
            session.prime([Event(START, "none", "BTC", {})])
        turned(world, session, MOST + 2)
        assert session.decision.latched


def test_status_and_why_say_what_flapped_and_how_it_is_let_go(world: World) -> None:
    with world.session() as session:
        turned(world, session, MOST + 1)
    found = look(world.state)
    told = "\n".join(status_text.lines(found))
    assert "FLAPPING: latched, for it turned too often: below (riskguard release below)" in told
    assert "turned more than 12 times within an hour" in " ".join(
        " ".join(why_text.lines(found, None)).split()
    )


def test_a_rule_that_is_off_when_it_is_latched_comes_on(world: World) -> None:
    with world.session() as session:
        minute(world, session, 1, HIGH)
        guard = session.guard
        guard.latch(world.now, "below", "by a test")
        assert guard.decision.active == ("below",)
        twin = Guard(guard.ruleset)
        twin.load(guard.dump())
        for one in (guard, twin):
            one.update(Sample(START + 5 * MINUTE, "BTC", {"close": HIGH}))
            assert one.decision.active == ("below",)
        assert twin.dump() == guard.dump()
        with pytest.raises(RiskguardError, match="no rule is called 'nobody'"):
            guard.latch(world.now, "nobody", "")


def test_two_turns_of_one_step_are_two(world: World) -> None:
    with world.session() as session:
        guard = session.guard
    flapping = Flapping(guard)
    for step in range(MOST // 2):
        latch = guard.stream.latches[0]
        latch.since, latch.off = step * MINUTE, step * MINUTE + 1
        assert flapping.found() == []
    latch.since = WITHIN - 1
    assert flapping.found() == ["below"]
    flapping.forget("below")
    latch.since += 1
    assert flapping.found() == []


@counts(300, 10_000)
def test_no_sawtooth_turns_a_rule_more_often_than_the_bound(
    count: int, tmp_path: Path, measured
) -> None:
    path, most, latched = tmp_path / "saw.yaml", 0, 0
    path.write_text(SAW.replace("below:\n", "below:\n    clear: close >= 100.5\n", 1))
    rules = load_rules(path)
    for seed in range(count):
        dice, guard = random.Random(seed), Guard(rules)
        recorder = Recorder(guard, (), Flapping(guard))
        turns: list[int] = []
        stay = dice.uniform(0.05, 0.95)
        on, price = False, HIGH
        for number in range(1, 120):
            if dice.random() > stay:
                price = LOW if price == HIGH else HIGH
            now = number * MINUTE
            decision = recorder.update(Sample(now, "BTC", {"close": price}))
            if ("below" in decision.active) != on:
                on = not on
                turns.append(now)
            assert decision.latched <= on  # what is latched is on
        in_an_hour = max((sum(one <= turn < one + WITHIN for turn in turns) for one in turns),
                         default=0)  # fmt: skip
        most, latched = max(most, in_an_hour), latched + recorder.decision.latched
        assert in_an_hour <= MOST + 1
    assert 0 < latched < count
    measured(f"{count:,} sawtooth series: at most {most} turns within an hour, {latched:,} latched")
