"""The guard inside freqtrade: a class decorator that judges all that a strategy enters.

freqtrade takes a hook that raises for a "yes", asks no hook before it adds to a position, and
drops exits in some settings. So each hook here catches what fails, adds are judged where they
are made, and settings that would drop an exit are refused at the start. Other than elsewhere,
HALTED means: nothing enters, everything may leave.
"""

from __future__ import annotations

from riskguard.adapters.freqtrade.decorator import CAPABILITIES, NAME, TESTED, guarded

__all__ = ["CAPABILITIES", "NAME", "TESTED", "guarded"]
