"""A strategy whose guard hears of liquidations by a stream of its own."""

from __future__ import annotations

import asyncio
import threading

import ccxt.pro
from freqtrade.strategy import IStrategy

from riskguard.adapters.freqtrade import guarded
from riskguard.feeds.streaming import Feeds


def liquidations(session, strategy) -> None:
    """Listen to the perpetual's forced orders, in a thread of their own."""
    urls = strategy.config["exchange"]["ccxt_config"]["urls"]

    async def listen() -> None:
        exchange = ccxt.pro.binanceusdm({"urls": urls})
        await Feeds(exchange, ("BTC/USDT:USDT",), session.take, series=("liquidations",)).run()

    threading.Thread(target=lambda: asyncio.run(listen()), daemon=True).start()


@guarded("fed.yaml", feed=liquidations, sources={"liq.long": "binance"})
class Fed(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.9
    startup_candle_count = 0
    position_adjustment_enable = True
    order_types = {
        "entry": "market", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": False,
    }  # fmt: skip

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe["exit_long"] = 0
        return dataframe
