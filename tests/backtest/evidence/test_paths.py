"""Returns from open to open, the share held of what was wanted, and what changing it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskguard.backtest.comparison import Comparison
from riskguard.backtest.evidence.paths import Paths, cost_rate
from riskguard.backtest.runs import Costs
from riskguard.backtest.strategies import names
from tests.backtest.evidence.walks import february
from tests.backtest.made import comparison as by_hand

NAN = float("nan")


def compared(strategy: str, **params: float) -> Comparison:
    return february("feb-2026", strategy, **params)


def made(r: list[float], x: list[float], k: float = 0.001) -> Paths:
    share = np.array(x)
    return Paths(
        ts=np.arange(len(r), dtype=np.int64),
        r=np.array(r),
        x=share,
        k=np.full(len(r), k),
        wanted=np.isfinite(share),
        every=1,
    )


@pytest.mark.parametrize("strategy", names())
def test_returns_of_the_bare_run_compound_to_its_equity(strategy: str) -> None:
    one = compared(strategy)
    paths, bare = Paths.of(one), one.results["bare"].run.equity
    assert np.prod(1 + paths.r) == pytest.approx(bare[-1] / one.cash, rel=1e-10)
    assert paths.ts[0] == one.ts[one.trading_from + 1]
    assert paths.mean_exposure == pytest.approx(one.constant_exposure, rel=1e-12)


@pytest.mark.parametrize("strategy", ["buy_and_hold", "sma_cross", "donchian_breakout"])
def test_what_a_strategy_pays_to_leave_belongs_to_the_bar_before(strategy: str) -> None:
    paths = Paths.of(compared(strategy))
    assert np.abs(paths.r[~paths.wanted]).max(initial=0.0) < 1e-15


def test_a_bar_lasts_from_its_open_to_the_next_open() -> None:
    one = compared("buy_and_hold")
    paths, first = Paths.of(one), one.trading_from + 1
    bars, run = one.history.bars("BTC"), one.results["bare"].run
    bar = first + 100
    units = run.position[bar]
    cash = run.equity[bar] - units * bars.close[bar]
    before, after = cash + units * bars.open[bar], cash + units * bars.open[bar + 1]
    assert paths.r[100] == pytest.approx(after / before - 1, rel=1e-9)


def test_costs_are_those_of_what_is_traded_per_unit_of_equity() -> None:
    one = compared("leveraged_hold", leverage=2.0)
    paths, first = Paths.of(one), one.trading_from + 1
    bars, run = one.history.bars("BTC"), one.results["bare"].run
    bar = first + 7
    worth = run.equity[bar - 1] + run.position[bar - 1] * (bars.open[bar] - bars.close[bar - 1])
    notional = run.held[bar] * bars.open[bar]
    assert paths.k[7] == pytest.approx(0.001 * notional / worth, rel=1e-12)
    assert 1.7 < notional / worth < 2.2


def test_an_account_that_was_closed_by_force_earns_and_costs_nothing_more() -> None:
    one = compared("leveraged_hold")
    paths = Paths.of(one)
    gone = np.flatnonzero(paths.r < -0.1)[-1] + 1
    assert np.abs(paths.r[gone:]).max() < 1e-15
    assert not paths.k[gone:].any()
    assert paths.wanted[gone:].all(), "it is wanted all the same"


def test_equity_below_zero_is_lost_once(tmp_path) -> None:
    paths = Paths.of(by_hand(tmp_path))
    assert paths.r[-1] >= -1.01
    assert np.isfinite(paths.r).all()


def test_a_share_earns_its_part_less_the_costs_of_changing_it() -> None:
    paths = made([0.1, -0.1, 0.2], [1.0, 0.5, 0.5])
    assert paths.g == pytest.approx([0.1, -0.05 - 0.0005, 0.1])
    assert paths.equity(paths.x) == pytest.approx([1, 1.1, 1.1 * 0.9495, 1.1 * 0.9495 * 1.1])


def test_entry_and_exit_of_the_strategy_are_no_change_of_the_share() -> None:
    paths = made([0.0, 0.1, 0.1, 0.0, -0.1], [NAN, 0.5, 0.5, NAN, 0.0])
    assert paths.turnover(paths.x).tolist() == [0.0] * 5
    assert paths.g == pytest.approx([0.0, 0.05, 0.05, 0.0, 0.0])
    assert paths.mean_exposure == pytest.approx(1 / 3)


def test_many_exposures_in_rows_earn_what_each_earns_alone() -> None:
    paths = made([0.1, -0.1, 0.2, 0.0], [1.0, 0.5, NAN, 0.5])
    rows = np.array([[1.0, 0.0, NAN, 1.0], [0.3, 0.6, 0.9, 0.2]])
    both = paths.returns(rows)
    for row, alone in zip(both, rows, strict=True):
        assert row.tolist() == paths.returns(alone).tolist()
    assert paths.equity(rows).shape == (2, 5)


def test_nothing_wanted_has_no_mean() -> None:
    assert np.isnan(made([0.0, 0.0], [NAN, NAN]).mean_exposure)


def test_the_rate_is_fee_and_slippage() -> None:
    spread = np.array([0.0, 0.02])
    assert cost_rate(Costs(0.001, 0.002), spread).tolist() == pytest.approx([0.003, 0.003])


def test_paths_may_be_changed_by_hand() -> None:
    paths = made([0.1, 0.1], [1.0, 0.0])
    assert replace(paths, k=np.zeros(2)).g.tolist() == [0.1, 0.0]
