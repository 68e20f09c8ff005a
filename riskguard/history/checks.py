"""What rows must satisfy: prices, sides of a bar, order, a regular clock, one unit throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.errors import DataError
from riskguard.history.stamps import STAMPS, CellError, duration_text, instant_text
from riskguard.market import DAY, LARGEST, SMALLEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskguard.history.series import Entry
    from riskguard.history.table import Sieve
    from riskguard.market import SeriesSpec

__all__ = ["check_grid", "check_magnitude", "check_order", "check_stamp", "check_values"]

JUMP = 50.0  # open interest never moves fifty-fold between two rows; another unit does
LATE = 1.5  # a snapshot may come a little late; half an interval is another interval


def check_values(
    sieve: Sieve,
    names: Mapping[str, str],
    columns: Mapping[str, NDArray[np.float64]],
    specs: Mapping[str, SeriesSpec],
) -> None:
    """Refuse prices that are not above zero, negative unsigned values, impossible bars.

    And what can be no amount at all: the guard refuses it too, and would be blind throughout.
    """
    for name, numbers in columns.items():
        size = np.abs(numbers)
        odd = (size > LARGEST) | ((size < SMALLEST) & (size > 0))
        found = [(odd, "can be no amount", f"{SMALLEST:g} to {LARGEST:g} are possible")]
        if specs[name].unit == "price":
            found.append((numbers <= 0, "is not a price", "a price is above zero"))
        elif not specs[name].signed:
            found.append((numbers < 0, "is negative", "amounts carry no sign, nor do sides"))
        for bad, what, fix in found:

            def wrong(
                row: int, numbers: NDArray[np.float64] = numbers, what: str = what, fix: str = fix
            ) -> CellError:
                return CellError(f"{numbers[row]:g} {what}", fix)

            sieve.refuse(bad, names[name], what, wrong)
    if {"open", "high", "low", "close"} <= set(columns):
        _check_bars(sieve, names, columns)


def _check_bars(
    sieve: Sieve, names: Mapping[str, str], columns: Mapping[str, NDArray[np.float64]]
) -> None:
    high, low = columns["high"], columns["low"]

    def crossed(row: int) -> CellError:
        message = f"high {high[row]:.12g} is below low {low[row]:.12g}"
        return CellError(message, "check the order of the columns")

    sieve.refuse(high < low, names["high"], "high below low", crossed)
    for name in ("open", "close"):
        price = columns[name]

        def outside(row: int, name: str = name, price: NDArray[np.float64] = price) -> CellError:
            span = f"low {low[row]:.12g} .. high {high[row]:.12g}"
            message = f"{name} {price[row]:.12g} lies outside {span}"
            return CellError(message, "check the order of the columns")

        bad = (price > high) | (price < low)
        sieve.refuse(bad, names[name], f"{name} outside low..high", outside)


def check_order(sieve: Sieve, stamps: NDArray[np.int64]) -> None:
    """Refuse duplicate rows and rows that stand after a later one."""
    rows = sieve.rows
    times = stamps[rows]
    latest = np.maximum.accumulate(times)
    bad = np.zeros(len(stamps), dtype=np.bool_)
    bad[rows[1:]] = times[1:] <= latest[:-1]
    before = np.zeros(len(stamps), dtype=np.int64)
    before[rows[1:]] = latest[:-1]
    twice = bad & (stamps == before)

    def repeated(row: int) -> CellError:
        return CellError(f"duplicate time stamp {instant_text(int(stamps[row]))}", "keep one row")

    def late(row: int) -> CellError:
        then, now = instant_text(int(before[row])), instant_text(int(stamps[row]))
        return CellError(f"rows are not in order: {now} after {then}", "sort the rows by ts")

    if bad.any() and not twice[np.argmax(bad)]:
        sieve.refuse(bad & ~twice, "ts", "row out of order", late)
        sieve.refuse(twice, "ts", "duplicate time stamp", repeated)
    else:
        sieve.refuse(twice, "ts", "duplicate time stamp", repeated)
        sieve.refuse(bad & ~twice, "ts", "row out of order", late)


def check_grid(sieve: Sieve, stamps: NDArray[np.int64], interval: int, *, regular: bool) -> str:
    """Refuse a wrong interval and, in a regular series, missing rows; return holes in words."""
    rows = sieve.rows
    times = stamps[rows]
    steps = np.diff(times)
    if not len(steps):
        return ""
    # where holes are kept most rows may lie at one: then one step of an interval shows it
    usual = interval if sieve.drop and (steps == interval).any() else int(np.median(steps))
    if usual > LATE * interval or (regular and usual != interval):
        message = f"rows are {duration_text(usual)} apart, not {duration_text(interval)}"
        fix = f"write interval: {duration_text(usual)}"
        raise DataError(message, path=sieve.path, line=3, column="ts", help=fix, code=STAMPS)
    if regular:
        _check_phase(sieve, stamps, rows, interval)
        rows = sieve.rows
        times = stamps[rows]
        steps = np.diff(times)
    wide = np.flatnonzero(steps > LATE * interval)
    if not len(wide):
        return ""
    missing = int((np.rint(steps[wide] / interval) - 1).sum())
    first = int(wide[0])
    span = f"between {instant_text(int(times[first]))} and {instant_text(int(times[first + 1]))}"
    if regular and not sieve.drop:
        count = int(steps[first] // interval - 1)
        message = f"{count} of the rows every {duration_text(interval)} missing {span}"
        fix = f"add the missing rows, or, to keep the hole, {sieve.repair}"
        line = int(rows[first + 1]) + 2
        raise DataError(message, path=sieve.path, line=line, column="ts", help=fix, code=STAMPS)
    holes = "1 hole" if len(wide) == 1 else f"{len(wide)} holes"
    return f"{holes} of {missing} missing rows in all kept as holes, the first {span}"


def _check_phase(
    sieve: Sieve, stamps: NDArray[np.int64], rows: NDArray[np.int64], interval: int
) -> None:
    first = int(stamps[rows[0]])
    bad = (stamps - first) % interval != 0

    def off(row: int) -> CellError:
        now = instant_text(int(stamps[row]))
        message = f"{now} is no whole number of {duration_text(interval)} steps after the first row"
        return CellError(message, "one interval in a file")

    sieve.refuse(bad, "ts", "row between the steps", off)


def check_magnitude(
    sieve: Sieve, names: Mapping[str, str], columns: Mapping[str, NDArray[np.float64]]
) -> None:
    """Refuse open interest that changes its unit inside a file."""
    for name in ("oi", "oi_usd"):
        if name not in columns:
            continue
        rows = sieve.rows
        numbers = columns[name][rows]
        past, now = numbers[:-1], numbers[1:]
        bad = np.flatnonzero((past > 0) & (now > 0) & ((now > past * JUMP) | (past > now * JUMP)))
        if len(bad):
            row = int(bad[0])
            message = f"jumps from {past[row]:g} to {now[row]:g}: the unit changes inside the file"
            line = int(rows[row + 1]) + 2
            fix = "one unit in a column; coins and dollars are two series: oi, oi_usd"
            raise DataError(message, path=sieve.path, line=line, column=names[name], help=fix)


def check_stamp(entry: Entry, stamps: NDArray[np.int64]) -> str:
    """Return the doubt in words where bars that are said to be stamped by close hold whole days.

    Bars stamped by their open run from 00:00 to 20:00, those stamped by their close from 04:00
    to 24:00 (here of 4h).
    """
    ragged = not len(stamps) or stamps[0] % DAY or (stamps[-1] + entry.interval) % DAY
    if entry.stamp != "close" or "open" not in entry.columns or entry.interval >= DAY or ragged:
        return ""
    first = instant_text(int(stamps[0]))
    return (
        f"{entry.file}: warning[RG507] the first bar is stamped {first}: open-stamped bars given "
        "as close-stamped? write stamp: open"
    )
