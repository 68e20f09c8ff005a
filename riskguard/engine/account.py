"""Account inputs: what is derived from them, and how they begin.

Drops and drawdowns of `equity` are taken on equity chained over `transfers`, so that a deposit
is no gain and a withdrawal no loss: nav' = nav x (equity' - transfers') / equity. `loss_streak`
is counted from the closed trades. All of them begin as observed zero at the first event of the
account, `equity` as if it had always been what that event says (rules.md section 4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskguard.market import FROM_ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHAINED", "NAV", "STREAK", "Account", "begins"]

NAV = "equity.nav"
STREAK = "loss_streak"
# measures that compare equity with its own past
CHAINED = frozenset({"change", "drop", "rise", "drawdown", "vol"})


def begins(name: str) -> str:
    """Return how a series begins: "zero", "same" as its first value, "" when it has to be seen."""
    if name in {"equity", NAV}:
        return "same"
    return "zero" if name in FROM_ZERO else ""


def _amount(values: Mapping[str, float], name: str) -> float:
    value = values.get(name, 0.0)
    return value if math.isfinite(value) else 0.0


class Account:
    """Derives what nobody sends: one instance follows one account in order of time."""

    __slots__ = ("before", "nav", "sent", "streak", "transfers")

    def __init__(self) -> None:
        self.before = self.nav = math.nan  # equity and nav at the last event
        self.transfers = 0.0  # since then
        self.streak = 0.0
        self.sent = False  # the host counts streaks itself

    def derived(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the values of one event, with what follows from them."""
        found = dict(values)
        self.transfers += _amount(values, "transfers")
        equity = values.get("equity", math.nan)
        if math.isfinite(equity) and equity >= 0:
            found[NAV] = self._chained(equity)
        self.sent |= STREAK in values
        if not self.sent and not values.keys().isdisjoint({"trades.closed", "trades.lost"}):
            found[STREAK] = self._counted(
                _amount(values, "trades.closed"), _amount(values, "trades.lost")
            )
        return found

    def _chained(self, equity: float) -> float:
        moved, self.transfers = self.transfers, 0.0
        if math.isnan(self.nav):
            self.nav = equity
        elif not moved and self.nav == self.before:
            self.nav = equity  # without transfers the chain is equity, to the last bit
        elif self.before > 0:
            self.nav = max(0.0, self.nav * (equity - moved) / self.before)
        self.before = equity
        return self.nav

    def _counted(self, closed: float, lost: float) -> float:
        # of winners and losers in one event, the losers are taken to have come last
        self.streak = lost if closed > lost else self.streak + lost
        return self.streak
