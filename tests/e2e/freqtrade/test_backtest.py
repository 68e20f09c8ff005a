"""freqtrade's own backtest, bare and guarded, on the embedded scenario."""

from __future__ import annotations

import pytest
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.optimize.backtesting import Backtesting

from riskguard import Guard, load_rules
from riskguard.adapters.freqtrade import CAPABILITIES
from riskguard.history import History
from riskguard.language.binding import bind
from riskguard.shipped import shipped
from tests.e2e.freqtrade.folder import STRATEGIES, backtested, candles, written
from tests.stub.binance import urls
from tests.stub.server import Stub

NAMES = ("Holding", "HoldingGuarded", "HoldingBroken", "Averaging", "AveragingGuarded", "OnCandles",
         "BitcoinAlone")  # fmt: skip
STEP = 0.001  # of the stub


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


@pytest.fixture(scope="module")
def ran(history, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("freqtrade")
    with Stub() as stub:
        written(folder, urls(stub.port), stake_amount=30_000, dry_run_wallet=100_000)
        candles(folder, history, "4h")
        found, said = backtested(folder, *NAMES)
    for name in NAMES:
        one = found[name]
        print(f"{name:18} {one['total_trades']:>3} trades, {one['profit_total']:+.2%}, "
              f"drawdown {one['max_drawdown_account']:.2%}")  # fmt: skip
    return found | {"said": said}


@pytest.fixture(scope="module")
def decisions(history) -> list:
    """The decisions of the same rules on the same samples, without freqtrade."""
    rules = load_rules(shipped("rules") / "feb-2026.yaml")
    bound = bind(
        rules, symbol="BTC", every=history.every, carried=history.inputs(),
        capabilities=CAPABILITIES,
    )  # fmt: skip
    guard, found = Guard(bound.ruleset, sources=history.sources()), []
    for sample in history.samples():
        decision = guard.update(sample)
        if not found or decision is not found[-1]:
            found.append(decision)
    return found


def orders(ran, name, pair="BTC/USDT") -> list[dict]:
    return [
        one for trade in ran[name]["trades"] if trade["pair"] == pair for one in trade["orders"]
    ]


def test_a_guard_halves_what_a_holder_loses(ran) -> None:
    bare, guarded = ran["Holding"], ran["HoldingGuarded"]
    assert guarded["max_drawdown_account"] < bare["max_drawdown_account"] / 2
    assert guarded["total_trades"] > 0


def test_reductions_fill_at_the_open_of_the_bar_after_the_decision(ran, decisions) -> None:
    caps = {one.ts // 10**6: one.exposure_cap for one in decisions}
    asked = [one for one in orders(ran, "HoldingGuarded") if not one["ft_is_entry"]]
    assert len(asked) > 4
    for order in asked:
        assert caps[order["order_filled_timestamp"]] < 1  # made at the very close it opens with


def test_what_is_held_is_never_above_the_cap_of_its_base(ran, decisions) -> None:
    held = base = 0.0
    for order in orders(ran, "HoldingGuarded"):
        now = max((one for one in decisions if one.ts // 10**6 <= order["order_filled_timestamp"]),
                  key=lambda one: one.ts)  # fmt: skip
        before = held
        held += order["amount"] if order["ft_is_entry"] else -order["amount"]
        earlier = [one for one in decisions if one.ts < now.ts]
        if not earlier or earlier[-1].state.name == "ACTIVE" or not base:
            base = before or held
        assert held <= base * now.exposure_cap + 1e-12
        assert order["ft_is_entry"] or held >= base * now.exposure_cap - STEP


def test_a_broken_guard_enters_nothing(ran) -> None:
    assert ran["HoldingBroken"]["total_trades"] == 0


def test_a_strategy_that_averages_down_adds_nothing_while_reducing(ran, decisions) -> None:
    bare = [one for one in orders(ran, "Averaging") if one["ft_is_entry"]]
    guarded = [one for one in orders(ran, "AveragingGuarded") if one["ft_is_entry"]]
    assert len(bare) > 60
    assert 10 < len(guarded) < len(bare)
    for order in guarded:
        ts = order["order_filled_timestamp"] * 10**6
        now = [one for one in decisions if one.ts <= ts][-1]
        assert now.state.name == "ACTIVE" or now.block_entries == "none"


def test_a_guard_fed_by_freqtrades_candles_alone_never_sees_the_one_in_progress(ran) -> None:
    """Below 75,000 since the close of a candle: out at the open of the next, not one later."""
    closes = History.read("feb-2026").bars("BTC")
    first = next(ts for ts, close in zip(closes.ts, closes.close, strict=True) if close < 80_000)
    left = [one for one in orders(ran, "OnCandles") if not one["ft_is_entry"]]
    assert left[0]["order_filled_timestamp"] == first // 10**6
    assert left[0]["ft_order_tag"] == "riskguard_flatten"


def test_a_pair_that_the_rules_do_not_name_trades_on_and_is_told_at_the_start(ran) -> None:
    assert "orders in ETH pass: these rules do not guard them" in " ".join(ran["said"].split())
    reasons = {one["pair"]: one["exit_reason"] for one in ran["BitcoinAlone"]["trades"]}
    assert reasons == {"BTC/USDT": "riskguard_flatten", "ETH/USDT": "force_exit"}


def test_a_second_run_in_one_process_begins_at_the_beginning(history, tmp_path) -> None:
    """As in a hyperopt: the strategy is started once, and run over the same time again."""
    with Stub() as stub:
        written(tmp_path, urls(stub.port), stake_amount=30_000, dry_run_wallet=100_000)
        candles(tmp_path, history, "4h")
        args = {
            "config": [str(tmp_path / "config.json")], "strategy": "HoldingGuarded",
            "user_data_dir": str(tmp_path / "user_data"), "strategy_path": str(STRATEGIES),
            "timeframe": "4h", "export": "none",
        }  # fmt: skip
        test = Backtesting(Configuration(args, RunMode.BACKTEST).get_config())
        data, span = test.load_bt_data()
        runs = []
        for _ in range(2):
            test.backtest_one_strategy(test.strategylist[0], data, span)
            found = test.all_bt_content["HoldingGuarded"]["results"]
            columns = ["pair", "open_date", "close_date", "amount", "profit_abs", "exit_reason"]
            runs.append(found[columns].to_numpy().tolist())
        Backtesting.cleanup()
    assert runs[0] == runs[1]
    assert [row[-1] for row in runs[0]] == ["riskguard_flatten"] * 2


def test_the_start_says_what_is_replaced_and_what_is_off(ran) -> None:
    said = " ".join(ran["said"].split())
    assert "this bot cannot do stop 1 ATR, hedge 50%; exposure_cap 25% stands in for it" in said
    assert "riskguard: guards BTC, ETH by the candles of BTC/USDT" in said
