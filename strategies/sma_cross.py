"""Follow the trend: long while the fast average stands above the slow one.

| parameter | default | is |
|---|---|---|
| fast | 20 | bars of the fast average |
| slow | 50 | bars of the slow average |
| share | 0.98 | share of the equity bought |
"""

from __future__ import annotations

import backtrader as bt

from riskguard.backtest.parameters import require, require_count, require_share


class SmaCross(bt.Strategy):
    """Buy when the fast average crosses above the slow one, sell when it crosses below."""

    params = (("fast", 20), ("slow", 50), ("share", 0.98))
    help = {
        "fast": "bars of the fast average",
        "slow": "bars of the slow average",
        "share": "share of the equity bought",
    }

    def __init__(self) -> None:
        require_count(self, "fast", "slow")
        what = f"fewer bars than slow={self.p.slow}"
        require(self, "fast", allowed=self.p.fast < self.p.slow, what=what)
        require_share(self, "share")
        self.fast = bt.ind.SMA(self.data.close, period=self.p.fast)
        self.slow = bt.ind.SMA(self.data.close, period=self.p.slow)
        self.order = None

    def notify_order(self, order: bt.Order) -> None:
        """Forget the order that has ended; a guard's orders come by here too."""
        if self.order is not None and order.ref == self.order.ref and not order.alive():
            self.order = None

    def next(self) -> None:
        """Be long above, flat below; a refused entry is tried again at the next bar."""
        if self.order is not None:
            return
        above = self.fast[0] > self.slow[0]
        if above and not self.position.size:
            value = self.broker.getvalue() * self.p.share
            self.order = self.buy(size=value / self.data.close[0])
        elif not above and self.position.size > 0:
            self.order = self.close()
