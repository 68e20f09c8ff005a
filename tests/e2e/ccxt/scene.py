"""One exchange of real ccxt, answered at the wire, under a scripted guard."""

from __future__ import annotations

from riskguard.adapters.ccxt import guard_exchange
from riskguard.testing import ScriptedGuard
from tests.e2e.ccxt.wire import Wire

SYMBOL, SPOT = "BTC/USDT:USDT", "BTC/USDT"
READS = ("GET openOrders", "GET openAlgoOrders", "GET positionRisk")


class Scene:
    """One exchange under a scripted guard."""

    def __init__(self, position: float = 0.0, **mode: bool) -> None:
        self.wire = Wire(**mode)
        self.exchange, self.venue = self.wire.exchange, self.wire.venue
        self.venue.books[""] = position
        self.symbol = SPOT if mode.get("spot") else SYMBOL
        self.guard = ScriptedGuard()
        self.guarded = guard_exchange(
            self.exchange, self.guard, symbols=[self.symbol], pause=0.0, now=self.venue.now,
            hedged=mode.get("hedged", False),
        )  # fmt: skip
        self.exchange.load_markets()
        self.guarded.gate.prices[self.symbol] = 100.0

    @property
    def position(self) -> float:
        return self.venue.books[""]

    def reads(self) -> int:
        return sum(self.wire.seen[name] for name in READS)
