"""The guard inside nautilus_trader: every order is judged before its risk engine sees it.

`guard_engine` stands before the engines of a BacktestEngine or a TradingNode: orders, order
lists, changes, what execution algorithms and the emulator send, of any strategy, unedited.
Where that is not wanted a strategy made from `GuardedStrategy` has its own orders judged.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from riskguard.adapters.nautilus.engine import CAPABILITIES, NAME, TESTED, guard_engine
from riskguard.adapters.shared.frameworks import framework

if TYPE_CHECKING:
    from riskguard.adapters.nautilus.data import Alive, Liquidation, OpenInterest, Reading
    from riskguard.adapters.nautilus.strategy import GuardedStrategy

__all__ = [
    "CAPABILITIES",
    "NAME",
    "TESTED",
    "Alive",
    "GuardedStrategy",
    "Liquidation",
    "OpenInterest",
    "Reading",
    "guard_engine",
]

# classes that need the framework to be made: on first use
LATE = {
    "Alive": "data",
    "GuardedStrategy": "strategy",
    "Liquidation": "data",
    "OpenInterest": "data",
    "Reading": "data",
}


def __getattr__(name: str) -> object:
    if name in LATE:
        framework("nautilus_trader", package="nautilus_trader", tested=TESTED)
        return getattr(import_module(f"{__name__}.{LATE[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
