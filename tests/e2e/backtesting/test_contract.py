"""backtesting.py under the contract of adapters, one bar at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import backtesting
import pandas as pd
from backtesting import Backtest, Strategy

from riskguard import Instrument
from riskguard.adapters.backtesting import TESTED, guarded
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard, Stepper

BARS = 60
PRICES = ("Open", "High", "Low", "Close")


def test_the_version_is_the_one_that_is_told() -> None:
    assert backtesting.__version__ == TESTED


class Told(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class BacktestHarness(Harness):
    """A strategy that does at the close of each bar what the test says; bars are flat."""

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.log, self.price = Told(), 100.0
        logger = logging.getLogger("riskguard")
        logger.setLevel(logging.INFO)
        logger.addHandler(self.log)
        index = pd.date_range("2026-01-01", periods=BARS, freq="1h")
        self.data = pd.DataFrame(dict.fromkeys(PRICES, 100.0), index=index)
        self.stepper = Stepper(self.run)
        self.strategy: Any = None
        self.do(lambda strategy: setattr(self, "strategy", strategy))

    def run(self, stepper: Stepper) -> None:
        @guarded(desk=lambda: self.guard, symbol="BTC")
        class Bot(Strategy):
            def init(self) -> None:
                """Have no indicators."""

            def next(self) -> None:
                stepper.turn(self)

        Backtest(self.data, Bot, cash=100_000.0).run()

    def do(self, job: Callable[[Any], Any] = lambda _: None, price: float = 0.0) -> Any:
        """Do something at the close of this bar, and let the next one pass at a price."""

        def both(strategy: Any) -> Any:
            before = {id(order) for order in strategy.orders}
            answer = job(strategy)
            fresh = [order for order in strategy.orders if id(order) not in before]
            self.price = price or self.price
            ahead = strategy.data._Data__arrays
            for name in PRICES:
                ahead[name] = ahead[name].copy()
                ahead[name][len(strategy.data)] = self.price
            return answer, sum(abs(order.size) for order in fresh)

        return self.stepper.step(both)

    # ------------------------------------------------------------ what the contract asks

    def feed(self, price: float) -> None:
        self.do(price=price)

    def try_entry(self, quantity: float) -> float:
        return self.do(lambda bot: bot.buy(size=quantity))[1]

    def try_exit(self, quantity: float) -> float:
        return self.do(lambda bot: bot.sell(size=quantity))[1]

    def position(self) -> float:
        return float(self.strategy.position.size)

    def close(self) -> None:
        self.stepper.close()
        logging.getLogger("riskguard").removeHandler(self.log)

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.do(lambda bot: bot.buy(size=quantity, limit=price))[1]

    def resting(self) -> float:
        return float(sum(order.size for order in self.strategy.orders if order.is_long))

    def exits_together(self, *quantities: float) -> float:
        return self.do(lambda bot: [bot.sell(size=one) for one in quantities])[1]

    def rest_exits(self, *quantities: float) -> float:
        return self.do(lambda bot: [bot.sell(size=one, limit=103.0) for one in quantities])[1]

    def bracket(self, quantity: float) -> tuple[float, float]:
        sent = self.do(lambda bot: bot.buy(size=quantity, sl=90.0))[1]
        stops = [order.size for order in self.strategy.orders if order.is_contingent]
        return sent, float(-sum(stops))

    def denials(self) -> list[str]:
        return self.log.lines  # the framework has no log of its own

    # ------------------------------------------------------------ what there is no way to do

    def restart(self) -> None:
        raise NotSupported("a backtest does not outlive its process")

    def delay(self) -> None:
        raise NotSupported("market orders fill at the next open")

    def fill_only(self, share: float) -> None:
        raise NotSupported("orders fill in full")

    def refuse(self) -> None:
        raise NotSupported("no reduction is refused")

    def held(self, book: str) -> float:
        raise NotSupported("hedging=True is refused at the start")


class TestContract(AdapterContract):
    harness = BacktestHarness

    def make_guard(self) -> ScriptedGuard:
        return ScriptedGuard({"BTC": Instrument(1.0, 1.0)})
