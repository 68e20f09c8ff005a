"""A strategy that knows of no guard."""

from __future__ import annotations

from freqtrade.strategy import IStrategy


class Stock(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.9
    startup_candle_count = 0
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
