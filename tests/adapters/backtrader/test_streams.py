"""Random orders under random decisions: what must hold whatever a strategy does."""

from __future__ import annotations

import backtrader as bt
from hypothesis import given, settings
from hypothesis import strategies as st

from riskguard.engine.decision import State
from tests.adapters.market import FREE, Track, bars, blocked, cap, halted, play, reducing

ROWS = 30
KINDS = (bt.Order.Market, bt.Order.Limit, bt.Order.Stop)

orders = st.tuples(
    st.sampled_from(("buy", "sell", "close", "bracket")),
    st.sampled_from((0.25, 0.5, 1.0, 2.0)),
    st.sampled_from(KINDS),
    st.sampled_from((94.0, 97.0, 99.0, 101.0, 103.0, 106.0)),
)
scripts = st.dictionaries(st.integers(2, ROWS - 2), st.lists(orders, min_size=1, max_size=3))
decisions = st.sampled_from(
    (FREE, cap(0.5), cap(0.25), reducing(), halted(), blocked("long"), blocked("short"))
)
changes = st.dictionaries(st.integers(1, ROWS - 2), decisions, max_size=5)
prices = st.lists(
    st.sampled_from((93.0, 96.0, 98.0, 100.0, 102.0, 107.0)), min_size=ROWS, max_size=ROWS
)


def market(closes):
    frame = bars(ROWS)
    frame["close"] = closes
    frame["open"] = [100.0, *closes[:-1]]
    frame["high"] = frame[["open", "close"]].max(axis=1) + 1
    frame["low"] = frame[["open", "close"]].min(axis=1) - 1
    return frame


def step(made):
    def act(strategy):
        sent = []
        for what, size, kind, price in made:
            if what == "close":
                one = strategy.close()
                sent += [one] if one is not None else []
            elif what == "bracket":
                sent += strategy.buy_bracket(
                    size=size, exectype=kind, price=price, stopprice=price - 5, limitprice=price + 5
                )
            else:
                sent.append(getattr(strategy, what)(size=size, exectype=kind, price=price))
        return sent

    return act


def steps_of(script):
    return {bar: step(made) for bar, made in script.items()}


def track_of(found):
    found = {0: FREE} | found
    return Track(sorted(found), [found[bar] for bar in sorted(found)])


def test_what_is_left_of_a_bracket_opens_nothing_in_an_episode_that_began_flat():
    script = {2: [("buy", 1.0, bt.Order.Market, 94.0)]}
    script[3] = [
        ("sell", 2.0, bt.Order.Market, 94.0),
        ("bracket", 1.0, bt.Order.Market, 94.0),
    ]
    closes = [93.0] * 29 + [98.0]
    for decision in (cap(0.25), reducing(), blocked("short")):
        _, ran = play(steps_of(script), track_of({12: decision}), market(closes), cash=1e6)
        assert ran.seen[11] == 0.0
        assert set(ran.seen[12:]) == {0.0}, decision.state


@settings(max_examples=120)
@given(scripts, changes, prices)
def test_while_reducing_no_position_grows_or_changes_sides(script, found, closes):
    obeyed = track_of(found)
    broker, ran = play(steps_of(script), obeyed, market(closes), cash=1e6)
    assert broker.faults == []
    in_force = FREE
    for bar, (now, last) in enumerate(zip(ran.seen, [0.0, *ran.seen], strict=False)):
        # what fills in this bar was ordered under the decision of the bar before
        if in_force.state >= State.REDUCING:
            assert abs(now) <= abs(last) + 1e-9, (bar, last, now)
            assert now * last >= -1e-9, (bar, last, now)
        in_force = dict(zip(obeyed.starts, obeyed.decisions, strict=True)).get(bar, in_force)
    for veto in broker.vetoes:
        assert 0 <= veto.granted < veto.asked


@settings(max_examples=60)
@given(scripts, prices)
def test_a_guard_that_asks_for_nothing_changes_nothing(script, closes):
    bare, free = (
        play(steps_of(script), frame=market(closes), broker=broker, cash=1e6)
        for broker in (bt.brokers.BackBroker(), None)
    )
    assert free[1].seen == bare[1].seen
    assert free[0].getvalue().hex() == bare[0].getvalue().hex()
    assert free[1].ended() == bare[1].ended()


@settings(max_examples=40)
@given(scripts, changes, prices)
def test_the_same_fills_come_out_of_every_mode(script, found, closes):
    results = set()
    for modes in ({}, {"runonce": False}, {"preload": False}, {"exactbars": 1}):
        broker, ran = play(steps_of(script), track_of(found), market(closes), cash=1e6, **modes)
        results.add((tuple(ran.seen), tuple(ran.fills()), broker.getvalue().hex()))
    assert len(results) == 1


@settings(max_examples=60)
@given(scripts, prices, st.sampled_from((0.25, 0.5)))
def test_under_a_ceiling_no_position_exceeds_its_share_of_the_base(script, closes, share):
    broker, ran = play(steps_of(script), track_of({12: cap(share)}), market(closes), cash=1e6)
    [book] = broker._books.values()
    base = broker.episodes.of(book.key).base or 0.0
    assert all(abs(size) <= share * base + 1e-9 for size in ran.seen[13:])
