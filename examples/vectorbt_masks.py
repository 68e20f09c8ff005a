"""Signals for vectorbt that average down, bare and guarded, on the embedded sell-off.

    pip install riskguard vectorbt==1.2.0
    python examples/vectorbt_masks.py

vectorbt is handed whole arrays: the guard is played over the bars beforehand, and `masks.signals`
returns what is left of the signals, a bar later, to be filled at the open.

One sell-off, known when the rules were written: what is printed shows the wiring, not the worth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt

from riskguard.adapters.vectorbt import masks
from riskguard.history import History
from riskguard.shipped import shipped

RULES = shipped("rules") / "feb-2026.yaml"  # or a file of your own
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


history = History.read("feb-2026")
frame = frame_of(history)
place = np.arange(len(frame))
exits = (place >= START) & (place % 90 == 0)  # out every fifteen days
entries = (place >= START) & (place % 6 == 0) & ~exits  # a tenth of a coin each day
size = np.where(exits, np.inf, 0.1)

guard = masks(RULES, frame, sources=history.sources())
kept = guard.signals(entries, exits, size=size, accumulate=True)
late = {
    "entries": np.r_[False, entries[:-1]],
    "exits": np.r_[False, exits[:-1]],
    "size": np.r_[0.1, size[:-1]],
    "accumulate": True,
    "price": frame["Open"],
}
for name, signals in {"bare": late, "guarded": kept}.items():
    found = vectorbt.Portfolio.from_signals(
        frame["Close"], **signals, init_cash=100_000, fees=0.0004, freq="4h"
    )
    worst, left = 100 * found.max_drawdown(), 100 * found.total_return()
    print(
        f"{name:8} drawdown {worst:6.1f} %   return {left:6.1f} %   {found.orders.count()} orders"
    )
print(f"entries blocked at {int((~guard.longs).sum())} of {len(frame)} opens")
