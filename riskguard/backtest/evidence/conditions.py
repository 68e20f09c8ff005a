"""The conditions of a verdict, each with the figure it rests on.

What must hold was written down before any result was seen; nothing here weighs one condition
against another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.signs import ENOUGH, needed_hits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.backtest.evidence.bootstrap import Interval
    from riskguard.backtest.evidence.findings import Findings
    from riskguard.backtest.evidence.grades import Gate

__all__ = ["BETTER", "CALMER", "HARM", "Condition", "conditions", "signed"]

# the verdicts that conditions stand for
BETTER, CALMER, HARM = "HELPS", "LOWERS RISK, NO FORESIGHT", "HURTS"

FORESIGHT = 0.05  # p of the placebo
BY_CHANCE = 0.10  # p of the sign test
CARRIED = 0.5  # share of the benefit that one event may carry


class Condition(NamedTuple):
    """One condition of a verdict; `met` is None where it could not be examined."""

    name: str
    met: bool | None
    text: str
    verdict: str  # the one it stands for


def conditions(
    found: Findings | None,
    allowed: Gate,
    *,
    planned: str,
    changed: Sequence[str],
    peer: str,
    exposure: float,
    names: Sequence[str],
    tried: int = 1,
) -> tuple[Condition, ...]:
    """Return every condition, those of HURTS first, then of HELPS, then of LOWERS RISK.

    `planned` is the name of the plan, "" for none, and `changed` what differs from it; `peer`
    is the best simple one, `exposure` the mean that all share; `names` are those of the events;
    `tried` is how many settings were tried on the data.
    """
    data = "; ".join(allowed.reasons) or "all measured, none known beforehand"
    gate = Condition("data", not allowed.reasons, data, BETTER)
    plan = Condition("plan", bool(planned) and not changed, _plan(planned, changed), BETTER)
    if found is None:
        return plan, gate
    return (
        _harm(found.against_constant, exposure),
        plan,
        gate,
        _benefit(found.against_best, peer),
        _foresight(found, tried),
        _events(found, planned),
        _stress(found),
        _carried(found, names),
        _drawdown(found.cdar, exposure),
        _line(found),
    )


def signed(share: float, decimals: int = 1) -> str:
    """Return a share as "+3.1", in percent or points; what rounds to nothing is +0.0."""
    return f"{round(share * 100, decimals) + 0.0:+.{decimals}f}"


def _between(one: Interval) -> str:
    return f"[90 % CI {signed(one.low)}, {signed(one.high)}]"


def _plan(planned: str, changed: Sequence[str]) -> str:
    if not planned:
        return "exploratory run, no plan"
    if changed:
        return f"changed since the plan {planned}: {', '.join(changed)}"
    return f"under the plan {planned}"


def _harm(one: Interval, exposure: float) -> Condition:
    text = f"net benefit {signed(one.value)} %/yr vs constant {exposure:.2f} {_between(one)}"
    return Condition("harm", one.below, text, HARM)


def _benefit(one: Interval, peer: str) -> Condition:
    text = f"net benefit {signed(one.value)} %/yr vs {peer} {_between(one)}"
    return Condition("best simple peer", one.above, text, BETTER)


def _foresight(found: Findings, tried: int) -> Condition:
    """Ask for a p that the best of so many settings without foresight has in 5 % (Bonferroni)."""
    if found.placebo is None:
        text = "too short a history for a placebo (two windows and cool-downs of the rules)"
        return Condition("foresight", None, text, BETTER)
    p = found.placebo.foresight
    text = f"foresight p = {p:.3f}"
    if tried > 1:
        text += f", {FORESIGHT / tried:.2g} needed after {tried:,} settings"
    return Condition("foresight", p <= FORESIGHT / tried, text, BETTER)


def _events(found: Findings, planned: str) -> Condition:
    hits, count, sign, _flip = found.hits
    if not planned:
        return Condition("events", None, "no plan says what an event is", BETTER)
    if sign is None:
        noun = "event" if count == 1 else "events"
        text = f"too few events: {count} independent {noun}, {ENOUGH} needed"
        return Condition("events", None, text, BETTER)
    need = needed_hits(count, BY_CHANCE)
    text = f"{hits} of {count} events won, {need} needed (sign test p = {sign:.3f})"
    return Condition("events", sign <= BY_CHANCE, text, BETTER)


def _stress(found: Findings) -> Condition:
    one = {(item.late, item.dearer): item.benefit for item in found.stress}
    late, dear = one[1, 1.0], one[0, 2.0]
    text = f"1 bar late {signed(late)} %/yr, at twice the costs {signed(dear)} %/yr"
    sign = found.against_best.value > 0
    return Condition("delay and costs", (late > 0) == (dear > 0) == sign, text, BETTER)


def _carried(found: Findings, names: Sequence[str]) -> Condition:
    if found.carried is None:
        return Condition("one event", None, "there is no benefit that an event carries", BETTER)
    number, share = found.carried
    text = f"{names[number]} carries {share:.0%} of the benefit"
    return Condition("one event", share <= CARRIED, text, BETTER)


def _drawdown(one: Interval, exposure: float) -> Condition:
    text = f"CDaR {signed(one.value)} points below constant {exposure:.2f} {_between(one)}"
    return Condition("drawdown", one.above, text, CALMER)


def _line(found: Findings) -> Condition:
    text = f"{'above' if found.above_line else 'not above'} the line that less size alone makes"
    return Condition("leverage line", found.above_line, text, CALMER)
