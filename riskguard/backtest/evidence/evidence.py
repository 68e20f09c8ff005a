"""Everything that is found about a guard on one history, and the verdict that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.conditions import conditions
from riskguard.backtest.evidence.events import catalogue, counted
from riskguard.backtest.evidence.figures import random_capture
from riskguard.backtest.evidence.findings import Subject, findings
from riskguard.backtest.evidence.further import further
from riskguard.backtest.evidence.grades import ILLUSTRATION, OPEN, gate, grades_read, sampled
from riskguard.backtest.evidence.identity import identity, value
from riskguard.backtest.evidence.ledger import ledger, ways
from riskguard.backtest.evidence.paths import Paths
from riskguard.backtest.evidence.peers import best_simple, leverage_line, peers
from riskguard.backtest.evidence.reach import reach
from riskguard.backtest.evidence.roundtrips import whipsaws
from riskguard.backtest.evidence.verdict import decide
from riskguard.backtest.evidence.weaknesses import weaknesses, yearly
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.conditions import Condition
    from riskguard.backtest.evidence.events import Catalogue, Event
    from riskguard.backtest.evidence.findings import Findings
    from riskguard.backtest.evidence.further import Further
    from riskguard.backtest.evidence.grades import Gate
    from riskguard.backtest.evidence.identity import Identity, Value
    from riskguard.backtest.evidence.ledger import LedgerRow
    from riskguard.backtest.evidence.peers import Peer, Point
    from riskguard.backtest.evidence.plan import Plan
    from riskguard.backtest.evidence.roundtrips import Whipsaws
    from riskguard.backtest.evidence.verdict import Verdict

__all__ = ["DRAWS", "SEED", "Evidence", "weigh"]

DRAWS, SEED = 999, 1
# a path of fewer windows and cool-downs of its rules is not tested: of simulated guards without
# skill on paths of two, a quarter were said to do harm; on paths of eight, an eighth
BLOCKS = 8


@dataclass(frozen=True)
class Evidence:
    """What was found; what may not be computed is None, and `untested` says why."""

    verdict: Verdict
    conditions: tuple[Condition, ...]
    plan: Plan | None
    changed: tuple[str, ...]  # what is no longer as it was planned
    identity: Identity  # in money
    value: Value  # in returns of the bare run, over the whole range
    random_capture: float  # losses / (losses + gains) of the bare run: what a random time out has
    further: Mapping[str, Further]  # of each run
    whipsaws: Whipsaws  # of the guard
    years: float  # in which something was wanted
    mean_exposure: float
    peers: tuple[Peer, ...]
    best: Peer | None  # the simple peer that ended highest
    leverage_line: tuple[Point, ...]
    found: Findings | None
    untested: str  # why nothing was tested, "" where it was
    catalogue: Catalogue | None  # None: no plan says what an event is
    events: tuple[Event, ...]  # those that count
    cash: float
    ledger: tuple[LedgerRow, ...]  # empty in the test of ourselves, which asks for the word alone
    notes: tuple[str, ...]
    draws: int
    seed: int

    def a_year(self, money: float) -> float:
        """Return money of the whole range as a share of the capital, a year; NaN without time."""
        return yearly(money, self.cash, self.years)


def weigh(
    comparison: Comparison,
    *,
    plan: Plan | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
    lifted: bool = False,
) -> Evidence:
    """Judge the guard of a comparison, under a plan where there is one.

    A plan says how often and with what seed is drawn. `lifted` opens the gates of data and plan,
    and locked months: the self-test on surrogate histories, which no plan can have seen, is
    meant to fail by itself.
    """
    if plan is not None and not lifted:
        draws, seed = plan.draws, plan.seed
    allowed = OPEN if lifted else gate(comparison)
    changed = () if plan is None or lifted else plan.changes(comparison)
    paths = Paths.of(comparison)
    bars = comparison.history.bars(comparison.symbol)
    them = peers(paths, bars.close, bars.ts, seed=seed)
    best = best_simple(them)
    listed = None if plan is None else catalogue(bars.ts, bars.close, plan.fall, plan.within)
    events = _events(comparison, paths, listed, None if lifted else plan)
    untested, found = _untested(allowed, paths, comparison), None
    if best is not None and not untested:
        found = findings(_subject(comparison, paths, best, events), draws=draws, seed=seed)
    told = _conditions(found, allowed, plan, changed, (paths, best, events))
    rows = () if lifted else _ledger(comparison, plan)
    return Evidence(
        verdict=decide(told, allowed, untested, _weak(comparison, rows, plan, paths.years)),
        conditions=told,
        plan=plan,
        changed=changed,
        identity=identity(comparison),
        value=value(paths),
        random_capture=random_capture(paths),
        further=further(comparison),
        whipsaws=whipsaws(ways(comparison), comparison.every),
        years=paths.years,
        mean_exposure=paths.mean_exposure,
        peers=them,
        best=best,
        leverage_line=leverage_line(paths),
        found=found,
        untested=untested,
        catalogue=listed,
        events=events,
        cash=comparison.cash,
        ledger=rows,
        notes=tuple(_notes(comparison, listed, found)),
        draws=draws,
        seed=seed,
    )


def _conditions(
    found: Findings | None,
    allowed: Gate,
    plan: Plan | None,
    changed: tuple[str, ...],
    compared: tuple[Paths, Peer | None, tuple[Event, ...]],
) -> tuple[Condition, ...]:
    paths, best, events = compared
    return conditions(
        found,
        allowed,
        planned="" if plan is None else plan.name,
        changed=changed,
        peer=best.name if best else "",
        exposure=paths.mean_exposure,
        names=[one.name for one in events],
        tried=1 if plan is None else plan.tried,
    )


def _events(
    comparison: Comparison, paths: Paths, listed: Catalogue | None, plan: Plan | None
) -> tuple[Event, ...]:
    """Return the events that count, in no month that a plan locks, with something wanted.

    No plan for a surrogate: its months are drawn from others, none of them was seen before.
    """
    if listed is None:
        return ()
    locked = (*plan.locked, ILLUSTRATION) if plan else ()
    first = comparison.trading_from + 1
    found = counted(listed, comparison.ts, first, locked)
    wanted = np.concatenate((np.zeros(first, dtype=bool), paths.wanted))
    return tuple(
        one for one in found if any(wanted[low : high + 1].any() for low, high in one.spans)
    )


def _untested(allowed: Gate, paths: Paths, comparison: Comparison) -> str:
    """Return why nothing may be tested, "" where it may."""
    if not allowed.statistics:
        return ", ".join(allowed.reasons)
    held = paths.x[paths.wanted]
    if not held.size:
        return "the strategy never held anything"
    bare, guarded = (comparison.results[name].run.held for name in ("bare", "guarded"))
    # what an exchange refuses is missing in both
    if float(np.ptp(held)) == 0.0 or np.array_equal(bare, guarded):
        return "the guard never changed what was held"
    memory = reach(comparison.ruleset)
    if held.size * paths.every < BLOCKS * memory:
        held_for, asked = (time_text(one) for one in (held.size * paths.every, BLOCKS * memory))
        return (
            f"too short a history: {held_for} of something wanted,"
            f" {asked} needed ({BLOCKS} windows and cool-downs of the rules)"
        )
    return ""


def _subject(
    comparison: Comparison, paths: Paths, best: Peer, events: tuple[Event, ...]
) -> Subject:
    """Return what is tested, on the bars on which something is wanted, one behind the other."""
    on = paths.wanted
    # who comes back after a pause pays for the entry of the strategy, which is in its return
    stays = np.concatenate(([False], on[1:] & on[:-1]))
    place = np.concatenate(([0], np.cumsum(on)))  # wanted bars before each bar
    first = comparison.trading_from + 1

    def inside(low: int, high: int) -> tuple[int, int]:
        return int(place[max(0, low - first)]), int(place[high + 1 - first]) - 1

    return Subject(
        x=paths.x[on],
        r=paths.r[on],
        k=np.where(stays, paths.k, 0.0)[on],
        best=best.exposure[on],
        every=paths.every,
        memory=reach(comparison.ruleset),
        events=tuple(tuple(inside(*span) for span in one.spans) for one in events),
    )


def _ledger(comparison: Comparison, plan: Plan | None) -> tuple[LedgerRow, ...]:
    if plan is None:
        return ledger(comparison)
    return ledger(comparison, fall=plan.fall, within=plan.within)


def _weak(
    comparison: Comparison, rows: tuple[LedgerRow, ...], plan: Plan | None, years: float
) -> tuple[str, ...]:
    tried = None if plan is None else plan.tried
    return tuple(weaknesses(rows, tried, comparison.cash, years))


def _notes(
    comparison: Comparison, listed: Catalogue | None, found: Findings | None
) -> Iterator[str]:
    read = grades_read(comparison.history, comparison.ruleset, comparison.symbol)
    yield from sampled(comparison.history, read)
    if listed is not None and not listed.dips:
        yield "no false-alarm history: the data has no dip that recovered within three days"
    if found is not None:
        yield (
            f"one asset is traded ({comparison.symbol}) and no series has two vendors: neither an"
            " asset nor a vendor can be left out"
        )
