"""Brokers of our own runs: what a leveraged position costs, and what every bar leaves behind.

Funding is charged between the fills of a bar and its mark; equity, position and fills of every
bar are kept.
"""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import math
from array import array
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any

import backtrader as bt

from riskguard.adapters.backtrader import GuardMixin
from riskguard.adapters.backtrader.lines import nanoseconds
from riskguard.adapters.backtrader.orders import gapped
from riskguard.backtest.account import Approach, Fill, FractionalComm, Liquidation
from riskguard.backtest.margin import MarginBroker
from riskguard.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.engine.decision import Decision

__all__ = [
    "Approach",
    "Fill",
    "FractionalComm",
    "GuardedPerpetualBroker",
    "Liquidation",
    "PerpetualBroker",
    "PooledPerpetualBroker",
]

ACCOUNT = (
    "add_cash",
    "add_order_history",
    "addcommissioninfo",
    "set_cash",
    "set_checksubmit",
    "set_filler",
    "set_fund_history",
    "set_int2pnl",
    "set_shortcash",
    "set_slippage_fixed",
    "set_slippage_perc",
    "setcash",
    "setcommission",
)  # what would change an account
Order = Any  # Backtrader is untyped


class PerpetualBroker(MarginBroker):
    """A broker that records every bar and, above leverage 1, charges funding.

    Nothing trades before bar `trading_from`. `funding` holds, per bar of the first feed, the sum
    of the rates charged in it. For a long without leverage, `BackBroker` and this one give the
    same fills.
    """

    running = False

    def __init__(
        self,
        *,
        trading_from: int = 0,
        funding: Sequence[float] = (),
        **others: Any,  # noqa: ANN401 - BackBroker's
    ) -> None:
        self.trading_from, self.funding = trading_from, funding
        super().__init__(**others)

    def start(self) -> None:
        """Begin a run with empty records."""
        super().start()
        self.equity, self.held, self.wanted = array("d"), array("d"), array("d")
        self.position_at_close, self.charged = array("d"), array("d")
        self.fills: list[Fill] = []
        self.refused: set[int] = set()  # orders of the strategy, for margin or their size
        self.funding_paid = 0.0
        self._pilot = self.cerebro.datas[0]
        self._line = self._pilot.lines[0]
        self._seen = 0
        self._untouched = list(self.cerebro.datas)
        self._charged = self.getcommissioninfo(self._pilot).get_leverage() > 1
        self.running = True

    def stop(self) -> None:
        """End a run; the account may be set up for the next."""
        self.running = False
        super().stop()

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
        first, paid = len(self.fills), self.funding_paid
        self.open_bar()
        super().next()
        if moved and self._charged and bars <= len(self.funding):
            self._charge(self.funding[bars - 1])
        self.close_bar()
        if moved:
            self._seen = bars
            self.charged.append(self.funding_paid - paid)
            self._record(before, first)

    def _charge(self, rate: float) -> None:
        due = float(self.positions[self._pilot].size) * self._pilot.close[0] * rate
        if due == due and due:  # noqa: PLR0124 - NaN: nothing was charged
            self.cash -= due
            self.funding_paid += due
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

    # ------------------------------------------------------------ orders

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Take an order; one of no size, or made while indicators warm up, is refused."""
        return order if self.turned_away(order) else super().submit(order, check)

    def turned_away(self, order: Order) -> bool:
        """Refuse an order that nobody need judge; say whether it was."""
        size = order.executed.remsize
        sized = bool(size) and math.isfinite(size)
        if sized and not self.warming():
            return False
        if not self.warming():
            self.refused.add(order.ref)
        order.reject(self)
        self.notify(order)
        return True

    def warming(self) -> bool:
        """Say whether this bar is read but not traded."""
        return int(self._line.lencount) <= self.trading_from

    def notify(self, order: Order) -> None:
        """Tell the strategy of an order, and count what margin has refused."""
        if order.status == order.Margin and "own" not in order.info:
            self.refused.add(order.ref)
        super().notify(order)

    def _fill(self, order: Order, ago: int, more: dict[str, Any]) -> object:
        done = len(order.executed.exbits)
        result = super()._fill(order, ago, more)
        for bit in islice(order.executed.exbits, done, None):
            data = order.data
            own = order.info.get("own", "strategy")
            at_open = order.exectype == bt.Order.Market and not order.info.get("inside", False)
            if order.exectype in {bt.Order.Stop, bt.Order.Limit}:
                at_open = gapped(order, data.open[0])
            ts, bar = nanoseconds(data.datetime[0]), len(data) - 1
            size, price, stop = float(bit.size), float(bit.price), order.exectype == bt.Order.Stop
            self.fills.append(Fill(ts, data._name, size, price, bit.comm, own, bar, at_open, stop))
        return result


def _refusal(name: str) -> Callable[..., object]:
    change = getattr(MarginBroker, name)

    @wraps(change)
    def method(self: PerpetualBroker, *given: object, **named: object) -> object:
        if self.running:
            raise AdapterError(
                f"broker.{name}() is refused: the account belongs to the backtest; "
                f"give cash, fee, slippage and leverage to the run"
            )
        return change(self, *given, **named)

    return method


for _name in ACCOUNT:
    setattr(PerpetualBroker, _name, _refusal(_name))


class GuardedPerpetualBroker(GuardMixin, PerpetualBroker):
    """The same under a guard; what nobody need judge leaves no veto.

    `trail` holds each decision with the bar (from 0) at whose close it came into force.
    """

    def start(self) -> None:
        """Begin a run without decisions."""
        super().start()
        self.trail: list[tuple[int, Decision]] = []

    def _follow(self, bars: int) -> None:
        before = self.decision
        super()._follow(bars)
        if self.decision is not before or not self.trail:
            self.trail.append((bars - 1, self.decision))

    def _charge(self, rate: float) -> None:
        paid = self.funding_paid
        super()._charge(rate)
        if self.ledger is not None:
            self.ledger.pay(self._pilot, self.funding_paid - paid)

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Judge an order of some size, once trading has begun."""
        return order if self.turned_away(order) else super().submit(order, check)


class PooledPerpetualBroker(PerpetualBroker):
    """The account of a bare run, with idle cash beside it so that it is `share` of the whole.

    Orders, sizes and cash are those of the bare run; only where margin is tested does the idle
    cash count. The whole account is `share` times this one with its idle cash, and the strategy
    is not liquidated where its own account alone would be.
    """

    def __init__(self, *, share: float, **others: Any) -> None:  # noqa: ANN401 - BackBroker's
        if not 0 <= share <= 1:
            raise AdapterError(f"exposure={share}; a share from 0 to 1")
        self.share = share
        super().__init__(**others)

    def start(self) -> None:
        """Begin a run with the idle cash that makes the account `share` of the whole."""
        super().start()
        self.idle = self.startingcash * (1 / self.share - 1) if self.share else math.inf
