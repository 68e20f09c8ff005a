"""Who limits what is held: the claims behind each decision, and what some of them would decide.

A decision names the rules that are on and who won each field; what they ask for stands in the
rule set. So the same history can be decided again with one of them left out, or alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.track import columns_of
from riskguard.engine.decision import Claim, merge
from riskguard.language.rewriting import latches, title
from riskguard.language.ruleset import Actions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from riskguard.backtest.comparison import Comparison
    from riskguard.engine.decision import Decision
    from riskguard.language.ruleset import Rule, RuleSet, Stage

__all__ = ["RAMP", "Limits", "Standing", "again", "limiting", "names_of", "standing"]

RAMP = "reentry "
NOTHING = Actions()


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision, the bar at whose close it came into force, and what each of its claims asks."""

    bar: int
    decision: Decision
    claims: Mapping[str, Actions]  # a ramp under the name of its rule or stage with "reentry "
    price: float  # the close of that bar

    def binding(self, share: float = math.inf, side: int = 1) -> tuple[str, ...]:
        """Return who limits a position of `share` of what is wanted; of equals all.

        `side` is 1 for a long, -1 for a short. What is less than the cap and may not be added
        to is limited by who blocks entries.
        """
        one = self.decision
        word, entry = ("longs", "long") if side > 0 else ("shorts", "short")
        blocked = one.reduce_only or one.block_entries in {entry, "both"}
        if one.close in {word, "all"}:
            return self._won("close", lambda do: do.close in {word, "all"})
        if one.exposure_cap < 1 and not (blocked and share < one.exposure_cap - 1e-9):
            return self._won("exposure_cap", lambda do: _least(do.exposure_cap, one.exposure_cap))
        if blocked:
            return self._won("block_entries", lambda do: _blocks(do, entry))
        if one.reduce_by:
            return self._won("reduce_by", lambda do: do.reduce_by == one.reduce_by)
        fields = (name for name in ("leverage_cap", "stop") if name in one.winners)
        return self._won(next(fields, ""), lambda _do: False)

    def _won(self, name: str, asks: Callable[[Actions], bool]) -> tuple[str, ...]:
        """Return the first winner of a field, and those who ask for as much."""
        winners = self.decision.winners.get(name, ())
        equal = [each for each in winners[1:] if asks(self.claims.get(each, NOTHING))]
        return tuple(dict.fromkeys(each.removeprefix(RAMP) for each in (*winners[:1], *equal)))


@dataclass(frozen=True, slots=True)
class Limits:
    """What claims together allow from the open after a bar on."""

    bar: int
    cap: float
    blocked: tuple[bool, bool]  # longs, shorts
    closes: tuple[bool, bool]
    reduce_by: float
    stop: float | None  # distance to `price`
    price: float

    @property
    def free(self) -> bool:
        """Whether nothing is limited."""
        asked = (self.cap < 1, *self.blocked, *self.closes, self.reduce_by, self.stop is not None)
        return not any(asked)


def _least(asked: float | None, cap: float) -> bool:
    return asked is not None and asked <= cap * (1 + 1e-12)


def _blocks(do: Actions, side: str) -> bool:
    halts = do.close == "all" or (do.exposure_cap is not None and do.exposure_cap <= 0)
    return do.reduce_only or halts or do.block_entries in {side, "both"}


def limiting(do: Actions) -> bool:
    """Say whether an action limits a position, and does not only tell or tidy up."""
    return replace(do, notify="", plugins=(), cancel_orders="", hedge=None) != NOTHING


def names_of(rules: RuleSet) -> tuple[str, ...]:
    """Return stages, mildest first, and rules that limit anything, as decisions name them."""
    found: tuple[Stage | Rule, ...] = (*rules.stages, *rules.rules)
    return tuple(title(latch) for latch in found if limiting(latch.do) or latch.reentry)


# ------------------------------------------------------------ what stands behind decisions


def standing(comparison: Comparison) -> list[Standing]:
    """Return every decision of a comparison with its claims, in the order of their bars."""
    ramps = _ramps(comparison)
    rules = comparison.ruleset
    asked = {title(latch): latch.do for latch in latches(rules)}
    closes = comparison.history.bars(comparison.symbol).close
    found: dict[int, Standing] = {}
    for one, _ in comparison.decisions:
        bar = int(np.searchsorted(comparison.ts, one.ts, side="left"))
        bar = max(bar, comparison.trading_from)
        stage = (f"stage {one.stage}",) if one.stage != "normal" else ()
        claims = {name: asked[name] for name in (*stage, *one.active) if name in asked}
        winners = one.winners.get("exposure_cap", ())
        claims |= {
            name: Actions(exposure_cap=ramps(name, one))
            for name in winners
            if name.startswith(RAMP)
        }
        if bar < closes.size:
            found[bar] = Standing(bar, one, claims, float(closes[bar]))
    return list(found.values())


def _ramps(comparison: Comparison) -> Callable[[str, Decision], float]:
    """Return what tells the cap of a re-entry ramp at a decision.

    Where the guard was stepped, a ramp that did not win is taken to allow no more than who won.
    """
    rules = comparison.ruleset
    stepped = bool(comparison.results["guarded"].run.trail)
    if stepped or not any(latch.reentry for latch in latches(rules)):
        return lambda _name, one: one.exposure_cap
    watched = comparison.history.for_symbol(rules.symbol or comparison.symbol)
    columns = columns_of(rules, watched)
    caps = {spec.name: cap for spec, cap in zip(columns.plan.ramps, columns.caps, strict=True)}

    def cap(name: str, one: Decision) -> float:
        if name == one.winners["exposure_cap"][0]:
            return one.exposure_cap
        return float(caps[name][np.searchsorted(columns.now, one.ts)])

    return cap


# ------------------------------------------------------------ deciding again


def again(stood: Standing, rules: RuleSet, keep: Callable[[str], bool]) -> Limits:
    """Return what a decision would allow with the claims that are kept, by name.

    In place of a stage that is not kept stands the next milder one that is: the ladder stands as
    high, and one without that step would have come as far as the one below. A stop in average
    true ranges is known where it won.
    """
    one = stood.decision
    claims = [Claim(name, do) for name, do in _kept(stood, rules, keep)]
    blocked = one.winners.get("block_entries", ())
    fields = merge(
        claims,
        blind="blind" in blocked and keep("blind"),
        priming="priming" in blocked and keep("priming"),
        price=stood.price,
    )
    if one.stop is not None and one.winners["stop"][0] in {claim.name for claim in claims}:
        fields["stop"] = one.stop
    entries, fault = fields["block_entries"], "guard_error" in blocked and keep("guard_error")
    return Limits(
        bar=stood.bar,
        cap=fields["exposure_cap"],
        blocked=(fault or entries in {"long", "both"}, fault or entries in {"short", "both"}),
        closes=(fields["close"] in {"longs", "all"}, fields["close"] in {"shorts", "all"}),
        reduce_by=fields["reduce_by"],
        stop=fields["stop"],
        price=stood.price,
    )


def _kept(
    stood: Standing, rules: RuleSet, keep: Callable[[str], bool]
) -> Iterator[tuple[str, Actions]]:
    ladder = [title(stage) for stage in rules.stages]
    stage = f"stage {stood.decision.stage}"
    reached = ladder[: ladder.index(stage) + 1] if stage in ladder else []
    left = [name for name in reached if keep(name)]
    if left:
        yield left[-1], rules.stages[ladder.index(left[-1])].do
    for name, do in stood.claims.items():
        if name not in ladder and keep(name.removeprefix(RAMP)):
            yield name, do
