"""The identity as it is printed: the terms add up to the cent or dollar in which they are shown.

Rounded one by one they would miss their sum by one now and then. What rounding left over is
given to the largest term, which it changes least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from riskguard.backtest.evidence.identity import Identity

__all__ = ["Printed", "printed"]

CENTS_BELOW = 1_000.0  # dollars of the largest term


class Printed(NamedTuple):
    """avoided - missed - costs + other_path = difference, in steps of 1 / `unit` dollars."""

    avoided: int
    missed: int
    costs: int
    other_path: int
    difference: int
    unit: int  # 1 for dollars, 100 for cents

    def text(self, amount: int) -> str:
        """Return one of them as "-$9,876", or "$98.76"."""
        size = abs(amount) / self.unit
        return f"{'-' if amount < 0 else ''}${size:,.{2 if self.unit > 1 else 0}f}"


def printed(one: Identity) -> Printed:
    """Return the terms of an identity and their sum, rounded so that they still add up."""
    terms = [one.avoided, -one.missed, -one.costs, one.other_path if one.parted else 0.0]
    unit = 100 if max(map(abs, terms)) < CENTS_BELOW else 1
    whole = [round(term * unit) for term in terms]
    total = round((one.guarded - one.bare) * unit)
    largest = max(range(len(terms)), key=lambda place: abs(terms[place]))
    whole[largest] += total - sum(whole)
    return Printed(whole[0], -whole[1], -whole[2], whole[3], total, unit)
