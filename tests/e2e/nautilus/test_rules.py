"""Rule files in a backtest of Nautilus: facts, duties, memory, and what is refused at the start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.common import Environment
from nautilus_trader.model import Bar, DataType
from nautilus_trader.model.data import CustomData, FundingRateUpdate
from nautilus_trader.model.enums import OrderStatus, TradingState
from nautilus_trader.model.identifiers import ClientId
from stood_in import STANDS_IN, passing, stood_in
from world import BTC, BUY, EPOCH, ETH, HOUR, SELL, Script, World, bar_type

from riskguard import Guard, RuleError, load_rules
from riskguard.adapters.nautilus import CAPABILITIES, Alive, Liquidation, OpenInterest
from riskguard.adapters.shared.desk import Offline
from riskguard.adapters.shared.starting import Bot
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard

LADDER = """\
version: 1
name: ladder
symbol: BTC
every: 1h
rules:
  half: {when: close < 75_000, clear: close > 79_000, do: {exposure_cap: 50%}}
  none: {when: close < 70_000, clear: close > 79_000, do: {exposure_cap: 0%}}
"""
FORCED = """\
version: 1
name: forced selling
symbol: BTC
every: 1h
rules:
  forced: {when: liq.long.sum(2h) >= $20M, clear: liq.long.sum(2h) <= $1M, do: {reduce_only: true}}
  flush: {when: oi.change(2h) <= -10%, clear: oi.change(2h) >= -1%, do: {exposure_cap: 25%}}
  dear: {when: funding >= 5bp, clear: funding <= 1bp, do: {block_entries: long}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(LADDER)
    return path


def client(data: Any) -> tuple[list[Any], ClientId]:
    return [CustomData(DataType(type(data)), data)], ClientId("RISKDATA")


@pytest.fixture
def forced(tmp_path: Path) -> Iterator[World]:
    path = tmp_path / "forced.yaml"
    path.write_text(FORCED)
    one = World(path, data="RISKDATA", funding=True, sources={"liq.long": "bybit"})
    yield one
    one.close()


def test_a_ladder_reduces_flattens_and_lets_in_again(rules: Path) -> None:
    world = World(rules)
    held = []
    for price in (80_000, 76_000, 74_000, 73_000, 69_000, 71_000, 79_500):
        first = price == 80_000
        world.bar(price, *([lambda one: one.market(BUY, 4)] if first else []))
        held.append(world.position)
    assert held == [4, 4, 2, 2, 0, 0, 0]
    world.bar(80_000, lambda one: one.market(BUY, 4))
    assert world.position == 4
    world.close()


def test_a_strategy_that_buys_back_is_held_to_the_ceiling(rules: Path) -> None:
    world = World(rules)
    world.bar(80_000, lambda one: one.market(BUY, 4))
    for price in (74_000, 73_000, 72_000):
        world.bar(price, lambda one: one.market(BUY, 2))
    assert world.position == 2
    world.close()


def test_a_resting_entry_is_gone_before_its_price_comes(rules: Path) -> None:
    world = World(rules)
    world.bar(80_000, lambda one: one.market(BUY, 2), lambda one: one.limit(BUY, 2, 72_000))
    world.bar(74_000)
    assert world.resting == []
    world.bar(71_000, low=70_500)
    assert world.position == 1
    world.close()


def hour(world: World, *data: Any, rate: float = 0.0, coins: float = 100_000.0) -> None:
    """Let an hour pass in which every feed speaks."""
    at = world.now + HOUR // 2
    world.extra = [
        client(Alive(at, at, BTC.id, "liq.long")),
        client(OpenInterest(at, at, BTC.id, coins)),
        ([FundingRateUpdate(BTC.id, rate, at, at)], None),
        *(client(one) for one in data),
    ]
    world.bar(80_000, lambda one: one.market(BUY, 1))


@pytest.mark.parametrize(("side", "entered"), [("long", 0), ("short", 1)])
def test_liquidations_of_longs_stop_entries_and_those_of_shorts_do_not(
    forced: World, side: str, entered: int
) -> None:
    for _ in range(4):
        hour(forced)
    before = forced.position
    at = forced.now + HOUR // 2
    hour(forced, Liquidation(at, at, BTC.id, side, 25e6))
    assert forced.position - before == entered
    assert ("forced" in forced.watch.gate.desk.decision.active) is not bool(entered)


def test_open_interest_and_funding_reach_the_rules(forced: World) -> None:
    for coins in (100_000.0, 99_000.0, 80_000.0):
        hour(forced, rate=0.0008, coins=coins)
    desk = forced.watch.gate.desk
    assert {"dear", "flush"} <= set(desk.decision.active)
    assert not desk.refused


def test_a_feed_that_says_nothing_blinds_the_guard(forced: World) -> None:
    for _ in range(4):
        hour(forced)
    before = forced.position
    for _ in range(3):
        forced.bar(80_000, lambda one: one.market(BUY, 1))
    assert "blind: liq.long" in forced.script.denied[-1]
    assert forced.position <= before + 1


def test_bars_stamped_by_their_open_are_told_at_their_close() -> None:
    guard = ScriptedGuard()
    world = World(guard, stamp="open")
    prices = [BTC.make_price(80_000)] * 4
    world.engine.add_data([Bar(bar_type(), *prices, BTC.make_qty(1), EPOCH, EPOCH + HOUR)])
    world.engine.run()
    bar = next(one for one in guard.events if one.kind == "bar")
    assert bar.ts == EPOCH + HOUR
    world.close()


def test_trades_that_close_are_told_with_what_they_made() -> None:
    guard = ScriptedGuard()
    world = World(guard)
    world.bar(80_000, lambda one: one.market(BUY, 1))
    world.bar(79_000, lambda one: one.market(SELL, 1))
    closed = [one for one in guard.events if one.kind == "trade_closed"]
    assert len(closed) == 1
    assert -1100 < closed[0].data["pnl"] <= -1000
    accounts = [one for one in guard.events if one.kind == "account"]
    assert accounts[0].data["equity"] == 1_000_000
    assert max(one.data["position"] for one in accounts) == 1
    assert accounts[-1].data["position"] == 0
    world.close()


def test_an_account_that_stands_still_is_told_with_every_bar() -> None:
    guard = ScriptedGuard()
    world = World(guard)
    for _ in range(4):
        world.bar(80_000)
    told = [one.data["equity"] for one in guard.events if one.kind == "account"]
    assert told == [1_000_000] * 4
    world.close()


def test_the_position_of_all_strategies_together_is_judged_and_closed() -> None:
    guard, other = ScriptedGuard(), Script("S-2")
    world = World(guard, others=(other,))
    other.todo = [lambda one: one.market(BUY, 1)]
    world.bar(80_000, lambda one: one.market(BUY, 2))
    assert world.position == 3
    guard.state(State.CAUTION, exposure_cap=0.5)
    world.bar(79_000)
    assert world.position == 1.5
    guard.state(State.HALTED)
    world.bar(78_000)
    world.bar(78_000)  # the simulated venue cuts one of two reduce-only orders: it is sent again
    assert world.position == 0
    assert all(one.is_closed for one in world.engine.cache.positions())
    world.close()


def test_instruments_have_the_names_of_the_rules() -> None:
    guard = ScriptedGuard()
    world = World(guard)
    world.bar(80_000, lambda one: one.market(BUY, 1, ETH), lambda one: one.market(BUY, 1))
    assert {one.symbol for one in guard.intents} == {"BTC/USDT:USDT", "ETH/USDT:USDT"}
    world.close()


def test_a_name_that_is_given_goes_before_the_instruments_own() -> None:
    guard = ScriptedGuard()
    world = World(guard, symbols={"BTCUSDT-PERP.BINANCE": "XBT"})
    world.bar(80_000, lambda one: one.market(BUY, 1))
    assert {one.symbol for one in guard.intents} == {"XBT"}
    world.close()


def test_an_unguarded_instrument_passes_and_is_told_at_the_start(rules: Path) -> None:
    world = World(rules)
    world.bar(80_000)
    world.bar(69_000, lambda one: one.market(BUY, 1, ETH), lambda one: one.market(BUY, 1))
    status = {one.instrument_id: one.status for one in world.engine.cache.orders()}
    assert status == {BTC.id: OrderStatus.DENIED, ETH.id: OrderStatus.REJECTED}  # it has no price
    assert world.watch.notes == (passing("ETH/USDT:USDT"),)
    world.close()


# ---------------------------------------------------------------- memory


def test_what_was_done_is_not_done_again_after_save_and_load(rules: Path) -> None:
    ruleset = load_rules(rules)
    world = World(Offline(Guard(ruleset)))
    world.bar(80_000, lambda one: one.market(BUY, 4))
    world.bar(74_000)
    assert world.position == 2
    saved = world.watch.on_save()
    desk = Offline(Guard(ruleset))
    other = World(desk)
    other.watch.on_load(saved)
    assert desk.decision.state is State.CAUTION
    assert [one.kind for one in desk.poll("BTC/USDT:USDT")] == []
    world.close()
    other.close()


def test_an_engine_that_is_reset_lets_nothing_in(rules: Path) -> None:
    world = World(rules)
    world.bar(80_000, lambda one: one.market(BUY, 1))
    world.engine.reset()
    world.bar(80_000, lambda one: one.market(BUY, 1))
    assert world.position == 0
    assert "reset" in world.script.denied[-1]
    world.close()


def test_a_node_has_to_say_where_its_guard_remembers(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskguard.adapters.nautilus.start.BACKTEST", Environment.LIVE)
    with pytest.raises(AdapterError, match="remembers in a folder"):
        World(rules)
    world = World(rules, state=rules.parent / "state")
    world.bar(80_000)
    assert type(world.watch.gate.desk).__name__ == "Session"
    world.watch.gate.desk.close()
    world.close()


# ---------------------------------------------------------------- what is refused, and shown


def test_rules_that_need_more_than_can_be_done_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hedge.yaml"
    path.write_text(LADDER.replace("exposure_cap: 50%", "hedge: 50%"))
    with pytest.raises(RuleError, match="RG606"):
        World(path)
    with pytest.raises(AdapterError, match="'half' asks for hedge"):
        World(Offline(Guard(load_rules(path))))


def test_a_fallback_stands_in_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hedge.yaml"
    more = "hedge: 50%}, fallback: {exposure_cap: 30%}"
    path.write_text(LADDER.replace("exposure_cap: 50%}", more))
    world = World(path)
    world.bar(80_000, lambda one: one.market(BUY, 10))
    assert any("hedge 50%; exposure_cap 30% stands in" in note for note in world.watch.notes)
    world.bar(74_000)
    assert world.position == 3
    world.close()


def test_a_desk_that_is_given_tells_at_the_start_what_stands_in_too(tmp_path: Path) -> None:
    bot = Bot("BTC", HOUR, CAPABILITIES, ("close",))
    world = World(bot.offline(load_rules(stood_in(tmp_path))))
    told: list[str] = []
    world.watch.gate.tell = told.append
    world.bar(80, lambda one: one.market(BUY, 1))
    assert told[:1] == [STANDS_IN]
    assert world.watch.notes == (STANDS_IN,)
    world.close()


def test_rules_read_what_does_not_come(tmp_path: Path) -> None:
    path = tmp_path / "forced.yaml"
    path.write_text(FORCED)
    with pytest.raises(RuleError, match=r"liq\.long"):
        World(path)


def test_without_bars_there_is_no_guard(rules: Path) -> None:
    with pytest.raises(AdapterError, match="no bars drive the guard"):
        World(rules, bars=[])


def test_the_trading_state_shows_the_guard_as_far_as_it_is_safe() -> None:
    guard = ScriptedGuard()
    world = World(guard, mirror=True)
    risk = world.engine.kernel.risk_engine
    world.bar(80_000, lambda one: one.market(BUY, 2))
    assert risk.trading_state == TradingState.ACTIVE
    guard.state(State.REDUCING)
    world.bar(80_000)
    assert risk.trading_state == TradingState.REDUCING
    guard.state(State.HALTED)
    world.bar(80_000)
    assert world.position == 0
    assert risk.trading_state == TradingState.HALTED
    guard.state()
    world.bar(80_000, lambda one: one.market(BUY, 1))
    assert world.position == 1
    risk.set_trading_state(TradingState.REDUCING)  # by the operator
    world.bar(80_000)
    assert risk.trading_state == TradingState.REDUCING
    world.close()


def test_the_cost_of_a_bar_is_shown(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def took(one: World, count: int = 20_000) -> float:
        made = [BTC.make_price(80_000 + number % 50) for number in range(count)]
        size, kind = BTC.make_qty(100), bar_type()
        one.engine.add_data(
            [
                Bar(kind, price, price, price, price, size, at, at)
                for number, price in enumerate(made)
                if (at := EPOCH + number * HOUR)
            ]
        )
        began = time.process_time()
        one.engine.run()
        one.close()
        return (time.process_time() - began) / count

    guarded = took(World(rules))
    bare = took(World(ScriptedGuard(), bars=[], install=False))
    with capsys.disabled():
        print(f"\nnautilus: {bare * 1e6:.0f} us a bar bare, {guarded * 1e6:.0f} us guarded")  # noqa: T201 - a figure to read, no bound
