"""The guard in whole backtests of jesse."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from e2e.frames import WARM, decisions_of, minutes
from jesse.research import backtest
from jesse.strategies import Strategy
from stood_in import STANDS_IN, passing, stood_in

from riskguard import AdapterError, Sample, State, load_rules
from riskguard.adapters.jesse import CAPABILITIES, guarded
from riskguard.history import History
from riskguard.testing import ScriptedGuard

PACK = Path(__file__).resolve().parents[3] / "rules" / "feb-2026.yaml"
EXCHANGE = "Binance Perpetual Futures"
START = 1_767_225_600_000  # 2026-01-01
MINUTE = 60_000_000_000
BASE = "version: 1\nsymbol: BTC\nevery: 1m\nrules:\n"


def flat(*prices: float) -> np.ndarray:
    """Return candles of one price each."""
    return np.array(
        [[START + 60_000 * place, *[price] * 4, 1] for place, price in enumerate(prices)], float
    )


def ran(
    routes: dict[str, type], candles: dict[str, np.ndarray], frame: str = "1m", **more: Any
) -> dict[str, Any]:
    """Run strategies by symbol; what has candles and no strategy is a data route."""
    terms = {
        "starting_balance": 100_000,
        "fee": 0.0,
        "type": "futures",
        "futures_leverage": 2,
        "futures_leverage_mode": "cross",
        "exchange": EXCHANGE,
        "warm_up_candles": 0,
    }
    found: dict[str, Any] = {}

    def keep(self: Any) -> None:
        found[self.symbol] = self

    for one in routes.values():
        one.before_terminate = keep
    names = {symbol: {"exchange": EXCHANGE, "symbol": f"{symbol}-USDT"} for symbol in candles}
    found["metrics"] = backtest(
        {**terms, **more},
        [{**names[one], "strategy": kind, "timeframe": frame} for one, kind in routes.items()],
        [{**names[one], "timeframe": frame} for one in candles if one not in routes],
        {f"{EXCHANGE}-{one}-USDT": {**names[one], "candles": candles[one]} for one in candles},
        fast_mode=True,
    )["metrics"]
    return found


class Quiet(Strategy):
    """Does at the close of a candle what `plan` says; keeps what it held then."""

    plan: dict[int, Any] = {}  # noqa: RUF012 - each test has a class of its own

    def __init__(self) -> None:
        super().__init__()
        self.held: list[float] = []

    def should_long(self) -> bool:
        return False

    def go_long(self) -> None:
        """Never asked."""

    def should_cancel_entry(self) -> bool:
        return False

    def after(self) -> None:
        self.held.append(round(float(self.position.qty), 9))
        self.plan.get(self.index, lambda _: None)(self)


def bot(plan: dict[int, Any], base: type = Quiet, **more: Any) -> type:
    return type("Bot", (base,), {"plan": plan, **more})


def buy(quantity: float) -> Any:
    return lambda one: one.broker.buy_at_market(quantity)


def held(guard: ScriptedGuard, kind: type, *prices: float) -> list[float]:
    """Run under a scripted guard; return what was held at each close."""
    strategy = guarded(desk=lambda: guard, symbol="BTC")(kind)
    return ran({"BTC": strategy}, {"BTC": flat(*prices)})["BTC-USDT"].held


def say(guard: ScriptedGuard, state: State, then: Any = None, **do: Any) -> Any:
    def job(strategy: Any) -> None:
        guard.state(state, **do)
        if then is not None:
            then(strategy)

    return job


# ---------------------------------------------------------------- what is refused


def test_what_cannot_be_guarded_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="no strategy"):
        guarded(desk=ScriptedGuard, symbol="BTC")(object)
    twice = guarded(desk=ScriptedGuard, symbol="BTC")
    with pytest.raises(AdapterError, match="guarded twice"):
        ran({"BTC": twice(twice(bot({})))}, {"BTC": flat(100, 100)})
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"{BASE}  weak: {{when: close < 90, do: {{exposure_cap: 50%}}}}\n")
    with pytest.raises(AdapterError, match="no route brings candles of BTC; there are ETH"):
        ran({"ETH": guarded(rules)(bot({}))}, {"ETH": flat(100, 100)})


def test_the_start_says_what_stands_in_and_which_orders_nobody_guards(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put = guarded(stood_in(tmp_path, "1m"))
    routes = {"SOL": put(bot({3: buy(1)})), "BTC": put(bot({3: buy(1)}))}
    found = ran(routes, {"SOL": flat(*[50] * 6), "BTC": flat(*[50] * 6)})
    assert found["SOL-USDT"].held[-1] == 1
    assert found["BTC-USDT"].held[-1] == 0
    told = STANDS_IN, passing("SOL-USDT")
    assert found["BTC-USDT"].riskguard.candles.notes == told
    assert all(f"riskguard: {one}" in caplog.messages for one in told)


# ---------------------------------------------------------------- orders of jesse itself


class Stopped(Quiet):
    """Enters with a stop above the entry: jesse replaces it by an order at market."""

    def should_long(self) -> bool:
        return self.index == 3

    def go_long(self) -> None:
        self.buy = 4, self.price
        self.stop_loss = 4, self.price + 1


def test_the_market_order_that_replaces_a_stop_is_an_exit() -> None:
    guard = ScriptedGuard()
    guard.state(State.CAUTION, exposure_cap=0.5)
    found = held(guard, bot({}, Stopped), *[100] * 8)
    # bought 2 of 4, and out again with the order to sell 4
    assert [(one.effect, one.quantity > 0) for one in guard.verdicts] == [
        ("open", True),
        ("flip", True),
    ]
    assert set(found) == {0}


class Laddered(Quiet):
    """Enters behind two limits, with one stop for both."""

    def should_long(self) -> bool:
        return self.index == 3

    def go_long(self) -> None:
        self.buy = [(1, 99), (1, 97)]
        self.stop_loss = 2, 90


def test_a_stop_still_covers_an_entry_that_waits() -> None:
    found = held(ScriptedGuard(), bot({}, Laddered), *[100] * 5, 98, 96, 96, 80, 80)
    assert found[5:] == [1, 2, 2, 0, 0]


class Waiting(Quiet):
    """Waits behind a limit for ever."""

    def should_long(self) -> bool:
        return self.index >= 3

    def go_long(self) -> None:
        self.buy = 1, 95


def test_a_cancelled_entry_is_sent_again_once_nothing_limits() -> None:
    guard = ScriptedGuard()
    plan = {5: say(guard, State.REDUCING), 9: say(guard, State.ACTIVE)}
    prices = [100.0] * 7 + [94.0] + [100.0] * 5 + [94.0] * 2
    assert held(guard, bot(plan, Waiting), *prices) == [0] * 13 + [1, 1]


class Adding(Quiet):
    """Adds at each candle, as strategies of jesse do it."""

    def should_long(self) -> bool:
        return self.index == 2

    def go_long(self) -> None:
        self.buy = 1, self.price

    def update_position(self) -> None:
        self.buy = 1, self.price - 0.01 * self.index


def test_averaging_down_adds_nothing_while_reducing() -> None:
    guard = ScriptedGuard()
    plan = {5: say(guard, State.REDUCING)}
    found = held(guard, bot(plan, Adding), *[100.0 - place for place in range(12)])
    assert found[2] < found[5]
    assert set(found[6:]) == {found[6]}
    assert found[6] <= found[5] + 1  # what had been sent with its candle


# ---------------------------------------------------------------- the account


def test_what_the_account_loses_reaches_the_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        f"{BASE}  lost: {{when: trades.lost.sum(6m) >= 2, do: {{block_entries: both}}}}\n"
        "  deep: {when: equity.drawdown(all) >= 4%, do: {exposure_cap: 0%}}\n"
    )
    leave = {place: lambda one: one.broker.sell_at_market(100) for place in (3, 5)}
    trips = {2: buy(100), 4: buy(100), 6: buy(100), 7: buy(100), 14: buy(100)} | leave
    prices = [100.0 - place / 10 for place in range(18)]
    found = ran({"BTC": guarded(rules)(bot(trips))}, {"BTC": flat(*prices)})["BTC-USDT"]
    assert found.held[5:] == [100, *[0] * 9, 100, 100, 100]
    deep = guarded(rules)(bot({2: buy(1_000)}))
    found = ran({"BTC": deep}, {"BTC": flat(*[100] * 5, *[95] * 5)})["BTC-USDT"]
    assert found.held[-4:] == [0] * 4


# ---------------------------------------------------------------- time


def test_samples_are_seen_when_they_were_known_and_not_before(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        f"{BASE}  gone: {{when: oi < 50, clear: oi > 70, do: {{block_entries: both}}}}\n"
    )
    start = START * 1_000_000

    def samples() -> Iterator[Sample]:
        for place in range(12):
            yield Sample(start + place * MINUTE, "BTC", {"oi": 100.0})
            if place == 6:  # known a nanosecond after the close of candle 5
                yield Sample(start + place * MINUTE + 1, "BTC", {"oi": 10.0})
                return

    plan = {place: buy(1) for place in range(4, 9)}
    put = guarded(rules, samples=samples)
    found = ran({"BTC": put(bot(plan))}, {"BTC": flat(*[100] * 12)})["BTC-USDT"]
    # the order at the close of candle 5 passes, that of candle 6 knows
    assert found.held[4:8] == [0, 1, 2, 2]


def test_one_guard_holds_for_all_routes_and_hears_each_candle_once() -> None:
    guard = ScriptedGuard()
    put = guarded(desk=lambda: guard, symbol="BTC")
    plan = {3: buy(1), 5: say(guard, State.HALTED)}
    routes = {"ETH": put(bot({3: buy(2)})), "BTC": put(bot(plan))}
    found = ran(routes, {"ETH": flat(*[50] * 9), "BTC": flat(*[100] * 9)})
    closes = [one.ts for one in guard.events if one.kind == "bar"]
    assert len(closes) == len(set(closes)) == 9
    assert found["BTC-USDT"].held[-3:] == [0] * 3
    assert found["ETH-USDT"].held[-3:] == [0] * 3
    assert {one.symbol for one in guard.intents} >= {"BTC", "ETH"}


def test_a_finer_data_route_tells_the_guard_what_a_coarse_route_would_miss(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"{BASE}  dip: {{when: close < 90, min_hold: 1h, do: {{exposure_cap: 0%}}}}\n")
    prices = [100.0] * 31 + [80.0] * 3 + [100.0] * 26
    route = {"exchange": EXCHANGE, "symbol": "BTC-USDT"}
    found: dict[str, Any] = {}
    kind = guarded(rules)(bot({1: buy(1)}))
    kind.before_terminate = lambda self: found.update(one=self)
    backtest(
        {
            "starting_balance": 100_000, "fee": 0, "type": "futures", "futures_leverage": 1,
            "futures_leverage_mode": "cross", "exchange": EXCHANGE, "warm_up_candles": 0,
        },
        [{**route, "strategy": kind, "timeframe": "15m"}],
        [{**route, "timeframe": "1m"}],
        {f"{EXCHANGE}-BTC-USDT": {**route, "candles": flat(*prices)}},
    )  # fmt: skip
    assert found["one"].held == [0, 0, 0, 0]
    assert found["one"].riskguard.candles.every == MINUTE


# ---------------------------------------------------------------- while nothing limits; a fault


def test_while_nothing_limits_a_run_is_as_without_a_guard(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"{BASE}  weak: {{when: close < 1, do: {{exposure_cap: 50%}}}}\n")
    prices = [100 + (7 * place) % 11 for place in range(90)]
    plan = {place: buy(1 + place % 3) for place in range(2, 90, 3)}
    plan |= {place: lambda one: one.broker.sell_at_market(4) for place in range(4, 90, 5)}
    bare = ran({"BTC": bot(plan)}, {"BTC": flat(*prices)}, fee=0.001)
    ours = ran({"BTC": guarded(rules)(bot(plan))}, {"BTC": flat(*prices)}, fee=0.001)
    assert bare["BTC-USDT"].held == ours["BTC-USDT"].held
    assert bare["metrics"] == ours["metrics"]
    assert len(set(bare["BTC-USDT"].held)) > 3


def test_a_guard_that_always_fails_lets_nothing_in() -> None:
    guard = ScriptedGuard()
    guard.boom = True
    assert set(held(guard, bot({place: buy(1) for place in range(8)}), *[100] * 10)) == {0}


# ---------------------------------------------------------------- the embedded sell-off


class Pyramid(Strategy):
    """Holds one coin and adds a quarter a day into the fall."""

    def should_long(self) -> bool:
        return self.index > WARM

    def go_long(self) -> None:
        self.buy = 1, self.price

    def should_cancel_entry(self) -> bool:
        return False

    def on_open_position(self, order: Any) -> None:
        self.vars["bought"] = [self.time * 1_000_000]

    def on_increased_position(self, order: Any) -> None:
        self.vars["bought"].append(self.time * 1_000_000)

    def update_position(self) -> None:
        if self.increased_count < 12 and self.index % 6 == 0:
            self.buy = 0.25, self.price


def test_on_the_embedded_sell_off_the_guarded_run_loses_less(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = History.read("feb-2026")
    candles = {symbol: minutes(symbol) for symbol in history.symbols}
    kind = guarded(PACK, sources=history.sources(), samples=history.samples)(
        type("Guarded", (Pyramid,), {})
    )
    terms = {"frame": "4h", "starting_balance": 200_000, "fee": 0.0004}
    bare = ran({"BTC": type("Bare", (Pyramid,), {})}, candles, **terms)
    found = ran({"BTC": kind}, candles, **terms)
    guard = found["BTC-USDT"].riskguard
    assert not guard.post.faults
    assert not guard.candles.desk.refused
    wanted = decisions_of(load_rules(PACK), CAPABILITIES)
    assert guard.candles.desk.decision == list(wanted.values())[-1]
    tight = {ts for ts, one in wanted.items() if one.state >= State.REDUCING}
    assert not set(found["BTC-USDT"].vars["bought"]) & tight
    drawdown = [one["metrics"]["max_drawdown"] for one in (bare, found)]
    assert drawdown[1] > drawdown[0] / 2
    with capsys.disabled():
        sys.stdout.write(
            f"\njesse, feb-2026, pyramiding: drawdown {drawdown[0]:.1f} % bare,"
            f" {drawdown[1]:.1f} % guarded; {len(guard.post.vetoes)} orders refused or cut\n"
        )
