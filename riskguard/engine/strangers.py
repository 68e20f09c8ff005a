"""Answers to orders in symbols that the rules of a guard do not speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.decision import Decision
from riskguard.engine.gate import gate
from riskguard.engine.orders import Reason
from riskguard.market import coin

if TYPE_CHECKING:
    from riskguard.engine.orders import Intent, Verdict
    from riskguard.language.ruleset import RuleSet

__all__ = ["elsewhere", "unguarded"]


def unguarded(intent: Intent, decision: Decision, as_of: int | None) -> Verdict:
    """Allow an order as it was asked, and say that nobody guards it."""
    free = Decision(decision.ts, intent.symbol, rules=decision.rules)
    verdict = gate(intent, free, as_of=as_of)
    if verdict.answer != "allow":
        return verdict
    reason = Reason("unguarded", "", f"unguarded: the rules do not name {intent.symbol}")
    return verdict._replace(reasons=(reason,))


def elsewhere(intent: Intent, ruleset: RuleSet, as_of: int) -> Verdict | None:
    """Answer an order in a symbol with rules of its own, which are not those of this guard.

    What its rules say is not known here: nothing is entered, exits pass. None where it has none.
    """
    own = sorted({intent.symbol, coin(intent.symbol)} & ruleset.per_symbol.keys())
    if not own:
        return None
    text = f"{own[0]} has rules of its own (per_symbol): ask the guard made with symbol {own[0]}"
    verdict = gate(intent, Decision(0, own[0], rules=ruleset.hash), fault=text, as_of=as_of)
    blind = [
        one._replace(cause="blind") if one.cause == "guard_error" else one
        for one in verdict.reasons
    ]
    return verdict._replace(reasons=tuple(blind))
