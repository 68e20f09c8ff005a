"""The guard: samples in, one decision out.

Pure: no clock, no I/O, no randomness. A decision is made at each close of `every` of the
guarded symbol's bar; between closes, samples only age the inputs. Under `evaluate: event` every
time at which something comes makes one: at once when it is the guarded symbol's, else as soon as
time goes on, so that what comes together is seen together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import index
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from riskguard.engine.account import LEAST, NAV, Account
from riskguard.engine.compile import compile_rules
from riskguard.engine.decision import Decision, Moment, decided
from riskguard.engine.logic import NEVER, Change
from riskguard.engine.reasons import blind, explain, relaxes
from riskguard.engine.stream import Stream
from riskguard.language.binding import sourced
from riskguard.language.ruleset import input_of
from riskguard.market import FROM_ZERO, LARGEST, SMALLEST, plausible, time_text

if TYPE_CHECKING:
    from riskguard.engine.orders import Action, Intent, Verdict
    from riskguard.engine.plan import TapeSpec
    from riskguard.engine.windows import Tape
    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Instrument, Sample

__all__ = ["Guard"]

LATEST = (1 << 63) - 1  # of all time stamps


class Door(NamedTuple):
    """Where the values of one series come in, and the least it may be."""

    tape: Tape
    least: float
    key: str
    begins: str  # zero | same: how an account input begins; "" for all others
    number: int  # of the tape in the plan


def _least(spec: TapeSpec) -> float:
    if spec.signed:
        return -LARGEST
    return SMALLEST if spec.price else 0.0


def _time(ts: object) -> int:
    """Return a time stamp as an integer, NEVER for what is none."""
    if type(ts) is int and NEVER < ts <= LATEST:
        return ts
    kind = type(ts)
    if not hasattr(kind, "__index__") or kind.__name__ in {"bool", "bool_"}:
        return NEVER
    found = index(ts)  # type: ignore[arg-type]  # it says that it can
    return found if NEVER < found <= LATEST else NEVER


def _told(symbol: object, values: object) -> bool:
    return isinstance(symbol, str) and (type(values) is dict or isinstance(values, Mapping))


def _figure(value: object) -> float:
    """Return a number as a float, NaN for what is none: a text, a truth, nothing at all."""
    kind = type(value)
    if not hasattr(kind, "__float__") or kind.__name__ in {"bool", "bool_", "str_"}:
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]  # it says that it can
    except (OverflowError, TypeError, ValueError):
        return math.nan


def _figures(values: Mapping[str, float]) -> Mapping[str, float]:
    """Return the values of a sample as floats."""
    for value in values.values():
        if type(value) is not float:
            return {name: _figure(one) for name, one in values.items()}
    return values


class Guard:
    """Answers for one rule set: `update` feeds a sample and returns the decision in force.

    `sources` names the source of each series (it chooses the floors of `by_source`),
    `instruments` how a venue counts each symbol. After `max_decision_age` (ns; default twice
    `every`) without an evaluation no order enters any more.

    >>> from riskguard import Guard, Sample, load_rules
    >>> guard = Guard(load_rules("rules/feb-2026.yaml"), sources={"liq.long": "published"})
    >>> guard.update(Sample(1_764_547_200_000_000_000, "BTC", {"close": 90_000.0})).state.name
    'REDUCING'
    """

    def __init__(
        self,
        ruleset: RuleSet,
        *,
        sources: Mapping[str, str] | None = None,
        instruments: Mapping[str, Instrument] | None = None,
        max_decision_age: int | None = None,
    ) -> None:
        from riskguard.engine.episodes import Episodes  # noqa: PLC0415 - not before there is a guard

        self.sources, self.instruments = dict(sources or {}), dict(instruments or {})
        self.ruleset = sourced(ruleset, self.sources)
        self.plan = compile_rules(self.ruleset)
        every = self.plan.every
        self.max_decision_age = 2 * every if max_decision_age is None else max_decision_age
        self.episodes = Episodes(self.instruments)
        self.symbol = ruleset.symbol
        self.refused: dict[str, int] = {}  # "oi: negative" -> how often
        self.as_of = NEVER  # the last instant a decision was evaluated at
        self._closed = NEVER  # the last close of `every`: one that is sent again closes no bar
        self.stream = Stream(self.plan)
        self._doors: dict[str, dict[str, Door]] = {}
        self._by_event = self.ruleset.evaluate == "event"
        self._pending = NEVER  # a time at which others brought something, not decided yet
        tapes = zip(self.plan.tapes, self.stream.tapes, strict=True)
        for number, (spec, tape) in enumerate(tapes):
            if spec.feeder < 0:
                door = Door(tape, _least(spec), spec.shown, spec.begins, number)
                self._doors.setdefault(spec.symbol, {})[spec.name] = door
        self._needed = [
            (tape, spec.shown)
            for spec, tape in zip(self.plan.tapes, self.stream.tapes, strict=True)
            if spec.needed and not spec.begins
        ]
        accounts = any(spec.begins for spec in self.plan.tapes)
        self._account = Account() if accounts else None
        self._begun = False  # the account has sent its first event
        self._cold = self.plan.warming
        self._still: tuple[Change | None, tuple[str, ...], bool] = (None, (), False)
        self._key: object = None
        self._decision = self._made = Decision(0, self.symbol, rules=ruleset.hash)

    def update(self, sample: Sample) -> Decision:
        """Take one sample and return the decision in force.

        Samples of one instant come in the order other symbols, market-wide, guarded symbol:
        the guarded symbol's `close` at a multiple of `every` makes the decision. A value that
        is not finite, has an impossible sign or comes out of order is refused and counted in
        `refused`; the guard then is as if it had not come.
        """
        given, symbol, values = sample
        ts = _time(given)
        if ts == NEVER or not _told(symbol, values):
            self._count("time: no instant in ns" if ts == NEVER else "no sample")
            return self._decision
        values = _figures(values)
        if self._pending < ts and self._pending > self.as_of:
            self._instant(self._pending, closed=False)
        if not self.symbol and "close" in values:
            self.symbol = symbol
        own = symbol == self.symbol
        if "position" in values or "equity" in values:
            self.episodes.account(ts, self.symbol if symbol == "*" else symbol, values)
        if self._account is not None and (own or symbol == "*"):
            values = self._accounted(ts, values, self._account)
        doors = self._doors.get("" if own or symbol == "*" else symbol)
        if doors is not None:
            self._take(ts, values, doors)
        # a bar closes though its close is no price: that it came is what time is told by
        closed = own and "close" in values and ts % self.plan.every == 0 and ts > self._closed
        if self._by_event and values and not own:
            self._pending = max(ts, self._pending)
        if self._decides(ts, own=own and bool(values), closed=closed):
            self._instant(ts, closed=closed)
        elif ts > self.as_of and not closed and self._blind(ts) != self._decision.blind:
            now = self.stream.change  # between closes only blindness can begin or end
            self._decision = self._decide(ts, Change(now.stage, now.stage, now.on, now.on))
        self.episodes.see(self._decision)
        return self._decision

    def decide(self, intent: Intent) -> Verdict:
        """Answer an order; never raises: what fails denies the entry and lets the exit pass.

        Asking changes nothing but the base of an episode that has none (`Episodes.judge`).
        """
        try:
            return self._answer(intent)
        except Exception as error:  # noqa: BLE001 - a guard that fails says so, and blocks no exit
            from riskguard.engine.gate import exit_alone  # noqa: PLC0415 - loaded with the episodes

            return exit_alone(intent, error, decision=self._decision, as_of=self.as_of)

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what is to be done unasked and has not been (`done`); never raises."""
        try:
            self.episodes.see(self._decision)
            names = (symbol,) if symbol != "*" else {self.symbol, *self.episodes.symbols}
            found = [self.episodes.duties(one) for one in sorted(names) if self._guards(one)]
            return [action for actions in found for action in actions]
        except Exception as error:  # noqa: BLE001 - counted: a bot goes on asking
            self._count(f"poll: {type(error).__name__}")
            return []

    def done(self, action_id: str) -> bool:
        """Take note that an action was carried out and verified; say whether it was due."""
        return self.episodes.finish(action_id)

    def _answer(self, intent: Intent) -> Verdict:
        decision, fault = self._decision, ""
        self.episodes.see(decision)
        age = intent.ts - self.as_of
        if not age <= self.max_decision_age:  # NaN is never
            limit = time_text(self.max_decision_age)
            fault = "no decision yet"
            if self.as_of != NEVER:
                fault = f"the last decision is older than {limit}: nothing was fed since"
        elif age > 0 and self._blind(intent.ts) != decision.blind:
            now, cold = self.stream.change, self._cold
            decision = self._decide(intent.ts, Change(now.stage, now.stage, now.on, now.on))
            self._cold = cold  # asking warms nothing
        return self.episodes.judge(
            intent,
            decision,
            guarded=self._guards(intent.symbol),
            fault=fault,
            as_of=self.as_of,
            until=None if fault else relaxes(self.plan, self.stream, decision, intent.ts),
        )

    def _guards(self, symbol: str) -> bool:
        """Say whether decisions hold for a symbol; rules without one guard that of their bars."""
        if self.symbol and not self.ruleset.symbol and self.ruleset.guards == "symbol":
            return symbol == self.symbol or symbol in self.ruleset.per_symbol
        return self.ruleset.guarded(symbol)

    def _decides(self, ts: int, *, own: bool, closed: bool) -> bool:
        if self._by_event:
            return own and ts >= self.as_of
        return closed and ts > self.as_of

    def _take(self, ts: int, values: Mapping[str, float], doors: Mapping[str, Door]) -> None:
        for name, value in values.items():
            if name in doors:
                door = doors[name]
                tape, least = door.tape, door.least
                # `plausible`, written out: this is done for every value that comes
                sized = value >= SMALLEST or value == 0 or value <= -SMALLEST
                if sized and least <= value <= LARGEST and ts > tape.last:  # NaN is never
                    tape.push(ts, value)
                else:
                    self._refuse(door.key, least, value)

    def _accounted(
        self, ts: int, values: Mapping[str, float], account: Account
    ) -> Mapping[str, float]:
        """Return what the account says with what follows from it; its first event begins it."""
        if not any(self._good(name, values[name]) for name in FROM_ZERO & values.keys()):
            return values
        values, refused = account.derived(ts, values)
        for name in refused.keys() - self._doors.get("", {}).keys():
            self._refuse(name, LEAST[name], refused[name])
        for name, door in self._doors.get("", {}).items():
            if not door.begins or door.tape.first is not None:
                continue
            first = 0.0 if door.begins == "zero" else values.get(name, math.nan)
            if plausible(first, door.least) and input_of(self.ruleset, "", door.key).carried:
                self.stream.begin(door.number, ts, first)
        if not self._begun:
            self._begun = True
            self._needed += [
                (tape, spec.shown)
                for spec, tape in zip(self.plan.tapes, self.stream.tapes, strict=True)
                if spec.needed and spec.begins
            ]
        return values

    def _good(self, name: str, value: float) -> bool:
        least = -LARGEST if input_of(self.ruleset, "", name).spec.signed else 0.0
        return plausible(value, least)

    def expire(self, ts: int, symbol: str, name: str) -> None:
        """Let the last value of a series stand no longer from `ts` on; `symbol` "" is the own."""
        own = symbol in {"", "*", self.symbol}
        doors = self._doors.get("" if own else symbol, {})
        for one in (name, NAV) if name == "equity" else (name,):
            if one in doors:
                doors[one].tape.expire(ts)

    def __reduce__(self) -> NoReturn:
        # its steps are closures over its state: a copy would go on stepping the original
        msg = "a Guard cannot be copied or pickled; build another: Guard(ruleset, sources=...)"
        raise TypeError(msg)

    def _refuse(self, key: str, least: float, value: float) -> None:
        if not math.isfinite(value):
            cause = "not finite"
        elif not plausible(value, -LARGEST):
            cause = "out of bounds"
        elif value < least:
            cause = "a price of zero" if value == 0 else "negative"
        else:
            cause = "out of order"
        self._count(f"{key}: {cause}")

    def _count(self, said: str) -> None:
        self.refused[said] = self.refused.get(said, 0) + 1

    def _blind(self, now: int) -> tuple[str, ...]:
        for tape, _ in self._needed:
            if now - tape.last > tape.fresh:
                late = {key for tape, key in self._needed if now - tape.last > tape.fresh}
                return tuple(sorted(late))
        return ()

    def _priming(self, now: int) -> tuple[tuple[int, int, int], ...]:
        """Return the windows that have not seen enough, each with what it has, as text."""
        if not self._cold:
            return ()
        seen, wanted = self.stream.seen, self.stream.wanted
        # once a window has seen enough it is never cold again
        self._cold = [i for i in self._cold if seen(i, now) < wanted(i, now)]
        return tuple((index, seen(index, now), wanted(index, now)) for index in self._cold)

    def _instant(self, now: int, *, closed: bool = True) -> None:
        """Make the decision of an instant; what has not changed since the last one stands."""
        self.as_of = now
        if closed:
            self._closed = now
        instant = max(now, self.stream.last + 1)
        change, late = self.stream.step(now, instant, closed=closed), self._blind(now)
        ranged = self.stream.ranged(now)
        if (change is self._still[0] and (late, ranged) == self._still[1:]) and not self._cold:
            self._decision = self._made
            return
        self._still = (change, late, ranged)
        caps = tuple(self.stream.caps)
        told = tuple((i, *map(time_text, times)) for i, *times in self._priming(now))
        key = (change.stage, change.on, caps, late, told, ranged)
        if key != self._key:
            self._key = key
            self._made = self._decide(now, change)
        self._decision = self._made

    def _decide(self, now: int, change: Change) -> Decision:
        stream = self.stream
        late = {  # equity and what it is chained to are one input
            key: (key, now - tape.last if tape.times else None, tape.fresh)
            for tape, key in self._needed
            if now - tape.last > tape.fresh
        }
        unseen = tuple(blind(*late[key]) for key in sorted(late))
        moment = Moment(
            now, self.symbol, change, tuple(stream.caps), unseen,
            self.plan.priming_texts(self._priming(now)),
            stream.average_true_range(now), stream.close(),
            explain(self.plan, stream, change),
        )  # fmt: skip
        return decided(self.plan, moment)
