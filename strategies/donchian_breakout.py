"""Buy a new high of so many bars, leave at a new low of fewer.

| parameter | default | is |
|---|---|---|
| entry | 55 | bars whose highest high must be exceeded by the close |
| exit | 20 | bars whose lowest low ends the trade |
| share | 0.98 | share of the equity bought |
"""

from __future__ import annotations

import backtrader as bt

from riskguard.backtest.parameters import require_count, require_share


class DonchianBreakout(bt.Strategy):
    """Trade the breakout of a price channel, long or flat."""

    params = (("entry", 55), ("exit", 20), ("share", 0.98))
    help = {
        "entry": "bars whose highest high must be exceeded by the close",
        "exit": "bars whose lowest low ends the trade",
        "share": "share of the equity bought",
    }

    def __init__(self) -> None:
        require_count(self, "entry", "exit")
        require_share(self, "share")
        # the channel of the bars before this one: a bar cannot exceed its own high
        self.top = bt.ind.Highest(self.data.high(-1), period=self.p.entry)
        self.bottom = bt.ind.Lowest(self.data.low(-1), period=self.p.exit)
        self.order = None

    def notify_order(self, order: bt.Order) -> None:
        """Forget the order that has ended; a guard's orders come by here too."""
        if self.order is not None and order.ref == self.order.ref and not order.alive():
            self.order = None

    def next(self) -> None:
        """Enter above the channel, leave below it."""
        if self.order is not None:
            return
        close = self.data.close[0]
        if not self.position.size and close > self.top[0]:
            self.order = self.buy(size=self.broker.getvalue() * self.p.share / close)
        elif self.position.size > 0 and close < self.bottom[0]:
            self.order = self.close()
