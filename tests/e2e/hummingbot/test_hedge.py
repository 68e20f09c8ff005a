"""Two books beside each other: a live controller on a connector of hummingbot in hedge mode."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest
from engine import BUY, CONNECTOR, PAIR, SELL, Config, Scripted
from hummingbot.connector.derivative.binance_perpetual.binance_perpetual_derivative import (
    BinancePerpetualDerivative,
)
from hummingbot.core.data_type.common import PositionAction, PositionMode
from hummingbot.strategy_v2.executors.data_types import PositionSummary
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction
from live import Live

from riskguard.adapters.hummingbot import guarded
from riskguard.engine.decision import State
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard

ZERO = Decimal(0)
OPEN, CLOSE = PositionAction.OPEN, PositionAction.CLOSE


@cache
def connector() -> Any:
    """Return a connector that is not started; it wants a loop to be made in."""

    async def made() -> Any:
        return BinancePerpetualDerivative(
            binance_perpetual_api_key="x", binance_perpetual_api_secret="x", trading_pairs=[PAIR]
        )

    return asyncio.run(made())


class Books(Harness):
    """Mere orders, filled at once, held as hummingbot's orchestrator holds them in hedge mode."""

    symbol = "BTC-USDT"
    mode = PositionMode.HEDGE

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.live = Live(desk=lambda: guard)
        self.connector = connector()
        self.connector._perpetual_trading.set_position_mode(self.mode)
        self.live.provider.connectors[CONNECTOR] = self.connector
        self.books = {BUY: ZERO, SELL: ZERO}
        self.refused, self.share = 0, 1.0

    def send(self, actions: list[Any]) -> float:
        """Have the venue fill what was sent; return how much that is."""
        assert all(isinstance(one, CreateExecutorAction) for one in actions)
        for action in actions:
            self.fill(action.executor_config)
        return sum(float(one.executor_config.amount) for one in actions)

    def fill(self, config: Any) -> None:
        if self.refused:
            self.refused -= 1
            return
        closes = config.position_action is CLOSE
        book = {BUY: SELL, SELL: BUY}[config.side] if closes else config.side
        amount = config.amount * Decimal(str(self.share))
        self.share = 1.0
        self.books[book] += -min(amount, self.books[book]) if closes else amount
        self.live.controller.positions_held = [
            PositionSummary(
                connector_name=CONNECTOR, trading_pair=PAIR, side=side, amount=size,
                volume_traded_quote=ZERO, breakeven_price=Decimal(100), unrealized_pnl_quote=ZERO,
                realized_pnl_quote=ZERO, cum_fees_quote=ZERO,
            )
            for side, size in self.books.items()
            if size
        ]  # fmt: skip

    def feed(self, price: float) -> None:
        self.send(self.live.task(price))
        self.live.provider.clock += 30  # an order that was not seen by then is sent again
        self.send(self.live.task(price))

    def order(self, side: Any, quantity: float, action: Any) -> float:
        self.send(self.live.act())  # what is due is no order of the bot
        make = partial(Scripted.order, side=side, quantity=quantity, position_action=action)
        return self.send(self.live.act(make))

    def try_entry(self, quantity: float) -> float:
        return self.order(BUY, quantity, OPEN)

    def try_exit(self, quantity: float) -> float:
        return self.order(SELL, quantity, CLOSE)

    def try_short(self, quantity: float) -> float:
        return self.order(SELL, quantity, OPEN)

    def position(self) -> float:
        return float(self.books[BUY])

    def held(self, book: str) -> float:
        return float(self.books[BUY if book == "long" else SELL])

    def refuse(self) -> None:
        self.refused = 1

    def fill_only(self, share: float) -> None:
        self.share = share

    def restart(self) -> None:
        old = self.live.controller
        kept = guarded(bars="1m", desk=lambda: self.guard)(type("Again", (Scripted,), {}))
        self.live.controller = kept(Config(), self.live.provider, asyncio.Queue())
        self.live.queue = self.live.controller.actions_queue
        self.live.controller.positions_held = old.positions_held

    def elsewhere(self, *_: Any) -> Any:
        raise NotSupported("here orders are filled at once: test_kit.py has those that live on")

    rest_entry = rest_exits = exits_together = delay = bracket = elsewhere

    def denials(self) -> list[str]:
        return list(self.live.controller._riskguard.denials)


class TestBooks(AdapterContract):
    harness = Books


@pytest.fixture
def books() -> Books:
    return Books(ScriptedGuard())


@pytest.mark.parametrize("state", [State.REDUCING, State.HALTED])
def test_an_order_that_opens_the_other_book_is_no_exit(books: Books, state: State) -> None:
    books.feed(100.0)
    books.try_entry(2)
    books.guard.state(state)
    assert books.try_short(2) == 0
    assert books.held("short") == 0


def test_a_broken_guard_lets_no_order_open_the_other_book(books: Books) -> None:
    books.feed(100.0)
    books.try_entry(2)
    books.guard.boom = True
    assert books.try_short(2) == 0
    assert books.try_exit(2) == 2


def test_both_books_are_closed_in_full(books: Books) -> None:
    books.feed(100.0)
    books.try_entry(2)
    books.try_short(1)
    books.guard.state(State.HALTED)
    for price in (99.0, 98.0):
        books.feed(price)
    assert (books.held("long"), books.held("short")) == (0, 0)


def test_one_way_mode_has_one_net_position(books: Books) -> None:
    books.connector._perpetual_trading.set_position_mode(PositionMode.ONEWAY)
    books.feed(100.0)
    books.try_entry(2)
    books.guard.state(State.REDUCING)
    assert books.order(SELL, 3, OPEN) == 2
