"""The contract of adapters, with hummingbot: mere orders, whose positions the controller holds."""

from __future__ import annotations

from typing import Any

from engine import BUY, SELL, Steps
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction

from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard


class Orders(Harness):
    tolerance = 1e-6
    symbol = "BTC-USDT"

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.steps = Steps(guard)

    def feed(self, price: float) -> None:
        self.steps.step(price)
        self.settle()

    def settle(self) -> None:
        """Let the engine see what has filled: it takes two minutes."""
        for _ in range(3):
            self.steps.step(self.steps.closes[-1])

    def sent(self, *makes: Any) -> float:
        actions = self.steps.act(*makes)
        created = [one for one in actions if isinstance(one, CreateExecutorAction)]
        found = sum(float(one.executor_config.amount) for one in created)
        self.settle()
        return found

    def try_entry(self, quantity: float) -> float:
        return self.sent(lambda one: one.order(BUY, quantity))

    def try_exit(self, quantity: float) -> float:
        return self.sent(lambda one: one.order(SELL, quantity))

    def exits_together(self, *quantities: float) -> float:
        return self.sent(*(lambda one, size=size: one.order(SELL, size) for size in quantities))

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.sent(lambda one: one.order(BUY, quantity, price))

    def rest_exits(self, *quantities: float) -> float:
        at = self.steps.closes[-1] * 1.05
        return self.sent(*(lambda one, size=size: one.order(SELL, size, at) for size in quantities))

    def resting(self) -> float:
        found = [one.config for one in self.steps.engine.active_executor_simulations]
        return sum(float(one.amount) for one in found if one.side == BUY)

    def bracket(self, quantity: float) -> tuple[float, float]:
        price = self.steps.closes[-1]
        sent = self.sent(lambda one: one.position(BUY, quantity, price, stop_loss="0.05"))
        return sent, sent

    def position(self) -> float:
        return self.steps.held

    def restart(self) -> None:
        self.steps.begin()

    def refuse(self) -> None:
        self.steps.refused = 1

    def delay(self) -> None:
        self.steps.slow = True

    def deliver(self) -> None:
        self.steps.deliver()
        self.settle()

    def fill_only(self, share: float) -> None:
        self.steps.share = share

    def held(self, book: str) -> float:
        raise NotSupported(f"the backtesting engine nets: test_hedge.py has {book}s apart")

    def denials(self) -> list[str]:
        return list(self.steps.watch.denials)


class TestOrders(AdapterContract):
    harness = Orders
