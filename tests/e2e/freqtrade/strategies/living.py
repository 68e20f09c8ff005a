"""A strategy for a dry run: holds what it has, told of prices between its candles."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

from riskguard import Event
from riskguard.adapters.freqtrade import guarded
from tests.e2e.freqtrade.plain import AtMarket


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
class Living(AtMarket):
    """Hears of prices between its candles, and holds."""
