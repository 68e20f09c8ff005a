"""Whatever a strategy sends and whatever fills first: what must hold holds after every bar."""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import pandas as pd
import pytest
from backtesting import Backtest, Strategy
from e2e.streams import Moody, kept

from riskguard import Instrument, State
from riskguard.adapters.backtesting import guarded

BARS = 800


def walk(seed: int) -> pd.DataFrame:
    dice, price, rows = random.Random(seed), 100.0, []
    for _ in range(BARS):
        start = price * math.exp(dice.gauss(0, 0.001))
        price = start * math.exp(dice.gauss(0, 0.004))
        high = max(start, price) * math.exp(abs(dice.gauss(0, 0.003)))
        low = min(start, price) * math.exp(-abs(dice.gauss(0, 0.003)))
        rows.append((start, high, low, price))
    index = pd.date_range("2026-01-01", periods=BARS, freq="1h")
    return pd.DataFrame(rows, columns=["Open", "High", "Low", "Close"], index=index)


class Wild(Strategy):
    """Enters, leaves, waits, protects and takes back at random."""

    seed = 0
    guard: Any = None

    def init(self) -> None:
        self.dice = random.Random(self.seed + 1)
        self.before: tuple[float, float] | None = None
        self.wrong: list[str] = []
        self.strict = 0

    def next(self) -> None:
        for _ in range(self.dice.choice((0, 1, 1, 2, 3))):
            self.something()

    def something(self) -> None:
        dice, price = self.dice, float(self.data.Close[-1])
        kind, size = dice.randrange(8), dice.choice((1, 2, 3, 7, 0.1, 0.5, 0.9))
        send, sign = (self.buy, 1) if dice.random() < 0.6 else (self.sell, -1)
        if kind < 3:
            send(size=size)
        elif kind == 3:
            send(size=size, limit=price * (1 - sign * dice.choice((0.002, 0.008))))
        elif kind == 4:
            send(size=size, stop=price * (1 + sign * dice.choice((0.002, 0.008))))
        elif kind == 5:
            send(size=size, sl=price * (1 - sign * 0.01), tp=price * (1 + sign * 0.01))
        elif kind == 6:
            self.position.close(dice.choice((0.3, 0.5, 1.0)))
        elif self.orders:
            dice.choice(self.orders).cancel()


def look(strategy: Any) -> None:
    """Compare with the bar before, by what was decided then."""
    guard, now = strategy.guard, float(strategy.position.size)
    if strategy.before is not None:
        held, ceiling = strategy.before
        said = kept(guard, held, now)
        strategy.strict += guard.decision.state >= State.REDUCING
        if not said and not guard.boom and abs(now) - ceiling >= 1:  # less is no order
            said = f"above its ceiling {ceiling}"
        if said:
            strategy.wrong.append(f"bar {len(strategy.data)}: {held} -> {now} {said}")


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_grows_or_flips_that_may_not(seed: int, exclusive: bool) -> None:
    guard = Moody(seed, BTC=Instrument(1.0, 1.0))

    class Watched(Wild):
        """Looks before the guard decides anew, and again after it has and orders are sent."""

        def next(self) -> None:
            super().next()
            self.before = float(self.position.size), guard.ceiling

    Watched.seed, Watched.guard = seed, guard
    kind = guarded(desk=lambda: guard, symbol="BTC")(Watched)
    begin = kind.__init__

    def made(self: Any, *given: Any) -> None:
        begin(self, *given)
        step = self.next

        def seen() -> None:
            look(self)
            guard.turn()
            step()

        self.next = seen

    kind.__init__ = made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        terms = {"cash": 10_000.0, "margin": 0.5}
        found = Backtest(walk(seed), kind, exclusive_orders=exclusive, **terms).run()
    strategy = found["_strategy"]
    assert strategy.wrong == []
    assert strategy.strict > BARS / 20
    assert len(strategy.closed_trades) > 20
