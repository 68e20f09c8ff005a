"""A guard that remembers: events in; decisions, verdicts and duties out; all of it on disk.

What tightens is in force before it is stored, what loosens only once it is: while the disk
refuses, the stricter of both holds, and every answer says `degraded`. What a guard is told is
stored with what it decided, so that a journal can be decided again.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from riskguard._version import VERSION
from riskguard.engine.asking import asking
from riskguard.engine.events import Event, Refused, nanoseconds
from riskguard.engine.gate import exit_alone
from riskguard.engine.orders import Reason
from riskguard.engine.recorded import recorded
from riskguard.engine.strictest import looser, strictest
from riskguard.errors import RiskguardError
from riskguard.live.flapping import Flapping
from riskguard.live.forgetting import Forgetting
from riskguard.live.memory import Memory, begun, kept, restored
from riskguard.live.operating import DRILLED, REFUSED, ordered, worded
from riskguard.live.recorder import Recorder
from riskguard.live.reloading import succeeded, unchanged
from riskguard.live.requests import KILL, answered, pending, swept, switched
from riskguard.live.rules import Fit, Loaded
from riskguard.live.standing import standing
from riskguard.live.ticker import Ticker
from riskguard.live.warming import advice
from riskguard.store import Entry, Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.engine.orders import Action, Intent, Verdict
    from riskguard.live.acting import Acting

__all__ = ["Session"]

INPUTS = 512  # inputs after which what the guard remembers is stored again
# what a bot stamps by its own clock: no feed that could agree with it
BY_HOST = ("account", "trade_closed", "alive", "clock", "operator")  # a kind may be unhashable
BEHIND = "the clock was behind what is stored: how old the data is, no feed has confirmed yet"


class Session:
    """One guard in one live process, its state in one folder.

    `rules` is a rule file, `state` the folder of its memory: a second process that wants it is
    refused. Events come by `take`, time by `tick` (about once a second); before each order ask
    `decide`, after each event do what `poll` lists, and tell what was done by `done`. `plugins`
    are the names of those that rules may use.

    Raises:
        RuleError: the rules cannot be read, or do not fit the bot.
        PluginError: an action that the rules name cannot be made.
        StateInUseError: another process holds the state.
    """

    tells = True  # action plug-ins hear what rules ask of them

    def __init__(
        self,
        rules: Path | str,
        state: Path | str,
        *,
        fit: Fit | None = None,
        ticker: Ticker | None = None,
        plugins: Iterable[str] = (),
    ) -> None:
        self.path, self.folder = Path(rules), Path(state)
        self.fit, self.ticker = fit or Fit(), ticker or Ticker()
        if plugins:
            named = frozenset({plugins} if isinstance(plugins, str) else plugins)
            self.fit = replace(self.fit, plugins=self.fit.plugins | named)
        self.acting: Acting | None = None  # what tells action plug-ins, where rules name any
        if self.fit.plugins:
            from riskguard.plugins import permit  # noqa: PLC0415 - rarely needed

            permit(self.fit.plugins)  # what was kept of earlier rules is read again as well
        self.lock = threading.RLock()
        self.stale = ""  # why the rule file that lies there now is not in force
        self.killed = False
        self._begun = False  # something has been taken since the start
        self._since = 0  # inputs stored since the last snapshot
        self._answered: set[str] = set()  # requests that were obeyed and could not be removed
        loaded = Loaded.read(self.path, self.fit)
        first = Memory(loaded, loaded.guard())
        self.store = Store(self.folder, clock=self.ticker.seconds, now=self.ticker.now)
        self.forgetting = Forgetting(self.store)
        try:
            self._start(first)
        except BaseException:
            self.store.close()
            raise

    # ------------------------------------------------------------ what a bot does

    @property
    def guard(self) -> Guard:
        """The guard of the rules in force."""
        return self.recorder.guard

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        return self.recorder.guard.decision

    def take(self, event: Event) -> Decision:
        """Take one event from a feed and return the decision in force."""
        with self.lock:
            if event.kind not in BY_HOST:
                self.ticker.heard(_stamped(event))
            return self._told(_received(event, self.ticker.now()))

    def tick(self) -> Decision:
        """Let time pass: to be called about once a second, also while no feed speaks."""
        with self.lock:
            self._operate()
            if self.store.retry() and self.recorder.held is not None:
                self.recorder.hold(None)
            decision = self._told(Event(self.ticker.now(), "clock", "*", source="clock"))
            self.forgetting.step(self._now(), self.loaded.hash)
            return decision

    def decide(self, intent: Intent) -> Verdict:
        """Judge one order by the clock of this session; never raises, exits pass."""
        with self.lock:
            try:
                verdict = self._judged(intent)
            except Exception as error:  # noqa: BLE001 - whatever fails, exits pass and entries do not
                verdict = exit_alone(intent, error, decision=self.decision, as_of=self.guard.as_of)
            if self.store.degraded:
                said = Reason("degraded", "", f"degraded: {self.store.degraded}")
                verdict = verdict._replace(reasons=(*verdict.reasons, said))
            return verdict

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what is to be done unasked and is not done yet."""
        with self.lock:
            return self.guard.poll(symbol)

    def done(self, *ids: str) -> bool:
        """Take note that actions were carried out and seen in the position; say if it is stored."""
        with self.lock:
            entries = [Entry(self._now(), "action_done", {"id": one}) for one in ids]
            for one in ids:
                self.guard.done(one)
            return self._commit(entries, whole=True)

    def prime(self, events: Iterable[Event]) -> Decision:
        """Take history, oldest first: what a venue serves of the time before now."""
        with self.lock:
            self._begun = True
            self.recorder.flapping = None  # what turned in history has whipped nobody
            self.intake.primes = True
            try:
                for event in events:
                    if _stamped(event) > self.guard.as_of:
                        self.intake.take(_received(event, self.ticker.now()))
            finally:  # an event that is none ends the history, and what was told of it stands
                self.flapping.settle()
                self.recorder.flapping, self.intake.primes = self.flapping, False
                self.recorder.pause()
                self.intake.gap()
                self._commit([self._decided("primed")], whole=True)
            self._act()
            return self.decision

    def reload(self) -> str:
        """Put the rule file as it lies there now in force; return why not, "" where it is.

        A file with any error changes nothing. A rule that is on and was changed or dropped
        stays on as it was, until it clears or is released. A plug-in that was quarantined
        begins anew.
        """
        with self.lock:
            try:
                loaded = Loaded.read(self.path, self.fit)
                failed = self.guard.quarantined or (self.acting and self.acting.quarantined)
                if loaded.hash != self.loaded.hash or failed:
                    self._replace(loaded)
            except (RiskguardError, OSError) as error:
                self.stale = str(error)
                entry = Entry(self._now(), "reload_refused", {"why": self.stale[:4000]})
                self._commit([entry])
                return self.stale
            self.stale = ""
            return ""

    def close(self) -> None:
        """Store what the guard remembers and give the state back."""
        with self.lock:
            entries = [] if self.acting is None else self.acting.closed(self._now())
            self._commit([*entries, Entry(self._now(), "stopped", {})], whole=True)
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self) -> dict[str, Any]:
        """Return how the guard is, and the process around it, as JSON holds it."""
        with self.lock:
            return standing(self.recorder, self.loaded) | {
                "degraded": self.store.degraded,
                "stale_rules": self.stale,
                "killed": self.killed,
                "clock_off_ns": self.ticker.doubt(),
                "clock_behind": self.ticker.behind,
                "intake_refused": dict(self.intake.refused),
                "coverage": dict(self.intake.coverage),
                "venues": self.intake.venues,
                **({} if self.acting is None else {"actions": self.acting.status()}),
            }

    # ------------------------------------------------------------ inside

    def _start(self, first: Memory) -> None:
        found = self.store.restored
        fresh = found.fresh or bool(found.lost)
        memory = first if fresh else restored(found)
        self.acting = self._following(first.guard, memory.acts)
        self.ticker.since(memory.guard.as_of)
        self._put(memory)
        self.intake.rewind(self.ticker.now())  # the clock of the last process may have been ahead
        if found.lost:
            self.recorder.lose(self._now(), found.lost)
        if memory.loaded.hash != first.loaded.hash or memory.loaded.fit != self.fit:
            self._replace(first.loaded)
        self.loaded.file = first.loaded.file
        about = self.loaded.about() if fresh else {}
        started = self._decided("started", riskguard=VERSION, about=about)
        self._commit([started], whole=True, about=True)
        swept(self.folder)
        self._operate()  # before the first event
        self._act()

    def _put(self, memory: Memory) -> None:
        self.loaded, self.killed = memory.loaded, memory.killed
        self.flapping = Flapping(memory.guard, memory.turns)
        self.recorder = Recorder(memory.guard, memory.formers, self.flapping)
        self.intake = begun(memory, self.recorder)

    def _replace(self, loaded: Loaded) -> None:
        """Put other rules in force; raises where they do not fit, and has changed nothing then."""
        before = self.decision
        guard, formers = succeeded(self.recorder, self.loaded, loaded)
        self.acting = self._following(guard, self.acting.told if self.acting else {})
        told, waits = self.recorder.taken(), self.intake.dump()
        same = unchanged(self.guard.ruleset, guard.ruleset)
        turns = {name: times for name, times in self.flapping.turns.items() if name in same}
        self._put(Memory(loaded, guard, formers, self.killed, waits, turns))
        self.recorder.told[:0] = told
        self._settle(before, -1, "reload", about=loaded.about())

    def _judged(self, intent: Intent) -> Verdict:
        now = self.ticker.now()
        if type(intent.ts) is not int or intent.ts < now:  # what an order says makes nothing fresh
            intent = replace(intent, ts=now)
        if not self.killed and switched(self.folder):
            self._operate()
        verdict = self.guard.decide(intent, BEHIND if self.ticker.behind else "")
        primes = any(reason.cause == "priming" for reason in verdict.reasons)
        if primes and (said := advice(self.guard)):
            verdict = verdict._replace(reasons=(*verdict.reasons, Reason("priming", "", said)))
        return verdict

    def _now(self) -> int:
        return max(self.ticker.now(), self.guard.as_of, 0)

    def _told(self, event: Event) -> Decision:
        if not self._begun:
            self._begun = True
            self.recorder.pause()
            self.intake.gap()
        before, instant = self.recorder.decision, self.guard.as_of
        self.intake.take(event)
        self._settle(before, instant)
        self._act()
        return self.decision

    def _decided(self, kind: str, **more: object) -> Entry:
        return Entry(self._now(), kind, {"decision": recorded(self.recorder.decision), **more})

    def _settle(
        self, before: Decision, instant: int, kind: str = "decision", **more: object
    ) -> None:
        """Store what changed; what allows more than before waits until it is stored."""
        now = self.recorder.decision
        changed = kind != "decision" or now != before
        if not changed and self.guard.as_of == instant:
            return
        entries = [self._decided(kind, **more)] if changed else []
        stored = self._commit(entries, whole=changed, about="about" in more)
        if not stored and changed and looser(now, before):
            held = self.recorder.held
            self.recorder.hold(before if held is None else strictest(held, before))

    def _commit(self, entries: list[Entry], *, whole: bool = False, about: bool = False) -> bool:
        """Store entries with the inputs that led to them; `whole` with all that is remembered."""
        told = self.recorder.taken()
        self._since += len(told)
        whole = whole or self._since >= INPUTS
        if whole:
            self._since = 0
        now = self._now()
        return self.store.commit(
            entries,
            rule_hash=self.loaded.hash,
            inputs=[(now, {"told": row}) for row in told],
            snapshot=kept(self) if whole else None,
            about=self.loaded.about() if about else None,
        )

    # ------------------------------------------------------------ action plug-ins

    def _following(self, guard: Guard, told: dict[str, list[Any]]) -> Acting | None:
        """Return the action plug-ins of these rules; those that run go on."""
        if self.acting is None and not (self.tells and asking(guard.ruleset)):
            return None
        from riskguard.live.acting import Acting  # noqa: PLC0415 - rarely needed

        return Acting(guard.ruleset, told, self.acting)

    def _act(self) -> None:
        """Tell action plug-ins what rules ask of them, once it is stored that they are told."""
        if self.acting is not None:
            due = self.acting.due(self.guard)
            entries = self.acting.entries(due, self._now())
            if entries:
                self._commit(entries, whole=True)
            self.acting.tell(due, self.decision)

    # ------------------------------------------------------------ the operator

    def _operate(self) -> None:
        """Do what the kill switch and the waiting requests say."""
        with suppress(OSError):  # nobody can look: orders are refused meanwhile, and time goes on
            killed = switched(self.folder)
            if killed and not self.killed:
                self._obey({"do": "halt", "by": KILL, "note": "the kill switch"})
            self.killed = killed
        for path, request in pending(self.folder):
            if path.name not in self._answered:
                refused = request if isinstance(request, str) else self._obey(request)
                told = {"degraded": self.store.degraded}
                if isinstance(request, dict) and request.get("do") == "status":
                    told = self.status()
                if not answered(path, refused, told):
                    self._answered.add(path.name)

    def _obey(self, request: dict[str, Any]) -> str:
        """Do what an operator asks; return why not, "" where it is done."""
        asked, now = worded(request), self._now()
        do = asked.get("do")
        if do == "status":
            return ""
        if do == "reload":
            return self.reload()
        if do == DRILLED:
            self._commit([Entry(now, DRILLED, asked)])
            return ""
        before = self.recorder.decision
        refused = ordered(self.intake, self.folder, now, asked)
        if refused:
            self._commit([Entry(now, REFUSED, {"asked": asked, "why": refused[:4000]})])
            return refused
        self._settle(before, -1, "operator", asked=asked)
        return ""


def _received(event: Event, now: int) -> Event:
    """Return an event as it is heard now: nobody has heard one later, whatever it says."""
    known = event.available_at
    with suppress(Refused):  # the intake counts what is no time
        if known is None or nanoseconds(known)[0] > now:
            return replace(event, available_at=now)
    return event


def _stamped(event: Event) -> int:
    """Return the time an event speaks of, 0 where it says none: the intake counts it."""
    try:
        return nanoseconds(event.ts)[0]
    except Refused:
        return 0
