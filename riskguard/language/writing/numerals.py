"""Numbers as a rule file writes them: each text is read back as the same float, to the last bit."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from riskguard.language.text.units import DURATIONS, LONGEST
from riskguard.market import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["duration_text", "number_text", "plain_text"]

LONG = 24  # digits, from which on an exponent is easier to read
MILLIONS = (("T", 12), ("B", 9), ("M", 6), ("k", 3))
UNITS = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
NEAR = 8  # floats to either side that are tried


def number_text(value: float, dimension: str) -> str:
    """Return a number with the unit of its dimension; without one where it has none.

    >>> number_text(-0.044, "share"), number_text(150e6, "dollars"), number_text(75_000, "price")
    ('-4.4%', '$150M', '75_000')
    """
    if value < 0:
        return f"-{number_text(-value, dimension)}"
    if dimension == "share":
        return _share(value)
    if dimension == "dollars":
        return _dollars(value)
    if dimension == "ratio":
        return f"{plain_text(_exact(value))}x"
    if dimension == "bars":
        return f"{plain_text(_exact(value))} bars"
    if dimension == "time":
        return duration_text(value, float)
    return plain_text(_exact(value))


def duration_text(
    length: float, read: Callable[[float], float] = round, every: int | None = None
) -> str:
    """Return a time in ns; `read` is what its reader makes of a float, `every` the length of a bar.

    >>> duration_text(24 * HOUR), duration_text(90 * MINUTE), duration_text(28 * DAY)
    ('24h', '90m', '28d')
    """
    for unit, size in UNITS:
        whole = length >= size and length % size == 0
        if whole and length <= LONGEST and (size < DAY or length >= 2 * size):
            return f"{plain_text(Decimal(int(length) // size))}{unit}"
    if length == 0:
        return "0s"
    if length <= LONGEST:
        for unit, size in DURATIONS.items():
            found = _factor(length, size, read)
            if found is not None and found * size <= LONGEST:
                return f"{plain_text(_exact(found))}{unit}"
    found = _factor(length, every, read) if every else None
    if found is None:
        raise ValueError(f"no time is written for {length} ns")
    return f"{plain_text(_exact(found))} bars"


def _factor(length: float, size: int, read: Callable[[float], float]) -> float | None:
    """Return the float that makes `length` of `size`, None where there is none."""
    return next((one for one in _around(length / size) if read(one * size) == length), None)


def _around(value: float) -> Iterator[float]:
    yield value
    below = above = value
    for _ in range(NEAR):
        below, above = math.nextafter(below, 0.0), math.nextafter(above, math.inf)
        yield below
        yield above


def plain_text(number: Decimal) -> str:
    """Return a number >= 0 with its digits in groups of three: 75_000, 0.25, 1e30."""
    text = format(number, "f")
    if len(text) > LONG:
        digits, exponent = number.normalize().as_tuple()[1:]
        first, rest = str(digits[0]), "".join(map(str, digits[1:]))
        power = int(exponent) + len(rest)
        return f"{first}.{rest}e{power}" if rest else f"{first}e{power}"
    whole, _, rest = text.partition(".")
    rest = rest.rstrip("0")
    return f"{int(whole):_}.{rest}" if rest else f"{int(whole):_}"


def _exact(value: float) -> Decimal:
    """Return the shortest decimal that is read as this float."""
    return Decimal(repr(float(value)))


def _share(value: float) -> str:
    basis_points = 0 < value < 0.001
    shifted = _exact(value).scaleb(4 if basis_points else 2)
    return f"{plain_text(shifted)}{'bp' if basis_points else '%'}"


def _dollars(value: float) -> str:
    exact = _exact(value)
    for suffix, power in MILLIONS:
        scaled = exact.scaleb(-power)
        if 1 <= scaled < 1_000 and scaled == round(scaled, 0 if suffix == "k" else 2):
            return f"${plain_text(scaled)}{suffix}"
    return f"${plain_text(exact)}"
