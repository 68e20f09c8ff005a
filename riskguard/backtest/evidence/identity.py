"""The whole value of a guard as one sum: losses avoided, less gains missed, less costs.

In money it holds for what two runs really did, bar by bar; in returns for any share of the bare
run. What is left where the runs part, because the bare account was closed by force or a strategy
reacts to its own fills, is told apart: it is no merit of the guard's exits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.accounts import account_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.paths import Paths

    Floats = NDArray[np.float64]

__all__ = ["Identity", "Terms", "Value", "identity", "terms", "timing", "value"]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Money per bar by which a run differs from the bare one: kept + stopped - costs + other.

    `kept` and `stopped` are above 0 where a loss was avoided, below where a gain was missed.
    """

    share: Floats  # held of what the bare run held; 1 where that held nothing
    kept: Floats  # what the bare run lost or gained by what the other did not hold
    stopped: Floats  # what the guard's own stops inside the bar changed
    costs: Floats  # beyond the same share of the bare run's own
    other: Floats

    @property
    def avoided(self) -> Floats:
        """Losses of the bare run that were not taken."""
        return np.maximum(self.kept, 0.0) + np.maximum(self.stopped, 0.0)

    @property
    def missed(self) -> Floats:
        """Gains of the bare run that were not had."""
        return np.maximum(-self.kept, 0.0) + np.maximum(-self.stopped, 0.0)


@dataclass(frozen=True, slots=True)
class Identity:
    """avoided - missed - costs + other_path = guarded - bare, all in money of the account."""

    avoided: float
    missed: float
    costs: float
    other_path: float
    guarded: float  # equity at the end
    bare: float
    error: float  # what the sum lacks, as a share of the largest equity of both runs
    parted: bool  # whether `other_path` is more than rounding


def terms(comparison: Comparison, name: str = "guarded") -> Terms:
    """Return the money per bar by which a run differs from the bare one, from the first trade on.

    While the bare run holds something, the other held a share of that; what it held beyond, or
    while the bare run had nothing, is of another path.
    """
    bare, one = account_of(comparison, "bare"), account_of(comparison, name)
    there = bare.held != 0
    share = np.clip(one.held / np.where(there, bare.held, 1.0), 0.0, 1.0)
    share = np.where(there, share, 1.0)
    beyond = np.where(there, (one.held - share * bare.held) * one.step, 0.0)
    left = one.gross - share * bare.gross - beyond
    by_guard = there & one.stopped  # its own stop parts the runs inside the bar
    costs = one.costs - share * bare.costs
    return Terms(
        share=share,
        kept=(share - 1.0) * (bare.gross - bare.costs),
        stopped=np.where(by_guard, left, 0.0),
        costs=np.where(there, costs, 0.0),
        other=beyond + np.where(by_guard, 0.0, left) - np.where(there, 0.0, costs),
    )


def identity(comparison: Comparison, name: str = "guarded") -> Identity:
    """Return the identity of a run against the bare one, and by how much it fails."""
    found = terms(comparison, name)
    one, bare = (comparison.results[each].run.equity for each in (name, "bare"))
    first = comparison.trading_from
    largest = max(float(np.abs(path[first:]).max()) for path in (one, bare))
    avoided, missed = math.fsum(found.avoided), math.fsum(found.missed)
    costs, other = math.fsum(found.costs), math.fsum(found.other)
    lacking = math.fsum((avoided, -missed, -costs, other, -float(one[-1]), float(bare[-1])))
    return Identity(
        avoided=avoided,
        missed=missed,
        costs=costs,
        other_path=other,
        guarded=float(one[-1]),
        bare=float(bare[-1]),
        error=lacking / largest,
        parted=abs(other) > 1e-12 * largest,
    )


@dataclass(frozen=True, slots=True)
class Value:
    """The same sum in returns of the bare run; all of it over the whole range."""

    avoided: float
    missed: float
    costs: float

    @property
    def net(self) -> float:
        """The guarded returns less the bare ones, added up."""
        return self.avoided - self.missed - self.costs


def value(paths: Paths, exposure: Floats | None = None) -> Value:
    """Return what an exposure, or the guard's own, avoided, missed and cost in returns."""
    held = np.where(paths.wanted, paths.x if exposure is None else exposure, 1.0)
    away = (held - 1.0) * paths.r
    return Value(
        avoided=math.fsum(np.maximum(away, 0.0)),
        missed=math.fsum(np.maximum(-away, 0.0)),
        costs=math.fsum(paths.k * paths.turnover(held)),
    )


def timing(paths: Paths, exposure: Floats | None = None) -> float:
    """Return T cov(x, r), the gross benefit against the same mean exposure held all the time.

    Less the costs it is the sum of g - e r, over the bars on which something is wanted.
    """
    held = (paths.x if exposure is None else exposure)[paths.wanted]
    if not held.size:
        return 0.0
    return math.fsum((held - held.mean()) * paths.r[paths.wanted])
