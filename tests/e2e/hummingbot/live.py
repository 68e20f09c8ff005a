"""A controller in its live task: real provider, candles and prices of a test."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from engine import MINUTE, RULE, START, Config, Scripted, frame
from hummingbot.data_feed.candles_feed.data_types import CandlesConfig
from hummingbot.data_feed.market_data_provider import MarketDataProvider

from riskguard.adapters.hummingbot import guarded


class Provider(MarketDataProvider):
    """The live provider, with candles and prices of a test in place of a connector's."""

    def __init__(self) -> None:
        super().__init__({})
        self.clock, self.closes, self.first = float(START), [80_000.0], START
        self.ready_now = True
        self.asked: list[CandlesConfig] = []

    @property
    def ready(self) -> bool:
        return self.ready_now

    def time(self) -> float:
        return self.clock

    def get_candles_df(self, *_: Any) -> Any:
        return frame(self.closes, self.first)

    def get_price_by_type(self, *_: Any) -> Decimal:
        return Decimal(str(self.closes[-1]))

    def get_trading_rules(self, *_: Any) -> Any:
        return RULE

    def initialize_candles_feed(self, config: CandlesConfig) -> None:
        self.asked.append(config)


class Live:
    """A controller as a running bot has it: its own task, and a queue."""

    def __init__(self, **words: Any) -> None:
        self.provider, self.queue = Provider(), asyncio.Queue()
        kept = guarded(bars="1m", **words)(type("Live", (Scripted,), {}))
        self.controller = kept(Config(), self.provider, self.queue)

    def task(self, price: float, *makes: Any) -> list[Any]:
        """Let a minute pass in the bot; return what is in the queue then."""
        self.provider.clock += MINUTE
        self.provider.closes.append(price)
        return self.act(*makes)

    def act(self, *makes: Any) -> list[Any]:
        """Ask for something within the minute; return what is in the queue then."""
        self.controller.todo = [make(self.controller) for make in makes]
        self.controller.executors_update_event.set()
        asyncio.run(self.controller.control_task())
        return self.drain()

    def drain(self) -> list[Any]:
        found: list[Any] = []
        while not self.queue.empty():
            found += self.queue.get_nowait()
        return found
