"""Hold a perpetual long with borrowed money: three times the cash, funding paid.

The number of units is fixed at the first bar traded; the missing part is bought whenever less
is held and no order is open. Closed by force when the margin is gone; who was closed by force
does not come back.

| parameter | default | is |
|---|---|---|
| leverage | 3.0 | notional at the first bar, in multiples of the cash |
| reserve | 0.01 | share of the cash kept for costs and the next open |
"""

from __future__ import annotations

import backtrader as bt

from riskguard.backtest.parameters import require


class LeveragedHold(bt.Strategy):
    """Hold a fixed number of units, bought on margin."""

    params = (("leverage", 3.0), ("reserve", 0.01))
    help = {
        "leverage": "notional at the first bar, in multiples of the cash",
        "reserve": "share of the cash kept for costs and the next open",
    }

    def __init__(self) -> None:
        require(self, "leverage", allowed=self.p.leverage >= 1, what="1 or more")
        require(self, "reserve", allowed=0 <= self.p.reserve < 1, what="a share from 0 to below 1")
        self.target_units = 0.0
        self.order, self.over = None, False

    def notify_order(self, order: bt.Order) -> None:
        """Forget the order that has ended; a guard's orders come by here too."""
        self.over = self.over or order.info.get("own") == "liquidation"
        if self.order is not None and order.ref == self.order.ref and not order.alive():
            self.order = None

    def next(self) -> None:
        """Buy what is missing, as far as the margin goes."""
        power = self.broker.getcash() * self.p.leverage * (1 - self.p.reserve)
        affordable = power / self.data.close[0]
        if not self.target_units:
            self.target_units = affordable
        size = min(self.target_units - self.position.size, affordable)
        # a hundredth of the target is not worth an order
        if self.order is None and not self.over and size > 0.01 * self.target_units:
            self.order = self.buy(size=size)
