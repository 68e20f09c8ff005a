"""A venue in memory and a bot on it: what the kit and the enforcer are tested around."""

from __future__ import annotations

from dataclasses import dataclass, replace

from riskguard.adapters.shared.desk import Desk
from riskguard.adapters.shared.enforcing import Memory, Open, Order, enforce
from riskguard.engine.events import Event
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import Intent, Pending
from riskguard.market import MINUTE, Instrument

START = 1_770_000_000_000_000_000


@dataclass
class Working:
    """An order at the venue."""

    id: str
    side: str
    left: float
    price: float | None = None
    stop: bool = False
    reduce_only: bool = False
    group: str = ""
    ref: str = ""
    book: str = ""


class Refusing(Exception):  # noqa: N818 - as the venue says it
    """What the venue says no with."""


class PaperVenue:
    """One symbol: market orders fill at once, others rest; faults by the next order."""

    def __init__(self, *, hedged: bool = False, reduces: bool = True) -> None:
        self.hedged, self.reduces = hedged, reduces  # whether it knows reduce-only
        self.time, self.price = START, 100.0
        self.books = {"": 0.0, "long": 0.0, "short": 0.0}  # the books unsigned
        self.orders: dict[str, Working] = {}
        self.refs: set[str] = set()
        self.count = 0
        self.delayed = self.refuses = 0
        self.share = 1.0
        self.log: list[str] = []

    # ------------------------------------------------------------ the venue itself

    def place(self, order: Working) -> str:
        if self.refuses:
            self.refuses -= 1
            raise Refusing("insufficient anything")
        if order.ref:
            if order.ref in self.refs:
                raise Refusing("duplicate client order id")
            self.refs.add(order.ref)
        self.count += 1
        order.id = str(self.count)
        self.log.append(f"{order.side} {order.left:g}")
        self.orders[order.id] = order
        if order.price is None and self.delayed:
            self.delayed -= 1
        elif order.price is None:
            size, self.share = order.left * self.share, 1.0
            self.fill(order.id, size)
            self.orders.pop(order.id, None)  # what a market order does not fill is dropped
        return order.id

    def fill(self, order_id: str, size: float | None = None) -> None:
        order = self.orders[order_id]
        size = order.left if size is None else min(size, order.left)
        sign = 1 if order.side == "buy" else -1
        held = self.books[order.book]
        if order.book:
            sign *= 1 if order.book == "long" else -1
            size = min(size, held) if sign < 0 else size
        if order.reduce_only and self.reduces and not order.book:
            size = min(size, max(0.0, -held * sign))
        self.books[order.book] = held + sign * size
        order.left -= size
        done = order.left <= 1e-12 or (order.reduce_only and self.reduces)
        if done:
            self.orders.pop(order_id, None)
            for other in list(self.orders.values()):
                if order.group and other.group == order.group:
                    del self.orders[other.id]

    def quote(self, price: float) -> None:
        self.price = price
        self.time += MINUTE
        for order in list(self.orders.values()):
            if order.id not in self.orders or order.price is None:
                continue
            below = (order.side == "buy") != order.stop
            if price <= order.price if below else price >= order.price:
                self.fill(order.id)

    def deliver(self) -> None:
        for order in list(self.orders.values()):
            if order.price is None and order.id in self.orders:
                self.fill(order.id)
                self.orders.pop(order.id, None)

    # ------------------------------------------------------------ the five primitives

    def view(self, book: str) -> PaperVenue:
        return Book(self, book) if book else self

    def position(self, _symbol: str) -> float:
        return self.books[""]

    def pending(self, _symbol: str) -> list[Pending]:
        return [
            Open(
                one.id,
                one.side,
                one.left,
                resting=one.price is not None,
                reduce_only=one.reduce_only and self.reduces,
                group=one.group,
                book=one.book,
                stop=one.stop,
                distance=abs((one.price or 0.0) - self.price),
            )
            for one in self.orders.values()
        ]

    def cancel(self, _symbol: str, order_id: str) -> None:
        if order_id not in self.orders:
            raise Refusing("unknown order")
        del self.orders[order_id]

    def submit(self, order: Order) -> str:
        made = Working(
            "", order.side, order.quantity, reduce_only=order.reduce_only, ref=order.ref,
            book=order.book,
        )  # fmt: skip
        return self.place(made)

    def now(self) -> int:
        return self.time


class Book:
    """One book of a hedged venue."""

    def __init__(self, venue: PaperVenue, book: str) -> None:
        self._venue, self._book = venue, book

    def __getattr__(self, name):
        return getattr(self._venue, name)

    def position(self, _symbol: str) -> float:
        return self._venue.books[self._book]


class PaperBot:
    """An adapter as one is written: facts to the desk, orders through the gate, duties after."""

    symbol = "BTC/USDT:USDT"

    def __init__(self, desk: Desk, venue: PaperVenue, instrument: Instrument | None = None) -> None:
        self.desk, self.venue, self.memory = desk, venue, Memory()
        self.instrument = instrument or Instrument()
        self.books = ("long", "short") if venue.hedged else ("",)
        self.said: list[str] = []
        self.outcomes = []

    def bar(self, price: float) -> None:
        self.venue.quote(price)
        for event in self.facts(price):
            try:
                self.desk.take(event)
            except Exception as error:  # noqa: BLE001 - a broken guard hears nothing
                self.said.append(repr(error))
        for book in self.books:
            self.outcomes.append(
                enforce(
                    self.desk,
                    self.venue.view(book),
                    self.symbol,
                    memory=self.memory,
                    book=book,
                    instrument=self.instrument,
                )
            )

    def facts(self, price: float) -> list[Event]:
        now = self.venue.now()
        yield Event(now, "bar", self.symbol, {"close": price, "interval_ns": MINUTE})
        for book in self.books:
            name = f"{self.symbol} {book}" if book else self.symbol
            size = self.venue.books[book]
            held = {"position": -size if book == "short" else size, "equity": 10_000.0}
            yield Event(now, "account", name, held)

    def order(self, order: Working) -> float:
        """Send an order of the bot; return what went out."""
        view = self.venue.view(order.book)
        position = view.position(self.symbol)
        intent = Intent(
            self.venue.now(), self.symbol, order.side, order.left, position,
            tuple(replace(one) for one in self.venue.pending(self.symbol)),
            price=order.price or self.venue.price, reduce_only=order.reduce_only, book=order.book,
        )  # fmt: skip
        try:
            verdict = self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - exits pass, entries do not
            verdict = exit_alone(intent, error)
        for one in verdict.cancel_first:
            self.venue.cancel(self.symbol, one)
        if verdict.quantity <= 0:
            self.said.append(verdict.reasons[0].text)
            return 0.0
        order.left = verdict.quantity
        order.reduce_only = order.reduce_only or verdict.reduce_only
        sign = 1 if order.side == "buy" else -1
        if position * sign < 0:
            self.memory.left(self.symbol, verdict.quantity, order.book)
        self.venue.place(order)
        return verdict.quantity
