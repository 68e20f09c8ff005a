"""Which of two rule sets protects more: what is looser, what stricter, what neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.changes.relations import LESS, MORE, SAME, ordered
from riskguard.language.ruleset import Actions, Stop
from riskguard.language.schema import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DIFFERENT", "LOOSER", "STRICTER", "action_effects", "asks", "effect", "summed"]

LOOSER, STRICTER, DIFFERENT = "looser", "stricter", "different"
# what asking for nothing means: the number that restricts nothing
NOTHING = {"exposure_cap": 1.0, "leverage_cap": float("inf"), "reduce_by": 0.0, "hedge": 0.0}
# words in the order of strictness; longs and shorts are two things
RANKS = {
    "close": ({""}, {"longs", "shorts"}, {"all"}),
    "block_entries": ({""}, {"long", "short"}, {"both"}),
    "cancel_orders": ({""}, {"entries"}, {"all"}),
}


def effect(relation: str, *, more: str) -> str:
    """Return looser or stricter for a relation, where `more` is the one that more of it is."""
    less = LOOSER if more == STRICTER else STRICTER
    return {SAME: "", MORE: more, LESS: less}.get(relation, DIFFERENT)


def summed(effects: Iterable[str]) -> str:
    """Return the effect of several changes together, "" where none has any."""
    found = set(effects) - {""}
    return found.pop() if len(found) == 1 else DIFFERENT if found else ""


def asks(do: Actions) -> bool:
    """Say whether actions restrict anything: a message alone does not."""
    return any(
        _effect(key, getattr(Actions(), key), getattr(do, key)) == STRICTER for key in ACTIONS
    )


def action_effects(old: Actions, new: Actions) -> Iterator[tuple[str, str]]:
    """Yield each action that has become another, with its effect."""
    for key in ACTIONS:
        found = _effect(key, getattr(old, key), getattr(new, key))
        if found:
            yield key, found
    was, now = dict(old.plugins), dict(new.plugins)
    for name in sorted(was | now):
        if was.get(name) != now.get(name):
            yield f"plugin.{name}", DIFFERENT


def _effect(key: str, old: object, new: object) -> str:
    if old == new:
        return ""
    if key in RANKS:
        ranks = [next(rank for rank, words in enumerate(RANKS[key]) if one in words)
                 for one in (old, new)]  # fmt: skip
        return effect(ordered(*ranks), more=STRICTER) or DIFFERENT
    if key in NOTHING:
        numbers = [NOTHING[key] if one is None else one for one in (old, new)]
        most = LOOSER if key in {"exposure_cap", "leverage_cap"} else STRICTER
        return effect(ordered(*map(_number, numbers)), more=most)
    if key == "stop":
        return _stop(old, new)
    if key == "reduce_only":
        return STRICTER if new else LOOSER
    return DIFFERENT


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0


def _stop(old: object, new: object) -> str:
    """Return whether a stop comes nearer; a share and a multiple of ATR cannot be compared."""
    if not isinstance(old, Stop) or not isinstance(new, Stop):
        return STRICTER if isinstance(new, Stop) else LOOSER
    if old.share is not None and new.share is not None:
        return effect(ordered(old.share, new.share), more=LOOSER)
    if old.atr is not None and new.atr is not None:
        return effect(ordered(old.atr, new.atr), more=LOOSER)
    return DIFFERENT
