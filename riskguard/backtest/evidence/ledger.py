"""What each rule or stage saved and cost, and what the guard would be without it.

What was not held in a bar belongs to who set the binding limit; of equals each has the same part.
What a change cost belongs to who tightened, or to whose release loosened. Added up over all it is
the guard's whole value. Where nothing limits any more and less than all is held all the same, it
belongs to the last who did: the way back is part of the exit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.ceiling import Market, net
from riskguard.backtest.evidence.claims import again, names_of, standing
from riskguard.backtest.evidence.identity import terms
from riskguard.backtest.evidence.roundtrips import round_trips
from riskguard.backtest.evidence.trips import Counted, trips
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.claims import Standing
    from riskguard.backtest.evidence.identity import Terms
    from riskguard.backtest.evidence.roundtrips import RoundTrip

    Floats = NDArray[np.float64]
    Owners = tuple[str, ...]

__all__ = ["LedgerRow", "Whipsaw", "ledger", "ways"]

NOBODY = "no rule"  # the strategy parted from the bare run before anything limited it


class Whipsaw(NamedTuple):
    """A way out and back that lost: opens at which it began and ended (ns), and mean prices."""

    left: int
    back: int
    exit: float
    reentry: float
    loss: float  # as a share of the exit price, costs included


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One rule or stage; money of the account over the whole range.

    true + late + false + redundant + unjudged = trips; without a plan's event they are None.
    """

    rule: str
    trips: int
    true: int | None
    late: int | None
    false: int | None
    redundant: int | None
    unjudged: int | None  # the data ends before the event had its time
    days_out: float  # what was not held because of it, added up over time
    saved: float
    missed: float
    costs: float
    net: float  # saved - missed - costs
    without: float  # net of the whole guard if it were removed
    alone: float  # net if it were the only one
    whipsaw: Whipsaw | None  # the worst
    # what false alarms cost, each until the rule's next trip; below 0 where they gained
    false_cost: float | None = None


def ledger(
    comparison: Comparison, *, fall: float | None = None, within: int | None = None
) -> tuple[LedgerRow, ...]:
    """Return a row for each stage and rule that limits anything, and for what else did.

    `fall` (a share) and `within` (ns) are the event of the plan by which trips are judged.
    `without` and `alone` come from the rules' own decisions and the ceiling rule, not from runs:
    `without` is the real net, changed by as much as the ceiling rule says.
    """
    stood, found = standing(comparison), terms(comparison)
    booked = _Book.of(comparison, stood, found)
    rows = names_of(comparison.ruleset)
    names = (*rows, *sorted(set(booked.owned) - set(rows)))
    judged = trips(comparison, stood, fall, within)
    worst = _whipsaws(comparison, booked.owners)
    value = math.fsum((*found.avoided, *(-found.missed), *(-found.costs)))
    counter = _Counterfactual(comparison, stood, value)
    return tuple(
        _row(name, judged.get(name, Counted()), booked.owned[name], worst.get(name), counter)
        for name in names
    )


class _Part(NamedTuple):
    """What one rule has in the whole."""

    saved: list[float]
    missed: list[float]
    costs: list[float]
    out: list[float]  # bars
    made: list[tuple[int, float]]  # bar by bar: saved - missed - costs

    def within(self, spans: Sequence[tuple[int, int]]) -> float:
        """Return what it made in spans of bars that follow each other, their first bar left out."""
        if not spans or not self.made:
            return 0.0
        starts, ends = np.array(spans).T
        bars, money = np.array(self.made).T
        place = np.searchsorted(starts, bars, side="left") - 1
        return math.fsum(money[(place >= 0) & (bars <= ends[place])])


def _row(
    name: str,
    judged: Counted,
    part: _Part,
    worst: Whipsaw | None,
    counter: _Counterfactual,
) -> LedgerRow:
    saved, missed, costs = (math.fsum(one) for one in part[:3])
    return LedgerRow(
        rule=name,
        trips=judged.trips,
        true=judged.true,
        late=judged.late,
        false=judged.false,
        redundant=judged.redundant,
        unjudged=judged.unjudged,
        days_out=math.fsum(part.out) * counter.every / DAY,
        saved=saved,
        missed=missed,
        costs=costs,
        net=math.fsum((saved, -missed, -costs)),
        without=counter.without(name),
        alone=counter.alone(name),
        whipsaw=worst,
        false_cost=None if judged.false is None else 0.0 - part.within(judged.alarms),
    )


# ------------------------------------------------------------ whose is what


@dataclass(frozen=True, slots=True)
class _Book:
    """Who owns each bar, and what everybody owns."""

    owners: list[Owners]
    owned: defaultdict[str, _Part]

    @classmethod
    def of(cls, comparison: Comparison, stood: Sequence[Standing], found: Terms) -> _Book:
        first = comparison.trading_from + 1
        held = comparison.results["bare"].run.held[first:]
        owned: defaultdict[str, _Part] = defaultdict(lambda: _Part([], [], [], [], []))
        book = cls([], owned)
        before: Owners = (NOBODY,)
        share, place = 1.0, -1
        columns = (found.share, held, found.kept, found.stopped, found.costs)
        rows = zip(*(one.tolist() for one in columns), strict=True)
        known: dict[tuple[int, bool, int], Owners] = {}
        for bar, (now, units, kept, stopped, costs) in enumerate(rows, first):
            while place + 1 < len(stood) and stood[place + 1].bar < bar:
                place += 1
            one = stood[place] if place >= 0 else None
            side = -1 if units < 0 else 1
            key = place, one is not None and now < one.decision.exposure_cap - 1e-9, side
            if key not in known:
                known[key] = one.binding(now, side) if one else ()
            owners = known[key] or before
            book.owners.append(owners)
            book._give(bar, owners, kept, 1.0 - now)
            inside = one.decision.winners.get("stop", ())[:1] if one and stopped else ()
            book._give(bar, inside or owners, stopped, 0.0)
            payer = inside or (before if now > share else owners)
            for name in payer if costs else ():
                owned[name].costs.append(costs / len(payer))
                owned[name].made.append((bar, -costs / len(payer)))
            before, share = owners, now
        return book

    def _give(self, bar: int, owners: Owners, away: float, out: float) -> None:
        for name in owners if away or out else ():
            part = self.owned[name]
            if away > 0:
                part.saved.append(away / len(owners))
            elif away < 0:
                part.missed.append(-away / len(owners))
            if away:
                part.made.append((bar, away / len(owners)))
            if out:
                part.out.append(out / len(owners))


def ways(comparison: Comparison) -> tuple[RoundTrip, ...]:
    """Return every way out and back of the guarded run; bars count from the first it may hold."""
    first = comparison.trading_from + 1
    opens = comparison.history.bars(comparison.symbol).open[first:]
    held = comparison.results["guarded"].exposure[first:]
    side = np.sign(comparison.results["bare"].run.wanted[first:])
    rate = np.full(opens.size, comparison.costs.fee + comparison.costs.slippage)
    return round_trips(held, opens, rate, side)


def _whipsaws(comparison: Comparison, owners: Sequence[Owners]) -> dict[str, Whipsaw]:
    """Return the worst whipsaw of everybody who began one."""
    begun = comparison.ts[comparison.trading_from + 1 :] - comparison.every
    worst: dict[str, Whipsaw] = {}
    for trip in ways(comparison):
        found = Whipsaw(
            int(begun[trip.start]), int(begun[trip.end]), trip.exit, trip.reentry, trip.loss
        )
        for name in owners[trip.start]:
            if trip.loss > 0 and (name not in worst or trip.loss > worst[name].loss):
                worst[name] = found
    return worst


# ------------------------------------------------------------ what would be without


class _Counterfactual:
    """The net of a guard with some of its rules, by the ceiling rule."""

    def __init__(self, comparison: Comparison, stood: Sequence[Standing], value: float) -> None:
        self.every, self.value = comparison.every, value
        self._rules, self._stood = comparison.ruleset, stood
        self._market = Market.of(comparison)
        self._known: dict[object, float] = {}
        self._whole = self._net(lambda _name: True)

    def without(self, name: str) -> float:
        """Return the real net, changed by what the ceiling rule says of the rule."""
        return self.value + (self._net(lambda each: each != name) - self._whole)

    def alone(self, name: str) -> float:
        """Return the net by the ceiling rule; the real one where the rule decides everything."""
        found = self._net(lambda each: each == name)
        return self.value if found == self._whole else found

    def _net(self, keep: Callable[[str], bool]) -> float:
        limits = tuple(again(one, self._rules, keep) for one in self._stood)
        if limits not in self._known:
            self._known[limits] = net(self._market, limits)
        return self._known[limits]
