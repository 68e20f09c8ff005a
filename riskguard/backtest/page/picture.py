"""The main panel as a picture: what a feed shows of a report, 1200 x 675."""

from __future__ import annotations

import textwrap
from io import BytesIO
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from riskguard.backtest.metrics import max_drawdown, total_return
from riskguard.backtest.page.candles import Candles
from riskguard.backtest.page.chart import stage_levels, state_levels
from riskguard.backtest.page.grades import modelled
from riskguard.backtest.page.told import title
from riskguard.backtest.report import SCHEMA
from riskguard.backtest.text_figures import compact, day, percent
from riskguard.engine.decision import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence

__all__ = ["picture"]

INK, SOFT, FAINT = "#16191d", "#5d6673", "#e3e4e2"
RUNS = {"bare": "#80868f", "constant": "#a2611a", "guarded": "#1f5fd6"}
RAMP = ("#f2b632", "#ee7d22", "#d42f3b")
WORDS = {"HELPS": "#18794e", "LOWERS": "#1f5fd6", "HURTS": "#c2313a"}
UNSURE = "#8a6100"
MOST = 450  # candles that can be told apart at this width


def picture(comparison: Comparison, evidence: Evidence) -> bytes:
    """Return a PNG: the verdict, prices with what the guard did, and the equity of three runs."""
    with mpl.rc_context():
        mpl.rcdefaults()  # an even picture everywhere: nothing of the user's own settings
        mpl.rc("font", family="DejaVu Sans", size=11)
        mpl.rc("text", color=INK)
        mpl.rc("axes", edgecolor=FAINT)
        figure = Figure(figsize=(12.0, 6.75), dpi=100, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 1, height_ratios=(3, 2), left=0.035, right=0.925, top=0.755, bottom=0.085, hspace=0.1
        )
        prices = figure.add_subplot(grid[0])
        equity = figure.add_subplot(grid[1], sharex=prices)
        start = comparison.trading_from
        candles = Candles.of(comparison.ts[start:], comparison.every, MOST)
        when = np.asarray(date2num(comparison.ts[start:][candles.lasts].astype("datetime64[ns]")))
        _prices(prices, comparison, candles, when)
        _equity(equity, comparison, candles, when)
        for axes in (prices, equity):
            _bands(axes, comparison, candles, when)
            _plain(axes)
        prices.tick_params(labelbottom=False)
        _head(figure, comparison, evidence)
        written = BytesIO()
        canvas.print_png(written, metadata={"Software": SCHEMA, "Title": title(comparison)})
    return written.getvalue()


def _head(figure: Figure, comparison: Comparison, evidence: Evidence) -> None:
    word, reason = evidence.verdict
    colour = WORDS.get(word.split()[0], UNSURE)
    start, end = (int(comparison.ts[at]) for at in (comparison.trading_from, -1))
    figure.text(0.035, 0.945, word, size=25, weight="bold", color=colour, va="center")
    lines = textwrap.wrap(_short(reason, 230), 118)
    size = 12.5 if len(lines) == 1 else 10.5
    figure.text(0.035, 0.89, "\n".join(lines), size=size, va="center", linespacing=1.25)
    told = f"{title(comparison)} under {comparison.rules_path}, {day(start)} to {day(end)}"
    figure.text(0.035, 0.84, _short(told, 130), size=10.5, color=SOFT, va="center")
    figure.text(0.925, 0.945, "riskguard", size=13, weight="bold", ha="right", va="center")
    series = modelled(comparison)
    if series:
        grades = ", ".join(f"{key}: {grade}" for key, grade in series.items())
        figure.text(
            0.925, 0.89, _short(grades, 60), size=9.5, weight="bold", color=UNSURE,
            ha="right", va="center",
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "#fff6e0", "edgecolor": "#e3c98a"},
        )  # fmt: skip
    figure.text(0.035, 0.022, "No advice to trade.", size=9, color=SOFT)


def _short(text: str, most: int) -> str:
    # a dollar sign would begin a formula
    told = text if len(text) <= most else text[: most - 3].rstrip() + "..."
    return told.replace("$", r"\$")


def _prices(
    axes: Axes, comparison: Comparison, candles: Candles, when: NDArray[np.float64]
) -> None:
    bars, start = comparison.history.bars(comparison.symbol), comparison.trading_from
    first, last = candles.first(bars.open[start:]), candles.last(bars.close[start:])
    high, low = candles.highest(bars.high[start:]), candles.lowest(bars.low[start:])
    colours = np.where(last >= first, "#9aa6b6", "#3f4956").tolist()
    width = 72 * 12 * 0.89 / max(len(when), 1)
    for lower, upper, thick in ((low, high, min(0.9, width * 0.4)), (first, last, width * 0.66)):
        ends = np.stack([np.column_stack((when, lower)), np.column_stack((when, upper))], axis=1)
        axes.add_collection(
            LineCollection(list(ends), colors=colours, linewidths=thick, capstyle="butt", zorder=3)
        )
    axes.set_ylim(float(np.nanmin(low)) * 0.985, float(np.nanmax(high)) * 1.015)
    step = float(when[-1] - when[0]) / max(len(when) - 1, 1)
    axes.set_xlim(when[0] - step, when[-1] + step)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_title(comparison.symbol, loc="left", size=10.5, weight="bold", pad=6, color=INK)


def _equity(
    axes: Axes, comparison: Comparison, candles: Candles, when: NDArray[np.float64]
) -> None:
    start = comparison.trading_from
    for name, colour in RUNS.items():
        path = comparison.results[name].run.equity[start:]
        held = f" {percent(comparison.constant_exposure, 0)}" if name == "constant" else ""
        axes.plot(
            when,
            candles.last(path),
            color=colour,
            linewidth=2.2 if name == "guarded" else 1.4,
            linestyle=(0, (4, 2)) if name == "constant" else "-",
            label=f"{name}{held}: {percent(total_return(path))}, worst fall "
            f"{percent(max_drawdown(path))}",
            zorder=4,
        )
        _forced(axes, comparison, name)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: compact(v).replace("$", r"\$")))
    axes.margins(y=0.12)
    found = axes.legend(
        loc="lower left", fontsize=9.5, frameon=True, framealpha=0.9, borderpad=0.5, reverse=True
    )
    found.get_frame().set_edgecolor(FAINT)
    found.set_zorder(6)


def _forced(axes: Axes, comparison: Comparison, name: str) -> None:
    """Mark where the exchange closed a run by force."""
    run = comparison.results[name].run
    for number, one in enumerate(run.liquidations):
        bar = min(int(np.searchsorted(comparison.ts, one.ts)), len(comparison.ts) - 1)
        place = (float(date2num(np.datetime64(one.ts, "ns"))), float(run.equity[bar]))
        axes.plot(*place, "o", color=RAMP[-1], markersize=7, markeredgecolor="white", zorder=5)
        if not number:
            axes.annotate(
                f"{name} liquidated", place, xytext=(8, 7), textcoords="offset points",
                color=RAMP[-1], size=9.5, weight="bold", zorder=5,
            )  # fmt: skip


def _bands(axes: Axes, comparison: Comparison, candles: Candles, when: NDArray[np.float64]) -> None:
    """Shade what the guard did: stages, or where the rules have none states."""
    start, stages = comparison.trading_from, comparison.ruleset.stages
    levels = stage_levels(comparison) if stages else state_levels(comparison)
    names = [stage.name for stage in stages] or [state.name for state in State][1:]
    drawn = candles.strictest(levels[start:])
    edges = np.flatnonzero(np.diff(drawn)) + 1
    step = float(when[-1] - when[0]) / max(len(when) - 1, 1)
    for low, high in zip([0, *edges], [*edges, len(drawn)], strict=True):
        level = int(drawn[low])
        if level:
            shade = RAMP[-(-level * len(RAMP) // len(names)) - 1]
            axes.axvspan(
                when[low] - step / 2, when[high - 1] + step / 2, color=shade, alpha=0.2, linewidth=0
            )
    if axes.get_subplotspec() is not None and axes.get_title(loc="left"):
        patches = [
            Patch(color=RAMP[-(-level * len(RAMP) // len(names)) - 1], alpha=0.55, label=name)
            for level, name in enumerate(names, 1)
        ]
        axes.legend(
            handles=patches, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(names),
            fontsize=9.5, frameon=False, handlelength=1.0, handleheight=0.9, borderaxespad=0.1,
        )  # fmt: skip


def _plain(axes: Axes) -> None:
    axes.yaxis.tick_right()
    axes.tick_params(length=0, labelsize=9.5, colors=SOFT)
    axes.grid(axis="y", color=FAINT, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
