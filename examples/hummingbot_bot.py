"""A controller of hummingbot that is always long, bare and guarded, on the embedded sell-off.

    pip install riskguard[backtest] hummingbot==20260922      # Python 3.12
    python examples/hummingbot_bot.py

The controller is not edited: the decorator judges what it asks for. In a running bot it is the
same line above the class in the controllers folder, with state="riskguard" for its memory.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from decimal import Decimal
from typing import Any

import pandas as pd
from hummingbot.connector.trading_rule import TradingRule
from hummingbot.strategy_v2.backtesting.backtesting_engine_base import BacktestingEngineBase
from hummingbot.strategy_v2.controllers.directional_trading_controller_base import (
    DirectionalTradingControllerBase,
    DirectionalTradingControllerConfigBase,
)

from riskguard.adapters.hummingbot import guarded
from riskguard.history import History
from riskguard.shipped import shipped

CONNECTOR, PAIR, BARS = "binance_perpetual", "BTC-USDT", "4h"
RULES = shipped("rules") / "support-ladder.yaml"  # or a file of your own
CASH = Decimal(100_000)
START = 170  # bars: before, the windows of the rules fill


class Config(DirectionalTradingControllerConfigBase):
    """The settings of the controller."""

    controller_name: str = "always_long"


class AlwaysLong(DirectionalTradingControllerBase):
    """Is for going long, whatever happens; each position has a stop and a target of 5 %."""

    async def update_processed_data(self) -> None:
        """Say so of each candle."""
        config = self.config
        candles = self.market_data_provider.get_candles_df(
            config.connector_name, config.trading_pair, BARS
        ).copy()
        candles["signal"] = 1
        self.processed_data = {"signal": 1, "features": candles}


def candles_of(history: History) -> pd.DataFrame:
    """Return candles as hummingbot has them: stamped by their opens, in seconds."""
    bars = history.bars()
    names = ("open", "high", "low", "close", "volume")
    data = pd.DataFrame(dict(zip(names, bars[1:], strict=True)))
    data.insert(0, "timestamp", (bars.ts - history.every) / 1e9)
    return data.set_index("timestamp", drop=False).rename_axis(None)


async def run(history: History, controller: type) -> tuple[dict[str, Any], Any]:
    """Run a controller over a history; nothing is fetched."""
    engine, candles = BacktestingEngineBase(), candles_of(history)
    provider = engine.backtesting_data_provider
    provider.trading_rules[CONNECTOR] = {
        PAIR: TradingRule(
            PAIR,
            min_order_size=Decimal("0.001"),
            min_price_increment=Decimal("0.1"),
            min_base_amount_increment=Decimal("0.001"),
        )
    }
    provider.candles_feeds[f"{CONNECTOR}_{PAIR}_{BARS}"] = candles
    # the engine keeps the class of a controller by its name
    Config.get_controller_class = lambda _: controller
    config = Config(
        id="example", controller_name=controller.__name__, connector_name=CONNECTOR,
        trading_pair=PAIR, total_amount_quote=CASH, max_executors_per_side=3, leverage=1,
        cooldown_time=86_400, stop_loss=Decimal("0.05"), take_profit=Decimal("0.05"),
        time_limit=30 * 86_400,
    )  # fmt: skip
    begin, end = int(candles.index[START]), int(candles.index[-1])
    found = await engine.run_backtesting(config, begin, end, BARS, 0.0004)
    return found["results"], engine.controller


def main(history: History) -> None:
    """Show both runs, and what was refused in the second."""
    kept = guarded(RULES, bars=BARS)
    for name, controller in {
        "bare": type("Bare", (AlwaysLong,), {}),
        "guarded": kept(type("Guarded", (AlwaysLong,), {})),
    }.items():
        found, made = asyncio.run(run(history, controller))
        left = found["net_pnl_quote"] + found["unrealized_pnl_quote"]
        print(f"{name:8} {left:+10,.0f} USDT   {found['total_executors']} executors")
    print("refused, the last time because of")
    print(f"  {made._riskguard.denials[-1]}")  # noqa: SLF001 - for the example alone


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main(History.read("feb-2026"))
