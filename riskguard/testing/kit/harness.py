"""The one thing an author of an adapter writes: a small harness around the real framework."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskguard.testing.kit.scripted import ScriptedGuard

__all__ = ["Harness", "NotSupported"]


class NotSupported(unittest.SkipTest):
    """What a framework cannot do, in a sentence: the check is listed as skipped by this name."""


class Harness:
    """A bot in the real framework, under the adapter, with a scripted guard as its desk.

    Every call returns when what it asks has come to the venue and was filled or refused there
    (in frameworks of bars: after the next bar). Prices of a test begin at 100 and go down by a
    few per cent. Quantities are multiples of `unit`, at most 8 of them. What the framework has
    no way to do raises NotSupported with the reason; the calls below the line do so by default.
    """

    unit: float = 1.0  # the least quantity a test asks, in the order unit
    tolerance: float = 1e-9  # relative, of quantities
    # the adapter has its own episodes and evaluates each bar itself, so that no decision is old
    evaluates: bool = False
    symbol: str = ""  # as the framework calls what is traded: "BTC/USDT:USDT", "BTC-USDT"

    def __init__(self, guard: ScriptedGuard) -> None:
        self.guard = guard

    def feed(self, price: float) -> None:
        """Let one bar or tick reach the bot; the duties of the guard are carried out in it."""
        raise NotImplementedError

    def try_entry(self, quantity: float) -> float:
        """Buy at market as the bot would; return what was sent to the venue, 0 for none."""
        raise NotImplementedError

    def try_exit(self, quantity: float) -> float:
        """Sell at market as the bot would, not marked reduce-only; return what was sent."""
        raise NotImplementedError

    def position(self) -> float:
        """Return the position as the venue has it, signed."""
        raise NotImplementedError

    def close(self) -> None:
        """End the bot and the venue."""

    # ------------------------------------------------------------ where there is a way

    def rest_entry(self, quantity: float, price: float) -> float:
        """Rest a limit order to buy below the market; return what rests at the venue."""
        raise NotSupported("no order rests in this framework")

    def resting(self) -> float:
        """Return how much of orders to buy rests at the venue, or cannot be taken back."""
        raise NotSupported("resting orders cannot be listed")

    def restart(self) -> None:
        """End the process of the bot and begin it again; the desk and the venue stand."""
        raise NotSupported("the bot does not outlive its process")

    def delay(self) -> None:
        """Have the venue keep the next order in flight, visible as pending where it would be."""
        raise NotSupported("the venue fills at once")

    def deliver(self) -> None:
        """Have the venue fill what it kept."""
        raise NotSupported("the venue fills at once")

    def fill_only(self, share: float) -> None:
        """Have the venue fill only a share of the next order, and drop the rest."""
        raise NotSupported("the venue fills orders in full")

    def refuse(self) -> None:
        """Have the venue refuse the next order."""
        raise NotSupported("the venue refuses nothing")

    def exits_together(self, *quantities: float) -> float:
        """Send exits at market in one bar, before any has filled; return what was sent in sum."""
        raise NotSupported("orders are filled one after the other")

    def rest_exits(self, *quantities: float) -> float:
        """Rest unrelated orders to sell, not held to reduce-only; return what rests in sum."""
        raise NotSupported("no exit rests, or the framework holds each to the position")

    def bracket(self, quantity: float) -> tuple[float, float]:
        """Buy with a stop attached; return the size of the entry and that of the stop."""
        raise NotSupported("the framework has no brackets")

    def held(self, book: str) -> float:
        """Hedge mode: return what is held in a book, "long" or "short", unsigned."""
        raise NotSupported("the framework has one net position")

    def try_short(self, quantity: float) -> float:
        """Hedge mode: enter the short book; return what was sent."""
        raise NotSupported("the framework has one net position")

    def denials(self) -> list[str]:
        """Return what the framework's own log or notifications said of refused orders."""
        raise NotSupported("the framework has no log to read")
