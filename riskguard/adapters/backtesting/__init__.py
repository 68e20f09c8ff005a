"""The guard inside backtesting.py: a class decorator, and the strategy runs under it unedited.

Every order ends at the broker's `new_order`, and there it is judged. The guard sees a bar at its
close, before the strategy does: what it decides on close(t), and what it orders itself, fills at
the open of t+1. A refused order is None, as `buy()` and `sell()` then return it.
"""

from __future__ import annotations

from riskguard.adapters.backtesting.decorator import CAPABILITIES, NAME, TESTED, Gatekeeper, guarded

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Gatekeeper", "guarded"]
