"""Whatever a strategy sends and whatever fills first: what must hold holds after every candle."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from e2e.streams import Moody, kept
from jesse.research import backtest
from jesse.strategies import Strategy

from riskguard import State
from riskguard.adapters.jesse import guarded

MINUTES = 800
START = 1_767_225_600_000  # 2026-01-01


def walk(seed: int) -> np.ndarray:
    dice, price, rows = random.Random(seed), 100.0, []
    for place in range(MINUTES):
        start = price * math.exp(dice.gauss(0, 0.001))
        price = start * math.exp(dice.gauss(0, 0.004))
        high = max(start, price) * math.exp(abs(dice.gauss(0, 0.003)))
        low = min(start, price) * math.exp(-abs(dice.gauss(0, 0.003)))
        rows.append([START + 60_000 * place, start, price, high, low, 1])
    return np.array(rows, float)


class Wild(Strategy):
    """Enters, leaves, waits, protects and takes back at random."""

    seed = 0
    guard: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.dice = random.Random(self.seed + 1)
        self.before_: float | None = None
        self.wrong: list[str] = []
        self.strict = self.moves = 0
        self.ceiling = math.inf

    def before(self) -> None:
        self.side = self.dice.choice((1, -1, 0))

    def should_long(self) -> bool:
        return self.side > 0

    def should_short(self) -> bool:
        return self.side < 0

    def entry(self) -> Any:
        dice = self.dice
        size, away = dice.choice((1, 2, 3, 7)), dice.choice((0, 0, 0.002, -0.002, 0.008))
        second = (dice.choice((1, 2)), self.price * (1 - self.side * 0.004))
        first = (size, self.price * (1 + away))
        return [first, second] if dice.random() < 0.3 else [first]

    def protect(self, size: float, count: int) -> None:
        side = 1 if self.side > 0 else -1
        # bare jesse reverses for ever where it replaces a stop while an entry still waits
        away = self.dice.choice((0.01, -0.001)) if count == 1 else 0.01
        if self.dice.random() < 0.5:
            self.stop_loss = size, self.price * (1 - side * away)
        if self.dice.random() < 0.3:
            self.take_profit = size, self.price * (1 + side * 0.01)

    def go_long(self) -> None:
        self.buy = self.entry()
        self.protect(sum(size for size, _ in self.buy), len(self.buy))

    def go_short(self) -> None:
        self.sell = self.entry()
        self.protect(sum(size for size, _ in self.sell), len(self.sell))

    def should_cancel_entry(self) -> bool:
        return self.dice.random() < 0.2

    def update_position(self) -> None:
        kind, size = self.dice.randrange(8), self.dice.choice((1, 2, 3))
        if kind == 0:
            self.liquidate()
        elif kind == 1 and self.is_long:
            self.buy = size, self.price * (1 - self.dice.choice((0, 0.003)))
        elif kind == 1:
            self.sell = size, self.price * (1 + self.dice.choice((0, 0.003)))
        elif kind < 6:
            self.leave(kind, size)

    def leave(self, kind: int, size: float) -> None:
        """Leave past jesse's own words; beyond the position only where the guard holds it."""
        out = [one for one in self.active_exit_orders if one.is_active]
        if self.guard.decision.state < State.REDUCING:
            if out:
                return
            size = min(size, abs(self.position.qty))
        side, away = ("sell", 0.004) if self.is_long else ("buy", -0.004)
        if kind == 2:
            getattr(self.broker, f"{side}_at_market")(size)
        elif kind == 3:
            getattr(self.broker, f"{side}_at")(size, self.price * (1 + away))
        else:
            self.broker.start_profit_at(side, size, self.price * (1 - away))

    def seen(self) -> None:
        """Compare with the candle before, by what was decided then."""
        guard, now = self.guard, float(self.position.qty)
        if self.before_ is not None:
            said = kept(guard, self.before_, now)
            self.strict += guard.decision.state >= State.REDUCING
            if not said and not guard.boom and abs(now) > self.ceiling * (1 + 1e-9):
                said = f"above its ceiling {self.ceiling}"
            if said:
                self.wrong.append(f"candle {self.index}: {self.before_} -> {now} {said}")
            self.moves += now != self.before_
        self.before_ = now
        guard.turn()

    def after(self) -> None:
        self.ceiling = self.guard.ceiling


@pytest.mark.parametrize("seed", range(8))
def test_nothing_grows_or_flips_that_may_not(seed: int) -> None:
    guard, found = Moody(seed), []

    class Watched(Wild):
        def before_terminate(self) -> None:
            found.append(self)

    Watched.seed, Watched.guard = seed, guard
    kind = guarded(desk=lambda: guard, symbol="BTC")(Watched)
    begin = kind._init_objects

    def _init_objects(self: Any) -> None:
        begin(self)
        before = self.before

        def seen() -> None:
            self.seen()
            before()

        self.before = seen

    kind._init_objects = _init_objects
    route = {"exchange": "Binance Perpetual Futures", "symbol": "BTC-USDT"}
    terms = {"type": "futures", "futures_leverage": 10, "futures_leverage_mode": "cross"}
    backtest(
        {"starting_balance": 100_000, "fee": 0, "warm_up_candles": 0, **terms, **route},
        [{**route, "strategy": kind, "timeframe": "1m"}],
        [],
        {"Binance Perpetual Futures-BTC-USDT": {**route, "candles": walk(seed)}},
    )
    strategy = found[0]
    assert strategy.wrong == []
    assert strategy.strict > MINUTES / 20
    assert strategy.moves > 40
