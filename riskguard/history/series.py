"""One series with its clock, and how it is read from a table.

A value has an event time (the close of its bar, the instant of its snapshot) and an
available-at time, from which it may be known. Both are int64 nanoseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from riskguard.history import checks
from riskguard.history.table import BLANK, Sieve, floats
from riskguard.market import CATALOGUE, SeriesSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskguard.history.table import Table

__all__ = ["BARS", "Entry", "Series", "read_series", "specification"]

BARS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one or more series of a file: `columns` maps series to columns."""

    file: str
    symbol: str
    columns: Mapping[str, str]
    interval: int
    unit: str = ""  # "" for bars: prices, and coins of volume
    kind: str = ""  # "" = as in the catalogue
    stamp: str = "close"
    available_after: int = 0
    max_age: int | None = None
    source: str = "file"
    scope: str = ""
    grade: str = "vendor"
    coverage: str = "full"
    repair: str = ""
    recipe: str = ""
    scale: float = 1.0
    signed: bool = False
    line: int = 1
    pace: int = 0  # ns between values where a blank cell is no new value; 0 = a fault


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values with event and available-at times, ascending; arrays are not to be written to."""

    symbol: str
    name: str
    spec: SeriesSpec
    source: str
    grade: str
    coverage: str
    times: NDArray[np.int64] = field(repr=False)
    events: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    background: NDArray[np.bool_] | None = field(default=None, repr=False)
    file: str = ""
    scope: str = ""
    stamp: str = "close"
    available_after: int = 0

    @property
    def key(self) -> str:
        """Symbol and name: `BTC.close`, `*.fear_greed`."""
        return f"{self.symbol}.{self.name}"

    @property
    def label(self) -> str:
        """Name to show: the key, marked where the values are not a measurement."""
        made = self.grade in {"reconstructed", "synthetic"}
        return f"{self.key} ({self.grade})" if made else self.key

    @property
    def max_age(self) -> int | None:
        """Age (ns) up to which a value is carried forward; None = for ever."""
        if self.spec.max_age is not None:
            return self.spec.max_age
        return None if self.spec.interval is None else 2 * self.spec.interval

    def until(self, end: int) -> Series:
        """Return the series as known at `end` (ns UTC)."""
        count = int(np.searchsorted(self.times, end, side="right"))
        background = None if self.background is None else self.background[:count]
        return replace(
            self,
            times=self.times[:count],
            events=self.events[:count],
            values=self.values[:count],
            background=background,
        )

    def visible(self, ts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the value known at each `ts`: the last one, NaN when too old or none yet."""
        place = np.searchsorted(self.times, ts, side="right") - 1
        found = place >= 0
        if not len(self.times):
            return np.full(len(ts), np.nan)
        if self.max_age is not None:
            found &= ts - self.times[place] <= self.max_age
        return np.where(found, self.values[place], np.nan)


def specification(entry: Entry, name: str) -> SeriesSpec:
    """Return what a series is: the catalogue, and what the entry says of it."""
    interval = entry.pace or entry.interval
    known = CATALOGUE.get(name)
    if known is None:
        return SeriesSpec(
            entry.unit,
            entry.kind,
            interval,
            entry.max_age,
            signed=entry.signed,
            column=entry.columns[name],
        )
    kind = entry.kind or known.kind
    return replace(known, kind=kind, interval=interval, max_age=entry.max_age)


def read_series(entry: Entry, table: Table) -> tuple[list[Series], list[str]]:
    """Return the series of an entry and what was dropped; raise DataError for a bad row."""
    cells = {name: table.column(column) for name, column in entry.columns.items()}
    sieve = Sieve(table, drop=entry.repair == "drop")
    stamps, faults = table.instants()
    sieve.refuse_faults(faults, "ts", "unreadable time stamp")
    specs = {name: specification(entry, name) for name in entry.columns}
    regular = any(spec.bar or spec.kind == "flow" for spec in specs.values())
    columns: dict[str, NDArray[np.float64]] = {}
    for name, column in entry.columns.items():
        numbers, faults = floats(cells[name])
        # closed markets leave cells blank; in a level that is no sign of a broken file
        blank = {row: one for row, one in faults.items() if one.message == BLANK}
        if entry.pace:
            sieve.skip(blank)
        else:
            sieve.refuse_faults(blank, column, BLANK, many=not regular)
        sieve.refuse_faults(faults, column, "not a number")
        with np.errstate(over="ignore"):  # infinite, it can be no amount
            columns[name] = numbers if entry.scale == 1.0 else numbers * entry.scale
    checks.check_values(sieve, entry.columns, columns, specs)
    checks.check_order(sieve, stamps)
    every = entry.pace or entry.interval
    holes = checks.check_grid(sieve, stamps, every, regular=regular)
    checks.check_magnitude(sieve, entry.columns, columns)
    rows = sieve.rows
    events = stamps[rows] + (entry.interval if entry.stamp == "open" else 0)
    made = [_series(entry, name, spec, events, columns[name][rows]) for name, spec in specs.items()]
    doubt = checks.check_stamp(entry, stamps[rows])
    return made, [*_notes(entry, sieve, holes), *([doubt] if doubt else [])]


def _series(
    entry: Entry,
    name: str,
    spec: SeriesSpec,
    events: NDArray[np.int64],
    values: NDArray[np.float64],
) -> Series:
    return Series(
        entry.symbol,
        name,
        spec,
        entry.source,
        entry.grade,
        entry.coverage,
        events + entry.available_after,
        events,
        values,
        None,
        entry.file,
        entry.scope,
        entry.stamp,
        entry.available_after,
    )


def _notes(entry: Entry, sieve: Sieve, holes: str) -> list[str]:
    notes = []
    if sieve.dropped:
        total = sum(sieve.dropped.values())
        reasons = ", ".join(f"{count} {reason}" for reason, count in sieve.dropped.items())
        notes.append(f"{entry.file}: {total} of {len(sieve.keep)} rows dropped ({reasons})")
    if sieve.skipped:
        blank = f"{sieve.skipped} of {len(sieve.keep)} cells blank, no new value there"
        notes.append(f"{entry.file}: {', '.join(entry.columns.values())}: {blank}")
    elif holes:
        bars = {"open", "close"} <= set(entry.columns)
        names = "bars" if bars else ", ".join(entry.columns)
        notes.append(f"{entry.file}: {entry.symbol} {names}: {holes}")
    return notes
