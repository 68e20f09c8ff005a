"""The plan evaluated over a whole history at once: one array for each tape, value and truth.

A column replaces a step only where it is equal to the last bit; every other measure is made
by the step itself. `Columns` is the only door.
"""

from __future__ import annotations

from riskguard.history.columns.evaluate import Columns

__all__ = ["Columns"]
