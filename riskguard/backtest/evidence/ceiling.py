"""What a run would have held under other limits: the ceiling rule alone, without Backtrader.

The caps are shares of the position with which an episode began, or of the first entry in it; a
position is cut at the open after a decision, by a stop inside the bar that reaches it. What may
be bought again is bought at once as far as the account carries it, by a strategy that states how
much it wants; any other one comes back where nothing was left, and else stays as it was cut until
it buys more itself. How a strategy reacts to its own fills is not in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.accounts import account_of
from riskguard.backtest.evidence.paths import cost_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.accounts import Account
    from riskguard.backtest.evidence.claims import Limits

    Floats = NDArray[np.float64]

__all__ = ["Market", "net"]

FREE = math.inf
LEAST = 0.01  # of what is wanted: less is not worth an order


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The bare run, and the bars it lived in, from the first on which something may be held."""

    bare: Account
    opens: Floats
    highs: Floats
    lows: Floats
    rate: Floats  # what trading costs, as a share of the value traded
    first: int  # number of its first bar
    leverage: float
    states: bool  # whether the strategy states how much it wants

    @classmethod
    def of(cls, comparison: Comparison) -> Market:
        """Return the market of a comparison."""
        first = comparison.trading_from + 1
        bars = comparison.history.bars(comparison.symbol)
        opens, highs, lows = (one[first:] for one in (bars.open, bars.high, bars.low))
        runs = (comparison.results[name].run for name in ("bare", "guarded"))
        return cls(
            bare=account_of(comparison, "bare"),
            opens=opens,
            highs=highs,
            lows=lows,
            rate=cost_rate(comparison.costs, (highs - lows) / opens),
            first=first,
            leverage=comparison.leverage,
            states=any(bool((run.wanted != run.held).any()) for run in runs),
        )


def net(market: Market, limits: Sequence[Limits]) -> float:
    """Return the money by which a run under these limits would be ahead of the bare one."""
    if all(one.free for one in limits):
        return 0.0
    return _Position(market, limits).ahead()


def _changes(held: Floats) -> NDArray[np.int64]:
    """Return for each bar the number of the next one with another value, or of bars in all."""
    places = np.append(np.flatnonzero(np.diff(held)) + 1, held.size)
    found: NDArray[np.int64] = places[np.searchsorted(places, np.arange(held.size), side="right")]
    return found


def _until(met: NDArray[np.bool_], first: int) -> int:
    """Return the bar at which something is met, or the one behind the last."""
    return first + (int(met.argmax()) if met.any() else met.size)


class _Position:
    """A position under limits, bar by bar; units without their sign."""

    def __init__(self, market: Market, limits: Sequence[Limits]) -> None:
        self.market, self.limits = market, limits
        bare = market.bare
        self.wanted: list[float] = np.abs(bare.held).tolist()
        self.sides: list[int] = np.where(bare.held < 0, -1, 1).tolist()
        self.earned: list[float] = (bare.gross - bare.costs).tolist()
        self.equity: list[float] = bare.equity.tolist()
        self.opens: list[float] = market.opens.tolist()
        self.rate: list[float] = market.rate.tolist()
        # units that a unit of money carries
        self.carried = market.leverage / (market.opens * (1.0 + market.rate))
        self.worth = bare.equity[:-1]
        self.summed = np.append(0.0, np.cumsum(bare.gross - bare.costs))
        self.ends = _changes(bare.held)  # for each bar the next on which something else is held
        self.gained: list[float] = []  # on the bare run, bar by bar
        self.lead = 0.0  # all of it so far
        self.units = self.before = 0.0
        self.base: float | None = None
        self.left = FREE  # what a reduction left
        self.level: float | None = None  # of the guard's own stop
        self.reduced = 0.0

    def ahead(self) -> float:
        """Return what is gained on the bare run over all bars."""
        starts = [max(0, one.bar + 1 - self.market.first) for one in self.limits]
        for limit, start, end in zip(
            self.limits, starts, [*starts[1:], len(self.wanted)], strict=True
        ):
            self._see(limit, start)
            if limit.free and self.units == self.before and start < end:
                self.units = self.before = self.wanted[end - 1]  # it goes with the bare run
                continue
            bar = start
            while bar < end:
                self._bar(bar, limit)
                bar = self._rest(bar, end, limit)
        return math.fsum(self.gained)

    def _see(self, limit: Limits, start: int) -> None:
        """Take note of a decision: where an episode begins or ends, and where its stop lies."""
        more, self.reduced = limit.reduce_by > self.reduced, limit.reduce_by
        if not limit.reduce_by:
            self.left = FREE
        elif more and self.units:
            self.left = min(self.left, (1.0 - limit.reduce_by) * self.units)
        if limit.free:
            self.base = self.level = None
            return
        if self.base is None and self.units:
            self.base = self.units
        if limit.stop is None:
            self.level = None
        elif self.units:
            side = self.sides[max(0, start - 1)]
            level = limit.price - side * limit.stop
            tighter = max if side > 0 else min
            self.level = level if self.level is None else tighter(level, self.level)

    def _ceiling(self, limit: Limits, side: int) -> float:
        if limit.cap <= 0 or limit.closes[side < 0]:
            return 0.0
        return min(self.left, limit.cap * self.base if limit.cap < 1 and self.base else FREE)

    def _bar(self, bar: int, limit: Limits) -> None:
        wanted, before, side = self.wanted[bar], self.before, self.sides[bar]
        self.before = wanted
        if not before or (bar and side != self.sides[bar - 1]):
            self.units = before = 0.0
        if not wanted:
            self.units = 0.0
            return
        if wanted < before:
            self.units *= wanted / before
        bought = max(0.0, wanted - before)
        held = self.units
        again = self.market.states or not held
        target = min(wanted, max(held, self._affordable(bar))) if again else held + bought
        if target > held + (LEAST * wanted if again else 0.0) and not limit.blocked[side < 0]:
            if self.base is None and not limit.free:
                self.base = target
            self.units = max(held, min(target, self._ceiling(limit, side)))
        self.units = min(self.units, self._ceiling(limit, side))
        costs = self.rate[bar] * abs(self.units - held) * self.opens[bar] if before else 0.0
        share = min(1.0, self.units / wanted)
        self._gain((share - 1.0) * self.earned[bar] - costs)
        self._stop(bar, side)

    def _rest(self, bar: int, end: int, limit: Limits) -> int:
        """Pass over the bars behind one in which nothing is traded; return the next to look at."""
        wanted, side, units, first = self.wanted[bar], self.sides[bar], self.units, bar + 1
        end = min(end, int(self.ends[bar]))
        if end <= first:
            return first
        if self.level is not None and units:
            lows, highs = self.market.lows[first:end], self.market.highs[first:end]
            end = _until(lows <= self.level if side > 0 else highs >= self.level, first)
        share = min(1.0, units / wanted) if wanted else 1.0
        lead = self.lead + (share - 1.0) * (self.summed[first:end] - self.summed[first])
        least = units + LEAST * wanted
        entries = not limit.blocked[side < 0] and (self.market.states or not units)
        if wanted and entries and min(wanted, self._ceiling(limit, side)) > least:
            end = _until(self.carried[first:end] * (self.worth[first:end] + lead) > least, first)
        self._gain((share - 1.0) * float(self.summed[end] - self.summed[first]))
        return end

    def _affordable(self, bar: int) -> float:
        """Return the units that what is left of the account carries; who lost affords less."""
        return float(self.carried[bar]) * max(0.0, self.equity[bar] + self.lead)

    def _gain(self, money: float) -> None:
        self.gained.append(money)
        self.lead += money

    def _stop(self, bar: int, side: int) -> None:
        market, level = self.market, self.level
        reached = level is not None and (
            market.lows[bar] <= level if side > 0 else market.highs[bar] >= level
        )
        if level is None or not reached or not self.units:
            return
        opened = float(market.opens[bar])
        price = min(level, opened) if side > 0 else max(level, opened)
        after = opened + float(market.bare.step[bar])
        costs = float(market.rate[bar]) * self.units * price
        self._gain(-side * self.units * (after - price) - costs)
        self.units, self.level = 0.0, None
