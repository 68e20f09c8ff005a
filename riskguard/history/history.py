"""Series with their own clocks, seen point in time: nothing is visible before it is known."""

from __future__ import annotations

import hashlib
import os.path
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.errors import DataError, visible
from riskguard.history import csvfile, embedded
from riskguard.history.liquidations import rebuild
from riskguard.history.scenario import FILE_NAME, SYMBOL, read_scenario
from riskguard.history.series import read_series
from riskguard.history.stamps import duration_text, instant_text, shown
from riskguard.history.table import read_table, suggestion
from riskguard.language.ruleset import Input
from riskguard.market import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from riskguard.history.scenario import Mark, Scenario
    from riskguard.history.series import Entry, Series
    from riskguard.history.table import Table

__all__ = ["Bars", "History"]


class Bars(NamedTuple):
    """Bars of one symbol: `ts` closes in ns UTC; volume is NaN where none is carried."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What was known when: series by key (`BTC.close`, `*.fear_greed`), and the traded symbol.

    >>> history = History.read("feb-2026")
    >>> history.symbol, len(history.bars("BTC").ts)
    ('BTC', 558)
    """

    name: str
    title: str
    path: str
    symbol: str
    every: int
    mark: Mark | None = None
    series: dict[str, Series] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        source: str | Path,
        *,
        symbol: str | None = None,
        end: int | None = None,
        files: Path | None = None,
    ) -> History:
        """Read an embedded scenario, a folder with scenario.yaml, or a CSV file (or pipe) of bars.

        `symbol` is the one traded (else the scenario's own); `end` (ns UTC) cuts off what was
        not yet known then; `files` is the folder from which file names count, and which none
        may leave (else the scenario's own, which they may). Raises DataError for data that
        cannot be trusted.
        """
        path = embedded.locate(source)
        if symbol is not None and (not SYMBOL.fullmatch(symbol) or symbol == "*"):
            fix = "capitals and digits: BTC"
            raise DataError(f"'{shown(symbol)}' is not a symbol", path=str(source), help=fix)
        if path.is_dir():
            scenario = read_scenario(path)
            series, notes = _read_entries(path, scenario, files)
            _check_mark(path, scenario, series)
            history = _history(scenario, path, series, notes)
        else:
            history = _read_file(path, symbol)
        if end is not None:
            cut = {key: one.until(end) for key, one in history.series.items()}
            history = replace(history, series=cut)
        return history.for_symbol(symbol or history.symbol)

    def for_symbol(self, symbol: str) -> History:
        """Return the same history with another symbol traded; raise DataError if it has no bars."""
        closes = self.series.get(f"{symbol}.close")
        if closes is None or closes.spec.interval is None:
            fix = f"bars there are: {', '.join(self.symbols) or 'none'}"
            raise DataError(f"no bars of {symbol}", path=self.path, help=fix)
        every = closes.spec.interval
        if closes.available_after:
            message = f"bars of {symbol} come {duration_text(closes.available_after)} late"
            fix = "bars to be traded are known at their close: leave out available_after"
            raise DataError(message, path=self.path, column="available_after", help=fix)
        if len(closes.times) and int(closes.times[0]) % every:
            when = instant_text(int(closes.times[0]))
            message = f"a bar of {duration_text(every)} closes at {when}"
            fix = "bars to be traded close at whole multiples of their interval, counted in UTC"
            raise DataError(message, path=self.path, column="ts", help=fix)
        return replace(self, symbol=symbol, every=every)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have bars, in the order of the files."""
        return tuple(one.symbol for one in self.series.values() if one.name == "close")

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all keys, clocks and values, and of what they are worth."""
        sha = hashlib.sha256()
        for key in sorted(self.series):
            one = self.series[key]
            words = (key, one.spec.unit, one.spec.kind, one.source, one.grade, one.coverage)
            sha.update(f"{' '.join(words)}\n".encode())
            sha.update(one.times.astype("<i8").tobytes())
            sha.update(one.values.astype("<f8").tobytes())
        return sha.hexdigest()

    def bars(self, symbol: str | None = None) -> Bars:
        """Return the bars of a symbol (default: the traded one); raise DataError if none."""
        symbol = symbol or self.symbol
        closes = self.series.get(f"{symbol}.close")
        if closes is None:
            fix = f"bars there are: {', '.join(self.symbols)}"
            raise DataError(f"no bars of {symbol}", path=self.path, help=fix)
        volume = self.series.get(f"{symbol}.volume")
        first, high, low = (self.series[f"{symbol}.{name}"].values for name in OHL)
        none = np.full(len(closes.values), np.nan)
        traded = none if volume is None else volume.values
        return Bars(closes.events, first, high, low, closes.values, traded)

    def samples(self) -> Iterator[Sample]:
        """Yield everything in the order in which it became known.

        Of equal instants, the traded symbol comes last; its series of one instant are one sample.
        """
        symbols = sorted({one.symbol for one in self.series.values()} - {self.symbol})
        rank = {symbol: place for place, symbol in enumerate([*symbols, self.symbol])}
        ordered = list(self.series.values())
        if not ordered:
            return
        times = np.concatenate([one.times for one in ordered])
        owners = np.concatenate([np.full(len(one.times), rank[one.symbol]) for one in ordered])
        names = np.repeat(np.arange(len(ordered)), [len(one.times) for one in ordered])
        values = np.concatenate([one.values for one in ordered])
        order = np.lexsort((names, owners, times))
        times, owners = times[order], owners[order]
        changed = (np.diff(times) != 0) | (np.diff(owners) != 0)
        edges = [0, *(np.flatnonzero(changed) + 1).tolist(), len(times)]
        texts = [one.name for one in ordered]
        labels = [texts[place] for place in names[order].tolist()]
        numbers = values[order].tolist()
        instants = times.tolist()
        symbols.append(self.symbol)
        for start, stop in pairwise(edges):
            if start == stop:
                continue
            symbol = symbols[owners[start]]
            held = dict(zip(labels[start:stop], numbers[start:stop], strict=True))
            yield Sample(instants[start], symbol, held)

    def inputs(self) -> dict[str, Input]:
        """Return what is carried: `oi` (traded symbol), `fear_greed` (market), `ETH.close`."""
        return {
            self._relative(one): Input(
                one.name,
                one.spec,
                source=one.source,
                available_after=one.available_after,
                stamp=one.stamp,
                coverage=one.coverage,
            )
            for one in self._by_nearness()
        }

    def sources(self) -> dict[str, str]:
        """Return the source of each input, by the keys of `inputs`."""
        return {self._relative(one): one.source for one in self._by_nearness()}

    def aligned(self, key: str, ts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the value known at each `ts` (ns UTC): NaN before the first and past max_age.

        `key` is one of `series`, or a name alone: of the traded symbol, else market-wide.
        """
        for name in (key, f"{self.symbol}.{key}", f"*.{key}"):
            if name in self.series:
                return self.series[name].visible(np.asarray(ts, dtype=np.int64))
        fix = suggestion(key, list(self.series)) or f"there are: {', '.join(self.series)}"
        raise DataError(f"no series '{key}'", path=self.path, help=fix)

    def _relative(self, one: Series) -> str:
        return one.name if one.symbol in {self.symbol, "*"} else one.key

    def _by_nearness(self) -> list[Series]:
        # where a market-wide series has the name of one of the traded symbol, the latter counts
        return sorted(self.series.values(), key=lambda one: (one.symbol == self.symbol, one.key))


OHL = ("open", "high", "low")
FOLDERS = "2022-05/BTCUSDT-ohlcv-1h.csv"


def _history(
    scenario: Scenario, path: Path, series: dict[str, Series], notes: list[str]
) -> History:
    return History(
        scenario.name,
        scenario.title,
        str(path),
        scenario.symbol,
        0,
        scenario.mark,
        series,
        tuple(notes),
        scenario.remarks,
    )


def _check_mark(path: Path, scenario: Scenario, series: dict[str, Series]) -> None:
    closes = series.get(f"{scenario.symbol}.close")
    if scenario.mark is None or closes is None:
        return
    first, last = int(closes.events[0]), int(closes.events[-1])
    if not first <= scenario.mark.ts <= last:
        at, file = instant_text(scenario.mark.ts), str(path / FILE_NAME)
        message = f"{at} lies outside the bars of {scenario.symbol}"
        fix = f"their closes run from {instant_text(first)} to {instant_text(last)}"
        raise DataError(message, path=file, line=scenario.mark_line, column="mark", help=fix)


def _read_file(path: Path, symbol: str | None) -> History:
    guessed, told = csvfile.guess(path) if symbol is None else (symbol, [])
    listed, notes = csvfile.read_csv(path, guessed)
    series = {one.key: one for one in listed}
    name = visible(path.stem), visible(path.name)
    return History(*name, str(path), guessed, 0, None, series, (*told, *notes))


def _read_entries(
    folder: Path, scenario: Scenario, files: Path | None
) -> tuple[dict[str, Series], list[str]]:
    tables: dict[str, Table] = {}
    series: dict[str, Series] = {}
    notes: list[str] = []
    for entry in sorted(scenario.entries, key=lambda entry: bool(entry.recipe)):
        path = folder / entry.file if files is None else _inside(files, entry, folder / FILE_NAME)
        _regular(path)
        if entry.recipe:
            made = [rebuild(entry, path, series)]
        else:
            if entry.file not in tables:
                tables[entry.file] = read_table(path)
            table = tables[entry.file]
            made, dropped = read_series(_without_volume(entry, table), table)
            notes += dropped
        for one in made:
            if one.key in series:
                raise DataError(
                    f"{one.key} is given twice",
                    path=str(folder / "scenario.yaml"),
                    line=entry.line,
                    help=f"it is in {series[one.key].file} too: keep one",
                )
            series[one.key] = one
    return series, notes


def _regular(path: Path) -> None:
    """Refuse what would be waited for, or read, for ever: a pipe, a device."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112, PTH113 - those of Path raise where it may not be looked
        fix = "a pipe is read where it is given alone: --data PIPE"
        raise DataError("is no regular file", path=str(path), help=fix)


def _inside(files: Path, entry: Entry, scenario: Path) -> Path:
    """Return where a file lies below the folder that all names count from."""
    named = PurePath(entry.file)
    if named.is_absolute() or ".." in named.parts:
        message = f"'{shown(entry.file)}' leads out of {files}"
        fix = f"name it from that folder on: {FOLDERS}"
        raise DataError(message, path=str(scenario), line=entry.line, column="file", help=fix)
    return files / named


def _without_volume(entry: Entry, table: Table) -> Entry:
    # bars need no volume; a column named on purpose must be there
    if entry.columns.get("volume") != "volume" or "volume" in table.header or entry.unit != "price":
        return entry
    columns = {name: column for name, column in entry.columns.items() if name != "volume"}
    return replace(entry, columns=columns)
