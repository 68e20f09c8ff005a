"""The merge of rules.md section 9, and the canonical state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from riskguard.language.ruleset import Actions, RuleSet, Stop

__all__ = ["merged"]

Claim = tuple[str, int, Actions]  # name, priority, what it asks for
SIDES = {
    "block_entries": {"long": {1}, "short": {2}, "both": {1, 2}},
    "close": {"longs": {1}, "shorts": {2}, "all": {1, 2}},
    "cancel_orders": {"entries": {1}, "all": {1, 2}},
}
LEAST = ("exposure_cap", "leverage_cap")
MOST = ("hedge", "reduce_by")


def distance(stop: Stop | None, near: Mapping[str, float]) -> float | None:
    if stop is None:
        return None
    found = (stop.atr or 0) * near["atr"] if stop.share is None else stop.share * near["price"]
    return None if math.isnan(found) else found


def merged(
    rules: RuleSet, claims: list[Claim], near: Mapping[str, float], blocks: Iterable[str]
) -> dict[str, object]:
    """Return the fields of a decision: claims merged, strictest first among the winners."""
    asked: dict[str, list[tuple[float, int, str]]] = {}

    def ask(field: str, strictness: float, claim: Claim) -> None:
        asked.setdefault(field, []).append((strictness, -claim[1], claim[0]))

    words: dict[str, set[int]] = {field: set() for field in SIDES}
    for claim in claims:
        do = claim[2]
        for field in (*LEAST, *MOST):
            value = getattr(do, field)
            if value is not None:
                ask(field, value if field in LEAST else -value, claim)
        if (far := distance(do.stop, near)) is not None:
            ask("stop", far, claim)
        for field, sides in SIDES.items():
            if word := getattr(do, field):
                ask(field, 2 - len(sides[word]), claim)
                words[field] |= sides[word]
        if do.reduce_only:
            ask("reduce_only", 0, claim)
    winners = {field: [name for *_, name in sorted(ranks)] for field, ranks in asked.items()}
    strictest = {field: abs(min(ranks)[0]) for field, ranks in asked.items()}
    cap, closes = strictest.get("exposure_cap", 1.0), words["close"] == {1, 2}
    blocked = words["block_entries"]
    for cause in reversed(list(blocks)):  # what cannot be seen stands first
        winners["block_entries"] = [cause, *winners.get("block_entries", [])]
        blocked = {1, 2}
    halted, reduces = cap <= 0 or closes, "reduce_only" in asked
    if (halted or reduces) and blocked != {1, 2}:
        field = "reduce_only" if reduces else "exposure_cap" if cap <= 0 else "close"
        winners["block_entries"] = [winners[field][0], *winners.get("block_entries", [])]
        blocked = {1, 2}
    words["block_entries"] = blocked
    numbers = {
        "exposure_cap": cap, "leverage_cap": strictest.get("leverage_cap"),
        "hedge": strictest.get("hedge", 0.0), "reduce_by": strictest.get("reduce_by", 0.0),
        "stop": strictest.get("stop"),
    }  # fmt: skip
    some = (
        blocked
        or words["close"]
        or words["cancel_orders"]
        or cap < 1
        or numbers["hedge"]
        or numbers["reduce_by"]
    )
    some = some or numbers["leverage_cap"] is not None or numbers["stop"] is not None
    state = "CAUTION" if some else "ACTIVE"
    if halted:
        state = "HALTED"
    elif reduces or blocked == {1, 2}:
        state = "REDUCING"
    return {
        **numbers,
        **{field: spoken(field, sides) for field, sides in words.items()},
        "state": state, "reduce_only": reduces or halted,
        "winners": {field: tuple(names) for field, names in winners.items()},
        "notify": tuple(sorted({do.notify for _, _, do in claims if do.notify})),
        "rules": rules.hash,
        "ts": 0, "symbol": rules.symbol, "stage": "normal", "latched": False, "priming": (),
        "blind": (), "active": (), "late": {}, "lines": {},
    }  # fmt: skip


def spoken(field: str, sides: set[int]) -> str:
    return next((word for word, meant in SIDES[field].items() if meant == sides), "none")
