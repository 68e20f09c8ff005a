"""Backtrader's traps that only show with several feeds, processes, margins or a real guard."""

from __future__ import annotations

import warnings
from dataclasses import replace

import backtrader as bt
import pandas as pd
import pytest
from backtrader.brokers import BackBroker

from riskguard.adapters.backtrader import GuardedBroker
from riskguard.backtest.feed import GuardFeed
from riskguard.engine.guard import Guard
from riskguard.errors import AdapterError
from riskguard.language.reader import read_text
from riskguard.market import HOUR
from tests.adapters.market import (
    FREE,
    MINUTES,
    Script,
    bars,
    cap,
    halted,
    play,
    reducing,
    stop,
    track,
)


def feed(frame, name: str, compression: int = 240):
    return GuardFeed(dataname=frame, name=name, timeframe=MINUTES, compression=compression)


def together(broker, feeds, steps, prepare=lambda _cerebro: None, **modes):
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(broker)
    for one in feeds:
        cerebro.adddata(one)
    prepare(cerebro)
    cerebro.addstrategy(Script, steps=steps)
    [ran] = cerebro.run(**modes)
    return ran


def both(strategy):
    return [strategy.buy(data=data, size=2.0) for data in strategy.datas]


def sizes(ran):
    return [ran.getposition(data).size for data in ran.datas]


def test_only_feeds_that_are_guarded_are_judged():
    broker = GuardedBroker(track=track(b0=halted()), symbol="BTC")
    ran = together(broker, [feed(bars(), "BTC"), feed(bars(), "ETH")], {5: both})
    assert sizes(ran) == [0, 2.0]
    assert {veto.symbol for veto in broker.vetoes} == {"BTC"}


def test_one_decision_for_all_has_a_base_for_each():
    def uneven(strategy):
        return [
            strategy.buy(data=data, size=size)
            for data, size in zip(strategy.datas, (2.0, 6.0), strict=True)
        ]

    broker = GuardedBroker(track=track(b0=FREE, b8=cap(0.5)), symbol="BTC", guards=lambda _: True)
    ran = together(broker, [feed(bars(), "BTC"), feed(bars(), "ETH")], {5: uneven})
    assert sizes(ran) == [1.0, 3.0]


def test_a_stop_keeps_its_share_of_the_price_on_another_feed():
    other = bars(open=dict.fromkeys(range(40), 10.0), close=dict.fromkeys(range(40), 10.0))
    other["low"], other["high"] = 9.9, 10.1
    other.iloc[20, other.columns.get_loc("low")] = 9.0
    broker = GuardedBroker(track=track(b0=FREE, b8=stop(5.0)), symbol="BTC", guards=lambda _: True)
    ran = together(broker, [feed(bars(), "BTC"), feed(other, "ETH")], {5: both})
    assert sizes(ran) == [2.0, 0.0]
    assert ran.fills()[-1] == (20, "guard", 9.5)


def test_a_feed_that_starts_later_is_guarded_from_its_first_bar():
    frames = [bars(), bars().iloc[15:]]
    broker = GuardedBroker(track=track(b0=FREE, b8=reducing()), symbol="BTC", guards=lambda _: True)
    ran = together(broker, [feed(frames[0], "BTC"), feed(frames[1], "ETH")], {16: both})
    assert sizes(ran) == [0, 0]
    assert len(broker.vetoes) == 2
    assert broker.faults == []


def test_the_guard_sees_every_bar_also_before_the_strategys_first():
    late = [bars(), bars().iloc[15:]]
    broker = GuardedBroker(track=track(b0=FREE, b8=reducing(), b12=FREE), symbol="BTC")
    ran = together(broker, [feed(late[0], "BTC"), feed(late[1], "ETH")], {16: both})
    assert sizes(ran) == [2.0, 2.0]


class Counting:
    """A guard that counts its samples."""

    symbol, sources, instruments, tapes = "BTC", {}, {}, ()
    rules, stages, define = (), (), {}

    def __init__(self):
        self.ruleset = self.plan = self
        self.seen = []

    def guarded(self, symbol):
        return symbol == "BTC"

    def update(self, sample):
        self.seen.append(sample)
        return replace(FREE, ts=sample.ts)


@pytest.mark.parametrize("modes", [{}, {"runonce": False}, {"preload": False}])
def test_a_resampled_copy_does_not_step_the_guard(modes):
    broker = GuardedBroker(guard=Counting())

    def resample(cerebro):
        cerebro.resampledata(cerebro.datas[0], timeframe=bt.TimeFrame.Days, compression=1)

    together(broker, [feed(bars(), "BTC")], {}, resample, **modes)
    assert len(broker.guard.seen) == 40
    assert broker.guard.seen[0].ts == 1_767_240_000_000_000_000  # 1 January 2026 04:00
    assert len({sample.ts for sample in broker.guard.seen}) == 40


def test_an_order_on_the_resampled_copy_is_judged_too():
    broker = GuardedBroker(track=track(b0=halted()))

    def resample(cerebro):
        cerebro.resampledata(cerebro.datas[0], timeframe=bt.TimeFrame.Days, compression=1)

    steps = {bar: lambda s: s.buy(data=s.datas[1], size=1.0) for bar in (14, 15)}
    ran = together(broker, [feed(bars(), "BTC")], steps, resample)
    assert sizes(ran) == [0, 0]
    assert len(broker.vetoes) == 2


def test_a_replayed_driving_feed_is_refused_and_its_base_drives():
    def replay(cerebro):
        cerebro.replaydata(feed(bars(), "BTC"), timeframe=bt.TimeFrame.Days, compression=1)

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(GuardedBroker(guard=Counting()))
    replay(cerebro)
    cerebro.addstrategy(Script)
    with pytest.raises(AdapterError, match=r"is replayed: .* Add its base feed"):
        cerebro.run()

    broker = GuardedBroker(guard=Counting(), symbol="BTC")
    together(broker, [feed(bars(), "BTC")], {}, replay)
    assert len(broker.guard.seen) == 40


class Swept(bt.Strategy):
    params = (("size", 1.0),)

    def next(self):
        if len(self) == 4:
            self.buy(size=self.p.size)


class Value(bt.Analyzer):
    def stop(self):
        self.kept = {
            "value": self.strategy.broker.getvalue(),
            "position": self.strategy.position.size,
        }


def sweep(cpus: int, broker: GuardedBroker) -> list[dict]:
    cerebro = bt.Cerebro(stdstats=False, maxcpus=cpus)
    cerebro.setbroker(broker)
    frame = bars(close={15: 120.0}, open={9: 103.0}, high={9: 104.0})
    cerebro.adddata(feed(frame.assign(oi=market()["oi"]), "BTC"))
    cerebro.optstrategy(Swept, size=(1.0, 2.0, 3.0))
    cerebro.addanalyzer(Value, _name="value")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Backtrader pickles itertools
        runs = cerebro.run()
    return [run[0].analyzers[0].kept for run in runs]


def test_a_sweep_of_backtrader_gives_the_same_in_one_process_and_in_two():
    obeyed = track(b0=FREE, b8=cap(0.5), b20=halted(), b30=FREE)
    alone = sweep(1, GuardedBroker(track=obeyed))
    assert [one["value"] for one in alone] == pytest.approx([10_001.5, 10_003.0, 10_004.5])
    assert sweep(2, GuardedBroker(track=obeyed)) == alone


def test_a_guard_made_of_rules_goes_to_another_process():
    alone = sweep(1, GuardedBroker(guard=guard()))
    assert [one["position"] for one in alone] == [0.5, 1.0, 1.5]
    assert sweep(2, GuardedBroker(guard=guard())) == alone


def test_a_short_under_water_is_closed_past_the_margin_test():
    frame = bars(open={20: 300.0}, high={19: 301.0, 20: 301.0}, close={19: 300.0, 20: 300.0})
    steps = {3: lambda s: s.sell(size=1.0), 19: lambda s: s.close()}
    _, ran = play(steps, frame=frame, broker=BackBroker(), cash=50.0)
    assert ran.position.size == -1.0  # Backtrader refuses the close: cash would be below 0
    assert ran.ended()[-1] == "Margin"
    steps.pop(19)
    broker = GuardedBroker(track=track(b0=FREE, b19=halted()))
    _, ran = play(steps, frame=frame, broker=broker, cash=50.0)
    assert ran.position.size == 0.0


@pytest.mark.parametrize("size", [3.0, -3.0])
def test_futures_with_margin_are_reduced_and_closed(size):
    broker = GuardedBroker(track=track(b0=FREE, b8=cap(0.5), b15=halted()))
    broker.setcommission(commission=2.0, margin=20.0, mult=10.0, stocklike=False)
    steps = {3: lambda s: s.order_target_size(target=size)}
    _, ran = play(steps, broker=broker)
    changes = [now for now, last in zip(ran.seen, [0, *ran.seen], strict=False) if now != last]
    assert changes == [size, size / 2, 0.0]


def test_a_reduction_that_fills_in_parts_is_not_ordered_twice():
    broker = GuardedBroker(track=track(b0=FREE, b8=cap(0.5), b16=halted()))
    broker.set_filler(bt.broker.fillers.FixedSize(size=1.0))
    frame = bars().assign(volume=100.0)
    _, ran = play({2: lambda s: s.buy(size=4.0)}, frame=frame, broker=broker)
    assert ran.seen[3:20] == [1, 2, 3, 4, 4, 4, 3, 2, 2, 2, 2, 2, 2, 2, 1, 0, 0]


RULES = """
version: 1
symbol: BTC
every: 4h
inputs:
  oi: {unit: coins, kind: level}
rules:
  leverage_leaves:
    when: oi.change(8h) <= -10%
    do: {exposure_cap: 50%, cancel_orders: entries}
    clear: oi.change(8h) >= -1%
"""


def guard() -> Guard:
    ruleset, found = read_text(RULES, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return Guard(ruleset)


def market(count: int = 40):
    oi = [1_000.0] * 12 + [850.0] * (count - 12)
    return bars(count).assign(oi=oi)


@pytest.mark.parametrize("modes", [{}, {"runonce": False}, {"preload": False}, {"exactbars": 1}])
def test_a_real_guard_reads_the_lines_its_rules_name(modes):
    broker, ran = play(
        {5: lambda s: s.buy(size=4.0)}, frame=market(), broker=GuardedBroker(guard=guard()), **modes
    )
    assert ran.fills() == [(6, "strategy", 100.0), (13, "guard", 100.0)]
    assert ran.position.size == 2.0
    assert broker.faults == []


def test_stamps_of_opens_are_moved_to_the_close():
    opened = market()
    opened.index -= pd.Timedelta(hours=4)
    found = []
    for stamp, frame in (("close", market()), ("open", opened)):
        broker = GuardedBroker(guard=guard(), stamp=stamp)
        play({5: lambda s: s.buy(size=4.0)}, frame=frame, broker=broker)
        found.append((broker.decision.ts, broker.getvalue()))
    assert found[0] == found[1]
    assert found[0][0] % (4 * HOUR) == 0


def test_a_line_that_no_feed_carries_is_refused_at_the_start():
    for kind in (bt.feeds.PandasData, GuardFeed):
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.setbroker(GuardedBroker(guard=guard()))
        cerebro.adddata(kind(dataname=bars()), name="BTC")
        cerebro.addstrategy(Script)
        with pytest.raises(AdapterError, match="the rules read oi; the feed carries no such line"):
            cerebro.run()


def test_a_line_that_may_be_missing_need_not_be_carried():
    text = RULES.replace("when: oi.change(8h) <= -10%", "when: {any: [close < 90, LEAF]}")
    leaf = "{is: oi.change(8h) <= -10%, on_missing: ignore}"
    text = text.replace("LEAF", leaf).replace("clear: oi.change(8h) >= -1%", "clear: close > 95")
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    broker = GuardedBroker(guard=Guard(ruleset))
    _, ran = play({5: lambda s: s.buy(size=4.0)}, broker=broker)
    assert ran.position.size == 4.0


def test_a_line_of_nan_is_unknown_and_denies_entries():
    broker, ran = play(
        {20: lambda s: s.buy(size=4.0)},
        frame=bars().assign(oi=float("nan")),
        broker=GuardedBroker(guard=guard()),
    )
    assert ran.ended() == ["Rejected"]
    assert broker.vetoes


def test_the_future_in_memory_is_not_read():
    full = market()
    decisions = []
    for cut in (12, 13, 14, 20, 40):
        broker = GuardedBroker(guard=guard())
        play({}, frame=full.iloc[:cut], broker=broker)
        decisions.append(broker.decision)
        whole = GuardedBroker(guard=guard())
        stopping = {cut - 1: lambda s: s.env.runstop()}
        play(stopping, frame=full, broker=whole)
        assert whole.decision == broker.decision
    assert len({decision.exposure_cap for decision in decisions}) == 2


def test_a_broker_serves_many_runs_and_remembers_none():
    broker = GuardedBroker(guard=guard())
    results = []
    for _ in range(2):
        _, ran = play({5: lambda s: s.buy(size=4.0)}, frame=market(), broker=broker)
        results.append((ran.fills(), broker.vetoes, broker.getvalue()))
    assert results[0] == results[1]
