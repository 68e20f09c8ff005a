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
