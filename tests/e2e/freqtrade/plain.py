"""What the strategies of the tests have in common: they hold what they enter."""

from __future__ import annotations

from freqtrade.strategy import IStrategy


class Plain(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "4h"
    minimal_roi = {"0": 10}
    stoploss = -0.9
    startup_candle_count = 0
    position_adjustment_enable = True
    enters = 1

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = self.enters
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe["exit_long"] = 0
        return dataframe


class AtMarket(Plain):
    """Enters at market; its exits are limit orders that would rest."""

    timeframe = "1m"
    order_types = {
        "entry": "market", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": False,
    }  # fmt: skip
