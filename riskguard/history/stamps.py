"""Instants and durations written as text, one at a time or a whole column at once.

An instant is int nanoseconds UTC. Text carries its zone (`2026-02-12T12:00Z`, `+02:00`);
an integer says its unit by its digits: 10 seconds, 13 milli-, 16 micro-, 19 nanoseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from riskguard.errors import visible
from riskguard.language.text.units import DURATIONS
from riskguard.market import DAY, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "STAMPS",
    "CellError",
    "duration",
    "duration_text",
    "instant",
    "instant_text",
    "instants",
    "shown",
]

STAMPS = "RG506"  # the code of what is wrong with time stamps

DIGITS: Mapping[int, int] = {10: SECOND, 13: 1_000_000, 16: 1_000, 19: 1}
LATEST = 9_214_646_400 * SECOND  # 2262-01-01; 64 bits hold little more
LONGEST = 3_650 * DAY
SHOWN = 80
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLE = "write 2025-12-01T00:00Z (UTC) or an offset such as 2025-12-01T02:00+02:00"
STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
# where the digits of 2025-12-01T00:00[:00] stand, and what stands between them
DIGIT_PLACES = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
MARKS = {4: b"-", 7: b"-", 10: b"T ", 13: b":", 16: b":"}


class CellError(ValueError):
    """A text that is not what it should be: what was received, and what to write."""

    def __init__(self, message: str, help: str) -> None:  # noqa: A002 - the word of DataError
        self.message, self.help = message, help
        super().__init__(message)


def shown(text: str, most: int = SHOWN) -> str:
    """Return `text` fit for a message: at most `most` characters, control characters escaped."""
    return visible(text if len(text) <= most else f"{text[: most - 3]}...")


def duration(text: str) -> int:
    """Return the nanoseconds of `15m`, `4h` or `1d`; raise CellError for anything else."""
    found = re.fullmatch(r"(\d{1,6})\s*(s|m|min|h|d|w)", text, re.ASCII)
    if not found:
        raise CellError(
            f"'{shown(text)}' is not a time", "write a whole number and s, m, h, d or w: 4h"
        )
    ns = int(found[1]) * DURATIONS[found[2]]
    if ns > LONGEST:
        raise CellError(
            f"'{shown(text)}' is longer than ten years", "write a shorter time: 4h, 30d"
        )
    return ns


def duration_text(ns: int) -> str:
    """Return `ns` in the largest unit that fits without a rest."""
    for unit in ("d", "h", "m", "s"):
        if ns % DURATIONS[unit] == 0 and ns:
            return f"{ns // DURATIONS[unit]}{unit}"
    return f"{ns / SECOND:g}s"


def instant(text: str) -> int:
    """Return the instant written as `text`; raise CellError when it is naive or none."""
    ns = _instant(text)
    if not 0 <= ns < LATEST:
        raise CellError(f"time stamp '{text}' is out of range", "from 1970 to 2261")
    return ns


def _instant(text: str) -> int:
    if text.isascii() and text.isdigit():
        if len(text) not in DIGITS:
            message = f"time stamp '{shown(text)}' has {len(text)} digits"
            raise CellError(message, "write 10 (s), 13 (ms), 16 (us) or 19 (ns) digits")
        return int(text) * DIGITS[len(text)]
    found = STAMP.fullmatch(text)
    if not found:
        what = f"'{shown(text)}'" if text.strip() else "an empty cell"
        raise CellError(f"{what} is not a time stamp", EXAMPLE)
    day, clock, seconds, fraction, zone = found.groups()
    if not zone:
        raise CellError(f"time stamp '{text}' has no time zone", EXAMPLE)
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}{zone}")
    except ValueError as error:
        raise CellError(f"time stamp '{text}' does not exist ({error})", EXAMPLE) from None
    whole = (moment - EPOCH) // timedelta(seconds=1)
    return whole * SECOND + int((fraction or "0").ljust(9, "0"))


def instant_text(ns: int) -> str:
    """Return `2026-02-06T04:00Z`, with seconds and their fraction only where there are any."""
    moment = EPOCH + timedelta(seconds=ns // SECOND)
    text = moment.strftime("%Y-%m-%dT%H:%M")
    rest = ns % MINUTE
    if rest:
        text += f":{rest // SECOND:02d}"
        text += f".{rest % SECOND:09d}".rstrip("0") if rest % SECOND else ""
    return text + "Z"


def instants(cells: Sequence[str]) -> tuple[NDArray[np.int64], dict[int, CellError]]:
    """Return the instants of a column, and a CellError for each row that has none (0 there)."""
    quick = _uniform_text(cells)
    if quick is None:
        quick = _uniform_integers(cells)
    return (quick, {}) if quick is not None else _one_by_one(cells)


def _uniform_text(cells: Sequence[str]) -> NDArray[np.int64] | None:
    found = STAMP.fullmatch(cells[0])
    if not found or found[4] or not found[5]:
        return None
    zone, width = found[5], len(cells[0])
    if set(map(len, cells)) != {width}:
        return None
    joined = "".join(cells)
    if not joined.isascii():
        return None
    table = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(cells), width)
    body = width - len(zone)
    if (table[:, body:] != np.frombuffer(zone.encode(), np.uint8)).any():
        return None
    for place, allowed in MARKS.items():
        if place < body and not np.isin(table[:, place], np.frombuffer(allowed, np.uint8)).all():
            return None
    digits = table[:, [place for place in DIGIT_PLACES if place < body]].astype(np.int64) - 48
    if digits.min() < 0 or digits.max() > 9:
        return None
    return _from_digits(digits, _offset(zone))


def _from_digits(digits: NDArray[np.int64], offset: int) -> NDArray[np.int64] | None:
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    pairs = digits[:, 4::2] * 10 + digits[:, 5::2]
    month, day, hour, minute = pairs[:, 0], pairs[:, 1], pairs[:, 2], pairs[:, 3]
    second = pairs[:, 4] if pairs.shape[1] > 4 else np.zeros_like(hour)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    real &= (hour < 24) & (minute < 60) & (second < 60) & (year >= 1970) & (year < 2262)
    if not real.all():
        return None
    seconds = days.astype(np.int64) * 86400 + hour * 3600 + minute * 60 + second
    result: NDArray[np.int64] = (seconds - offset) * SECOND
    return result if result.min() >= 0 and result.max() < LATEST else None


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    away = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -away if zone[0] == "-" else away


def _uniform_integers(cells: Sequence[str]) -> NDArray[np.int64] | None:
    unit = DIGITS.get(len(cells[0]))
    joined = "".join(cells)
    if unit is None or not (joined.isascii() and joined.isdigit()):
        return None
    if set(map(len, cells)) != {len(cells[0])}:
        return None
    if int(max(cells)) * unit >= LATEST:
        return None
    return np.array(cells, dtype=np.int64) * unit


def _one_by_one(cells: Sequence[str]) -> tuple[NDArray[np.int64], dict[int, CellError]]:
    times = np.zeros(len(cells), dtype=np.int64)
    faults: dict[int, CellError] = {}
    form = ""
    for row, cell in enumerate(cells):
        try:
            times[row] = instant(cell)
            now = f"{len(cell)} digits" if cell.isdigit() else "text"
            form = form or now
            if now != form:
                message = f"time stamp '{shown(cell)}' is {now}, the rows above have {form}"
                faults[row] = CellError(message, "keep one unit of time in a file")
        except CellError as fault:
            faults[row] = fault
    return times, faults
