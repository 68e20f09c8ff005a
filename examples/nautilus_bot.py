"""A strategy of nautilus_trader that averages down, bare and guarded, on the embedded sell-off.

    pip install riskguard[backtest] nautilus_trader==1.231.0      # Python 3.12
    python examples/nautilus_bot.py

The strategy is not edited: one line puts a guard before the engine. In a live node it is the same
line with the node in place of the engine, and a folder in which the guard remembers.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model import Bar, BarType, DataType, Money, Venue
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import CustomData
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import ClientId
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from riskguard.adapters.nautilus import Reading, guard_engine
from riskguard.history import History
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from pathlib import Path

COIN = TestInstrumentProvider.btcusdt_perp_binance()
BARS = BarType.from_str(f"{COIN.id}-4-HOUR-LAST-EXTERNAL")
RULES = shipped("rules") / "feb-2026.yaml"  # or a file of your own
CASH = 1_000_000
START = 170  # bars: before, the windows of the rules fill


class Ladder(Strategy):
    """Buys a coin each day, and is out again every fifteen days."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="LADDER-1"))
        self.bars, self.refused = 0, list[str]()

    def on_start(self) -> None:
        """Listen to the bars."""
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:  # noqa: ARG002 - Nautilus calls it so
        """Add, or leave."""
        self.bars += 1
        if self.bars >= START and self.bars % 90 == 0:
            self.close_all_positions(COIN.id)
        elif self.bars >= START and self.bars % 6 == 0:
            one = self.order_factory.market(COIN.id, OrderSide.BUY, COIN.make_qty(1))
            self.submit_order(one)

    def on_order_denied(self, event: Any) -> None:  # noqa: ANN401 - an event of Nautilus
        """Note why."""
        self.refused.append(event.reason)


def bars_of(history: History) -> list[Bar]:
    """Return the bars of the coin, each stamped by its close."""
    made = []
    for ts, opened, high, low, close, volume in zip(*history.bars(), strict=True):
        prices = [COIN.make_price(one) for one in (opened, high, low, close)]
        made.append(Bar(BARS, *prices, COIN.make_qty(volume), int(ts), int(ts)))
    return made


def readings_of(history: History) -> list[CustomData]:
    """Return all else that the rules read, a nanosecond before the close by which it is known."""
    bars = {"open", "high", "low", "close", "volume"}
    found = [
        Reading(sample.ts - 1, sample.ts - 1, sample.symbol, name, value)
        for sample in history.samples()
        for name, value in sample.values.items()
        if sample.symbol != history.symbol or name not in bars
    ]
    return [CustomData(DataType(Reading), one) for one in found]


def run(history: History, rules: Path | str = "") -> tuple[BacktestEngine, Ladder]:
    """Run the ladder over a history, under rules if there are any."""
    logging = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=logging))
    engine.add_venue(
        Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, [Money(CASH, USDT)],
        base_currency=USDT, default_leverage=Decimal(10),
    )  # fmt: skip
    engine.add_instrument(COIN)
    engine.add_data(bars_of(history))
    engine.add_data(readings_of(history), client_id=ClientId("FACTS"))
    if rules:
        guard_engine(engine, rules, bars=[BARS], data="FACTS", sources=history.sources())
    ladder = Ladder()
    engine.add_strategy(ladder)
    engine.run()
    return engine, ladder


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    history = History.read("feb-2026")
    for name, rules in {"bare": "", "guarded": RULES}.items():
        engine, ladder = run(history, rules)
        left = float(engine.portfolio.equity(Venue("BINANCE"))[USDT])
        held = sum(one.signed_qty for one in engine.cache.positions_open())
        print(f"{name:8} {left - CASH:+10,.0f} USDT   {held:g} coins held at the end")
    print(f"refused: {len(ladder.refused)} orders, the last one because of")
    print(f"  {ladder.refused[-1]}")
