from __future__ import annotations

import backtrader as bt
import pytest
from backtrader.brokers import BackBroker

from riskguard.backtest.feed import GuardFeed
from riskguard.backtest.perpetual import (
    Fill,
    FractionalComm,
    GuardedPerpetualBroker,
    PerpetualBroker,
)
from riskguard.errors import AdapterError
from tests.adapters.market import FREE, MINUTES, bars, halted, play, track

Stop, Limit = bt.Order.Stop, bt.Order.Limit


def leveraged(leverage=5.0, fee=0.0, broker=PerpetualBroker, **options):
    made = broker(**options)
    made.addcommissioninfo(FractionalComm(commission=fee, leverage=leverage))
    return made


def long(size=45.0):
    return {3: lambda s: s.buy(size=size)}


def falling(row: int, low: float, **more) -> dict:
    return bars(low={row: low}, close={row: (low + 100) / 2}, **more)


def test_sizes_need_not_be_whole():
    broker = leveraged(1.0)
    steps = {3: lambda s: s.order_target_percent(target=0.9)}
    _, ran = play(steps, broker=broker, cash=50.0)
    assert ran.position.size == 0.45


def test_without_leverage_fills_and_equity_are_those_of_backtrader():
    steps = {
        3: lambda s: s.buy_bracket(size=2, price=99.5, stopprice=95, limitprice=105),
        20: lambda s: s.sell(size=1),
        25: lambda s: s.close(),
    }
    frame = bars(high={12: 107.0}, low={6: 98.0}, close={8: 103.0, 22: 91.0})
    values = []
    for broker in (BackBroker(), PerpetualBroker()):
        broker.addcommissioninfo(FractionalComm(commission=0.0005, leverage=1.0))
        broker.set_slippage_perc(0.0003)
        _, ran = play(steps, frame=frame, broker=broker)
        values.append((broker.getvalue().hex(), ran.seen, ran.fills()))
    assert values[0] == values[1]


def test_every_bar_leaves_equity_position_and_fills():
    broker = leveraged(1.0, fee=0.001)
    frame = bars(6, close={4: 103.0, 5: 101.0})
    _, ran = play({2: lambda s: s.buy(size=2.0)}, frame=frame, broker=broker, cash=1_000.0)
    assert broker.equity.tolist() == pytest.approx([1000, 1000, 1000, 999.8, 1005.8, 1001.8])
    assert broker.position_at_close.tolist() == [0, 0, 0, 2, 2, 2]
    assert broker.held.tolist() == [0, 0, 0, 2, 2, 2]
    stamp = 1_767_283_200_000_000_000  # 1 January 2026 16:00, the close of bar 3
    assert broker.fills == [Fill(stamp, "BTC", 2.0, 100.0, 0.2, "strategy", 3, True)]
    assert broker.equity[-1] == ran.broker.getvalue()


def test_what_fills_inside_a_bar_was_not_held_from_its_open():
    broker = leveraged(1.0)
    steps = {
        2: lambda s: s.buy(size=2.0),
        5: lambda s: s.sell(size=2.0, exectype=Stop, price=95.0),
        9: lambda s: s.buy(size=1.0, exectype=Limit, price=101.0),
    }
    play(steps, frame=bars(14, low={7: 94.0}), broker=broker)
    assert broker.held.tolist() == [0] * 3 + [2] * 5 + [0] * 2 + [1] * 4
    assert broker.position_at_close.tolist() == [0] * 3 + [2] * 4 + [0] * 3 + [1] * 4
    assert [fill.at_open for fill in broker.fills] == [True, False, True]


def test_funding_is_charged_on_what_is_held_after_the_fills_of_its_bar():
    # 45 units filled at the open of bar 4; rates at bars 3, 4 and 6; bar 6 closes at 98
    funding = [0.0] * 3 + [0.01, 0.001, 0.0, -0.002]
    broker = leveraged(funding=funding)
    play(long(), frame=bars(8, close={6: 98.0}), broker=broker, cash=1_000.0)
    paid = 45 * 100 * 0.001 - 45 * 98 * 0.002
    assert broker.funding_paid == pytest.approx(paid)
    assert broker.equity[4] == pytest.approx(1_000 - 4.5)
    assert broker.equity[-1] == pytest.approx(1_000 - paid)


def test_spot_pays_no_funding_and_is_not_liquidated():
    broker = leveraged(1.0, funding=[0.01] * 40)
    frame = bars(low={10: 1.0}, close={10: 2.0})
    play({3: lambda s: s.buy(size=9.0)}, frame=frame, broker=broker, cash=1_000.0)
    assert broker.funding_paid == 0.0
    assert broker.liquidations == []
    assert broker.nearest is None


def test_a_long_is_closed_inside_the_bar_where_its_margin_is_gone():
    # equity 1000 + 45 (p - 100) equals 0.5 % of 45 p at p = 3500 / 44.775
    threshold = 3_500 / 44.775
    broker = leveraged()
    play(long(), frame=falling(10, 75.0), broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.threshold == pytest.approx(threshold)
    assert lost.price == pytest.approx(threshold)
    assert (lost.size, lost.shortfall) == (45.0, 0.0)
    assert broker.equity[-1] == pytest.approx(0.005 * 45 * threshold)
    assert broker.fills[-1].own == "liquidation"
    assert not broker.fills[-1].at_open
    assert broker.nearest.distance == 0.0


def test_slippage_and_fee_of_a_liquidation_are_charged():
    broker = leveraged(fee=0.001)
    broker.set_slippage_perc(0.002)
    frame = bars(low={10: 70.0}, high=dict.fromkeys(range(40), 110.0), close={10: 80.0})
    play(long(), frame=frame, broker=broker, cash=1_000.0)
    entry = 100 * 1.002
    cash = 1_000 - 45 * entry * 0.001
    threshold = (45 * entry - cash) / (45 * 0.995)
    paid = threshold * 0.998
    [lost] = broker.liquidations
    assert lost.threshold == pytest.approx(threshold)
    assert lost.price == pytest.approx(paid)
    assert lost.fee == pytest.approx(45 * paid * 0.001)
    assert broker.equity[-1] == pytest.approx(cash + 45 * (paid - entry) - 45 * paid * 0.001)


def test_a_gap_below_zero_is_written_as_shortfall_and_equity_stays_at_zero():
    frame = bars(open={10: 70.0}, low={10: 65.0}, high={10: 72.0}, close={10: 70.0})
    broker = leveraged()
    play(long(), frame=frame, broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.price == 70.0
    assert lost.shortfall == pytest.approx(45 * 30 - 1_000)
    assert broker.equity[-1] == pytest.approx(0.0, abs=1e-9)
    assert broker.fills[-1].at_open


def test_a_gap_comes_before_the_strategys_own_close_at_that_open():
    frame = bars(open={10: 70.0}, low={10: 65.0}, high={10: 72.0}, close={10: 70.0})
    broker = leveraged()
    steps = long() | {9: lambda s: s.close()}
    _, ran = play(steps, frame=frame, broker=broker, cash=1_000.0)
    assert ran.orders[-1].getstatusname() == "Canceled"
    assert [fill.own for fill in broker.fills] == ["strategy", "liquidation"]
    assert ran.position.size == 0.0


@pytest.mark.parametrize(("price", "own"), [(90.0, "strategy"), (77.0, "liquidation")])
def test_of_a_stop_and_a_liquidation_in_one_bar_the_nearer_to_the_open_comes_first(price, own):
    broker = leveraged()
    steps = long() | {6: lambda s: s.sell(size=45.0, exectype=Stop, price=price)}
    _, ran = play(steps, frame=falling(10, 75.0), broker=broker, cash=1_000.0)
    assert [fill.own for fill in broker.fills] == ["strategy", own]
    assert ran.position.size == 0.0
    assert not broker.get_orders_open()


def test_a_target_beyond_reach_does_not_hide_a_stop_that_saves():
    def protect(strategy):
        far = strategy.sell(size=45.0, exectype=Limit, price=150.0)
        return [far, strategy.sell(size=45.0, exectype=Stop, price=90.0, oco=far)]

    broker = leveraged()
    play(long() | {6: protect}, frame=falling(10, 75.0), broker=broker, cash=1_000.0)
    assert broker.liquidations == []
    assert broker.fills[-1].price == 90.0


def test_what_was_reduced_at_the_open_is_not_liquidated_inside_the_bar():
    broker = leveraged()
    steps = long() | {
        6: lambda s: s.sell(size=45.0, exectype=Stop, price=70.0),
        9: lambda s: s.sell(size=40.0),
    }
    _, ran = play(steps, frame=falling(10, 75.0), broker=broker, cash=1_000.0)
    assert broker.liquidations == []
    assert ran.position.size == 5.0


def test_a_position_opened_in_the_bar_is_tested_in_the_bar():
    broker = leveraged()
    play({9: lambda s: s.buy(size=45.0)}, frame=falling(10, 75.0), broker=broker, cash=1_000.0)
    assert len(broker.liquidations) == 1


def test_a_short_is_closed_above_its_price():
    # equity 1000 + 45 (100 - p) equals 0.5 % of 45 p at p = 5500 / 45.225
    broker = leveraged()
    frame = bars(high={10: 130.0}, close={10: 110.0})
    play({3: lambda s: s.sell(size=45.0)}, frame=frame, broker=broker, cash=1_000.0)
    [lost] = broker.liquidations
    assert lost.price == pytest.approx(5_500 / 45.225)
    assert broker.equity[-1] == pytest.approx(0.005 * 45 * lost.price)


def test_two_positions_share_one_margin():
    # 1000 in cash, 30 BTC and 15 ETH at 100, leverage 5; ETH gains 10 before BTC falls
    broker = leveraged()
    rise = dict.fromkeys(range(9, 40), 110.0)
    frames = [
        bars(low={10: 60.0}, close={10: 65.0}),
        bars(open=dict.fromkeys(range(10, 40), 110.0), close=rise, low=rise),
    ]

    def prepare(cerebro):
        feed = GuardFeed(dataname=frames[1], name="ETH", timeframe=MINUTES, compression=240)
        cerebro.adddata(feed)

    steps = {
        3: lambda s: [s.buy(data=s.datas[0], size=30.0), s.buy(data=s.datas[1], size=15.0)],
    }
    _, ran = play(steps, frame=frames[0], broker=broker, cash=1_000.0, prepare=prepare)
    [lost] = broker.liquidations
    # 1000 + 150 + 30 (p - 100) equals 0.5 % of 30 p
    assert lost.symbol == "BTC"
    assert lost.threshold == pytest.approx(1_850 / (30 * 0.995))
    assert ran.getposition(ran.datas[1]).size == 15.0
    assert {fill.symbol for fill in broker.fills} == {"BTC", "ETH"}


def test_the_nearest_approach_is_kept():
    broker = leveraged()
    frame = bars(low={10: 80.0, 12: 85.0})
    play(long(), frame=frame, broker=broker, cash=1_000.0)
    threshold = 3_500 / 44.775
    assert broker.nearest.price == pytest.approx(threshold)
    assert broker.nearest.distance == pytest.approx((80.0 - threshold) / 80.0)
    assert broker.nearest.ts == broker.fills[0].ts + 6 * 4 * 3_600 * 10**9


def test_nothing_trades_before_its_bar():
    broker = leveraged(1.0, trading_from=10)
    steps = {bar: lambda s: s.buy(size=1.0) for bar in (2, 9, 10)}
    _, ran = play(steps, broker=broker)
    assert ran.ended() == ["Rejected", "Rejected", "Completed"]
    assert [fill.bar for fill in broker.fills] == [11]


def test_warm_up_bars_leave_no_veto():
    obeyed = track(b0=halted(), b8=FREE)
    broker = GuardedPerpetualBroker(track=obeyed, trading_from=10)
    play({2: lambda s: s.buy(size=1.0)}, broker=broker)
    assert broker.vetoes == []


def test_looking_ahead_is_refused():
    with pytest.raises(AdapterError, match="cheat-on-close is refused"):
        PerpetualBroker().set_coc(True)
    with pytest.raises(AdapterError, match="cheat-on-open is refused"):
        PerpetualBroker().set_coo(True)
