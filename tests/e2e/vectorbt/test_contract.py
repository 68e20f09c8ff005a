"""vectorbt under the contract of adapters: the arrays of all bars so far, handed over anew."""

from __future__ import annotations

import math

import pandas as pd
import vectorbt

from riskguard import Decision, Event
from riskguard.adapters.vectorbt import masks
from riskguard.testing import AdapterContract, Harness, NotSupported, ScriptedGuard

START = pd.Timestamp("2026-01-01")


class Played:
    """The scripted guard, asked of each bar once: bars that were told before keep their answer."""

    def __init__(self, guard: ScriptedGuard) -> None:
        self.guard = guard
        self.past: list[Decision | Exception] = []
        self.bars = 0

    def begin(self) -> Played:
        self.bars = 0
        return self

    @property
    def decision(self) -> Decision:
        return self.guard.decision

    def take(self, event: Event) -> Decision:
        place, self.bars = self.bars, self.bars + 1
        if place == len(self.past):
            try:
                self.past.append(self.guard.take(event))
            except Exception as error:  # noqa: BLE001 - raised again each time
                self.past.append(error)
        found = self.past[place]
        if isinstance(found, Exception):
            raise found
        return found


class Arrays(Harness):
    """Signals by bar; what is held is what a portfolio of all bars so far has."""

    symbol = "BTC"
    evaluates = True

    def __init__(self, guard: ScriptedGuard) -> None:
        super().__init__(guard)
        self.desk = Played(guard)
        self.prices: list[float] = [100.0]
        self.wanted: list[float] = [0.0]  # signed, at the close of each bar
        self.orders = self.portfolio = None

    def bar(self, price: float, wanted: float = 0.0) -> None:
        self.prices.append(price)
        self.wanted.append(wanted)
        opens = [self.prices[0], *self.prices[:-1]]
        stamps = pd.date_range(START, periods=len(opens), freq="1h")
        frame = pd.DataFrame({"Open": opens, "Close": self.prices}, index=stamps, dtype=float)
        found = masks("", frame, symbol=self.symbol, desk=self.desk.begin)
        said = pd.Series(self.wanted, stamps)
        signals = found.signals(said > 0, said < 0, size=said.abs().to_numpy(), accumulate=True)
        self.portfolio = vectorbt.Portfolio.from_signals(
            frame["Close"], **signals, init_cash=1e6, freq="1h"
        )

    def feed(self, price: float) -> None:
        self.bar(price)

    def signal(self, wanted: float) -> float:
        """Say something at the next close, and let a bar pass; return what was sent for it."""
        before = self.position()
        self.bar(self.prices[-1], wanted)
        due = self.position() - before  # what the guard had filled at that bar's open is its own
        self.bar(self.prices[-1])
        sent = (self.position() - before - due) * math.copysign(1.0, wanted)
        return max(0.0, sent)

    def try_entry(self, quantity: float) -> float:
        return self.signal(quantity)

    def try_exit(self, quantity: float) -> float:
        return self.signal(-quantity)

    def position(self) -> float:
        if self.portfolio is None:
            return 0.0
        return float(self.portfolio.assets().iloc[-1])

    def rest_entry(self, quantity: float, price: float) -> float:
        raise NotSupported(f"no order rests in vectorbt: {quantity:g} at {price:g} is no signal")

    def restart(self) -> None:
        raise NotSupported("a backtest does not outlive its process")

    def delay(self) -> None:
        raise NotSupported("a signal fills at the next open")

    def fill_only(self, share: float) -> None:
        raise NotSupported(f"signals fill in full, not to {share:.0%}")

    def refuse(self) -> None:
        raise NotSupported("what is held is always sold")

    def exits_together(self, *quantities: float) -> float:
        raise NotSupported(f"a bar has one exit, not {len(quantities)}")

    def rest_exits(self, *quantities: float) -> float:
        raise NotSupported(f"no order rests in vectorbt: {len(quantities)} exits are no signals")

    def bracket(self, quantity: float) -> tuple[float, float]:
        raise NotSupported(f"a stop of vectorbt closes what is held, not {quantity:g}")

    def held(self, book: str) -> float:
        raise NotSupported(f"vectorbt has one net position, and no {book} book")

    def denials(self) -> list[str]:
        raise NotSupported("no order is refused: what is left out is seen in the arrays")


class TestMasks(AdapterContract):
    harness = Arrays

    def test_an_entry_is_asked_and_allowed(self) -> None:
        """Signals are cut by decisions: no order is asked of the guard."""
        self.guard.state(self.guard.decision.state, block_entries="short")
        self.enter(1)

    def test_a_denial_is_told(self) -> None:
        """Arrays tell nobody."""
        self.h.denials()

    def test_the_guard_knows_the_symbol(self) -> None:
        """Bars come under the name of the coin."""
        self.h.feed(100.0)
        assert {one.symbol for one in self.guard.events} == {"BTC"}
