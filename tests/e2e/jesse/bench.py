"""What the adapter adds to jesse: for each order, with two at rest, and for each candle.

The guard's own time is taken out: it is measured elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from e2e.spent import Spent

from benchmarks.measuring import say

FOLDER = tempfile.TemporaryDirectory(prefix="riskguard-jesse-")
os.chdir(FOLDER.name)  # jesse takes the folder it is imported in for its own

from jesse.research import backtest  # noqa: E402 - after the folder was changed
from jesse.services.broker import Broker  # noqa: E402 - as above
from jesse.strategies import Strategy  # noqa: E402 - as above

from riskguard.adapters import jesse as adapter  # noqa: E402 - as above
from riskguard.adapters.jesse.orders import GuardedBroker  # noqa: E402 - as above
from riskguard.testing import ScriptedGuard  # noqa: E402 - as above

CANDLES = 1_500
EXCHANGE = "Binance Perpetual Futures"


class Busy(Strategy):
    """Has two orders at rest, and buys and sells one coin in turn."""

    def should_long(self) -> bool:
        return False

    def go_long(self) -> None:
        """Never asked."""

    def should_cancel_entry(self) -> bool:
        return False

    def after(self) -> None:
        if not any(order.is_active for order in self.orders):
            self.broker.buy_at(1, 50.0)
            self.broker.sell_at(1, 200.0)
        (self.broker.sell_at_market if self.is_long else self.broker.buy_at_market)(1)


def main() -> None:
    spent = Spent()
    spent.others(ScriptedGuard, "take", "decide", "poll")
    spent.others(Broker, "buy_at_market", "sell_at_market", "buy_at", "sell_at")
    spent.others(Busy, "before")
    spent.own(GuardedBroker, "_ask")
    spent.own(adapter.RouteGuard, "before")
    route = {"exchange": EXCHANGE, "symbol": "BTC-USDT"}
    start = 1_767_225_600_000
    candles = np.array([[start + 60_000 * one, *[100] * 4, 1] for one in range(CANDLES)], float)
    terms = {"type": "futures", "futures_leverage": 10, "futures_leverage_mode": "cross"}
    backtest(
        {"starting_balance": 100_000, "fee": 0, "warm_up_candles": 0, **terms, **route},
        [{**route, "strategy": adapter.guarded(desk=ScriptedGuard, symbol="BTC")(Busy),
          "timeframe": "1m"}],
        [],
        {f"{EXCHANGE}-BTC-USDT": {**route, "candles": candles}},
    )  # fmt: skip
    say("jesse_order", spent.median("_ask"), "us", 50.0)
    say("jesse_candle", spent.median("before"), "us", None)
    os.chdir(Path(__file__).parent)
    FOLDER.cleanup()


if __name__ == "__main__":
    main()
