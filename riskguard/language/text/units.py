"""Numbers with their units: what a trader writes, as a value and a dimension."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from riskguard.language.findings import LineError
from riskguard.market import DAY, HOUR, MINUTE, SECOND, WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.language.findings import Findings
    from riskguard.language.tree import Span

__all__ = [
    "AMOUNTS",
    "DURATIONS",
    "LONGEST",
    "MULTIPLIERS",
    "NUMBER",
    "POINTED",
    "UNIT_WORDS",
    "WORDS",
    "amount",
    "combined",
    "comparable",
    "percent",
    "span_words",
    "thousands",
    "united",
]

DURATIONS: Mapping[str, int] = {
    "s": SECOND,
    "m": MINUTE,
    "min": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
}
# powers of ten
MULTIPLIERS: Mapping[str, int] = {"k": 3, "K": 3, "M": 6, "B": 9, "bn": 9, "T": 12}
SHARES: Mapping[str, int] = {"%": -2, "bp": -4}
LONGEST = 100 * 365 * DAY
UNITS = "units: % bp x $ k M B, s m h d w, bars"
# what people write -> the unit it stands for
_SPELT = {
    "s": "sec secs second seconds",
    "m": "mins minute minutes",
    "h": "hr hrs hour hours",
    "d": "day days",
    "w": "wk wks week weeks",
    "%": "percent pct pc",
    "bp": "bps",
    "x": "times fold",
    "k": "thousand",
    "M": "million millions mio mln mn mm",
    "B": "billion billions bln b",
    "T": "trillion trillions tn",
    "bars": "bar bars",
    "closes": "close closes candle candles period periods consecutive",
    "30d": "month months mo",
}
UNIT_WORDS: Mapping[str, str] = {
    **{unit: unit for unit in (*DURATIONS, *MULTIPLIERS, *SHARES, "x")},
    **{word: unit for unit, words in _SPELT.items() for word in words.split()},
}

# what the messages call a dimension
WORDS: Mapping[str, str] = {
    "price": "a price",
    "dollars": "dollars",
    "coins": "an amount of coins",
    "share": "a percentage",
    "ratio": "a multiple",
    "index": "an index (0\N{EN DASH}100)",
    "number": "a plain number",
    "count": "a count",
    "time": "a duration",
    "plain": "a plain number",
    "bars": "a number of bars",
}
AMOUNTS = frozenset({"price", "dollars", "coins"})
# what a number without a unit may meet
MEETS_PLAIN = frozenset({"price", "coins", "count", "index", "number", "ratio", "plain"})
FACTORS = frozenset({"share", "ratio", "number", "plain"})

POINTED = re.compile(r"-?\$?[1-9]\d{0,2}\.000", re.ASCII)
BARE = (  # a number without its unit
    r"(?P<money>\$)?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+(?![\d_])|\d[\d_]*)(?:\.\d+)?(?:e[+-]?\d{1,4})?)"
)
NUMBER = re.compile(BARE + r"(?P<unit>%|[^\W\d_]+)?")


def amount(match: re.Match[str]) -> tuple[float, str]:
    """Return value and dimension of a number as written; shares are fractions, times ns."""
    unit = match["unit"] or ""
    mantissa, _, exponent = match["digits"].replace("_", "").replace(",", "").partition("e")
    # written out in full, so that 4.4% is the float nearest to 0.044
    power = int(exponent or 0) + MULTIPLIERS.get(unit, 0) + SHARES.get(unit, 0)
    value = float(f"{mantissa}e{power}")
    dimension = "dollars" if match["money"] else "plain"
    if match["money"] and unit and unit not in MULTIPLIERS:
        raise _unknown(match, unit)
    if unit in SHARES:
        dimension = "share"
    elif unit == "x":
        dimension = "ratio"
    elif unit in DURATIONS:
        value, dimension = value * DURATIONS[unit], "time"
        if value > LONGEST:
            message = f"{match[0]} is longer than 100 years"
            raise LineError("RG110", match.start(), match.end(), message, "write a shorter time")
    elif unit and unit not in MULTIPLIERS:
        raise _unknown(match, unit)
    if not math.isfinite(value):
        message = f"{match[0]} is too large a number"
        raise LineError("RG101", match.start(), match.end(), message, "write a smaller one")
    return value, dimension


def united(digits: str, word: str) -> str:
    """Return a number with the unit that `word` stands for, "" when it stands for none."""
    unit = UNIT_WORDS.get(word) or UNIT_WORDS.get(word.lower(), "")
    if digits.startswith("$"):
        unit = unit.upper() if unit in {"m", "b", "t"} else unit
        return f"{digits}{unit}" if unit in MULTIPLIERS else ""
    if unit == "30d":
        return f"{float(digits.replace(',', '')) * 30:.12g}d"
    return f"{digits} {unit}" if unit in {"bars", "closes"} else f"{digits}{unit}" if unit else ""


def _unknown(match: re.Match[str], unit: str) -> LineError:
    money, digits = match["money"] or "", match["digits"]
    written = united(f"{money}{digits}", unit)
    if unit.lower() in {"usd", "usdt", "usdc"} and not money:
        written = f"${digits}"
    fix = f"write {written}" if written else UNITS
    return LineError("RG112", match.start("unit"), match.end(), f"unknown unit '{unit}'", fix)


def thousands(text: str, place: Span, found: Findings) -> None:
    """Warn of 75.000 where 75_000 may be meant: the point separates decimals."""
    if POINTED.fullmatch(text):
        whole = text.partition(".")[0]
        message = f"{text} is {whole}: decimals follow a point"
        found.warn("RG114", place, message, f"write {whole}_000 for thousands, or {whole}")


def comparable(left: str, right: str) -> bool:
    """Say whether two dimensions may stand on the two sides of a comparison."""
    if left == right or {left, right} == {"price", "dollars"}:
        return True
    return "plain" in {left, right} and {left, right} <= MEETS_PLAIN


def combined(op: str, left: str, right: str) -> tuple[str, str] | None:
    """Return (op, dimension) of `left op right`, None where it has no meaning."""
    if op in "+-":
        if right == "share" and left in AMOUNTS | {"plain"}:
            return f"{op}share", left
        if left == right:
            return op, left
        if "plain" in {left, right} and {left, right} <= MEETS_PLAIN:
            return op, left if right == "plain" else right
        return None
    if op == "*" and {left, right} == {"coins", "price"}:
        return op, "dollars"
    if left == right and op == "/":
        return op, "plain" if left == "plain" else "ratio"
    if right in FACTORS:
        return op, right if left == "plain" and op == "*" else left
    if left in FACTORS and op == "*":
        return op, right
    return None


def percent(share: float) -> str:
    """Write a share as people do: 0.044 is 4.4%."""
    return f"{round(share * 100, 9):.10g}%"


def span_words(duration: int) -> str:
    """Write a time in whole units: "60 min", "12 h", "182 days"."""
    for unit, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if duration >= 2 * unit or (duration == unit and unit == MINUTE):
            return f"{duration / unit:.4g} {name}"
    return f"{duration / MINUTE:.4g} min" if duration >= MINUTE else f"{duration / SECOND:.4g} s"
