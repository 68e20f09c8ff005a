"""What `left op right` is: one definition for the reader, the stream and the columns."""

from __future__ import annotations

import math

__all__ = ["arithmetic"]


def arithmetic(op: str, left: float, right: float) -> float:
    """Return `left op right`; dividing by zero is unknown (NaN).

    `+share` and `-share` are the trader's "price - 0.5%". All but the division also work on
    arrays, element by element.
    """
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/":
        return left / right if right else math.nan
    return left * (1.0 + right) if op == "+share" else left * (1.0 - right)
