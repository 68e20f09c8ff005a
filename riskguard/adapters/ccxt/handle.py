"""The handle of a guarded ccxt exchange: for a bot that calls, and for one that awaits."""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from riskguard.adapters.ccxt.gate import Refused, log
from riskguard.adapters.ccxt.orders import GATED, plan
from riskguard.adapters.shared.enforcing import enforce, enforce_async
from riskguard.adapters.shared.frameworks import framework
from riskguard.adapters.shared.outcome import Call, book_key
from riskguard.market import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from riskguard.adapters.ccxt.gate import Gate
    from riskguard.adapters.shared.enforcing import Enforced, Order
    from riskguard.engine.events import Event
    from riskguard.engine.orders import Pending, Verdict

__all__ = ["TESTED", "AsyncGuarded", "Guarded", "denied"]

TESTED = "4.5.90"
INSIDE: ContextVar[bool] = ContextVar("inside", default=False)  # of a call that was judged
ROUND = 1  # of ccxt's decimal_to_precision
Exchange = Any  # ccxt is untyped


@cache
def denied() -> type[Exception]:
    """Return the error of a denied order, which is of a class of ccxt."""
    ccxt = framework("ccxt", package="ccxt", tested=TESTED)

    class RiskDenied(ccxt.InvalidOrder):  # type: ignore[misc, name-defined]  # ccxt is untyped
        """An order the guard did not let out; `verdict` holds the reasons, where it was judged."""

        def __init__(self, text: str, verdict: Verdict | None = None) -> None:
            super().__init__(text)
            self.verdict = verdict

    return RiskDenied


class _Wrapped:
    """What both kinds of bots share: the instance with its doors replaced."""

    def __init__(self, gate: Gate, *, watch: float, pause: float) -> None:
        self.gate, self.exchange, self.desk = gate, gate.exchange, gate.desk
        self.watch, self.pause = round(watch * SECOND), pause
        self.outcomes: dict[str, Enforced] = {}  # of the last step, by symbol and book
        self.inner: dict[str, Callable[..., Any]] = {}
        self._looked: dict[str, int] = {}
        self._counted = 0  # when the account was asked for last
        self.exchange.riskguard = self
        for name in GATED:
            inner = getattr(self.exchange, name, None)
            if inner is not None:
                self.inner[name] = inner
                outer = self._outer(name)
                setattr(self.exchange, name, outer)
                head, *tail = name.split("_")
                setattr(self.exchange, head + "".join(map(str.capitalize, tail)), outer)

    @property
    def denials(self) -> list[str]:
        """The last hundred denials and cuts, as they were logged."""
        return self.gate.said

    def _outer(self, name: str) -> Callable[..., Any]:
        raise NotImplementedError

    def _method(self, call: Call) -> Callable[..., Any]:
        found: Callable[..., Any] = self.inner.get(call.name) or getattr(self.exchange, call.name)
        return found

    def _due(self) -> list[tuple[str, str, bool]]:
        """Return what is to be enforced: symbol, book, and whether it is to be read anyway."""
        found = []
        for symbol in sorted(self.gate.traded):
            for book in self.gate.books:
                key, now = book_key(symbol, book), self.gate.now()
                look = now - self._looked.get(key, 0) >= self.watch
                if look:
                    self._looked[key] = now
                found.append((symbol, book, look))
        return found

    def _counts(self) -> bool:
        """Say whether it is time to ask what the account is worth."""
        now = self.gate.now()
        due = self.gate.counts and bool(self.gate.traded)
        if due and now - self._counted >= self.watch:
            self._counted = now
            return True
        return False

    def _tick(self, events: Iterable[Event]) -> None:
        for event in events:
            self.gate.tell(event)
        try:
            self.desk.tick()
        except Exception:  # noqa: BLE001 - a guard that fails lets nothing in, and is told
            log.exception("riskguard: the guard failed on the clock")

    def _took(self, symbol: str, book: str, found: Enforced) -> None:
        """Keep and log what one call of the enforcer did."""
        self.outcomes[book_key(symbol, book)] = found
        if found.sent or found.cancelled:
            self.gate.sent(symbol)
            sent = ", ".join(f"{one.side} {one.quantity:g}" for one in found.sent) or "nothing"
            log.warning("riskguard: %s: cancelled %s, sent %s", symbol, found.cancelled, sent)
        for said in found.failures:
            log.error("riskguard: %s: %s", symbol, said)
        if found.residual is not None:
            log.warning("riskguard: %s: %g stay, less than the venue takes", symbol, found.residual)
        if found.adl_suspected:
            log.error("riskguard: %s shrank by no order of ours: auto-deleveraging?", symbol)

    def _order(self, order: Order) -> Call:
        """Return an order of the guard as a call of ccxt."""
        gate, symbol = self.gate, order.symbol
        venue = gate.instrument(symbol)
        market = self.exchange.markets[symbol]
        whole = abs(math.remainder(order.quantity, venue.step)) < venue.step * 1e-6
        odd = order.quantity < venue.min_quantity or (venue.step > 0 and not whole)
        if order.close and odd and self.exchange.has.get("closePosition") is True:
            return Call("close_position", (symbol,))
        params: dict[str, Any] = {"clientOrderId": order.ref}
        if not gate.spot(symbol):
            params["reduceOnly"] = True
            if gate.hedged:
                params["hedged"] = True
        amount = order.quantity
        if venue.step > 0 and not odd:  # a multiple of the step, but for its last bit
            precision = market["precision"]["amount"]
            mode = self.exchange.precisionMode
            amount = float(self.exchange.decimal_to_precision(amount, ROUND, precision, mode))
        return Call("create_order", (symbol, "market", order.side, amount, None, params))


class Guarded(_Wrapped):
    """The guard around an exchange of `ccxt`."""

    def __init__(self, gate: Gate, *, watch: float, pause: float) -> None:
        self._lock = threading.RLock()
        super().__init__(gate, watch=watch, pause=pause)

    def step(self, *events: Event) -> dict[str, Enforced]:
        """Tell events, let time pass, and do what the guard wants done; return what was done."""
        if self._counts():
            self.run(self.gate.account())
        self._tick(events)
        with self._lock:
            for symbol, book, look in self._due():
                found = enforce(
                    self.desk,
                    _View(self, book),
                    symbol,
                    memory=self.gate.memory,
                    book=book,
                    instrument=self.gate.instrument(symbol),
                    pause=self.pause,
                    look=look,
                )
                self._took(symbol, book, found)
        return self.outcomes

    def _outer(self, name: str) -> Callable[..., Any]:
        def judged(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as ccxt has it
            if INSIDE.get():
                return self.inner[name](*args, **kwargs)
            free = self.gate.free()
            with nullcontext() if free else self._lock:
                return self.run(plan(self.gate, name, args, kwargs))

        return judged

    def run(self, steps: Generator[Call, Any, Any]) -> Any:  # noqa: ANN401 - as ccxt has it
        """Carry out the calls of a plan."""
        try:
            call = next(steps)
            while True:
                try:
                    answer = self.call(call)
                except Exception as error:  # noqa: BLE001 - the plan knows what to make of it
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as end:
            return end.value
        except Refused as why:
            raise denied()(str(why), why.verdict) from None

    def call(self, call: Call) -> Any:  # noqa: ANN401 - as ccxt has it
        """Make one call, past the gate."""
        token = INSIDE.set(True)
        try:
            return self._method(call)(*call.args)
        finally:
            INSIDE.reset(token)


class _View:
    """The exchange as the enforcer asks it, or one book of it."""

    def __init__(self, guarded: Guarded, book: str) -> None:
        self._guarded, self._gate, self._book = guarded, guarded.gate, book

    def position(self, symbol: str) -> float:
        found: dict[str, float] = self._guarded.run(self._gate.books_of(symbol))
        return found[self._book]

    def pending(self, symbol: str) -> list[Pending]:
        found: list[Pending] = self._guarded.run(self._gate.orders_of(symbol))
        return found

    def cancel(self, symbol: str, order_id: str) -> object:
        return self._guarded.call(self._gate.cancelling(symbol, order_id))

    def submit(self, order: Order) -> object:
        made = self._guarded.call(self._guarded._order(order))  # noqa: SLF001 - one module
        return made.get("id") if isinstance(made, dict) else None

    def now(self) -> int:
        return self._gate.now()


class AsyncGuarded(_Wrapped):
    """The guard around an exchange of `ccxt.async_support` or `ccxt.pro`."""

    def __init__(self, gate: Gate, *, watch: float, pause: float) -> None:
        self._lock: asyncio.Lock | None = None
        super().__init__(gate, watch=watch, pause=pause)

    @property
    def lock(self) -> asyncio.Lock:
        """One order at a time while something limits, or two would not see each other."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    async def step(self, *events: Event) -> dict[str, Enforced]:
        """Tell events, let time pass, and do what the guard wants done; return what was done."""
        if self._counts():
            await self.run(self.gate.account())
        self._tick(events)
        async with self.lock:
            for symbol, book, look in self._due():
                found = await enforce_async(
                    self.desk,
                    _AsyncView(self, book),
                    symbol,
                    memory=self.gate.memory,
                    book=book,
                    instrument=self.gate.instrument(symbol),
                    pause=self.pause,
                    look=look,
                )
                self._took(symbol, book, found)
        return self.outcomes

    def _outer(self, name: str) -> Callable[..., Any]:
        async def judged(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as ccxt has it
            if INSIDE.get():
                return await self.inner[name](*args, **kwargs)
            free = self.gate.free()
            lock: AbstractAsyncContextManager[Any] = nullcontext() if free else self.lock
            async with lock:
                return await self.run(plan(self.gate, name, args, kwargs))

        return judged

    async def run(self, steps: Generator[Call, Any, Any]) -> Any:  # noqa: ANN401 - as ccxt has it
        """Carry out the calls of a plan."""
        try:
            call = next(steps)
            while True:
                try:
                    answer = await self.call(call)
                except Exception as error:  # noqa: BLE001 - the plan knows what to make of it
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as end:
            return end.value
        except Refused as why:
            raise denied()(str(why), why.verdict) from None

    async def call(self, call: Call) -> Any:  # noqa: ANN401 - as ccxt has it
        """Make one call, past the gate."""
        token = INSIDE.set(True)
        try:
            return await self._method(call)(*call.args)
        finally:
            INSIDE.reset(token)


class _AsyncView:
    """The same for a bot that awaits."""

    def __init__(self, guarded: AsyncGuarded, book: str) -> None:
        self._guarded, self._gate, self._book = guarded, guarded.gate, book

    async def position(self, symbol: str) -> float:
        found: dict[str, float] = await self._guarded.run(self._gate.books_of(symbol))
        return found[self._book]

    async def pending(self, symbol: str) -> list[Pending]:
        found: list[Pending] = await self._guarded.run(self._gate.orders_of(symbol))
        return found

    async def cancel(self, symbol: str, order_id: str) -> object:
        return await self._guarded.call(self._gate.cancelling(symbol, order_id))

    async def submit(self, order: Order) -> object:
        made = await self._guarded.call(self._guarded._order(order))  # noqa: SLF001 - one module
        return made.get("id") if isinstance(made, dict) else None

    def now(self) -> int:
        return self._gate.now()
