"""The door of the ccxt adapter: one exchange instance, and a guard put around it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from riskguard.adapters.ccxt.gate import FRESH, Gate, log
from riskguard.adapters.ccxt.handle import AsyncGuarded, Guarded, denied
from riskguard.adapters.ccxt.money import asked
from riskguard.adapters.shared.starting import able, announce, rules_of
from riskguard.errors import AdapterError
from riskguard.market import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from riskguard.adapters.shared.desk import Desk

__all__ = ["CAPABILITIES", "NAME", "guard_exchange"]

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

Exchange = Any  # ccxt is untyped


def guard_exchange(
    exchange: Exchange,
    desk: Desk,
    *,
    symbols: Iterable[str] = (),
    hedged: bool = False,
    tells: Collection[str] = (),
    fresh: float = FRESH / SECOND,
    watch: float = 30.0,
    pause: float = 0.2,
    now: Callable[[], int] = time.time_ns,
) -> Guarded | AsyncGuarded:
    """Put a guard around one exchange instance, and return its handle, `exchange.riskguard` too.

    `symbols` are watched from the start, others from their first order on. `hedged` says that
    the account holds longs and shorts beside each other; else the first position or order that
    is of a book says it. Where rules read equity, or cap leverage,
    the venue is asked what the account is worth; `tells` says what of the account the bot tells
    by itself ("account", "trade_closed"). While a decision limits, an order costs
    two requests (open orders, positions; a third where triggers are listed apart) unless they
    were read within `fresh` seconds and nothing was sent since; while nothing limits it costs
    none, and each symbol is read every `watch` seconds. `pause` lies between two reads that wait
    for the venue.

    Raises:
        AdapterError: ccxt is missing, the instance is guarded already, or the rules ask for
            what this adapter cannot do or nobody tells.
    """
    denied()
    symbols = set(symbols)
    if getattr(exchange, "riskguard", None) is not None:
        raise AdapterError("this exchange is guarded already: its handle is exchange.riskguard")
    able(desk, CAPABILITIES)
    announce(desk, symbols, lambda note: log.warning("riskguard: %s", note))
    gate = Gate(exchange, desk, hedged=hedged, fresh=round(fresh * SECOND), now=now)
    gate.traded.update(symbols)
    gate.listed.update(symbols)
    ruleset = rules_of(desk)
    if ruleset is not None:
        gate.counts = asked(ruleset, exchange.id, gate.traded, tells)
        if gate.counts:
            log.warning("riskguard: of deposits ccxt tells nothing: they count as gains")
    made = Guarded if getattr(exchange, "synchronous", False) else AsyncGuarded
    return made(gate, watch=watch, pause=pause)
