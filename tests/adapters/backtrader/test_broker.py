from __future__ import annotations

import backtrader as bt
import pytest
from backtrader.brokers import BackBroker

from riskguard import Guard, load_rules
from riskguard.adapters.backtrader import CAPABILITIES, GuardedBroker
from riskguard.adapters.shared.starting import Bot
from riskguard.backtest.feed import GuardFeed
from riskguard.engine.decision import Decision, State
from riskguard.errors import AdapterError
from riskguard.market import HOUR
from tests.adapters.market import (
    FREE,
    MINUTES,
    Failing,
    Script,
    bars,
    buy,
    cap,
    halted,
    play,
    reducing,
    sell,
    stop,
    track,
)
from tests.stood_in import STANDS_IN, passing, stood_in

Order = bt.Order


def test_the_adapter_can_do_all_but_hedge():
    assert "hedge" not in CAPABILITIES
    assert {"exposure_cap", "stop", "cancel_orders"} <= CAPABILITIES


@pytest.mark.parametrize(
    "entry",
    [
        buy(),
        sell(),
        buy(exectype=Order.Limit, price=99.5),
        sell(exectype=Order.Stop, price=99.5),
        lambda s: s.buy(None, 1),
        lambda s: s.order_target_size(target=2),
        lambda s: s.order_target_value(target=500),
        lambda s: s.order_target_percent(target=0.5),
        lambda s: s.buy_bracket(size=1, price=99.5, stopprice=95, limitprice=105),
        lambda s: s.sell_bracket(size=1, exectype=Order.Market, stopprice=105, limitprice=95),
        lambda s: s.broker.buy(s, s.data, 1.0),
    ],
)
def test_an_entry_of_any_kind_is_rejected_while_entries_are_denied(entry):
    broker, ran = play({5: entry}, track(b0=FREE, b2=reducing()))
    assert set(ran.ended()) == {"Rejected"}
    assert ran.position.size == 0
    assert not broker.get_orders_open()
    [veto] = broker.vetoes
    assert (veto.symbol, veto.granted, veto.reasons) == ("BTC", 0.0, ("reduce_only True <- rule",))
    assert ran.orders[0].info["riskguard"] == ["reduce_only True <- rule"]


def test_a_signal_strategy_is_vetoed_unedited():
    class Signals(bt.SignalStrategy):
        def __init__(self):
            self.signal_add(bt.SIGNAL_LONG, bt.ind.SMA(self.data.close - 50.0, period=3))

    _, ran = play(None, strategy=Signals)
    assert ran.position.size == 1
    broker, ran = play(None, track(b0=halted()), strategy=Signals)
    assert ran.position.size == 0
    assert broker.vetoes


def test_an_entry_is_cut_to_the_room_below_the_ceiling():
    steps = {3: buy(4.0), 10: sell(0.5), 12: buy(3.0), 14: buy(1.0)}
    broker, ran = play(steps, track(b0=FREE, b8=cap(0.5)))
    assert ran.position.size == 2.0
    assert [(veto.asked, veto.granted) for veto in broker.vetoes] == [(3.0, 0.5), (1.0, 0.0)]


def test_flat_at_the_start_of_an_episode_the_first_entry_asked_is_the_base():
    broker, ran = play({10: buy(4.0), 12: buy(4.0)}, track(b0=FREE, b8=cap(0.5)))
    assert ran.position.size == 2.0
    assert [veto.granted for veto in broker.vetoes] == [2.0, 0.0]


def test_pending_entries_count_before_they_fill():
    def twice(strategy):
        return [strategy.buy(size=1.5), strategy.buy(size=1.5)]

    broker, ran = play({3: buy(4.0), 10: sell(2.0), 12: twice}, track(b0=FREE, b8=cap(0.5)))
    assert ran.position.size == 2.0
    assert [(veto.asked, veto.granted) for veto in broker.vetoes] == [(1.5, 0.5)]


def test_exits_pass_and_a_reversal_is_clipped_to_flat():
    broker, ran = play({3: buy(2.0), 12: sell(5.0)}, track(b0=FREE, b8=reducing()))
    assert ran.position.size == 0.0
    assert [(veto.asked, veto.granted) for veto in broker.vetoes] == [(5.0, 2.0)]


def test_two_exits_on_one_bar_cannot_flip_the_position():
    def twice(strategy):
        return [strategy.close(), strategy.close()]

    _, ran = play({3: buy(1.0), 12: twice}, track(b0=FREE))
    assert ran.position.size == -1.0  # Backtrader alone: close() does not see pending orders
    _, ran = play({3: buy(1.0), 12: twice}, track(b0=FREE, b8=reducing()))
    assert ran.position.size == 0.0
    assert ran.ended() == ["Completed", "Rejected", "Completed"]


def test_a_close_of_the_strategy_on_the_bar_of_the_close_out_ends_flat():
    broker, ran = play({3: buy(1.0), 8: lambda s: s.close()}, track(b0=FREE, b8=halted()))
    assert ran.position.size == 0.0
    assert ran.fills() == [(4, "strategy", 100.0), (9, "guard", 100.0)]
    assert len(broker.vetoes) == 1


def test_an_order_submitted_on_the_same_bar_is_cancelled_where_the_exit_needs_its_room():
    def protect_then_leave(strategy):
        protective = strategy.sell(size=1.0, exectype=Order.Stop, price=95.0)
        return [protective, strategy.close()]

    frame = bars(low={20: 90.0})
    _, ran = play({3: buy(), 12: protect_then_leave}, track(b0=FREE, b8=reducing()), frame)
    assert ran.orders[1].getstatusname() == "Canceled"
    assert ran.position.size == 0.0


def test_a_resized_bracket_has_children_of_its_own_size():
    frame = bars(high={20: 106.0})
    steps = {
        10: lambda s: s.buy_bracket(size=4, exectype=Order.Market, stopprice=95, limitprice=105)
    }
    _, ran = play(steps, track(b0=FREE, b8=cap(0.5)), frame)
    parent, _, upper = ran.orders
    assert (parent.executed.size, upper.executed.size) == (2.0, -2.0)
    assert ran.position.size == 0.0


def test_an_entry_parked_before_the_block_is_judged_when_it_is_released():
    def park(strategy):
        return [strategy.buy(size=1.0, transmit=False)]

    def release(strategy):
        parent = strategy.orders[0]
        return [strategy.sell(size=1.0, exectype=Order.Stop, price=95.0, parent=parent)]

    broker, ran = play({3: park, 12: release}, track(b0=FREE))
    assert ran.position.size == 1.0
    broker, ran = play({3: park, 12: release}, track(b0=FREE, b8=reducing()))
    assert ran.position.size == 0.0
    assert set(ran.ended()) <= {"Rejected", "Canceled"}
    assert not broker.get_orders_open()


def test_a_fault_inside_the_guard_denies_entries_and_lets_exits_pass():
    steps = {3: buy(2.0), 10: buy(), 11: sell(0.5), 20: buy(0.25)}
    broker, ran = play(steps, broker=GuardedBroker(guard=Failing(range(9, 13))))
    assert ran.position.size == 1.75
    assert [fault.text for fault in broker.faults] == ["ZeroDivisionError: in a measure"] * 4
    [veto] = broker.vetoes
    assert veto.asked == 1.0
    assert "guard_error" in veto.reasons[0]


def test_a_fault_in_the_gate_lets_exits_pass_once(monkeypatch):
    def failing(*_args, **_named):
        raise KeyError("gate")

    monkeypatch.setattr("riskguard.adapters.backtrader.broker.pending", failing)
    steps = {
        3: buy(2.0),
        10: lambda s: [s.buy(size=1.0), s.close(), s.close()],
    }
    broker, ran = play(steps, track(b0=FREE, b8=reducing()))
    assert ran.position.size == 0.0
    assert [veto.granted for veto in broker.vetoes] == [0.0, 0.0]
    assert len(broker.faults) == 3


def test_an_order_of_the_guard_says_why_and_belongs_to_the_strategy_that_holds():
    seen = []

    class Watching(Script):
        def notify_order(self, order):
            if order.info.get("own") == "guard":
                seen.append(order.info["riskguard"])

    play(None, track(b0=FREE, b8=halted()), strategy=bt.Strategy)
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(GuardedBroker(track=track(b0=FREE, b8=halted()), cash=1e5))
    feed = bars()
    cerebro.adddata(bt.feeds.PandasData(dataname=feed), name="BTC")
    cerebro.addstrategy(Script)
    cerebro.addstrategy(Watching, steps={3: buy(1.0)})
    cerebro.run()
    assert seen
    assert all(reasons == ["exposure_cap <- rule"] for reasons in seen)


def test_a_guard_order_fills_at_the_next_open_also_where_the_user_cheats():
    frame = bars(open={9: 97.0}, low={9: 96.0})
    broker = GuardedBroker(track=track(b0=FREE, b8=halted()), coc=True)
    _, ran = play({3: buy(1.0)}, frame=frame, broker=broker)
    assert ran.fills()[-1] == (9, "guard", 97.0)


def test_an_entry_made_at_an_open_is_judged_by_the_close_before():
    class AtOpen(bt.Strategy):
        def next_open(self):
            if len(self.data) == 10:
                self.buy(size=1.0)

        nextstart_open = prenext_open = next_open

    for bar, size in ((8, 0), (9, 1)):  # the bar that opens is number 9
        broker = GuardedBroker(track=track(b0=FREE, **{f"b{bar}": halted()}))
        cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
        cerebro.setbroker(broker)
        cerebro.adddata(bt.feeds.PandasData(dataname=bars(12)), name="BTC")
        cerebro.addstrategy(AtOpen)
        cerebro.run()
        bought = [order for order in broker.orders if order.isbuy()]
        assert len(bought) == size


def test_leverage_is_capped_by_the_equity():
    decision = Decision(
        1, "BTC", state=State.CAUTION, leverage_cap=1.0, winners={"leverage_cap": ("rule",)}
    )
    broker, ran = play({10: buy(30.0)}, track(b0=FREE, b8=decision), cash=1_000.0)
    assert ran.orders[0].created.size == 10.0
    assert broker.vetoes[0].reasons == ("leverage_cap 1.0 <- rule",)


def test_the_start_says_what_stands_in_and_which_feeds_nobody_guards(tmp_path, caplog):
    bot = Bot("BTC", 4 * HOUR, CAPABILITIES, ("open", "high", "low", "close", "volume"))
    guard = bot.offline(load_rules(stood_in(tmp_path, "4h"))).guard
    frame = bars(12, close=dict.fromkeys(range(6, 12), 50.0))

    def beside(cerebro):
        more = GuardFeed(dataname=frame, name="SOL", timeframe=MINUTES, compression=240)
        cerebro.adddata(more)

    def both(strategy):
        strategy.buy(size=10.0)
        strategy.buy(strategy.datas[1], size=10.0)

    broker, ran = play({2: both}, frame=frame, broker=GuardedBroker(guard=guard), prepare=beside)
    assert caplog.messages[:2] == [f"riskguard: {STANDS_IN}", f"riskguard: {passing('SOL')}"]
    assert [broker.getposition(data).size for data in ran.datas] == [4.0, 10.0]


def test_rules_that_were_not_made_to_fit_the_broker_are_refused_at_the_start(tmp_path):
    guard = Guard(load_rules(stood_in(tmp_path, "4h")))
    with pytest.raises(AdapterError, match="'fallen' asks for hedge, which this adapter cannot do"):
        play({}, broker=GuardedBroker(guard=guard))


def test_one_of_guard_and_track_is_needed():
    with pytest.raises(AdapterError, match="one of guard="):
        GuardedBroker()
    with pytest.raises(AdapterError, match="write 'close' or 'open'"):
        GuardedBroker(track=track(b0=FREE), stamp="clsoe")


def test_a_feed_that_is_not_there_is_named_with_the_fix():
    broker = GuardedBroker(track=track(b0=FREE), symbol="ETH")
    with pytest.raises(AdapterError, match=r"there are 'BTC'\. Write cerebro.adddata"):
        play({}, broker=broker)


@pytest.mark.parametrize("modes", [{"runonce": False}, {"preload": False}, {"exactbars": 1}, {}])
def test_no_rule_fires_and_nothing_differs_from_backtrader_alone(modes):
    steps = {
        3: buy(2.0),
        6: lambda s: s.sell_bracket(size=1, price=100.5, stopprice=105, limitprice=95),
        9: lambda s: s.close(),
        11: lambda s: s.order_target_percent(target=0.5),
    }
    frame = bars(high={12: 107.0, 20: 110.0}, low={15: 93.0}, close={14: 97.3})
    results = []
    for broker in (BackBroker(), GuardedBroker(track=track(b0=FREE))):  # the very same calls
        broker.setcommission(commission=0.0005)
        broker.set_slippage_perc(0.0003)
        _, ran = play(steps, frame=frame, broker=broker, **modes)
        first = ran.said[0][2]
        said = [(bar, ref - first, name, price) for bar, _, ref, name, price in ran.said]
        results.append((said, ran.seen, broker.getvalue().hex()))
    assert results[0] == results[1]


MODES = [
    {"runonce": runonce, "preload": preload, "exactbars": exactbars}
    for runonce in (True, False)
    for preload in (True, False)
    for exactbars in (False, 1, -1, -2)
]


def test_every_mode_of_backtrader_gives_the_same_fills():
    steps = {
        3: lambda s: s.buy_bracket(size=4, exectype=Order.Market, stopprice=95, limitprice=105),
        14: buy(3.0),
        22: buy(1.0),
        25: sell(1.0, exectype=Order.Stop, price=98.0),
    }
    frame = bars(high={12: 107.0}, low={28: 93.0}, open={9: 98.5}, close={7: 99.3})
    obeyed = track(b0=FREE, b8=cap(0.5), b18=halted(), b21=stop(4.0), b33=FREE)
    found = {
        str((ran.fills(), ran.seen, ran.ended(), broker.getvalue().hex(), broker.vetoes))
        for broker, ran in (play(steps, obeyed, frame, **modes) for modes in MODES)
    }
    assert len(found) == 1
