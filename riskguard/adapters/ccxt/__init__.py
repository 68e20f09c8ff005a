"""The guard around one ccxt exchange: `ccxt`, `ccxt.async_support` or `ccxt.pro`.

    guarded = guard_exchange(exchange, Session("rules.yaml", "state"), symbols=["BTC/USDT:USDT"])

From then on each order the bot sends by that instance is judged first, whichever of ccxt's many
ways it takes; a denied one raises RiskDenied, a kind of `ccxt.InvalidOrder`. `guarded.step(...)`
tells events, and does what the guard wants done unasked: call it each second or bar. What a bot
sends by the implicit methods of a venue (`fapiPrivatePostOrder`) no guard sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.adapters.ccxt.exchange import CAPABILITIES, NAME, guard_exchange
from riskguard.adapters.ccxt.handle import TESTED, AsyncGuarded, Guarded, denied

if TYPE_CHECKING:
    RiskDenied: type[Exception]

__all__ = [
    "CAPABILITIES",
    "NAME",
    "TESTED",
    "AsyncGuarded",
    "Guarded",
    "RiskDenied",
    "guard_exchange",
]


def __getattr__(name: str) -> object:
    if name == "RiskDenied":  # made of a class of ccxt: on first use
        return denied()
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
