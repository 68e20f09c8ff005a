"""A strategy of jesse that adds into the fall, bare and guarded, on the embedded sell-off.

    pip install riskguard jesse==3.5.3 numpy
    python examples/jesse_bot.py

The strategy is not edited: the decorator puts one guard before the brokers of all its routes. What
jesse has no candles of (open interest, liquidations, funding) comes as `samples`; the other coins
that the rules read are data routes.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

FOLDER = tempfile.TemporaryDirectory()  # jesse takes the folder it is imported in for its own
os.chdir(FOLDER.name)

from jesse.research import backtest  # noqa: E402 - after the folder was changed
from jesse.strategies import Strategy  # noqa: E402 - as above

from riskguard.adapters.jesse import guarded  # noqa: E402 - as above
from riskguard.history import History  # noqa: E402 - as above
from riskguard.shipped import shipped  # noqa: E402 - as above

RULES = shipped("rules") / "feb-2026.yaml"  # or a file of your own
EXCHANGE = "Binance Perpetual Futures"
START = 170  # bars: before, the windows of the rules fill


def candles(history: History, symbol: str) -> np.ndarray:
    """Return candles of a minute that make bars: ts, open, close, high, low, volume."""
    found = []
    count = history.every // 60_000_000_000
    for ts, start, high, low, close, volume in zip(*history.bars(symbol), strict=True):
        turns = (start, low, high, close) if close > start else (start, high, low, close)
        path = np.interp(np.arange(count + 1), [0, count // 4, count // 2, count], turns)
        first, last = path[:-1], path[1:]
        opens = (int(ts) - history.every) // 1_000_000 + 60_000 * np.arange(count)
        ends = (np.maximum(first, last), np.minimum(first, last), np.full(count, volume / count))
        found.append(np.column_stack([opens, first, last, *ends]))
    return np.concatenate(found)


class Pyramid(Strategy):
    """Holds one coin and adds a quarter each day."""

    def should_long(self) -> bool:
        """Enter once the windows are filled."""
        return self.index > START

    def go_long(self) -> None:
        """Buy one coin."""
        self.buy = 1, self.price

    def update_position(self) -> None:
        """Add."""
        if self.increased_count < 12 and self.index % 6 == 0:
            self.buy = 0.25, self.price

    def before_terminate(self) -> None:
        """Keep the strategy, to be looked at."""
        LAST.append(self)


LAST: list[Any] = []


def run(strategy: type, history: History) -> dict[str, Any]:
    """Run a strategy on BTC, the other coins as data routes."""
    series, routes = {}, []
    for symbol in history.symbols:
        route = {"exchange": EXCHANGE, "symbol": f"{symbol}-USDT"}
        routes.append({**route, "timeframe": "4h"})
        series[f"{EXCHANGE}-{symbol}-USDT"] = {**route, "candles": candles(history, symbol)}
    account = {
        "starting_balance": 200_000,
        "fee": 0.0004,
        "type": "futures",
        "futures_leverage": 2,
        "futures_leverage_mode": "cross",
        "exchange": EXCHANGE,
        "warm_up_candles": 0,
    }
    own = [{**one, "strategy": strategy} for one in routes if one["symbol"] == "BTC-USDT"]
    others = [one for one in routes if one["symbol"] != "BTC-USDT"]
    return backtest(account, own, others, series, fast_mode=True)["metrics"]


history = History.read("feb-2026")
Guarded = guarded(RULES, sources=history.sources(), samples=history.samples)(
    type("Guarded", (Pyramid,), {})
)
for name, strategy in {"bare": Pyramid, "guarded": Guarded}.items():
    found = run(strategy, history)
    worst, left = found["max_drawdown"], found["net_profit_percentage"]
    print(f"{name:8} drawdown {worst:6.1f} %   return {left:6.1f} %")
post = LAST[-1].riskguard.post
print(f"refused or cut: {len(post.vetoes)} orders, for example")
print(f"  {post.vetoes[-1].reasons[0]}")
os.chdir("/")
