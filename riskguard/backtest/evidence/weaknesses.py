"""What no verdict may be read without: what false alarms cost, and how much was tried before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.backtest.evidence.ledger import LedgerRow

__all__ = ["weaknesses", "yearly"]


def yearly(money: float, cash: float, years: float) -> float:
    """Return money of a whole range as a share of the capital, a year; NaN without time."""
    return money / (cash * years) if years > 0 else math.nan


def weaknesses(
    rows: Sequence[LedgerRow], tried: int | None, cash: float, years: float
) -> Iterator[str]:
    """Yield a part of the verdict for false alarms, where a plan says what one is, and settings.

    `tried` is how many settings were tried on the data, None where no plan says it.
    """
    judged = [row for row in rows if row.false is not None]
    if judged:
        yield _alarms(judged, cash, years)
    if tried is None:
        yield "settings tried: unknown"
    else:
        yield f"{tried:,} {'setting' if tried == 1 else 'settings'} tried"


def _alarms(judged: Sequence[LedgerRow], cash: float, years: float) -> str:
    count = sum(row.false or 0 for row in judged)
    told = f"{count:,} false {'alarm' if count == 1 else 'alarms'}"
    lost = yearly(math.fsum(row.false_cost or 0.0 for row in judged), cash, years)
    if not count or not math.isfinite(lost):
        return told
    return f"{told} {'cost' if lost >= 0 else 'gained'} {abs(lost) * 100:.1f} %/yr"
