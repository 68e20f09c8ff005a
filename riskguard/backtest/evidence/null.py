"""The test of our own honesty: how often a guard is praised where nothing could be foreseen.

Rules, runs, peers, tests and verdict are those of a backtest; only the history is drawn anew.
The gates of data and plan are lifted and no month is locked, for behind them no praise could be
given at all, and a test that cannot fail shows nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.compare import compare
from riskguard.backtest.evidence.conditions import BETTER
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.evidence.signs import tail, wilson
from riskguard.backtest.evidence.surrogate import surrogate
from riskguard.backtest.evidence.verdict import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from riskguard.backtest.compare import Request
    from riskguard.backtest.evidence.plan import Plan

__all__ = ["ALLOWED", "DRAWS", "Null", "null"]

ALLOWED = 0.05  # share of histories without foresight that may be praised
RARE = 0.02  # chance of so much praise at that share, below which it is no accident: 7 of 50
DRAWS = 199  # placebos and resamples of each surrogate


@dataclass(frozen=True)
class Null:
    """How often each verdict was given on histories without foresight."""

    words: Mapping[str, int]
    failed: Mapping[str, int]  # how often each condition of HELPS did not hold
    count: int
    untested: int = 0  # on how many nothing could be tested, and so nothing praised

    @property
    def praised(self) -> int:
        """How often it said HELPS."""
        return self.words[BETTER]

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of Wilson of the share of HELPS."""
        return wilson(self.praised, self.count)

    @property
    def honest(self) -> bool:
        """Whether so much praise may well come from a true share of 5 %."""
        return tail(self.praised, self.count, ALLOWED) >= RARE


def null(
    request: Request,
    plan: Plan,
    count: int,
    progress: Callable[[str], None] = lambda _step: None,
) -> Null:
    """Judge the guard on `count` surrogates of the history; the plan's seed draws them all."""
    words: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    untested = 0
    for number in range(count):
        progress(f"surrogate history {number + 1} of {count}")
        chance = np.random.Generator(np.random.PCG64([plan.seed, number]))
        drawn = replace(request, history=surrogate(request.history, chance))
        seed = int(chance.integers(1 << 31))
        found = weigh(compare(drawn), plan=plan, draws=DRAWS, seed=seed, lifted=True)
        words[found.verdict.word] += 1
        untested += found.found is None
        failed.update(one.name for one in found.conditions if one.verdict == BETTER and not one.met)
    given = {word: words[word] for word in WORDS}
    return Null(given, dict(sorted(failed.items())), count, untested)
