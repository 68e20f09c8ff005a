"""Go with the trend on margin: a leveraged perpetual, long while the price has risen.

| parameter | default | is |
|---|---|---|
| lookback | 42 | bars over which the price must have risen (7 days of 4 hours) |
| leverage | 3.0 | notional of an entry, in multiples of the equity |
| reserve | 0.02 | share of the equity kept for costs and the next open |
"""

from __future__ import annotations

import backtrader as bt

from riskguard.backtest.parameters import require, require_count


class PerpMomentum(bt.Strategy):
    """Be long on margin while momentum is positive, flat otherwise."""

    params = (("lookback", 42), ("leverage", 3.0), ("reserve", 0.02))
    help = {
        "lookback": "bars over which the price must have risen",
        "leverage": "notional of an entry, in multiples of the equity",
        "reserve": "share of the equity kept for costs and the next open",
    }

    def __init__(self) -> None:
        require_count(self, "lookback")
        require(self, "leverage", allowed=self.p.leverage >= 1, what="1 or more")
        require(self, "reserve", allowed=0 <= self.p.reserve < 1, what="a share from 0 to below 1")
        self.momentum = bt.ind.Momentum(self.data.close, period=self.p.lookback)
        self.order = None

    def notify_order(self, order: bt.Order) -> None:
        """Forget the order that has ended; a guard's orders come by here too."""
        if self.order is not None and order.ref == self.order.ref and not order.alive():
            self.order = None

    def next(self) -> None:
        """Enter on rising momentum, leave when it is gone."""
        if self.order is not None:
            return
        rising = self.momentum[0] > 0
        if rising and not self.position.size:
            power = self.broker.getvalue() * self.p.leverage * (1 - self.p.reserve)
            if power > 0:
                self.order = self.buy(size=power / self.data.close[0])
        elif not rising and self.position.size > 0:
            self.order = self.close()
