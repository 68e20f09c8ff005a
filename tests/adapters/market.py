"""A small market for tests of Backtrader: flat bars, scripted strategies, decisions by bar."""

from __future__ import annotations

from dataclasses import dataclass, field

import backtrader as bt
import pandas as pd

from riskguard.adapters.backtrader import GuardedBroker
from riskguard.backtest.feed import GuardFeed
from riskguard.engine.decision import Decision, State

MINUTES = bt.TimeFrame.Minutes


@dataclass
class Track:
    starts: list[int]
    decisions: list[Decision] = field(default_factory=list)


def track(**at: Decision) -> Track:
    """Return decisions by bar number: track(b0=FREE, b5=cap(0.5))."""
    bars = {int(name[1:]): decision for name, decision in at.items()}
    return Track(list(bars), list(bars.values()))


FREE = Decision(0, "BTC")


def cap(share: float, **more: object) -> Decision:
    said = {"exposure_cap": ("rule",)}
    if share <= 0:
        return halted()
    return Decision(1, "BTC", state=State.CAUTION, exposure_cap=share, winners=said, **more)


def halted(**more: object) -> Decision:
    return Decision(
        2,
        "BTC",
        state=State.HALTED,
        exposure_cap=0.0,
        reduce_only=True,
        block_entries="both",
        winners={"exposure_cap": ("rule",)},
        **more,
    )


def reducing(**more: object) -> Decision:
    return Decision(
        3,
        "BTC",
        state=State.REDUCING,
        reduce_only=True,
        block_entries="both",
        winners={"reduce_only": ("rule",)},
        **more,
    )


def blocked(side: str) -> Decision:
    said = {"block_entries": ("rule",)}
    return Decision(4, "BTC", state=State.CAUTION, block_entries=side, winners=said)


def stop(distance: float) -> Decision:
    return Decision(5, "BTC", state=State.CAUTION, stop=distance, winners={"stop": ("rule",)})


def bars(count: int = 40, **changes: dict[int, float]) -> pd.DataFrame:
    """Return 4 h bars of open 100, high 101, low 99, close 100; changes by column and row."""
    index = pd.date_range("2026-01-01T04:00", periods=count, freq="4h")
    frame = pd.DataFrame(
        {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1.0}, index=index
    )
    for column, rows in changes.items():
        for row, value in rows.items():
            frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


class Script(bt.Strategy):
    """Does what `steps` say: bar number (from 0) -> what to call with the strategy."""

    params = (("steps", {}),)

    def __init__(self):
        self.said, self.seen, self.orders = [], [], []

    def next(self):
        made = self.p.steps.get(len(self) - 1, lambda _strategy: None)(self)
        self.orders += made if isinstance(made, list) else [made] if made is not None else []
        self.seen.append(self.position.size)

    def notify_order(self, order):
        bar = len(self.data) - 1
        own = order.info.get("own", "strategy")
        self.said.append((bar, own, order.ref, order.getstatusname(), order.executed.price))

    def ended(self, own: str = "strategy") -> list[str]:
        return [
            name
            for _, whose, _, name, _ in self.said
            if whose == own and name not in {"Submitted", "Accepted"}
        ]

    def fills(self) -> list[tuple[int, str, float]]:
        return [(bar, own, price) for bar, own, _, name, price in self.said if name == "Completed"]


def play(
    steps,
    obeyed=None,
    frame=None,
    *,
    strategy=Script,
    broker=None,
    cash=100_000.0,
    prepare=lambda _cerebro: None,
    **modes,
):
    """Run a script under decisions; return (broker, strategy)."""
    broker = broker or GuardedBroker(track=obeyed or track(b0=FREE))
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(broker)
    broker.setcash(cash)
    feed = GuardFeed(
        dataname=bars() if frame is None else frame, name="BTC", timeframe=MINUTES, compression=240
    )
    cerebro.adddata(feed)
    prepare(cerebro)
    cerebro.addstrategy(strategy, **({"steps": steps} if strategy is Script else {}))
    [ran] = cerebro.run(**modes)
    return broker, ran


def buy(size=1.0, **more):
    return lambda strategy: strategy.buy(size=size, **more)


def sell(size=1.0, **more):
    return lambda strategy: strategy.sell(size=size, **more)


class Failing:
    """A guard that fails where it is told to, else lets everything pass."""

    def __init__(self, bars_that_fail):
        self.symbol, self.sources, self.instruments = "BTC", {}, {}
        self.fail, self.count = bars_that_fail, 0
        self.ruleset = self
        self.plan = self
        self.tapes, self.rules, self.stages, self.define = (), (), (), {}

    def guarded(self, symbol):
        return symbol == "BTC"

    def update(self, _sample):
        self.count += 1
        if self.count - 1 in self.fail:
            raise ZeroDivisionError("in a measure")
        return FREE
