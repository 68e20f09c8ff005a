"""The table of figures: three runs side by side, at the mark and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.backtest.text_figures import money, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from riskguard.backtest.metrics import Metrics

__all__ = ["ROWS", "RUNS", "WIDTH", "figures_table", "strategies_table"]

WIDTH = 80
RUNS = ("bare", "guarded", "constant")
LABEL, GAP = 15, 2

ROWS: Sequence[tuple[str, Callable[[Metrics], str]]] = (
    ("end equity", lambda m: money(m.end_equity)),
    ("return", lambda m: percent(m.total_return)),
    ("max drawdown", lambda m: percent(m.max_drawdown)),
    ("CDaR 95 %", lambda m: percent(m.cdar_95)),
    ("worst day", lambda m: percent(m.worst_day)),
    ("mean exposure", lambda m: percent(m.mean_exposure)),
    ("time out", lambda m: percent(m.time_out)),
    ("trades", lambda m: f"{m.trades:,}"),
    ("fees", lambda m: money(m.fees)),
)


def figures_table(blocks: Sequence[tuple[str, Mapping[str, Metrics]]]) -> list[str]:
    """Return the lines of one table; `blocks` are titles with the figures of each run.

    Blocks stand side by side where 80 columns hold them, else one under the other.
    """
    cells = [[[shown(figures[run]) for run in RUNS] for _, shown in ROWS] for _, figures in blocks]
    width = max(len(text) for block in cells for row in block for text in row)
    width = max(width, *map(len, RUNS))
    block_width = max(
        len(RUNS) * width + (len(RUNS) - 1) * GAP, *(len(title) for title, _ in blocks)
    )
    if LABEL + len(blocks) * (block_width + GAP + 1) > WIDTH and len(blocks) > 1:
        return [line for block in blocks for line in (*figures_table([block]), "")][:-1]
    lines = [_join("", [title.center(block_width) for title, _ in blocks])]
    lines.append(_join("", [_row(RUNS, width).rjust(block_width)] * len(blocks)))
    for number, (label, _) in enumerate(ROWS):
        rows = [_row(block[number], width).rjust(block_width) for block in cells]
        lines.append(_join(label, rows))
    return lines


def _row(texts: Sequence[str], width: int) -> str:
    return (" " * GAP).join(text.rjust(width) for text in texts)


def _join(label: str, blocks: Sequence[str]) -> str:
    return (label.ljust(LABEL) + (" " * (GAP + 1)).join(blocks)).rstrip()


def strategies_table(rows: Sequence[tuple[str, Mapping[str, Metrics], str]]) -> list[str]:
    """Return one table over strategies: name, figures of its three runs, a word on liquidation."""
    head = _row(("bare", "guarded", "const."), 7)
    lines = [
        (" " * 18 + "return".center(28) + "max drawdown".center(26)).ljust(73) + "mean",
        "strategy".ljust(18) + head + "  " + head + "   exp.",
    ]
    for name, figures, remark in rows:
        returns = _row([percent(figures[run].total_return) for run in RUNS], 7)
        falls = _row([percent(figures[run].max_drawdown) for run in RUNS], 7)
        exposure = percent(figures["guarded"].mean_exposure).rjust(7)
        lines.append(f"{name[:17].ljust(18)}{returns}  {falls}{exposure}".rstrip())
        if remark:
            lines.append(f"  {remark}")
    return lines
