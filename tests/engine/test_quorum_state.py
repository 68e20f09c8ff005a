"""What is known of several venues outlives a restart, whenever it comes."""

from __future__ import annotations

import json
import random

import pytest

from riskguard import Guard, Intake, StateError
from riskguard.engine.events import Event
from riskguard.market import MINUTE, SECOND
from tests.counts import counts
from tests.engine.several import FELL, START, THREE, Minutes

EARLY = FELL.replace("every: 1m", "every: 1m\nevaluate: event")


def played(dice: random.Random, rules: str) -> list[Event]:
    """Draw what venues send that stop, lag, wick and fall, in the order of arrival."""
    drawn, price = [], 100.0
    up = dict.fromkeys(THREE, True)
    maker = Minutes(THREE, rules)
    for minute in range(1, 26):
        price *= dice.choice([1.0, 1.001, 0.999, 0.97, 0.9, 1.06])
        for venue in THREE:
            up[venue] ^= dice.random() < 0.15
            close = price * dice.choice([1.0, 1.001, 0.999, 0.998, 0.5])
            low = close * dice.choice([1.0, 0.999, 0.6])
            if up[venue]:
                after = dice.choice([dice.randrange(SECOND), dice.randrange(9 * SECOND)])
                bar = (close, close, low, close)
                ts = START + minute * MINUTE
                drawn.append((ts + after, maker.event(venue, bar, minute)))
                ts += dice.randrange(MINUTE)
                trade = Event(ts, "trade", "BTC", {"price": close}, source=venue)
                drawn.append((ts + dice.randrange(SECOND), trade))
        for second in range(0, 60, 5):
            ts = START + minute * MINUTE + second * SECOND
            drawn.append((ts, Event(ts, "clock", "*")))
    return [event for _, event in sorted(drawn, key=lambda one: one[0])]


@counts(40, 10_000)
def test_a_restart_at_any_instant_changes_nothing(count: int, measured) -> None:
    states, restarts = set(), 0
    for seed in range(count):
        dice = random.Random(seed)
        rules = dice.choice([FELL, EARLY])
        events = played(dice, rules)
        cuts = {dice.randrange(len(events)) for _ in range(3)}
        straight, cut = Minutes(THREE, rules), Minutes(THREE, rules)
        for number, event in enumerate(events):
            if number in cuts:
                cut.restart()
                restarts += 1
            one, two = straight.live.take(event), cut.live.take(event)
            assert one == two
            states.add(one.state)
        assert straight.dumped()[1] == cut.dumped()[1]
    assert len(states) == 3
    measured(f"{restarts:,} restarts among three venues that stop, lag and wick: none was felt")


def test_a_dump_of_one_venue_can_be_gone_on_from_with_several() -> None:
    one, more = Minutes(["binance"]), Minutes()
    one.calm(5)
    one.live.take(one.event("binance", 100.0, 6))
    body = json.loads(json.dumps(one.live.dump()))
    assert "quorum" not in body
    more.live.load(body)
    more.number = 6
    more.calm(5)
    assert more.live.guard.decision.ts > 0
    assert more.live.venues["close"]["last"] == 100.0


def test_a_venue_that_is_named_no_more_has_no_voice() -> None:
    three, two = Minutes(THREE), Minutes(THREE[:2])
    three.calm(5)
    three.minute(dict.fromkeys(THREE, 70.0), late=["binance"])
    two.live.load(json.loads(json.dumps(three.live.dump())))
    assert list(two.live.venues["close"]["words"]) == ["binance", "bybit"]
    assert list(two.live.venues["close"]["heard"]) == ["binance", "bybit"]
    assert two.live.venues["close"]["last"] == 70.0


def broken(change: str, value: object) -> dict[str, object]:
    live = Minutes()
    live.calm(3)
    body = json.loads(json.dumps(live.live.dump()))
    body["quorum"]["close"][change] = value
    return body


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("last", "much"),
        ("last", float("nan")),
        ("words", {"binance": [1, {"low": 5.0}]}),
        ("words", {"binance": [1, {"close": float("inf")}]}),
        ("words", []),
        ("at", {"close": None}),
        ("doubt", "long"),
        ("heard", 5),
    ],
)
def test_what_is_no_dump_changes_nothing(change: str, value: object) -> None:
    live = Minutes()
    live.calm(5)
    before = live.dumped()
    with pytest.raises(StateError, match="what waited at the intake cannot be read"):
        live.live.load(broken(change, value))
    assert live.dumped() == before


def test_where_one_venue_is_named_nothing_is_kept_of_any_quorum() -> None:
    live = Minutes(["binance"])
    live.calm(3)
    assert live.live.venues == {}
    assert "@" not in json.dumps(live.live.dump())
    unnamed = Intake(Guard(live.live.guard.ruleset))
    assert type(unnamed.buckets) is type(live.live.buckets)
