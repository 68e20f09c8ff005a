"""What a controller of hummingbot holds and has ordered, in the words of the gate.

An executor lives for itself: it enters, and it leaves by barriers of its own, which no action of
the controller shows. So what executors hold long and short is kept apart, as on a venue with two
books; positions that no executor has any more are in the book of their side.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hummingbot.core.data_type.common import PositionAction, PositionMode, TradeType
from hummingbot.strategy_v2.executors.order_executor.data_types import (
    ExecutionStrategy,
    OrderExecutorConfig,
)
from hummingbot.strategy_v2.models.executor_actions import CreateExecutorAction, StopExecutorAction
from hummingbot.strategy_v2.models.executors import CloseType

from riskguard.engine.orders import Pending

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from riskguard.adapters.shared.venue import Order

__all__ = [
    "OTHER",
    "Book",
    "Market",
    "Room",
    "Standing",
    "book_of",
    "market_of",
    "side_of",
    "size_of",
]

Thing = Any  # an object of hummingbot, which is untyped
SELL = TradeType.SELL  # an enum looks its members up each time
CLOSING = {"long": SELL, "short": TradeType.BUY}
OTHER = {"long": "short", "short": "long"}
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
    found = config
    if not hasattr(config, "connector_name"):
        found = getattr(config, "buying_market", None)
    connector, pair = getattr(found, "connector_name", ""), getattr(found, "trading_pair", "")
    return Market(connector, pair) if connector and pair else None


def book_of(config: Thing) -> str:
    """Return the book an executor enters."""
    return "short" if getattr(config, "side", None) is SELL else "long"


def side_of(config: Thing) -> str:
    """Return the side on which an executor enters."""
    return "sell" if getattr(config, "side", None) is SELL else "buy"


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
        self.places: dict[str, Market | None] = {}  # by executor
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
        self.places = {name: place for name, place in self.places.items() if name in seen}
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

    def active(self) -> Iterator[Thing]:
        """Yield the executors that live."""
        return (one for one in self.controller.executors_info if one.is_active)

    def place(self, one: Thing) -> Market | None:
        """Return where an executor trades; asked of its configuration once."""
        if one.id not in self.places:
            self.places[one.id] = market_of(one.config)
        return self.places[one.id]

    def markets(self) -> set[Market]:
        """Return where anything is held or ordered."""
        found = {self.place(one) for one in (*self.active(), *self.late)}
        held = self.controller.positions_held
        found |= {Market(one.connector_name, one.trading_pair) for one in held}
        return {one for one in found if one is not None}

    def hedged(self, market: Market) -> bool:
        """Say whether the venue holds longs and shorts beside each other; a backtest nets them."""
        if self.tested:
            return False
        connector = self.controller.market_data_provider.connectors.get(market.connector)
        return getattr(connector, "position_mode", None) is PositionMode.HEDGE

    def at(self, market: Market, price: float) -> Standing:
        """Return how the controller stands in a market now."""
        hedged = self.hedged(market)
        lives = [(one, filled(one)) for one in self.active() if self.place(one) == market]
        late = [(one, filled(one)) for one in self.late if self.place(one) == market]
        loose = {"long": 0.0, "short": 0.0}
        for one in self.controller.positions_held:
            if (one.connector_name, one.trading_pair) == market:
                loose[book_of(one)] += float(one.amount)
        for one, had in (*lives, *late):
            if had and orders(one.config):
                book = book_of(one.config)
                if hedged and closes(one.config):
                    loose[OTHER[book]] -= had
                else:
                    loose[book] += had
        if not hedged:
            net = loose["long"] - loose["short"]
            loose = {"long": net, "short": -net}
        loose = {book: max(0.0, had) for book, had in loose.items()}
        sent = [config for config, _ in self.sent.values() if market_of(config) == market]
        return Standing(market, price, lives, loose, sent, frozenset(self.stopped), hedged)


class Standing(NamedTuple):
    """One market of a controller: what its executors have, and what is held without them."""

    market: Market
    price: float
    lives: list[tuple[Thing, float]]
    loose: Mapping[str, float]  # by book: what no executor holds; what mere orders filled
    sent: list[Thing]
    stopped: frozenset[str]
    hedged: bool  # the venue has two books

    def holders(self, book: str) -> list[tuple[Thing, float]]:
        """Return the executors that hold something in a book, those not asked to stop yet."""
        return [
            (one, had)
            for one, had in self.lives
            if had > 0
            and one.id not in self.stopped
            and not orders(one.config)
            and book_of(one.config) == book
        ]

    def size(self, book: str) -> float:
        """Return what is held in a book, unsigned."""
        total = self.loose[book]
        for one, had in self.lives:
            if had and not orders(one.config) and book_of(one.config) == book:
                total += had
        return total

    def leaves(self, config: Thing) -> bool:
        """Say whether an order leaves what is held: with two books only where it says so."""
        if not orders(config) or closes(config):
            return orders(config)
        return not self.hedged and self.loose[OTHER[book_of(config)]] > 0

    def pending(self) -> list[Pending]:
        """List what is not finished, of both books."""
        found = [self._told(one, had) for one, had in self.lives]
        found += [self._order(one.id, one, size_of(one, self.price)) for one in self.sent]
        return [one for one in found if one.remaining > 0]

    def _told(self, one: Thing, had: float) -> Pending:
        config, stopped = one.config, one.id in self.stopped
        if stopped and had and not orders(config):  # on its way out
            book = book_of(config)
            side = "sell" if book == "long" else "buy"
            return Pending(one.id, side, had, resting=False, reduce_only=True, book=book)
        left = max(0.0, size_of(config, self.price) - had)
        if getattr(config, "amount", None) is None:  # it goes on ordering, filled or not
            left = left or had
        return self._order(one.id, config, left, seen=not stopped)

    def _order(self, name: str, config: Thing, left: float, *, seen: bool = False) -> Pending:
        side, book = side_of(config), book_of(config)
        if self.leaves(config):
            book = OTHER[book]
        at_once = orders(config) and config.execution_strategy == ExecutionStrategy.MARKET
        resting = seen and not at_once
        ts = int(float(config.timestamp or 0) * 1e9)
        return Pending(name, side, left, resting, reduce_only=closes(config), ts=ts, book=book)


def orders(config: Thing) -> bool:
    """Say whether an executor is a mere order: what it fills is held by nobody after."""
    return isinstance(config, OrderExecutorConfig)


def closes(config: Thing) -> bool:
    """Say whether an order is sent as one that closes."""
    return orders(config) and config.position_action is PositionAction.CLOSE


def filled(one: Thing) -> float:
    """Return what an executor has come to hold, in coins."""
    config, info = one.config, one.custom_info
    if not one.filled_amount_quote and "filled_amount" not in info:
        return 0.0
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

    def stand(self) -> Standing:
        """Return how the controller stands here now."""
        return self.state.at(self.market, self.price)

    def position(self, symbol: str) -> float:  # noqa: ARG002 - a room has one
        """Return the size of the book."""
        return self.stand().size(self.book)

    def pending(self, symbol: str) -> list[Pending]:  # noqa: ARG002 - as above
        """List what is not finished."""
        return self.stand().pending()

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
        standing = self.stand()
        loose = min(order.quantity, standing.loose[self.book])
        left = order.quantity - loose
        if loose > 0:
            self.close(loose, order.ref)
        found = sorted(standing.holders(self.book), key=lambda one: one[1], reverse=True)
        rest = []
        for one, had in found:
            if had <= left * (1 + 1e-9):
                self.stop(one.id, keep=False)
                left -= had
            else:
                rest.append(one)
        if rest and left > order.quantity * 1e-9:  # the smallest that is enough: never too little
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
