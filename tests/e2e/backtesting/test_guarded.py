"""The guard in whole backtests of backtesting.py."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from backtesting import Backtest, Strategy
from backtesting.lib import FractionalBacktest
from e2e.frames import WARM, decisions_of, feb_2026
from stood_in import STANDS_IN, stood_in

from riskguard import AdapterError, RuleError, State, load_rules
from riskguard.adapters.backtesting import CAPABILITIES, guarded
from riskguard.testing import ScriptedGuard

PACK = Path(__file__).resolve().parents[3] / "rules" / "feb-2026.yaml"
UNIT = 1e-6
HALF = "version: 1\nsymbol: BTC\nrules:\n  weak: {when: close < 90, do: {exposure_cap: 50%}}\n"


def bars(*prices: float) -> pd.DataFrame:
    """Return flat bars of an hour."""
    index = pd.date_range("2026-01-01", periods=len(prices), freq="1h")
    return pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices), index=index)


def bot(plan: dict[int, Any]) -> type[Strategy]:
    """Return a strategy that does something at the close of given bars."""

    class Bot(Strategy):
        def init(self) -> None:
            self.held: list[int] = []

        def next(self) -> None:
            self.held.append(int(self.position.size))
            plan.get(len(self.data) - 1, lambda _: None)(self)

    return Bot


def ran(strategy: type, data: pd.DataFrame, kind: type = Backtest, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(data, strategy, **{"cash": 100_000.0, **more}).run()


def held(guard: ScriptedGuard, plan: dict[int, Any], count: int = 12, **more: Any) -> list[int]:
    """Run under a scripted guard at a price of 100; return the position seen at each bar."""
    strategy = guarded(desk=lambda: guard, symbol="BTC")(bot(plan))
    return ran(strategy, bars(*[100.0] * count), **more)["_strategy"].held


def say(guard: ScriptedGuard, state: State, then: Any = None, **do: Any) -> Any:
    """Return a job that sets the state and then does something."""

    def job(strategy: Any) -> None:
        guard.state(state, **do)
        if then is not None:
            then(strategy)

    return job


# ---------------------------------------------------------------- what is refused


def test_fills_on_the_bar_that_is_decided_on_are_refused() -> None:
    strategy = guarded(desk=ScriptedGuard, symbol="BTC")(bot({}))
    with pytest.raises(AdapterError, match="trade_on_close"):
        ran(strategy, bars(100, 100, 100), trade_on_close=True)
    with pytest.raises(AdapterError, match="hedging"):
        ran(strategy, bars(100, 100, 100), hedging=True)


def test_the_start_says_what_stands_in_and_no_run_is_of_what_nobody_guards(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strategy = guarded(stood_in(tmp_path))(bot({1: lambda one: one.buy(size=10)}))
    keeper = ran(strategy, bars(*[100.0] * 4, *[50.0] * 4))["_strategy"].riskguard
    assert keeper.notes[0] == STANDS_IN
    assert f"riskguard: {STANDS_IN}" in caplog.messages
    assert int(keeper.strategy.position.size) == 4
    strategy = guarded(stood_in(tmp_path), symbol="SOL")(bot({}))
    with pytest.raises(RuleError, match="guards BTC, ETH, not SOL"):
        ran(strategy, bars(*[100.0] * 4))


def test_what_cannot_be_guarded_is_said_at_the_start() -> None:
    with pytest.raises(AdapterError, match="no strategy"):
        guarded(desk=ScriptedGuard, symbol="BTC")(object)
    with pytest.raises(AdapterError, match="one of rules and desk"):
        guarded()
    with pytest.raises(AdapterError, match="no symbol"):
        guarded(desk=ScriptedGuard)
    twice = guarded(desk=ScriptedGuard, symbol="BTC")
    with pytest.raises(AdapterError, match="guarded twice"):
        ran(twice(twice(bot({}))), bars(100, 100, 100))
    once = guarded(desk=ScriptedGuard, symbol="BTC")(bot({}))
    with pytest.raises(AdapterError, match="DatetimeIndex"):
        ran(once, bars(100, 100, 100).reset_index(drop=True))
    beside = bars(100, 100, 100)
    beside.index += pd.Timedelta("7min")
    with pytest.raises(AdapterError, match="no multiple"):
        ran(once, beside)


def test_rules_that_read_what_no_column_holds_do_not_start(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(HALF.replace("close < 90", "oi.change(1d) <= -5%"))
    with pytest.raises(RuleError, match=r"oi\.change"):
        ran(guarded(rules)(bot({})), bars(100, 100, 100))


# ---------------------------------------------------------------- sizes


def test_a_share_of_the_equity_is_cut_in_whole_units() -> None:
    guard = ScriptedGuard()
    buys = {2: say(guard, State.CAUTION, lambda one: one.buy(size=0.5), exposure_cap=0.25)}
    assert held(guard, buys)[-1] == 125  # of 500: half of the equity at 100


def test_a_whole_size_is_never_cut_to_a_share() -> None:
    guard = ScriptedGuard()
    buys = {2: say(guard, State.CAUTION, lambda one: one.buy(size=1), exposure_cap=0.25)}
    assert held(guard, buys)[-1] == 0  # 0.25 would be a quarter of the equity: 250 units


def test_while_nothing_limits_a_run_is_as_without_a_guard(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(HALF.replace("90", "1"))
    prices = [100 + (7 * place) % 11 for place in range(60)]
    plan = {
        place: (lambda one: one.sell(size=0.3, sl=130)) if place % 3 else lambda one: one.buy()
        for place in range(2, 60, 4)
    }
    bare = ran(bot(plan), bars(*prices), exclusive_orders=True, commission=0.001)
    ours = ran(guarded(rules)(bot(plan)), bars(*prices), exclusive_orders=True, commission=0.001)
    assert bare["# Trades"] > 5
    assert bare["_trades"].equals(ours["_trades"])


# ---------------------------------------------------------------- exits


def test_an_exit_and_a_close_on_one_bar_do_not_flip() -> None:
    guard = ScriptedGuard()

    def leave(strategy: Any) -> None:
        strategy.sell(size=10)
        strategy.position.close()
        strategy.sell(size=10)

    plan = {2: lambda one: one.buy(size=10), 4: say(guard, State.REDUCING, leave)}
    assert held(guard, plan)[-6:] == [0] * 6


def test_an_exit_that_rests_goes_with_its_position() -> None:
    guard = ScriptedGuard()
    plan = {
        2: lambda one: one.buy(size=10),
        4: lambda one: one.sell(size=10, limit=120),
        5: say(guard, State.CAUTION, exposure_cap=0.5),
        8: say(guard, State.HALTED),
    }
    strategy = guarded(desk=lambda: guard, symbol="BTC")(bot(plan))
    prices = [100.0] * 12 + [130.0] * 4
    assert ran(strategy, bars(*prices))["_strategy"].held[4:] == [10, 10, 5, 5, 5, *[0] * 6]


def test_protective_stops_stand_while_entries_are_cancelled() -> None:
    guard = ScriptedGuard()
    plan = {
        2: lambda one: one.buy(size=10, sl=80),
        4: lambda one: one.buy(size=5, limit=90),
        6: say(guard, State.REDUCING),
    }
    strategy = guarded(desk=lambda: guard, symbol="BTC")(bot(plan))
    prices = [100.0] * 9 + [89.0] * 3 + [79.0] * 3
    assert ran(strategy, bars(*prices))["_strategy"].held[-8:] == [10, 10, 10, 10, 10, 0, 0, 0]


def test_the_reduction_stands_after_the_cancels() -> None:
    guard = ScriptedGuard()
    plan = {
        2: lambda one: one.buy(size=10),
        4: lambda one: one.buy(size=10, limit=50),
        5: say(guard, State.CAUTION, exposure_cap=0.5),
    }
    assert held(guard, plan)[-4:] == [5] * 4
    assert [one.partition(":")[2].split(":")[1] for one in guard.finished] == [
        "cancel_entries",
        "reduce_to",
    ]


def test_a_strategy_that_cancels_all_its_orders_does_not_cancel_the_reduction() -> None:
    guard = ScriptedGuard()

    def cancel(strategy: Any) -> None:
        for order in strategy.orders:
            order.cancel()

    plan = {2: lambda one: one.buy(size=10), 4: say(guard, State.HALTED)}
    plan |= dict.fromkeys(range(5, 9), cancel)
    assert held(guard, plan)[-3:] == [0] * 3


def test_what_rests_is_cancelled_while_the_guard_fails() -> None:
    guard = ScriptedGuard()

    def fail(_: Any) -> None:
        guard.boom = True

    plan = {
        2: lambda one: one.buy(size=10, sl=50),
        3: lambda one: one.buy(size=10, limit=90),
        5: fail,
    }
    strategy = guarded(desk=lambda: guard, symbol="BTC")(bot(plan))
    found = ran(strategy, bars(*[100.0] * 8, *[89.0] * 4, *[49.0] * 3))["_strategy"].held
    assert found[-7:] == [10, 10, 10, 10, 0, 0, 0]  # the stop stands


# ---------------------------------------------------------------- exclusive orders


def test_of_a_reversal_only_the_exit_goes_out_while_reducing() -> None:
    guard = ScriptedGuard()
    plan = {2: lambda one: one.buy(size=10), 4: say(guard, State.REDUCING, lambda one: one.sell())}
    assert held(guard, plan, exclusive_orders=True)[-3:] == [0] * 3


def test_the_same_side_again_is_an_order_for_the_difference() -> None:
    guard = ScriptedGuard()
    plan = {
        2: lambda one: one.buy(size=10),
        4: say(guard, State.REDUCING, lambda one: one.buy(size=20)),
        6: lambda one: one.buy(size=10),
        8: lambda one: one.buy(size=4),
    }
    assert held(guard, plan, exclusive_orders=True) == [0, 0, 10, 10, 10, 10, 10, 10, 4, 4, 4]


# ---------------------------------------------------------------- a broken guard


def test_a_guard_that_always_fails_lets_nothing_in() -> None:
    guard = ScriptedGuard()
    guard.boom = True
    plan = {place: lambda one: one.buy(size=1) for place in range(2, 10)}
    assert set(held(guard, plan)) == {0}


def test_orders_before_the_first_bar_are_refused() -> None:
    class Early(bot({})):  # type: ignore[misc]  # a class made by a function
        def init(self) -> None:
            super().init()
            self.answer = self.buy(size=1)

    found = ran(guarded(desk=ScriptedGuard, symbol="BTC")(Early), bars(*[100.0] * 5))["_strategy"]
    assert found.answer is None
    assert found.riskguard.vetoes[0].reasons == ("RuntimeError: no decision yet",)


# ---------------------------------------------------------------- the account


def test_what_the_account_loses_reaches_the_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  lost: {when: trades.lost.sum(6h) >= 2, do: {block_entries: both}}\n"
        "  deep: {when: equity.drawdown(all) >= 4%, do: {exposure_cap: 0%}}\n"
    )
    prices = [100.0 - place / 10 for place in range(19)]
    trips = {2: lambda one: one.buy(size=100), 4: lambda one: one.position.close()}
    trips |= {5: trips[2], 7: trips[4], 8: trips[2], 9: trips[2], 16: trips[2]}
    seen = ran(guarded(rules)(bot(trips)), bars(*prices))["_strategy"].held  # from bar 1 on
    # bar 8 sees the second loss: its entry and that of bar 9 are refused, till 6 h have passed
    assert seen == [0, 0, 100, 100, 0, 100, 100, *[0] * 9, 100, 100]
    deep = {2: lambda one: one.buy(size=500)}
    found = ran(guarded(rules)(bot(deep)), bars(*[100.0] * 5, *[90.0] * 5))["_strategy"]
    assert found.held[-3:] == [0, 0, 0]
    assert found.riskguard.desk.decision.state is State.HALTED


# ---------------------------------------------------------------- the embedded sell-off


class Ladder(Strategy):
    """Averages down: a fifth of what is free each day, out every fifteen days."""

    def init(self) -> None:
        """Have no indicators."""

    def next(self) -> None:
        bar = len(self.data)
        if bar < WARM:
            return
        if bar % 90 == 0:
            self.position.close()
        elif bar % 6 == 0:
            self.buy(size=0.2)


def ladder(**more: Any) -> type[Strategy]:
    return guarded(PACK, unit=UNIT, **more)(type("Guarded", (Ladder,), {}))


@pytest.fixture(scope="module")
def scenario() -> tuple[Any, dict[str, str]]:
    return feb_2026()


def test_on_the_embedded_sell_off_the_guarded_run_loses_less(
    scenario: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data, sources = scenario
    terms = {"kind": FractionalBacktest, "fractional_unit": UNIT, "commission": 0.0004}
    bare = ran(Ladder, data, **terms)
    found = ran(ladder(sources=sources), data, **terms)
    keeper = found["_strategy"].riskguard
    assert not keeper.faults
    assert keeper.notes[-1] == "sizes are whole units of 1e-06: what is cut below one is refused"
    assert any("stands in for it" in one for one in keeper.notes)
    assert not keeper.desk.refused
    wanted = decisions_of(load_rules(PACK), CAPABILITIES)
    last = list(wanted)[-1]
    assert keeper.desk.decision == wanted[last]
    tight = {ts for ts, one in wanted.items() if one.state >= State.REDUCING}
    opened = {int(one.value) for one in found["_trades"]["EntryTime"]}  # the open = last close
    assert opened
    assert not opened & tight  # nothing was added while reducing
    assert found["Max. Drawdown [%]"] > bare["Max. Drawdown [%]"] / 2
    worst = [f"{one['Max. Drawdown [%]']:.1f} %" for one in (bare, found)]
    with capsys.disabled():
        sys.stdout.write(
            f"\nbacktesting.py, feb-2026, averaging down: drawdown {worst[0]} bare, {worst[1]}"
            f" guarded; {len(keeper.vetoes)} orders refused or cut\n"
        )


def test_what_is_decided_does_not_change_when_later_bars_are_cut_off(scenario: Any) -> None:
    data, sources = scenario
    terms = {"kind": FractionalBacktest, "fractional_unit": UNIT}
    whole = ran(ladder(sources=sources), data, **terms)["_strategy"].riskguard
    for end in (250, 400, 500):
        cut = ran(ladder(sources=sources), data.iloc[:end], **terms)["_strategy"].riskguard
        assert cut.vetoes == whole.vetoes[: len(cut.vetoes)]
        assert len(cut.vetoes) == sum(one.ts <= cut.venue.ts for one in whole.vetoes)
