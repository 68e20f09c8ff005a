"""Rules fitted to a history and read over it: what a guarded run obeys, and from which bar on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.adapters.backtrader.account import reads_account
from riskguard.backtest.track import Track, columns_of
from riskguard.engine.guard import Guard
from riskguard.errors import DataError
from riskguard.language.binding import bind
from riskguard.language.ruleset import Input
from riskguard.market import ACCOUNT, CATALOGUE, time_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.runs import Run
    from riskguard.history import History
    from riskguard.history.columns import Columns
    from riskguard.language.binding import Bound
    from riskguard.language.ruleset import RuleSet

__all__ = ["OF_BROKER", "Watch", "watch"]

# what the broker of a run tells of its account at every close
OF_BROKER = {name: Input(name, CATALOGUE[name], source="backtest") for name in sorted(ACCOUNT)}


@dataclass(frozen=True)
class Watch:
    """Rules as they hold for a history, and the decisions they make on it as far as it alone says.

    `guard` is there where decisions cannot be made beforehand: a run steps it.
    """

    bound: Bound
    watched: History  # as the rules see it
    history: History  # of the traded symbol
    columns: Columns
    track: Track
    ts: NDArray[np.int64]  # closes of the traded symbol
    guard: Guard | None

    @property
    def eyes(self) -> dict[str, Any]:
        """What a guarded run is told of the rules."""
        if self.guard is None:
            return {"track": self.track}
        return {"guard": self.guard, "watched": self.watched}

    def decided(self, guarded: Run) -> Track:
        """Return the decisions that a guarded run has obeyed."""
        return (
            self.track if self.guard is None else Track.of_trail(guarded.trail, self.track.priming)
        )

    def first_bar(self, start: int | None = None) -> int:
        """Return the bar from which on it may be traded, no earlier than `start` (ns).

        Raises:
            DataError: There is none.

        """
        path, columns = self.watched.path, self.columns
        if not columns.now.size:
            every = time_text(columns.plan.every)
            message = (
                f"no bar of {columns.symbol} closes on a multiple of {every}: nothing is decided"
            )
            raise DataError(message, path=path, help="give more bars, or a shorter every:")
        if self.track.priming is None:
            texts = columns.decision(columns.now.size - 1).priming
            longest = max(columns.plan.warm_up(index) for index in columns.cold)
            raise DataError(
                f"the rules are still warming up at the last bar: {', '.join(texts)}",
                path=path,
                help=f"give at least {time_text(longest)} of history before the first trade",
            )
        first = self.track.priming
        if start is not None:
            first = max(first, int(np.searchsorted(self.ts, start, side="left")))
        if first >= self.ts.size - 1:
            fix = "choose an earlier --from, or a later --to"
            raise DataError("no bar is left to trade on", path=path, help=fix)
        return first


def watch(ruleset: RuleSet, history: History, traded: str) -> Watch:
    """Fit rules to a history and read them over it.

    Raises:
        RuleError: They do not fit.
        DataError: There are no bars of a symbol.

    """
    own = not ruleset.symbol or traded in ruleset.per_symbol
    watched = history.for_symbol(traded if own else ruleset.symbol)
    bound = bind(
        ruleset,
        symbol=traded,
        every=watched.every,
        carried=watched.inputs() | OF_BROKER,
        capabilities=CAPABILITIES,
    )
    history = history.for_symbol(traded)
    columns = columns_of(bound.ruleset, watched)
    ts = history.bars(traded).ts
    beforehand = bound.ruleset.evaluate != "event" and not reads_account(columns.plan)
    guard = None if beforehand else Guard(bound.ruleset, sources=watched.sources())
    return Watch(bound, watched, history, columns, Track.of(columns, ts), ts, guard)
