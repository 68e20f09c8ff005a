"""Rules on the account, stepped inside the simulation: they depend on what was traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from riskguard import Guard, Sample
from riskguard.adapters.backtrader.account import Ledger
from riskguard.backtest.compare import Request, compare
from riskguard.backtest.runs import Costs, run
from riskguard.backtest.strategies import find
from riskguard.backtest.watching import OF_BROKER
from riskguard.history import History
from riskguard.language.reader import read_text
from riskguard.market import FROM_ZERO

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison

HEAD = "version: 1\nevery: 4h\n"
DRAWDOWN = HEAD + (
    "rules:\n  max_drawdown:\n    when: equity.drawdown(all) >= 20%\n"
    "    do: {exposure_cap: 0%, close: all}\n    latch: true\n"
)


def read(text: str):
    rules, found = read_text(text, "rules.yaml")
    assert rules is not None, [one.render() for one in found]
    return rules


def compared(rules: str, strategy: str = "leveraged_hold", **more: Any) -> Comparison:
    history = History.read("feb-2026")
    return compare(Request(history, read(rules), "rules.yaml", find(strategy), strategy, **more))


class Recorder(Guard):
    """A guard that keeps what it was told."""

    told: list[Sample]

    def update(self, sample: Sample):
        self.__dict__.setdefault("told", []).append(sample)
        return super().update(sample)


@pytest.mark.parametrize(
    "strategy", ["leveraged_hold", "perp_momentum", "sma_cross", "dca_grid", "donchian_breakout"]
)
def test_what_trades_earned_adds_up_to_the_equity(strategy: str) -> None:
    history = History.read("feb-2026")
    quiet = "rules:\n  r: {when: equity < $1, min_hold: 1h, do: {notify: never}}\n"
    guard = Recorder(read(HEAD + "symbol: BTC\n" + quiet))
    made = run(
        history, find(strategy), {}, symbol="BTC", cash=100_000.0, costs=Costs(),
        trading_from=50, guard=guard,
    )  # fmt: skip
    told = [one.values for one in guard.told if one.symbol == "BTC" and "equity" in one.values]
    assert len(told) == len(made.equity)
    earned = np.cumsum([values["pnl.realised"] for values in told])
    flat = np.flatnonzero(np.abs(made.position) < 1e-9)
    assert np.allclose(made.equity[flat], 100_000.0 + earned[flat], rtol=1e-9)
    closed = sum(values["trades.closed"] for values in told)
    lost = sum(values["trades.lost"] for values in told)
    losses = sum(values["pnl.realised"] < 0 for values in told)
    assert closed >= lost >= losses
    if strategy not in {"leveraged_hold", "dca_grid"}:  # they never sell all
        assert closed > 0
    for values, equity, position in zip(told, made.equity, made.position, strict=True):
        assert (values["equity"], values["position"]) == (equity, position)


def test_a_latched_drawdown_limit_leaves_the_account_flat_for_good() -> None:
    made = compared(DRAWDOWN)
    equity, position = made.results["guarded"].run.equity, made.results["guarded"].run.position
    first = made.trading_from
    peak = np.maximum.accumulate(equity[first:])
    crossed = first + int(np.argmax(equity[first:] <= peak * 0.8))
    assert position[crossed] > 0  # decided at this close, sold at the next open
    assert not np.abs(position[crossed + 1 :]).max() > 1e-9
    assert made.results["bare"].run.position[crossed + 1] > 0
    states = [(decision.state.name, decision.latched) for decision, _ in made.decisions]
    assert states[-1] == ("HALTED", True)
    assert made.decisions[-1][0].ts == made.ts[crossed]


def test_an_account_needs_no_warm_up() -> None:
    assert compared(DRAWDOWN).trading_from == 0


def test_what_the_recovery_still_lacks_is_read_from_the_simulation() -> None:
    text = DRAWDOWN.replace("    latch: true\n", "    clear: equity.drawdown(all) <= 10%\n")
    (line,) = compared(text).recovery
    assert line.line == "equity.drawdown(all) <= 10%"
    assert line.truth == "false"
    assert line.value == pytest.approx(0.2, abs=0.15)


def test_a_stop_that_is_hit_is_told() -> None:
    text = HEAD + (
        "rules:\n  tight: {when: close > 1, min_hold: 1h, do: {stop: 5%}}\n"
        "  stopped:\n    when: trades.stopped.sum(7d) >= 1\n    clear: close < 1\n"
        "    do: {block_entries: both}\n"
    )
    made = compared(text, "buy_and_hold")
    active = [decision.active for decision, _ in made.decisions]
    assert ("stopped", "tight") in active


@pytest.mark.parametrize("strategy", ["leveraged_hold", "perp_momentum"])
def test_bars_alone_give_the_same_run_by_event_and_by_close(strategy: str) -> None:
    rules = (
        "symbol: BTC\nrules:\n  fall:\n    when: close.drop(24h) >= 4% for 2 closes\n"
        "    clear: close.drop(24h) <= 1% for 12h\n    do: {exposure_cap: 30%}\n"
    )
    by_close = compared(HEAD + rules, strategy)
    by_event = compared(HEAD + "evaluate: event\n" + rules, strategy)
    one, two = (made.results["guarded"].run for made in (by_close, by_event))
    assert np.array_equal(one.equity, two.equity)
    assert one.fills == two.fills
    assert len(one.fills) > 2


def test_the_broker_tells_every_account_input() -> None:
    assert OF_BROKER.keys() >= FROM_ZERO


def test_an_account_under_water_is_above_any_limit_of_leverage() -> None:
    class Feed:
        close = (50.0,)

        def __len__(self) -> int:
            return 1

    class Position:
        size, price = 2.0, 100.0

    class Broker:
        _value = -3.0

    feed, broker = Feed(), Broker()
    broker.positions = {feed: Position()}
    told = Ledger(broker, feed).values()
    assert told["leverage"] == 1e6
    assert told["pnl.unrealised"] == -100.0
