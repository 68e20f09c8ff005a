"""Each order of a ccxt bot, judged: as steps that a bot that calls and one that awaits both take.

While nothing limits, an order passes without a request: the position does not matter then. Else
position and open orders are read first, unless they were read a moment ago and nothing has been
sent since. What cannot be read lets nothing in: what is sent then is held to reduce-only by the
venue, so that an exit passes and an entry is refused there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from riskguard.adapters.ccxt.money import swaps, worth
from riskguard.adapters.ccxt.reading import Asked, book_of, by_cost, held, instrument, waiting
from riskguard.adapters.shared.logs import logger
from riskguard.adapters.shared.outcome import Call, Memory, book_key
from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import Intent, Pending, number
from riskguard.market import SECOND, Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from riskguard.adapters.shared.desk import Desk
    from riskguard.engine.orders import Verdict

__all__ = ["FRESH", "Gate", "Read", "Refused", "log"]

Exchange = Any  # ccxt is untyped
FRESH = 2 * SECOND
READS = 3
TRIGGER = {"trigger": True}
DEAF = frozenset({"mexc"})  # venues that take reduceOnly and do not hold to it
log = logger("riskguard.ccxt")


class Refused(Exception):  # noqa: N818 - it becomes the RiskDenied of the framework
    """An order the guard does not let out; the text says why."""

    def __init__(self, text: str, verdict: Verdict | None = None) -> None:
        super().__init__(text)
        self.verdict = verdict


@dataclass(slots=True)
class Read:
    """What was read of a symbol, and when."""

    books: dict[str, float]
    pending: list[Pending]
    at: int


class Gate:
    """Judges the orders of one exchange instance; `fresh` (ns) is how long a reading holds."""

    def __init__(
        self, exchange: Exchange, desk: Desk, *, hedged: bool, fresh: int, now: Callable[[], int]
    ) -> None:
        self.exchange, self.desk, self.hedged, self.fresh = exchange, desk, hedged, fresh
        self.now = now
        self.memory = Memory()
        self.read: dict[str, Read] = {}
        self.prices: dict[str, float] = {}
        self.said: list[str] = []  # the last denials, as they were told
        self.triggers: dict[str, set[str]] = {}  # ids that are listed and cancelled apart
        self.traded: set[str] = set()  # symbols of which an order was asked
        self.counts = False  # the rules want to know what the account is worth
        self.listed: set[str] = set()  # of them those of which it was told whether they are guarded
        self.batch: dict[str, list[Pending]] = {}  # granted, and not sent before the batch is

    @property
    def books(self) -> tuple[str, ...]:
        """The books of a symbol: one net position, or two in hedge mode."""
        return ("long", "short") if self.hedged else ("",)

    def instrument(self, symbol: str) -> Instrument:
        """Return how the venue counts a symbol."""
        markets = self.exchange.markets or {}
        return instrument(self.exchange, markets[symbol]) if symbol in markets else Instrument()

    def spot(self, symbol: str) -> bool:
        """Say whether a symbol is spot: there is a balance, and nothing is reduce-only."""
        return bool((self.exchange.markets or {}).get(symbol, {}).get("spot"))

    # ------------------------------------------------------------ reading

    def books_of(self, symbol: str) -> Generator[Call, Any, dict[str, float]]:
        """Read what is held: a request. Raises what the venue raises."""
        if self.spot(symbol):
            base = self.exchange.markets[symbol]["base"]
            balance = yield Call("fetch_balance", ())
            total = number((balance.get(base) or {}).get("total", 0.0))
            if total != total:  # noqa: PLR0124 - NaN is unequal
                raise ValueError(f"no balance of {base}")
            return {"": total, "long": total, "short": 0.0}
        if self.exchange.has.get("fetchPositions"):
            positions = yield Call("fetch_positions", ([symbol],))
        else:
            positions = [(yield Call("fetch_position", (symbol,)))]
        if any(one.get("hedged") is True and number(one.get("contracts")) for one in positions):
            self._hedges()
        return held(positions, symbol)

    def _hedges(self) -> None:
        """Take note that the account has two books, though nobody said so."""
        if not self.hedged:
            log.warning("riskguard: longs and shorts are held apart here: say hedged=True")
            self.hedged = True
            self.read.clear()

    def orders_of(self, symbol: str) -> Generator[Call, Any, list[Pending]]:
        """Read the open orders: a request, and one more where triggers are listed apart."""
        orders = list((yield Call("fetch_open_orders", (symbol,))))
        if self.exchange.feature_value(symbol, "fetchOpenOrders", "trigger"):
            known = {one.get("id") for one in orders}
            apart = yield Call("fetch_open_orders", (symbol, None, None, TRIGGER))
            found = [one for one in apart if one.get("id") not in known]
            self.triggers[symbol] = {str(one.get("id")) for one in found}
            orders += found
        return waiting(orders, self.prices.get(symbol), hedged=self.hedged)

    def cancelling(self, symbol: str, order_id: str) -> Call:
        """Return the call that cancels an order."""
        apart = order_id in self.triggers.get(symbol, ())
        return Call("cancel_order", (order_id, symbol, TRIGGER) if apart else (order_id, symbol))

    def look(self, symbol: str) -> Generator[Call, Any, Read | None]:
        """Read orders, then positions, and tell the desk; None where that fails."""
        try:
            if not self.exchange.markets:
                yield Call("load_markets", ())
            pending = yield from self.orders_of(symbol)
            books = yield from self.books_of(symbol)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known
            log.warning("riskguard: %s cannot be read: %r", symbol, error)
            self.read.pop(symbol, None)
            return None
        found = self.read[symbol] = Read(books, pending, self.now())
        for book in self.books:
            size = -books[book] if book == "short" else books[book]
            coins = size * self.instrument(symbol).contract_size
            self.tell(Event(found.at, "account", book_key(symbol, book), {"position": coins}))
        return found

    def tell(self, event: Event) -> None:
        """Tell the desk of something; a desk that fails lets nothing in, and hears nothing."""
        price = event.data.get("close", event.data.get("price"))
        if isinstance(price, float | int):
            self.prices[event.symbol] = float(price)
        try:
            self.desk.take(event)
        except Exception:
            log.exception("riskguard: the guard failed on %s", event.kind)

    def known(self, symbol: str) -> Generator[Call, Any, Read | None]:
        """Return what was read a moment ago, or read it."""
        found = self.read.get(symbol)
        if found is not None and 0 <= self.now() - found.at <= self.fresh:
            return found
        return (yield from self.look(symbol))

    def account(self) -> Generator[Call, Any, None]:
        """Read what the account is worth and tell it; where that fails, what was told grows old."""
        symbol = min(self.traded)
        try:
            if not self.exchange.markets:
                yield Call("load_markets", ())
            market = self.exchange.markets[symbol]
            balance = yield Call("fetch_balance", ({"type": market["type"]},))
            if market["spot"]:
                told = {"equity": (yield from self._coins(balance, market["quote"]))}
            else:
                told = swaps(self.exchange.id, balance, (yield Call("fetch_positions", ())), symbol)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known
            log.warning("riskguard: the account cannot be read: %r", error)
            return
        self.tell(Event(self.now(), "account", symbol, told))

    def _coins(self, balance: Mapping[str, Any], quote: str) -> Generator[Call, Any, float]:
        """Return what money and the traded coins are worth together."""
        total = worth(self.exchange.id, balance, quote, 0.0)
        for base in sorted({self.exchange.markets[one]["base"] for one in self.traded}):
            had = number((balance.get(base) or {}).get("total", 0.0))
            if had:
                pair = f"{base}/{quote}"
                price = self.prices.get(pair)
                if price is None:
                    price = number((yield Call("fetch_ticker", (pair,))).get("last"))
                total += had * price
        return total

    # ------------------------------------------------------------ judging

    def judge(self, asked: Asked) -> Generator[Call, Any, tuple[float, dict[str, Any]]]:
        """Return what of an order may go out, and the params it goes with.

        Raises:
            Refused: nothing of it.
        """
        self.traded.add(asked.symbol)
        if asked.book:
            self._hedges()
        if not self.exchange.markets:
            yield Call("load_markets", ())
        spot = self.spot(asked.symbol)
        if number(asked.amount) > 0 and by_cost(self.exchange, asked, spot=spot):
            return (yield from self._paid(asked))
        return (yield from self._judged(asked))

    def _paid(self, asked: Asked) -> Generator[Call, Any, tuple[float, dict[str, Any]]]:
        """Judge an order by money: all of it goes out, or nothing."""
        price = self.prices.get(asked.symbol)
        if price is None and not self.free():
            price = number((yield Call("fetch_ticker", (asked.symbol,))).get("last"))
        size = asked.amount / price if price and price > 0 else asked.amount
        coins = asked._replace(amount=size, price=price)
        granted, params = yield from self._judged(coins)
        if granted < size:
            raise Refused(self._say(asked, "an order by cost is not cut: it is denied"))
        return asked.amount, params

    def _judged(self, asked: Asked) -> Generator[Call, Any, tuple[float, dict[str, Any]]]:
        params = dict(asked.params)
        if self.free():  # the position does not matter
            verdict = self._ask(asked, 0.0, ())
            if verdict.answer == "allow":
                return asked.amount, params
        read = yield from self.known(asked.symbol)
        if read is None:
            return self._blind(asked, params)
        verdict, read = yield from self._cleared(asked, read)
        granted = verdict.quantity
        if granted <= 0:
            raise Refused(self._say(asked, _text(verdict)), verdict)
        if granted < asked.amount:
            self._say(asked, f"cut to {granted:g}: {_text(verdict)}")
        if verdict.reduce_only and not self.spot(asked.symbol) and not self.hedged:
            params["reduceOnly"] = True
        if verdict.effect in {"reduce", "close", "flip"}:
            book = self.book(asked)
            room = abs(read.books[book])
            self.memory.left(asked.symbol, min(granted, room), book)
        return granted, params

    def _cleared(self, asked: Asked, read: Read) -> Generator[Call, Any, tuple[Verdict, Read]]:
        """Judge an order, and cancel what is in its way; what stays counts as on its way."""
        stuck: set[str] = set()
        while True:
            book = self.book(asked)
            pending = tuple(
                replace(one, resting=False) if one.id in stuck else one
                for one in (*read.pending, *self.batch.get(asked.symbol, ()))
                if one.id != asked.replaces
            )
            verdict = self._ask(asked, read.books[book], pending, book)
            first = set(verdict.cancel_first) - stuck
            if not first:
                return verdict, read
            for one in sorted(first):
                try:
                    yield self.cancelling(asked.symbol, one)
                except Exception as error:  # noqa: BLE001 - whether it is gone is read below
                    log.warning("riskguard: order %s is not cancelled: %r", one, error)
            for _ in range(READS):
                again = yield from self.look(asked.symbol)
                if again is None:
                    raise Refused(self._say(asked, "what was cancelled for it cannot be read"))
                read = again
                left = first & {one.id for one in read.pending}
                if not left:
                    break
            stuck |= first

    def _blind(self, asked: Asked, params: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Send what may only close, while nothing is known."""
        spot = self.spot(asked.symbol)
        closes = asked.reduces or (self.hedged and self._closes(asked))
        if (spot and asked.side == "sell") or (closes and not spot):
            return asked.amount, params
        if spot or self.hedged or self.exchange.id in DEAF:
            raise Refused(self._say(asked, "position and orders cannot be read: nothing enters"))
        self._say(asked, "position and orders cannot be read: sent as reduce-only")
        return asked.amount, {**params, "reduceOnly": True}

    def _closes(self, asked: Asked) -> bool:
        return (self.book(asked) == "long") == (asked.side == "sell")

    def book(self, asked: Asked) -> str:
        """Return the book an order is of."""
        if not self.hedged:
            return ""
        return book_of(asked.side, asked.params, reduces=asked.reduces)

    def free(self) -> bool:
        """Say whether nothing limits, as far as the desk can tell."""
        try:
            return self.desk.decision.state is State.ACTIVE
        except Exception:  # noqa: BLE001 - a broken guard allows nothing
            return False

    def _ask(
        self, asked: Asked, position: float, pending: tuple[Pending, ...], book: str = ""
    ) -> Verdict:
        price = asked.price if number(asked.price) > 0 else self.prices.get(asked.symbol)
        intent = Intent(
            self.now(), asked.symbol, asked.side, asked.amount, position, pending, price=price,
            reduce_only=asked.reduces, book=book,
        )  # fmt: skip
        try:
            verdict = self.desk.decide(intent)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            return exit_alone(intent, error)
        if asked.symbol not in self.listed and any(
            reason.cause == "unguarded" for reason in verdict.reasons
        ):
            self.listed.add(asked.symbol)
            log.warning("riskguard: orders in %s pass: these rules do not guard them", asked.symbol)
        return verdict

    def _say(self, asked: Asked, text: str) -> str:
        said = f"riskguard: {asked.side} {asked.amount:g} {asked.symbol}: {text}"
        log.warning("%s", said)
        self.said = [*self.said[-99:], said]
        return said

    def along(self, asked: Asked, granted: float) -> None:
        """Count an order of a batch as on its way for those after it."""
        mine = self.batch.setdefault(asked.symbol, [])
        name = f"batch {len(mine)}"
        mine.append(Pending(name, asked.side, granted, resting=False, book=self.book(asked)))

    def sent(self, symbol: str) -> None:
        """Take note that something went out: what was read does not hold any more."""
        self.read.pop(symbol, None)
        self.batch.pop(symbol, None)


def _text(verdict: Verdict) -> str:
    return "; ".join(reason.text for reason in verdict.reasons) or verdict.answer
