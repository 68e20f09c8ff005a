"""A drill: the way from a halt to a flat position, gone step by step on paper.

A session of its own, in a folder of its own, with the rules that are given: halted by request and
by the kill switch, its duties carried out on a paper venue, killed and started again in between.
Whatever is not as it must be ends the drill with the step it happened at.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.decision import State
from riskguard.engine.events import Event
from riskguard.errors import RuleError, StateError
from riskguard.live.paper import PRICES, Paper, account, calm
from riskguard.live.requests import KILL, asked, leave
from riskguard.live.rules import Fit, Loaded
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import HOUR, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from riskguard.engine.orders import Verdict

__all__ = ["Drilled", "drill", "fitting"]

HELD, MORE = 2.0, 1.0  # units of the position, and of an entry
MOMENT = 1_000_000  # ns between two steps
TRIP = ("cancel_entries", "cancel_all", "flatten")


class Drilled(NamedTuple):
    """One step: what was done, and what was seen; `fault` says what was not as it must be."""

    done: str
    seen: str
    fault: str = ""


class Silent(Session):
    """A session that calls no action plug-in: nobody is woken by a drill."""

    tells = False


class Missed(Exception):  # noqa: N818 - a finding of the drill, not an error
    """Something is not as it must be."""


def drill(rules: Path, folder: Path, fit: Fit) -> Iterator[Drilled]:
    """Go the way and yield each step; the first that fails is the last.

    Raises:
        RuleError: the rules cannot be read, or do not fit.
    """
    run = Drill(rules, folder, fit)
    steps = (
        ("a calm market is told", run.start),
        ("an entry is asked for", run.enter),
        (f"{HELD:g} units are held, an entry and a stop rest", run.hold),
        ("halted by request", run.halt),
        ("orders are asked for", run.ask),
        ("duties are asked for", run.duties),
        ("killed, and started again", run.restart),
        ("duties are carried out on paper", run.carry_out),
        ("they are told as done, and it starts again", run.verify),
        ("resumed by request", run.resume),
        (f"the file {KILL} is laid in the folder", run.kill),
        (f"{KILL} is removed, resumed by request", run.resume),
    )
    try:
        for done, step in steps:
            try:
                yield Drilled(done, step())
            except (Missed, StateError) as why:
                yield Drilled(done, "", str(why))
                return
    finally:
        run.close()


def fitting(rules: Path) -> Fit:
    """Return what a drill makes rules fit, where no bot says it: a bar, and a source with floors.

    Raises:
        RuleError: they fit nothing.
    """
    loaded = Loaded.read(rules, Fit())
    params = loaded.unbound.params.values()
    sources = list(dict.fromkeys(name for one in params for name in one.by_source))
    every = 0 if loaded.unbound.every else HOUR
    symbol = loaded.unbound.symbol or "BTC"
    first: RuleError | None = None
    for source in ["", *sources]:
        keys = dict.fromkeys(("liq.long", "liq.short", "liq.total"), source) if source else {}
        fit = Fit(symbol=symbol, every=every, sources=keys)
        try:
            Loaded(loaded.unbound, fit).guard()
        except RuleError as error:
            first = first or error
        else:
            return fit
    raise first or RuleError(())


class Drill:
    """One drill: a clock of its own, a session, and a venue on paper."""

    def __init__(self, rules: Path, folder: Path, fit: Fit) -> None:
        self.rules, self.folder, self.fit = rules, folder, fit
        self.first = self.now = time.time_ns() // SECOND * SECOND
        self.place = folder
        self.paper = Paper("BTC", PRICES[0])
        self._opened: Session | None = None
        self.before: Verdict | None = None
        self.state = State.ACTIVE

    def close(self) -> None:
        """Give the state back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # ------------------------------------------------------------ steps

    def start(self) -> str:
        """Tell a history in which nothing happens, at the first price that trips no rule."""
        for number, price in enumerate((*PRICES, PRICES[0])):
            self.close()
            self.place = self.folder / f"state-{number}"
            self._begin(price)
            if self.session.decision.state is State.ACTIVE:
                break
        self.state = self.session.decision.state
        return f"{self.session.loaded.hash[:12]}, {self.paper.symbol} at {price:,g}: {self._why()}"

    def enter(self) -> str:
        """Ask for an entry before anything is halted: what comes after is compared with that."""
        self.before = self._ask("buy", MORE)
        if self.state is State.ACTIVE:
            _must(self.before.answer == "allow", f"an entry is refused: {_said(self.before)}")
            return "it is granted"
        return f"{self.before.answer} by the rules themselves, and so it must be after the drill"

    def hold(self) -> str:
        """Hold a position, with one entry and one stop that rest."""
        self.paper.position = HELD
        self.paper.rest("entry", "buy", MORE)
        self.paper.rest("stop", "sell", HELD, reduce_only=True)
        self._tell_position()
        known = self.session.guard.episodes.of(self.paper.symbol).position
        _must(known == HELD, f"the guard knows a position of {known}")
        return "the guard knows the position"

    def halt(self) -> str:
        """Halt by a request in the folder, as `riskguard halt` leaves it."""
        self._request("halt")
        self._halted()
        return "HALTED, LATCHED"

    def ask(self) -> str:
        """Ask for an entry, an exit, and an exit that is too large."""
        self._refused_entry()
        some = self._ask("sell", HELD / 4)
        _must(some.answer == "allow", f"an exit of {HELD / 4:g} is cut: {_said(some)}")
        large = self._ask("sell", 3 * HELD)
        _must(large.quantity == HELD, f"of an exit too large {large.quantity:g} pass: {HELD:g} may")
        return "the entry is denied by hand, an exit passes, none can turn the position round"

    def duties(self) -> str:
        """Ask for what is to be done: cancels first, then flat."""
        kinds = [action.kind for action in self.session.poll(self.paper.symbol)]
        _must("flatten" in kinds, f"to flatten is not listed: {', '.join(kinds) or 'nothing'}")
        cancels = [kind for kind in kinds[: kinds.index("flatten")] if kind in TRIP]
        _must(bool(cancels), "to cancel what rests does not stand before to flatten")
        return ", ".join(kinds)

    def restart(self) -> str:
        """Lose the process without a word, and look before the first event."""
        ids = [action.id for action in self.session.poll(self.paper.symbol)]
        self._restart()
        self._halted()
        self._refused_entry()
        again = [action.id for action in self.session.poll(self.paper.symbol)]
        _must(again == ids, f"other duties than before: {', '.join(again) or 'none'}")
        return "HALTED before the first event, with the same duties"

    def carry_out(self) -> str:
        """Carry the duties out on paper, each order through the gate."""
        for action in self.session.poll(self.paper.symbol):
            if action.kind in ("cancel_entries", "cancel_all"):
                self.paper.cancel(entries_only=action.kind == "cancel_entries")
            elif action.kind == "flatten":
                intent = self.paper.intent(self._tick(), "sell", self.paper.position, close=True)
                verdict = self.session.decide(intent)
                _must(verdict.quantity == HELD, f"the exit is cut: {_said(verdict)}")
                self.paper.fill(intent, verdict)
        _must(not self.paper.entries, f"an entry still rests: {', '.join(self.paper.entries)}")
        _must(self.paper.position == 0.0, f"{self.paper.position:g} units are still held")
        self.paper.cancel(entries_only=False)
        return "nothing is held, nothing rests"

    def verify(self) -> str:
        """Read the position again, tell the duties as done, and see that they do not come back."""
        self._tell_position()
        self.session.done(*(action.id for action in self.session.poll(self.paper.symbol)))
        self._restart()
        left = [one.kind for one in self.session.poll(self.paper.symbol) if one.kind in TRIP]
        _must(not left, f"still asked for: {', '.join(left)}")
        self._halted()
        return "nothing is asked for again, and it is HALTED still"

    def resume(self) -> str:
        """End the halt; an entry is judged as it was before."""
        self._request("resume")
        state, now = self.session.decision.state, self._ask("buy", MORE)
        before = self.before
        _must(state is self.state, f"{state.name} after the halt, {self.state.name} before it")
        same = before is not None and (now.answer, now.quantity) == (before.answer, before.quantity)
        _must(same, f"an entry is judged otherwise than before the halt: {_said(now)}")
        return f"{state.name}, an entry is {PAST[now.answer]} as before"

    def kill(self) -> str:
        """Lay the kill switch; it holds at the next order, and no resume goes past it."""
        (self.place / KILL).touch()
        self._refused_entry()
        self._halted()
        refused = self._left("resume")
        _must(bool(refused), f"resumed while {KILL} lies there")
        self._restart()
        self._halted()
        (self.place / KILL).unlink()
        return "HALTED at the next order and after a restart; no resume goes past it"

    # ------------------------------------------------------------ inside

    def _begin(self, price: float) -> None:
        guard = Loaded.read(self.rules, self.fit).guard()
        symbol = guard.symbol or self.fit.symbol or "BTC"
        close = self.first // guard.plan.every * guard.plan.every
        self.now = close + 3 * SECOND
        self.paper = Paper(symbol, price)
        self._open()
        self.session.prime(calm(guard, symbol, price, close))
        self.session.tick()

    def _open(self) -> None:
        ticker = Ticker(wall=lambda: self.now, elapsed=lambda: self.now)
        self._opened = Silent(self.rules, self.place, fit=self.fit, ticker=ticker)

    @property
    def session(self) -> Session:
        """The session; the first step opens it."""
        if self._opened is None:
            raise Missed("no session was begun")
        return self._opened

    def _restart(self) -> None:
        self.session.store.close()  # without a last word
        self._opened = None
        self._tick()
        self._open()

    def _tick(self) -> int:
        self.now += MOMENT
        return self.now

    def _ask(self, side: str, quantity: float) -> Verdict:
        return self.session.decide(self.paper.intent(self._tick(), side, quantity))

    def _tell_position(self) -> None:
        data = account(self.paper.position, self.paper.price)
        self.session.take(Event(self._tick(), "account", self.paper.symbol, data))
        self.session.tick()

    def _left(self, do: str) -> str:
        """Leave a request and return why it is refused."""
        path = leave(self.place, {"do": do, "by": "riskguard drill", "note": "a drill"})
        self._tick()
        self.session.tick()
        answer = asked(path, 0.0)
        if answer is None:
            raise Missed(f"nobody answered to {do}")
        return answer

    def _request(self, do: str) -> None:
        refused = self._left(do)
        _must(not refused, f"{do} is refused: {refused}")

    def _halted(self) -> None:
        decision = self.session.decision
        _must(decision.state is State.HALTED, f"{decision.state.name}; HALTED must be")
        _must(decision.latched, "it is not latched: what halts by hand ends by hand")

    def _refused_entry(self) -> None:
        verdict = self._ask("buy", MORE)
        _must(verdict.quantity == 0.0, f"an entry of {verdict.quantity:g} passes")
        causes = {reason.cause for reason in verdict.reasons}
        _must("manual" in causes, f"an entry is denied, and not by the halt: {_said(verdict)}")

    def _why(self) -> str:
        decision = self.session.decision
        causes = [*decision.active, *(f"blind to {name}" for name in decision.blind)]
        causes += [*decision.priming]
        return decision.state.name + (f" ({'; '.join(causes)})" if causes else "")


PAST = {"allow": "granted", "deny": "denied", "resize": "cut"}


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it is what must hold
    if not holds:
        raise Missed(otherwise)


def _said(verdict: Verdict) -> str:
    return "; ".join(reason.text for reason in verdict.reasons) or verdict.answer
