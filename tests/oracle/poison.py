"""Values that are none, and samples that are poisoned with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from riskguard.market import Sample

__all__ = ["NO_INSTANTS", "NO_SYMBOLS", "NO_VALUES", "POISON", "TRADES", "finite", "poisoned"]

# what no input may be, whatever its sign and unit
POISON: tuple[Any, ...] = (
    math.nan, -math.nan, math.inf, -math.inf, 1e308, -1e308, 1.7976931348623157e308, 1e151, -1e151,
    5e-324, -5e-324, 2.2250738585072014e-308, 1e-300, -1e-200, 10**400, -(10**400), 10**151,
    None, True, False, "", " ", "nan", "inf", "1", "1.0", "1_0", "1e5", "0x10", "\u0661\u0662",
    "\uff11", "\u00bd", "\u22125", "$5", "5%", b"5", bytearray(b"1"), (), (1.0,), [], [1.0], {},
    {"close": 1.0}, {1.0}, frozenset(), range(3), object(), object, len, Ellipsis, NotImplemented,
    1j, complex(1, 0), Decimal("NaN"), Decimal("Infinity"), Decimal("1e999"), Fraction(10**400),
    np.nan, np.float64("inf"), np.float32("nan"), np.bool_(True), np.array([1.0, 2.0]),
    np.datetime64("2026-01-01"), np.str_("5"),
)  # fmt: skip
NO_INSTANTS: tuple[Any, ...] = (
    None, True, 0.5, math.nan, math.inf, "0", "2026-01-01", b"1", 1j, (), [], {}, object(),
    10**30, -(10**30), 1 << 63, -(1 << 62), Decimal(5), np.datetime64("2026-01-01"),
)  # fmt: skip
NO_SYMBOLS: tuple[Any, ...] = (None, 5, 0.5, math.nan, True, b"BTC", (), [], {}, object(), ["BTC"])
NO_VALUES: tuple[Any, ...] = (None, 5, "close", b"", [("close", 1.0)], {1.0}, object())
# what is read together is lost together: a streak follows from both
TRADES = {"trades.closed", "trades.lost"}


def poisoned(
    samples: Iterable[Sample], pick: Random, share: float
) -> Iterator[tuple[Any, Sample | None]]:
    """Yield each sample with a share of its values poisoned, and what is left of it.

    That a bar came is known though its close is none. Samples that are none leave nothing.
    """
    for sample in samples:
        if pick.random() < share / 4:
            yield Sample(pick.choice(NO_INSTANTS), sample.symbol, sample.values), None
        if pick.random() < share / 4:
            yield Sample(sample.ts, pick.choice(NO_SYMBOLS), sample.values), None
        if pick.random() < share / 8:
            yield Sample(sample.ts, sample.symbol, pick.choice(NO_VALUES)), None
        bad = {name for name in sample.values if pick.random() < share}
        if bad & TRADES:
            bad |= TRADES & sample.values.keys()
        sick = {n: pick.choice(POISON) if n in bad else one for n, one in sample.values.items()}
        if sick and pick.random() < share:
            sick[pick.choice(["what", "", "close.high", "equity.nav"])] = pick.choice(POISON)
        left = {name: one for name, one in sample.values.items() if name not in bad}
        if "close" in bad or (bad and not left):
            left["close" if "close" in bad else "what"] = math.nan
        yield Sample(sample.ts, sample.symbol, sick), Sample(sample.ts, sample.symbol, left)


def finite(value: object) -> bool:
    """Say whether everything in a decision is a number that is one."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(finite, value.values()))
    return all(map(finite, value)) if isinstance(value, tuple | list) else True
