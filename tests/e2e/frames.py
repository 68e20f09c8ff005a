"""The embedded sell-off as frameworks take it: a frame of bars with a column for each series."""

from __future__ import annotations

from typing import Any

from riskguard.history import History

WARM = 170  # bars of 4 hours until the windows of the pack feb-2026 are filled


def feb_2026() -> tuple[Any, dict[str, str]]:
    """Return the bars of BTC stamped by their opens, and the sources of the series.

    A column holds what became known since the bar before: NaN where that is nothing.
    """
    import pandas as pd

    history = History.read("feb-2026")
    bars = history.bars()
    names = dict(zip(("Open", "High", "Low", "Close", "Volume"), bars[1:], strict=True))
    frame = pd.DataFrame(names, index=pd.to_datetime(bars.ts - history.every))
    place = {int(ts): row for row, ts in enumerate(bars.ts)}
    columns: dict[str, list[float]] = {}
    for ts, symbol, values in history.samples():
        row = place.get(-(-ts // history.every) * history.every)
        other = symbol not in {"BTC", "*"}
        for name, value in values.items() if row is not None else ():
            if other or name.capitalize() not in names:
                column = f"{symbol}_{name}" if other else name.replace(".", "_")
                columns.setdefault(column, [float("nan")] * len(place))[row] = value
    return frame.assign(**columns), history.sources()


def minutes(symbol: str) -> Any:
    """Return candles of a minute that make the bars of a symbol: ts in ms, O, C, H, L, volume."""
    import numpy as np

    history, found = History.read("feb-2026"), []
    for ts, start, high, low, close, volume in zip(*history.bars(symbol), strict=True):
        count = history.every // 60_000_000_000
        turns = (start, low, high, close) if close > start else (start, high, low, close)
        path = np.interp(np.arange(count + 1), [0, count // 4, count // 2, count], turns)
        first, last = path[:-1], path[1:]
        opens = (int(ts) - history.every) // 1_000_000 + 60_000 * np.arange(count)
        ends = (np.maximum(first, last), np.minimum(first, last), np.full(count, volume / count))
        found.append(np.column_stack([opens, first, last, *ends]))
    return np.concatenate(found)


def decisions_of(rules: Any, capabilities: frozenset[str]) -> dict[int, Any]:
    """Return what a guard decides that is fed with the samples of the history, by close."""
    from riskguard import Guard
    from riskguard.language.binding import bind

    history = History.read("feb-2026")
    bound = bind(
        rules,
        symbol="BTC",
        every=history.every,
        carried=history.inputs(),
        capabilities=capabilities,
    )
    guard, found = Guard(bound.ruleset, sources=history.sources()), {}
    for sample in history.samples():
        decision, (ts, symbol, values) = guard.update(sample), sample
        if symbol == "BTC" and "close" in values:
            found[ts] = decision
    return found
