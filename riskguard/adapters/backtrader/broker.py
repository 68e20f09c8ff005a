"""The broker of Backtrader that asks a guard: orders become intents, duties become orders.

Judging is `engine.gate`; what to send unasked is `duties`, what an order is `orders`.
"""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskguard.adapters.backtrader.account import Ledger, reads_account
from riskguard.adapters.backtrader.duties import enforce, may_fill, release, strays
from riskguard.adapters.backtrader.lines import (
    LineReader,
    bar_of,
    driving,
    nanoseconds,
    symbol_of,
)
from riskguard.adapters.backtrader.orders import (
    Book,
    amend,
    arrange,
    drop,
    held,
    leaving,
    pending,
    waiting,
)
from riskguard.adapters.shared.vetoes import Fault, Veto
from riskguard.engine.decision import Decision, State
from riskguard.engine.episodes import Episodes
from riskguard.engine.orders import RESIDUE, Intent
from riskguard.errors import AdapterError, foreign
from riskguard.market import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backtrader.brokers import BackBroker as Base

    from riskguard.adapters.backtrader.lines import GuardLike, TrackLike
    from riskguard.engine.orders import Verdict
    from riskguard.market import Sample
else:
    Base = object

__all__ = ["GuardMixin"]

RECIPE = ("ruleset", "sources", "instruments")  # what a guard is made of
Order = Any  # Backtrader is untyped


class GuardMixin(Base):
    """Make any BackBroker obey a guard, or a track of decisions made beforehand.

    `symbol` names the driving feed (default: the guard's symbol, else the only feed);
    `guards` says which symbols are judged (default: as the rules say); `samples` yields what
    the guard eats (default: the lines of the feeds); `stamp` says whether the feeds are stamped
    by the "close" or the "open" of a bar. The first run uses the guard given, each later one a
    fresh guard of the same rules. `vetoes` and `faults` tell what happened in a run;
    `order.info["riskguard"]` holds the reasons of an order that was cut, refused or our own.
    """

    def __init__(
        self,
        *,
        guard: GuardLike | None = None,
        track: TrackLike | None = None,
        samples: Callable[[], Iterable[Sample]] | None = None,
        symbol: str = "",
        guards: Callable[[str], bool] | None = None,
        stamp: str = "close",
        **others: object,
    ) -> None:
        if (guard is None) == (track is None):
            raise AdapterError("give one of guard=Guard(...) and track=Track(...)")
        if stamp not in {"close", "open"}:
            raise AdapterError(f"stamp={stamp!r}; write 'close' or 'open'")
        self._given, self.track, self._samples = guard, track, samples
        self._kind: type[GuardLike] | None = type(guard) if guard else None
        self._recipe = {name: getattr(guard, name) for name in RECIPE if guard}
        self._named, self._guards, self._stamp = symbol, guards, stamp
        super().__init__(**others)

    # ------------------------------------------------------------ time

    def start(self) -> None:
        """Begin a run; nothing is remembered of the last one."""
        super().start()
        self.vetoes: list[Veto] = []
        self.faults: list[Fault] = []
        self.guard, self._given = self._given or self._fresh(), None
        feeds = self.cerebro.datas
        symbol = self._named or (self.guard.symbol if self.guard else "")
        self.pilot = driving(feeds, symbol)
        self.symbol = symbol or self.pilot._name
        self._clock, self._change = self.pilot.lines[0], 0
        self._due: float = 1
        self._times = self.pilot.lines.datetime
        self._shift = bar_of(self.pilot) if self._stamp == "open" else 0
        self.decision = Decision(0, self.symbol)
        self._placing = False
        self._books: dict[int, Book] = {}
        for data in feeds:
            name = symbol_of(data) or self.symbol
            if self._judged(name):
                twin = sum(book.symbol == name for book in self._books.values())
                key = f"{name}#{twin + 1}" if twin else name
                self._books[id(data)] = Book(data, name, key)
        venues = {book.key: self.instrument(book.symbol) for book in self._books.values()}
        self.episodes = Episodes(venues)
        self._ahead = iter(self._samples()) if self.guard and self._samples else None
        self._sample = next(self._ahead, None) if self._ahead else None
        self._reader = None
        if self.guard and not self._ahead:
            self._reader = LineReader(self.guard, feeds, self.pilot, self.symbol)
        reads = self.guard and reads_account(self.guard.plan)
        self.ledger = Ledger(self, self.pilot) if reads else None

    def _fresh(self) -> GuardLike | None:
        return self._kind(**self._recipe) if self._kind else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the guard behind: another process makes its own from the same rules."""
        return {**vars(self), "_given": None, "guard": None, "_ahead": None}

    def _judged(self, symbol: str) -> bool:
        if self._guards is not None:
            return self._guards(symbol)
        if self.guard is not None and self.guard.symbol:
            return self.guard.ruleset.guarded(symbol)
        return symbol == self.symbol

    def next(self) -> None:
        """Fill what was ordered, then follow the bar that has closed."""
        if not self.p.checksubmit:
            self._arrange()
        super().next()
        if self._clock.lencount >= self._due:
            self._follow(self._clock.lencount)

    def _now(self) -> int:
        return nanoseconds(self._times[0]) + self._shift

    def _follow(self, bars: int) -> None:
        try:
            decision = self._decide(bars)
        except Exception as error:  # noqa: BLE001 - whatever fails, entries are denied
            decision = self._blocked(error)
        changed = decision is not self.decision
        self.decision = decision
        tight = decision.state is not State.ACTIVE
        begun = [book for book in self._books.values() if len(book.data)]
        if changed:
            self.episodes.see(decision, {book.key: held(self, book.data) for book in begun})
        for book in begun:
            if tight:
                self.episodes.note(book.key, held(self, book.data))
            try:
                if tight:
                    enforce(self, book)
                elif changed:
                    release(self, book)
            except Exception as error:  # noqa: BLE001 - the run goes on, the fault is told
                self.faults.append(Fault(self._now(), foreign(f"{type(error).__name__}: {error}")))
        self._due = bars + 1
        if self.track is not None and not tight:
            starts = self.track.starts
            later = starts[self._change] if self._change < len(starts) else math.inf
            self._due = later + 1

    def _decide(self, bars: int) -> Decision:
        if self.track is not None:
            starts, decision = self.track.starts, self.decision
            while self._change < len(starts) and starts[self._change] < bars:
                decision = self.track.decisions[self._change]
                self._change += 1
            return decision
        assert self.guard is not None  # noqa: S101 - the constructor saw to it
        decision = self.decision
        for sample in self._news(bars):
            decision = self.guard.update(sample)
        return decision

    def _news(self, bars: int) -> Iterable[Sample]:
        now = self._now()
        if self._reader is not None:
            return self._with_account(self._reader.samples(now, bars - 1))
        found = []
        while self._sample is not None and self._sample.ts <= now:
            found.append(self._sample)
            self._sample = next(self._ahead or iter(()), None)
        return self._with_account(found)

    def _with_account(self, found: list[Sample]) -> list[Sample]:
        """Put the account into the last sample, which is the guarded symbol's."""
        if self.ledger is not None and found:
            found[-1] = found[-1]._replace(values={**found[-1].values, **self.ledger.values()})
        return found

    def notify(self, order: Order) -> None:
        """Tell the strategy of an order, and the ledger of its fills."""
        if self.ledger is not None:
            self.ledger.note(order)
        super().notify(order)

    def add_cash(self, cash: float) -> None:
        """Add cash, or take it out: the guard counts it as no gain and no loss."""
        if self.ledger is not None:
            self.ledger.move(cash)
        super().add_cash(cash)

    def _blocked(self, error: Exception) -> Decision:
        self.faults.append(Fault(self._now(), foreign(f"{type(error).__name__}: {error}")))
        return replace(
            self.decision,
            ts=self._now(),
            state=max(State.REDUCING, self.decision.state),
            block_entries="both",
            reduce_only=True,
            winners={**self.decision.winners, "block_entries": ("guard_error",)},
        )

    # ------------------------------------------------------------ orders of our own

    def place(self, book: Book, size: float, **more: object) -> Order:
        """Send an order of the guard: past the margin test, at open(t+1) in every mode."""
        send = self.buy if size > 0 else self.sell
        owner = book.owner or self.cerebro.runningstrats[0]
        winners = self.decision.winners
        reasons = [f"{name} <- {names[0]}" for name, names in winners.items() if names]
        self._placing = True
        try:
            return send(
                owner,
                book.data,
                abs(size),
                _checksubmit=False,
                coc=False,
                own="guard",
                riskguard=reasons,
                **more,
            )
        finally:
            self._placing = False

    def check_submitted(self) -> None:
        """Accept what cash allows; a stop of our own waits for what fills nearer to the open."""
        super().check_submitted()
        self._arrange()

    def _arrange(self) -> None:
        if self.decision.stop is None:
            return
        for book in self._books.values():
            if book.stop is not None and len(book.data):
                arrange(self, book.data)

    def _try_exec(self, order: Order) -> None:
        book = self._books.get(id(order.data))
        own = book is not None and book.stop is not None and order.ref == book.stop.order.ref
        if own and not may_fill(self, order):
            return
        super()._try_exec(order)
        if own and book and not order.alive():
            strays(self, book)  # nothing may fill after it in this bar

    # ------------------------------------------------------------ orders of the strategy

    def submit(self, order: Order, check: bool = True) -> Order:  # noqa: FBT001, FBT002 - BackBroker's
        """Judge an order; a refused one comes back as Rejected, never as None."""
        book = self._books.get(id(order.data))
        if self._placing or book is None:
            return super().submit(order, check)
        book.owner = order.owner or book.owner
        if self.decision.state is State.ACTIVE:
            if order.parent is None and not order.transmit:
                book.parked[order.ref] = (order, self.decision)
            elif order.parent is not None and order.transmit:
                book.parked.pop(order.parent.ref, None)
            return super().submit(order, check)
        if order.parent is not None:
            return self._submit_child(book, order, check)
        granted = self._judge(book, order)
        if not granted:
            return self._refuse(order)
        if not order.transmit:
            book.parked[order.ref] = (order, self.decision)
        return super().submit(order, check)

    def _submit_child(self, book: Book, order: Order, check: bool) -> Order:  # noqa: FBT001 - BackBroker's
        parent = order.parent
        parked = book.parked.get(parent.ref)
        if parked and parked[1] is not self.decision and not self._judge_again(book, parent):
            return super().submit(order, check)  # the parent is gone: BackBroker rejects it
        enters = book.parents.get(parent.ref, True)
        if parent.status in {order.Canceled, order.Expired, order.Margin, order.Rejected}:
            return self._refuse(order)
        if not parent.alive() or not enters or order.isbuy() == parent.isbuy():
            if not self._judge(book, order):
                return self._refuse(order)
        elif abs(order.executed.remsize) > abs(parent.size):
            amend(order, abs(parent.size))
        if order.transmit:
            book.parked.pop(parent.ref, None)
        return super().submit(order, check)

    def _judge_again(self, book: Book, parent: Order) -> bool:
        """Judge an order parked before this decision; a refusal takes its group along."""
        group = [order for order in self._pchildren[parent.ref] if order.ref != parent.ref]
        del book.parked[parent.ref]
        if not self._judge(book, parent):
            self._pchildren.pop(parent.ref, None)
            for order in (parent, *group):
                self._refuse(order)
            return False
        book.parked[parent.ref] = (parent, self.decision)
        for order in group:
            if abs(order.executed.remsize) > abs(parent.size):
                amend(order, abs(parent.size))
        return True

    def _judge(self, book: Book, order: Order) -> float:
        """Return what is granted, with the order cut to it."""
        asked = abs(order.executed.remsize)
        position = held(self, book.data)
        against = abs(position) if order.executed.remsize * position < 0 else 0.0
        side = "buy" if order.isbuy() else "sell"
        try:
            verdict = self._verdict(book, order, asked, position)
            granted, effect = verdict.quantity, verdict.effect
            reasons = tuple(reason.text for reason in verdict.reasons)
            for found in list(waiting(self, book)):
                if str(found.ref) in verdict.cancel_first:
                    drop(self, found)
        except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
            self.faults.append(Fault(self._now(), foreign(f"{type(error).__name__}: {error}")))
            room = against - leaving(self, book, order)
            granted, effect, reasons = max(0.0, min(asked, room)), "close", ("guard_error",)
        if granted > against * (1 + RESIDUE):
            book.entries.add(order.ref)
        book.parents[order.ref] = effect in {"open", "add"}
        if granted < asked:
            self.vetoes.append(Veto(self._now(), book.symbol, side, asked, granted, reasons))
            order.addinfo(riskguard=list(reasons))
            if granted:
                amend(order, granted)
        return granted

    def _verdict(self, book: Book, order: Order, asked: float, position: float) -> Verdict:
        side = "buy" if order.isbuy() else "sell"
        open_orders = pending(self, book, order)
        price = book.data.close[0]
        intent = Intent(self._now(), book.key, side, asked, position, open_orders, price=price)
        return self.episodes.judge(intent, self.decision, equity=self._value)

    def instrument(self, symbol: str) -> Instrument:
        """Return how the venue counts a symbol."""
        known = self.guard.instruments if self.guard else {}
        return known.get(symbol, Instrument())

    def _refuse(self, order: Order) -> Order:
        order.reject(self)
        self.notify(order)
        return order
