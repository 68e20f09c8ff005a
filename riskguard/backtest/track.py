"""The decisions of a whole history as change points: what a preloaded run obeys."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.compile import compile_rules
from riskguard.engine.decision import Decision, State
from riskguard.history.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from riskguard.history import History
    from riskguard.language.ruleset import RuleSet

__all__ = ["Track", "columns_of"]


@dataclass(frozen=True, slots=True)
class Track:
    """Decisions by the number of the bar at whose close they come into force; the first is 0.

    `priming` says from which bar on nothing needed is priming (None: never).
    """

    starts: list[int]
    decisions: list[Decision]
    priming: int | None = 0

    @classmethod
    def of(cls, columns: Columns, ts: NDArray[np.int64]) -> Track:
        """Return the decisions of `columns` on the bars that close at `ts` (ns, ascending).

        A bar before the first decision has one that lets nothing in.
        """
        numbers = columns.changes()
        starts = np.searchsorted(ts, columns.now[numbers], side="left").tolist()
        decisions = [columns.decision(number) for number in numbers.tolist()]
        warm = columns.now[~columns.priming]
        first = int(np.searchsorted(ts, warm[0], side="left")) if warm.size else ts.size
        if not starts or starts[0] > 0:
            before = Decision(
                int(ts[0]) if ts.size else 0,
                columns.symbol,
                state=State.REDUCING,
                block_entries="both",
                priming=("no decision yet",),
                winners={"block_entries": ("priming",)},
                rules=columns.plan.ruleset.hash,
            )
            starts, decisions = [0, *starts], [before, *decisions]
        # of several changes inside one bar of a coarser feed only the last is ever in force
        last = dict(zip(starts, decisions, strict=True))
        return cls(list(last), list(last.values()), first if first < ts.size else None)

    @classmethod
    def of_trail(cls, trail: Iterable[tuple[int, Decision]], priming: int | None) -> Track:
        """Return the decisions that a stepped guard made, each with its bar."""
        found = dict(trail)
        return cls(list(found), list(found.values()), priming)

    def at(self, bar: int) -> Decision:
        """Return the decision in force at the close of a bar."""
        return self.decisions[bisect_right(self.starts, bar) - 1]


def columns_of(ruleset: RuleSet, history: History) -> Columns:
    """Evaluate a bound rule set over a history whose traded symbol is the guarded one."""
    plan = compile_rules(ruleset)
    samples = {}
    for one in history.series.values():
        key = one.name if one.symbol in {history.symbol, "*"} else one.key
        # where a market-wide series bears the name of one of the guarded symbol, the latter counts
        if key not in samples or one.symbol == history.symbol:
            samples[key] = (one.times, one.values)
    closes = history.series[f"{history.symbol}.close"].times
    return Columns(plan, samples, closes[closes % plan.every == 0], history.symbol)
