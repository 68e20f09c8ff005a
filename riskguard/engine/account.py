"""Account inputs: what is derived from them, and how they begin.

Drops and drawdowns of `equity` are taken on equity chained over `transfers`, so that a deposit
is no gain and a withdrawal no loss: nav' = nav x (equity' - transfers') / equity. `loss_streak`
is counted from the closed trades. All of them begin as observed zero at the first event of the
account, `equity` as if it had always been what that event says (rules.md section 4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.engine.windows import NEVER
from riskguard.market import FROM_ZERO, LARGEST, SMALLEST, plausible

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHAINED", "LEAST", "NAV", "STREAK", "Account", "begins"]

NAV = "equity.nav"
STREAK = "loss_streak"
# measures that compare equity with its own past
CHAINED = frozenset({"change", "drop", "rise", "drawdown", "vol"})
# what others are derived from, each with the least it may be
LEAST = {"equity": 0.0, "transfers": -LARGEST, "trades.closed": 0.0, "trades.lost": 0.0}
JUDGED = tuple(LEAST.items())
TRADES = frozenset({"trades.closed", "trades.lost"})


def begins(name: str) -> str:
    """Return how a series begins: "zero", "same" as its first value, "" when it has to be seen."""
    if name in {"equity", NAV}:
        return "same"
    return "zero" if name in FROM_ZERO else ""


class Account:
    """Derives what nobody sends: one instance follows one account in order of time."""

    __slots__ = ("before", "last", "nav", "sent", "streak", "transfers")
    kept = ("before", "nav", "sent", "streak", "transfers")  # and `last`

    def __init__(self) -> None:
        self.before = self.nav = math.nan  # equity and nav at the last event
        self.last: dict[str, int] = {}  # when each was said last
        self.transfers = 0.0  # since then
        self.streak = 0.0
        self.sent = False  # the host counts streaks itself

    def derived(
        self, ts: int, values: Mapping[str, float]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Return the values of one event with what follows from them, and what was refused.

        What is late, said twice or impossible is as if it had not come.
        """
        found, last = dict(values), self.last
        refused: dict[str, float] = {}
        for name, least in JUDGED:
            if name not in values:
                continue
            value = values[name]
            if ts > last.get(name, NEVER) and (  # `plausible`, written out
                SMALLEST <= value <= LARGEST
                or (least <= value <= LARGEST and (value == 0 or value <= -SMALLEST))
            ):
                last[name] = ts
            else:
                refused[name] = value
        taken = found
        if refused:
            taken = {name: value for name, value in found.items() if name not in refused}
        if "transfers" in taken:
            self.transfers += taken["transfers"]
        if "equity" in taken:
            found[NAV] = self._chained(taken["equity"])
        if STREAK in values and plausible(values[STREAK], 0.0):
            self.sent = True
        told = "trades.closed" in taken or "trades.lost" in taken
        if told and not self.sent and TRADES.isdisjoint(refused):
            closed, lost = taken.get("trades.closed", 0.0), taken.get("trades.lost", 0.0)
            found[STREAK] = self._counted(closed, lost)
        return found, refused

    def _chained(self, equity: float) -> float:
        moved, self.transfers = self.transfers, 0.0
        if not moved and self.nav == self.before:
            self.nav = equity  # without transfers the chain is equity, to the last bit
        elif math.isnan(self.nav):
            self.nav = equity
        elif self.before > 0:
            self.nav = max(0.0, self.nav * (equity - moved) / self.before)
        self.before = equity
        return self.nav

    def _counted(self, closed: float, lost: float) -> float:
        # of winners and losers in one event, the losers are taken to have come last
        self.streak = lost if closed > lost else self.streak + lost
        return self.streak
