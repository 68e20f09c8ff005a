"""Executors, and whole backtests of the real engine, under a guard."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from engine import (
    BUY,
    CONNECTOR,
    LADDER,
    MINUTE,
    PAIR,
    RULE,
    SELL,
    START,
    Steps,
    frame,
)
from hummingbot.core.data_type.common import OrderType, PositionAction
from hummingbot.strategy_v2.backtesting.backtesting_engine_base import BacktestingEngineBase
from hummingbot.strategy_v2.controllers.directional_trading_controller_base import (
    DirectionalTradingControllerBase,
    DirectionalTradingControllerConfigBase,
)
from hummingbot.strategy_v2.executors.dca_executor.data_types import DCAExecutorConfig
from hummingbot.strategy_v2.executors.xemm_executor.data_types import XEMMExecutorConfig
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction, StopExecutorAction
from hummingbot.strategy_v2.models.executors import CloseType
from stood_in import STANDS_IN, passing, stood_in

from riskguard import RuleError
from riskguard.adapters.hummingbot import TESTED, guarded
from riskguard.engine.decision import State
from riskguard.errors import AdapterError
from riskguard.market import Sample
from riskguard.testing import ScriptedGuard


@pytest.fixture
def steps(guard: ScriptedGuard) -> Steps:
    return Steps(guard)


def long(quantity: float, price: float = 100.0, kind: Any = OrderType.MARKET) -> Any:
    """Return what makes an executor that leaves by itself."""
    return lambda one: one.position(BUY, quantity, price, open_order_type=kind, stop_loss="0.5")


def active(steps: Steps) -> list[float]:
    return [float(one.config.amount) for one in steps.engine.active_executor_simulations]


def test_the_version_is_the_one_the_adapter_names() -> None:
    assert version("hummingbot") == TESTED


def test_an_executor_is_an_entry_even_against_what_is_held(
    steps: Steps, guard: ScriptedGuard
) -> None:
    steps.step(100.0, long(1))
    steps.step(100.0)
    guard.state(State.REDUCING)
    short = steps.step(100.0, lambda one: one.position(SELL, 1, 100.0))
    assert [type(one) for one in short] == []
    assert active(steps) == [1.0]
    assert "reduce_only" in steps.watch.denials[-1]


def test_an_executor_is_cut_to_the_ceiling_and_the_controller_keeps_its_own(
    steps: Steps, guard: ScriptedGuard
) -> None:
    steps.step(100.0)
    guard.state(State.CAUTION, exposure_cap=0.25)
    asked: list[Any] = []

    def make(one: Any) -> Any:
        asked.append(one.position(BUY, 4, 100.0, open_order_type=OrderType.MARKET))
        return asked[0]

    sent = steps.step(100.0, make)
    assert [one.executor_config.amount for one in sent] == [Decimal("1.000")]
    assert asked[0].executor_config.amount == 4
    assert sent[0].executor_config.id == asked[0].executor_config.id


def test_two_executors_of_one_step_share_the_room(steps: Steps, guard: ScriptedGuard) -> None:
    steps.step(100.0)
    guard.state(State.CAUTION, exposure_cap=0.5)
    sent = steps.step(100.0, long(4), long(4))
    assert [float(one.executor_config.amount) for one in sent] == [2.0]


def test_a_halt_stops_executors_and_closes_what_is_held(steps: Steps, guard: ScriptedGuard) -> None:
    steps.step(100.0, long(1), lambda one: one.order(BUY, 2))
    for _ in range(3):
        steps.step(100.0)
    assert (steps.held, active(steps)) == (2.0, [1.0])
    guard.state(State.HALTED)
    actions = steps.step(99.0)
    stops = [one for one in actions if isinstance(one, StopExecutorAction)]
    orders = [one.executor_config for one in actions if isinstance(one, CreateExecutorAction)]
    assert [one.keep_position for one in stops] == [False]
    assert [(float(one.amount), one.side, one.position_action) for one in orders] == [
        (2.0, SELL, PositionAction.CLOSE)
    ]
    for _ in range(4):
        assert steps.step(99.0) == []
    assert (steps.held, active(steps)) == (0.0, [])
    ended = [one.close_type for one in steps.engine.stopped_executors_info]
    assert CloseType.EARLY_STOP in ended


def test_a_cap_stops_whole_executors_until_no_more_than_it_is_left(
    steps: Steps, guard: ScriptedGuard
) -> None:
    for size in (3, 2, 1):
        steps.step(100.0, long(size))
    steps.step(100.0)
    guard.state(State.CAUTION, exposure_cap=0.5)
    for _ in range(4):
        steps.step(99.0)
    assert sum(active(steps)) == 3.0
    guard.state(State.CAUTION, exposure_cap=0.4)  # 2.4: an executor of 3 cannot be cut
    for _ in range(4):
        steps.step(99.0)
    assert sum(active(steps)) <= 2.4


def test_each_book_is_judged_and_closed_alone(steps: Steps, guard: ScriptedGuard) -> None:
    def short(one: Any) -> Any:
        return one.position(SELL, 1, 100.0, open_order_type=OrderType.MARKET)

    steps.step(100.0, long(2))
    steps.step(100.0)
    guard.state(State.CAUTION, block_entries="long")
    assert steps.act(long(1)) == []
    assert len(steps.act(short)) == 1
    steps.step(100.0)
    assert active(steps) == [2.0, 1.0]
    guard.state(State.CAUTION, close="longs")
    for _ in range(3):
        steps.step(100.0)
    assert active(steps) == [1.0]
    guard.state(State.HALTED)
    for _ in range(3):
        steps.step(100.0)
    assert active(steps) == []


def test_an_executor_that_waits_for_its_price_is_stopped(
    steps: Steps, guard: ScriptedGuard
) -> None:
    steps.step(100.0, long(1, 95.0, OrderType.LIMIT))
    steps.step(100.0)
    assert active(steps) == [1.0]
    guard.state(State.REDUCING)
    for price in (100.0, 94.0, 94.0):
        steps.step(price)
    assert active(steps) == []
    assert steps.held == 0


def ladder_of(one: Any) -> Any:
    """Return an executor that goes on ordering: it has no amount."""
    config = DCAExecutorConfig(
        timestamp=one.market_data_provider.time(), connector_name=CONNECTOR, trading_pair=PAIR,
        side=BUY, amounts_quote=[Decimal(100), Decimal(100)],
        prices=[Decimal(100), Decimal(99)], take_profit=Decimal("0.5"), stop_loss=Decimal("0.5"),
    )  # fmt: skip
    return CreateExecutorAction(controller_id="c1", executor_config=config)


def test_an_executor_without_an_amount_is_refused_where_another_is_cut(
    steps: Steps, guard: ScriptedGuard
) -> None:
    steps.step(100.0)
    assert len(steps.step(100.0, ladder_of)) == 1
    guard.state(State.CAUTION, exposure_cap=0.5)
    assert [one for one in steps.step(100.0, ladder_of) if hasattr(one, "executor_config")] == []


def test_an_executor_that_goes_on_ordering_is_stopped_and_its_position_kept(
    steps: Steps, guard: ScriptedGuard
) -> None:
    steps.step(100.0)
    steps.step(100.0, ladder_of)
    steps.step(99.0)
    steps.step(99.0)
    guard.state(State.REDUCING)
    actions = steps.step(99.0)
    assert [one.keep_position for one in actions] == [True]
    for price in (90.0, 89.0, 88.0):
        assert steps.step(price) == []
    assert steps.held == pytest.approx(200 / 99.5)


def test_an_executor_of_two_venues_is_refused_while_reducing(
    steps: Steps, guard: ScriptedGuard
) -> None:
    def maker(one: Any) -> Any:
        pair = {"connector_name": CONNECTOR, "trading_pair": PAIR}
        config = XEMMExecutorConfig(
            timestamp=one.market_data_provider.time(), buying_market=pair,
            selling_market={"connector_name": "kucoin", "trading_pair": PAIR}, maker_side=BUY,
            order_amount=Decimal(1), min_profitability=Decimal("0.01"),
            target_profitability=Decimal("0.02"), max_profitability=Decimal("0.03"),
        )  # fmt: skip
        return CreateExecutorAction(controller_id="c1", executor_config=config)

    steps.step(100.0)
    guard.state(State.REDUCING)
    assert steps.act(maker) == []


def test_an_order_that_flips_is_cut_to_what_it_closes(steps: Steps, guard: ScriptedGuard) -> None:
    steps.step(100.0, lambda one: one.order(BUY, 1))
    for _ in range(3):
        steps.step(100.0)
    guard.state(State.REDUCING)
    sent = steps.act(lambda one: one.order(SELL, 3))
    assert [float(one.executor_config.amount) for one in sent] == [1.0]
    guard.state()
    for _ in range(3):
        steps.step(100.0)
    assert steps.held == 0.0


# ---------------------------------------------------------------- whole backtests


class DirectionalConfig(DirectionalTradingControllerConfigBase):
    controller_name: str = "always_long"


class AlwaysLong(DirectionalTradingControllerBase):
    """Is always for going long."""

    async def update_processed_data(self) -> None:
        config = self.config
        data = self.market_data_provider.get_candles_df(
            config.connector_name, config.trading_pair, "1m"
        ).copy()
        data["signal"] = 1
        self.processed_data = {"signal": 1, "features": data}


def path_of(count: int) -> list[float]:
    """Return a fall from 80,000 to 60,000 and half of the way back."""
    points = [(0.0, 80_000), (0.3, 77_000), (0.45, 74_000), (0.7, 66_000), (0.8, 60_000)]
    points += [(0.9, 66_000), (1.0, 67_450)]
    found = []
    for row in range(count):
        share = row / count
        place = max(number for number, point in enumerate(points) if point[0] <= share)
        (left, low), (right, high) = points[place], points[place + 1]
        found.append(low + (high - low) * (share - left) / (right - left))
    return found


def backtest(cls: type, bars: str = "5m", count: int = 720) -> tuple[dict[str, Any], Any]:
    engine = BacktestingEngineBase()
    provider = engine.backtesting_data_provider
    provider.trading_rules[CONNECTOR] = {PAIR: RULE}
    closes = path_of(count)
    provider.candles_feeds[f"{CONNECTOR}_{PAIR}_1m"] = frame(closes)
    step = int(bars[:-1])
    wide = frame(closes[step - 1 :: step])
    wide["timestamp"] = [float(START + MINUTE * step * row) for row in range(len(wide))]
    provider.candles_feeds[f"{CONNECTOR}_{PAIR}_{bars}"] = wide.set_index("timestamp", drop=False)
    config = DirectionalConfig(
        id="c1", controller_name=cls.__name__, connector_name=CONNECTOR, trading_pair=PAIR,
        total_amount_quote=Decimal(10_000), max_executors_per_side=2, cooldown_time=3600,
        leverage=1, stop_loss=Decimal("0.05"), take_profit=Decimal("0.05"), time_limit=36_000,
    )  # fmt: skip
    # the engine keeps the class of a controller by its name
    type(config).get_controller_class = lambda _: cls
    end = START + MINUTE * (count - step)
    run = engine.run_backtesting(config, START, end, "1m", 0.0004)
    found = asyncio.run(run)
    return found["results"], engine.controller


def test_a_guarded_backtest_loses_less(rules: Path) -> None:
    bare, _ = backtest(type("Bare", (AlwaysLong,), {}))
    kept = guarded(rules, bars="5m")(type("Kept", (AlwaysLong,), {}))
    found, controller = backtest(kept)
    assert found["total_executors"] < bare["total_executors"]
    assert bare["net_pnl_quote"] < found["net_pnl_quote"] < 0
    assert "block_entries" in controller._riskguard.denials[0]


def test_a_broken_guard_lets_nothing_in(guard: ScriptedGuard) -> None:
    guard.boom = True
    kept = guarded(desk=lambda: guard, bars="5m")(type("Broken", (AlwaysLong,), {}))
    found, _ = backtest(kept)
    assert found["total_executors"] == 0


def test_what_else_the_rules_read_comes_by_samples(tmp_path: Path) -> None:
    path = tmp_path / "fear.yaml"
    text = "  fear: {when: fear_greed <= 20, clear: fear_greed >= 40, do: {reduce_only: true}}\n"
    path.write_text(LADDER[: LADDER.index("rules:")] + "rules:\n" + text)
    day = START * 10**9

    def samples() -> list[Sample]:
        return [Sample(day + hour * 3600 * 10**9, "*", {"fear_greed": 50.0 - 10 * hour})
                for hour in range(-1, 24)]  # fmt: skip

    kept = guarded(path, bars="5m", samples=samples)(type("Feared", (AlwaysLong,), {}))
    found, controller = backtest(kept)
    assert controller._riskguard.desk.decision.active == ("fear",)
    assert found["total_executors"] <= 6
    with pytest.raises(RuleError, match="fear_greed"):
        backtest(guarded(path, bars="5m")(type("Unfed", (AlwaysLong,), {})))


def test_the_guard_decides_by_candles_that_have_closed(guard: ScriptedGuard) -> None:
    told: list[tuple[int, int]] = []
    kept = type("Timed", (AlwaysLong,), {})
    inner = guard.take

    def take(event: Any) -> Any:
        if event.kind == "bar":
            told.append((event.ts, controllers[0].market_data_provider.time() * 10**9))
        return inner(event)

    controllers: list[Any] = []
    guard.take = take
    old = kept.__init__

    def init(self: Any, *args: Any, **words: Any) -> None:
        controllers.append(self)
        old(self, *args, **words)

    kept.__init__ = init
    backtest(guarded(desk=lambda: guard, bars="5m")(kept), count=120)
    assert len(told) == 23
    assert all(ts <= now < ts + 60 * 10**9 for ts, now in told)


def test_the_cost_of_a_step_is_shown(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def took(cls: type) -> float:
        began = time.process_time()
        backtest(cls)
        return (time.process_time() - began) / 720

    bare = took(type("BareCost", (AlwaysLong,), {}))
    kept = took(guarded(rules, bars="5m")(type("KeptCost", (AlwaysLong,), {})))
    with capsys.disabled():
        print(f"\nhummingbot: {bare * 1e6:.0f} us a step bare, {kept * 1e6:.0f} us guarded")  # noqa: T201 - a figure to read, no bound


def test_the_start_says_what_stands_in_and_which_orders_nobody_guards(tmp_path: Path) -> None:
    path = stood_in(tmp_path, "5m")
    _, controller = backtest(guarded(path, bars="5m")(type("StoodIn", (AlwaysLong,), {})))
    assert controller._riskguard.notes == (STANDS_IN,)
    path.write_text(path.read_text().replace("BTC", "SOL"))
    found, controller = backtest(guarded(path, bars="5m")(type("Elsewhere", (AlwaysLong,), {})))
    assert controller._riskguard.notes == (STANDS_IN, passing("BTC/USDT:USDT"))
    assert found["total_executors"] > 0


def test_rules_that_need_more_than_can_be_done_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(LADDER.replace("block_entries: long", "leverage_cap: 2x"))
    with pytest.raises(RuleError, match="RG606"):
        backtest(guarded(path, bars="5m")(type("Geared", (AlwaysLong,), {})))
    with pytest.raises(AdapterError, match="nothing to obey"):
        guarded()
