"""Buy at the first bar and hold, all cash, no leverage.

The number of units is fixed at the first bar traded; the missing part is bought whenever less
is held and no order is open, so that the way back in is seen too.

| parameter | default | is |
|---|---|---|
| reserve | 0.01 | share of the cash kept for costs and the next open |
"""

from __future__ import annotations

import backtrader as bt

from riskguard.backtest.parameters import require


class BuyAndHold(bt.Strategy):
    """Hold a fixed number of units."""

    params = (("reserve", 0.01),)
    help = {"reserve": "share of the cash kept for costs and the next open"}

    def __init__(self) -> None:
        require(self, "reserve", allowed=0 <= self.p.reserve < 1, what="a share from 0 to below 1")
        self.target_units = 0.0
        self.order = None

    def notify_order(self, order: bt.Order) -> None:
        """Forget the order that has ended; a guard's orders come by here too."""
        if self.order is not None and order.ref == self.order.ref and not order.alive():
            self.order = None

    def next(self) -> None:
        """Buy what is missing, as far as the cash goes."""
        affordable = self.broker.getcash() * (1 - self.p.reserve) / self.data.close[0]
        if not self.target_units:
            self.target_units = affordable
        size = min(self.target_units - self.position.size, affordable)
        # a hundredth of the target is not worth an order
        if self.order is None and size > 0.01 * self.target_units:
            self.order = self.buy(size=size)
