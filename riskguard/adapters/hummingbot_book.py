"""What a controller of hummingbot holds and has ordered, in the words of the gate.

An executor lives for itself: it enters, and it leaves by barriers of its own, which no action of
the controller shows. So what executors hold long and short is kept apart, as on a venue with two
books; positions that no executor has any more are in the book of their side.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hummingbot.core.data_type.common import PositionAction, TradeType
from hummingbot.strategy_v2.executors.order_executor.data_types import (
    ExecutionStrategy,
    OrderExecutorConfig,
)
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction, StopExecutorAction
from hummingbot.strategy_v2.models.executors import CloseType

from riskguard.engine.orders import Pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.adapters.venue import Order

__all__ = ["Book", "Market", "Room", "book_of", "market_of", "size_of"]

Thing = Any  # an object of hummingbot, which is untyped
SIDES = {TradeType.BUY: ("buy", "long"), TradeType.SELL: ("sell", "short")}
CLOSING = {"long": TradeType.SELL, "short": TradeType.BUY}
UNSEEN = 30_000_000_000  # how long (ns) an executor that was asked for may not be seen


class Market(NamedTuple):
    """A pair at a connector."""

    connector: str
    pair: str

    @property
    def symbol(self) -> str:
        """The name as all venues write it: "BTC/USDT", of a perpetual "BTC/USDT:USDT"."""
        base, _, quote = self.pair.partition("-")
        return f"{base}/{quote}:{quote}" if "perpetual" in self.connector else f"{base}/{quote}"


def market_of(config: Thing) -> Market | None:
    """Return where an executor trades; those of two venues buy at one: None where nothing says."""
    buying = getattr(config, "buying_market", None)
    found = config if buying is None else buying
    connector, pair = getattr(found, "connector_name", ""), getattr(found, "trading_pair", "")
    return Market(connector, pair) if connector and pair else None


def book_of(config: Thing) -> str:
    """Return the book an executor enters."""
    return SIDES.get(getattr(config, "side", TradeType.BUY), SIDES[TradeType.BUY])[1]


def size_of(config: Thing, price: float) -> float:
    """Return how much an executor may come to hold; 0 where its configuration does not say."""
    if (amount := getattr(config, "amount", None)) is not None:
        return float(amount)
    quotes = getattr(config, "amounts_quote", None)
    quote = sum(quotes) if quotes else getattr(config, "total_amount_quote", 0)
    return float(quote or 0) / price if price > 0 else 0.0


class Book:
    """The state of one controller: its executors, the positions held, and what is on its way."""

    def __init__(self, controller: Thing, *, tested: bool) -> None:
        self.controller, self.tested = controller, tested  # in a backtest
        self.sent: dict[str, tuple[Thing, int]] = {}  # asked for and not seen yet: config, when
        self.stopped: dict[str, int] = {}  # asked to stop, and when
        self.done: set[str] | None = None  # ended executors that were seen
        self.late: list[Thing] = []  # ended now; their position is held one step later

    def look(self, now: int) -> list[Thing]:
        """Take in what the executors are; return those that have ended since."""
        ended = [one for one in self.controller.executors_info if not one.is_active]
        fresh = [one for one in ended if self.done is not None and one.id not in self.done]
        self.done = {one.id for one in ended}
        # in a backtest what filled by itself is a position one step later, what was stopped at once
        self.late = [
            one
            for one in fresh
            if self.tested
            and one.close_type == CloseType.POSITION_HOLD
            and one.id not in self.stopped
        ]
        seen = {one.id for one in self.controller.executors_info}
        self.sent = {
            name: (config, ts)
            for name, (config, ts) in self.sent.items()
            if name not in seen and now - ts < UNSEEN
        }
        active = {one.id for one in self.active()}
        self.stopped = {
            name: ts for name, ts in self.stopped.items() if name in active and now - ts < UNSEEN
        }
        return fresh

    def active(self, market: Market | None = None) -> Iterator[Thing]:
        """Yield the executors that live."""
        for one in self.controller.executors_info:
            if one.is_active and (market is None or market_of(one.config) == market):
                yield one

    def markets(self) -> set[Market]:
        """Return where anything is held or ordered."""
        configs = [one.config for one in self.active()]
        configs += [one.config for one in self.late]
        found = {market_of(one) for one in configs}
        found |= {Market(one.connector_name, one.trading_pair) for one in self._positions()}
        return {one for one in found if one is not None}

    def _positions(self) -> list[Thing]:
        return list(self.controller.positions_held)

    def held(self, market: Market) -> float:
        """Return what is held and no executor has any more, signed."""
        total = 0.0
        for one in self._positions():
            if (one.connector_name, one.trading_pair) == market:
                total += float(one.amount) * (1 if one.side == TradeType.BUY else -1)
        unsettled = [one for one in self.active(market) if orders(one.config)]
        for one in (*unsettled, *self.late):
            if market_of(one.config) == market:
                total += filled(one) * (1 if one.config.side == TradeType.BUY else -1)
        return total

    def holders(self, market: Market, book: str) -> list[Thing]:
        """Return the executors that hold something in a book, those not asked to stop yet."""
        return [
            one
            for one in self.active(market)
            if one.id not in self.stopped
            and book_of(one.config) == book
            and not orders(one.config)
            and filled(one) > 0
        ]

    def size(self, market: Market, book: str) -> float:
        """Return what is held in a book, unsigned."""
        held = self.held(market)
        total = max(0.0, held if book == "long" else -held)
        for one in self.active(market):
            if book_of(one.config) == book and not orders(one.config):
                total += filled(one)
        return total

    def pending(self, market: Market, price: float) -> list[Pending]:
        """List what is not finished, of both books."""
        found = [self._told(one, market, price) for one in self.active(market)]
        for name, (config, _) in self.sent.items():
            if market_of(config) == market:
                found.append(self._order(name, config, market, size_of(config, price)))
        return [one for one in found if one.remaining > 0]

    def _told(self, one: Thing, market: Market, price: float) -> Pending:
        config, had = one.config, filled(one)
        if one.id in self.stopped:  # on its way out
            book = book_of(config)
            side = SIDES[CLOSING[book]][0]
            return Pending(one.id, side, had, resting=False, reduce_only=True, book=book)
        left = max(0.0, size_of(config, price) - had)
        if getattr(config, "amount", None) is None:  # it goes on ordering, filled or not
            left = left or had
        return self._order(one.id, config, market, left, seen=True)

    def _order(
        self, name: str, config: Thing, market: Market, left: float, *, seen: bool = False
    ) -> Pending:
        side, book = SIDES.get(getattr(config, "side", None), SIDES[TradeType.BUY])
        if leaves(config, self.held(market)):
            book = "short" if book == "long" else "long"
        at_once = orders(config) and config.execution_strategy == ExecutionStrategy.MARKET
        resting = seen and not at_once
        ts = int(float(config.timestamp or 0) * 1e9)
        return Pending(name, side, left, resting, reduce_only=closes(config), ts=ts, book=book)


def orders(config: Thing) -> bool:
    """Say whether an executor is a mere order: what it fills is held by nobody after."""
    return isinstance(config, OrderExecutorConfig)


def closes(config: Thing) -> bool:
    """Say whether an order is sent as one that closes."""
    return getattr(config, "position_action", None) is PositionAction.CLOSE


def leaves(config: Thing, held: float) -> bool:
    """Say whether an order leaves what is held."""
    if not orders(config):
        return False
    sign = 1 if config.side == TradeType.BUY else -1
    return closes(config) or bool(sign * held < 0)


def filled(one: Thing) -> float:
    """Return what an executor has come to hold, in coins."""
    config, info = one.config, one.custom_info
    for name in ("executed_amount_base", "filled_amount"):
        if name in info:
            return float(info[name] or 0)
    price = float(info.get("current_position_average_price") or info.get("close_price") or 0)
    if not price > 0:
        return 0.0
    coins = float(one.filled_amount_quote) / price
    amount = getattr(config, "amount", None)  # what it has left again is counted twice there
    return coins if amount is None else min(coins, float(amount))


class Room:
    """One book of one market, as the enforcer asks for it; its orders are actions to return."""

    def __init__(self, book: Book, market: Market, side: str, now: int, price: float) -> None:
        self.state, self.market, self.book = book, market, side
        self.ts, self.price = now, price
        self.actions: list[Thing] = []

    def position(self, symbol: str) -> float:  # noqa: ARG002 - a room has one
        """Return the size of the book."""
        return self.state.size(self.market, self.book)

    def pending(self, symbol: str) -> list[Pending]:  # noqa: ARG002 - as above
        """List what is not finished."""
        return self.state.pending(self.market, self.price)

    def cancel(self, symbol: str, order_id: str) -> None:  # noqa: ARG002 - as above
        """Stop an executor that has more to order; what it holds already is kept."""
        had = next((filled(one) for one in self.state.active() if one.id == order_id), 0.0)
        self.stop(order_id, keep=had > 0)

    def stop(self, executor_id: str, *, keep: bool) -> None:
        """Ask an executor to end, with what it holds or without."""
        self.state.stopped[executor_id] = self.ts
        controller_id = self.state.controller.config.id
        self.actions.append(
            StopExecutorAction(
                controller_id=controller_id, executor_id=executor_id, keep_position=keep
            )
        )

    def submit(self, order: Order) -> str:
        """Close so much of the book: what is held exactly, of executors whole ones."""
        held = self.state.held(self.market)
        loose = min(order.quantity, max(0.0, held if self.book == "long" else -held))
        left = order.quantity - loose
        if loose > 0:
            self.close(loose, order.ref)
        found = sorted(self.state.holders(self.market, self.book), key=filled, reverse=True)
        for one in found:
            if filled(one) <= left * (1 + 1e-9):
                self.stop(one.id, keep=False)
                left -= filled(one)
        if left > order.quantity * 1e-9:  # the smallest that is enough: less stays, never more
            rest = [one for one in found if one.id not in self.state.stopped]
            if rest:
                self.stop(rest[-1].id, keep=False)
        return order.ref

    def close(self, quantity: float, ref: str) -> None:
        """Close what no executor holds, by an order of its own."""
        controller = self.state.controller
        config = OrderExecutorConfig(
            id=ref,
            timestamp=controller.market_data_provider.time(),
            connector_name=self.market.connector,
            trading_pair=self.market.pair,
            side=CLOSING[self.book],
            amount=Decimal(repr(quantity)),
            execution_strategy=ExecutionStrategy.MARKET,
            position_action=PositionAction.CLOSE,
        )
        self.state.sent[ref] = (config, self.ts)
        self.actions.append(
            CreateExecutorAction(controller_id=controller.config.id, executor_config=config)
        )

    def now(self) -> int:
        """Return the time in ns."""
        return self.ts
