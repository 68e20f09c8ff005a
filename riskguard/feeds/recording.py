"""What live feeds tell, written into a folder that is a scenario: minutes, gaps left as gaps.

A minute of liquidations is written when its stream was heard nine tenths of it, zeros included;
any other minute is left out, so that a gap stays a gap. The same folder primes a guard
(`feeds.recorded`), and is read by `riskguard backtest`.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.errors import DataError
from riskguard.feeds.minutes import SIDES, Minutes
from riskguard.feeds.table import Table
from riskguard.market import MINUTE, coin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from riskguard.engine.events import Event
    from riskguard.feeds.plugged import Vendor
    from riskguard.feeds.venues import Venue

__all__ = ["ABOUT", "OURS", "SERIES_OF", "UNITS", "Recording"]

BARS = ("open", "high", "low", "close", "volume")
RATE = ("funding_rate",)
UNITS = {"coins": "oi_coins", "usd": "oi_usd"}
OURS = re.compile(r"1m|(oi|liquidations)-\d+m|funding-\d+h")
SERIES_OF = {"": "bars", "oi": "open_interest"}  # kind of a file -> what brings it
FILE = "scenario.yaml"
ABOUT = "recording.json"
PART = "recording.part"  # minutes in progress


class Kept(NamedTuple):
    """A table with what `scenario.yaml` says of it."""

    table: Table
    said: dict[str, str]


class Recording:
    """A folder that is being recorded: `take` events, `flush` about every ten seconds.

    The folder belongs to it from the first row on. `vendors` are feeds of plug-ins: what they
    bring is theirs, and not of the venue.

    Raises:
        DataError: the folder holds a recording of another venue, other symbols or other
            plug-ins, or files that are no recording; or two symbols are of one coin.
    """

    def __init__(
        self,
        folder: Path,
        venue: Venue,
        symbols: tuple[str, ...],
        vendors: Sequence[Vendor] = (),
    ) -> None:
        self.folder, self.venue, self.vendors = folder, venue, vendors
        self.late = 0  # liquidations that came after their minute was written
        self._from = {series: one for one in vendors for series in one.brings}
        self._rows = venue.rows and "liquidations" not in self._from
        self._minutes = Minutes(5 * MINUTE if self._rows else MINUTE, whole=self._rows)
        self._kept: dict[str, Kept] = {}
        self._listed: tuple[str, ...] = ()
        _apart(symbols)
        folder.mkdir(parents=True, exist_ok=True)
        self._about: dict[str, Any] = {"venue": venue.name, "symbols": list(symbols)}
        if vendors:
            self._about["plugins"] = {one.name: one.about() for one in vendors}
        about = self._found(self._about)
        self._ours = about is not None
        self.symbols: tuple[str, ...] = symbols if about is None else tuple(about["symbols"])
        self._resume()

    # ------------------------------------------------------------ events

    def take(self, event: Event) -> None:
        """Take one event of a feed; what is no part of a recording is passed over."""
        name, data = coin(event.symbol if event.symbol != "*" else self.symbols[0]), event.data
        if event.kind == "bar":
            values = {column: _float(data[column]) for column in BARS if column in data}
            columns = BARS if "volume" in values else BARS[:-1]
            self._table(name, "1m", columns).add(event.ts - MINUTE, values)
        elif event.kind == "open_interest":
            told = {UNITS[unit]: _float(value) for unit, value in data.items()}
            self._minutes.level(name, event.ts, told)
        elif event.kind == "funding":
            table = self._funding(name, round(_float(data.get("interval_hours", 8))))
            table.add(event.ts, {"funding_rate": _float(data["rate"])})
        elif event.kind == "value":
            self._valued(name, event)
        elif event.kind == "liquidation":
            self._liquidated(name, event)
        elif event.kind == "alive" and data.get("series") == "liq.long":
            self._minutes.proven(name, event.ts)

    def _valued(self, name: str, event: Event) -> None:
        series = str(event.data["series"])
        interval = self._from[series].values[series].interval
        table = self._table(name, f"{series}-{interval}", (series,))
        table.add(event.ts, {series: _float(event.data["value"])})

    def _liquidated(self, name: str, event: Event) -> None:
        if self._minutes.start(event.ts) <= self._liquidations(name).last:
            self.late += not self._rows  # a row is told again at each start
            return
        side, usd = str(event.data["liquidated_side"]), _float(event.data["notional_usd"])
        self._minutes.liquidated(name, event.ts, side, usd, event.id)

    def _funding(self, name: str, hours: int) -> Table:
        """Return the one table of rates: a venue may change how often it settles."""
        begun = [kept.table for file, kept in self._kept.items() if f"{name}-funding-" in file]
        return begun[0] if begun else self._table(name, f"funding-{hours}h", RATE)

    def _liquidations(self, name: str) -> Table:
        return self._table(name, f"liquidations-{self._minutes.interval // MINUTE}m", SIDES)

    # ------------------------------------------------------------ the disk

    def flush(self, now: int) -> None:
        """Write what is complete at `now` (ns), and lay down what is not.

        Raises:
            OSError: the disk refuses; what waits is kept for the next flush.
        """
        for name, end, values in self._minutes.levels(now):
            self._table(name, f"oi-{self.venue.every}m", tuple(sorted(values))).add(end, values)
        for name, start, values in self._minutes.liquidations(now):
            self._liquidations(name).add(start, values)
        if not (self._ours or self._minutes or self.waiting):
            return
        self._claim()
        refused: OSError | None = None
        for kept in self._kept.values():
            try:
                kept.table.flush()
            except OSError as error:  # the others are written all the same
                refused = error
        if refused is not None:
            raise refused
        _write(self.folder / PART, json.dumps(self._minutes.dump()))
        self._list()

    @property
    def waiting(self) -> int:
        """Rows that are complete and not on the disk."""
        return sum(kept.table.waiting for kept in self._kept.values())

    @property
    def written(self) -> dict[str, int]:
        """Rows written since the start, by file."""
        return {name: kept.table.written for name, kept in sorted(self._kept.items())}

    def _table(self, name: str, what: str, columns: tuple[str, ...]) -> Table:
        file = f"{name}-{what}.csv"
        if file not in self._kept:
            table = Table(self.folder / file, columns)
            self._kept[file] = Kept(table, self._said(name, what))
        return self._kept[file].table

    def _said(self, name: str, what: str) -> dict[str, str]:
        """Return what scenario.yaml says of a file but for the series of its columns."""
        kind, _, interval = what.rpartition("-")
        opens = kind in ("", "liquidations")
        of = self._from.get(SERIES_OF.get(kind, kind))
        said = {"symbol": name, "interval": interval, "stamp": "open" if opens else "close"}
        if of is not None and kind in of.values:
            said |= {"unit": of.values[kind].unit, "kind": "level"}
        coverage = (of or self.venue).coverage if kind == "liquidations" else "full"
        source, grade = (self.venue.name, "exchange") if of is None else (of.name, "vendor")
        said |= {"source": source, "grade": grade, "coverage": coverage}
        return said | {"repair": "drop"}  # what is missing was not heard, and stays a hole

    # ------------------------------------------------------------ the folder

    def _found(self, about: dict[str, Any]) -> dict[str, Any] | None:
        """Return what the folder says it holds, None where it holds nothing yet."""
        try:
            found = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            if any(self.folder.glob("*.csv")) or (self.folder / FILE).exists():
                msg = "the folder holds files that are no recording"
                raise DataError(msg, path=str(self.folder), help="record into a new one") from None
            return None
        except ValueError as error:
            raise DataError(f"{ABOUT} cannot be read: {error}", path=str(self.folder)) from error
        if _sorted(found) != _sorted(about):
            held = _sorted(found)
            of = ", ".join([held[0], *held[2]])
            msg = f"the folder holds a recording of {of}: {', '.join(held[1])}"
            help_ = "record into another folder, or the same venue and symbols into this one"
            raise DataError(msg, path=str(self.folder), help=help_)
        return dict(found)

    def _claim(self) -> None:
        if not self._ours:
            _write(self.folder / ABOUT, json.dumps(self._about) + "\n")
            self._ours = True

    def _resume(self) -> None:
        for path in sorted(self.folder.glob("*.csv")):
            name, _, what = path.stem.partition("-")
            if not OURS.fullmatch(what) and what.rpartition("-")[0] not in self._from:
                continue  # somebody laid it beside
            with path.open(encoding="ascii", errors="replace") as file:
                columns = tuple(file.readline().strip().split(",")[1:])
            if not columns:
                path.unlink()  # torn before its head was whole: it holds nothing
                continue
            self._table(name, what, columns)
        with suppress(OSError, ValueError):  # without it the minutes in progress are gaps
            self._minutes.load(json.loads((self.folder / PART).read_text(encoding="utf-8")))

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
        if self.venue.note and "liquidations" not in self._from:
            lines += ["notes:", f'  - "Liquidations: {self.venue.note}."']
        lines.append("series:")
        for name in names:
            for said in _entries(self._kept[name].said, self._kept[name].table.columns):
                pairs = ", ".join(f"{key}: {value}" for key, value in said.items())
                lines.append(f"  - {{file: {name}, {pairs}}}")
        _write(self.folder / FILE, "\n".join(lines) + "\n")
        self._listed = names


def _apart(symbols: tuple[str, ...]) -> None:
    """See that no two symbols are written into the same files."""
    twice = [name for name, count in Counter(map(coin, symbols)).items() if count > 1]
    if twice:
        several = " and ".join(symbol for symbol in symbols if coin(symbol) == twice[0])
        raise DataError(
            f"{several} would be written into the same files",
            help="record each into a folder of its own",
        )


def _sorted(about: object) -> tuple[str, list[str], dict[str, Any]]:
    """Return venue, symbols and plug-ins of what a folder says of itself."""
    if not isinstance(about, dict) or not isinstance(about.get("symbols"), list):
        return "another kind", [], {}
    plugins = about.get("plugins")
    brought = plugins if isinstance(plugins, dict) else {}
    return str(about.get("venue")), sorted(map(str, about["symbols"])), brought


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # the fields of an event are numbers or text


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
        name, unit = series.get(column) or (column, said["unit"])
        yield {"series": name, "column": column, "unit": unit} | said


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
