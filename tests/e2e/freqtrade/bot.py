"""A real FreqtradeBot in a dry run, driven one loop at a time, as the kit wants it driven."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.exceptions import InvalidOrderException
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade

from riskguard.testing import Harness
from riskguard.testing.kit.scripted import ScriptedGuard
from tests.e2e.freqtrade.desks import LEFT
from tests.e2e.freqtrade.folder import STRATEGIES, written
from tests.stub.binance import urls
from tests.stub.server import Stub

MEMORY = Path("/dev/shm")  # a database of freqtrade waits for the disk at each step
PAIR = "BTC/USDT"
STUBS: list[Stub] = []


def stub() -> Stub:
    """Return the exchange on this machine, one for all tests of a process."""
    if not STUBS:
        STUBS.append(Stub(price=100.0).__enter__())
    return STUBS[0]


class Heard(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Bot(Harness):
    """Spot, dry run: freqtrade keeps the positions, the exchange stub has the prices."""

    unit = 0.1
    tolerance = 1e-6
    symbol = PAIR
    named = "Driven"
    settings: dict[str, Any] = {}

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        LEFT.append(guard)
        self.heard = Heard()
        logging.getLogger("riskguard.freqtrade").addHandler(self.heard)
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.stub = stub()
        self.stub.control_now(price=100.0)
        path = Path(self.folder.name)
        other = {"price_side": "other", "use_order_book": False}
        settings = {
            "custom_price_max_distance_ratio": 0.5, "entry_pricing": other, "exit_pricing": other,
            "pairs": [self.symbol], "db_url": f"sqlite:///{path / 'trades.sqlite'}",
        }  # fmt: skip
        written(path, urls(self.stub.port), **settings | self.settings)
        self.begin()

    def begin(self) -> None:
        path = Path(self.folder.name)
        args = {
            "config": [str(path / "config.json")], "user_data_dir": str(path / "user_data"),
            "strategy": self.named, "strategy_path": str(STRATEGIES),
        }  # fmt: skip
        self.bot: Any = FreqtradeBot(Configuration(args, RunMode.DRY_RUN).get_config())
        self.strategy = self.bot.strategy

    def close(self) -> None:
        self.bot.cleanup()
        LEFT.clear()
        logging.getLogger("riskguard.freqtrade").removeHandler(self.heard)
        self.folder.cleanup()

    def restart(self) -> None:
        self.bot.cleanup()
        self.begin()

    def denials(self) -> list[str]:
        return [line for line in self.heard.lines if "denied" in line or "cut to" in line]

    # ------------------------------------------------------------ prices, orders

    def feed(self, price: float) -> None:
        self.stub.control_now(price=price)
        self.bot.exchange._entry_rate_cache.clear()
        self.bot.exchange._exit_rate_cache.clear()
        self.bot.process()

    def trade(self) -> Any:
        return next(iter(Trade.get_trades_proxy(pair=self.symbol, is_open=True)), None)

    def position(self) -> float:
        trade = self.trade()
        return float(trade.amount) if trade is not None else 0.0

    def try_entry(self, quantity: float) -> float:
        return self.sent("buy", lambda: self.enter(quantity))

    def enter(self, quantity: float) -> None:
        rate = self.bot.exchange.get_rate(self.symbol, side="entry", is_short=False, refresh=True)
        stake = quantity * (self.strategy.price or rate)
        if self.trade() is None:
            self.bot.execute_entry(self.symbol, stake)
        else:
            self.strategy.stake = stake
            self.bot.process_open_trade_positions()

    def enter_now(self, quantity: float) -> None:
        """Begin with a position."""
        self.feed(100.0)
        self.try_entry(quantity)
        assert self.position() > 0

    def try_exit(self, quantity: float) -> float:
        return self.sent("sell", lambda: self.leave(quantity))

    def leave(self, quantity: float) -> None:
        trade = self.trade()
        if trade is None:
            return
        if quantity >= trade.amount * (1 - 1e-6):
            self.strategy.leaves = True
            self.bot.exit_positions([trade])
            self.strategy.leaves = False
        else:
            self.strategy.stake = -trade.stake_amount * quantity / trade.amount
            self.bot.process_open_trade_positions()

    def sent(self, side: str, send: Any) -> float:
        """Send something; return the size of the orders of that side that came of it."""
        before = {one.order_id for one in self.orders()}
        send()
        found = [one for one in self.orders() if one.order_id not in before and one.side == side]
        return sum(one.safe_amount for one in found)

    def orders(self) -> list[Any]:
        return [one for trade in Trade.get_trades_proxy() for one in trade.orders]

    def rest_entry(self, quantity: float, price: float) -> float:
        self.strategy.price = price
        types = self.strategy.order_types
        self.strategy.order_types = {**types, "entry": "limit"}
        try:
            return self.try_entry(quantity)
        finally:
            self.strategy.price, self.strategy.order_types = None, types

    def resting(self) -> float:
        return sum(one.safe_remaining for one in self.orders() if one.ft_is_open)

    def refuse(self) -> None:
        """Have freqtrade's next order raise as one does that an exchange refuses."""
        send = self.bot.exchange.create_order

        def refused(**order: Any) -> Any:
            self.bot.exchange.create_order = send
            raise InvalidOrderException("refused")

        self.bot.exchange.create_order = refused

    def delay(self) -> None:
        self._next(lambda order: {"status": "open", "filled": 0.0, "remaining": order["amount"]})

    def deliver(self) -> None:
        self.bot.exchange.check_dry_limit_order_filled = type(
            self.bot.exchange
        ).check_dry_limit_order_filled.__get__(self.bot.exchange)
        for order in self.bot.exchange._dry_run_open_orders.values():
            if order["status"] == "open":
                order.update(status="closed", filled=order["amount"], remaining=0.0)

    def fill_only(self, share: float) -> None:
        self._next(
            lambda order: {
                "status": "canceled",
                "filled": order["amount"] * share,
                "remaining": order["amount"] * (1 - share),
            }
        )

    def _next(self, change: Any) -> None:
        """Have the dry run answer the next order otherwise."""
        exchange = self.bot.exchange
        make = exchange.create_dry_run_order

        def other(*args: Any, **words: Any) -> Any:
            exchange.create_dry_run_order = make
            order = make(*args, **words)
            order.update(change(order))
            return order

        exchange.create_dry_run_order = other
        exchange.check_dry_limit_order_filled = lambda order, *args, **words: order
