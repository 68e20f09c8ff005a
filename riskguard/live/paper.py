"""A venue and a market on paper: what a drill trades on, and a calm that trips no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.events import Event
from riskguard.engine.orders import Intent, Pending
from riskguard.market import ACCOUNT, CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.engine.guard import Guard
    from riskguard.engine.orders import Verdict

__all__ = ["PRICES", "Paper", "account", "calm"]

PRICES = (100.0, 100_000.0, 1.0, 10_000_000.0)  # tried until one trips no rule
MOST_BARS = 4_000  # of history; a longer warm-up is not filled
LEVELS: Mapping[str, float] = {"oi": 100_000.0, "oi_usd": 1e9, "fear_greed": 50.0}
BARS = frozenset({"open", "high", "low", "close", "volume"})
LEAST = 10_000.0  # dollars of the account


class Paper:
    """One position and its resting orders; orders reach it only as they were granted."""

    def __init__(self, symbol: str, price: float) -> None:
        self.symbol, self.price = symbol, price
        self.position = 0.0
        self.resting: list[Pending] = []

    def intent(self, now: int, side: str, quantity: float, *, close: bool = False) -> Intent:
        """Return an order as a bot would ask for it."""
        return Intent(
            now, self.symbol, side, quantity, self.position, tuple(self.resting), self.price,
            close=close,
        )  # fmt: skip

    def rest(self, name: str, side: str, quantity: float, *, reduce_only: bool = False) -> None:
        """Let an order rest."""
        self.resting.append(Pending(name, side, quantity, resting=True, reduce_only=reduce_only))

    def fill(self, intent: Intent, verdict: Verdict) -> None:
        """Carry out what was granted: first what it says to cancel, then the order."""
        self.resting = [one for one in self.resting if one.id not in verdict.cancel_first]
        self.position += verdict.quantity if intent.side == "buy" else -verdict.quantity

    def cancel(self, *, entries_only: bool) -> None:
        """Cancel resting orders: those that could enter, or all."""
        self.resting = [one for one in self.resting if entries_only and one.reduce_only]

    @property
    def entries(self) -> list[str]:
        """The resting orders that could enter."""
        return [one.id for one in self.resting if not one.reduce_only]


def account(position: float, price: float) -> dict[str, float]:
    """Return what an account says that holds so much, and could hold a thousand times more."""
    equity, notional = max(LEAST, 1_000 * price), position * price
    return {
        "equity": equity,
        "position": position,
        "notional": notional,
        "leverage": abs(notional) / equity,
        "unrealised": 0.0,
    }


def calm(guard: Guard, symbol: str, price: float, start: int) -> Iterator[Event]:
    """Yield a history in which nothing moves, up to `start`, of all that a guard reads."""
    every = guard.plan.every
    read = [
        (spec.symbol or symbol, spec.name, min(spec.interval, every))
        for spec in guard.plan.tapes
        if spec.feeder < 0
        and spec.name.removesuffix(".nav") not in ACCOUNT
        and (spec.symbol or spec.name not in BARS)
    ]
    rests = {
        spec.name: price if spec.price else 0.0 if spec.signed else 1.0 for spec in guard.plan.tapes
    }
    flows = {name for name, spec in CATALOGUE.items() if spec.kind == "flow"}
    for bar in range(min(MOST_BARS, guard.warmup // every + 3), -1, -1):
        end = start - bar * every
        told = [
            (ts, of, name, 0.0 if name in flows else LEVELS.get(name, rests[name]))
            for of, name, step in read
            for ts in range(end - every + step, end + 1, step)
        ]
        for ts, of, name, value in sorted(told):
            yield Event(ts, "value", of, {"series": name, "value": value})
        yield Event(end, "account", symbol, account(0.0, price))
        data = dict.fromkeys(BARS, price) | {"volume": 1000.0, "interval_ns": every}
        yield Event(end, "bar", symbol, data)
