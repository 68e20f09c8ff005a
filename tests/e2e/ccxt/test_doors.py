"""Every way in which ccxt takes an order, judged; on real ccxt, answered at the wire."""

from __future__ import annotations

import inspect
import re
from typing import Any

import ccxt
import ccxt.pro
import pytest

from riskguard.adapters import ccxt as adapter
from riskguard.adapters.ccxt import RiskDenied, guard_exchange
from riskguard.adapters.ccxt.orders import GATED
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.market import MINUTE
from tests.adapters.paper import Working
from tests.e2e.ccxt.scene import SYMBOL, Scene

# public methods that send orders and are not among those that ccxt writes in terms of others
ELSEWHERE = {
    "create_rfq_order",  # of backpack: asks for a quote, and opens nothing by itself
}


def test_a_denied_order_is_an_invalid_order_of_ccxt_with_its_reasons() -> None:
    scene = Scene()
    scene.guard.state(State.REDUCING)
    with pytest.raises(
        ccxt.InvalidOrder, match=r"buy 1 BTC/USDT:USDT: reduce_only True <- test"
    ) as told:
        scene.exchange.create_market_buy_order(SYMBOL, 1)
    assert type(told.value) is RiskDenied is adapter.RiskDenied
    assert told.value.verdict.answer == "deny"
    assert scene.guarded.denials == [str(told.value)]


WAYS: dict[str, tuple[Any, ...]] = {
    "create_order": (SYMBOL, "market", "buy", 1),
    "createOrder": (SYMBOL, "limit", "buy", 1, 95),
    "create_limit_order": (SYMBOL, "buy", 1, 95),
    "createLimitOrder": (SYMBOL, "buy", 1, 95),
    "create_limit_buy_order": (SYMBOL, 1, 95),
    "create_market_order": (SYMBOL, "buy", 1),
    "createMarketBuyOrder": (SYMBOL, 1),
    "create_post_only_order": (SYMBOL, "limit", "buy", 1, 95),
    "create_trigger_order": (SYMBOL, "market", "buy", 1, None, 105),
    "create_stop_limit_order": (SYMBOL, "buy", 1, 95, 105),
    "create_stop_market_order": (SYMBOL, "buy", 1, 105),
    "create_stop_order": (SYMBOL, "market", "buy", 1, None, 105),
    "create_trailing_percent_order": (SYMBOL, "market", "buy", 1, None, 1),
    "create_orders": ([{"symbol": SYMBOL, "type": "market", "side": "buy", "amount": 1}],),
    "createOrders": ([{"symbol": SYMBOL, "type": "market", "side": "buy", "amount": 1}],),
    "create_twap_order": (SYMBOL, "buy", 1, 60),
    "createTwapOrder": (SYMBOL, "buy", 1, 60),
    "create_market_order_with_cost": (SYMBOL, "buy", 100),
    "create_market_buy_order_with_cost": (SYMBOL, 100),
    "edit_order": ("7", SYMBOL, "limit", "buy", 1, 95),
    "editOrder": ("7", SYMBOL, "limit", "buy", 1, 95),
    "edit_limit_buy_order": ("7", SYMBOL, 1, 95),
    "edit_orders": (
        [{"id": "7", "symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 1, "price": 95}],
    ),
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_each_way_is_judged_and_sends_nothing_while_reducing(way) -> None:
    scene = Scene()
    scene.guard.state(State.REDUCING)
    with pytest.raises(RiskDenied):
        getattr(scene.exchange, way)(*WAYS[way])
    assert not scene.wire.sent
    assert scene.guard.intents[-1].symbol == SYMBOL


def test_arguments_by_name_are_read_as_those_by_place() -> None:
    scene = Scene()
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    scene.exchange.create_order(side="buy", symbol=SYMBOL, amount=4, type="limit", price=95)
    assert [(one["quantity"], one["price"]) for one in scene.wire.sent] == [("2", "95")]


@pytest.mark.parametrize("room", [ccxt, ccxt.pro])
def test_no_exchange_of_ccxt_has_a_way_of_its_own_that_is_not_known(room) -> None:
    ends = re.compile(r"self\.(create|edit)_?\w*orders?(_?ws)?\(", re.IGNORECASE)
    loose = set()
    for name in ccxt.exchanges:
        kind = getattr(room, name, None)
        for way in dir(kind) if kind else ():
            if re.fullmatch(r"(create|edit)_.*orders?(_ws|_with_cost|_with_cost_ws)?", way):
                body = inspect.getsource(getattr(kind, way)).split('"""')[-1]
                if not ends.search(body):
                    loose.add(way)
    assert {"create_order", "create_orders", "edit_order"} <= loose
    assert loose - set(GATED) - ELSEWHERE == set()


def test_while_nothing_limits_an_order_costs_no_further_request() -> None:
    scene = Scene()
    for _ in range(5):
        scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    assert (scene.position, scene.reads()) == (5.0, 0)
    assert len(scene.guard.intents) == 5


def test_while_something_limits_an_order_costs_three_unless_they_were_read_a_moment_ago() -> None:
    scene = Scene(4.0)
    scene.guard.state(State.REDUCING)
    for _ in range(3):
        with pytest.raises(RiskDenied):
            scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    assert scene.reads() == 3
    scene.exchange.create_order(SYMBOL, "market", "sell", 1)
    assert scene.reads() == 3
    with pytest.raises(RiskDenied):  # what was sent has changed what is held
        scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    assert scene.reads() == 6
    scene.venue.time += MINUTE
    with pytest.raises(RiskDenied):
        scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    assert scene.reads() == 9


def test_an_exit_goes_out_as_reduce_only_and_no_larger_than_the_position() -> None:
    scene = Scene(1.0)
    scene.guard.state(State.REDUCING)
    scene.exchange.create_order(SYMBOL, "market", "sell", 3)
    assert (scene.wire.sent[-1]["quantity"], scene.wire.sent[-1]["reduceOnly"]) == ("1", "true")
    assert scene.position == 0.0


def test_what_is_in_the_way_of_an_exit_is_cancelled_first() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "sell", 2.0, 105.0))
    scene.guard.state(State.REDUCING)
    scene.exchange.create_order(SYMBOL, "market", "sell", 2)
    assert scene.wire.seen["DELETE order"] == 1
    assert (scene.position, scene.venue.orders) == (0.0, {})


def test_an_entry_that_waits_for_its_trigger_is_cancelled_though_it_is_listed_apart() -> None:
    scene = Scene(2.0)
    scene.exchange.create_trigger_order(SYMBOL, "market", "buy", 1, None, 105)
    scene.exchange.create_stop_loss_order(
        SYMBOL, "market", "sell", 2, None, 90, {"reduceOnly": True}
    )
    assert [one.stop for one in scene.venue.orders.values()] == [True, True]
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    found = scene.guarded.step()[SYMBOL]
    assert (found.cancelled, found.settled) == (["1"], True)
    assert [one.side for one in scene.venue.orders.values()] == ["sell"]
    scene.venue.quote(106.0)
    assert scene.position == 1.0


def test_an_exchange_is_guarded_once() -> None:
    scene = Scene()
    assert scene.exchange.riskguard is scene.guarded
    with pytest.raises(AdapterError, match="is guarded already"):
        guard_exchange(scene.exchange, scene.guard)


def test_of_a_batch_the_exits_go_and_the_entries_come_back_rejected() -> None:
    scene = Scene(1.0)
    scene.guard.state(State.REDUCING)
    orders = [
        {"symbol": SYMBOL, "type": "market", "side": side, "amount": 1.0}
        for side in ("buy", "sell", "sell")
    ]
    told = scene.exchange.create_orders(orders)
    assert [one["status"] for one in told] == ["rejected", "open", "rejected"]
    assert "reduce_only" in told[0]["info"]["riskguard"]
    assert [one["side"] for one in scene.wire.sent] == ["SELL"]
    assert scene.position == 0.0


def test_a_resting_entry_may_not_be_made_larger_and_a_resting_exit_may_be_moved() -> None:
    scene = Scene(2.0)
    entry = scene.venue.place(Working("", "buy", 1.0, 95.0))
    leave = scene.venue.place(Working("", "sell", 2.0, 105.0))
    scene.guard.state(State.REDUCING)
    with pytest.raises(RiskDenied):
        scene.exchange.edit_order(entry, SYMBOL, "limit", "buy", 3, 96)
    scene.exchange.edit_order(leave, SYMBOL, "limit", "sell", 2, 104)
    assert [one["price"] for one in scene.wire.sent] == ["104"]


def test_an_edit_without_an_amount_is_of_what_is_left_of_the_order() -> None:
    scene = Scene(2.0)
    scene.venue.place(Working("", "buy", 1.5, 95.0))
    scene.guard.state(State.REDUCING)
    with pytest.raises(RiskDenied):
        scene.exchange.edit_order("1", SYMBOL, "limit", "buy", None, 96)
    assert scene.guard.intents[-1].quantity == 1.5


@pytest.mark.parametrize("state", [State.CAUTION, State.REDUCING])
def test_leverage_above_the_cap_is_denied(state) -> None:
    scene = Scene()
    scene.exchange.set_leverage(10, SYMBOL)
    scene.guard.state(state, leverage_cap=3.0)
    with pytest.raises(RiskDenied, match="leverage 10 is above the cap of 3x"):
        scene.exchange.set_leverage(10, SYMBOL)
    scene.exchange.set_leverage(2, SYMBOL)
    assert scene.wire.seen["POST leverage"] == 2


def test_while_nothing_can_be_read_entries_are_refused_by_the_venue_and_exits_pass() -> None:
    scene = Scene(2.0)
    scene.guard.state(State.CAUTION, exposure_cap=0.5)
    scene.wire.down = True
    with pytest.raises(ccxt.InvalidOrder, match="ReduceOnly Order is rejected"):
        scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    scene.exchange.create_order(SYMBOL, "market", "sell", 1)
    assert [one["reduceOnly"] for one in scene.wire.sent] == ["true", "true"]
    assert scene.position == 1.0
    assert "cannot be read" in scene.guarded.denials[0]


def test_a_broken_guard_and_a_venue_that_cannot_be_read_let_nothing_in() -> None:
    scene = Scene()
    scene.guard.boom = True
    scene.wire.down = True
    with pytest.raises(ccxt.InvalidOrder):
        scene.exchange.create_order(SYMBOL, "market", "buy", 1)
    assert scene.position == 0.0


def test_what_is_not_known_of_an_order_lets_nothing_through() -> None:
    scene = Scene()
    for wrong in ({"more": 1}, {"symbols": SYMBOL}):
        with pytest.raises(TypeError, match="takes symbol, type, side, amount, price, params"):
            scene.exchange.create_order(SYMBOL, "market", "buy", 1, **wrong)
    with pytest.raises(TypeError, match="no more"):
        scene.exchange.create_order(SYMBOL, "market", "buy", 1, None, {}, "more")
    assert not scene.wire.sent
    with pytest.raises(RiskDenied, match="an order without an amount"):
        scene.exchange.create_order(SYMBOL, "market", "buy", None)


def test_closing_calls_of_a_venue_pass() -> None:
    assert not {"close_position", "close_all_positions", "cancel_order"} & set(GATED)
