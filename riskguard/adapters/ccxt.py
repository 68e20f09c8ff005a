"""The guard around one ccxt exchange: `ccxt`, `ccxt.async_support` or `ccxt.pro`.

    guarded = guard_exchange(exchange, Session("rules.yaml", "state"), symbols=["BTC/USDT:USDT"])

From then on each order the bot sends by that instance is judged first, whichever of ccxt's many
ways it takes; a denied one raises RiskDenied, a kind of `ccxt.InvalidOrder`. `guarded.step(...)`
tells events, and does what the guard wants done unasked: call it each second or bar. What a bot
sends by the implicit methods of a venue (`fapiPrivatePostOrder`) no guard sees.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from riskguard.adapters.ccxt_gate import FRESH, Gate, log
from riskguard.adapters.ccxt_handle import TESTED, AsyncGuarded, Guarded, denied
from riskguard.errors import AdapterError
from riskguard.market import SECOND, coin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from riskguard.adapters.desk import Desk
    from riskguard.language.ruleset import RuleSet

__all__ = [
    "CAPABILITIES",
    "NAME",
    "TESTED",
    "AsyncGuarded",
    "Guarded",
    "RiskDenied",
    "guard_exchange",
]

NAME = "ccxt"
CAPABILITIES = frozenset(
    {
        "exposure_cap",
        "reduce_by",
        "close",
        "block_entries",
        "reduce_only",
        "leverage_cap",
        "cancel_orders",
        "notify",
    }
)
UNABLE = ("stop", "hedge")  # actions of rules that no order of this adapter carries out

if TYPE_CHECKING:
    RiskDenied: type[Exception]

Exchange = Any  # ccxt is untyped


def __getattr__(name: str) -> object:
    if name == "RiskDenied":
        return denied()
    msg = f"module 'riskguard.adapters.ccxt' has no attribute {name!r}"
    raise AttributeError(msg)


def guard_exchange(
    exchange: Exchange,
    desk: Desk,
    *,
    symbols: Iterable[str] = (),
    hedged: bool = False,
    fresh: float = FRESH / SECOND,
    watch: float = 30.0,
    pause: float = 0.2,
    now: Callable[[], int] = time.time_ns,
) -> Guarded | AsyncGuarded:
    """Put a guard around one exchange instance, and return its handle, `exchange.riskguard` too.

    `symbols` are watched from the start, others from their first order on. `hedged` says that
    the account holds longs and shorts beside each other. While a decision limits, an order costs
    two requests (open orders, positions; a third where triggers are listed apart) unless they
    were read within `fresh` seconds and nothing was sent since; while nothing limits it costs
    none, and each symbol is read every `watch` seconds. `pause` lies between two reads that wait
    for the venue.

    Raises:
        AdapterError: ccxt is missing, the instance is guarded already, or the rules ask for
            what this adapter cannot do.
    """
    denied()
    if getattr(exchange, "riskguard", None) is not None:
        raise AdapterError("this exchange is guarded already: its handle is exchange.riskguard")
    ruleset = getattr(getattr(desk, "guard", None), "ruleset", None)
    if ruleset is not None:
        _able(ruleset)
        for symbol in sorted(set(symbols)):
            if not (ruleset.guarded(symbol) or ruleset.guarded(coin(symbol))):
                log.warning(
                    "riskguard: %s is not guarded by these rules: orders in it pass", symbol
                )
    gate = Gate(exchange, desk, hedged=hedged, fresh=round(fresh * SECOND), now=now)
    gate.traded.update(symbols)
    made = Guarded if getattr(exchange, "synchronous", False) else AsyncGuarded
    return made(gate, watch=watch, pause=pause)


def _able(ruleset: RuleSet) -> None:
    wanted = [(rule.name, rule.do) for rule in ruleset.rules]
    wanted += [(stage.name, stage.do) for stage in ruleset.stages]
    for name, do in wanted:
        lacks = [word for word in UNABLE if getattr(do, word)]
        if lacks:
            msg = f"rule '{name}' asks for {lacks[0]}, which the ccxt adapter cannot do"
            fix = "give the rule a fallback, and the session Fit(capabilities=CAPABILITIES)"
            raise AdapterError(msg, help=fix)
