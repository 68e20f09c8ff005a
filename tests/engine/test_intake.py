"""Events in any order become the samples a backtest would see; what cannot be is refused."""

from __future__ import annotations

import json
import random

import pytest

from riskguard import Guard, Intent, Sample, State, StateError
from riskguard.engine.events import Event, nanoseconds
from riskguard.engine.intake import Intake
from riskguard.language.reader import read_text
from riskguard.market import HOUR, SECOND, coin
from tests.counts import counts

START = 1_767_225_600_000_000_000
RULES = """\
version: 1
symbol: BTC
symbols: [ETH]
every: 1h
rules:
  flush:
    when:
      all:
        - oi.change(3h) <= -2%
        - liq.long.sum(4h) >= $20M
        - ETH.close.drop(2h) >= 1%
    clear: oi.change(3h) >= 0%
    do: {exposure_cap: 50%}
  pace:
    when: liq.long.times_avg(6h) >= 2x
    clear: liq.long.times_avg(6h) <= 1x
    do: {block_entries: both}
  range:
    when: close.low(2h) < close.high(4h) - 4%
    clear: close.low(2h) > close.high(4h) - 3%
    do: {leverage_cap: 2x}
"""


def guard(text: str = RULES, **sources: str) -> Guard:
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    return Guard(ruleset, sources=sources)


def intake(text: str = RULES, **options: int) -> Intake:
    return Intake(guard(text), **options)


def at(hour: float) -> int:
    return START + round(hour * 3600) * SECOND


def bar(hour: int, close: float, symbol: str = "BTC/USDT:USDT", **more: float) -> Event:
    return Event(at(hour), "bar", symbol, {"close": close, "interval_ns": HOUR, **more})


def liquidation(ts: int, dollars: float, side: str = "long", **more: str) -> Event:
    data = {"liquidated_side": side, "notional_usd": dollars}
    return Event(ts, "liquidation", "BTC/USDT:USDT", data, **more)


def alive(ts: int, series: str = "liq.long") -> Event:
    return Event(ts, "alive", "BTC", {"series": series})


def clock(ts: int) -> Event:
    return Event(ts, "clock", "*")


# ---------------------------------------------------------------- live equals backtest


def market(dice: random.Random, hours: int) -> tuple[list[Sample], list[tuple[int, Event]]]:
    """Draw a market twice: as a backtest sees it, and as events with the times they arrive at."""
    samples, events = [], [(at(0), alive(at(0)))]
    price, other, oi = 100.0, 50.0, 1e6
    for hour in range(1, hours + 1):
        ts = at(hour)
        price = round(price * dice.uniform(0.97, 1.03), 2)
        other = round(other * dice.uniform(0.98, 1.02), 2)
        oi = round(oi * dice.uniform(0.98, 1.02), 3)
        parts = [
            (dice.randrange(ts - HOUR + 1, ts + 1), round(dice.expovariate(1e-6), 2))
            for _ in range(dice.choice([0, 0, 3, 12]))
        ]
        total = sum(round(dollars * 100) for _, dollars in parts) / 100
        high, low = price * dice.uniform(1, 1.03), price * dice.uniform(0.97, 1)
        samples += [
            Sample(ts, "ETH", {"close": other}),
            Sample(ts, "BTC", {"oi": oi}),
            Sample(ts, "BTC", {"liq.long": total, "close": price, "high": high, "low": low}),
        ]
        told = [
            bar(hour, price, high=high, low=low),
            bar(hour, other, "ETH/USDT:USDT"),
            Event(ts, "open_interest", "BTC/USDT:USDT", {"coins": oi}),
            alive(ts),
        ]
        told += [
            liquidation(when, dollars, id=f"{hour}.{i}") for i, (when, dollars) in enumerate(parts)
        ]
        # each arrives up to two seconds after it happened
        events += [(one.ts + dice.randrange(2 * SECOND), one) for one in told]
    events += [(ts, clock(ts)) for ts in range(at(0), at(hours) + 5 * SECOND, 300 * SECOND)]
    events += [
        (at(hour) + s * SECOND, clock(at(hour) + s * SECOND))
        for hour in range(1, hours + 1)
        for s in (1, 2, 3)
    ]
    return samples, sorted(events, key=lambda one: (one[0], one[1].kind != "clock"))


def dumped_and_loaded(live: Intake) -> Intake:
    made = guard()
    made.load(live.guard.dump())
    again = Intake(made)
    again.load(json.loads(json.dumps(live.dump(), allow_nan=False)))
    return again


def decided(decision) -> tuple[object, ...]:
    return decision.ts, decision.state, decision.active, decision.exposure_cap, decision.reasons


@counts(60, 20_000)
def test_live_events_decide_as_the_backtest_does(count: int, measured) -> None:
    dice, compared, states = random.Random(20261126), 0, set()
    for _ in range(count):
        samples, events = market(dice, 24)
        if dice.random() < 0.5:  # a reconnect replays what came before
            again = dice.randrange(len(events))
            events[again:again] = [
                one for one in events[max(0, again - 50) : again] if one[1].kind != "clock"
            ]
        by_samples, live = guard(), intake()
        cut = dice.randrange(len(events))
        wanted = {}
        for sample in samples:
            decision = by_samples.update(sample)
            wanted[by_samples.as_of] = decided(decision)
        found = {}
        for number, (_, event) in enumerate(events):
            if number == cut:
                live = dumped_and_loaded(live)
            decision = live.take(event)
            found.setdefault(live.guard.as_of, decided(decision))
        for hour in range(8, 25):
            ts = at(hour)
            assert found[ts] == wanted[ts]
            states.add(found[ts][1])
            compared += 1
    measured(f"{count:,} markets as events out of order: {compared:,} decisions as by samples")
    assert len(states) > 2


# ---------------------------------------------------------------- what is told


def test_a_jump_by_a_factor_of_units_is_refused_until_the_price_moves_too() -> None:
    live = intake()
    live.take(bar(1, 90_000.0))
    poll = [
        Event(at(1) + s, "open_interest", "BTC", {"coins": v}) for s, v in enumerate([5e4, 5e7])
    ]
    for event in poll:
        live.take(event)
    assert list(live.refused) == ["open_interest: unit_step: oi jumps by a factor of units"]


def test_a_jump_that_the_price_makes_too_or_that_begins_at_nothing_is_taken() -> None:
    live = intake()
    live.take(bar(1, 90_000.0))
    for hour, (coins, price) in enumerate([(0.0, 9e4), (5e4, 9e4), (5e7, 90.0), (0.0, 90.0)], 2):
        live.take(bar(hour, price))
        live.take(Event(at(hour) + SECOND, "open_interest", "BTC", {"coins": coins}))
    assert live.refused == {}


def test_two_sources_are_never_one_series() -> None:
    live = Intake(guard(RULES, **{"liq.long": "bybit"}))
    live.take(liquidation(at(1), 5.0, source="binance"))
    assert list(live.refused) == ["liquidation: liq.long comes from bybit"]


def test_a_feed_that_says_nothing_is_silent_and_one_that_is_alive_says_zero() -> None:
    text = """\
version: 1
symbol: BTC
every: 1h
rules:
  calm: {when: liq.long <= $1, clear: liq.long > $1, do: {leverage_cap: 2x}}
"""
    live = intake(text)
    live.take(alive(at(0)))
    live.take(bar(1, 90.0))
    live.take(clock(at(1) + 3 * SECOND))  # silent since midnight: not zero
    assert live.guard.update(Sample(at(1) + 4 * SECOND, "*", {})).active == ()
    for hour in (2, 3):
        live.take(alive(at(hour)))
        live.take(bar(hour, 90.0))
    decision = live.take(clock(at(3) + 3 * SECOND))
    assert (decision.active, decision.state) == (("calm",), State.CAUTION)


def test_trades_and_transfers_reach_the_account_rules() -> None:
    text = """\
version: 1
symbol: BTC
every: 1h
rules:
  streak: {when: loss_streak >= 2, clear: loss_streak < 1, do: {block_entries: both}}
  fall: {when: equity.drop(2h) >= 10%, clear: equity.drop(2h) < 5%, do: {exposure_cap: 0%}}
"""
    live = intake(text)

    def hour(number: int, **account: float) -> tuple[str, ...]:
        live.take(Event(at(number) - SECOND, "account", "BTC", {"equity": 1000.0, **account}))
        live.take(bar(number, 90.0))
        return live.take(clock(at(number) + 3 * SECOND)).active

    assert hour(1) == ()
    # half is withdrawn: no loss
    assert hour(2, equity=500.0, transfers=-500.0) == ()
    for minute in (10, 20):
        live.take(Event(at(2) + minute * SECOND, "trade_closed", "BTC", {"pnl": -5.0}))
    assert hour(3, equity=490.0) == ("streak",)
    assert hour(4, equity=400.0) == ("fall", "streak")
    live.take(Event(at(4) + SECOND, "trade_closed", "BTC", {"pnl": 5.0, "by_stop": True}))
    assert hour(5, equity=405.0) == ("fall",)


def test_equity_reaches_a_cap_of_leverage_though_no_line_reads_it() -> None:
    few = "few: {when: close < 101, do: {leverage_cap: 2x}}"
    live = intake(f"version: 1\nsymbol: BTC\nevery: 1h\nrules: {{{few}}}\n")
    live.take(Event(at(2) - 1, "account", "BTC", {"equity": 1_000.0}))
    for event in (bar(1, 100.0), bar(2, 100.0), bar(3, 100.0), clock(at(3.1))):
        live.take(event)
    asked = Intent(at(3.1), "BTC/USDT:USDT", "buy", 50.0, 0.0, price=100.0)
    assert live.guard.decide(asked).quantity == 20.0


def test_bars_shorter_than_the_interval_make_one_bar() -> None:
    text = """\
version: 1
symbol: BTC
every: 1h
rules:
  range: {when: high - low >= 10, clear: high - low < 5, do: {leverage_cap: 2x}}
  busy: {when: volume >= 60, clear: volume < 50, do: {leverage_cap: 3x}}
"""
    live = intake(text)
    for minute in range(1, 61):
        ts = at(0) + minute * 60 * SECOND
        prices = {"high": 100.0 + minute / 10, "low": 99.0 - minute / 10, "close": 100.0}
        live.take(Event(ts, "bar", "BTC", {"volume": 1.0, "interval_ns": 60 * SECOND, **prices}))
    assert live.take(clock(at(1) + 3 * SECOND)).active == ("busy", "range")


def test_under_evaluate_event_prices_decide_between_closes() -> None:
    text = """\
version: 1
symbol: BTC
every: 1h
evaluate: event
rules:
  fall: {when: close < 90, clear: close > 95, do: {exposure_cap: 0%}}
"""
    live = intake(text)
    live.take(bar(1, 89.0))
    assert live.take(clock(at(1) + SECOND)).state is State.HALTED
    live.take(bar(2, 100.0))
    assert live.take(clock(at(2) + SECOND)).state is State.ACTIVE
    live.take(Event(at(2.5), "trade", "BTC", {"price": 89.0}))
    assert live.take(clock(at(2.5) + SECOND)).state is State.HALTED
    live.take(Event(at(2.6), "trade", "BTC", {"price": 89.0}))
    live.take(Event(at(2.6) + 1, "mark", "BTC", {"price": 96.0}))
    assert live.take(clock(at(2.6) + SECOND)).state is State.ACTIVE
    assert live.refused == {}


def test_ids_and_contents_are_known_again() -> None:
    live = intake()
    live.take(alive(at(0)))
    for one in (
        liquidation(at(0.5), 5.0, id="a"),
        liquidation(at(0.5), 5.0, id="a"),
        liquidation(at(0.5), 5.0, id="b"),
        liquidation(at(0.5), 6.0),
        liquidation(at(0.5), 6.0),
    ):
        live.take(one)
    assert live.refused == {"liquidation: told before": 2}
    ((series, held),) = live.buckets.told[at(1)].items()
    assert (series.name, held) == ("liq.long", 1600)


def test_a_flow_that_is_late_is_added_to_its_own_bucket_and_decides_nothing_again() -> None:
    early, late = intake(), intake()
    parts = [liquidation(at(0.5), 30e6, id="a"), liquidation(at(0.7), 12e6, id="b")]

    def hours(live: Intake, told: list[Event], after: list[Event]) -> None:
        live.take(alive(at(0)))
        for hour in range(1, 9):
            for one in told if hour == 1 else ():
                live.take(one)
            live.take(alive(at(hour)))
            live.take(bar(hour, 90.0))
            live.take(clock(at(hour) + 3 * SECOND))
            for one in after if hour == 1 else ():
                live.take(one)

    hours(early, parts, [])
    hours(late, parts[:1], parts[1:])
    assert late.refused == {}
    values = [live.guard.stream.values for live in (early, late)]
    assert repr(values[0]) == repr(values[1])
    assert late.guard.stream.tapes[1].values == early.guard.stream.tapes[1].values


def test_however_often_a_level_is_told_one_of_a_bucket_is_kept() -> None:
    live = intake()
    for second in range(3 * 3600):
        ts = at(0) + (second + 1) * SECOND
        live.take(Event(ts, "open_interest", "BTC", {"coins": 1e6 + second}))
        if (second + 1) % 3600 == 0:
            live.take(bar((second + 1) // 3600, 90.0))
            live.take(clock(ts + 3 * SECOND))
    held = {
        spec.name: len(tape.times)
        for spec, tape in zip(live.guard.plan.tapes, live.guard.stream.tapes, strict=True)
    }
    assert held["oi"] <= 4


HOSTILE = [None, [], {}, {"symbol": 1}, {"times": []}]


@pytest.mark.parametrize("body", HOSTILE, ids=repr)
def test_what_is_no_dump_changes_nothing(body) -> None:
    live = intake()
    live.take(liquidation(at(0.5), 5.0))
    before = json.dumps(live.dump())
    with pytest.raises(StateError):
        live.load(body)
    broken = live.dump()
    broken["buckets"]["told"][0][2] = float("nan")
    with pytest.raises(StateError):
        live.load(broken)
    assert json.dumps(live.dump()) == before


def test_a_silence_before_the_first_bucket_opens_none() -> None:
    live = intake()
    live.take(alive(at(0)))
    live.gap()  # a restart before the first close
    live.take(clock(at(1) + 3 * SECOND))  # it had opened every bucket since the beginning of time
    assert live.buckets.told == {}
    live.take(alive(at(1) + 4 * SECOND))
    live.take(alive(at(2)))
    live.take(bar(2, 90.0))
    live.take(clock(at(2) + 3 * SECOND))
    assert live.guard.as_of == at(2)


def test_an_operator_speaks_through_events() -> None:
    live = intake()
    live.take(bar(1, 90.0))
    said = live.take(Event(at(1) + 1, "operator", "*", {"do": "halt", "by": "ann", "note": "odd"}))
    assert (said.state, said.latched) == (State.HALTED, True)
    assert "ann odd" in said.reasons[0].leaf
    said = live.take(Event(at(1) + 2, "operator", "*", {"do": "resume", "by": "ann"}))
    assert said.state is not State.HALTED


def test_stamps_are_known_by_their_size() -> None:
    for digits in (1, 10**3, 10**6, 10**9):
        assert nanoseconds(1_770_300_000 * digits) == (1_770_300_000 * 10**9, 10**9 // digits)
    assert [coin(name) for name in ("BTC", "BTC/USDT:USDT", "BTC-USDT")] == ["BTC"] * 3


def test_another_unit_of_time_is_taken_once_the_old_one_is_heard_no_more() -> None:
    live = intake()
    for hour in range(1, 8):
        ms = hour == 1 or hour in (3, 4)
        data = {"close": 90.0, "interval_ns": HOUR}
        live.take(Event(at(hour) // (10**6 if ms else 1), "bar", "BTC", data, source="x"))
        live.take(clock(at(hour) + 3 * SECOND))
    # 2 in another unit, 3 and 4 in the old one again, 5 in the other, 6 and 7 alone in it
    assert live.refused == {"bar: time stamp in another unit than before": 2}
    specs, tapes = live.guard.plan.tapes, live.guard.stream.tapes
    named = {(one.symbol, one.name): tape for one, tape in zip(specs, tapes, strict=True)}
    assert [stamp for stamp in named["", "close"].times if stamp >= at(1)] == [
        at(h) for h in (1, 3, 4, 6, 7)
    ]
