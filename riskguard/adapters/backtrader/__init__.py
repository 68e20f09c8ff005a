"""The guard inside Backtrader: a broker that judges every order of any strategy.

The broker sees each closed bar before the strategy does: a decision on close(t) stands before
the strategy acts on it, and what the guard orders itself fills at open(t+1). Judging is
`engine.gate`; here orders become intents, duties orders. No rule ever opens a position.
"""

from __future__ import annotations

from riskguard.adapters.backtrader.broker import CAPABILITIES, NAME, TESTED, Fault, GuardMixin, Veto
from riskguard.adapters.backtrader.guarded import GuardedBroker

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Fault", "GuardMixin", "GuardedBroker", "Veto"]
