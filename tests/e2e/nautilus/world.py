"""A real BacktestEngine, bar by bar, with a strategy that does what a test has written down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model import Bar, BarType, Money, TradeTick, Venue
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

from riskguard.adapters.nautilus import guard_engine

BUY, SELL = OrderSide.BUY, OrderSide.SELL
BTC = TestInstrumentProvider.btcusdt_perp_binance()
ETH = TestInstrumentProvider.ethusdt_perp_binance()
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE
EPOCH = 1_770_000_000_000_000_000 // HOUR * HOUR
SYMBOL = "BTC/USDT:USDT"


def bar_type(instrument: Any = BTC) -> Any:
    return BarType.from_str(f"{instrument.id}-1-HOUR-LAST-EXTERNAL")


class Script(Strategy):
    """Calls what was put down for a bar, and writes down what became of each order."""

    def __init__(self, name: str = "S-1") -> None:
        super().__init__(StrategyConfig(strategy_id=name))
        self.todo: list[Any] = []
        self.denied: list[str] = []
        self.refused: list[str] = []  # changes
        self.fills: list[tuple[str, float]] = []

    def on_start(self) -> None:
        self.subscribe_bars(bar_type())
        self.subscribe_trade_ticks(BTC.id)

    def on_bar(self, bar: Any) -> None:
        self.act()

    def on_trade_tick(self, tick: Any) -> None:
        self.act()

    def act(self) -> None:
        todo, self.todo = self.todo, []
        for one in todo:
            one(self)

    def on_order_denied(self, event: Any) -> None:
        self.denied.append(event.reason)

    def on_order_modify_rejected(self, event: Any) -> None:
        self.refused.append(event.reason)

    def on_order_filled(self, event: Any) -> None:
        self.fills.append((event.order_side.name.lower(), float(event.last_qty)))

    def market(self, side: Any, quantity: float, instrument: Any = BTC, **more: Any) -> Any:
        order = self.order_factory.market(
            instrument.id, side, instrument.make_qty(quantity), **more
        )
        self.submit_order(order)
        return order

    def limit(self, side: Any, quantity: float, price: float, **more: Any) -> Any:
        size, at = BTC.make_qty(quantity), BTC.make_price(price)
        order = self.order_factory.limit(BTC.id, side, size, at, **more)
        self.submit_order(order)
        return order


def bracket(script: Any, quantity: float, side: Any = BUY, price: float = 80_000) -> Any:
    sign = 1 if side == BUY else -1
    made = script.order_factory.bracket(
        BTC.id, side, BTC.make_qty(quantity),
        sl_trigger_price=BTC.make_price(price * (1 - sign * 0.05)),
        tp_price=BTC.make_price(price * (1 + sign * 0.05)),
    )  # fmt: skip
    script.submit_order_list(made)
    return made


class World:
    """One engine, one script, one guard; `bar` lets an hour pass."""

    def __init__(
        self,
        desk: Any,
        *,
        oms: Any = OmsType.NETTING,
        bypass: bool = False,
        strategy: Any = None,
        others: tuple[Any, ...] = (),
        **guarding: Any,
    ) -> None:
        self.engine = BacktestEngine(
            BacktestEngineConfig(
                logging=LoggingConfig(bypass_logging=True),
                risk_engine=RiskEngineConfig(bypass=bypass),
            )
        )
        self.engine.add_venue(
            Venue("BINANCE"), oms, AccountType.MARGIN, [Money(1_000_000, USDT)],
            base_currency=USDT, default_leverage=Decimal(10), **guarding.pop("venue", {}),
        )  # fmt: skip
        for instrument in (BTC, ETH):
            self.engine.add_instrument(instrument)
        self.desk, self.now, self.price = desk, EPOCH, 0.0
        self.script = strategy or Script()
        guarding.setdefault("bars", [bar_type()])
        self.watch = guard_engine(self.engine, desk, **guarding)
        for one in (self.script, *others):
            self.engine.add_strategy(one)
        self.extra: list[Any] = []

    def bar(self, price: float, *todo: Any, low: float | None = None) -> None:
        """Let an hour end at a price; what is to do is done at its close."""
        self.now = (self.now // HOUR + 1) * HOUR
        self.price = price
        self.script.todo = list(todo)
        low = price if low is None else low
        prices = (price, max(price, low), low, price)
        made = [BTC.make_price(one) for one in prices]
        bar = Bar(bar_type(), *made, BTC.make_qty(1000), self.now, self.now)
        self.engine.clear_data()
        self.engine.add_data([bar])
        for data, client in self.extra:
            self.engine.add_data(data, client_id=client)
        self.extra = []
        self.engine.run(streaming=True)

    def tick(self, price: float, *todo: Any) -> None:
        """Let a trade happen between two bars; what is to do is done at it."""
        self.now += MINUTE
        self.price = price
        self.script.todo = list(todo)
        size, at = BTC.make_qty(10), BTC.make_price(price)
        tick = TradeTick(BTC.id, at, size, AggressorSide.BUYER, TradeId("1"), self.now, self.now)
        self.engine.clear_data()
        self.engine.add_data([tick])
        self.engine.run(streaming=True)

    @property
    def position(self) -> float:
        return sum(one.signed_qty for one in self.engine.cache.positions_open())

    @property
    def resting(self) -> list[Any]:
        return self.engine.cache.orders_open()

    def close(self) -> None:
        self.engine.dispose()
