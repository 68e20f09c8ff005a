"""Margin of an account: which orders it carries, and when a position is closed by force.

Backtrader tests cash when a long is opened, and nothing else: a short may be of any size, and a
5x long that has fallen by 40 % is kept at a negative value.
"""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import math
from typing import Any

import backtrader as bt
from backtrader.brokers import BackBroker

from riskguard.adapters.backtrader.lines import nanoseconds
from riskguard.adapters.backtrader.orders import AT_ONCE, arrange, distance, drop
from riskguard.backtest.account import MAINTENANCE, Approach, Liquidation, check_leverage

__all__ = ["MarginBroker"]

Order = Any  # Backtrader is untyped
Feed = Any


class MarginBroker(BackBroker):
    """A broker that refuses shorts beyond the margin, and closes by force where margin is gone.

    `idle` is cash beside the account: it stands for its losses and is seen by nobody.
    """

    idle = 0.0

    def __init__(self, *, maintenance: float = MAINTENANCE, **others: Any) -> None:  # noqa: ANN401 - BackBroker's
        self.maintenance = maintenance
        super().__init__(**others)

    def start(self) -> None:
        """Begin a run: nothing closed by force, every feed at a leverage that can be held."""
        super().start()
        self.liquidations: list[Liquidation] = []
        self.nearest: Approach | None = None
        self._early = True
        self._moved: list[Feed] = []
        self._traded: dict[Feed, tuple[int, float]] = {}  # the last fill: bars, price
        self._lengths = dict.fromkeys(self.cerebro.datas, 0)
        for data in self.cerebro.datas:
            check_leverage(self.getcommissioninfo(data).get_leverage(), self.maintenance)

    # ------------------------------------------------------------ the bar

    def open_bar(self) -> None:
        """Close by force what opens beyond its threshold, before any order of the bar."""
        self._early = True  # other positions are worth their open until the bar is settled
        self._moved = [data for data, seen in self._lengths.items() if len(data) != seen]
        for data in self._moved:
            self._lengths[data] = len(data)
            threshold = self._threshold(data)
            if threshold is None:
                continue
            price = data.open[0]
            if price <= threshold if self.positions[data].size > 0 else price >= threshold:
                self._liquidate(data, threshold, at_open=True)

    def close_bar(self) -> None:
        """Close by force what the bar has taken beyond its threshold, after all orders."""
        self._early = False
        for data in self._moved:
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                self._liquidate(data, threshold)
            elif threshold is not None:
                self._approach(data, threshold)

    def _threshold(self, data: Feed) -> float | None:
        """Return the price at which equity equals the maintenance margin, None if never."""
        position = self.positions[data]
        size, entry = position.size, position.price
        if not size:
            return None
        fixed = self.cash + self.idle + self._others(data)
        if size > 0:
            leverage = self.getcommissioninfo(data).get_leverage()
            fixed += size * entry / leverage - size * entry
            threshold = -fixed / (size * (1 - self.maintenance))
        else:  # a short's value is not divided by leverage
            threshold = fixed / (-size * (1 + self.maintenance))
        return float(threshold) if 0 < threshold < math.inf else None

    def _others(self, data: Feed) -> float:
        if len(self.positions) == 1:
            return 0.0
        total = 0.0
        for other, position in self.positions.items():
            if other is data or not position.size:
                continue
            begun = self._early and any(other is moved for moved in self._moved)
            total += self._worth(other, other.open[0] if begun else other.close[0])
        return float(total)

    def _worth(self, data: Feed, price: float) -> float:
        """Return what a position adds to the account's equity at a price."""
        position = self.positions[data]
        value = position.size * price
        if value > 0:
            profit = position.size * (price - position.price)
            value = (value - profit) / self.getcommissioninfo(data).get_leverage() + profit
        return float(value)

    def _reaches(self, data: Feed, threshold: float) -> bool:
        if self.positions[data].size > 0:
            return bool(data.low[0] <= threshold)
        return bool(data.high[0] >= threshold)

    def _approach(self, data: Feed, threshold: float) -> None:
        extreme = data.low[0] if self.positions[data].size > 0 else data.high[0]
        distance = abs(extreme - threshold) / extreme
        if self.nearest is None or distance < self.nearest.distance:
            self.nearest = Approach(nanoseconds(data.datetime[0]), threshold, distance)

    def _try_exec(self, order: Order) -> None:
        if order.exectype != bt.Order.Market:
            data = order.data
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                start = data.open[0]
                if distance(order, start) > abs(threshold - start):
                    self._liquidate(data, threshold)
                    if order.alive():
                        drop(self, order)
                    return
        super()._try_exec(order)

    def _liquidate(self, data: Feed, threshold: float, *, at_open: bool = False) -> None:
        for order in [*self.pending, *self.submitted]:
            if order is not None and order.data is data:
                drop(self, order)
        size = float(self.positions[data].size)
        kind = bt.SellOrder if size > 0 else bt.BuyOrder
        order = kind(owner=self.cerebro.runningstrats[0], data=data, size=abs(size))
        order.addinfo(own="liquidation", inside=not at_open)
        self._ocoize(order, None)
        order.submit(self)
        order.accept(self)
        self.orders.append(order)
        self._execute(order, ago=0, price=self._forced_price(data, threshold, at_open=at_open))
        shortfall = max(0.0, -self._get_value() - self.idle)
        self.cash += shortfall
        self._get_value()
        ts, fee = nanoseconds(data.datetime[0]), float(order.executed.comm)
        name, paid = data._name, float(order.executed.price)
        self.liquidations.append(Liquidation(ts, name, size, threshold, paid, fee, shortfall))
        self.nearest = Approach(ts, threshold, 0.0)

    def _forced_price(self, data: Feed, threshold: float, *, at_open: bool) -> float:
        """Return the threshold with slippage, never better than the market at that moment."""
        bars, traded = self._traded.get(data, (0, 0.0))
        now = traded if bars == len(data) and not at_open else data.open[0]
        slips = self.p.slip_open
        if self.positions[data].size > 0:
            price = now if at_open else min(threshold, now)
            return float(self._slip_down(data.low[0], price, doslip=slips))
        price = now if at_open else max(threshold, now)
        return float(self._slip_up(data.high[0], price, doslip=slips))

    # ------------------------------------------------------------ orders

    def check_submitted(self) -> None:
        """Accept what margin allows; where it may go in this bar, order by time of fill."""
        self._refuse_shorts()
        super().check_submitted()
        for data in self._moved:
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                arrange(self, data)

    def _refuse_shorts(self) -> None:
        """Refuse orders for a short beyond the margin, counting what fills at the open before."""
        ahead: dict[Feed, float] = {}
        for order in [*self.pending, *self.submitted]:
            if order.parent is not None:
                continue  # waits for its parent; judged when it fills
            data, left = order.data, order.executed.remsize
            size = ahead.setdefault(data, self.positions[data].size)
            price, new = order.created.price, order.status == order.Submitted
            if new and self._beyond(data, size, left, price, self._value):
                self.submitted.remove(order)
                self._margin_call(order)
            elif order.exectype in AT_ONCE:
                ahead[data] = size + left

    def _beyond(self, data: Feed, size: float, change: float, price: float, equity: float) -> bool:
        """Say whether a change leaves a larger short than `equity` carries."""
        after = size + change
        if change >= 0 or after >= 0:
            return False
        info = self.getcommissioninfo(data)
        room = info.get_leverage() * (equity - info.getcommission(change, price))
        return bool(-after * price > room)

    def _margin_call(self, order: Order) -> None:
        order.margin()
        self.notify(order)
        self._ococheck(order)
        self._bracketize(order, cancel=True)

    def _execute(self, order: Order, ago: int | None = None, **more: Any) -> Any:  # noqa: ANN401 - BackBroker's
        if ago is None:
            return self._rehearse(order, more)
        data, price = order.data, more.get("price")
        size, change = self.positions[data].size, order.executed.remsize
        if price is None or change >= 0 or size + change >= 0:
            return self._fill(order, ago, more)
        equity = self.cash + self._others(data) + self._worth(data, price)
        if not self._beyond(data, size, change, price, equity):
            return self._fill(order, ago, more)
        if size > 0:  # the long is closed, the short is not opened
            filler, self.p.filler = self.p.filler, lambda *_: size
            try:
                self._fill(order, ago, more)
            finally:
                self.p.filler = filler
        self._margin_call(order)
        return None

    def _rehearse(self, order: Order, more: dict[str, Any]) -> float:
        """Return the cash an order would leave; an account under water may always close."""
        size, change = more["position"].size, order.executed.remsize
        left = float(super()._execute(order, ago=None, **more))
        closes = size * change < 0 and abs(change) <= abs(size)
        return max(0.0, left) if closes and min(self.cash, self._value) < 0 else left

    def _fill(self, order: Order, ago: int, more: dict[str, Any]) -> object:
        result = super()._execute(order, ago=ago, **more)
        if more.get("price") is not None:
            self._traded[order.data] = (len(order.data), more["price"])
        return result
