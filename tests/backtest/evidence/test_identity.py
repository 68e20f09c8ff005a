"""avoided - missed - costs + other path = guarded - bare, whatever a strategy does."""

from __future__ import annotations

import math
from pathlib import Path

import backtrader as bt
import numpy as np
import pytest

from riskguard.backtest.evidence.accounts import account_of
from riskguard.backtest.evidence.identity import Identity, identity, terms, timing, value
from riskguard.backtest.evidence.paths import Paths
from riskguard.backtest.strategies import find, names
from riskguard.shipped import shipped
from tests.adapters.market import FREE, cap, halted, stop, track
from tests.backtest.evidence.test_paths import made
from tests.backtest.evidence.walks import compared, february, guard, tried, walk
from tests.backtest.test_pooled import ALL, Brackets, Short
from tests.counts import counts

PACKS = sorted(path.stem for path in shipped("rules").glob("*.yaml") if "_test" not in path.name)


def gap(found: Identity) -> float:
    return found.guarded - found.bare


class Reacts(bt.Strategy):
    """Trades both ways, in sizes that follow from its own fills and equity."""

    params = (("leverage", 2.0),)

    def __init__(self):
        self.lost = 0

    def notify_order(self, order):
        if order.status == order.Completed and order.executed.pnl < 0:
            self.lost += 1

    def next(self):
        close, bar = self.data.close[0], len(self)
        side = self.buy if (bar // 7 + self.lost) % 2 else self.sell
        size = 0.4 * self.broker.getvalue() / close
        if not self.position.size and size > 0:
            side(size=size)
        elif bar % 5 == 0 and size > 0:
            side(size=size / 3, exectype=bt.Order.Stop, price=close * 1.01)
            side(size=size / 5, exectype=bt.Order.Limit, price=close * 0.99)
        elif bar % 11 == 0:
            self.close()


class Leaves(bt.Strategy):
    """Ends its own run while it holds something, the later the more it has lost."""

    def next(self):
        if not self.position.size:
            self.buy(size=0.5 * self.broker.getvalue() / self.data.close[0])
        if len(self) > 60 or self.broker.getvalue() < 9_900:
            self.env.runstop()


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("strategy", names())
def test_every_pack_on_every_strategy(pack: str, strategy: str, tmp_path: Path) -> None:
    one = compared(pack, strategy, tmp_path)
    for name in ("guarded", "constant"):
        found = identity(one, name)
        assert abs(found.error) <= 1e-12
        assert found.guarded == one.results[name].run.equity[-1]
        whole = found.avoided - found.missed - found.costs + found.other_path
        assert whole == pytest.approx(gap(found), abs=1e-12 * one.cash)
        assert found.avoided >= 0 <= found.missed


@pytest.mark.parametrize("strategy", [*ALL, Reacts, Leaves], ids=lambda one: one.__name__)
@counts(6, 200)
def test_any_strategy_under_any_guard_on_any_history(strategy, count, tmp_path, measured) -> None:
    worst, stopped, lost, parted = 0.0, 0, 0, 0
    for seed in range(count):
        params = {"leverage": 3.0 + seed % 3} if hasattr(strategy.params, "leverage") else {}
        history = walk(tmp_path, seed, swing=0.02 + 0.01 * (seed % 3))
        one = tried(history, strategy, params, guard(seed))
        found = identity(one)
        for name in one.results:
            told = account_of(one, name)
            steps = np.diff(told.equity) - (told.gross - told.costs)
            assert np.abs(steps).max() <= 1e-12 * np.abs(told.equity).max()
        worst = max(worst, abs(found.error))
        stopped += int(account_of(one, "guarded").stopped.sum())
        lost += sum(len(each.run.liquidations) for each in one.results.values())
        parted += found.parted
    assert worst <= 1e-12
    measured(
        f"identity: {strategy.__name__}, {count} random histories: worst error {worst:.1e}; "
        f"{stopped} stops of the guard, {lost} liquidations, {parted} runs part"
    )


def test_for_a_holder_it_is_units_not_held_times_the_change_of_the_price() -> None:
    one = february("feb-2026", "buy_and_hold")
    bars, first = one.history.bars("BTC"), one.trading_from + 1
    bare, guarded = (one.results[name].run for name in ("bare", "guarded"))
    after = np.append(bars.open[1:], bars.close[-1])
    away = ((guarded.held - bare.held) * (after - bars.open))[first:].tolist()
    [stopped] = [fill for fill in guarded.fills if not fill.at_open]
    away.append(stopped.size * (after[stopped.bar] - stopped.price))
    found = identity(one)
    assert found.avoided == pytest.approx(sum(money for money in away if money > 0), rel=1e-12)
    assert found.missed == pytest.approx(-sum(money for money in away if money < 0), rel=1e-12)
    entry, *later = guarded.fills
    assert entry == bare.fills[0], "both enter alike"
    slips = [one.size * (one.price - bars.open[one.bar]) for one in later if one.at_open]
    assert found.costs == pytest.approx(sum(slips) + sum(fill.fee for fill in later), rel=1e-12)
    assert not found.parted


def test_what_is_earned_while_the_bare_account_is_gone_is_of_another_path() -> None:
    one = february("cascade", "leveraged_hold")
    [lost] = one.results["bare"].run.liquidations
    told = account_of(one, "guarded")
    gone = int(np.searchsorted(one.ts, lost.ts)) - one.trading_from - 1
    found = identity(one)
    later = told.equity[-1] - told.equity[gone + 1]
    share = told.held[gone] / account_of(one, "bare").held[gone]
    rest = share * (account_of(one, "bare").step[gone] * account_of(one, "bare").held[gone])
    rest -= share * account_of(one, "bare").gross[gone]  # of the bar in which it was closed
    assert found.parted
    assert found.other_path == pytest.approx(later + rest, rel=1e-9)


def test_a_stop_of_the_guard_inside_a_bar_counts_as_its_own_work(tmp_path) -> None:
    history = walk(tmp_path, 1)
    one = tried(history, find("buy_and_hold"), {}, track(b0=FREE, b20=stop(3.0)))
    told = account_of(one, "guarded")
    bar = int(np.flatnonzero(told.stopped)[0])
    fill = next(one for one in one.results["guarded"].run.fills if one.own == "guard")
    after = history.bars("BTC").open[fill.bar + 1]
    assert terms(one).stopped[bar] == pytest.approx(fill.size * (after - fill.price))
    assert not identity(one).parted


def test_a_short_that_is_cut_avoids_what_it_would_have_lost(tmp_path) -> None:
    obeyed = track(b0=FREE, b30=cap(0.5), b60=halted(), b90=FREE)
    one = tried(walk(tmp_path, 3), Short, {}, obeyed)
    held, first = account_of(one, "bare").held, one.trading_from + 1
    assert (held[1:50] < 0).all()
    found, step = terms(one), account_of(one, "bare").step
    cut = slice(31 - first, 61 - first)
    half = -0.5 * held[cut] * step[cut] + 0.5 * one.results["bare"].run.charged[31:61]
    assert found.kept[cut] == pytest.approx(half, abs=1e-9)
    assert Paths.of(one).x[cut] == pytest.approx(np.full(30, 0.5))


def test_a_position_against_the_wanted_one_is_no_share_of_it(tmp_path) -> None:
    one = tried(walk(tmp_path, 5), Reacts, {}, guard(5))
    bare, guarded = (account_of(one, name).held for name in ("bare", "guarded"))
    against = bare * guarded < 0
    assert against.any(), "the runs go opposite ways at least once"
    assert not Paths.of(one).x[against].any()


def test_a_guard_that_never_acts_changes_nothing(tmp_path) -> None:
    one = tried(walk(tmp_path, 7), Brackets, {}, track(b0=FREE))
    found = identity(one)
    assert (found.avoided, found.missed, found.costs, found.other_path) == (0.0, 0.0, 0.0, 0.0)
    assert not found.parted


def random_paths(seed: int) -> Paths:
    chance = np.random.default_rng(seed)
    size = int(chance.integers(2, 400))
    x = np.repeat(chance.choice([0.0, 0.4, 1.0], size), chance.integers(1, 9, size))[:size]
    x[chance.random(size) < 0.1] = math.nan
    return made(chance.normal(0, 0.02, size).tolist(), x.tolist(), k=0.003)


@counts(300, 20_000)
def test_in_returns_it_holds_for_any_share(count: int) -> None:
    for seed in range(count):
        paths = random_paths(seed)
        found = value(paths)
        assert found.net == pytest.approx(math.fsum(paths.g) - math.fsum(paths.r), abs=1e-12)
        assert found.avoided >= 0 <= found.missed


@counts(300, 20_000)
def test_against_the_same_mean_exposure_only_timing_and_costs_are_left(count: int) -> None:
    for seed in range(count):
        paths = random_paths(seed)
        wanted, e = paths.wanted, paths.mean_exposure
        if not wanted.any():
            assert timing(paths) == 0.0
            continue
        x, r = paths.x[wanted], paths.r[wanted]
        ahead = math.fsum(paths.g[wanted] - e * r)
        assert ahead == pytest.approx(timing(paths) - value(paths).costs, abs=1e-12)
        assert timing(paths) == pytest.approx(len(r) * np.mean((x - e) * (r - r.mean())), abs=1e-12)
