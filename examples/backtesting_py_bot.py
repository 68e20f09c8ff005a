"""A strategy of backtesting.py that averages down, bare and guarded, on the embedded sell-off.

    pip install riskguard[backtest] backtesting==0.6.6
    python examples/backtesting_py_bot.py

The strategy is not edited: the decorator puts a guard before its broker. `buy()` is None where the
guard refuses.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

from riskguard.adapters.backtesting import guarded
from riskguard.history import History
from riskguard.shipped import shipped

RULES = shipped("rules") / "feb-2026.yaml"  # or a file of your own
UNIT = 1e-6  # backtesting.py trades whole units: a unit is a millionth of a coin
START = 170  # bars: before, the windows of the rules fill


def frame_of(history: History) -> pd.DataFrame:
    """Return bars stamped by their opens, and a column for each series; NaN: nothing new."""
    bars = history.bars()
    names = dict(zip(("Open", "High", "Low", "Close", "Volume"), bars[1:], strict=True))
    rows = {int(ts): row for row, ts in enumerate(bars.ts)}
    for ts, symbol, values in history.samples():
        row = rows.get(-(-ts // history.every) * history.every)  # known by this close
        for name, value in values.items() if row is not None else ():
            column = name if symbol in {history.symbol, "*"} else f"{symbol}.{name}"
            if column.capitalize() not in names:
                names.setdefault(column, [float("nan")] * len(rows))[row] = value
    return pd.DataFrame(names, index=pd.to_datetime(bars.ts - history.every))


class Ladder(Strategy):
    """Buys a fifth of what is free each day, and is out again every fifteen days."""

    def init(self) -> None:
        """Have no indicators."""

    def next(self) -> None:
        """Add, or leave."""
        bar = len(self.data)
        if bar >= START and bar % 90 == 0:
            self.position.close()
        elif bar >= START and bar % 6 == 0:
            self.buy(size=0.2)


def run(strategy: type, frame: pd.DataFrame) -> Any:  # noqa: ANN401 - results of backtesting.py
    """Run a strategy with fees; orders fill at the next open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = FractionalBacktest(
            frame, strategy, cash=100_000, commission=0.0004, fractional_unit=UNIT
        )
        return test.run()


history = History.read("feb-2026")
frame = frame_of(history)
Guarded = guarded(RULES, sources=history.sources(), unit=UNIT)(type("Guarded", (Ladder,), {}))
for name, strategy in {"bare": Ladder, "guarded": Guarded}.items():
    found = run(strategy, frame)
    worst, left = found["Max. Drawdown [%]"], found["Return [%]"]
    print(f"{name:8} drawdown {worst:6.1f} %   return {left:6.1f} %   {found['# Trades']} trades")
print(f"refused or cut: {len(found['_strategy'].riskguard.vetoes)} orders, for example")
print("  " + found["_strategy"].riskguard.vetoes[-1].reasons[0])
