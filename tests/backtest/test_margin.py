"""What an account's margin carries, and how a position is closed by force."""

from __future__ import annotations

import math

import backtrader as bt
import pytest
from backtrader.brokers import BackBroker
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.perpetual import FractionalComm, GuardedPerpetualBroker, PerpetualBroker
from riskguard.backtest.runs import Costs, leverage_of, run
from riskguard.backtest.strategies import find
from riskguard.errors import AdapterError
from riskguard.history import History
from tests.adapters.market import bars, halted, play, track
from tests.backtest.test_perpetual import leveraged

COMMON = {"symbol": "BTC", "cash": 100_000.0, "costs": Costs(), "trading_from": 170}


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


class ShortOf(bt.Strategy):
    params = (("size", 1_000.0),)

    def next(self):
        if not self.position.size:
            self.sell(size=self.p.size)


def test_a_short_beyond_the_cash_is_refused_without_leverage(history):
    made = run(history, ShortOf, {}, **COMMON)
    assert made.fills == ()
    assert made.rejected > 10
    assert (made.equity == 100_000.0).all()


def test_a_short_within_the_cash_is_carried_without_leverage(history):
    made = run(history, ShortOf, {"size": 1.0}, **COMMON)
    assert made.fills[0].size == -1.0
    assert made.rejected == 0
    assert made.nearest is not None


def test_a_short_without_leverage_is_closed_where_its_margin_is_gone():
    rise = dict.fromkeys(range(10, 40), 250.0)
    frame = bars(open=rise, high=rise, low=rise, close=rise)
    broker = leveraged(1.0)
    play({3: lambda s: s.sell(size=9.0)}, frame=frame, broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.threshold == pytest.approx(1_900 / (9 * 1.005))
    assert lost.shortfall == pytest.approx(9 * 150 - 1_000)
    assert min(broker.equity) >= 0


@pytest.mark.parametrize(
    ("leverage", "sizes", "told"),
    [
        (1.0, [9.0], ["Completed"]),
        (1.0, [11.0], ["Margin"]),
        (1.0, [6.0, 6.0, 3.0], ["Margin", "Completed", "Completed"]),
        (5.0, [45.0], ["Completed"]),
        (5.0, [51.0], ["Margin"]),
    ],
)
def test_what_is_pending_counts_against_a_short(leverage, sizes, told):
    broker = leveraged(leverage)
    steps = {3: lambda s: [s.sell(size=size) for size in sizes]}
    _, ran = play(steps, broker=broker, cash=1_000.0)
    assert ran.ended() == told
    assert len(broker.refused) == told.count("Margin")


def test_a_short_is_not_enlarged_beyond_the_margin_either():
    broker = leveraged(1.0)
    steps = {bar: lambda s: s.sell(size=4.0) for bar in (3, 6, 9)}
    _, ran = play(steps, broker=broker, cash=1_000.0)
    assert ran.position.size == -8.0
    assert ran.ended() == ["Completed", "Completed", "Margin"]


def test_a_turn_beyond_the_margin_closes_the_long_and_opens_no_short():
    broker = leveraged(1.0)
    # 10 short are 1000 at the close that is known, 1500 at the open, where equity is 1450
    steps = {3: lambda s: s.buy(size=9.0), 9: lambda s: s.sell(size=19.0)}
    frame = bars(open={10: 150.0}, high={10: 150.0})
    _, ran = play(steps, frame=frame, broker=broker, cash=1_000.0)
    assert ran.ended() == ["Completed", "Partial", "Margin"]
    assert [fill.size for fill in broker.fills] == [9.0, -9.0]
    assert ran.position.size == 0.0


def test_a_resting_order_is_judged_when_it_fills():
    broker = leveraged(1.0)
    high = bars(high={12: 121.0})
    steps = {
        3: lambda s: s.sell(size=8.0),
        5: lambda s: s.sell(size=1.9, exectype=bt.Order.Limit, price=120.0),
    }
    _, ran = play(steps, frame=high, broker=broker, cash=1_000.0)
    assert ran.ended() == ["Completed", "Margin"]
    assert ran.position.size == -8.0


def test_exits_of_a_long_bracket_are_no_shorts():
    broker = leveraged(1.0)
    steps = {3: lambda s: s.buy_bracket(size=9.0, price=100.0, stopprice=90.0, limitprice=150.0)}
    _, ran = play(steps, frame=bars(low={10: 89.0}), broker=broker, cash=1_000.0)
    assert ran.ended() == ["Completed", "Completed", "Canceled"]
    assert broker.refused == set()


def test_a_refused_short_takes_its_bracket_along():
    broker = leveraged(1.0)
    steps = {3: lambda s: s.sell_bracket(size=20.0, price=100.0, stopprice=120, limitprice=80)}
    _, ran = play(steps, broker=broker, cash=1_000.0)
    assert ran.ended()[0] == "Margin"
    assert not broker.get_orders_open()
    assert broker.fills == []


@given(
    sizes=st.lists(st.floats(0.1, 30.0), min_size=1, max_size=4),
    closes=st.lists(st.floats(20.0, 400.0), min_size=30, max_size=30),
    leverage=st.sampled_from([1.0, 3.0, 20.0]),
)
def test_equity_is_never_below_0_whatever_is_ordered(sizes, closes, leverage):
    frame = bars(30)
    frame["close"] = closes
    frame["open"] = frame["close"].shift(1, fill_value=100.0)
    frame["high"], frame["low"] = frame.max(axis=1), frame[["open", "close"]].min(axis=1)
    steps = {
        2 + 6 * row: (lambda s, size=size, row=row: (s.sell if row % 2 == 0 else s.buy)(size=size))
        for row, size in enumerate(sizes)
    }
    broker = leveraged(leverage, fee=0.0005)
    broker.set_slippage_perc(0.0005)
    play(steps, frame=frame, broker=broker, cash=1_000.0)
    assert min(broker.equity) >= -1e-6


@given(
    orders=st.lists(
        st.tuples(st.integers(1, 28), st.floats(0.1, 12.0), st.sampled_from("blst")), max_size=12
    ),
    closes=st.lists(st.floats(80.0, 125.0), min_size=30, max_size=30),
)
def test_longs_without_leverage_fill_as_in_backtrader(orders, closes):
    frame = bars(30)
    frame["close"] = closes
    frame["open"] = frame["close"].shift(1, fill_value=100.0)
    frame["high"], frame["low"] = frame.max(axis=1), frame[["open", "close"]].min(axis=1)

    def send(size, kind):
        def one(s):
            close = s.data.close[0]
            if kind == "b":
                return s.buy(size=size)
            if kind == "l":
                return s.buy(size=size, exectype=bt.Order.Limit, price=0.97 * close)
            if kind == "t":
                return s.close()
            out = min(size, max(0.0, s.position.size))
            return s.sell(size=out, exectype=bt.Order.Market) if out else None

        return one

    steps = {bar: send(size, kind) for bar, size, kind in orders}
    found = []
    for broker in (BackBroker(), PerpetualBroker()):
        broker.addcommissioninfo(FractionalComm(commission=0.0005, leverage=1.0))
        broker.set_slippage_perc(0.0003)
        _, ran = play(steps, frame=frame, broker=broker, cash=1_000.0)
        found.append((ran.seen, ran.said and [one[3:] for one in ran.said], broker.getvalue()))
    assert found[0] == found[1]


@pytest.mark.parametrize("leverage", [200.0, 1e9, 0.0, 0.5, -1, math.inf, math.nan, "much", None])
def test_a_leverage_at_which_nothing_can_be_held_is_refused(leverage):
    with pytest.raises(AdapterError, match=r"leverage=.* 1 or more"):
        leverage_of(find("leveraged_hold"), {"leverage": leverage})


def test_the_limit_of_leverage_is_named():
    with pytest.raises(AdapterError, match=r"less than 200: .* maintenance margin of 0\.50%"):
        leverage_of(find("leveraged_hold"), {"leverage": 200.0})
    with pytest.raises(AdapterError, match="less than 20: "):
        play({}, broker=leveraged(20.0, maintenance=0.05))


def test_the_fee_of_a_short_is_part_of_what_it_takes():
    for size, told in ((9.98, "Completed"), (9.995, "Margin")):
        broker = leveraged(1.0, fee=0.001)
        _, ran = play({3: lambda s, size=size: s.sell(size=size)}, broker=broker, cash=1_000.0)
        assert ran.ended() == [told]


def test_a_margin_gone_by_funding_is_closed_at_the_market_not_above_it():
    # 990 of 1000 are paid: the threshold is 4490 / 44.775, above all that was traded
    broker = leveraged(funding=[0.0] * 4 + [0.22])
    play({3: lambda s: s.buy(size=45.0)}, broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.threshold == pytest.approx(4_490 / 44.775)
    assert lost.price == 100.0
    assert broker.equity[-1] == pytest.approx(10.0)


def test_closing_by_force_pays_no_profit():
    # fee and slippage take what 190x leaves above maintenance: gone at the fill itself
    broker = leveraged(190.0, fee=0.0005)
    broker.set_slippage_perc(0.0005)
    steps = {3: lambda s: s.buy(size=1_500.0)}
    frame = bars(high=dict.fromkeys(range(40), 100.2))
    play(steps, frame=frame, broker=broker, cash=1_000.0)
    entry, lost = broker.fills
    assert lost.own == "liquidation"
    assert lost.price < entry.price <= 100.2
    assert broker.equity[-1] < 1_000.0


@pytest.mark.parametrize("size", [math.nan, math.inf, -math.inf, 0.0])
@pytest.mark.parametrize("guarded", [False, True])
def test_an_order_of_no_size_is_refused_and_counted(size, guarded):
    broker = GuardedPerpetualBroker(track=track(b0=halted())) if guarded else PerpetualBroker()
    steps = {3: lambda s: s.broker.buy(s, s.data, size)}
    _, ran = play(steps, broker=broker)
    assert ran.ended() == ["Rejected"]
    assert len(broker.refused) == 1
    assert not getattr(broker, "vetoes", ())
    assert all(math.isfinite(value) for value in broker.equity)


def test_what_the_guard_refuses_or_comes_too_early_is_not_counted():
    broker = GuardedPerpetualBroker(track=track(b0=halted()), trading_from=5)
    steps = {bar: lambda s: s.buy(size=1.0) for bar in (2, 20)}
    steps[3] = lambda s: s.broker.buy(s, s.data, math.nan)
    play(steps, broker=broker)
    assert broker.refused == set()
    assert len(broker.vetoes) == 1


def test_a_long_short_of_cash_is_counted():
    broker = leveraged(1.0)
    play({3: lambda s: s.buy(size=11.0)}, broker=broker, cash=1_000.0)
    assert len(broker.refused) == 1
