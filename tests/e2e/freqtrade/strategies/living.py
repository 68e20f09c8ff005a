"""A strategy for a dry run: holds what it has, told of prices between its candles."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

from freqtrade.strategy import IStrategy

from riskguard import Event
from riskguard.adapters.freqtrade import guarded


def prices(session, strategy) -> None:
    """Push the price of the exchange into the guard, five times a second."""
    url = f"http://127.0.0.1:{strategy.config['stub_port']}/ctl"

    def run() -> None:
        while True:
            with urllib.request.urlopen(url, timeout=5) as answer:
                price = json.load(answer)["price"]
            session.take(Event(time.time_ns(), "mark", "BTC/USDT", {"price": price}))
            time.sleep(0.2)

    threading.Thread(target=run, daemon=True).start()


@guarded("living.yaml", feed=prices)
class Living(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {"0": 10}
    stoploss = -0.9
    startup_candle_count = 0
    position_adjustment_enable = True
    # exits are limit orders that would rest: only the guard sends them at market
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
