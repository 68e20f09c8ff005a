"""One seed, one world: a virtual clock, feeds, a bot on paper, a disk, an operator, restarts.

A seed switches on a random part of all faults (swarm); `run` plays them, then stops them and sees
the guard come back to what a guard that was never disturbed decides.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from riskguard.engine.decision import Decision, State
from riskguard.engine.events import NEAR, STILL, Event, nanoseconds, number
from riskguard.engine.guard import Guard
from riskguard.engine.intake import Intake
from riskguard.errors import DataError
from riskguard.language.reader import read_text
from riskguard.live.requests import KILL
from riskguard.live.rules import Fit
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import MINUTE, SECOND
from riskguard.store import Journal
from tests.sim import promises
from tests.sim.disk import Disk
from tests.sim.drawn import SLOWEST, Rules
from tests.sim.feeds import FAULTS, OTHERS, SERIES, UNITS, Delivery, Feeds
from tests.sim.market import PERP, START, Market
from tests.sim.operating import OPERATIONS, Operator
from tests.sim.trader import Trader

__all__ = ["World"]

TICK = 5 * SECOND
AHEAD = 5 * SECOND  # what comes from further in the future is refused
SLACK = MINUTE + 3 * TICK  # a bucket, and the time until somebody looks
CRASH = 30  # bars
SEVERAL = 60_000  # from this seed on a third of the guards is told its price by several venues
REMEMBER = 50_000  # from this seed on files hold what no history tells; earlier ones stay as kept


class World:
    """Everything around one session; `tell` takes a line of the trace."""

    def __init__(
        self, seed: int, folder: Path, tell: Callable[[str], object] = lambda _: None
    ) -> None:
        dice = random.Random(seed)

        def new() -> random.Random:
            return random.Random(dice.random())

        self.seed, self.tell, self.dice = seed, tell, new()
        self.rules_file, self.state = folder / "rules.yaml", folder / "state"
        self.now, self.skew = START, 0
        remembers = seed >= REMEMBER
        self.rules = Rules(new(), remembers=remembers)
        while read_text(self.rules.text, "rules.yaml")[0] is None:
            self.rules = Rules(new(), remembers=remembers)
        self.rules_file.write_text(self.rules.text)
        others = OTHERS if seed >= SEVERAL and seed % 3 == 0 else ()
        self.fit = Fit(sources={"close": ("bar", *others, "trade")} if others else {})
        self.market, self.trader, self.disk = Market(new(), others), Trader(new()), Disk(new())
        self.feeds = Feeds(new(), [kind for kind in FAULTS if dice.random() < 0.4], others)
        self.operations = [name for name in OPERATIONS if dice.random() < 0.5]
        self.often = 0.02  # the chance of one of them at each tick
        self.operator = Operator(self, new())
        self.coming: list[Delivery] = []
        self.sound: dict[str, int] = {}  # series -> the time of the last sound event that arrived
        self.acked: Decision | None = None  # the last decision answered as stored
        self.beside: Intake | None = None  # the guard that was never disturbed
        self.clean = 0  # what is brought after this delivery is undisturbed
        self.bar = self.steps = 0
        self.seen: Counter[str] = Counter()
        self.disk.plug()
        self.session = self.begun()

    def begun(self) -> Session:
        """Start a process."""
        booted = self.now - self.dice.randrange(10**15)
        ticker = Ticker(wall=lambda: self.now + self.skew, elapsed=lambda: self.now - booted)
        return Session(self.rules_file, self.state, ticker=ticker, fit=self.fit)

    def run(self) -> Counter[str]:
        """Play faults, then none; return what happened how often."""
        try:
            for _ in range(self.dice.randint(30, 90)):
                self.minute(faults=True)
            self.recover()
            self.session.close()
            promises.unbroken(Journal(self.state))
        finally:
            self.session.store.close()
            self.disk.unplug()
        return self.seen + self.trader.seen + self.feeds.met

    # ------------------------------------------------------------ time

    def minute(self, *, faults: bool) -> None:
        """Play one bar."""
        self.happen(self.now + MINUTE)
        end = START + self.bar * MINUTE
        while self.now < end:
            self.now = min(end, self.now + TICK)
            self.deliver()
            self.tick()
            if faults and self.operations and self.dice.random() < self.often:
                self.operator.operate(self.dice.choice(self.operations))
            self.trader.act(self.session, self.session.ticker.now())
            self.step("orders", lambda: None)

    def happen(self, until: int) -> None:
        """Let the market go on, and put on its way what feeds make of it."""
        while START + (self.bar + 1) * MINUTE <= until:
            self.bar += 1
            for one in self.feeds.minute(self.bar, list(self.market.minute(self.bar))):
                heapq.heappush(self.coming, one)

    def deliver(self) -> None:
        """Bring what has arrived."""
        while self.coming and self.coming[0].at <= self.now:
            one = heapq.heappop(self.coming)
            if (one.switched and not self._told_apart(one.event)) or self._ahead(one.event):
                continue
            event = one.event
            if one.sound and event.kind == "account" and event.symbol == PERP:
                data = {**event.data, "position": self.trader.position}
                one = one._replace(event=replace(event, data=data))
            if self.beside is not None and one.number > self.clean:
                self.beside.take(replace(one.event, available_at=self.now))
            self.step(f"{one.feed} {event.kind}", lambda one=one: self.take(one), slow=False)

    def _told_apart(self, event: Event) -> bool:
        """Say whether a change of unit can be known as one: by what was before, at that price."""
        intake = self.session.intake
        value, beside = intake._last.get(("", "oi"), (0.0, 0.0))
        moved = beside and intake._price and abs(intake._price / beside - 1) > STILL
        by = number(event.data, "coins") / value / UNITS if value else 0.0
        return abs(by - 1) <= NEAR and not moved

    def _ahead(self, event: Event) -> bool:
        """Say whether a stamp lies ahead, and the clock of the process too: nobody can know it."""
        clock = self.session.ticker.now()
        return type(event.ts) is int and self.now + AHEAD < min(clock, event.ts)

    def take(self, one: Delivery) -> None:
        refused = sum(self.session.intake.refused.values())
        try:
            self.session.take(one.event)
        except DataError:
            assert not one.sound, "a sound event was refused as a mistake of the host"
        taken = one.sound and sum(self.session.intake.refused.values()) == refused
        ts = nanoseconds(one.event.ts)[0] if taken else 0
        if 0 < ts <= self.now + AHEAD:
            names = (
                ()
                if one.feed == "account" and not self._of_account()
                else SERIES.get(one.feed, SERIES["bar"])
            )
            if one.feed == "trade" and self.session.guard.ruleset.evaluate == "event":
                names = ("close",)
            for name in names:
                self.sound[name] = max(self.sound.get(name, 0), ts)

    def tick(self) -> None:
        """Let the session see the time."""
        if self.beside is not None:
            self.beside.take(Event(self.now, "clock", "*", source="clock"))
        self.step("tick", self.session.tick)

    # ------------------------------------------------------------ what must hold

    def step(self, what: str, act: Callable[[], object], *, slow: bool = True) -> None:
        """Do one thing and check what must hold after it, whatever it was.

        Unless `slow`, what rests on decision, time and position alone is checked where one moved.
        """
        self.steps += 1
        session = self.session
        before, failed = session.decision, session.store._failed
        act()
        now = session.decision
        if now is not before:
            self.seen["decisions"] += 1
            self.tell(f"{self._time()} {what}: {_brief(now)}")
        if self.disk.refuses or (failed and session.store._failed):
            more = promises.allows_more(now, before)
            assert not more, ("loosened though nothing was stored", more)
        if not session.store.degraded:
            self.acked, self.operator.stored = now, self.operator.halted
        if slow or now is not before:
            self.checked()

    def checked(self) -> None:
        """Check the decision in force and what the gate answers."""
        session = self.session
        decision = session.decision
        told = session.status() if self.steps % 500 == 0 else None
        promises.finite(decision, told)
        if not self._of_account():
            self.sound.pop("equity", None)
        held, ts = self.trader.position, session.ticker.now()
        if self.steps % 5 == 0:
            ts = self.now + self.skew  # a bot that stamps its orders by the wall
        shut = self._shut(decision)
        for side, sign in (("buy", 1), ("sell", -1)):
            out = max(0.0, -sign * held)
            verdict = session.decide(self.trader.intent(ts, side, out + 1.0, alone=True))
            assert verdict.quantity >= out, ("an exit was blocked", verdict)
            if shut:
                assert verdict.quantity <= out, (f"entered though {shut}", verdict)
        self.trader.notice(session)

    def _of_account(self) -> bool:
        """Say whether the rules in force read the account: for others it has not begun."""
        return any(spec.begins for spec in self.session.guard.plan.tapes)

    def _shut(self, decision: Decision) -> str:
        """Return why nothing may enter, as the world knows it."""
        if (self.state / KILL).exists():
            return "killed"
        if self.operator.halted:
            return "halted by hand"
        if decision.state >= State.REDUCING:
            return decision.state.name
        if decision.blind or decision.priming:
            return "blind"
        for spec in self.session.guard.plan.tapes:
            key = str(spec.key).removesuffix(".nav")
            if spec.needed and spec.feeder < 0 and (not spec.begins or key in self.sound):
                age = self.now - self.sound.get(key, 0)
                if age > spec.max_age + SLACK:
                    return f"{key} is {age // SECOND} s old"
        return ""

    # ------------------------------------------------------------ after the faults

    def recover(self) -> None:
        """Stop every fault; the guard comes back to what an undisturbed one decides."""
        self.tell(f"{self._time()} --- all faults stop")
        self.feeds.kinds, self.skew = (), 0
        self.feeds.now.clear()
        self.operator.mend()
        self.market.rest()
        ruleset, _ = read_text(self.rules.text, "rules.yaml")
        assert ruleset is not None
        guard = Guard(ruleset, sources=self.fit.sources)
        self.beside, self.clean = Intake(guard), self.feeds.number
        for _ in range(SLOWEST):
            self.minute(faults=False)
            self.operator.release()
        self.tell(f"{self._time()} --- calm for {SLOWEST} bars: {_brief(self.session.decision)}")
        self._agree()
        self.market.crash()
        for _ in range(CRASH):
            self.minute(faults=False)
            self._agree()

    def _agree(self) -> None:
        assert self.beside is not None
        wanted, found = self.beside.guard.decision, self.session.decision
        apart = promises.same(found, wanted)
        assert not apart, ("not come back: (is, should be)", apart)
        self.seen["agreed"] += 1
        self.seen[f"agreed {wanted.state.name}"] += 1

    def _time(self) -> str:
        return f"{(self.now - START) // SECOND:6d} s"


def _brief(decision: Decision) -> str:
    parts = [decision.state.name, f"cap {decision.exposure_cap:g}", f"on {[*decision.active]}"]
    if decision.blind:
        parts.append(f"blind {[*decision.blind]}")
    if decision.priming:
        parts.append("priming")
    if decision.latched:
        parts.append("latched")
    return ", ".join(parts)
