"""Thresholds written by people are hit exactly: the comparison, and its boundary.

With threshold y and slack e (1e-9 for shares and ratios, else 1e-9 of |y|): `x >= y` is
`x - y >= -e`, `x > y` is `x - y > e`, `<` and `<=` mirror them, `==` is `|x - y| <= e`
(rules.md section 3). The difference of floats rises with x, so for a constant threshold the
whole comparison is one boundary float, found once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Boundary", "boundary", "compare", "slack"]

RELATIVE = 1e-9


class Boundary(NamedTuple):
    """True where low <= x <= high, or outside of it where `inside` is False."""

    low: float
    high: float
    inside: bool = True

    def holds(self, value: float) -> bool:
        """Say whether it is true of a number."""
        return (self.low <= value <= self.high) is self.inside


def slack(threshold: float, *, absolute: bool) -> float:
    """Return the slack of a comparison with `threshold`."""
    return RELATIVE if absolute else RELATIVE * abs(threshold)


def compare(op: str, value: float, threshold: float, allowed: float) -> bool:
    """Return `value op threshold` with the slack allowed."""
    difference = value - threshold
    if op == ">=":
        return difference >= -allowed
    if op == ">":
        return difference > allowed
    if op == "<=":
        return difference <= allowed
    if op == "<":
        return difference < -allowed
    return (abs(difference) <= allowed) == (op == "==")


def _smallest(op: str, threshold: float, allowed: float) -> float:
    """Return the smallest float for which `op` (>= or >) holds."""
    found = threshold - allowed if op == ">=" else threshold + allowed
    while compare(op, found, threshold, allowed):
        found = math.nextafter(found, -math.inf)
    while not compare(op, found, threshold, allowed):
        found = math.nextafter(found, math.inf)
    return found


def boundary(op: str, threshold: float, allowed: float) -> Boundary:
    """Return where `x op threshold` holds; the threshold is finite."""
    if op in {">=", ">"}:
        return Boundary(_smallest(op, threshold, allowed), math.inf)
    if op in {"<=", "<"}:
        opposite = ">" if op == "<=" else ">="
        beyond = _smallest(opposite, threshold, allowed)
        return Boundary(-math.inf, math.nextafter(beyond, -math.inf))
    low = _smallest(">=", threshold, allowed)
    high = math.nextafter(_smallest(">", threshold, allowed), -math.inf)
    return Boundary(low, high, inside=op == "==")
