"""Numbers, money and moments as people write them; plain ASCII, so that any terminal can print it.

Each dimension of the rule language has one form here; what is unknown is written "unknown".
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from riskguard.market import DAY, HOUR, MINUTE, SECOND, WEEK

__all__ = [
    "change",
    "compact",
    "day",
    "decimals",
    "duration",
    "iso",
    "moment",
    "money",
    "number",
    "percent",
    "value_text",
    "versus",
]

UNKNOWN = "unknown"


def moment(ts: int) -> str:
    """Return ns UTC as "2026-02-06T04:00Z", with seconds only where there are any."""
    when = datetime.fromtimestamp(ts // SECOND, UTC)
    return when.strftime("%Y-%m-%dT%H:%MZ" if not when.second else "%Y-%m-%dT%H:%M:%SZ")


def iso(ts: int) -> str:
    """Return ns UTC as "2026-02-06T04:00:00Z", the form of the JSON report."""
    return datetime.fromtimestamp(ts // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(ts: int) -> str:
    """Return the UTC day of ns as "12 February 2026"."""
    when = datetime.fromtimestamp(ts // SECOND, UTC)
    return f"{when.day} {when:%B %Y}"


def duration(span: int) -> str:
    """Return ns as the rule language writes them: "4h", "90m", "2w"."""
    units = ((WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"))
    for size, unit in units:
        if span >= size and span % size == 0:
            return f"{span // size}{unit}"
    return f"{span / SECOND:g}s"


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share as "-12.3%"; a tiny negative one is not shown as -0.0%."""
    if share is None or not math.isfinite(share):
        return "-"
    rounded = round(share * 100, decimals) + 0.0
    return f"{rounded:,.{decimals}f}%"


def money(amount: float | None) -> str:
    """Return dollars as "$9,876", with cents below 100; a debt is "-$12"."""
    if amount is None or not math.isfinite(amount):
        return "-"
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    decimals = 2 if 0 < size < 100 else 0
    return f"{sign}${size:,.{decimals}f}"


def compact(amount: float, digits: int = 3) -> str:
    """Return dollars as the rule language does: "$1.15B", "$150M", "$18K"."""
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    for limit, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size >= limit:
            return f"{sign}${_digits(size / limit, digits)}{suffix}"
    return f"{sign}${_digits(size, digits)}"


def _digits(size: float, digits: int) -> str:
    whole = 1 + math.floor(math.log10(size)) if size >= 1 else 1
    return _trim(f"{size:.{max(0, digits - whole)}f}")


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: float, decimals: int | None = None) -> str:
    """Return a plain number with as many decimals as its size needs: 67,489 0.4321 12.35."""
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 1000 or size == 0 else 2 if size >= 1 else 4
        if 0 < size < 1e-3:
            return f"{value:.3g}"
    return _trim(f"{value:,.{decimals}f}")


def value_text(value: float | None, dimension: str, more: int = 0) -> str:
    """Return a value in the form of its dimension; `more` asks for so many further decimals."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if dimension == "share":
        return _trim(f"{round(value * 100, 1 + more) + 0.0:.{1 + more}f}") + "%"
    if dimension == "dollars":
        return compact(value, 3 + more)
    if dimension == "ratio":
        return f"{number(value, (1 if abs(value) < 100 else 0) + more)}x"
    if dimension == "time":
        return duration(int(value))
    return number(value, None if not more else 2 + more)


def decimals(value: float | None, dimension: str) -> int:
    """Return how many further decimals tell a share as it was written: 0.05%, not 0.1%.

    None for one that was computed, which three decimals do not tell.
    """
    if dimension != "share" or value is None or not math.isfinite(value):
        return 0
    points = abs(value) * 100
    found = (more for more in range(3) if math.isclose(points, round(points, 1 + more)))
    return next(found, 0)


def versus(value: float | None, threshold: float | None, dimension: str) -> tuple[str, str]:
    """Return both texts, with enough decimals that different numbers look different."""
    least = decimals(threshold, dimension)
    for more in (least, least + 1, least + 2, least + 4):
        pair = value_text(value, dimension, more), value_text(threshold, dimension, more)
        if pair[0] != pair[1] or value == threshold:
            break
    return pair


def change(distance: float | None, dimension: str) -> str:
    """Return how far a value has to move: "+8.5%", for shares "+3.2 points"."""
    if distance is None or not math.isfinite(distance):
        return UNKNOWN
    if dimension == "share":
        return f"{distance * 100:+.1f} points"
    return f"{distance * 100:+,.1f}%"
