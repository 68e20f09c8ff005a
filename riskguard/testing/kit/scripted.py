"""A guard that answers as a test says: the real gate, episodes and duties under a set decision."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from riskguard.engine.decision import Claim, Decision, State, merge
from riskguard.engine.episodes import Episodes
from riskguard.engine.events import Refused, facts
from riskguard.language.ruleset import Actions
from riskguard.market import coin, time_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from riskguard.engine.events import Event
    from riskguard.engine.orders import Action, Intent, Verdict
    from riskguard.market import Instrument

__all__ = ["Broken", "ScriptedGuard"]

DO: dict[State, dict[str, object]] = {
    State.ACTIVE: {},
    State.CAUTION: {},
    State.REDUCING: {"reduce_only": True},
    State.HALTED: {"exposure_cap": 0.0},
}
PRICED = frozenset({"bar", "mark", "trade"})


class Broken(RuntimeError):  # noqa: N818 - it says what the guard is
    """What every call raises of a guard that a test has broken."""


class ScriptedGuard:
    """A desk for tests of adapters: what is in force is what the test has set last.

    `state` sets the decision, `boom` breaks the guard, `age` makes its decision old. It records
    `events`, `intents` with their `verdicts`, and the ids that were said to be `finished`;
    `refused` holds what an intake would have refused. `guards` are the coins it guards (empty:
    all).

    >>> guard = ScriptedGuard()
    >>> guard.state(State.HALTED)
    >>> from riskguard import Intent
    >>> guard.decide(Intent(1, "BTC/USDT", "buy", 1.0, 0.0)).answer
    'deny'
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument] | None = None,
        *,
        guards: Collection[str] = (),
    ) -> None:
        self.lock = RLock()
        self.instruments = dict(instruments or {})
        self.guards = frozenset(guards)
        self.episodes = Episodes(self.instruments)
        self.boom = False
        self.as_of = 0  # of the last evaluation: the latest time that a price was told for
        self.max_age: int | None = None
        self.events: list[Event] = []
        self.intents: list[Intent] = []
        self.verdicts: list[Verdict] = []
        self.finished: list[str] = []
        self.refused: list[str] = []
        self._decision = Decision(0, "", rules="scripted")

    # ------------------------------------------------------------ what a test sets

    def state(self, state: State = State.ACTIVE, **do: object) -> None:
        """Put a decision in force: a state, or what a rule would `do` (`exposure_cap=0.25`)."""
        with self.lock:
            asked = {**DO[state], **do}
            claims = [Claim("test", Actions(**asked))] if asked else []  # type: ignore[arg-type]  # the words of a rule
            self._decision = Decision(self.as_of, "", rules="scripted", **merge(claims))
            self.episodes.see(self._decision)

    def age(self, span: int, most: int) -> None:
        """Make the last evaluation older by `span` ns, where no more than `most` is allowed."""
        with self.lock:
            self.as_of, self.max_age = self.as_of - span, most

    # ------------------------------------------------------------ what an adapter asks

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        return self._decision

    def take(self, event: Event) -> Decision:
        """Take one event; positions and equity of an account are heard."""
        with self.lock:
            self._works()
            self.events.append(event)
            try:
                facts(event)
            except Refused as why:
                self.refused.append(f"{event.kind}: {why}")
                return self._decision
            if event.kind in PRICED:
                self.as_of = max(self.as_of, event.ts)
            if event.kind == "account":
                told = {key: float(one) for key, one in event.data.items() if key != "trust"}  # type: ignore[arg-type]  # facts() found numbers
                self.episodes.account(event.ts, event.symbol, told)
            return self._decision

    def tick(self) -> Decision:
        """Return the decision in force."""
        with self.lock:
            self._works()
            return self._decision

    def decide(self, intent: Intent) -> Verdict:
        """Judge one order by the decision in force."""
        with self.lock:
            self.intents.append(intent)
            self._works()
            fault = ""
            if self.max_age is not None and intent.ts - self.as_of > self.max_age:
                fault = f"the last decision is older than {time_text(self.max_age)}"
            verdict = self.episodes.judge(
                intent,
                self._decision,
                guarded=not self.guards or coin(intent.symbol) in self.guards,
                fault=fault,
                as_of=self.as_of,
            )
            self.verdicts.append(verdict)
            return verdict

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what the decision in force wants done unasked and is not done yet."""
        with self.lock:
            self._works()
            names = self.episodes.symbols if symbol == "*" else (symbol,)
            return [action for name in names for action in self.episodes.duties(name)]

    def done(self, *ids: str) -> bool:
        """Take note that actions were carried out and seen in the position."""
        with self.lock:
            self._works()
            self.finished += ids
            for one in ids:
                self.episodes.finish(one)
            return True

    def _works(self) -> None:
        if self.boom:
            raise Broken("the guard is broken")
