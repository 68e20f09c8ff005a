"""A study as JSON: `study-1.schema.json` is its contract.

Plain numbers, None for what is not known; times in ns become UTC or seconds.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskguard._version import VERSION
from riskguard.backtest.evidence.study_lines import headline
from riskguard.backtest.text_figures import iso
from riskguard.market import SECOND

if TYPE_CHECKING:
    from riskguard.backtest.evidence.answers import Answer
    from riskguard.backtest.evidence.scores import Score, Share
    from riskguard.backtest.evidence.study import Happened, Part, Study
    from riskguard.language.ruleset import RuleSet

__all__ = ["block", "schema_path"]

SCHEMA = "riskguard/study-1"


def schema_path() -> Path:
    """Return the JSON Schema (draft-07) that every study satisfies."""
    return Path(__file__).with_name("study-1.schema.json")


def block(found: Study, rules: RuleSet, path: str, refused: dict[str, str]) -> dict[str, Any]:
    """Return a study as it is written; `refused` are the reasons of what could not be read."""
    asked = found.asked
    return {
        "schema": SCHEMA,
        "riskguard": VERSION,
        "says": headline(found),
        "rules": {"path": path, "hash": rules.hash},
        "event": {"fall": asked.level, "within": asked.within / SECOND},
        "cost": asked.cost,
        "locked": list(asked.locked),
        "mechanics_only": found.mechanics,
        "data": [_part(one, found) for one in found.parts],
        "refused": [{"data": name, "reason": text} for name, text in refused.items()],
        "events": [_happened(one) for one in found.events],
        "not_counted": [_happened(one) for one in found.others],
        "dips": found.dips,
        "scores": [_score(one) for one in found.scores],
    }


def _part(one: Part, found: Study) -> dict[str, Any]:
    first, last = one.span
    deepest = one.deepest
    looked = one.scene.looked_at
    return {
        "name": one.name,
        "symbol": one.symbol,
        "counts": one in found.counting,
        "first": iso(first),
        "last": iso(last),
        "bars": int(looked.sum()),
        "blind": one.blind,
        "grades": dict(one.grades),
        "deepest": None
        if deepest is None
        else {"high": iso(deepest[0]), "low": iso(deepest[1]), "depth": deepest[2]},
        "notes": list(one.notes),
    }


def _happened(one: Happened) -> dict[str, Any]:
    return {
        "data": one.part.name,
        "high": iso(one.high),
        "low": iso(one.low),
        "depth": one.fall.depth,
        "falls": one.falls,
        "why_not": one.why_not or None,
    }


def _score(one: Score) -> dict[str, Any]:
    above, bounds = one.above
    return {
        "rule": one.rule,
        "years": one.years,
        "alarms": one.alarms,
        "a_year": _plain(one.yearly),
        **{word: one.words[word] for word in ("true", "late", "false", "unjudged")},
        "came_in": {kind: one.kinds[kind] for kind in ("fall", "dip", "calm")},
        "on": _plain(one.on),
        "lasts": _plain(one.lasts / SECOND),
        "longest": one.longest / SECOND,
        "precision": _share(one.precision),
        "hit_gains": _plain(one.hit_gains),
        "false_costs": _plain(one.false_costs),
        "break_even": _plain(one.break_even),
        "above_break_even": {"value": _plain(above), "interval": _interval(bounds)},
        "usefulness": _plain(one.usefulness),
        "recall": _share(one.recall),
        "answers": [_answer(each) for each in one.answers],
        "around": [
            {
                "span": each.span / SECOND,
                "mean": _plain(each.mean),
                "median": _plain(each.median),
                "placebo": _interval(each.band),
            }
            for each in one.around
        ],
    }


def _answer(one: Answer | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"lead": one.lead / SECOND, "done": one.done, "in_time": one.in_time}


def _share(one: Share) -> dict[str, Any]:
    return {
        "value": _plain(one.value),
        "good": one.good,
        "of": one.of,
        "interval": _interval(one.bounds),
    }


def _interval(bounds: tuple[float, float] | None) -> list[float] | None:
    return None if bounds is None else list(bounds)


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
