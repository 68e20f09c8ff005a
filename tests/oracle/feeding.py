"""Random samples for a rule set: holes, dead feeds, silences, bad, late and doubled values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

from riskguard.market import DAY, HOUR, Sample
from tests.oracle.drawing import MARKET, Draw

__all__ = ["START", "feed"]

START = 1_767_225_600_000_000_000 + 13 * DAY  # Wednesday, midnight UTC
BAD = (math.nan, math.inf, -math.inf, -5.0, -0.0, 0.0, 1e300, 5e-324)


class Market:
    """What the world does; prices lie on a grid, so that thresholds are met exactly."""

    def __init__(self, draw: Draw, size: int) -> None:
        self.draw, self.pick, self.size = draw, draw.random, size
        pick = self.pick
        self.price = {"BTC": 100.0, "ETH": 100.0, "SOL": 100.0}
        self.equity, self.trades_from = 2_000_000.0, pick.choice([0, 10, 40])
        self.holes = {
            (symbol, name): pick.choice([0.0, 0.0, 0.02, 0.15])
            for symbol in self.price
            for name in MARKET
        }
        self.dies = {key: pick.choice([size] * 7 + [pick.randrange(size)]) for key in self.holes}
        self.quiet = pick.choice([0.2, 0.2, 0.9])  # how often nobody is liquidated
        self.bad = pick.choice([0.0, 0.01])

    def bar(self, symbol: str, number: int) -> dict[str, float]:
        """Return the values of one symbol for one bar, without those that did not come."""
        pick = self.pick
        step = pick.choice([0, 0, -0.5, 0.5, -1, 1, -2, 2, pick.gauss(0, 3)])
        price = self.price[symbol] = max(5.0, round(self.price[symbol] + step, 4))
        none = pick.random() < self.quiet
        seen = {
            "close": price, "high": price + pick.choice([0, 0.5, 1]),
            "low": price - pick.choice([0, 0.5, 1]),
            "oi": float(pick.choice([1000, 1000, 990, 980, 1010, round(pick.gauss(1000, 20), 3)])),
            "volume": 0.0 if none else round(pick.expovariate(0.001), 3),
            "liq.long": 0.0 if none else pick.choice([1e6, 2e6, round(pick.expovariate(5e-7), 2)]),
            "liq.short": 0.0 if none else round(pick.expovariate(5e-7), 2),
            "basis": pick.choice([0.01, -0.01, 0.0, round(pick.gauss(0, 0.01), 6)]),
        }  # fmt: skip
        if number % max(1, 8 * HOUR // self.draw.every) == 0:
            seen["funding"] = pick.choice([0.01, 0.0001, round(pick.gauss(0, 0.01), 6)])
        return {
            name: self.spoilt(value)
            for name, value in seen.items()
            if name in self.draw.names
            and pick.random() >= self.holes[symbol, name]
            and number < self.dies[symbol, name]
        }

    def spoilt(self, value: float) -> float:
        return self.pick.choice(BAD) if self.pick.random() < self.bad else value

    def books(self) -> dict[str, float]:
        """Return what the account says."""
        pick = self.pick
        closed = float(pick.choice([0, 0, 1, 2]))
        moved = float(pick.choice([0, 0, 0, 50_000, -50_000]))
        change = pick.choice([1.0, 1.0, 0.99, 1.01, 1 + pick.gauss(0, 0.01)])
        self.equity = max(0.0, round(self.equity * change + moved, 2))
        if pick.random() < 0.005:
            self.equity = 0.0
        seen = {
            "equity": self.equity, "transfers": moved, "pnl.realised": round(pick.gauss(0, 5e4), 2),
            "pnl.unrealised": round(pick.gauss(0, 2e6), 2), "trades.closed": closed,
            "trades.lost": float(pick.randint(0, int(closed))),
            "position": pick.choice([0.0, 5.0, -5.0]), "leverage": pick.choice([0.5, 1.0, 2.0]),
        }  # fmt: skip
        if pick.random() < 0.01:
            seen["loss_streak"] = float(pick.choice([0, 2, 5]))
        return {name: self.spoilt(one) for name, one in seen.items() if pick.random() > 0.03}

    def wide(self) -> dict[str, float]:
        pick = self.pick
        found = {"fear_greed": float(pick.choice([10, 40, 40, 60])), "stoxx": pick.gauss(50, 1)}
        return {name: self.spoilt(one) for name, one in found.items() if pick.random() < 0.7}


def feed(draw: Draw, size: int) -> Iterator[Sample]:
    """Yield samples, `size` of them, in the order in which they come."""
    yield from islice(_endless(draw, size), size)


def _endless(draw: Draw, size: int) -> Iterator[Sample]:
    market, pick, every = Market(draw, max(20, size // 4)), draw.random, draw.every
    ts, jumps, sent = START, pick.choice([0.0, 0.0, 0.02]), [Sample(START, "*", {})]
    number = 0
    while True:
        number += 1
        ts += every * (pick.choice([2, 4, 5, 30]) if pick.random() < jumps else 1)
        bar = list(_bar(draw, market, ts, number))
        yield from bar
        sent = [*sent[-8:], *bar]
        if pick.random() < 0.04:
            yield pick.choice(sent)  # said twice
        if pick.random() < 0.03:  # late: newer than its series has, or not
            late = pick.choice(sent)
            values = {name: value for name, value in late.values.items() if name != "close"}
            yield Sample(ts - pick.randrange(2 * every), late.symbol, values)
        yield from _between(draw, market, ts, number)


def _bar(draw: Draw, market: Market, ts: int, number: int) -> Iterator[Sample]:
    pick = draw.random
    for symbol in ("ETH", "SOL"):
        if symbol in draw.read:
            yield Sample(ts, symbol, market.bar(symbol, number))
    if "fear_greed" in draw.names and number % 4 == 0:
        yield Sample(ts, "*", market.wide())
    books = draw.account and number >= market.trades_from and pick.random() < 0.9
    own = market.bar("BTC", number)
    if books and pick.random() < 0.5:
        own |= market.books()
    elif books:
        yield Sample(ts, pick.choice(["BTC", "*"]), market.books())
    yield Sample(ts, "BTC", own)


def _between(draw: Draw, market: Market, ts: int, number: int) -> Iterator[Sample]:
    """Yield what comes between two closes: the clock, and by event the market too."""
    pick, every = draw.random, draw.every
    places = sorted(pick.sample(range(1, 60), pick.choice([0, 0, 1, 2])))
    for place in places:
        at = ts + place * every // 60
        if draw.by_event and pick.random() < 0.8:
            symbol = pick.choice(["BTC", "BTC", "ETH"])
            seen = market.bar(symbol, number)
            kept = {name: one for name, one in seen.items() if pick.random() < 0.5}
            yield Sample(at, symbol, kept)
        else:
            yield Sample(at, "*", {})
