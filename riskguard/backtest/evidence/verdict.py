"""The verdict: which of the four sentences may be printed, by the written rules.

HURTS is examined first, then HELPS, then LOWERS RISK. Anything else is NOT SHOWN, which does
not mean useless: a good guard is found in about half of three-year histories.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.conditions import BETTER, CALMER, HARM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.backtest.evidence.conditions import Condition
    from riskguard.backtest.evidence.grades import Gate

__all__ = ["NOT_SHOWN", "WORDS", "Verdict", "decide", "unweighed"]

NOT_SHOWN = "NOT SHOWN"
WORDS = (BETTER, CALMER, NOT_SHOWN, HARM)


class Verdict(NamedTuple):
    """A word and the reason for it."""

    word: str
    reason: str


def unweighed(allowed: Gate) -> Verdict:
    """Return NOT SHOWN with its reasons where nothing was tested."""
    lacking = () if allowed.modelled or allowed.embedded else ("exploratory run, no plan",)
    return Verdict(NOT_SHOWN, ", ".join((*lacking, *allowed.reasons)))


def decide(
    found: Sequence[Condition], allowed: Gate, untested: str = "", weak: Sequence[str] = ()
) -> Verdict:
    """Return the verdict; `untested` says why nothing could be tested on data that allows it.

    `weak` is what no verdict may be read without: of false alarms, of settings tried.
    Where the data allows no statistics it is NOT SHOWN whatever holds, and where the outcome was
    known beforehand nothing good is said.
    """
    if not allowed.statistics:
        return unweighed(allowed)
    if untested:
        plan = next(one.text for one in found if one.name == "plan")
        return Verdict(NOT_SHOWN, ", ".join((untested, plan, *allowed.reasons)))
    for word in (HARM,) if allowed.reasons else (HARM, BETTER, CALMER):
        wanted = [one for one in found if one.verdict == word]
        if wanted and all(one.met for one in wanted):
            return Verdict(word, "; ".join((_told(found, word), *weak)))
    return Verdict(NOT_SHOWN, "; ".join((_told(found, NOT_SHOWN), *weak)))


def _told(found: Sequence[Condition], word: str) -> str:
    """Tell what the word rests on, or what it failed by: the plan and its gate first."""
    of = {one.name: one for one in found if one.verdict == BETTER}
    if word == HARM:
        parts = [one.text for one in found if one.verdict == HARM]
        known = [] if of["data"].met else [of["data"].text]
        return "; ".join([*parts, of["plan"].text, *known])
    if word == BETTER:
        return "; ".join(one.text for one in of.values() if one.name != "data")
    if word == CALMER:
        parts = [one.text for one in found if one.verdict == CALMER]
        failed = [one.text for one in of.values() if not one.met and one.name != "plan"]
        return "; ".join([*parts, *failed, of["plan"].text])
    first = [of[name].text for name in ("plan", "data") if not of[name].met]
    rest = [
        one.text
        for one in of.values()
        # that no event carries what is not there need not be said
        if one.name not in {"plan", "data"} and (one.name, one.met) != ("one event", None)
    ]
    shown = [] if of["plan"].met is False else [of["plan"].text]
    return "; ".join([", ".join(first), *rest, *shown] if first else [*rest, *shown])
