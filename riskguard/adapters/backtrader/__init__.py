"""The guard inside Backtrader: a broker that judges every order of any strategy.

The broker sees each closed bar before the strategy does: a decision on close(t) stands before
the strategy acts on it, and what the guard orders itself fills at open(t+1). Judging is
`engine.gate`; here orders become intents, duties orders. No rule ever opens a position.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.vetoes import Fault, Veto

if TYPE_CHECKING:
    from riskguard.adapters.backtrader.broker import GuardMixin
    from riskguard.adapters.backtrader.guarded import GuardedBroker

__all__ = ["CAPABILITIES", "NAME", "TESTED", "Fault", "GuardMixin", "GuardedBroker", "Veto"]

NAME, TESTED = "backtrader", "1.9.78.123"
CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "leverage_cap",
        "stop",
        "cancel_orders",
        "notify",
    }
)
# classes that need the framework to be made: on first use
LATE = {"GuardMixin": "broker", "GuardedBroker": "guarded"}


def __getattr__(name: str) -> object:
    if name in LATE:
        framework(NAME, package=NAME, tested=TESTED)
        return getattr(import_module(f"{__name__}.{LATE[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
