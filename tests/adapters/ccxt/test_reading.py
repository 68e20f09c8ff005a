"""What ccxt's own answers become; without ccxt, whose shapes these are."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from riskguard.adapters.ccxt.reading import Asked, book_of, by_cost, held, instrument, waiting
from riskguard.market import Instrument

SYMBOL = "BTC/USDT:USDT"


@pytest.mark.parametrize(
    ("mode", "market", "wanted"),
    [
        (
            4,
            {"precision": {"amount": 0.001}, "limits": {"amount": {"min": 0.01}}},
            (0.001, 0.01, 1),
        ),
        (2, {"precision": {"amount": 3}, "limits": {"amount": {"min": None}}}, (0.001, 0.0, 1)),
        (2, {"precision": {"amount": 0}}, (1.0, 0.0, 1)),
        (3, {"precision": {"amount": 5}}, (0.0, 0.0, 1)),  # significant digits
        (4, {"precision": {"amount": 1.0}, "contract": True, "contractSize": 0.01}, (1.0, 0, 0.01)),
        (4, {"precision": {}, "contract": True, "contractSize": None}, (0.0, 0.0, 1.0)),
        (4, {"precision": {"amount": 1e-8}, "contractSize": 7, "contract": False}, (1e-8, 0, 1)),
        (4, {}, (0.0, 0.0, 1.0)),
    ],
)
def test_steps_least_orders_and_contracts_of_a_market(mode, market, wanted) -> None:
    assert instrument(SimpleNamespace(precisionMode=mode), market) == Instrument(*wanted)


def position(side, contracts, symbol=SYMBOL):
    return {"symbol": symbol, "side": side, "contracts": contracts}


def test_positions_are_net_and_by_book() -> None:
    told = [position("long", 3.0), position("short", 1.0), position("long", 9.0, "ETH/USDT:USDT")]
    assert held(told, SYMBOL) == {"": 2.0, "long": 3.0, "short": 1.0}
    assert held([position(None, 0.0)], SYMBOL) == {"": 0.0, "long": 0.0, "short": 0.0}
    assert held([position("short", -2.0)], SYMBOL)[""] == -2.0


@pytest.mark.parametrize(
    "told", [position("long", None), position(None, 1.0), position("both", 1.0)]
)
def test_a_position_without_size_or_side_is_not_taken_for_none(told) -> None:
    with pytest.raises(ValueError, match="a position of BTC/USDT:USDT with"):
        held([told], SYMBOL)


def order(**more):
    told = {"id": "7", "side": "sell", "type": "limit", "price": 105.0, "amount": 2.0}
    return {**told, "remaining": 1.5, "timestamp": 1_770_000_000_000, "reduceOnly": False, **more}


def test_an_open_order_is_resting_unless_it_is_at_market() -> None:
    (one,) = waiting([order()], 100.0, hedged=False)
    assert (one.id, one.side, one.remaining, one.resting) == ("7", "sell", 1.5, True)
    assert (one.ts, one.stop, one.distance) == (1_770_000_000_000_000_000, False, 5.0)
    (one,) = waiting([order(type="market", price=None)], 100.0, hedged=False)
    assert (one.resting, one.distance) == (False, math.inf)


def test_a_trigger_is_a_stop_that_rests_and_a_profit_is_none() -> None:
    (stop,) = waiting([order(type="market", triggerPrice=90.0)], 100.0, hedged=False)
    assert (stop.resting, stop.stop, stop.distance) == (True, True, 10.0)
    (profit,) = waiting(
        [order(type="market", triggerPrice=110.0, takeProfitPrice=110.0)], 100.0, hedged=False
    )
    assert (profit.resting, profit.stop) == (True, False)


def test_what_is_left_is_reckoned_where_the_venue_does_not_tell_it() -> None:
    (one,) = waiting([order(remaining=None, filled=0.5)], None, hedged=False)
    assert (one.remaining, one.distance) == (1.5, math.inf)
    (one,) = waiting([order(remaining=None, amount=None)], None, hedged=False)
    assert math.isnan(one.remaining)


@pytest.mark.parametrize(
    ("side", "said", "reduces", "book"),
    [
        ("buy", {"positionSide": "SHORT"}, False, "short"),
        ("sell", {"posSide": "long"}, False, "long"),
        ("sell", {"positionIdx": 1}, False, "long"),
        ("buy", {"positionIdx": "2"}, False, "short"),
        ("buy", {}, False, "long"),
        ("sell", {}, True, "long"),
        ("sell", {"positionSide": "BOTH"}, False, "short"),
        ("buy", {"positionIdx": 0}, True, "short"),
    ],
)
def test_the_book_of_an_order_is_as_it_says_else_as_it_reduces(side, said, reduces, book) -> None:
    assert book_of(side, said, reduces=reduces) == book
    (one,) = waiting([order(side=side, info=said, reduceOnly=reduces)], None, hedged=True)
    assert one.book == book


@pytest.mark.parametrize(
    ("asked", "options", "money"),
    [
        (Asked(SYMBOL, "limit", "buy", 1.0, 9.0, {"cost": 5}), {}, False),
        (Asked(SYMBOL, "market", "sell", 1.0, None, {"cost": 5}), {}, True),
        (Asked(SYMBOL, "market", "buy", 1.0, None, {"quoteOrderQty": 5}), {}, True),
        (Asked(SYMBOL, "market", "buy", 1.0), {"createMarketBuyOrderRequiresPrice": False}, True),
        (Asked(SYMBOL, "market", "sell", 1.0), {"createMarketBuyOrderRequiresPrice": False}, False),
        (Asked(SYMBOL, "market", "buy", 1.0), {"createMarketBuyOrderRequiresPrice": True}, False),
        (Asked(SYMBOL, "market", "buy", 1.0), {}, False),
    ],
)
def test_an_amount_is_money_in_some_market_orders(asked, options, money) -> None:
    exchange = SimpleNamespace(options=options)
    assert by_cost(exchange, asked, spot=True) is money
    assert by_cost(exchange, asked, spot=False) is (money and bool(asked.params))
