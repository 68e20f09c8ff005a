from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nautilus_trader
import pytest
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.model.enums import OrderStatus, TriggerType
from world import BTC, BUY, SELL, Script, World, bracket

from riskguard.adapters.nautilus import TESTED, GuardedStrategy, guard_engine
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.testing import ScriptedGuard


@pytest.fixture
def desk() -> ScriptedGuard:
    return ScriptedGuard()


@pytest.fixture
def world(desk: ScriptedGuard) -> Iterator[World]:
    one = World(desk)
    yield one
    one.close()


def test_the_version_is_the_one_the_adapter_names() -> None:
    assert nautilus_trader.__version__ == TESTED


def test_a_closed_bar_reaches_the_guard_before_the_strategy_acts_on_it(
    world: World, desk: ScriptedGuard
) -> None:
    seen: list[Any] = []
    world.bar(80_000, lambda _: seen.append([event.kind for event in desk.events]))
    assert "bar" in seen[0]
    bar = next(one for one in desk.events if one.kind == "bar")
    assert (bar.ts, bar.symbol, bar.data["close"]) == (world.now, "BTC/USDT:USDT", 80_000.0)


def test_active_lets_an_order_fill_as_it_was_asked(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 2))
    assert world.position == 2
    assert desk.intents[-1].position == 0


def test_reducing_denies_an_entry_and_says_why(world: World, desk: ScriptedGuard) -> None:
    desk.state(State.REDUCING)
    world.bar(80_000, lambda one: one.market(BUY, 2))
    assert world.position == 0
    assert "reduce_only" in world.script.denied[0]


def test_averaging_down_adds_nothing_while_reducing(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 2))
    desk.state(State.REDUCING)
    for price in (79_000, 78_000, 77_000):
        world.bar(price, lambda one: one.market(BUY, 1))
    assert world.position == 2
    assert len(world.script.denied) == 3


def test_an_entry_above_the_ceiling_is_cut_and_its_strategy_sees_the_size(
    world: World, desk: ScriptedGuard
) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 1))
    desk.state(State.CAUTION, exposure_cap=0.5)
    world.bar(80_000)
    assert world.position == pytest.approx(0.5)  # the guard's own reduction
    desk.state()
    world.bar(80_000, lambda one: one.market(SELL, 0.5))
    desk.state(State.CAUTION, exposure_cap=0.5)
    orders: list[Any] = []
    world.bar(80_000, lambda one: orders.append(one.market(BUY, 4)))
    assert world.position == pytest.approx(2.0)
    assert float(orders[0].quantity) == pytest.approx(2.0)
    assert orders[0].is_closed


def test_an_oversized_exit_closes_and_does_not_flip(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 3))
    desk.state(State.REDUCING)
    world.bar(79_000, lambda one: one.market(SELL, 9))
    assert world.position == 0
    assert world.script.fills == [("buy", 3.0), ("sell", 3.0)]


def test_two_exits_on_one_bar_do_not_flip(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 3))
    desk.state(State.REDUCING)
    world.bar(79_000, lambda one: (one.market(SELL, 2), one.market(SELL, 2)))
    assert world.position == 0


def test_an_exit_passes_while_halted(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 3))
    world.watch.duties.go_on = lambda *_: None  # not by the guard's own order
    desk.state(State.HALTED)
    world.bar(79_000, lambda one: one.close_all_positions(BTC.id))
    assert world.position == 0


def test_a_broken_guard_lets_exits_pass_and_nothing_in(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 3))
    desk.boom = True
    world.bar(79_000, lambda one: one.market(BUY, 1))
    assert world.position == 3
    assert "broken" in world.script.denied[0]
    world.bar(79_000, lambda one: one.market(SELL, 3))
    assert world.position == 0
    desk.boom = False
    world.bar(79_000, lambda one: one.market(BUY, 1))
    assert world.position == 1


def test_a_bypassed_risk_engine_is_refused(desk: ScriptedGuard) -> None:
    with pytest.raises(AdapterError, match="bypassed"):
        World(desk, bypass=True)


def test_an_unknown_stamp_is_refused(desk: ScriptedGuard, world: World) -> None:
    with pytest.raises(AdapterError, match="write 'close' or 'open'"):
        guard_engine(world.engine, desk, stamp="middle")


# ---------------------------------------------------------------- lists and changes


def test_a_bracket_is_denied_whole(world: World, desk: ScriptedGuard) -> None:
    desk.state(State.REDUCING)
    world.bar(80_000, lambda one: bracket(one, 1))
    assert world.position == 0
    assert world.resting == []
    assert len(world.script.denied) == 3


def test_the_children_of_a_cut_bracket_are_cut_too(world: World, desk: ScriptedGuard) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 4))
    world.bar(80_000, lambda one: one.market(SELL, 4))
    desk.state(State.CAUTION, exposure_cap=0.5)
    world.bar(80_000, lambda one: one.limit(BUY, 2, 70_000))  # base 2: half of it rests
    world.bar(80_000, lambda one: one.cancel_all_orders(BTC.id))
    world.bar(80_000, lambda one: bracket(one, 3))
    assert world.position == pytest.approx(1.0)
    assert sorted(float(one.quantity) for one in world.resting) == pytest.approx([1.0, 1.0])
    world.bar(76_500)
    world.bar(75_000)  # the stop
    assert world.position == 0
    assert world.resting == []


def test_an_exit_in_a_list_of_unrelated_orders_passes_alone(
    world: World, desk: ScriptedGuard
) -> None:
    world.bar(80_000, lambda one: one.market(BUY, 2))
    desk.state(State.REDUCING)

    def pair(script: Any) -> None:
        make = script.order_factory
        orders = [
            make.market(BTC.id, BUY, BTC.make_qty(1)),
            make.market(BTC.id, SELL, BTC.make_qty(2)),
        ]
        script.submit_order_list(make.create_list(orders))

    world.bar(79_000, pair)
    assert world.position == 0
    assert len(world.script.denied) == 1


def test_a_resting_order_is_not_made_larger_beyond_the_ceiling(
    world: World, desk: ScriptedGuard
) -> None:
    desk.state(State.CAUTION, exposure_cap=0.5)
    orders: list[Any] = []
    world.bar(80_000, lambda one: orders.append(one.limit(BUY, 2, 70_000)))
    assert float(orders[0].quantity) == 1.0
    world.bar(80_000, lambda one: one.modify_order(orders[0], quantity=BTC.make_qty(5)))
    assert float(orders[0].quantity) == 1.0
    world.bar(80_000, lambda one: one.modify_order(orders[0], quantity=BTC.make_qty(0.5)))
    assert float(orders[0].quantity) == 0.5


def test_a_change_is_refused_while_entries_are(world: World, desk: ScriptedGuard) -> None:
    orders: list[Any] = []
    world.bar(80_000, lambda one: orders.append(one.limit(BUY, 1, 70_000)))
    desk.state(State.REDUCING)

    def higher(script: Any) -> None:
        script.modify_order(orders[0], price=BTC.make_price(79_999))

    world.watch.duties.go_on = lambda *_: None  # leave it resting
    world.bar(80_000, higher)
    assert float(orders[0].price) == 70_000.0
    assert len(world.script.refused) == 1


def test_an_emulated_entry_is_judged_when_it_is_released(world: World, desk: ScriptedGuard) -> None:
    def stop(script: Any) -> None:
        make = script.order_factory
        script.submit_order(
            make.stop_market(
                BTC.id, BUY, BTC.make_qty(1), BTC.make_price(81_000),
                emulation_trigger=TriggerType.LAST_PRICE,
            )
        )  # fmt: skip

    world.bar(80_000, stop)
    assert len(world.engine.cache.orders_emulated()) == 1
    world.watch.duties.go_on = lambda *_: None  # leave it there
    desk.state(State.REDUCING)
    world.tick(81_500)
    assert world.position == 0
    assert len(world.script.denied) == 1


# ---------------------------------------------------------------- exits behind cancels


def test_an_exit_goes_out_once_the_exit_that_rests_is_cancelled(world: World, desk: Any) -> None:
    orders: list[Any] = []
    world.bar(80_000, lambda one: one.market(BUY, 2))
    world.bar(80_000, lambda one: orders.append(one.limit(SELL, 2, 84_000)))
    world.watch.duties.go_on = lambda *_: None  # only what the strategy asks
    desk.state(State.REDUCING)
    world.bar(80_000, lambda one: orders.append(one.market(SELL, 2)))
    assert [one.status for one in orders] == [OrderStatus.CANCELED, OrderStatus.FILLED]
    assert orders[0].ts_closed <= orders[1].ts_submitted
    world.bar(85_000)
    assert world.position == 0


@pytest.fixture
def slow(desk: Any) -> Iterator[World]:
    """A venue that takes two minutes to cancel."""
    minutes = 2 * 60_000_000_000
    one = World(desk, venue={"latency_model": LatencyModel(0, 0, 0, minutes)})
    one.bar(80_000, lambda script: script.market(BUY, 2))
    one.bar(80_000, lambda script: script.limit(SELL, 2, 84_000))
    one.tick(80_000)
    one.watch.duties.go_on = lambda *_: None
    desk.state(State.REDUCING)
    yield one
    one.close()


def test_an_exit_waits_no_longer_than_five_seconds_for_a_cancel(slow: World) -> None:
    slow.tick(80_000, lambda one: one.market(SELL, 2))
    assert slow.position == 2
    assert len(slow.watch.gate.parked) == 1
    slow.bar(80_000)
    assert slow.position == 0
    assert slow.watch.gate.parked == {}


def test_an_exit_that_waits_counts_as_sent(slow: World) -> None:
    slow.tick(80_000, lambda one: (one.market(SELL, 2), one.market(SELL, 2)))
    assert len(slow.script.denied) == 1
    slow.bar(80_000)
    assert slow.position == 0


def test_an_exit_that_waits_can_be_taken_back(slow: World) -> None:
    orders: list[Any] = []
    slow.tick(80_000, lambda one: orders.append(one.market(SELL, 2)))
    slow.tick(80_000, lambda one: one.cancel_order(orders[0]))
    slow.bar(80_000)
    assert slow.position == 2
    assert "taken back" in slow.script.denied[0]


# ---------------------------------------------------------------- a strategy that judges itself


class Obedient(Script, GuardedStrategy):
    """The script, judged by itself."""


@pytest.fixture
def alone(desk: Any) -> Iterator[World]:
    script = Obedient()
    one = World(desk, strategy=script, install=False)
    script.obey(one.watch)
    yield one
    one.close()


def test_its_exit_waits_for_the_exit_that_rests(alone: World, desk: Any) -> None:
    orders: list[Any] = []
    alone.bar(80_000, lambda one: one.market(BUY, 2))
    alone.bar(80_000, lambda one: orders.append(one.limit(SELL, 2, 84_000)))
    alone.watch.duties.go_on = lambda *_: None
    desk.state(State.REDUCING)
    alone.bar(80_000, lambda one: orders.append(one.market(SELL, 2)))
    assert [one.status for one in orders] == [OrderStatus.CANCELED, OrderStatus.FILLED]
    alone.bar(85_000)
    assert alone.position == 0


def test_its_changes_are_judged(alone: World, desk: Any) -> None:
    orders: list[Any] = []
    alone.bar(80_000, lambda one: orders.append(one.limit(BUY, 1, 70_000)))
    alone.watch.duties.go_on = lambda *_: None
    desk.state(State.REDUCING)
    alone.bar(80_000, lambda one: one.modify_order(orders[0], quantity=BTC.make_qty(3)))
    assert float(orders[0].quantity) == 1.0
    assert len(alone.script.refused) == 1


def test_it_closes_all_positions_in_every_state(alone: World, desk: Any) -> None:
    alone.bar(80_000, lambda one: one.market(BUY, 2))
    alone.watch.duties.go_on = lambda *_: None
    desk.state(State.HALTED)
    alone.bar(80_000, lambda one: one.close_all_positions(BTC.id))
    assert alone.position == 0


def test_it_enters_nothing_while_it_obeys_nobody(desk: Any) -> None:
    one = World(desk, strategy=Obedient(), install=False)
    one.bar(80_000, lambda script: script.market(BUY, 2))
    assert one.position == 0
    one.close()


def test_it_is_judged_once_where_the_engines_are_guarded_too(desk: Any) -> None:
    script = Obedient()
    one = World(desk, strategy=script)
    script.obey(one.watch)
    one.bar(80_000, lambda made: made.market(BUY, 2))
    assert one.position == 2
    assert len(desk.intents) == 1
    one.close()
