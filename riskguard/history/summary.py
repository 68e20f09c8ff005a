"""What a history holds, in a few lines: for lists of scenarios and for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.history.embedded import scenarios
from riskguard.history.history import History

if TYPE_CHECKING:
    from riskguard.history.series import Series

__all__ = ["SeriesSummary", "Summary", "summaries", "summarise"]


class SeriesSummary(NamedTuple):
    """One series: `start` and `end` are its first and last event (ns UTC; 0 when empty)."""

    key: str
    unit: str
    kind: str
    source: str
    grade: str
    coverage: str
    start: int
    end: int
    rows: int


class Summary(NamedTuple):
    """One history: `start` and `end` span the bars of the traded symbol (ns UTC)."""

    name: str
    title: str
    symbol: str
    every: int
    start: int
    end: int
    series: tuple[SeriesSummary, ...]
    notes: tuple[str, ...]


def summarise(history: History) -> Summary:
    """Return spans, units and grades of a history; `start` is the open of the first bar."""
    bars = history.bars()
    start = int(bars.ts[0]) - history.every if len(bars.ts) else 0
    return Summary(
        history.name,
        history.title,
        history.symbol,
        history.every,
        start,
        int(bars.ts[-1]) if len(bars.ts) else 0,
        tuple(_of_series(one) for one in history.series.values()),
        history.remarks + history.notes,
    )


def summaries() -> list[Summary]:
    """Return a summary of every embedded scenario."""
    return [summarise(History.read(name)) for name in scenarios()]


def _of_series(one: Series) -> SeriesSummary:
    rows = len(one.events)
    return SeriesSummary(
        one.key,
        one.spec.unit,
        one.spec.kind,
        one.source,
        one.grade,
        one.coverage,
        int(one.events[0]) if rows else 0,
        int(one.events[-1]) if rows else 0,
        rows,
    )
