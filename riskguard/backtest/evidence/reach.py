"""How far back a decision may rest on what was seen: what a placebo must be shifted beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.compile import compile_rules
from riskguard.engine.plan import Group

if TYPE_CHECKING:
    from riskguard.language.ruleset import RuleSet

__all__ = ["reach"]


def reach(ruleset: RuleSet) -> int:
    """Return the longest window of rules, longest `for` and longest hold or cool-down, in ns."""
    plan = compile_rules(ruleset)
    windows = max((plan.lookback(tape) for tape in range(len(plan.tapes))), default=0)
    spans = max((one.span for one in plan.truths if isinstance(one, Group)), default=0)
    rests = [one for latch in plan.latches for one in (latch.min_hold, latch.cooldown)]
    return windows + spans + max((*rests, *plan.holds), default=0)
