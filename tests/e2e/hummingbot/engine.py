"""A controller that does what a test has put down, in hummingbot's real backtesting engine."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pandas as pd
from hummingbot.connector.trading_rule import TradingRule
from hummingbot.core.data_type.common import TradeType
from hummingbot.strategy_v2.backtesting.backtesting_engine_base import BacktestingEngineBase
from hummingbot.strategy_v2.backtesting.executor_simulator_base import ExecutorSimulation
from hummingbot.strategy_v2.controllers.controller_base import ControllerBase, ControllerConfigBase
from hummingbot.strategy_v2.executors.order_executor.data_types import (
    ExecutionStrategy,
    OrderExecutorConfig,
)
from hummingbot.strategy_v2.executors.position_executor.data_types import (
    PositionExecutorConfig,
    TripleBarrierConfig,
)
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction, StopExecutorAction
from hummingbot.strategy_v2.models.executors import CloseType

from riskguard.adapters.hummingbot import guarded

CONNECTOR, PAIR = "binance_perpetual", "BTC-USDT"
BUY, SELL = TradeType.BUY, TradeType.SELL
MARKET, LIMIT = ExecutionStrategy.MARKET, ExecutionStrategy.LIMIT
MINUTE = 60
START = 1_770_000_000 // 3600 * 3600
RULE = TradingRule(
    PAIR,
    min_order_size=Decimal("0.001"),
    min_price_increment=Decimal("0.1"),
    min_base_amount_increment=Decimal("0.001"),
)
LADDER = """\
version: 1
name: ladder
symbol: BTC
every: 5m
rules:
  half: {when: close < 75_000, clear: close > 79_000, do: {block_entries: long}}
  none: {when: close < 62_000, clear: close > 79_000, do: {exposure_cap: 0%}}
"""


class Config(ControllerConfigBase):
    id: str = "c1"
    controller_name: str = "scripted"
    connector_name: str = CONNECTOR
    trading_pair: str = PAIR
    total_amount_quote: Decimal = Decimal(100_000)


class Scripted(ControllerBase):
    """Asks for the actions that were put down."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self.todo: list[Any] = []

    async def update_processed_data(self) -> None:
        """Have no signals."""

    def determine_executor_actions(self) -> list[Any]:
        todo, self.todo = self.todo, []
        return [one for one in todo if one is not None]

    def order(self, side: Any, quantity: float, price: float | None = None, **more: Any) -> Any:
        """Return the action of a mere order."""
        config = OrderExecutorConfig(
            timestamp=self.market_data_provider.time(),
            connector_name=CONNECTOR,
            trading_pair=PAIR,
            side=side,
            amount=Decimal(str(quantity)),
            price=None if price is None else Decimal(str(price)),
            execution_strategy=MARKET if price is None else LIMIT,
            **more,
        )
        return CreateExecutorAction(controller_id="c1", executor_config=config)

    def position(self, side: Any, quantity: float, price: float, **barriers: Any) -> Any:
        """Return the action of an executor that leaves by itself."""
        config = PositionExecutorConfig(
            timestamp=self.market_data_provider.time(),
            connector_name=CONNECTOR,
            trading_pair=PAIR,
            side=side,
            amount=Decimal(str(quantity)),
            entry_price=Decimal(str(price)),
            triple_barrier_config=TripleBarrierConfig(**barriers),
        )
        return CreateExecutorAction(controller_id="c1", executor_config=config)

    def stop(self, executor_id: str) -> Any:
        return StopExecutorAction(controller_id="c1", executor_id=executor_id)


def frame(closes: list[float], start: int = START) -> pd.DataFrame:
    """Return candles of a minute, stamped by their opens."""
    stamps = [float(start + MINUTE * row) for row in range(len(closes))]
    data = pd.DataFrame({"timestamp": stamps, "close": closes})
    for name in ("open", "high", "low"):
        data[name] = data["close"]
    data["volume"] = 10.0
    return data.set_index("timestamp", drop=False).rename_axis(None)


def cut(config: Any, share: float) -> Any:
    """Return an executor of which the venue fills a share."""
    if share == 1.0:
        return config
    return config.model_copy(update={"amount": config.amount * Decimal(str(share))})


class Steps:
    """The engine minute by minute: its own books, its own simulators, prices as a test says.

    `run_backtesting` knows all prices at its start; here a minute is added at a time, and what
    lives is simulated anew with it.
    """

    def __init__(self, desk: Any) -> None:
        self.cls = guarded(desk=lambda: desk, bars="1m")(type("Kept", (Scripted,), {}))
        self.engine = BacktestingEngineBase()
        self.provider = self.engine.backtesting_data_provider
        self.provider.trading_rules[CONNECTOR] = {PAIR: RULE}
        self.provider.update_backtesting_time(START, START + 10**7)
        self.closes: list[float] = []
        self.refused = 0  # executors that the venue is to refuse
        self.share = 1.0  # of the next executor, what the venue fills of it
        self.slow = False  # the venue keeps what it gets in flight
        self.kept: set[str] = set()  # executors in flight
        self.begin()

    def begin(self) -> None:
        """Make the controller; one that comes back finds what the engine has."""
        old = self.engine.controller
        self.controller = self.cls(Config(), self.provider, None)
        self.controller.processed_data = {}
        self.engine.controller = self.controller
        if old is not None:
            self.controller.executors_info = old.executors_info
            self.controller.positions_held = old.positions_held
        self.watch = self.controller._riskguard

    def step(self, price: float, *makes: Any) -> list[Any]:
        """Let a minute pass; return the actions that reached the engine."""
        engine = self.engine
        self.closes.append(price)
        data = frame([*self.closes, price])  # and one to come: nothing ends at the last one
        self.provider.candles_feeds[f"{CONNECTOR}_{PAIR}_1m"] = data
        row = data.assign(close_bt=data["close"]).iloc[-2]
        for number, one in enumerate(engine.active_executor_simulations):
            if one.close_type != CloseType.POSITION_HOLD:
                since = data.loc[one.config.timestamp :]
                engine.active_executor_simulations[number] = self.simulated(one.config, since)
        asyncio.run(engine.update_state(row))
        return self.act(*makes)

    def act(self, *makes: Any) -> list[Any]:
        """Ask the controller, and give the engine what it answers."""
        engine, data = self.engine, frame([*self.closes, self.closes[-1]])
        now = data.iloc[-2]["timestamp"]
        self.controller.todo = [make(self.controller) for make in makes]
        actions: list[Any] = self.controller.determine_executor_actions()
        for action in actions:
            if isinstance(action, StopExecutorAction):
                engine.handle_stop_action(action, now)
            elif self.refused:
                self.refused -= 1
            else:
                config, self.share = cut(action.executor_config, self.share), 1.0
                if self.slow:
                    self.kept.add(config.id)
                engine.manage_active_executors(self.simulated(config, data.loc[now:]))
        return actions

    def simulated(self, config: Any, data: Any) -> Any:
        """Return what the engine makes of an executor; one in flight has filled nothing yet."""
        found = self.engine.simulate_executor(config, data, 0.0)
        if config.id not in self.kept:
            return found
        nothing = data.assign(net_pnl_pct=0.0, net_pnl_quote=0.0, cum_fees_quote=0.0)
        nothing = nothing.assign(filled_amount_quote=0.0, current_position_average_price=0.0)
        return ExecutorSimulation(
            config=config, executor_simulation=nothing, close_type=CloseType.EXPIRED
        )

    def deliver(self) -> None:
        """Let what is in flight fill in the next minute."""
        self.slow = False
        for one in self.engine.active_executor_simulations:
            if one.config.id in self.kept:
                one.config.timestamp = float(START + MINUTE * len(self.closes))
        self.kept.clear()

    @property
    def held(self) -> float:
        """What mere orders have filled, signed, as the engine has it."""
        found = engine_holds(self.engine)
        pending = self.engine._pending_position_hold_executors
        return found + sum(
            float(one.config.amount) * (1 if one.config.side == BUY else -1) for one in pending
        )


def engine_holds(engine: Any) -> float:
    return sum(float(one.net_amount_base) for one in engine.active_position_holds.values())
