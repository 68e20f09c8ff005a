from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.errors import AdapterError
from riskguard.feeds.facts import Market, bars, fundings, liquidations, open_interest
from riskguard.feeds.venues import VENUES, Contract, Liquidated, venue
from riskguard.market import HOUR, MINUTE
from tests.stub import binance, bybit, okx

COIN = Contract()
LOT = Contract(0.01)
INVERSE = Contract(100.0, inverse=True)
TS = 1_770_300_000_123


def binance_info(side: str, quantity: str = "2", price: str = "70000") -> dict[str, Any]:
    return {"s": "BTCUSDT", "S": side, "q": "3", "p": "69000", "ap": price, "l": "1",
            "z": quantity, "T": TS}  # fmt: skip


def bybit_info(side: str) -> dict[str, Any]:
    return {"T": TS, "s": "BTCUSDT", "S": side, "v": "2", "p": "70000"}


def okx_info(*details: tuple[str, str]) -> dict[str, Any]:
    return {
        "instId": "BTC-USDT-SWAP",
        "details": [
            {"posSide": held, "side": order, "sz": "200", "bkPx": "70000", "ts": str(TS)}
            for held, order in details
        ],
    }


def test_a_sell_is_a_long_on_binance_and_a_short_on_bybit() -> None:
    """The same word in the same unified field means opposite things."""
    (on_binance,) = VENUES["binance"].liquidated(binance_info("SELL"), COIN)
    (on_bybit,) = VENUES["bybit"].liquidated(bybit_info("Sell"), COIN)
    assert (on_binance.side, on_bybit.side) == ("long", "short")
    (on_binance,) = VENUES["binance"].liquidated(binance_info("BUY"), COIN)
    (on_bybit,) = VENUES["bybit"].liquidated(bybit_info("Buy"), COIN)
    assert (on_binance.side, on_bybit.side) == ("short", "long")


def test_binance_counts_what_was_filled_at_its_average_price() -> None:
    assert list(VENUES["binance"].liquidated(binance_info("SELL", "2", "70000"), COIN)) == [
        Liquidated(TS, "long", 140_000.0)
    ]
    (one,) = VENUES["binance"].liquidated(binance_info("SELL", "2", "0"), COIN)
    assert one.notional == 2 * 69_000  # no average: the price of the order


def test_every_detail_of_okx_counts_and_its_quantity_is_in_contracts() -> None:
    several = okx_info(("long", "sell"), ("short", "buy"), ("long", "sell"))
    found = list(VENUES["okx"].liquidated(several, LOT))
    assert [one.side for one in found] == ["long", "short", "long"]
    assert {one.notional for one in found} == {140_000.0}


def test_okx_with_one_net_position_is_read_by_the_side_of_its_order() -> None:
    found = VENUES["okx"].liquidated(okx_info(("net", "sell"), ("net", "buy")), LOT)
    assert [one.side for one in found] == ["long", "short"]


def test_a_row_of_gate_tells_both_sides_in_dollars_at_its_end() -> None:
    row = {"time": "1674057000", "long_liq_usd": "12.5", "short_liq_usd": "0"}
    found = list(VENUES["gate"].liquidated(row, LOT))
    assert found == [
        Liquidated(1_674_057_300_000, "long", 12.5),
        Liquidated(1_674_057_300_000, "short", 0.0),
    ]


@pytest.mark.parametrize("name", ["binance", "bybit"])
def test_an_inverse_contract_counts_dollars_whatever_the_price(name: str) -> None:
    info = {"binance": binance_info("SELL"), "bybit": bybit_info("Buy")}[name]
    (one,) = VENUES[name].liquidated(info, INVERSE)
    assert one.notional == 200.0


def test_open_interest_is_told_in_the_unit_of_each_venue() -> None:
    amount = {"openInterestAmount": 500.0, "openInterestValue": None}
    assert VENUES["binance"].open_interest(amount, COIN) == {"coins": 500.0}
    assert VENUES["binance"].open_interest(amount, INVERSE) == {"usd": 50_000.0}
    assert VENUES["bybit"].open_interest(amount, COIN) == {"coins": 500.0}
    value = {"openInterestAmount": None, "openInterestValue": 9e9}
    assert VENUES["bybit"].open_interest(value, INVERSE) == {"usd": 9e9}
    both = {"openInterestAmount": 3e6, "info": {"oi": "3000000", "oiCcy": "30000", "oiUsd": "2e9"}}
    assert VENUES["okx"].open_interest(both, LOT) == {"coins": 30_000.0, "usd": 2e9}
    stats = {"info": {"open_interest": "2851725", "open_interest_usd": "9872386.7775"}}
    assert VENUES["gate"].open_interest(stats, Contract(10.0)) == {
        "coins": 28_517_250.0,
        "usd": 9_872_386.7775,
    }


def test_a_venue_of_which_nothing_is_certain_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(AdapterError, match=r"'bitfinex': what it means .*\n.*binance.*bybit"):
        venue("bitfinex")
    assert venue("binanceusdm") is venue("binance")


# ---------------------------------------------------------------- events


def market(name: str, contract: Contract = COIN) -> Market:
    return Market("BTC/USDT:USDT", VENUES[name], contract)


def test_equal_liquidations_of_one_message_are_several_and_told_twice_they_are_known() -> None:
    told = [{"info": bybit_info("Buy")}, {"info": bybit_info("Buy")}]
    first, second = liquidations(market("bybit"), told)
    assert first.id != second.id
    assert first.data == second.data
    assert [one.id for one in liquidations(market("bybit"), told)] == [first.id, second.id]


@given(st.lists(st.sampled_from(["long", "short"]), min_size=1, max_size=5))
def test_what_the_three_streams_push_of_one_fact_is_one_fact(sides: list[str]) -> None:
    several = [{"side": side, "price": 70_000.0, "quantity": 2.0} for side in sides]
    pushed = {
        "binance": ([binance.force_order(**one)["o"] for one in several], COIN),
        "bybit": (bybit.all_liquidation(several)["data"], COIN),
        "okx": (okx.liquidation_orders(several)["data"], LOT),
    }
    for name, (infos, contract) in pushed.items():
        told = liquidations(market(name, contract), [{"info": info} for info in infos])
        found = [(one.data["liquidated_side"], one.data["notional_usd"]) for one in told]
        assert found == [(side, 140_000.0) for side in sides], name


def test_only_bars_that_have_closed_are_told_at_their_close() -> None:
    rows = [[0, 1.0, 3.0, 0.5, 2.0, 10.0], [60_000, 2.0, 2.0, 2.0, 2.0, 4.0]]
    (one,) = bars(market("bybit"), rows, 2 * MINUTE - 1)
    assert (one.ts, one.data["close"], one.data["volume"]) == (MINUTE, 2.0, 10.0)
    assert len(list(bars(market("bybit"), rows, 2 * MINUTE))) == 2


def test_volume_in_contracts_becomes_coins_and_of_an_inverse_contract_none() -> None:
    rows = [[0, 1.0, 3.0, 0.5, 2.0, 10.0]]
    (one,) = bars(market("gate", LOT), rows, MINUTE)
    assert one.data["volume"] == 0.1
    (one,) = bars(market("okx", LOT), rows, MINUTE)  # ccxt returns its coins
    assert one.data["volume"] == 10.0
    (one,) = bars(market("binance", INVERSE), rows, MINUTE)
    assert "volume" not in one.data


def test_a_settlement_a_few_ms_off_is_told_at_its_second() -> None:
    rows = [{"timestamp": 1_770_336_000_002, "fundingRate": -0.0001}, {"timestamp": None}]
    (one,) = fundings(market("binance"), rows, 8 * HOUR)
    assert one.ts == 1_770_336_000_000 * 1_000_000
    assert one.data == {"rate": -0.0001, "interval_hours": 8.0}


def test_a_poll_that_says_nothing_of_open_interest_is_no_event() -> None:
    said = {"openInterestAmount": None, "timestamp": TS}
    assert open_interest(market("binance"), said, TS * 1_000_000) is None
