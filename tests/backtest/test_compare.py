"""The three runs of a comparison: where they begin, what they hold, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from riskguard import DataError, RuleError
from riskguard.backtest.compare import Request, compare
from riskguard.backtest.strategies import find, names
from riskguard.history import History
from riskguard.language.reader import load_rules, read_text
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison

PACK = shipped("rules") / "feb-2026.yaml"


def compared(strategy: str = "buy_and_hold", rules: str = "", **more: Any) -> Comparison:
    ruleset = load_rules(PACK)
    if rules:
        read, found = read_text(rules, "rules.yaml")
        assert read is not None, found
        ruleset = read
    history = History.read("feb-2026")
    return compare(Request(history, ruleset, "rules.yaml", find(strategy), strategy, **more))


@pytest.mark.parametrize("strategy", names())
def test_constant_holds_the_guarded_runs_mean_exposure(strategy: str) -> None:
    made = compared(strategy)
    means = {name: np.nanmean(one.exposure) for name, one in made.results.items()}
    assert means["guarded"] == pytest.approx(made.constant_exposure, rel=1e-12)
    assert means["constant"] == pytest.approx(means["guarded"], rel=1e-9)


@pytest.mark.parametrize("strategy", names())
def test_all_three_begin_on_the_same_bar_with_the_same_cash(strategy: str) -> None:
    made = compared(strategy)
    for one in made.results.values():
        assert one.run.equity[made.trading_from] == pytest.approx(made.cash)
        assert not one.run.position[: made.trading_from + 1].any()


def test_rules_that_never_fire_leave_every_bit_of_the_run_alone() -> None:
    quiet = "version: 1\nsymbol: BTC\nrules:\n  r: {when: close < 1, min_hold: 1d, "
    made = compared("sma_cross", quiet + "do: {exposure_cap: 0%, close: all}}\n")
    bare, guarded = made.results["bare"].run, made.results["guarded"].run
    assert bare.equity.tobytes() == guarded.equity.tobytes()
    assert bare.fills == guarded.fills
    assert made.constant_exposure == 1.0


def test_pilot_binds_the_orders_of_another_symbol() -> None:
    made = compared(symbol="ETH")
    assert (made.symbol, made.ruleset.symbol) == ("ETH", "BTC")
    assert {fill.symbol for fill in made.results["guarded"].run.fills} == {"ETH"}
    assert "out" in {decision.stage for decision, _ in made.decisions}


def test_symbol_that_the_file_does_not_guard_is_refused() -> None:
    rules = "version: 1\nsymbol: BTC\nrules:\n  r: {when: close < 1, min_hold: 1d, do: "
    with pytest.raises(RuleError, match="RG512"):
        compared(rules=rules + "{exposure_cap: 50%}}\n", symbol="ETH")


def test_rules_that_never_warm_up_say_what_they_lack() -> None:
    rules = "version: 1\nsymbol: BTC\nrules:\n  r: {when: close.change(50w) < -5%, min_hold: 1d, "
    with pytest.raises(DataError, match=r"close.change\(50w\) has 92d of 350d"):
        compared(rules=rules + "do: {exposure_cap: 50%}}\n")


def test_later_start_is_obeyed_and_the_bars_before_it_warm_the_rules_up() -> None:
    start = 1_769_904_000_000_000_000  # 2026-02-01T00:00Z
    made = compared(start=start)
    assert int(made.ts[made.trading_from]) == start
    first, _ = made.decisions[0]
    assert first.stage == "cut", "in force since 30 January"


def test_a_symbol_with_rules_of_its_own_is_judged_on_its_own_data() -> None:
    rules = (
        "version: 1\nevery: 4h\nsymbol: BTC\nparams: {level: 75_000}\nrules:\n"
        "  lost: {when: close < level, clear: close > level + 1%, do: {exposure_cap: 50%}}\n"
        "per_symbol: {ETH: {params: {level: 2_200}}}\n"
    )
    made = compared(rules=rules, symbol="ETH")
    closes = made.history.bars("ETH").close
    below = made.ts[closes < 2_200]
    first = next(decision.ts for decision, _ in made.decisions if decision.active)
    assert first == below[0]
