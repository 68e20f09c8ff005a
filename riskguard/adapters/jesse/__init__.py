"""The guard inside jesse: a class decorator, and the strategy runs under it unedited.

One guard holds for all routes of a run. It hears the closed candles first in `before`, once a
time stamp, and does there what it wants done unasked; orders are judged where the strategy's
broker would send them. jesse fills market orders at the close that they were decided on.
"""

from __future__ import annotations

from riskguard.adapters.jesse.decorator import CAPABILITIES, NAME, TESTED, RouteGuard, guarded

__all__ = ["CAPABILITIES", "NAME", "TESTED", "RouteGuard", "guarded"]
