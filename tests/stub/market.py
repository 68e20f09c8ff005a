"""The market behind the loopback exchange: a price with its past, open interest, one account."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

MINUTE = 60_000
FRAMES = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "8h": 480,
    "1d": 1440,
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Rejected(Exception):  # noqa: N818 - it is an answer of the venue
    """An order that the venue does not take: its code and its words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass
class Placed:
    """An order of the account."""

    id: int
    symbol: str
    side: str  # BUY | SELL
    kind: str  # MARKET | LIMIT | STOP_MARKET ...
    quantity: float
    price: float = 0.0
    reduce_only: bool = False
    client: str = ""
    filled: float = 0.0
    status: str = "NEW"
    ts: int = field(default_factory=now_ms)

    @property
    def open(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED")


class Market:
    """Everything the stub knows; `fill` says which share of a market order fills at once."""

    def __init__(self, price: float = 70_000.0, oi: float = 80_000.0) -> None:
        self.past: list[tuple[int, float]] = [(0, price)]
        self.oi = oi
        self.funding = 0.0001
        self.positions: Counter[str] = Counter()
        self.entries: dict[str, float] = {}
        self.orders: list[Placed] = []
        self.wallet = 100_000.0
        self.fill = 1.0
        self.reject: list[tuple[int, str]] = []  # what the next orders are answered with
        self.slow: list[int] = []  # statuses that the next requests are answered with (429, 503)
        self.seen: Counter[str] = Counter()
        self.liquidated: list[tuple[int, str, float]] = []  # when, whose side, dollars: gate
        self.rows_until = now_ms  # the clock by which rows of five minutes end: gate

    @property
    def price(self) -> float:
        return self.past[-1][1]

    def move(self, price: float, ts: int | None = None) -> None:
        """Let the price be another from now on; resting orders it reaches are filled."""
        self.past.append((now_ms() if ts is None else ts, price))
        for order in self.orders:
            reached = price <= order.price if order.side == "BUY" else price >= order.price
            if order.open and order.kind == "LIMIT" and reached:
                self._fill(order, order.quantity - order.filled, order.price)

    def at(self, ts: int) -> float:
        return next((price for when, price in reversed(self.past) if when <= ts), self.past[0][1])

    def bars(self, minutes: int, start: int, count: int, end: int) -> list[list[float]]:
        """Return bars (ts open high low close volume) from `start` on, the last in progress."""
        step = minutes * MINUTE
        first = -(-start // step) * step
        found = []
        for ts in range(first, min(end, first + step * count - 1) + 1, step):
            inside = [price for when, price in self.past if ts < when < ts + step]
            wave = 1 + 0.0005 * ((ts // step) % 7 - 3)  # a market that never stands still
            ends = [self.at(ts) * wave, self.at(min(ts + step - 1, now_ms())) * wave]
            high, low = max(ends + inside) * 1.001, min(ends + inside) * 0.999
            found.append([ts, ends[0], high, low, ends[1], 100.0])
        return found

    # ------------------------------------------------------------ the account

    def place(self, order: Placed) -> Placed:
        """Take an order as the venue would."""
        if self.reject:
            raise Rejected(*self.reject.pop(0))
        if order.client and any(one.client == order.client and one.open for one in self.orders):
            raise Rejected(-4116, "ClientOrderId is duplicated.")
        held = self.positions[order.symbol]
        if order.reduce_only and (held == 0 or (held > 0) == (order.side == "BUY")):
            raise Rejected(-2022, "ReduceOnly Order is rejected.")
        self.orders.append(order)
        if order.kind == "MARKET":
            self._fill(order, order.quantity * self.fill, self.price)
        return order

    def cancel(self, order_id: int) -> Placed:
        found = next((one for one in self.orders if one.id == order_id and one.open), None)
        if found is None:
            raise Rejected(-2011, "Unknown order sent.")
        found.status = "CANCELED"
        return found

    def _fill(self, order: Placed, quantity: float, price: float) -> None:
        sign = 1 if order.side == "BUY" else -1
        held = self.positions[order.symbol]
        if order.reduce_only:  # what would go beyond is cut by the venue
            quantity = min(quantity, abs(held)) if held * sign < 0 else 0.0
        if held * sign < 0:
            closed = min(quantity, abs(held))
            self.wallet += -sign * closed * (price - self.entries.get(order.symbol, price))
        if (held + sign * quantity) * held <= 0 or held == 0:
            self.entries[order.symbol] = price
        self.positions[order.symbol] = round(held + sign * quantity, 9)
        order.filled = round(order.filled + quantity, 9)
        done = order.filled >= order.quantity or order.reduce_only
        order.status = "FILLED" if done else "PARTIALLY_FILLED"
