"""jesse under the contract of adapters, one minute at a time."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from jesse.candle_pipelines import BaseCandlesPipeline
from jesse.research import backtest
from jesse.store import store
from jesse.strategies import Strategy

from riskguard.adapters.jesse import TESTED, guarded
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard, Stepper

EXCHANGE = "Binance Perpetual Futures"
MINUTES = 120
START = 1_767_225_600_000  # 2026-01-01


def test_the_version_is_the_one_that_is_told() -> None:
    assert version("jesse") == TESTED


class Flat(BaseCandlesPipeline):
    """Candles that have one price each: the one that a test has set."""

    def __init__(self, price: Callable[[], float]) -> None:
        super().__init__(1)
        self.price = price

    def process(self, original_1m_candles: np.ndarray, out: np.ndarray) -> bool:
        out[:] = original_1m_candles
        out[:, 1:5] = self.price()
        return True


class JesseHarness(Harness):
    """A strategy that does at the close of each candle what the test says."""

    symbol = "BTC-USDT"

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.price, self.wanted = 100.0, 0.0
        self.stepper = Stepper(self.run)
        self.strategy: Any = None
        self.do(lambda strategy: setattr(self, "strategy", strategy))

    def run(self, stepper: Stepper) -> None:
        harness = self

        @guarded(desk=lambda: self.guard, symbol="BTC")
        class Bot(Strategy):
            def candles_pipeline(self) -> BaseCandlesPipeline:
                return Flat(lambda: harness.price)

            def should_long(self) -> bool:
                return harness.wanted > 0

            def go_long(self) -> None:
                self.buy = harness.wanted, self.price
                self.stop_loss = harness.wanted, 90
                harness.wanted = 0.0

            def should_cancel_entry(self) -> bool:
                return False

            def after(self) -> None:
                stepper.turn(self)

        candles = np.array(
            [[START + 60_000 * one, 100, 100, 100, 100, 1] for one in range(MINUTES)], float
        )
        route = {"exchange": EXCHANGE, "symbol": self.symbol}
        backtest(
            {
                "starting_balance": 100_000,
                "fee": 0,
                "type": "futures",
                "futures_leverage": 1,
                "futures_leverage_mode": "cross",
                "exchange": EXCHANGE,
                "warm_up_candles": 0,
            },
            [{**route, "strategy": Bot, "timeframe": "1m"}],
            [],
            {f"{EXCHANGE}-{self.symbol}": {**route, "candles": candles}},
        )

    def do(self, job: Callable[[Any], Any] = lambda _: None) -> float:
        """Do something at the close of this candle; return what was sent by the next one."""

        def counted(strategy: Any) -> float:
            before = {order.id for order in strategy.orders}
            job(strategy)
            return sum(abs(one.qty) for one in strategy.orders if one.id not in before)

        return float(self.stepper.step(counted))

    # ------------------------------------------------------------ what the contract asks

    def feed(self, price: float) -> None:
        self.price = price
        self.do()

    def try_entry(self, quantity: float) -> float:
        return self.do(lambda bot: bot.broker.buy_at_market(quantity))

    def try_exit(self, quantity: float) -> float:
        return self.do(lambda bot: bot.broker.sell_at_market(quantity))

    def position(self) -> float:
        return float(self.strategy.position.qty)

    def close(self) -> None:
        self.stepper.close()

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.do(lambda bot: bot.broker.buy_at(quantity, price))

    def resting(self) -> float:
        orders = [one for one in self.strategy.orders if one.is_cancellable]
        return float(sum(one.qty for one in orders if one.qty > 0))

    def exits_together(self, *quantities: float) -> float:
        return self.do(lambda bot: [bot.broker.sell_at_market(one) for one in quantities])

    def rest_exits(self, *quantities: float) -> float:
        return self.do(lambda bot: [bot.broker.sell_at(one, 103.0) for one in quantities])

    def bracket(self, quantity: float) -> tuple[float, float]:
        self.wanted = quantity
        self.do()
        stops = [one.qty for one in self.strategy.orders if one.is_stop_loss]
        return self.position(), float(-sum(stops))

    def denials(self) -> list[str]:
        return [str(one["message"]) for one in store.logs.info]

    # ------------------------------------------------------------ what jesse has no way to do

    def restart(self) -> None:
        raise NotSupported("a backtest does not outlive its process")

    def delay(self) -> None:
        raise NotSupported("market orders fill at the close they are sent at")

    def refuse(self) -> None:
        raise NotSupported("jesse's simulated exchange refuses no reduction")

    def held(self, book: str) -> float:
        raise NotSupported("jesse has one net position a symbol")


class TestContract(AdapterContract):
    harness = JesseHarness
