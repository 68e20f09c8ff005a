from __future__ import annotations

import backtrader as bt
import pytest

from riskguard.adapters.backtrader import GuardedBroker
from riskguard.engine.decision import Decision, State
from riskguard.market import Instrument
from tests.adapters.market import (
    FREE,
    Failing,
    bars,
    blocked,
    buy,
    cap,
    halted,
    play,
    reducing,
    sell,
    stop,
    track,
)

Order = bt.Order


def test_a_cap_cuts_the_position_at_the_next_open_in_units_of_the_base():
    frame = bars(open={9: 97.0}, low={9: 96.0})
    broker, ran = play({3: buy(4.0)}, track(b0=FREE, b8=cap(0.25)), frame)
    assert ran.fills() == [(4, "strategy", 100.0), (9, "guard", 97.0)]
    assert ran.position.size == 1.0
    assert not broker.vetoes


def test_a_second_tightening_cuts_from_the_same_base():
    obeyed = track(b0=FREE, b8=cap(0.5), b12=cap(0.25))
    _, ran = play({3: buy(4.0)}, obeyed)
    assert [size for size, last in zip(ran.seen, [0, *ran.seen], strict=False) if size != last] == [
        4.0,
        2.0,
        1.0,
    ]


def test_a_close_out_cancels_the_resting_stop_before_it_can_open_a_short():
    frame = bars(low={20: 90.0})
    steps = {3: buy(), 5: sell(exectype=Order.Stop, price=95.0), 8: lambda s: s.close()}
    _, ran = play(steps, track(b0=FREE), frame)
    assert ran.position.size == -1.0  # Backtrader alone
    steps.pop(8)
    broker, ran = play(steps, track(b0=FREE, b8=halted()), frame)
    assert ran.position.size == 0.0
    assert ran.orders[1].getstatusname() == "Canceled"
    assert not broker.get_orders_open()


def test_a_partial_reduction_keeps_the_stop_at_the_size_that_is_left():
    frame = bars(low={20: 90.0})
    steps = {3: buy(4.0), 5: sell(4.0, exectype=Order.Stop, price=95.0)}
    _, ran = play(steps, track(b0=FREE, b8=cap(0.5)), frame)
    protective = ran.orders[1]
    assert protective.executed.size == -2.0
    assert protective.executed.price == 95.0
    assert ran.position.size == 0.0


def test_a_partial_reduction_keeps_both_legs_of_a_bracket_and_their_bond():
    frame = bars(high={20: 106.0}, low={25: 90.0})
    steps = {
        3: lambda s: s.buy_bracket(size=4, exectype=Order.Market, stopprice=95, limitprice=105)
    }
    _, ran = play(steps, track(b0=FREE, b8=cap(0.5)), frame)
    _, lower, upper = ran.orders
    assert (upper.executed.size, upper.executed.price) == (-2.0, 105.0)
    assert lower.getstatusname() == "Canceled"
    assert ran.position.size == 0.0


def test_a_partial_reduction_keeps_an_oco_group():
    def protect(strategy):
        low = strategy.sell(size=4.0, exectype=Order.Stop, price=95.0)
        return [low, strategy.sell(size=4.0, exectype=Order.Limit, price=105.0, oco=low)]

    frame = bars(low={20: 90.0}, high={25: 106.0})
    _, ran = play({3: buy(4.0), 5: protect}, track(b0=FREE, b8=cap(0.5)), frame)
    _, lower, upper = ran.orders
    assert lower.executed.size == -2.0
    assert upper.getstatusname() == "Canceled"
    assert ran.position.size == 0.0


def test_exits_that_exceed_the_position_go_but_the_stop_stays():
    def protect(strategy):  # no bond between the two: the strategy would cancel the other itself
        return [
            strategy.sell(size=4.0, exectype=Order.Limit, price=105.0),
            strategy.sell(size=4.0, exectype=Order.Stop, price=95.0),
        ]

    frame = bars(low={20: 90.0}, high={20: 106.0})
    _, ran = play({3: buy(4.0), 5: protect}, track(b0=FREE, b8=cap(0.5)), frame)
    assert ran.orders[1].getstatusname() == "Canceled"
    assert ran.orders[2].executed.size == -2.0
    assert ran.position.size == 0.0


def test_what_protected_a_position_goes_with_it():
    steps = {
        3: buy(4.0),
        5: sell(4.0, exectype=Order.Limit, price=105.0),
        12: lambda s: s.close(),
    }
    frame = bars(high={20: 106.0})
    _, ran = play(steps, track(b0=FREE), frame)
    assert ran.position.size == -4.0  # Backtrader alone
    _, ran = play(steps, track(b0=FREE, b8=cap(0.5)), frame)
    assert ran.position.size == 0.0
    assert ran.orders[1].getstatusname() == "Canceled"


def test_resting_entries_are_cancelled_when_it_tightens():
    frame = bars(low={20: 90.0}, high={20: 110.0})
    steps = {
        3: buy(exectype=Order.Limit, price=95.0),
        4: sell(exectype=Order.Limit, price=105.0),
    }
    _, ran = play(steps, track(b0=FREE, b8=reducing(), b15=FREE), frame)
    assert [order.getstatusname() for order in ran.orders] == ["Canceled", "Canceled"]


def test_a_blocked_side_loses_its_resting_entries_and_the_other_keeps_them():
    steps = {
        3: buy(exectype=Order.Limit, price=95.0),
        4: sell(exectype=Order.Limit, price=105.0),
        12: buy(),
    }
    _, ran = play(steps, track(b0=FREE, b8=blocked("long")))
    names = [order.getstatusname() for order in ran.orders]
    assert names == ["Canceled", "Accepted", "Rejected"]


def test_an_entry_granted_under_a_ceiling_may_rest_until_it_tightens_again():
    steps = {3: buy(4.0), 10: sell(1.0), 12: buy(1.0, exectype=Order.Limit, price=99.5)}
    frame = bars(low=dict.fromkeys(range(12, 16), 99.8))
    _, ran = play(steps, track(b0=FREE, b8=cap(0.5)), frame)
    assert ran.orders[-1].getstatusname() == "Completed"
    assert ran.position.size == 2.0


def test_the_stop_of_the_guard_stands_at_its_distance_and_leaves():
    frame = bars(low={20: 96.0})
    _, ran = play({3: buy(2.0)}, track(b0=FREE, b8=stop(3.0)), frame)
    assert ran.fills() == [(4, "strategy", 100.0), (20, "guard", 97.0)]
    assert ran.position.size == 0.0


def test_the_stop_is_tightened_and_never_loosened():
    frame = bars(low={20: 97.5})
    obeyed = track(b0=FREE, b8=stop(5.0), b10=stop(2.0), b12=stop(9.0))
    _, ran = play({3: buy(2.0)}, obeyed, frame)
    assert ran.fills()[-1] == (20, "guard", 98.0)


def test_the_stop_goes_with_the_decision_that_carried_it():
    frame = bars(low={20: 90.0})
    broker, ran = play({3: buy(2.0)}, track(b0=FREE, b8=stop(5.0), b12=FREE), frame)
    assert ran.position.size == 2.0
    assert not broker.get_orders_open()


def test_the_stop_follows_the_size_of_the_position():
    frame = bars(low={20: 90.0})
    steps = {3: buy(2.0), 10: sell(0.5), 12: buy(1.0)}
    _, ran = play(steps, track(b0=FREE, b8=stop(5.0)), frame)
    assert ran.fills()[-1] == (20, "guard", 95.0)
    assert ran.position.size == 0.0


@pytest.mark.parametrize("checked", [True, False])
def test_the_stop_cannot_flip_a_position_closed_at_the_open_of_its_bar(checked):
    frame = bars(low={13: 90.0})
    broker = GuardedBroker(track=track(b0=FREE, b8=stop(5.0)), checksubmit=checked)
    _, ran = play({3: buy(2.0), 12: lambda s: s.close()}, frame=frame, broker=broker)
    assert ran.position.size == 0.0


def test_a_reversal_clipped_to_an_exit_shrinks_with_the_position():
    frame = bars(high={25: 106.0})
    steps = {3: buy(4.0), 10: sell(9.0, exectype=Order.Limit, price=105.0)}
    _, ran = play(steps, track(b0=FREE, b8=reducing(), b15=cap(0.5)), frame)
    assert ran.orders[1].executed.size == -2.0
    assert ran.position.size == 0.0


def test_of_two_stops_in_one_bar_the_nearer_fills_and_the_other_goes():
    frame = bars(low={20: 90.0})
    for price, expected in ((97.0, ("strategy", 97.0)), (93.0, ("guard", 95.0))):
        steps = {3: buy(2.0), 5: sell(2.0, exectype=Order.Stop, price=price)}
        broker, ran = play(steps, track(b0=FREE, b8=stop(5.0)), frame)
        assert ran.fills()[-1][1:] == expected
        assert ran.position.size == 0.0
        assert not broker.get_orders_open()


def test_a_short_is_protected_above_the_price():
    frame = bars(high={20: 106.0})
    _, ran = play({3: sell(2.0)}, track(b0=FREE, b8=stop(5.0)), frame)
    assert ran.fills()[-1] == (20, "guard", 105.0)


def caution(**fields):
    winners = dict.fromkeys(fields, ("rule",))
    return Decision(1, "BTC", state=State.CAUTION, winners=winners, **fields)


def test_all_orders_go_where_a_rule_says_so():
    steps = {
        3: buy(2.0),
        5: sell(2.0, exectype=Order.Stop, price=95.0),
        6: buy(1.0, exectype=Order.Limit, price=90.0),
    }
    broker, ran = play(steps, track(b0=FREE, b8=caution(cancel_orders="all")))
    assert not broker.get_orders_open()
    assert ran.position.size == 2.0
    broker, ran = play(steps, track(b0=FREE, b8=caution(cancel_orders="entries")))
    assert [order.exectype for order in broker.get_orders_open()] == [Order.Stop]


@pytest.mark.parametrize(("side", "size", "left"), [("longs", 2.0, 0.0), ("longs", -2.0, -2.0)])
def test_one_side_is_closed_and_the_other_stays(side, size, left):
    closing = caution(close=side, block_entries="long")
    steps = {3: lambda s: s.order_target_size(target=size)}
    _, ran = play(steps, track(b0=FREE, b8=closing))
    assert ran.position.size == left


def test_a_position_is_reduced_once_by_its_share_and_held_below():
    steps = {3: buy(4.0), 12: buy(4.0)}
    obeyed = track(b0=FREE, b8=caution(reduce_by=0.25), b10=caution(reduce_by=0.25))
    broker, ran = play(steps, obeyed)
    assert ran.position.size == 3.0
    assert [veto.granted for veto in broker.vetoes] == [0.0]


def test_a_reduction_is_rounded_up_to_the_step_of_the_venue():
    class Stepping(Failing):
        def update(self, sample):
            super().update(sample)
            return cap(0.5) if self.count > 9 else FREE

    guard = Stepping(())
    guard.instruments = {"BTC": Instrument(step=0.4)}
    _, ran = play({3: buy(3.0)}, broker=GuardedBroker(guard=guard))
    assert ran.position.size == pytest.approx(3.0 - 4 * 0.4)
