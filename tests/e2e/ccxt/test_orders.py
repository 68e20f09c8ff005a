"""Real ccxt under the guard, sync and async, against a loopback exchange that takes orders."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import ccxt
import ccxt.async_support
import ccxt.pro

from riskguard.adapters.ccxt import guard_exchange
from riskguard.engine.events import Event
from riskguard.market import MINUTE
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard
from tests.stub import binance
from tests.stub.server import Stub

SYMBOL = "BTC/USDT:USDT"
OPTIONS = {"apiKey": "offline", "secret": "offline", "enableRateLimit": False}


def exchange(room: Any, stub: Stub) -> Any:
    made = room.binanceusdm({**OPTIONS, "urls": binance.urls(stub.port)})
    made.options["fetchCurrencies"] = False
    return made


class CcxtHarness(Harness):
    """A home-made bot that calls."""

    symbol = SYMBOL
    room: Any = ccxt

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.later = 0  # how far the clock is ahead of the machine's
        self.stub = Stub(price=100.0)
        self.stub.__enter__()
        self.market = self.stub.market
        self.begin()

    def begin(self) -> None:
        self.exchange = exchange(self.room, self.stub)
        self.guarded = guard_exchange(
            self.exchange, self.guard, symbols=[SYMBOL], pause=0.0, now=self.now
        )
        self.guarded.gate.counts = True  # as rules that cap leverage have it

    def now(self) -> int:
        return time.time_ns() + self.later

    def wait(self, answer: Any) -> Any:
        """Return what a call of the exchange returned."""
        return answer

    def feed(self, price: float) -> None:
        self.stub.control_now(price=price)
        ticker = self.wait(self.exchange.fetch_ticker(SYMBOL))
        self.later += MINUTE
        mark = Event(self.now(), "mark", SYMBOL, {"price": ticker["last"]})
        self.wait(self.guarded.step(mark))

    def order(self, *given: Any) -> float:
        try:
            made = self.wait(self.exchange.create_order(SYMBOL, *given))
        except ccxt.InvalidOrder:
            return 0.0
        return float(made["amount"])

    def try_entry(self, quantity: float) -> float:
        return self.order("market", "buy", quantity)

    def try_exit(self, quantity: float) -> float:
        return self.order("market", "sell", quantity)

    def position(self) -> float:
        return float(self.market.positions["BTCUSDT"])

    def close(self) -> None:
        self.stub.__exit__()

    def rest_entry(self, quantity: float, price: float) -> float:
        return self.order("limit", "buy", quantity, price)

    def resting(self) -> float:
        return sum(one.quantity for one in self.market.orders if one.open and one.side == "BUY")

    def restart(self) -> None:
        self.begin()

    def delay(self, count: int = 1) -> None:
        place, left = self.market.place, [count]

        def kept(order: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                self.market.place = place
            order.kind = "KEPT"
            placed = place(order)
            placed.kind = "MARKET"
            return placed

        self.market.place = kept

    def deliver(self) -> None:
        for order in self.market.orders:
            if order.open and order.kind == "MARKET":
                self.market._fill(order, order.quantity - order.filled, self.market.price)

    def fill_only(self, share: float) -> None:
        self.market.fill = share
        place = self.market.place

        def once(order: Any) -> Any:
            self.market.place = place
            try:
                placed = place(order)
            finally:
                self.market.fill = 1.0
            placed.status = "EXPIRED"  # the rest of it is dropped
            return placed

        self.market.place = once

    def refuse(self) -> None:
        self.market.reject.append((-2019, "Margin is insufficient."))

    def exits_together(self, *quantities: float) -> float:
        self.delay(len(quantities))
        sent = sum(self.try_exit(quantity) for quantity in quantities)
        self.deliver()
        return sent

    def rest_exits(self, *quantities: float) -> float:
        inner = self.guarded.inner["create_order"]
        for quantity in quantities:
            self.wait(inner(SYMBOL, "limit", "sell", quantity, 105.0))
        return sum(quantities)

    def held(self, book: str) -> float:
        raise NotSupported(f"this account has no book of {book}s: TestHedged has one that does")

    def bracket(self, quantity: float) -> tuple[float, float]:
        raise NotSupported("a stop that is attached to an order is sized by the venue")

    def denials(self) -> list[str]:
        return self.guarded.denials


class AsyncHarness(CcxtHarness):
    """A home-made bot that awaits."""

    room = ccxt.async_support

    def __init__(self, guard: ScriptedGuard) -> None:
        self.loop = asyncio.new_event_loop()
        self.opened: list[Any] = []
        super().__init__(guard)

    def begin(self) -> None:
        super().begin()
        self.opened.append(self.exchange)

    def wait(self, answer: Any) -> Any:
        return self.loop.run_until_complete(answer)

    def close(self) -> None:
        for one in self.opened:
            self.wait(one.close())
        self.loop.close()
        super().close()


class ProHarness(AsyncHarness):
    room = ccxt.pro


class TestCcxt(AdapterContract):
    harness = CcxtHarness


class TestCcxtAsync(AdapterContract):
    harness = AsyncHarness


class TestCcxtPro(AdapterContract):
    harness = ProHarness
