"""What an account is worth: what each venue calls a total, and which rules want to know it.

ccxt hands over a `total` of each currency. On some venues the open profit of positions is in it,
on others it is not: a fall of equity would be seen twice, or not at all. So a venue that is not
known here is not guessed at.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskguard.adapters.shared.symbols import traded
from riskguard.engine.orders import number
from riskguard.errors import AdapterError
from riskguard.language.rewriting import latches
from riskguard.market import coin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from riskguard.language.ruleset import RuleSet

__all__ = ["asked", "swaps", "worth"]

# in the total of a currency the open profit is counted: as asked for a margin account
MARKED = frozenset({"binance", "binanceusdm", "myokx", "okx", "okxus"})
UNMARKED = frozenset({"bybit", "bybiteu", "bybitid", "gate", "gateeu", "gateio"})
# the kinds of events that tell of an account, with the inputs of rules they feed
FED = {
    "account": frozenset({"equity", "leverage", "notional", "pnl.unrealised"}),
    "trade_closed": frozenset(
        {"loss_streak", "pnl.realised", "trades.closed", "trades.lost", "trades.stopped"}
    ),
}


def asked(rules: RuleSet, venue: str, symbols: Iterable[str], tells: Collection[str]) -> bool:
    """Say whether the venue is to be asked what the account is worth.

    Raises:
        AdapterError: the rules read of the account what neither venue nor bot tells.
    """
    if not set(tells) <= FED.keys():
        raise AdapterError(f"tells={sorted(tells)}", help=f"kinds are {', '.join(FED)}")
    wanted = {kind: sorted(_read(rules) & names) for kind, names in FED.items()}
    trades = wanted["trade_closed"]
    if trades and "trade_closed" not in tells:
        raise AdapterError(
            f"the rules read {', '.join(trades)}, and ccxt tells of no closed trades",
            help='tell each by step(Event(ts, "trade_closed", symbol, {"pnl": ...})), and say so:'
            ' tells=["trade_closed"]',
        )
    moved = "transfers" in _read(rules)
    if not (wanted["account"] or moved) or "account" in tells:
        return False
    why = "ccxt tells of no deposits" if moved else ""
    if venue not in MARKED | UNMARKED:
        why = f"what {venue} calls the total of an account is not known here"
    elif any(one.settle not in ("", one.quote) for one in map(traded, symbols)):
        why = "an account of coins is not counted in dollars here"
    if why:
        needs = ", ".join([*wanted["account"], *["transfers"] * moved])
        raise AdapterError(
            f"the rules need {needs}: {why}",
            help='tell it by step(Event(ts, "account", symbol, {"equity": ...})), and say so:'
            ' tells=["account"]',
        )
    return True


def _read(rules: RuleSet) -> set[str]:
    """Return what rules need: what they are decided by, and equity where they cap leverage."""
    from riskguard.adapters.shared.offline import read_by  # noqa: PLC0415 - at the start, once

    found = {key.removesuffix(".nav") for key in read_by(rules, rules.symbol, strictly=True)}
    capped = any(one.do.leverage_cap is not None for one in latches(rules))
    return found | {"equity"} if capped else found


def worth(venue: str, balance: Mapping[str, Any], currency: str, profit: float) -> float:
    """Return what an account holds in a currency, its open profit counted once.

    Raises:
        ValueError: the venue tells no total.
    """
    total = number((balance.get(currency) or {}).get("total"))
    if math.isnan(total):
        raise ValueError(f"no total of {currency}")
    return total if venue in MARKED else total + profit


def swaps(
    venue: str, balance: Mapping[str, Any], positions: Iterable[Mapping[str, Any]], home: str
) -> dict[str, float]:
    """Return the account of swaps as an event tells it; `home` is the guarded symbol.

    Raises:
        ValueError: the venue leaves something out.
    """
    profit = gross = mine = 0.0
    currency = traded(home).settle
    for one in positions:
        size, value = number(one.get("contracts")), abs(number(one.get("notional")))
        if not size or traded(str(one.get("symbol"))).settle != currency:
            continue
        profit += number(one.get("unrealizedPnl"))
        gross += value
        if coin(str(one.get("symbol"))) == coin(home):
            mine += value if one.get("side") == "long" else -value
    equity = worth(venue, balance, currency, profit)
    if math.isnan(equity + profit + gross + mine):
        raise ValueError("a position without a value, or without its profit")
    equity = max(equity, 0.0)
    found = {"equity": equity, "unrealised": profit, "notional": mine}
    return found | {"leverage": gross / equity} if equity else found
