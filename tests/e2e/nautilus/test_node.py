"""A live TradingNode with Nautilus's own sandbox venue: its loop, its clock, no network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.adapters.sandbox.factory import SandboxLiveExecClientFactory
from nautilus_trader.config import LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model import Bar, BarType, QuoteTick
from nautilus_trader.model.data import MarkPriceUpdate
from nautilus_trader.model.identifiers import TraderId
from world import BTC, BUY, Script

from riskguard.adapters.nautilus import guard_engine

MINUTE = 60_000_000_000
BARS = BarType.from_str(f"{BTC.id}-1-MINUTE-LAST-EXTERNAL")
RULES = """\
version: 1
name: one level
symbol: BTC
every: 1m
evaluate: event
rules:
  lost: {when: close < 75_000, clear: close > 79_000, do: {exposure_cap: 50%}}
"""


class Quiet(Script):
    """Subscribes to nothing: there is no data client."""

    def on_start(self) -> None:
        """Do nothing."""


class Node:
    """A node that runs, and the prices that a data client would bring."""

    def __init__(self, folder: Path) -> None:
        venue = SandboxExecutionClientConfig(
            venue="BINANCE", starting_balances=["1_000_000 USDT"], base_currency="USDT",
            oms_type="NETTING", account_type="MARGIN",
        )  # fmt: skip
        config = TradingNodeConfig(
            trader_id=TraderId("TESTER-001"),
            logging=LoggingConfig(log_level="ERROR", print_config=False),
            exec_clients={"BINANCE": venue},
            timeout_connection=3, timeout_reconciliation=3, timeout_portfolio=3,
            timeout_disconnection=3, timeout_post_stop=0.5,
        )  # fmt: skip
        self.node = TradingNode(config=config, loop=asyncio.get_running_loop())
        self.node.add_exec_client_factory("BINANCE", SandboxLiveExecClientFactory)
        self.node.build()
        self.node.cache.add_instrument(BTC)
        rules = folder / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        self.watch = guard_engine(self.node, rules, state=folder / "state", bars=[BARS], marks=True)
        self.script = Quiet()
        self.node.trader.add_strategy(self.script)

    async def start(self) -> None:
        self.task = asyncio.create_task(self.node.run_async())
        await self.until(self.node.is_running)
        await self.until(lambda: self.script.is_running)

    async def until(self, holds: Callable[[], bool], price: float = 0.0) -> None:
        """Wait until something holds; the market says its price on and on, as markets do."""
        end = time.monotonic() + 60
        while not holds() and time.monotonic() < end:
            if price:
                self.price(price)  # in the last second of a minute it is left to the bar
            await asyncio.sleep(0.2)
        assert holds()

    def price(self, price: float) -> None:
        now, at = time.time_ns(), BTC.make_price(price)
        size = BTC.make_qty(100)
        engine = self.node.kernel.data_engine
        engine.process(QuoteTick(BTC.id, at, at, size, size, now, now))
        engine.process(MarkPriceUpdate(BTC.id, at, now, now))

    def bar(self, price: float) -> None:
        now, at = time.time_ns(), BTC.make_price(price)
        closed = now // MINUTE * MINUTE
        bar = Bar(BARS, at, at, at, at, BTC.make_qty(100), closed, now)
        self.node.kernel.data_engine.process(bar)

    @property
    def position(self) -> float:
        return sum(one.signed_qty for one in self.node.cache.positions_open())

    async def stop(self) -> None:
        self.watch.gate.desk.close()
        await self.node.stop_async()
        self.task.cancel()


async def bought_then_lost(folder: Path) -> None:
    one = Node(folder)
    await one.start()
    one.script.market(BUY, 1)
    await one.until(lambda: bool(one.script.denied))  # nothing has been seen yet
    one.price(80_000)
    one.bar(80_000)
    await one.until(lambda: not one.watch.gate.desk.decision.blind)
    one.script.market(BUY, 2)
    await one.until(lambda: one.position == 2)
    one.script.limit(BUY, 1, 70_000)
    await one.until(lambda: len(one.node.cache.orders_open()) == 1)
    await one.until(lambda: one.position == 1, 74_000)
    assert one.node.cache.orders_open() == []
    one.script.market(BUY, 1)
    await one.until(lambda: len(one.script.denied) == 2)
    await asyncio.sleep(1.5)  # the second of the clock
    assert one.position == 1
    assert one.watch.gate.desk.poll("BTC/USDT:USDT") == []
    await one.stop()


@pytest.mark.filterwarnings("ignore")
def test_a_node_reduces_once_within_its_loop_and_lets_nothing_in(tmp_path: Path) -> None:
    asyncio.run(bought_then_lost(tmp_path))
    assert (tmp_path / "state").is_dir()
