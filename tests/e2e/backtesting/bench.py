"""What the adapter adds to backtesting.py: for each order, with two at rest, and for each bar.

The guard's own time is taken out: it is measured elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import pandas as pd
from backtesting import Backtest, Strategy, backtesting
from e2e.spent import Spent

from benchmarks.measuring import say
from riskguard.adapters import backtesting as adapter
from riskguard.testing import ScriptedGuard

BARS = 1_500


class Busy(Strategy):
    """Has two orders at rest, and buys and sells one unit in turn."""

    def init(self) -> None:
        """Have no indicators."""

    def next(self) -> None:
        if not self.orders:
            self.buy(size=1, limit=50.0)
            self.sell(size=1, limit=200.0)
        (self.buy if len(self.data) % 2 else self.sell)(size=1)


def main() -> None:
    warnings.simplefilter("ignore")
    spent = Spent()
    spent.others(ScriptedGuard, "take", "decide", "poll")
    spent.others(backtesting._Broker, "new_order")
    spent.others(Busy, "next")
    spent.own(adapter.Gatekeeper, "order")
    spent.own(adapter.Gatekeeper, "step")
    index = pd.date_range("2026-01-01", periods=BARS, freq="1h")
    names: Any = ("Open", "High", "Low", "Close", "Volume")
    data = pd.DataFrame(dict.fromkeys(names, 100.0), index=index)
    kind = adapter.guarded(desk=ScriptedGuard, symbol="BTC")(Busy)
    with contextlib.redirect_stderr(io.StringIO()):  # a bar of progress
        Backtest(data, kind, cash=100_000.0).run()
    say("backtesting_order", spent.median("order"), "us", 50.0)
    say("backtesting_bar", spent.median("step"), "us", None)


if __name__ == "__main__":
    main()
