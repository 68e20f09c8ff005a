"""What the page's program draws, as plain lists, texts and packed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.backtest.page.packing import floats, levels, script_json, times
from riskguard.backtest.page.panels import joined, panels
from riskguard.backtest.page.rows import Reason, Row, rows, strictest
from riskguard.backtest.text_figures import duration
from riskguard.engine.decision import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.page.candles import Candles
    from riskguard.backtest.page.panels import Drawn, Line

__all__ = ["MOST_ROWS", "chart", "stage_levels", "state_levels"]

MOST_ROWS = 1_500  # decisions that a page lists
ROW_BYTES = 180_000  # and what their rows may take


def chart(comparison: Comparison, evidence: Evidence) -> dict[str, Any]:
    """Return the data of the chart and of the table of decisions."""
    drawn = panels(comparison, evidence)
    made, candles, start = rows(comparison), drawn.candles, drawn.start
    stages = ["normal", *(stage.name for stage in comparison.ruleset.stages)]
    return {
        "symbol": comparison.symbol,
        "every": duration(comparison.every),
        "candle": duration(candles.span),
        "bars": len(comparison.ts) - start,
        "times": times(comparison.ts[start:][candles.lasts]),
        "stages": stages,
        "states": [state.name for state in State],
        "stage": levels(candles.strictest(stage_levels(comparison)[start:])),
        "state": levels(candles.strictest(state_levels(comparison)[start:])),
        "panes": _panes(drawn),
        "liquidated": list(_liquidated(comparison, candles, start)),
        **_table(made, candles, start, stages),
    }


def state_levels(comparison: Comparison) -> NDArray[np.int64]:
    """Return the state in force at the close of each bar: 0 ACTIVE .. 3 HALTED."""
    return _in_force(comparison, [int(decision.state) for decision, _ in comparison.decisions])


def stage_levels(comparison: Comparison) -> NDArray[np.int64]:
    """Return the stage in force at the close of each bar: 0 normal, then as the rules count."""
    numbers = {stage.name: place for place, stage in enumerate(comparison.ruleset.stages, 1)}
    stages = [numbers.get(decision.stage, 0) for decision, _ in comparison.decisions]
    return _in_force(comparison, stages)


def _in_force(comparison: Comparison, values: Sequence[int]) -> NDArray[np.int64]:
    since = np.array([decision.ts for decision, _ in comparison.decisions])
    place = np.searchsorted(since, comparison.ts, side="right") - 1
    return np.asarray(values, dtype=np.int64)[np.maximum(place, 0)]


def _liquidated(
    comparison: Comparison, candles: Candles, start: int
) -> Iterator[tuple[str, list[int]]]:
    """Yield the runs whose position was closed by force, each with the candles of that."""
    for name, result in comparison.results.items():
        when = np.array([one.ts for one in result.run.liquidations], dtype=np.int64)
        if when.size:
            bars = np.searchsorted(comparison.ts[start:], when).clip(0, len(comparison.ts) - 1)
            yield name, sorted(set(candles.at(bars).tolist()))


def _panes(drawn: Drawn) -> list[dict[str, Any]]:
    return [
        {
            "name": pane.name,
            "weight": pane.weight,
            "tag": pane.tag,
            "lines": [_line(drawn.candles, line) for line in pane.lines],
        }
        for pane in drawn.panes
    ]


def _line(candles: Candles, line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "kind": line.kind,
        "style": line.style,
        "unit": line.unit,
        "tag": line.tag,
        "on": line.on,
        "scale": line.scale,
        "columns": [floats(column) for column in joined(candles, line)],
    }


def _table(
    made: Sequence[Row], candles: Candles, start: int, stages: Sequence[str]
) -> dict[str, Any]:
    """Return the rows with their texts: each text stands once, rows hold its number."""
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    def reason(one: Reason) -> list[Any]:
        return [number(one.rule), number(one.leaf), *one[2:5], number(one.grade)]

    numbers = {name: place for place, name in enumerate(stages)}

    def listed(kept: Sequence[Row]) -> list[list[Any]]:
        bars = np.array([row.bar - start for row in kept], dtype=np.int64)
        return [
            [
                candle,
                row.when,
                numbers.get(row.stage, 0),
                row.state,
                round(row.cap, 4),
                number(row.asks),
                int(row.moved),
                [reason(one) for one in row.reasons],
            ]
            for candle, row in zip(candles.at(bars).tolist(), kept, strict=True)
        ]

    most = MOST_ROWS
    while len(script_json(table := listed(strictest(made, most)))) > ROW_BYTES:
        most = min(most, len(made)) * 3 // 4
    return {"rows": table, "decisions": len(made), "texts": list(texts)}
