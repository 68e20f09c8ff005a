"""What the chart draws: panes of series, each a few columns of numbers joined to candles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.grades import grade_of
from riskguard.backtest.page.candles import MOST, Candles
from riskguard.backtest.page.grades import found, resting
from riskguard.backtest.page.packing import BYTES
from riskguard.backtest.text_figures import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.history import Series

    Floats = NDArray[np.float64]

__all__ = ["COLUMNS", "Drawn", "Line", "Pane", "joined", "panels"]

COLUMNS = 2_000_000  # bytes that all columns of a page may take


class Line(NamedTuple):
    """One series of a pane: `columns` are numbers of its bars, each with how bars are joined."""

    name: str
    kind: str  # candles | line | area | steps | bars
    style: str  # names a colour of the page: guarded, bare, constant, peer-1, ...
    unit: str  # price | money | share | coins
    columns: tuple[tuple[Floats, str], ...]  # first | last | highest | lowest | total
    tag: str = ""  # the grade, or what else is to be known of it
    on: bool = True
    scale: str = "right"  # another name is a scale of its own, without an axis


@dataclass(frozen=True)
class Pane:
    """One pane of the chart, drawn over the same bars as all others."""

    name: str
    weight: int
    lines: tuple[Line, ...]
    tag: str = ""


@dataclass(frozen=True)
class Drawn:
    """The panes and the candles they are joined to; candle 0 holds bar `start` of the history."""

    start: int
    candles: Candles
    panes: tuple[Pane, ...] = field(repr=False)


def panels(comparison: Comparison, evidence: Evidence, most: int = MOST) -> Drawn:
    """Return what is drawn from the first bar that may be traded on."""
    start = comparison.trading_from
    panes = (
        _price(comparison),
        _equity(comparison, evidence),
        _drawdown(comparison),
        _exposure(comparison),
        *_interest(comparison),
        *_liquidations(comparison),
    )
    columns = sum(len(line.columns) for pane in panes for line in pane.lines)
    fitting = min(most, int(COLUMNS / (BYTES * columns)))
    ts = comparison.ts[start:]
    return Drawn(start, Candles.of(ts, comparison.every, fitting), panes)


def joined(candles: Candles, line: Line) -> list[Floats]:
    """Return the columns of a line as they are drawn: one number a candle."""
    how: dict[str, Callable[[Floats], Floats]] = {
        "first": candles.first,
        "last": candles.last,
        "highest": candles.highest,
        "lowest": candles.lowest,
        "total": candles.total,
    }
    return [how[way](values) for values, way in line.columns]


def _guard(comparison: Comparison) -> str:
    return f"guard {word}" if (word := resting(comparison)) else ""


def _price(comparison: Comparison) -> Pane:
    start, bars = comparison.trading_from, comparison.history.bars(comparison.symbol)
    columns = (
        (bars.open[start:], "first"),
        (bars.high[start:], "highest"),
        (bars.low[start:], "lowest"),
        (bars.close[start:], "last"),
    )
    closes = found(comparison, f"{comparison.symbol}.close")
    grade = grade_of(closes) if closes else ""
    line = Line(comparison.symbol, "candles", "price", "price", columns, grade)
    return Pane("Price", 10, (line,), _guard(comparison))


def _runs(comparison: Comparison) -> Iterator[tuple[str, str, Floats]]:
    """Yield the three runs, the guarded one last so that it is drawn on top."""
    for name in ("bare", "constant", "guarded"):
        label = name
        if name == "constant":
            label = f"constant {percent(comparison.constant_exposure, 0)}"
        yield name, label, comparison.results[name].run.equity[comparison.trading_from :]


def _equity(comparison: Comparison, evidence: Evidence) -> Pane:
    bars = len(comparison.ts) - comparison.trading_from
    lines = [
        Line(
            peer.name,
            "line",
            f"peer-{number}",
            "money",
            ((_of_length(comparison.cash * np.asarray(peer.equity), bars), "last"),),
            on=peer is evidence.best,
        )
        for number, peer in enumerate(evidence.peers, 1)
    ]
    lines += [
        Line(label, "line", name, "money", ((equity, "last"),))
        for name, label, equity in _runs(comparison)
    ]
    return Pane("Equity", 6, tuple(lines), _guard(comparison))


def _of_length(values: Floats, bars: int) -> Floats:
    """Return a path that begins where trading does, NaN behind its end."""
    path = np.full(bars, np.nan)
    count = min(bars, len(values))
    path[:count] = values[:count]
    return path


def _drawdown(comparison: Comparison) -> Pane:
    lines = []
    for name, label, equity in _runs(comparison):
        fall = equity / np.maximum.accumulate(equity) - 1.0
        kind = "area" if name == "guarded" else "line"
        lines.append(Line(label, kind, name, "share", ((fall, "lowest"),)))
    return Pane("Drawdown", 4, tuple(lines), _guard(comparison))


def _exposure(comparison: Comparison) -> Pane:
    start = comparison.trading_from
    lines = []
    for name, label, _ in _runs(comparison):
        held = comparison.results[name].exposure[start:]
        if name == "bare" and np.nanmin(held, initial=1.0) == 1.0:
            continue  # it held what was wanted throughout
        kind = "steps" if name == "guarded" else "line"
        lines.append(Line(label, kind, name, "share", ((held, "lowest"),), on=name != "bare"))
    return Pane("Exposure", 3, tuple(lines), _guard(comparison))


def _interest(comparison: Comparison) -> Iterator[Pane]:
    closes = comparison.ts[comparison.trading_from :]
    lines = []
    for name, unit, scale in (("oi_usd", "money", "usd"), ("oi", "coins", "right")):
        series = found(comparison, name)
        if series is not None:
            label = f"{series.symbol} {'in dollars' if name == 'oi_usd' else 'in coins'}"
            columns = ((series.visible(closes), "last"),)
            style = name.replace("_", "-")
            lines.append(Line(label, "line", style, unit, columns, grade_of(series), scale=scale))
    if len(lines) == 1:
        lines = [lines[0]._replace(scale="right")]
    if lines:
        yield Pane("Open interest", 3, tuple(lines))


def _liquidations(comparison: Comparison) -> Iterator[Pane]:
    lines = []
    for name, label, sign in (("liq.long", "longs", 1.0), ("liq.short", "shorts", -1.0)):
        series = found(comparison, name)
        if series is not None:
            columns = ((sign * _flow(comparison, series), "total"),)
            style = name.replace(".", "-")
            unit = "coins" if series.spec.unit == "coins" else "money"
            whose = f"{series.symbol} {label}".removeprefix("* ")
            lines.append(Line(whose, "bars", style, unit, columns, grade_of(series)))
    if lines:
        yield Pane("Liquidations", 3, tuple(lines))


def _flow(comparison: Comparison, series: Series) -> Floats:
    """Return what a flow added up to in each bar, NaN where it has no value."""
    ts, start = comparison.ts, comparison.trading_from
    inside = (series.events > ts[start] - comparison.every) & (series.events <= ts[-1])
    inside &= np.isfinite(series.values)
    sums = np.full(len(ts) - start, np.nan)
    bars = np.searchsorted(ts[start:], series.events[inside], side="left")
    sums[bars] = 0.0
    np.add.at(sums, bars, series.values[inside])
    return sums
