"""The evaluation of one rule set: samples in, one decision out.

Pure: no clock, no I/O, no randomness. A decision is made at each close of `every` of the
guarded symbol's bar; between closes, samples only age the inputs. Under `evaluate: event` every
time at which something comes makes one: at once when it is the guarded symbol's, else as soon as
time goes on, so that what comes together is seen together.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import TYPE_CHECKING, Any, Protocol

from riskguard.engine.decision import Decision, Moment, decided, faulted
from riskguard.engine.logic import NEVER, Change
from riskguard.engine.reasons import blind, explain
from riskguard.engine.stream import Stream
from riskguard.errors import foreign
from riskguard.market import coin, figures, time_text

if TYPE_CHECKING:
    from riskguard.engine.decision import Reading
    from riskguard.engine.dumping import Standing
    from riskguard.engine.plan import Plan, RampSpec
    from riskguard.market import Sample

__all__ = ["STAGES", "Evaluation", "Part"]

STAGES = "stages"  # the ladder, among the rules that still count
NOTHING = (None, (), False)
LATEST = (1 << 63) - 1  # of all time stamps
MOST_SYMBOLS = 1_000  # of which it is kept whether they are guarded


def _time(ts: object) -> int:
    """Return a time stamp as an integer, NEVER for what is none."""
    kind = type(ts)
    if not hasattr(kind, "__index__") or kind.__name__ in {"bool", "bool_"}:
        return NEVER
    found = index(ts)  # type: ignore[arg-type]  # it says that it can
    return found if NEVER < found <= LATEST else NEVER


def _fault(ts: object, symbol: object, values: object) -> str:
    """Say why these are no instant, no symbol or no mapping of values, "" where they are."""
    if _time(ts) == NEVER:
        return "time: no instant in ns"
    return "" if isinstance(symbol, str) and isinstance(values, Mapping) else "no sample"


class Part(Protocol):
    """What a saved state holds beside the evaluation."""

    def dump(self) -> dict[str, Any]:
        """Return what is remembered, as JSON holds it."""

    def load(self, body: Mapping[str, Any]) -> None:
        """Take what `dump` gave, or raise StateError and change nothing."""


class Evaluation:
    """What samples and operators move, and the decision that stands for it; of one thread.

    `parts` are what else remembers: each has a `dump` and a `load` of its own.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.ruleset = plan, plan.ruleset
        self.only: frozenset[str] | None = None  # the rules (and "stages") that still count
        self.shape = ""  # of what it remembers, as a dump names it
        self._by_event = self.ruleset.evaluate == "event"
        self._begin()

    def _begin(self) -> None:
        """Set all that samples and operators move to where nothing has been seen."""
        from riskguard.engine.controls import Controls  # noqa: PLC0415 - not before there is a guard
        from riskguard.engine.doors import Doors  # noqa: PLC0415 - as above

        self.symbol = self.ruleset.symbol
        self.as_of = NEVER  # the last instant a decision was evaluated at
        self._closed = NEVER  # the last close of `every`: one that is sent again closes no bar
        self._pending = NEVER  # a time at which others brought something, not decided yet
        self.stream = Stream(self.plan)
        self.doors = Doors(self.plan, self.stream)
        self.controls = Controls()
        self.parts: dict[str, Part] = {}
        self._guarded: dict[str, bool] = {}  # what `_guards` has said
        self._fault = ""  # why the last evaluation failed
        self._cold = self.plan.warming
        self._foreign = [one for one in self._cold if self.plan.windows[one][0].plugged]
        self._still: tuple[Change | None, tuple[str, ...], bool] = NOTHING
        self._key: tuple[Any, ...] | None = None  # what the last decision rests on
        self._decision = self._made = Decision(0, self.symbol, rules=self.ruleset.hash)

    @property
    def refused(self) -> dict[str, int]:
        """What was refused and how often, as "oi: negative"."""
        return self.doors.refused

    @property
    def fault(self) -> str:
        """Why the last evaluation failed, "" where it did not."""
        return self._fault

    @property
    def quarantined(self) -> bool:
        """Whether a measure of a plug-in failed so often that it is not called again."""
        return any(getattr(one, "quarantined", False) for one in self.stream.rollings)

    @property
    def warmup(self) -> int:
        """How much history (ns) fills every window: feed it by `prime` before a live start."""
        tapes = self.plan.tapes
        return max((self.plan.lookback(tape) for tape in range(len(tapes))), default=0)

    def remade(self) -> Decision:
        """Make the decision in force anew, as its machines stand now."""
        change, now = self.stream.change, max(self.as_of, 0)
        self.stream.rouse()
        self._key, self._still = None, NOTHING
        self._made = self._decision = self._decide(now, change)
        return self._decision

    def follow(self, other: Evaluation) -> None:
        """Take the last instant of another, of bars as wide, for the own."""
        self.as_of, self._closed, self._pending = other.as_of, other._closed, other._pending
        self.stream.last = other.stream.last

    def _go_on(self, standing: Standing) -> None:
        self._closed, self._pending, self._fault, self._decision, self._made, rests = standing
        if rests is not None:
            change, caps = self.stream.change, tuple(self.stream.caps)
            self._key = (change.stage, change.on, caps, *rests, self.controls.key)
            self._still = (change, rests.late, rests.ranged)

    def _ordered(
        self, ts: int, told: Reading | None, *, release: int = -1, latch: int = -1
    ) -> Decision:
        """Make the decision in force anew, at once: an operator has said something."""
        try:
            if self._pending < ts and self._pending > self.as_of:
                self._instant(self._pending, closed=False)
            if release >= 0:
                # by event time: the clock of an operator may be ahead, and would keep it off
                self.stream.release(release, self.stream.last)
            if latch >= 0:
                self.stream.latch(latch, max(ts, self.stream.last))
            now, change = max(ts, self.as_of, self._decision.ts), self.stream.change
            still = Change(change.stage, change.stage, change.on, change.on)
            self._stand(now, change, self.doors.late(now), self.stream.ranged(now))
            self._made = self._decision = self._decide(now, still, told)
        except Exception as error:  # noqa: BLE001 - as in `update`
            return self._fail((ts,), error)
        return self._decision

    # ------------------------------------------------------------ samples

    def _feed(self, sample: Sample) -> Decision:
        ts, symbol, values = sample
        if (
            type(ts) is not int
            or not NEVER < ts <= LATEST
            or type(symbol) is not str
            or type(values) is not dict
        ):
            ts, fault = _time(ts), _fault(ts, symbol, values)
            if fault:
                self.doors.count(fault)
                return self._decision
        if self.as_of < self._pending < ts:
            self._instant(self._pending, closed=False)
        closes = "close" in values
        if closes and not self.symbol:
            self.symbol = symbol
        own = symbol == self.symbol
        door = "" if own or symbol == "*" else symbol
        if self.doors.account is not None or "position" in values or "equity" in values:
            values = figures(values)
            door = self._heard(ts, symbol, door, values)
        self.doors.take(ts, door, values)
        # a bar closes though its close is no price: that it came is what time is told by
        closed = closes and own and ts > self._closed and not ts % self.plan.every
        judges = closed and ts > self.as_of
        if self._by_event and values:
            judges = own and ts >= self.as_of
            # what came late has been judged by nothing yet: it is before anything later is
            if not judges:
                self._pending = max(ts, self._pending, self.as_of + 1 if own else NEVER)
        if judges:
            self._instant(ts, closed=closed)
        elif ts > self.as_of and not closed and self._blinks(ts):
            now = self.stream.change
            self._decision = self._decide(ts, Change(now.stage, now.stage, now.on, now.on))
        return self._decision

    def _blinks(self, ts: int) -> bool:
        """Return whether blindness begins or ends: between closes nothing else can change."""
        # rules of an earlier file alone are never blind
        return self.only is None and self.doors.late(ts) != self._decision.blind

    def _forget(self, symbol: str, name: str) -> None:
        """Let a series be as if it had never come; what rests on it is unknown."""
        for place, spec in enumerate(self.plan.tapes):
            if (spec.symbol, spec.name) == (symbol, name):
                self.stream.forget(place)
        self.doors.aged()
        self._cold = self.plan.warming
        self.remade()

    def _heard(self, ts: int, symbol: str, door: str, values: Mapping[str, float]) -> str:
        """Hear what a sample says of the account, and return its name in the plan."""
        if "position" not in values and "equity" not in values:
            return door
        self._account(ts, self.symbol if symbol == "*" else symbol, values)
        return door and self._door(symbol)

    def _account(self, ts: int, symbol: str, values: Mapping[str, float]) -> None:
        """Hear what a sample says of the account."""

    def _guards(self, symbol: str) -> bool:
        """Say whether decisions hold for a symbol; rules without one guard that of their bars.

        A venue's name of it ("BTC/USDT:USDT") is the name that rules use. What names nothing may
        be any symbol, and so is guarded.
        """
        name, ruleset = coin(symbol), self.ruleset
        if name in ("", "*"):
            return True
        if not ruleset.per_symbol.keys().isdisjoint((symbol, name)):
            found = False  # it has rules of its own, and so a guard of its own
        elif self.symbol and not ruleset.symbol and ruleset.guards == "symbol":
            found = self.symbol in (symbol, name)
        else:
            found = ruleset.guarded(symbol) or ruleset.guarded(name)
        if self.symbol and len(self._guarded) < MOST_SYMBOLS:  # else the first bar still decides
            self._guarded[symbol] = found
        return found

    def _door(self, symbol: str) -> str:
        """Return the name in the plan; what a venue calls the guarded symbol is it, no book is."""
        own = symbol in {"*", self.symbol} or (
            " " not in symbol and coin(symbol) == coin(self.symbol)
        )
        return "" if own else symbol

    def _fail(self, sample: object, error: Exception) -> Decision:
        """Say that the guard failed: nothing enters until an evaluation succeeds."""
        self._fault = foreign(f"{type(error).__name__}: {error}")
        self.doors.count(f"guard_error: {type(error).__name__}")
        self.stream.rouse()
        self._key, self._still = None, NOTHING
        first = sample[0] if isinstance(sample, tuple) and sample else 0
        ts = max(first, self._decision.ts) if isinstance(first, int) else self._decision.ts
        self._decision = faulted(self._decision, ts, self._fault)
        return self._decision

    def _priming(self, now: int) -> tuple[tuple[int, int, int], ...]:
        """Return the windows that have not seen enough, each with what it has, as text."""
        if not self._cold:
            return ()
        seen, wanted = self.stream.seen, self.stream.wanted
        found = ((index, seen(index, now), wanted(index, now)) for index in self._cold)
        return tuple([one for one in found if one[1] < one[2]])

    def _instant(self, now: int, *, closed: bool = True) -> None:
        """Make the decision of an instant; what has not changed since the last one stands."""
        self.as_of = now
        if closed:
            self._closed = now
        instant = now if now > self.stream.last else self.stream.last + 1
        change, late = self.stream.step(now, instant, closed=closed), self.doors.late(now)
        self._fault, ranged = "", self.plan.atr >= 0 and self.stream.ranged(now)
        if self._foreign:
            self._unlearn()
        before, was_late, was_ranged = self._still
        if (
            change is before
            and late == was_late
            and ranged is was_ranged
            and not self._cold
            and now < self.controls.ends
        ):
            self._decision = self._made
            return
        if self._stand(now, change, late, ranged):
            self._made = self._decide(now, change)
        self._decision = self._made

    def _unlearn(self) -> None:
        """Let a needed measure of a plug-in that was quarantined be as if it had seen nothing."""
        lost = [one for one in self._foreign if not self.stream.seen(one, self.as_of)]
        self._cold = sorted({*self._cold, *lost})

    def _stand(self, now: int, change: Change, late: tuple[str, ...], ranged: bool) -> bool:  # noqa: FBT001 - of one call
        """Take note of what a decision rests on; say whether that is anything new."""
        self._still = (change, late, ranged)
        self.controls.expire(now)
        caps = tuple(self.stream.caps)
        primes = self._priming(now)
        # once a window has seen enough it is never cold again
        self._cold = [index for index, _, _ in primes]
        told = tuple([(index, *map(time_text, times)) for index, *times in primes])
        key = (change.stage, change.on, caps, late, told, ranged, self.controls.key)
        new = key != self._key
        self._key = key
        return new

    def _decide(self, now: int, change: Change, told: Reading | None = None) -> Decision:
        stream, controls = self.stream, self.controls
        late = {  # equity and what it is chained to are one input
            key: (key, now - tape.last if tape.times else None, tape.fresh)
            for tape, key in self.doors.needed
            if now - tape.last > tape.fresh
        }
        unseen = tuple(blind(*late[key]) for key in sorted(late))
        by_hand = controls.readings if told is None else (told, *controls.readings)
        if self.only is not None:
            return decided(self.plan, self._rest(now, change, self.only))
        moment = Moment(
            now, self.symbol, change, tuple(stream.caps), unseen,
            self.plan.priming_texts(self._priming(now)),
            stream.average_true_range(now), stream.close(),
            (*by_hand, *explain(self.plan, stream, change)),
            controls.claims, controls.waits or bool(controls.latched), controls.muted,
        )  # fmt: skip
        made = decided(self.plan, moment)
        return faulted(made, now, self._fault) if self._fault else made

    def owner(self, ramp: RampSpec) -> str:
        """Return what a ramp follows, as `only` names it."""
        return STAGES if ramp.stage > 0 else self.ruleset.rules[ramp.rule].name

    def _rest(self, now: int, change: Change, only: frozenset[str]) -> Moment:
        """Return the instant for rules of an earlier file, still on or on their way back."""
        counts = tuple(rule.name in only for rule in self.ruleset.rules)
        staged = STAGES in only
        kept = Change(
            change.stage if staged else 0,
            change.stage_before if staged else 0,
            tuple(on and kept for on, kept in zip(change.on, counts, strict=True)),
            tuple(on and kept for on, kept in zip(change.on_before, counts, strict=True)),
        )
        stream, held = self.stream, self.controls.holding(only)
        caps = tuple(
            cap if spec.name in only or self.owner(spec) in only else 1.0
            for spec, cap in zip(self.plan.ramps, stream.caps, strict=True)
        )
        return Moment(
            now, self.symbol, kept, caps, (), (),
            stream.average_true_range(now), stream.close(),
            (*held, *explain(self.plan, stream, kept)), latched=bool(held),
        )  # fmt: skip
