"""The guard inside hummingbot: a class decorator that judges all that a controller asks for.

A controller orders by executors: it creates and stops them, live and in a backtest, and some it
puts straight into the queue of actions. All of them are judged here. What an executor does later,
by its own barriers, only leaves: an executor that goes on ordering is refused or stopped.
"""

from __future__ import annotations

from riskguard.adapters.hummingbot.decorator import CAPABILITIES, NAME, TESTED, guarded

__all__ = ["CAPABILITIES", "NAME", "TESTED", "guarded"]
