"""Brokers of our own runs: what a leveraged position costs, and when it is closed by force.

Backtrader knows neither funding nor a margin call: a 5x long that has fallen by 40 % keeps its
position at a negative value. Here funding is charged between fills and mark, the maintenance
margin is tested inside each bar, and every bar leaves equity, position and fills behind.
"""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import math
from array import array
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import backtrader as bt
from backtrader.brokers import BackBroker

from riskguard.adapters.backtrader import GuardMixin
from riskguard.adapters.backtrader_lines import nanoseconds
from riskguard.adapters.backtrader_orders import arrange, distance, drop, gapped
from riskguard.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtrader.brokers import BackBroker as Base
else:
    Base = object

__all__ = [
    "Approach",
    "Fill",
    "FractionalComm",
    "GuardedPerpetualBroker",
    "Liquidation",
    "PerpetualBroker",
    "ScaledMixin",
    "ScaledPerpetualBroker",
]

Order = Any  # Backtrader is untyped
Feed = Any
MAINTENANCE = 0.005  # of the notional
SNAP = 1e-9  # a close of a scaled position is a close, whatever its last bits say


class FractionalComm(bt.CommInfoBase):
    """Commission as a fraction, leverage, and sizes that need not be whole."""

    params = (
        ("stocklike", True),
        ("commtype", bt.CommInfoBase.COMM_PERC),
        ("percabs", True),
    )

    def getsize(self, price: float, cash: float) -> float:
        """Return the units that `cash` buys at `price`."""
        return float(self.p.leverage * cash / price)


class Fill(NamedTuple):
    """A fill: units (sold < 0), price with slippage, fee, and whose order it was.

    `own` is strategy, guard or liquidation; `bar` counts from 0; `at_open` says whether the
    new position was held from the bar's open on.
    """

    ts: int
    symbol: str
    size: float
    price: float
    fee: float
    own: str
    bar: int
    at_open: bool


class Liquidation(NamedTuple):
    """A position closed by force: the price at which margin was gone, and what was missing."""

    ts: int
    symbol: str
    size: float
    threshold: float
    price: float
    fee: float
    shortfall: float  # what equity lacked to 0, borne by the venue


class Approach(NamedTuple):
    """The nearest approach to liquidation: its price, and the extreme's distance as a share."""

    ts: int
    price: float
    distance: float


class PerpetualBroker(BackBroker):
    """A broker that records every bar and, above leverage 1, closes by force and charges funding.

    Nothing trades before bar `trading_from`. `funding` holds, per bar of the first feed, the sum
    of the rates charged in it. Without margin, `BackBroker` and this one give the same fills.
    """

    def __init__(
        self,
        *,
        trading_from: int = 0,
        funding: Sequence[float] = (),
        maintenance: float = MAINTENANCE,
        **others: object,
    ) -> None:
        self.trading_from, self.funding, self.maintenance = trading_from, funding, maintenance
        super().__init__(**others)

    def start(self) -> None:
        """Begin a run with empty records."""
        super().start()
        self.equity, self.held, self.wanted = array("d"), array("d"), array("d")
        self.position_at_close = array("d")
        self.fills: list[Fill] = []
        self.funding_paid = 0.0
        self.liquidations: list[Liquidation] = []
        self.nearest: Approach | None = None
        self._pilot = self.cerebro.datas[0]
        self._line = self._pilot.lines[0]
        self._seen, self._early = 0, True
        self._moved: list[Feed] = []
        self._untouched = list(self.cerebro.datas)
        self._lengths = {}
        for data in self.cerebro.datas:
            if self.getcommissioninfo(data).get_leverage() > 1:
                self._lengths[data] = 0
        self.margined = bool(self._lengths)

    def set_coc(self, coc: object) -> None:
        """Refuse: fills at the close that was decided on look ahead."""
        if coc:
            raise AdapterError("cheat-on-close is refused: orders fill at the next bar's open")

    def set_coo(self, coo: object) -> None:
        """Refuse: orders made at an open it has seen look ahead."""
        if coo:
            raise AdapterError("cheat-on-open is refused: orders fill at the next bar's open")

    # ------------------------------------------------------------ the bar

    def next(self) -> None:
        """Run one bar: liquidation at the open, fills, funding, liquidation inside, mark."""
        while self._untouched and len(self._untouched[0]):
            self.positions[self._untouched.pop(0)]  # value is summed in the order of first touch
        bars = self._line.lencount
        moved = bars != self._seen
        before = float(self.positions[self._pilot].size)
        first = len(self.fills)
        self._early = True  # other positions are worth their open until the bar is settled
        if self.margined:
            self._moved = [data for data, seen in self._lengths.items() if len(data) != seen]
            for data in self._moved:
                self._lengths[data] = len(data)
                self._gap(data)
        super().next()
        if self.margined and self._moved:
            self._settle(bars - 1, charge=moved)
        if moved:
            self._seen = bars
            self._record(before, first)

    def _settle(self, bar: int, *, charge: bool) -> None:
        if charge and bar < len(self.funding):
            rate = self.funding[bar]
            due = float(self.positions[self._pilot].size) * self._pilot.close[0] * rate
            if due == due and due:  # noqa: PLR0124 - NaN: nothing was charged
                self.cash -= due
                self.funding_paid += due
        self._early = False
        for data in self._moved:
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                self._liquidate(data, threshold, threshold)
            elif threshold is not None:
                self._approach(data, threshold)
        self._get_value()

    def _record(self, before: float, first: int) -> None:
        opened = math.fsum(
            fill.size
            for fill in islice(self.fills, first, None)
            if fill.at_open and fill.symbol == self._pilot._name
        )
        size = float(self.positions[self._pilot].size)
        untouched = len(self.fills) == first
        self.equity.append(self._value)
        self.position_at_close.append(size)
        self.held.append(size if untouched else before + opened)
        strategies = self.cerebro.runningstrats
        stated = getattr(strategies[0], "target_units", None) if strategies else None
        self.wanted.append(math.nan if stated is None else float(stated))

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Take an order, or refuse it while indicators warm up."""
        if self.warming():
            order.reject(self)
            self.notify(order)
            return order
        return super().submit(order, check)

    def warming(self) -> bool:
        """Say whether this bar is read but not traded."""
        return int(self._line.lencount) <= self.trading_from

    def _execute(self, order: Order, ago: int | None = None, **more: object) -> object:
        done = len(order.executed.exbits)
        result = super()._execute(order, ago=ago, **more)
        for bit in islice(order.executed.exbits, done, None) if ago is not None else ():
            data = order.data
            own = order.info.get("own", "strategy")
            at_open = order.exectype == bt.Order.Market and not order.info.get("inside", False)
            if order.exectype in {bt.Order.Stop, bt.Order.Limit}:
                at_open = gapped(order, data.open[0])
            ts, bar = nanoseconds(data.datetime[0]), len(data) - 1
            size, price = float(bit.size), float(bit.price)
            self.fills.append(Fill(ts, data._name, size, price, bit.comm, own, bar, at_open))
        return result

    # ------------------------------------------------------------ margin

    def _threshold(self, data: Feed) -> float | None:
        """Return the price at which equity equals the maintenance margin, None if never."""
        position = self.positions[data]
        size, entry = position.size, position.price
        if not size:
            return None
        fixed = self.cash + self._others(data)
        if size > 0:
            leverage = self.getcommissioninfo(data).get_leverage()
            fixed += size * entry / leverage - size * entry
            threshold = -fixed / (size * (1 - self.maintenance))
        else:  # a short's value is not divided by leverage
            threshold = fixed / (-size * (1 + self.maintenance))
        return float(threshold) if threshold > 0 else None

    def _others(self, data: Feed) -> float:
        if len(self.positions) == 1:
            return 0.0
        total = 0.0
        for other, position in self.positions.items():
            if other is data or not position.size:
                continue
            info = self.getcommissioninfo(other)
            begun = self._early and any(other is moved for moved in self._moved)
            price = other.open[0] if begun else other.close[0]
            value = position.size * price
            open_profit = position.size * (price - position.price)
            if value > 0:
                value = (value - open_profit) / info.get_leverage() + open_profit
            total += value
        return float(total)

    def _reaches(self, data: Feed, threshold: float) -> bool:
        if self.positions[data].size > 0:
            return bool(data.low[0] <= threshold)
        return bool(data.high[0] >= threshold)

    def _approach(self, data: Feed, threshold: float) -> None:
        extreme = data.low[0] if self.positions[data].size > 0 else data.high[0]
        distance = abs(extreme - threshold) / extreme
        if self.nearest is None or distance < self.nearest.distance:
            self.nearest = Approach(nanoseconds(data.datetime[0]), threshold, distance)

    def _gap(self, data: Feed) -> None:
        """Close by force at an open beyond the threshold, before any order of the bar."""
        threshold = self._threshold(data)
        if threshold is None:
            return
        price = data.open[0]
        long = self.positions[data].size > 0
        if price <= threshold if long else price >= threshold:
            self._liquidate(data, threshold, price)

    def check_submitted(self) -> None:
        """Accept what cash allows; where margin may go in this bar, order by time of fill."""
        super().check_submitted()
        for data in self._moved if self.margined else ():
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                arrange(self, data)

    def _try_exec(self, order: Order) -> None:
        if self.margined and order.exectype != bt.Order.Market:
            data = order.data
            threshold = self._threshold(data)
            if threshold is not None and self._reaches(data, threshold):
                start = data.open[0]
                if distance(order, start) > abs(threshold - start):
                    self._liquidate(data, threshold, threshold)
                    if order.alive():
                        drop(self, order)
                    return
        super()._try_exec(order)

    def _liquidate(self, data: Feed, threshold: float, price: float) -> None:
        for order in [*self.pending, *self.submitted]:
            if order is not None and order.data is data:
                drop(self, order)
        size = float(self.positions[data].size)
        kind = bt.SellOrder if size > 0 else bt.BuyOrder
        order = kind(owner=self.cerebro.runningstrats[0], data=data, size=abs(size))
        order.addinfo(own="liquidation", inside=price == threshold)
        self._ocoize(order, None)
        order.submit(self)
        order.accept(self)
        self.orders.append(order)
        slipped = (
            self._slip_down(data.low[0], price, doslip=self.p.slip_open)
            if size > 0
            else self._slip_up(data.high[0], price, doslip=self.p.slip_open)
        )
        self._execute(order, ago=0, price=slipped)
        equity = self._get_value()
        shortfall = max(0.0, -equity)
        self.cash += shortfall
        ts, fee = nanoseconds(data.datetime[0]), float(order.executed.comm)
        name, paid = data._name, float(order.executed.price)
        self.liquidations.append(Liquidation(ts, name, size, threshold, paid, fee, shortfall))
        self.nearest = Approach(ts, threshold, 0.0)


class GuardedPerpetualBroker(GuardMixin, PerpetualBroker):
    """The same under a guard; warm-up bars are not judged, since nothing trades in them."""

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Judge an order, once trading has begun."""
        if self.warming():
            return PerpetualBroker.submit(self, order, check)
        return super().submit(order, check)


class ScaledMixin(Base):
    """Hold a constant share of what the strategy asks for, while it sees its own units.

    Every order is scaled at submission; `getposition` and `get_value` of single feeds answer in
    the strategy's units. A real run, since liquidation is not linear in size.
    """

    def __init__(self, *, exposure: float, **others: object) -> None:
        if not 0 <= exposure <= 1:
            raise AdapterError(f"exposure={exposure}; a share from 0 to 1")
        self.exposure = exposure
        super().__init__(**others)

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Scale an order; at exposure 0 it is refused."""
        held = self.positions[order.data].size
        size = order.executed.remsize * self.exposure
        if not size:
            order.reject(self)
            self.notify(order)
            return order
        if abs(held + size) <= SNAP * abs(held):
            size = -held
        order.size = order.created.size = size
        order.created.remsize = order.executed.remsize = size
        return super().submit(order, check)

    def getposition(self, data: Feed) -> bt.Position:
        """Return the position in the strategy's units."""
        real = self.positions[data]
        if not real.size or not self.exposure:
            return real
        seen = real.clone()
        seen.size = real.size / self.exposure
        return seen

    def get_value(self, datas: Any = None, mkt: bool = False, lever: bool = False) -> float:  # noqa: ANN401, FBT001, FBT002 - BackBroker's
        """Return the account's value, or that of positions in the strategy's units."""
        value = float(super().get_value(datas, mkt, lever))
        return value / self.exposure if datas and self.exposure else value

    getvalue = get_value


class ScaledPerpetualBroker(ScaledMixin, PerpetualBroker):
    """The same strategy at constant exposure."""
