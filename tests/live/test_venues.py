"""A session that is told a price by several venues."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard import DataError, State
from riskguard.engine.events import Event
from riskguard.live.looking import look
from riskguard.live.replaying import Replay, checked
from riskguard.live.rules import Fit
from riskguard.live.session import Session
from riskguard.market import HOUR, SECOND
from riskguard.store import Journal
from tests.live.world import RULES, START, World

__all__ = ["FIT", "Venues", "all_at"]

THREE = ["binance", "bybit", "okx"]
FIT = Fit(sources={"close": THREE})


class Venues(World):
    """Bars of several venues, one second after their close."""

    def hour(self, session: Session, hour: int, closes: dict[str, float]) -> State:
        self.now = START + hour * HOUR + SECOND
        for venue, close in closes.items():
            session.take(self.told(venue, hour, close))
        self.now += 6 * SECOND
        return session.tick().state

    def told(self, venue: str, hour: int, close: float) -> Event:
        data = {"close": close, "interval_ns": HOUR}
        return Event(START + hour * HOUR, "bar", "BTC", data, source=venue)


@pytest.fixture
def world(tmp_path: Path) -> Venues:
    return Venues(tmp_path)


def all_at(price: float) -> dict[str, float]:
    return dict.fromkeys(THREE, price)


def test_history_of_one_venue_primes_and_a_bad_print_of_one_decides_nothing(world) -> None:
    with world.session(fit=FIT) as session:
        world.now = START + 4 * HOUR
        history = [world.told("bybit", hour, close) for hour, close in enumerate([90, 97, 100], 1)]
        assert session.prime(history).state is State.ACTIVE
        close = next(iter(session.guard.stream.tapes))
        assert list(close.values) == [90, 97, 100]
        assert world.hour(session, 4, all_at(100.0) | {"okx": 20.0}) is State.ACTIVE
        assert world.hour(session, 5, {"okx": 20.0}) is State.ACTIVE  # alone: held back
        assert world.hour(session, 6, all_at(101.0)) is State.ACTIVE
        assert world.hour(session, 7, all_at(55.0)) is State.HALTED


def test_it_goes_on_after_a_stop_and_a_kill_and_is_decided_again(world) -> None:
    with world.session(fit=FIT) as session:
        for hour in range(1, 5):
            world.hour(session, hour, all_at(100.0))
    session = world.session(fit=FIT)
    world.hour(session, 5, {"binance": 70.0})
    assert session.status()["venues"]["close"]["last"] == 100.0
    world.kill(session)
    with world.session(fit=FIT) as again:
        assert again.guard.own.state is State.ACTIVE
        world.hour(again, 6, {"binance": 70.0, "bybit": 100.0})
        world.hour(again, 7, all_at(55.0))
        assert again.decision.state is State.HALTED
        world.rules.write_text(RULES.replace("5%", "6%"))
        assert again.reload() == ""
        world.hour(again, 8, all_at(54.0) | {"okx": 99.0})
        assert again.status()["venues"]["close"]["last"] == 54.0
    found = Journal(world.state).contents()
    kinds = [one.kind for one in found.transitions]
    assert kinds.count("reload") == 1  # the same venues are the same fit
    again = checked(Replay(found))
    assert (again.decisions > 5, again.difference) == (True, None)


def test_status_is_told_as_it_is_stored(world) -> None:
    with world.session(fit=FIT) as session:
        for hour in range(1, 4):
            world.hour(session, hour, all_at(100.0))
        told = session.status()
    assert told["single_venue"] == []
    assert told["venues"] == look(world.state).status["venues"]
    with world.session() as session:
        assert (session.status()["single_venue"], session.status()["venues"]) == (["close"], {})


def test_what_cannot_be_compared_does_not_start(world) -> None:
    with pytest.raises(DataError, match="only prices can be compared"):
        world.session(fit=Fit(sources={"oi": THREE}))
