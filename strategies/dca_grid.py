"""Buy in equal parts: one every so many bars, and one more at each step down; sell the lot on gain.

| parameter | default | is |
|---|---|---|
| parts | 10 | into how many parts the cash of the start is cut |
| every | 42 | bars between regular purchases (7 days of 4 hours) |
| step | 0.05 | fall below the last purchase that buys one more part |
| gain | 0.15 | rise above the average price that sells everything |
"""

from __future__ import annotations

from math import inf

import backtrader as bt

from riskguard.backtest.parameters import require, require_count


class DcaGrid(bt.Strategy):
    """Average in over time and down a grid of prices."""

    params = (("parts", 10), ("every", 42), ("step", 0.05), ("gain", 0.15))
    help = {
        "parts": "into how many parts the cash of the start is cut",
        "every": "bars between regular purchases",
        "step": "fall below the last purchase that buys one more part",
        "gain": "rise above the average price that sells everything",
    }

    def __init__(self) -> None:
        require_count(self, "parts", "every")
        require(self, "step", allowed=0 < self.p.step < 1, what="a share above 0, below 1")
        require(self, "gain", allowed=0 < self.p.gain < inf, what="a number above 0")
        self.part = 0.0  # in money
        self.bought_at, self.last_price = 0, 0.0
        self.order = None

    def notify_order(self, order: bt.Order) -> None:
        """Take note of a purchase, forget the order; a guard's orders come by here too."""
        if self.order is None or order.ref != self.order.ref or order.alive():
            return
        self.order = None
        if order.status == order.Completed and order.isbuy():
            self.bought_at, self.last_price = len(self), order.executed.price

    def next(self) -> None:
        """Sell on gain, else buy when a part is due."""
        if self.order is not None:
            return
        close, held = self.data.close[0], self.position
        self.part = self.part or self.broker.getcash() / self.p.parts
        if held.size > 0 and close >= held.price * (1 + self.p.gain):
            self.order = self.close()
            return
        due = not self.last_price or len(self) - self.bought_at >= self.p.every
        lower = close <= self.last_price * (1 - self.p.step)
        if (due or lower) and self.broker.getcash() >= self.part:
            self.order = self.buy(size=0.99 * self.part / close)
