"""A market as it really is, minute by minute, as the events a perfect feed would bring."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from riskguard.engine.events import Event
from riskguard.market import MINUTE, SECOND

__all__ = ["PERP", "START", "Market", "Told"]

START = 1_767_225_600_000_000_000
PERP = "BTC/USDT:USDT"
OTHER = "ETH/USDT:USDT"
FUNDED = 5  # bars from one word on funding to the next

Told = tuple[str, int, Event]  # the feed, when it would arrive, what it says


class Market:
    """Prices that wander about 100 and fall at times; in `calm` nothing happens.

    `minute(bar)` yields what happens up to the close of a bar; `crash` makes the next bars fall.
    `others` are feeds of further venues, whose prices are a little apart.
    """

    def __init__(self, dice: random.Random, others: Sequence[str] = ()) -> None:
        self.dice, self.others = dice, others
        self.price, self.other, self.oi, self.equity = 100.0, 50.0, 1e6, 1000.0
        self.drift = 0.0
        self.calm = False

    def minute(self, bar: int) -> Iterator[Told]:
        """Yield the events of one bar with the times they arrive at."""
        end = START + bar * MINUTE
        before = self.price
        self._move()
        for number, dollars in enumerate(self._liquidations()):
            ts = end - MINUTE + self.dice.randrange(1, MINUTE)
            data = {"liquidated_side": "long", "notional_usd": dollars}
            event = Event(ts, "liquidation", PERP, data, source="liq", id=f"{bar}.{number}")
            yield "liq", self._after(ts), event
        for part in range(1, 7):  # every ten seconds
            ts = end - MINUTE + part * 10 * SECOND
            yield "liq", self._after(ts), self._event("liq", ts, "alive", series="liq.long")
            share = part / 6
            coins = round(self.oi * (1 + self.dice.gauss(0, 1e-5)), 3)
            yield "oi", self._after(ts), self._event("oi", ts, "open_interest", coins=coins)
            price = round(before + (self.price - before) * share, 4)
            if part < 6:
                yield "trade", self._after(ts), self._event("trade", ts, "trade", price=price)
        if bar % FUNDED == 1:
            rate = self.dice.gauss(0.0002, 0.0003) if not self.calm else 0.0001
            ts = end - 30 * SECOND  # told at a close, it might come before the bar or after it
            yield "funding", self._after(ts), self._event("funding", ts, "funding", rate=rate)
        yield "bar", self._after(end), self._bar("bar", end, PERP, before, self.price)
        for feed in self.others:
            close = round(self.price * (1 + self.dice.gauss(0, 2e-4)), 4)
            yield feed, self._after(end), self._bar(feed, end, PERP, before, close)
        yield "eth", self._after(end), self._bar("eth", end, OTHER, self.other, self.other)
        equity = round(self.equity, 2)
        yield "account", self._after(end), self._event("account", end, "account", equity=equity)

    def crash(self) -> None:
        """Let the market fall from now on."""
        self.calm, self.drift = False, -0.01

    def rest(self) -> None:
        """Let the market come back to where it was, and stay there."""
        self.calm, self.drift = True, 0.0
        self.price, self.other, self.oi, self.equity = 100.0, 50.0, 1e6, 1000.0

    # ------------------------------------------------------------ inside

    def _move(self) -> None:
        dice = self.dice
        if self.calm:
            self.price = round(100 + dice.uniform(-0.05, 0.05), 4)
            self.other = round(50 + dice.uniform(-0.02, 0.02), 4)
            return
        if dice.random() < 0.06:
            self.drift = dice.choice((-0.012, -0.006, 0.0, 0.0, 0.004, 0.008))
        pull = 0.02 * (100 - self.price) / 100
        self.price = max(1.0, round(self.price * (1 + self.drift + pull + dice.gauss(0, 0.003)), 4))
        self.other = max(1.0, round(self.other * (1 + self.drift / 2 + dice.gauss(0, 0.003)), 4))
        self.oi = max(1e4, self.oi * (1 + self.drift + dice.gauss(0, 0.004)))
        self.equity = max(1.0, self.equity * (1 + 2 * self.drift + dice.gauss(0, 0.004)))

    def _liquidations(self) -> list[float]:
        if self.calm:
            return []
        heat = 4 if self.drift < 0 else 0.3
        count = min(8, int(self.dice.expovariate(1 / heat)))
        return [round(self.dice.expovariate(1 / 4e5), 2) for _ in range(count)]

    def _after(self, ts: int) -> int:
        return ts + self.dice.randrange(SECOND)

    def _event(self, feed: str, ts: int, kind: str, **data: object) -> Event:
        return Event(ts, kind, PERP, data, source=feed)

    def _bar(self, feed: str, ts: int, symbol: str, opened: float, close: float) -> Event:
        wick = abs(self.dice.gauss(0, 0.0005)) if not self.calm else 0.0
        data = {
            "open": opened, "close": close,
            "high": max(opened, close) * (1 + wick), "low": min(opened, close) * (1 - wick),
            "interval_ns": MINUTE,
        }  # fmt: skip
        return Event(ts, "bar", symbol, data, source=feed)
