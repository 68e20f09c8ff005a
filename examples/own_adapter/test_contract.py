"""The contract of adapters around it, run as any test: pytest test_contract.py."""

from __future__ import annotations

import logging

from adapter import SYMBOL, GuardedExchange
from exchange import Exchange

from riskguard.testing import AdapterContract, Harness, ScriptedGuard


class Heard(logging.Handler):
    """What the adapter told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Own(Harness):
    """A bot on the exchange, under the adapter."""

    symbol = SYMBOL

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.heard = Heard()
        logging.getLogger("own").addHandler(self.heard)
        self.exchange = Exchange()
        self.restart()

    def restart(self) -> None:
        self.guarded = GuardedExchange(self.exchange, self.guard)

    def close(self) -> None:
        logging.getLogger("own").removeHandler(self.heard)

    def feed(self, price: float) -> None:
        self.exchange.move(price)
        self.guarded.bar()

    def try_entry(self, quantity: float) -> float:
        return self.guarded.order("buy", quantity)

    def try_exit(self, quantity: float) -> float:
        return self.guarded.order("sell", quantity)

    def position(self) -> float:
        return self.exchange.held

    # ---------------------------------------------------------- where there is a way

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.guarded.order("buy", quantity, price)

    def resting(self) -> float:
        return sum(one.left for one in self.exchange.orders.values() if one.side == "buy")

    def rest_exits(self, *quantities: float) -> float:
        for quantity in quantities:  # from before the guard was there
            self.exchange.order("sell", quantity, 105.0)
        return sum(quantities)

    def exits_together(self, *quantities: float) -> float:
        self.exchange.slow = len(quantities)
        sent = sum(self.try_exit(quantity) for quantity in quantities)
        self.exchange.settle()
        return sent

    def delay(self) -> None:
        self.exchange.slow = 1

    def deliver(self) -> None:
        self.exchange.settle()

    def fill_only(self, share: float) -> None:
        self.exchange.share = share

    def refuse(self) -> None:
        self.exchange.broken = 1

    def denials(self) -> list[str]:
        return self.heard.lines


class TestOwn(AdapterContract):
    """All checks, by the names they have in riskguard.testing."""

    harness = Own
