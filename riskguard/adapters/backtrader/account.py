"""What an account in Backtrader tells its guard: equity, positions, and the trades it closed.

A trade is a round trip from flat to flat, or to the other side. Its profit is what it earned
after fees and funding.
"""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

from itertools import islice
from typing import Any

from riskguard.adapters.backtrader.orders import STOPS, held
from riskguard.engine.orders import RESIDUE
from riskguard.market import ACCOUNT

__all__ = ["Ledger", "reads_account"]

Broker = Any  # Backtrader is untyped
Feed = Any
Order = Any
UNDER_WATER = (
    1e6  # leverage of an account that is worth nothing and holds something: above any limit
)
FLOWS = ("transfers", "pnl.realised", "trades.closed", "trades.lost", "trades.stopped")


def reads_account(plan: Any) -> bool:  # noqa: ANN401 - a plan of the engine
    """Say whether rules read the account."""
    return any(not spec.symbol and spec.name in ACCOUNT for spec in plan.tapes)


class Ledger:
    """Follows the fills of one broker; `values` tells what came since the bar before."""

    def __init__(self, broker: Broker, pilot: Feed) -> None:
        self.broker, self.pilot = broker, pilot
        self.read: dict[int, int] = {}  # fills seen, by order
        self.profit: dict[Feed, float] = {}  # of the trades that are open
        self.flows = dict.fromkeys(FLOWS, 0.0)

    def note(self, order: Order) -> None:
        """Take in the fills of an order that are new."""
        bits = order.executed.exbits
        seen = self.read.get(order.ref, 0)
        self.read[order.ref] = len(bits)
        for bit in islice(bits, seen, None):
            self._fill(order, bit)

    def pay(self, data: Feed, amount: float) -> None:
        """Take in funding that a position paid (> 0) or received (< 0)."""
        self.profit[data] = self.profit.get(data, 0.0) - amount

    def move(self, amount: float) -> None:
        """Take in a deposit (> 0) or a withdrawal (< 0)."""
        self.flows["transfers"] += amount

    def _fill(self, order: Order, bit: Any) -> None:  # noqa: ANN401 - Backtrader is untyped
        data, flows = order.data, self.flows
        if bit.closed:
            profit = self.profit.get(data, 0.0) + bit.pnl - bit.closedcomm
            self.profit[data] = profit
            if bit.opened or abs(bit.psize) <= RESIDUE * abs(bit.closed):
                flows["pnl.realised"] += profit
                flows["trades.closed"] += 1.0
                flows["trades.lost"] += float(profit < 0)
                flows["trades.stopped"] += float(order.exectype in STOPS)
                self.profit[data] = 0.0
        if bit.opened:
            self.profit[data] = self.profit.get(data, 0.0) - bit.openedcomm

    def values(self) -> dict[str, float]:
        """Return the account at the close of a bar, with the flows since the one before."""
        broker, price = self.broker, float(self.pilot.close[0])
        equity, position = float(broker._value), held(broker, self.pilot)
        open_profit, notional = 0.0, 0.0
        for data, one in broker.positions.items():
            if one.size and len(data):
                open_profit += one.size * (data.close[0] - one.price)
                notional += abs(one.size * data.close[0])
        found = {
            "equity": equity,
            "position": position,
            "notional": position * price,
            "leverage": notional / equity if equity > 0 else UNDER_WATER if notional else 0.0,
            "pnl.unrealised": open_profit,
            **self.flows,
        }
        self.flows = dict.fromkeys(FLOWS, 0.0)
        return found
