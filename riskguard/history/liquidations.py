"""Liquidations of longs per bar, rebuilt from totals published for overlapping windows.

Bars in which price and open interest fall together take more of a total; iterative
proportional fitting then meets every total. What lies in no window is a constant background.
The totals are known only after their windows end: the series shows mechanics, never evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.errors import DataError
from riskguard.history.series import Series, specification
from riskguard.history.stamps import CellError, instant, shown
from riskguard.history.table import floats, read_table
from riskguard.market import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from riskguard.history.series import Entry

__all__ = ["Published", "Window", "fit", "read_published", "rebuild"]

FLOOR = 1e-6  # without it windows contradict each other where open interest rises in a fall
CLOSE_ENOUGH = 1e-9
ROUNDS = 10_000
NEEDED = ("open", "close", "oi")


class Window(NamedTuple):
    """A published total: (start, end] in ns UTC, and dollars of longs."""

    start: int
    end: int
    usd: float


class Published(NamedTuple):
    """The totals that are met, and the dollars per hour outside them."""

    anchors: tuple[Window, ...]
    background: float


def read_published(path: Path) -> Published:
    """Read the cited figures: rows used as anchor, one as background, others as checks."""
    table = read_table(path, "window_end")
    rows = zip(
        _column_of_instants(table.path, table.column("window_end")),
        _column_of_numbers(table.path, "hours", table.column("hours")),
        _column_of_numbers(table.path, "long_usd", table.column("long_usd")),
        table.column("use"),
        strict=True,
    )
    anchors: list[Window] = []
    background = 0.0
    for line, (end, hours, usd, use) in enumerate(rows, start=2):
        if use == "anchor":
            anchors.append(Window(end - round(hours * HOUR), end, usd))
        elif use == "background":
            background = usd / hours
        elif use != "check":
            fix = "write anchor, background or check"
            raise DataError(f"'{shown(use)}'", path=table.path, line=line, column="use", help=fix)
    if not anchors:
        fix = "mark the totals to be met with use = anchor"
        raise DataError("no total is an anchor", path=table.path, column="use", help=fix)
    return Published(tuple(anchors), background)


def _column_of_instants(path: str, cells: Sequence[str]) -> list[int]:
    times = []
    for line, cell in enumerate(cells, start=2):
        try:
            times.append(instant(cell))
        except CellError as fault:
            where = "window_end"
            raise DataError(
                fault.message, path=path, line=line, column=where, help=fault.help
            ) from None
    return times


def _column_of_numbers(path: str, column: str, cells: Sequence[str]) -> list[float]:
    numbers, faults = floats(cells)
    for row in np.flatnonzero(numbers <= 0).tolist():
        faults.setdefault(
            int(row), CellError(f"{numbers[row]:g} is not above zero", "write a total")
        )
    if faults:
        row = min(faults)
        fault = faults[row]
        raise DataError(fault.message, path=path, line=row + 2, column=column, help=fault.help)
    return [float(number) for number in numbers]


def fit(
    weights: NDArray[np.float64],
    shares: Sequence[NDArray[np.float64]],
    totals: Sequence[float],
) -> NDArray[np.float64]:
    """Scale `weights` until sum(share * weight) meets every total; raise ValueError if it cannot.

    Iterative proportional fitting (Deming and Stephan, 1940): each total in turn scales the
    bars of its window by the factor it misses, to the power of the bar's share in the window.
    """
    fitted = weights.copy()
    windows = []
    for share, total in zip(shares, totals, strict=True):
        inside = np.flatnonzero(share)
        windows.append((slice(inside[0], inside[-1] + 1), share[inside[0] : inside[-1] + 1], total))
    for _ in range(ROUNDS):
        worst = 0.0
        for place, share, total in windows:
            factor = total / float((share * fitted[place]).sum())
            fitted[place] *= factor**share
            worst = max(worst, abs(factor - 1))
        if worst < CLOSE_ENOUGH:
            return fitted
    message = "the published totals contradict each other"
    raise ValueError(message)


def rebuild(entry: Entry, path: Path, series: Mapping[str, Series]) -> Series:
    """Return the series of `entry` rebuilt from the totals in `path` and bars and OI at hand."""
    missing = [name for name in NEEDED if f"{entry.symbol}.{name}" not in series]
    if missing:
        message = f"{entry.symbol}.{missing[0]} is needed to rebuild liquidations"
        raise DataError(message, path=str(path), help="give bars and oi in the same scenario")
    opened, closed, interest = (series[f"{entry.symbol}.{name}"] for name in NEEDED)
    if closed.spec.interval != entry.interval:
        message = "the bars have another interval than the liquidations to rebuild"
        raise DataError(message, path=str(path), help="write the interval of the bars")
    published = read_published(path)
    events = closed.events[closed.events <= max(window.end for window in published.anchors)]
    count = len(events)
    starts = events - entry.interval
    shares = [_share(starts, events, window) for window in published.anchors]
    anchored = np.sum(shares, axis=0) > 0
    weights = _weights(
        opened.values[:count], closed.values[:count], _at(interest, starts), _at(interest, events)
    )
    if not all(share.any() for share in shares) or not np.isfinite(weights[anchored]).all():
        message = "bars or open interest are missing inside a published window"
        raise DataError(message, path=str(path), help="give bars and oi for all windows")
    try:
        fitted = fit(
            np.where(anchored, weights, 0.0), shares, [window.usd for window in published.anchors]
        )
    except ValueError as error:
        raise DataError(str(error), path=str(path), help="mark one as a check") from None
    outside = published.background * entry.interval / HOUR
    values: NDArray[np.float64] = np.rint(np.where(anchored, fitted, outside))
    return _series(entry, events, values, ~anchored)


def _series(
    entry: Entry,
    events: NDArray[np.int64],
    values: NDArray[np.float64],
    background: NDArray[np.bool_],
) -> Series:
    (name,) = entry.columns
    made = Series(
        entry.symbol,
        name,
        specification(entry, name),
        entry.source,
        entry.grade,
        entry.coverage,
        events + entry.available_after,
        events,
        values,
        background,
    )
    return replace(made, file=entry.file, scope=entry.scope, stamp=entry.stamp)


def _share(
    starts: NDArray[np.int64], events: NDArray[np.int64], window: Window
) -> NDArray[np.float64]:
    inside = np.minimum(events, window.end) - np.maximum(starts, window.start)
    share: NDArray[np.float64] = np.clip(inside / (events - starts), 0.0, 1.0)
    return share


def _at(series: Series, ts: NDArray[np.int64]) -> NDArray[np.float64]:
    place = np.searchsorted(series.events, ts)
    held = np.minimum(place, len(series.events) - 1)
    return np.where(series.events[held] == ts, series.values[held], np.nan)


def _weights(
    opened: NDArray[np.float64],
    closed: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = (
        np.maximum(0.0, 1 - closed / opened) * np.maximum(0.0, 1 - after / before) + FLOOR
    )
    return weights
