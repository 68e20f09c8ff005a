"""The run at constant exposure: the bare run, with idle cash beside it."""

from __future__ import annotations

import backtrader as bt
import numpy as np
import pytest

from riskguard.backtest.perpetual import PooledPerpetualBroker
from riskguard.backtest.runs import Costs, run
from riskguard.backtest.strategies import find, names
from riskguard.errors import AdapterError
from riskguard.history import History
from tests.adapters.market import bars, play
from tests.backtest.test_perpetual import falling, leveraged, long

CASH = 10_000.0
COMMON = {"symbol": "BTC", "cash": CASH, "costs": Costs(), "trading_from": 170}


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


class Brackets(bt.Strategy):
    def next(self):
        if not self.position.size and not self.broker.get_orders_open():
            close = self.data.close[0]
            size = 0.9 * self.broker.getvalue() / close
            self.buy_bracket(
                size=size,
                exectype=bt.Order.Market,
                stopprice=0.95 * close,
                limitprice=1.04 * close,
            )


class SellsWhatItGot(bt.Strategy):
    def notify_order(self, order):
        if order.status == order.Completed and order.isbuy():
            self.sell(size=order.executed.size, exectype=bt.Order.Limit, price=1.03 * order.price)

    def next(self):
        if len(self) % 20 == 0:
            self.buy(size=0.02, price=self.data.close[0], exectype=bt.Order.Limit)


class OneEachBar(bt.Strategy):
    def next(self):
        self.buy(size=0.001)


class SpendsTheCash(bt.Strategy):
    def next(self):
        if self.broker.getcash() > 1_000:
            self.buy(size=1_000 / self.data.close[0])


class Short(bt.Strategy):
    params = (("leverage", 2.0),)

    def next(self):
        if not self.position.size:
            self.sell(size=self.broker.getvalue() / self.data.close[0])


ALL = [*map(find, names()), Brackets, SellsWhatItGot, OneEachBar, SpendsTheCash, Short]


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
@pytest.mark.parametrize("share", [0.36, 0.83])
def test_the_whole_account_is_cash_and_a_share_of_what_the_bare_run_earns(history, strategy, share):
    bare = run(history, strategy, {}, **COMMON)
    made = run(history, strategy, {}, exposure=share, **COMMON)
    assert bare.fills
    assert not bare.liquidations
    np.testing.assert_allclose(made.equity, CASH + share * (bare.equity - CASH), rtol=1e-9)
    for column in ("position", "held"):
        expected = share * getattr(bare, column)
        np.testing.assert_allclose(getattr(made, column), expected, rtol=1e-12)
    assert made.wanted.tobytes() == bare.wanted.tobytes()
    assert [fill.size for fill in made.fills] == [share * fill.size for fill in bare.fills]
    assert made.fees == pytest.approx(share * bare.fees)
    assert made.funding == pytest.approx(share * bare.funding)


def test_it_is_the_bare_run_until_that_is_closed_by_force_and_then_goes_on(history):
    bare = run(history, find("leveraged_hold"), {"leverage": 5.0}, **COMMON)
    made = run(history, find("leveraged_hold"), {"leverage": 5.0}, exposure=0.4, **COMMON)
    [lost] = bare.liquidations
    before = history.bars("BTC").ts < lost.ts
    expected = CASH + 0.4 * (bare.equity - CASH)
    np.testing.assert_allclose(made.equity[before], expected[before], rtol=1e-9)
    assert made.liquidations == ()
    assert made.held[-1] == 0.4 * bare.held[before][-1] > 0
    assert made.equity.min() > 0


def test_with_all_its_margin_gone_the_whole_account_is_closed_too(history):
    params = {"leverage": 10.0}
    made = run(history, find("leveraged_hold"), params, exposure=0.8, **COMMON)
    whole = run(history, find("leveraged_hold"), params, **COMMON)
    [lost] = made.liquidations
    assert lost.ts >= whole.liquidations[0].ts
    assert lost.size == pytest.approx(0.8 * whole.liquidations[0].size)
    assert lost.threshold < whole.liquidations[0].threshold
    assert made.equity.min() >= 0


def test_no_exposure_is_a_flat_account(history):
    for strategy in (find("dca_grid"), Short):
        made = run(history, strategy, {}, exposure=0.0, **COMMON)
        assert (made.equity == CASH).all()
        assert not made.held.any()
        assert (made.fills, made.fees, made.liquidations, made.nearest) == ((), 0, (), None)


def test_idle_cash_is_seen_by_nobody_and_stands_for_the_losses():
    seen = []
    steps = long() | {6: lambda s: seen.append((s.broker.getcash(), s.broker.getvalue()))}
    broker = leveraged(broker=PooledPerpetualBroker, share=0.5)
    # 2000 + 45 (p - 100) equals 0.5 % of 45 p at p = 2500 / 44.775
    play(steps, frame=falling(10, 60.0), broker=broker, cash=1_000.0)
    assert seen == [(100.0, 1_000.0)]
    assert broker.liquidations == []
    assert broker.nearest.price == pytest.approx(2_500 / 44.775)


def test_an_exit_is_not_refused_for_cash_the_account_has_beside_it():
    up = dict.fromkeys(range(10, 40), 130.0)
    frame = bars(open=up, high=up, low=up, close=up)
    steps = {3: lambda s: s.sell(size=45.0), 20: lambda s: s.close()}
    broker = leveraged(broker=PooledPerpetualBroker, share=0.2)
    _, ran = play(steps, frame=frame, broker=broker, cash=1_000.0)
    assert ran.ended() == ["Completed"] * 2
    assert ran.position.size == 0.0
    assert broker.liquidations == []
    assert broker.equity[-1] == pytest.approx(1_000 - 45 * 30)


def test_the_shortfall_is_what_the_idle_cash_did_not_cover():
    down = dict.fromkeys(range(10, 40), 50.0)
    frame = bars(open=down, high=down, low=down, close=down)
    broker = leveraged(broker=PooledPerpetualBroker, share=0.5)
    play(long(), frame=frame, broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.shortfall == pytest.approx(45 * 50 - 2_000)
    assert broker.equity[-1] + broker.idle == pytest.approx(0.0)


def test_a_share_is_from_0_to_1():
    with pytest.raises(AdapterError, match="from 0 to 1"):
        PooledPerpetualBroker(share=1.5)
