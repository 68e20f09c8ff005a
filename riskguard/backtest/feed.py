"""Bars and further series as Backtrader lines, each line filled in one piece.

`PandasData` spends half of a run on one table look-up per cell. `GuardFeed` holds the same
lines, equal to the last bit, and needs a copy per line. A missing column is a line of NaN:
unknown, never calm.
"""

from __future__ import annotations

import re
from array import array
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import backtrader as bt
import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # pandas ships no types

from riskguard.errors import DataError
from riskguard.market import CATALOGUE, DAY, MINUTE, SECOND, WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from riskguard.history import History

    Floats = npt.NDArray[np.float64]
    Stamps = npt.NDArray[np.int64]

__all__ = [
    "Columns",
    "GuardFeed",
    "day_numbers",
    "feed_class",
    "feed_of",
    "frame_of",
    "line_name",
    "visible",
]

EXTRA = ("oi", "oi_usd", "liq_long", "liq_short", "funding", "fear_greed")
BARS = ("open", "high", "low", "close", "volume")
MARKET_WIDE = frozenset({"fear_greed"})
FEED_PREFIX = "GuardFeed__"
DAY_US = 86_400_000_000
CLOCK = ((3_600_000_000, 24.0), (60_000_000, 1440.0), (1_000_000, 86400.0), (1, 86400e6))


class Columns(NamedTuple):
    """Columns of equal length beside `ts`, the int64 ns close stamps, UTC, ascending."""

    ts: Stamps
    values: Mapping[str, Floats]


def day_numbers(us: npt.NDArray[np.int64]) -> Floats:
    """Return Backtrader's day numbers of int64 microseconds UTC, `date2num` to the last bit."""
    day = us // DAY_US
    rest = us - day * DAY_US  # divmod takes three times as long
    total, low = (day + 719_163).astype(np.float64), np.zeros(len(us))
    # date2num is an exactly rounded sum: carry what each addition loses
    for unit, parts in CLOCK:
        count = rest // unit
        rest -= count * unit
        part = count / parts
        new = total + part
        total -= new
        total += part  # what was lost: a part of a day is smaller than any day number
        low += total
        total = new
        if not rest.any():
            break
    total += low
    return total


def line_name(key: str) -> str:
    """Return the line that carries a series: "liq.long" -> "liq_long"."""
    return re.sub(r"_+", "_", re.sub(r"\W", "_", key)).strip("_")


def frame_of(interval: int) -> dict[str, int]:
    """Return Backtrader's timeframe and compression for a bar of `interval` ns."""
    units = (
        (WEEK, bt.TimeFrame.Weeks),
        (DAY, bt.TimeFrame.Days),
        (MINUTE, bt.TimeFrame.Minutes),
        (SECOND, bt.TimeFrame.Seconds),
    )
    for unit, name in units:
        if interval % unit == 0:
            return {"timeframe": name, "compression": interval // unit}
    return {"timeframe": bt.TimeFrame.MicroSeconds, "compression": interval // 1000}


def _buffer(values: Floats) -> array[float]:
    line = array("d")
    line.frombytes(np.ascontiguousarray(values).view(np.uint8).data)
    return line


def _refuse_zone(name: str, zone: object) -> None:
    if zone is None or hasattr(zone, "localize"):
        return
    if isinstance(zone, str) and find_spec("pytz") is not None:
        return
    raise DataError(
        f"{name}={zone!r} cannot be used: Backtrader localises by pytz alone",
        help="leave it out and convert before: frame.index = frame.index.tz_convert('UTC')",
    )


def _microseconds(stamps: pd.Series | pd.Index) -> npt.NDArray[np.int64]:
    kind = getattr(stamps, "inferred_type", None) or pd.api.types.infer_dtype(stamps)
    if kind in {"string", "integer", "floating", "mixed", "mixed-integer", "boolean"}:
        raise DataError(
            f"time stamps of kind {kind}; dates are needed",
            help="frame.index = pd.to_datetime(frame.index, utc=True), with unit= for numbers",
        )
    index = pd.DatetimeIndex(stamps)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    if bool(index.isna().any()):
        row = int(np.argmax(index.isna()))
        raise DataError(f"no time stamp in row {row}", help="drop the row: frame.dropna()")
    return np.asarray(index.as_unit("us").asi8, dtype=np.int64)


def _numbers(column: pd.Series, name: str) -> Floats:
    try:
        return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"not numbers: {error}",
            column=name,
            help=f"frame[{name!r}] = pd.to_numeric(frame[{name!r}], errors='coerce')",
        ) from error


class GuardFeed(bt.feeds.PandasData):
    """Bars with the series of the rules as lines, from a DataFrame or `Columns`.

    Takes what `PandasData` takes and gives the same lines. Loads row by row only where it must:
    with filters (resample, replay), `tzinput`, `fromdate` or `todate`. `carried` names the lines
    that have a column.
    """

    lines: ClassVar[Any] = EXTRA
    params: ClassVar[Any] = tuple((name, -1) for name in EXTRA)

    def __init__(self) -> None:
        for name in ("tz", "tzinput"):
            _refuse_zone(name, getattr(self.p, name))
        source = self.p.dataname
        if isinstance(source, Columns):
            index = pd.DatetimeIndex(np.asarray(source.ts, dtype="datetime64[ns]"))
            self.p.dataname = pd.DataFrame(dict(source.values), index=index)
        super().__init__()
        frame = self.p.dataname
        where = {name: self._colmapping[name] for name in self.getlinealiases()}
        position = where.pop("datetime")
        stamps = frame.index if position is None else self._column(position)
        self._columns = {
            name: _numbers(self._column(column), str(column))
            for name, column in where.items()
            if column is not None
        }
        self.carried = frozenset(self._columns)
        self._columns["datetime"] = day_numbers(_microseconds(stamps))

    def _column(self, which: int | str) -> pd.Series:
        frame = self.p.dataname
        if not isinstance(which, str):
            return frame.iloc[:, which]
        if which in frame.columns:
            return frame[which]
        names = [str(name).lower() for name in frame.columns]
        if self.p.nocase and which.lower() in names:
            return frame.iloc[:, names.index(which.lower())]
        raise DataError(f"no column '{which}'", help=f"there are {', '.join(map(str, frame))}")

    def start(self) -> None:
        """Begin at the first row."""
        bt.feed.DataBase.start(self)
        self._idx = -1
        self._filled: list[tuple[Any, array[float]]] = []

    def preload(self) -> None:
        """Fill every line in one piece."""
        bound = any(line.bindings for line in self.lines)
        if self._filters or self._tzinput or self.p.fromdate or self.p.todate or bound:
            super().preload()
            return
        rows = len(self._columns["datetime"])
        unknown = array("d", [float("nan")])
        for name in self.getlinealiases():
            line, column = getattr(self.lines, name), self._columns.get(name)
            line.array = unknown * rows if column is None else _buffer(column)
            line.array.extend(unknown * line.extension)
            line.idx, line.lencount = rows - 1, rows
        self._idx = rows  # else everything is loaded a second time with runonce=False
        self._last()
        self.home()

    def _load(self) -> bool:
        if not self._filled:
            lines = self.lines
            self._filled = [(getattr(lines, name), _buffer(c)) for name, c in self._columns.items()]
        self._idx += 1
        if self._idx >= len(self._columns["datetime"]):
            return False
        for line, rows in self._filled:
            line[0] = rows[self._idx]
        return True


def feed_class(extra: Iterable[str]) -> type[GuardFeed]:
    """Return the feed with further lines: one class per set of names, found again by its name."""
    known = {*GuardFeed.lines._getlines()}  # noqa: SLF001 - Backtrader has no other way to ask
    names = tuple(sorted({line_name(key) for key in extra} - known))
    if not names:
        return GuardFeed
    title = FEED_PREFIX + "__".join(names)
    if title not in globals():
        body = {
            "lines": names,
            "params": tuple((name, -1) for name in names),
            "__module__": __name__,
            "__doc__": f"A feed with the further lines {', '.join(names)}.",
        }
        meta: Any = type(GuardFeed)
        globals()[title] = meta(title, (GuardFeed,), body)
    made: type[GuardFeed] = globals()[title]
    return made


def __getattr__(name: str) -> type[GuardFeed]:  # another process unpickles a feed by its name
    if name.startswith(FEED_PREFIX):
        return feed_class(name.removeprefix(FEED_PREFIX).split("__"))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def visible(history: History, key: str, ts: Stamps) -> Floats:
    """Return a series as a bot at each stamp could see it: levels stand, flows add up once."""
    series = history.series[key]
    if series.spec.kind != "flow":
        return np.asarray(history.aligned(key, ts), dtype=np.float64)
    flow = np.asarray(series.values)
    bar = np.searchsorted(ts, series.times, side="left")
    shown = (series.times > 2 * ts[0] - ts[1]) & (bar < len(ts)) & ~np.isnan(flow)
    result = np.full(len(ts), np.nan)
    result[bar[shown]] = 0.0
    np.add.at(result, bar[shown], flow[shown])
    return result


def _carried(history: History, symbol: str, extra: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in CATALOGUE:
        owner = "*" if name in MARKET_WIDE else symbol
        if name not in BARS and f"{owner}.{name}" in history.series:
            found[line_name(name)] = f"{owner}.{name}"
    for key in extra:
        if key in history.series:
            found[line_name(key.removeprefix(f"{symbol}."))] = key
    return found


def feed_of(history: History, symbol: str, extra: Iterable[str] = ()) -> GuardFeed:
    """Return a feed of `symbol` with all its series, and `extra` ones such as "ETH.close"."""
    bars = history.bars(symbol)
    carried = _carried(history, symbol, extra)
    columns = {name: getattr(bars, name) for name in BARS}
    columns |= {name: visible(history, key, bars.ts) for name, key in carried.items()}
    make: Any = feed_class(carried)
    feed: GuardFeed = make(
        dataname=Columns(bars.ts, columns), name=symbol, **frame_of(history.every)
    )
    return feed
