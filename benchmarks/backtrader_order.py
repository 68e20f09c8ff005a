"""What the broker adds to Backtrader: to each order under a cap, with two at rest, and each bar.

The guard's own time and Backtrader's are taken out: they are measured elsewhere.
"""

from __future__ import annotations

import backtrader as bt
import pandas as pd

from benchmarks.measuring import say
from riskguard import Guard
from riskguard.adapters.backtrader import GuardedBroker
from riskguard.engine.episodes import Episodes
from riskguard.language.reader import read_text
from tests.e2e.spent import Spent

BARS = 1_500
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  half: {when: close > 0, clear: close < 0, do: {exposure_cap: 50%}}
"""


class Busy(bt.Strategy):
    """Has two orders at rest, and buys and sells one unit in turn."""

    def next(self) -> None:
        if len(self) == 1:
            self.buy(size=1, exectype=bt.Order.Limit, price=50.0)
            self.sell(size=1, exectype=bt.Order.Limit, price=200.0)
        (self.buy if len(self) % 2 else self.sell)(size=1)


class Measured(GuardedBroker):
    """The broker as it is: its methods are counted on a class of its own."""


def main() -> None:
    """Print what an order and a bar cost."""
    spent = Spent()
    spent.others(Guard, "update", "decide", "poll")
    spent.others(Episodes, "judge", "duties", "see")
    for name in ("submit", "next"):
        spent.others(bt.brokers.BackBroker, name)
        spent.own(Measured, name)
    index = pd.date_range("2026-01-01", periods=BARS, freq="1h")
    columns = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(dict.fromkeys(columns, 100.0), index=index)
    rules, found = read_text(RULES, "rules.yaml")
    assert rules is not None, found
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(Measured(guard=Guard(rules), symbol="BTC"))
    cerebro.broker.setcash(1_000_000)
    feed = bt.feeds.PandasData(dataname=frame, timeframe=bt.TimeFrame.Minutes, compression=60)
    cerebro.adddata(feed, name="BTC")
    cerebro.addstrategy(Busy)
    cerebro.run()
    say("backtrader_order", spent.median("submit"), "us", 50)
    say("backtrader_bar", spent.median("next"), "us", None)


if __name__ == "__main__":
    main()
