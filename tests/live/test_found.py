"""What the simulator found once stays mended."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard import State
from riskguard.cli.status_text import alarms
from riskguard.engine.events import Event
from riskguard.errors import DataError
from riskguard.live.looking import look
from riskguard.live.requests import asked, leave
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, MINUTE, SECOND
from tests.live.world import RULES, START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


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
    world.fallen(session)
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


def test_who_says_that_he_heard_it_tomorrow_moves_no_time(world: World) -> None:
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        ahead = world.now + 24 * HOUR
        for known in (ahead, ahead // 1_000_000, ahead + 24 * HOUR):
            session.take(Event(ahead, "account", "BTC", {"position": 1.0}, available_at=known))
        session.take(Event(ahead, "account", "BTC", {"position": 1.0}, available_at="now"))
        refused = session.status()["intake_refused"]
        assert refused.pop("account: ahead of its receipt") == 3
        assert sum(refused.values()) == 1
        assert world.bar(session, 4, 100).state is State.ACTIVE
        assert session.guard.as_of == START + 4 * HOUR


@pytest.mark.parametrize(
    "odd",
    [math.inf, -math.inf, 1e308, 10**400, 10**5000, -(10**5000), "x" * 1000],
    ids=["inf", "-inf", "1e308", "digits", "more digits", "fewer", "text"],
)
def test_what_no_rule_reads_of_an_event_cannot_keep_a_session_from_storing(
    world: World, odd: object
) -> None:
    events = (
        ("funding", {"rate": 0.0001, "interval_hours": odd}),
        ("trade_closed", {"pnl": 1.0, "by_stop": odd}),
        ("bar", {"close": 100.0, "interval_ns": odd}),
        ("account", {"equity": 1000.0, "trust": odd}),
        ("alive", {"series": odd}),
    )
    with world.session() as session:
        world.bar(session, 1, 100)
        for kind, data in events:
            session.take(Event(world.now, kind, "BTC", data))
        refused = session.status()["intake_refused"]
        assert sum(refused.values()) == len(events) - isinstance(odd, str)  # of a series unknown
        assert session.done("a:1:flatten:BTC")
        assert not session.store.degraded
    with world.session() as again:
        assert not again.store.restored.lost


@pytest.mark.parametrize("field", ["symbol", "source", "id"])
def test_a_name_without_end_is_refused_and_not_remembered(world: World, field: str) -> None:
    with world.session() as session:
        world.bar(session, 1, 100)
        event = Event(world.now, "account", "BTC", {"position": 1.0})
        session.take(replace(event, **{field: "x" * 10_000}))
        assert list(session.status()["intake_refused"]) == ["account: a name is too long"]


@pytest.mark.parametrize("field", ["symbol", "source", "id"])
def test_half_a_character_in_a_name_is_refused(world: World, field: str) -> None:
    with world.session() as session:
        world.fallen(session)
        event = Event(world.now, "account", "BTC", {"position": 1.0})
        session.take(replace(event, **{field: "BTC\ud800"}))
        session.take(replace(event, **{field: "\U0001f680"}))
        session.tick()
        told = "account: a name is no text: half a character cannot be stored"
        assert session.status()["intake_refused"] == {told: 1}
        assert all(session.done(action.id) for action in session.poll())


def test_a_bar_that_is_not_closed_yet_is_no_history(world: World) -> None:
    world.now = START + 5 * HOUR + 10 * MINUTE
    bars = [
        Event(START + hour * HOUR, "bar", "BTC", {"close": close, "interval_ns": HOUR})
        for hour, close in enumerate([100.0, 100.0, 100.0, 100.0, 100.0, 50.0], 1)
    ]
    with world.session() as session:
        assert session.prime(bars).state is State.ACTIVE
        assert session.status()["intake_refused"] == {"bar: ahead of its receipt": 1}
        assert session.guard.as_of == START + 5 * HOUR
        assert world.bar(session, 6, 99).state is State.ACTIVE


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
        world.fallen(session)
        world.rules.write_text(RULES.replace("50%", "90%"))
        assert session.reload() == ""
        before = session.store.seq
        for _ in range(60):
            world.now += SECOND
            session.tick()
        assert session.store.seq == before


@pytest.mark.parametrize("stamped", ["by the session", "by the wall"])
def test_a_clock_that_starts_behind_lets_nothing_in_on_old_data(world: World, stamped: str) -> None:
    with world.session() as session:
        for hour in (1, 2, 3, 4):
            world.bar(session, hour, 100)
    off, booted = -24 * HOUR, world.now
    ticker = Ticker(wall=lambda: world.now + off, elapsed=lambda: world.now - booted)
    with Session(world.rules, world.state, ticker=ticker) as again:
        assert ticker.now() >= again.guard.as_of
        denied = again.decide(world.intent())  # how old the data is, nobody knows
        assert (denied.answer, "clock was behind" in denied.reasons[0].text) == ("deny", True)
        told = "\n".join(alarms(look(world.state, patience=0.0)._replace(status=again.status())))
        assert "CLOCK BEHIND: nothing enters" in told
        world.now += 3 * HOUR
        again.tick()
        order = world.intent()
        at = ticker.now() if stamped == "by the session" else world.now + off
        assert again.decide(replace(order, ts=at)).answer == "deny"
        assert again.decide(replace(order, ts=at, side="sell", position=1.0)).quantity == 1.0
        off = 0
        for hour in (7, 8, 9, 10, 11):
            world.bar(again, hour, 100)
        assert abs(ticker.now() - world.now) <= 5 * SECOND
        assert not again.status()["clock_behind"]
        assert again.decide(world.intent()).answer == "allow"


@pytest.mark.parametrize("kind", [["bar"], {"bar": 1}, None, 5])
def test_a_kind_that_is_no_word_is_told_and_the_session_goes_on(world: World, kind: object) -> None:
    with Session(world.rules, world.state, ticker=Ticker(wall=lambda: world.now)) as session:
        with pytest.raises(DataError, match="kind"):
            session.take(Event(world.now, kind, "BTC", {}))  # type: ignore[arg-type]  # that is the test
        assert session.tick() is session.decision


STOPPED = """\
version: 1
every: 1h
rules:
  stopped:
    when: trades.stopped.sum(1h) >= 1
    clear: trades.stopped.sum(1h) < 1
    min_hold: 12h
    do: {block_entries: both}
"""


@pytest.mark.parametrize("kind", ["account", "alive", "trade_closed"])
def test_what_the_bot_stamps_by_the_wall_is_no_feed_that_agrees_with_it(
    world: World, kind: str
) -> None:
    world.rules.write_text(STOPPED)
    data = {
        "account": {"equity": 1000.0},
        "alive": {"series": "close"},
        "trade_closed": {"pnl": 1.0},
    }
    off = 0
    ticker = Ticker(wall=lambda: world.now + off, elapsed=lambda: world.now - START)
    with Session(world.rules, world.state, ticker=ticker) as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 100)
        stop = {"pnl": -5.0, "by_stop": True}
        session.take(Event(world.now, "trade_closed", "BTC", stop))
        world.bar(session, 4, 100)
        assert session.decision.active == ("stopped",)
        off = 24 * HOUR  # someone sets the clock, or it is set by a server that is wrong
        for _ in range(3):
            session.take(Event(world.now + off, kind, "BTC", data[kind]))
            world.now += SECOND
            session.tick()
        assert session.decision.active == ("stopped",)
        assert session.status()["clock_off_ns"] == off
        at = replace(world.intent(), ts=world.now + off)
        assert session.decide(at).answer == "deny"
        assert session.decide(replace(at, side="sell", position=1.0)).quantity == 1.0


def test_a_clock_that_started_ahead_is_forgotten_at_the_next_start(world: World) -> None:
    with world.session() as session:
        for hour in (1, 2, 3, 4):
            world.bar(session, hour, 100)
    ahead = Ticker(wall=lambda: world.now + 9000 * HOUR, elapsed=lambda: world.now - START)
    with Session(world.rules, world.state, ticker=ahead) as session:
        world.bar(session, 5, 100)
        assert session.decide(world.intent()).answer == "deny"
    with world.session() as session:
        for hour in (6, 7, 8, 9, 10):
            world.bar(session, hour, 100)
        assert session.decide(world.intent()).answer == "allow"


@pytest.mark.parametrize("cooldown", ["", ", cooldown: 2h"])
def test_a_release_by_a_clock_that_is_ahead_keeps_no_rule_off(world: World, cooldown: str) -> None:
    held = f"  held: {{when: close < 60, latch: true{cooldown}, do: {{exposure_cap: 0%}}}}\n"
    world.rules.write_text("version: 1\nsymbol: BTC\nevery: 1h\nrules:\n" + held)
    with world.session() as session:
        for hour in (1, 2, 3):
            world.bar(session, hour, 50)
        assert session.decision.active == ("held",)
    ahead = Ticker(wall=lambda: world.now + 9000 * HOUR, elapsed=lambda: world.now - START)
    with Session(world.rules, world.state, ticker=ahead) as session:
        path = leave(world.state, {"do": "release", "rule": "held", "by": "ann"})
        session.tick()
        assert asked(path, 0.0) == ""
        assert session.decision.active == ()
    with world.session() as session:
        for hour in (4, 5):
            world.bar(session, hour, 50)
        assert session.decision.active == ("held",)


QUIET = """\
version: 1
symbol: BTC
every: 1m
evaluate: event
rules:
  swept:
    when: liq.long.sum(5m) >= $5M
    clear: liq.long.sum(5m) < $1M
    do: {exposure_cap: 0%}
"""


def test_a_quiet_flow_is_heard_though_others_speak_first(world: World) -> None:
    world.rules.write_text(QUIET)
    with world.session() as session:
        for tens in range(6 * 15):
            ts = START + tens * 10 * SECOND
            world.now = ts + SECOND
            if ts % MINUTE == 0:
                data = {"close": 100.0, "interval_ns": MINUTE}
                session.take(Event(ts, "bar", "BTC", data))
            session.take(Event(ts, "trade", "BTC", {"price": 100.0}))
            session.tick()  # what came has been decided before the feed proves its silence
            session.take(Event(ts, "alive", "BTC", {"series": "liq.long"}, source="liq"))
            session.tick()
            if tens > 6 * 10:
                assert session.decision.blind == ()
                assert session.decide(world.intent()).answer == "allow"


def test_a_change_of_unit_is_refused_before_the_first_price_too(world: World) -> None:
    world.rules.write_text(RULES + OI)
    with world.session() as session:
        for coins in (1000.0, 1_000_000.0, 1010.0):
            session.take(Event(world.now, "open_interest", "BTC", {"coins": coins}))
            world.now += SECOND
        refused = session.status()["intake_refused"]
        assert refused == {"open_interest: unit_step: oi jumps by a factor of units": 1}
