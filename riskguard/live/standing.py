"""How a guard stands, with the rules of earlier files beside it: for status and why, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.engine.evaluation import STAGES
from riskguard.language.fitting.venues import venues_of
from riskguard.live.warming import advice

if TYPE_CHECKING:
    from riskguard.live.recorder import Former, Recorder
    from riskguard.live.rules import Loaded

__all__ = ["standing"]


def standing(recorder: Recorder, loaded: Loaded) -> dict[str, Any]:
    """Return how a guard is: its `status`, rules of earlier files, duties, and whose rules."""
    return recorder.guard.status() | {
        "file": loaded.file,
        "hash": loaded.hash,
        "earlier": [_earlier(former) for former in recorder.formers],
        "still_on_from_earlier_rules": [name for one in recorder.formers for name in one.on],
        "single_venue": _single(recorder),
        "warming": advice(recorder.guard),
        "outstanding": [action.id for action in recorder.guard.poll()],
    }


def _single(recorder: Recorder) -> list[str]:
    """Return the prices that rules read and that come from one venue, which nothing checks."""
    guard = recorder.guard
    tapes = [one for one in guard.plan.tapes if one.price and one.feeder < 0]
    return sorted(
        str(one.key) for one in tapes if not venues_of(guard.sources, one.symbol, one.name)
    )


def _earlier(former: Former) -> dict[str, Any]:
    """Return rules of an earlier file that are still on, as those of the guard are told."""
    found, on = former.guard.explain(), former.on
    return {
        "hash": former.loaded.hash,
        "stage": found["stage"] if STAGES in on else None,
        "stages": [one for one in found["stages"] if one["on"] and STAGES in on],
        "rules": [one for one in found["rules"] if one["name"] in on],
    }
