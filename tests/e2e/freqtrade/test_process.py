"""A real freqtrade process in a dry run: killed in the middle of a reduction, and begun again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.freqtrade.folder import written
from tests.e2e.freqtrade.process import Holding, Process
from tests.stub.binance import urls


@pytest.fixture
def exchange() -> Iterator[Holding]:
    with Holding(price=70_000.0) as stub:
        yield stub
        stub.holds = False


@pytest.fixture
def process(request, exchange, tmp_path) -> Iterator[Process]:
    written(
        tmp_path, urls(exchange.port), pairs=["BTC/USDT"], stub_port=exchange.port,
        db_url=f"sqlite:///{tmp_path / 'trades.sqlite'}", stake_amount=7_000,
        entry_pricing={"price_side": "other", "use_order_book": False},
    )  # fmt: skip
    found = Process(tmp_path, getattr(request, "param", "Living"))
    yield found
    found.kill()


def test_a_bot_killed_in_the_middle_of_a_reduction_halves_nothing_twice(exchange, process) -> None:
    process.start()
    process.until(lambda: process.held, "an entry")
    whole = process.held

    exchange.holds = True
    exchange.control_now(price=64_000)
    process.until(exchange.kept.is_set, "a reduction on its way")
    begun = process.rows("select cd_key, cd_value from trade_custom_data")
    process.kill()  # written down, and not sent
    assert [key for key, _ in begun] == ["riskguard_done"]
    assert process.held == whole
    exchange.holds = False

    process.start()
    process.until(lambda: process.held < whole, "the reduction after the restart")
    process.kill()  # filled, and the guard not told yet, or just now
    half = process.held
    assert half == pytest.approx(whole / 2, abs=0.001)

    process.start()
    seen = len(process.rows("select 1 from orders"))
    process.until(lambda: "Bot heartbeat" in process.said, "a third life")
    time.sleep(6)  # as many loops
    assert process.held == half
    assert len(process.rows("select 1 from orders")) == seen
    assert [(tag, kind) for tag, kind, _, _ in process.exits] == [("riskguard_reduce", "market")]

    exchange.control_now(price=59_000)  # HALTED: everything leaves, at market
    process.until(lambda: not process.held, "a flat position")
    assert process.exits[-1][:3] == ("riskguard_flatten", "market", "closed")
    assert process.rows("select exit_reason from trades") == [("riskguard_flatten",)]
    assert process.rows("select count(*) from trades") == [(1,)]  # nothing entered since


@pytest.mark.parametrize("process", ["Fed"], indirect=True)
def test_a_liquidation_on_a_stream_closes_a_trade(exchange, process) -> None:
    """While the stream has not spoken the guard is blind, and nothing enters."""
    process.start()
    process.until(lambda: process.held, "an entry, once the stream is proven")
    assert exchange.sockets
    exchange.control_now(liquidation={"side": "short", "price": 70_000.0, "quantity": 1000.0})
    time.sleep(3)
    assert process.held
    exchange.control_now(liquidation={"side": "long", "price": 70_000.0, "quantity": 100.0})
    process.until(lambda: not process.held, "a flat position")
    assert process.exits[-1][:3] == ("riskguard_flatten", "market", "closed")
