"""What live feeds tell, written into a folder that is a scenario: minutes, gaps left as gaps.

A minute of liquidations is written when its stream was heard nine tenths of it, zeros included;
any other minute is left out, so that a gap stays a gap. The same folder primes a guard
(`feeds.recorded`), and is read by `riskguard backtest`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from riskguard.errors import DataError
from riskguard.feeds.table import Table
from riskguard.market import HOUR, MINUTE, SECOND, coin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.engine.events import Event
    from riskguard.feeds.venues import Venue

__all__ = ["ABOUT", "UNITS", "Recording"]

WAIT = 10 * SECOND  # after the end of a minute: what comes later is lost to it
GAP = 12 * SECOND  # between two proofs of a stream: longer, and it was not heard
HEARD, OF = 9, 10  # a minute counts when so much of it was heard
BARS = ("open", "high", "low", "close", "volume")
RATE = ("funding_rate",)
SIDES = ("liq_long_usd", "liq_short_usd")
UNITS = {"coins": "oi_coins", "usd": "oi_usd"}
FILE = "scenario.yaml"
ABOUT = "recording.json"


class Kept(NamedTuple):
    """A table with what `scenario.yaml` says of it."""

    table: Table
    said: dict[str, str]


class Recording:
    """A folder that is being recorded: `take` events, `flush` about every ten seconds.

    Raises:
        DataError: the folder holds a recording of another venue or other symbols, or files that
            are no recording.
    """

    def __init__(self, folder: Path, venue: Venue, symbols: tuple[str, ...]) -> None:
        self.folder, self.venue, self.symbols = folder, venue, symbols
        self.late = 0  # liquidations that came after their minute was written
        self._interval = 5 * MINUTE if venue.rows else MINUTE
        self._kept: dict[str, Kept] = {}
        self._levels: dict[tuple[str, int], dict[str, float]] = {}
        self._flows: dict[tuple[str, int], dict[str, float]] = {}
        self._last: dict[str, int] = {}  # when the stream of a coin was proven last
        self._heard: dict[tuple[str, int], int] = {}  # of each bar, how much (ns) was heard
        self._listed: tuple[str, ...] = ()
        folder.mkdir(parents=True, exist_ok=True)
        self._claim()
        self._resume()

    # ------------------------------------------------------------ events

    def take(self, event: Event) -> None:
        """Take one event of a feed; what is no part of a recording is passed over."""
        name, data = coin(event.symbol), event.data
        if event.kind == "bar":
            values = {column: _float(data[column]) for column in BARS if column in data}
            columns = BARS if "volume" in values else BARS[:-1]
            self._table(name, "1m", columns).table.add(event.ts - MINUTE, values)
        elif event.kind == "open_interest":
            end = -(-event.ts // MINUTE) * MINUTE
            told = {UNITS[unit]: _float(value) for unit, value in data.items()}
            self._levels.setdefault((name, end), {}).update(told)
        elif event.kind == "funding":
            table = self._funding(name, round(_float(data.get("interval_hours", 8))))
            table.add(event.ts, {"funding_rate": _float(data["rate"])})
        elif event.kind == "liquidation":
            self._liquidated(name, event)
        elif event.kind == "alive" and data.get("series") == "liq.long":
            self._proven(name, event.ts)

    def _proven(self, name: str, ts: int) -> None:
        """Credit the time since the last proof to the bars it lies in, unless it is a gap."""
        last = self._last.get(name, ts)
        if self.venue.rows:  # a row is whole
            last = ts - self._interval
        self._last[name] = max(last, ts)
        while last < ts and (ts - last <= GAP or self.venue.rows):
            start = self._start(last + 1)
            until = min(ts, start + self._interval)
            self._heard[name, start] = self._heard.get((name, start), 0) + until - last
            last = until

    def _start(self, ts: int) -> int:
        """Return the beginning of the bar `(start, start + interval]` an instant falls in."""
        return (-(-ts // self._interval) - 1) * self._interval

    def _liquidated(self, name: str, event: Event) -> None:
        start = self._start(event.ts)
        if start <= self._liquidations(name).last:
            self.late += 1
            return
        column = f"liq_{event.data['liquidated_side']}_usd"
        sums = self._flows.setdefault((name, start), {})
        sums[column] = sums.get(column, 0.0) + _float(event.data["notional_usd"])

    def _funding(self, name: str, hours: int) -> Table:
        """Return the one table of rates: a venue may change how often it settles."""
        begun = [kept.table for file, kept in self._kept.items() if f"{name}-funding-" in file]
        return begun[0] if begun else self._table(name, f"funding-{hours}h", RATE).table

    def _liquidations(self, name: str) -> Table:
        return self._table(name, f"liquidations-{self._interval // MINUTE}m", SIDES).table

    # ------------------------------------------------------------ the disk

    def flush(self, now: int) -> dict[str, int]:
        """Write what is complete at `now` (ns); return the rows written since the start, by file.

        Raises:
            OSError: the disk refuses; what waits is kept for the next flush.
        """
        for name, end in sorted(self._levels):
            if end + WAIT <= now:
                values = self._levels.pop((name, end))
                self._table(name, "oi-1m", tuple(sorted(values))).table.add(end, values)
        for name, start in sorted(self._heard):
            if start + self._interval + WAIT <= now:
                self._closed(name, start, self._heard.pop((name, start)))
        old = now - HOUR
        self._flows = {key: one for key, one in self._flows.items() if key[1] > old}
        for kept in self._kept.values():
            kept.table.flush()
        self._list()
        return {name: kept.table.written for name, kept in sorted(self._kept.items())}

    def _closed(self, name: str, start: int, heard: int) -> None:
        sums = self._flows.pop((name, start), {})
        if heard * OF >= HEARD * self._interval:
            self._liquidations(name).add(start, dict.fromkeys(SIDES, 0.0) | sums)

    def _table(self, name: str, what: str, columns: tuple[str, ...]) -> Kept:
        file = f"{name}-{what}.csv"
        if file not in self._kept:
            table = Table(self.folder / file, columns)
            self._kept[file] = Kept(table, _said(name, what, self.venue))
        return self._kept[file]

    # ------------------------------------------------------------ the folder

    def _claim(self) -> None:
        """Make the folder ours, or see that it is."""
        about = {"venue": self.venue.name, "symbols": list(self.symbols)}
        path = self.folder / ABOUT
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if any(self.folder.glob("*.csv")) or (self.folder / FILE).exists():
                msg = "the folder holds files that are no recording"
                raise DataError(msg, path=str(self.folder), help="record into a new one") from None
            _write(path, json.dumps(about) + "\n")
            return
        except ValueError as error:
            raise DataError(f"{ABOUT} cannot be read: {error}", path=str(self.folder)) from error
        if found != about:
            were = ", ".join(map(str, found.get("symbols", ())))
            msg = f"the folder holds a recording of {found.get('venue')}: {were}"
            help_ = "record into another folder, or the same venue and symbols into this one"
            raise DataError(msg, path=str(self.folder), help=help_)

    def _resume(self) -> None:
        for path in sorted(self.folder.glob("*.csv")):
            name, _, what = path.stem.partition("-")
            with path.open(encoding="ascii", errors="replace") as file:
                columns = tuple(file.readline().strip().split(",")[1:])
            if not columns:
                path.unlink()  # torn before its head was whole: it holds nothing
                continue
            self._table(name, what, columns)

    def _list(self) -> None:
        """Say in scenario.yaml what the files hold, each once it has a row."""
        names = tuple(sorted(name for name, kept in self._kept.items() if kept.table.last))
        traded = coin(self.symbols[0])
        if names == self._listed or f"{traded}-1m.csv" not in names:
            return
        lines = [
            "# Written by riskguard record. A gap is a time in which nothing was heard.",
            f"name: recorded-{self.venue.name}",
            f'title: "{self.venue.name}, recorded live: {", ".join(self.symbols)}"',
            f"symbol: {traded}",
        ]
        if self.venue.note:
            lines += ["notes:", f'  - "Liquidations: {self.venue.note}."']
        lines.append("series:")
        for name in names:
            for said in _entries(self._kept[name].said, self._kept[name].table.columns):
                pairs = ", ".join(f"{key}: {value}" for key, value in said.items())
                lines.append(f"  - {{file: {name}, {pairs}}}")
        _write(self.folder / FILE, "\n".join(lines) + "\n")
        self._listed = names


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # the fields of an event are numbers or text


def _said(name: str, what: str, venue: Venue) -> dict[str, str]:
    """Return what scenario.yaml says of a file but for the series of its columns."""
    kind, _, interval = what.rpartition("-")
    opens = kind in ("", "liquidations")
    said = {"symbol": name, "interval": interval, "stamp": "open" if opens else "close"}
    coverage = venue.coverage if kind == "liquidations" else "full"
    return said | {"source": venue.name, "grade": "exchange", "coverage": coverage}


def _entries(said: dict[str, str], columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the entries of a file: bars as one, anything else a series a column."""
    series = {
        "oi_coins": ("oi", "coins"),
        "oi_usd": ("oi_usd", "usd"),
        "funding_rate": ("funding", "fraction"),
        "liq_long_usd": ("liq.long", "usd"),
        "liq_short_usd": ("liq.short", "usd"),
    }
    if "close" in columns:
        yield {"series": "bars", "unit": "price"} | said
        return
    for column in columns:
        name, unit = series[column]
        yield {"series": name, "column": column, "unit": unit} | said


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
