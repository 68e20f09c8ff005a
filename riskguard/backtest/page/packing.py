"""Columns of numbers as text that a browser reads back without parsing a digit."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import numpy as np

from riskguard.market import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BYTES", "floats", "levels", "script_json", "times"]

BYTES = 4 * 4 / 3  # of one number of a column: float32 in base64


def floats(values: NDArray[np.float64]) -> str:
    """Return a column for drawing: float32, little-endian, base64; NaN where nothing is known."""
    return b64encode(values.astype("<f4").tobytes()).decode("ascii")


def levels(values: NDArray[np.int64]) -> str:
    """Return small whole numbers (0..127): int8, base64."""
    return b64encode(values.astype("i1").tobytes()).decode("ascii")


def times(ts: NDArray[np.int64]) -> list[list[int]]:
    """Return ascending ns as runs of equal steps: [first second, step in seconds, count].

    >>> times(np.array([60, 120, 180, 600]) * SECOND)
    [[60, 60, 3], [600, 0, 1]]
    """
    runs: list[list[int]] = []
    seconds = ts // SECOND
    place = 0
    while place < len(seconds):
        if place + 1 == len(seconds):
            runs.append([int(seconds[place]), 0, 1])
            break
        step = int(seconds[place + 1] - seconds[place])
        other = np.flatnonzero(np.diff(seconds[place:]) != step)
        count = int(other[0]) + 1 if other.size else len(seconds) - place
        runs.append([int(seconds[place]), step, count])
        place += count
    return runs


def script_json(value: object) -> str:
    """Return JSON that may stand inside a <script>: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
