"""Events that cannot be: counted under a reason, and as if they had not come."""

from __future__ import annotations

import pytest

from riskguard import DataError, market
from riskguard.engine.events import Event
from riskguard.engine.intake import Intake
from riskguard.engine.known import MOST, Known
from riskguard.market import HOUR, SECOND, coin
from tests.engine.test_intake import at, bar, clock, intake, liquidation

BAD = [
    (
        Event(at(2), "bar", "BTC", {"close": float("nan"), "interval_ns": HOUR}),
        "close is not finite",
    ),
    (
        Event(at(2), "bar", "BTC", {"close": float("inf"), "interval_ns": HOUR}),
        "close is not finite",
    ),
    (Event(at(2), "bar", "BTC", {"close": 0, "interval_ns": HOUR}), "close: a price of zero"),
    (Event(at(2), "bar", "BTC", {"close": -0.0, "interval_ns": HOUR}), "close: a price of zero"),
    (Event(at(2), "bar", "BTC", {"close": -5, "interval_ns": HOUR}), "close: negative"),
    (Event(at(2), "bar", "BTC", {"close": "90k", "interval_ns": HOUR}), "close is no number"),
    (Event(at(2), "bar", "BTC", {"close": True, "interval_ns": HOUR}), "close is no number"),
    (Event(at(2), "bar", "BTC", {"close": 10**400, "interval_ns": HOUR}), "close is not finite"),
    (Event(at(2), "bar", "BTC", {"close": None, "interval_ns": HOUR}), "close is no number"),
    (Event(at(2), "bar", "BTC", {"close": [1], "interval_ns": HOUR}), "close is no number"),
    (Event(at(2), "bar", "BTC", {"close": 5, "interval_ns": 4 * HOUR}), "longer than `every`"),
    (
        Event(at(2), "bar", "BTC", {"close": 5, "interval_ns": HOUR, "vwap": 5}),
        "unknown field 'vwap'",
    ),
    (liquidation(at(2), -1.0), "notional_usd is negative"),
    (liquidation(at(2), float("nan")), "notional_usd is not finite"),
    (liquidation(at(2), 1.0, "sell"), "liquidated_side is neither"),
    (
        Event(at(2), "liquidation", "BTC", {"liquidated_side": "long", "coins": 3.0}),
        "unknown field 'coins', no 'notional_usd'",
    ),
    (
        Event(at(2), "liquidation", "BTC", {"notional_usd": 3.0, "coverage": "reconstructed"}),
        "coverage is neither",
    ),
    (Event(at(2), "open_interest", "BTC", {"contracts": 3.0}), "unknown field 'contracts'"),
    (Event(at(2), "open_interest", "BTC", {"coins": -3.0}), "oi: negative"),
    (Event(0, "bar", "BTC", {"close": 5, "interval_ns": HOUR}), "no positive whole number"),
    (Event(True, "bar", "BTC", {"close": 5, "interval_ns": HOUR}), "no positive whole number"),
    (Event(1.5, "bar", "BTC", {"close": 5, "interval_ns": HOUR}), "no positive whole number"),
    (Event(10**30, "bar", "BTC", {"close": 5, "interval_ns": HOUR}), "too large"),
    (Event(at(2) // SECOND, "funding", "BTC", {"rate": 0.1}), "in another unit than before"),
    (
        Event(at(2), "funding", "BTC", {"rate": 0.1}, available_at=at(2) - 6 * SECOND),
        "ahead of its receipt",
    ),
    (Event(at(-30), "funding", "BTC", {"rate": 0.1}), "late"),
    (Event(at(2), "bar", "", {"close": 5.0, "interval_ns": HOUR}), "no symbol"),
    (Event(at(2), "bar", "/USDT", {"close": 5.0, "interval_ns": HOUR}), "no symbol"),
    (Event(at(2), "funding", None, {"rate": 0.1}), "symbol, source and id are text"),
    (Event(at(2), "funding", ["BTC"], {"rate": 0.1}), "symbol, source and id are text"),
    (Event(at(2), "funding", "BTC", {"rate": 0.1}, id=5), "symbol, source and id are text"),
    (Event(at(2), "funding", "BTC", {"rate": 0.1}, source={}), "symbol, source and id are text"),
    (
        Event(at(2), "account", "BTC", {"equity": 5.0, "trust": []}),
        "trust is neither a possible number",
    ),
    (
        Event(at(2), "account", "BTC", {"equity": 5.0, "trust": b"x"}),
        "trust is neither a possible number",
    ),
    (Event(at(2), "account", "BTC", {"equity": 5.0, "trust": float("nan")}), "trust is neither"),
    (Event(at(2), "funding", "BTC", {"x" * 10**6: 1.0, "rate": 0.1}), "unknown field 'x"),
    (Event(at(2), "value", "BTC", {"series": 5, "value": 1.0}), "series is no word"),
    (Event(at(1) + 2 * SECOND, "clock", "*"), "the clock goes back"),
]


def state_of(live: Intake) -> tuple[object, ...]:
    buckets = live.buckets
    told = {end: dict(found) for end, found in buckets.told.items()}
    tapes = [(list(tape.times), list(tape.values)) for tape in live.guard.stream.tapes]
    return told, list(buckets.levels), tapes, live.now, dict(live.guard.refused)


@pytest.mark.parametrize(("event", "why"), BAD, ids=[why for _, why in BAD])
def test_what_cannot_be_is_counted_and_is_as_if_it_had_not_come(event: Event, why: str) -> None:
    live = intake()
    live.take(bar(1, 90.0))
    live.take(clock(at(1) + 3 * SECOND))
    before = state_of(live)
    live.take(event)
    assert state_of(live) == before
    ((said, times),) = live.refused.items()
    assert why in said
    assert times == 1
    assert len(said) < 100


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Event(at(1), "tick", "BTC", {"price": 1.0}), "an event of kind 'tick'"),
        (Event(at(1), "bar", "BTC", {"close": 1.0}), "a bar event without interval_ns"),
        (Event(at(1), "account", "BTC"), "without equity or position"),
        (Event(at(1), "operator", "*", {"do": "panic"}), "'panic'"),
        (Event(at(1), 5, "BTC", {"close": 1.0}), "are text"),
        (Event(at(1), ["bar"], "BTC", {"close": 1.0}), "are text"),
        (Event(at(1), "bar", "BTC", None), "are text"),
        (Event(at(1), "bar", "BTC", {5: 1.0}), "are text"),
    ],
)
def test_a_host_that_is_wrong_is_told_so(event: Event, why: str) -> None:
    with pytest.raises(DataError, match=why):
        intake().take(event)


def test_a_flood_of_made_up_symbols_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "COINS", {})
    for number in range(market.MOST_COINS + 500):
        assert coin(f"S{number}/USDT:USDT") == f"S{number}"
    assert len(market.COINS) == market.MOST_COINS


def test_events_are_known_again_until_as_many_and_at_most_twice_as_many_have_come() -> None:
    known = Known()

    def again(number: int) -> bool:
        return known.again(Event(at(1), "clock", "*", id=str(number)), at(1))

    assert not any(map(again, range(2 * MOST - 1)))
    assert again(MOST)  # of the young
    assert again(0)  # of the old
    assert not again(2 * MOST)
    assert not again(1)  # the old are gone
