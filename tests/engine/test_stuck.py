"""A feed that tells one price again and again, with new stamps, while others move."""

from __future__ import annotations

import json
import random

import pytest

from riskguard import Event, Guard, Intake, Intent, State
from riskguard.engine.stuck import FEEDS, MOVED, PEERS, REPEATS, Stuck
from riskguard.language.reader import read_text
from riskguard.market import MINUTE, SECOND
from tests.counts import counts

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
every: 1m
rules:
  fall: {when: close < 50, clear: close > 60, do: {exposure_cap: 0%}}
"""
SAID = "bar: stuck: it only repeats itself while others move"


def intake() -> Intake:
    rules, found = read_text(RULES, "rules.yaml")
    assert rules is not None, found
    return Intake(Guard(rules))


def bar(minute: int, close: float, symbol: str = "BTC", **more: str) -> Event:
    data = {"close": close, "volume": 3.0, "interval_ns": MINUTE}
    return Event(START + minute * MINUTE, "bar", symbol, data, **more)


def minutes(live: Intake, first: int, behind: int, closes: dict[str, object]) -> None:
    for minute in range(first, behind):
        for symbol, close in closes.items():
            live.take(bar(minute, close(minute), symbol))
        live.take(Event(START + minute * MINUTE + 3 * SECOND, "clock", "*"))


def moving(minute: int) -> float:
    return 100 + 0.7 * minute


def standing(_minute: int) -> float:
    return 90.0


def test_a_frozen_feed_is_as_if_it_had_stopped_and_comes_back_by_itself() -> None:
    live = intake()
    minutes(live, 1, 10, {"ETH": moving, "SOL": moving, "BTC": moving})
    assert live.guard.decision.state is State.ACTIVE
    minutes(live, 10, 10 + REPEATS - 1, {"ETH": moving, "SOL": moving, "BTC": standing})
    assert live.refused == {}
    minutes(live, 14, 20, {"ETH": moving, "SOL": moving, "BTC": standing})
    assert live.refused == {SAID: 6}
    decision = live.guard.decision
    assert (decision.state, decision.blind) == (State.REDUCING, ("close",))
    assert decision.exposure_cap == 1.0  # nothing is sold
    entry = Intent(START + 20 * MINUTE, "BTC", "buy", 1.0, 0.0)
    assert live.guard.decide(entry).answer == "deny"
    minutes(live, 20, 22, {"ETH": moving, "SOL": moving, "BTC": moving})
    assert live.guard.decision.state is State.ACTIVE


@pytest.mark.parametrize("others", [[], ["ETH"], ["ETH", "SOL"]])
def test_a_price_that_stands_where_nothing_moves_is_no_fault(others: list[str]) -> None:
    live = intake()
    calm = (
        dict.fromkeys(others, standing) if len(others) == PEERS else dict.fromkeys(others, moving)
    )
    minutes(live, 1, 40, calm | {"BTC": standing})
    assert live.refused == {}
    assert live.guard.decision.state is State.ACTIVE


def test_other_venues_of_the_same_symbol_are_others_too() -> None:
    stuck = Stuck()
    for minute in range(1, 9):
        for source in ("binance", "bybit"):
            assert not stuck.repeats(bar(minute, moving(minute), source=source), {"close": minute})
        frozen = stuck.repeats(bar(minute, 90.0, source="okx"), {"close": 90.0})
        assert frozen == (minute >= REPEATS)


def test_a_restart_forgets_no_standstill() -> None:
    live = intake()
    closes = {"ETH": moving, "SOL": moving, "BTC": standing}
    minutes(live, 1, REPEATS, closes)
    again = intake()
    again.guard.load(live.guard.dump())
    again.load(json.loads(json.dumps(live.dump())))
    minutes(again, REPEATS, REPEATS + 2, closes)
    assert again.refused == {SAID: 2}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prices": [["", "BTC", 0.0]], "runs": []},
        {"prices": [], "runs": [["bar", "", "BTC", [1.0], 3, False, [["", "ETH", 1.0]]]]},
        {"prices": [["", "BTC"]], "runs": []},
    ],
)
def test_what_is_no_dump_is_refused(body: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Stuck().load(body)


def test_a_flood_of_symbols_takes_no_memory() -> None:
    stuck = Stuck()
    for number in range(10 * FEEDS):
        assert not stuck.repeats(bar(1, 5.0, f"X{number}"), {"close": 5.0})
    assert len(stuck.dump()["runs"]) == FEEDS
    assert not stuck.repeats(bar(1, -5.0, "X1"), {"close": -5.0})  # refused elsewhere, no price
    assert ["", "X1", 5.0] in stuck.dump()["prices"]


@counts(200, 1_000)
def test_every_freeze_is_flagged_once_two_others_have_moved(count: int, measured) -> None:
    flagged = 0
    for seed in range(count):
        dice, stuck = random.Random(seed), Stuck()
        prices = {"BTC": 100.0, "ETH": 50.0, "SOL": 10.0}
        begins = dice.randrange(5, 60)
        ends = begins + dice.randrange(1, 61)
        beside: dict[str, float] = {}
        for minute in range(1, ends):
            for symbol in ("ETH", "SOL", "BTC"):
                if symbol != "BTC" or minute < begins:
                    prices[symbol] *= dice.uniform(0.996, 1.004)
                told = {
                    "close": prices[symbol],
                    "volume": float(minute < begins or symbol != "BTC"),
                }
                found = stuck.repeats(bar(minute, prices[symbol], symbol), told)
                if symbol != "BTC" or minute < begins:
                    assert not found
            if minute == begins + 1:
                beside = dict(prices)
            moved = [abs(prices[one] / beside[one] - 1) > MOVED for one in beside if one != "BTC"]
            if minute - begins + 1 >= REPEATS and sum(moved) >= PEERS:
                assert found
            flagged += found
    assert flagged
    measured(f"{count:,} freezes of 1 to 60 minutes: {flagged:,} frozen bars refused")
