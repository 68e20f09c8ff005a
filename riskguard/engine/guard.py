"""The guard: what a bot holds in its hand. Samples in, one decision out, and all it remembers.

Pure: no clock, no I/O, no randomness; what it does is in `evaluation`. One lock stands around
every call, and no call that feeds a sample raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from riskguard.engine.evaluation import Evaluation
from riskguard.engine.logic import NEVER, Change
from riskguard.engine.reasons import relaxes
from riskguard.language.binding import sourced
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.orders import Action, Intent, Verdict
    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Instrument, Sample

__all__ = ["Guard"]

API = (1, 0)


class Guard(Evaluation):
    """Answers for one rule set: `update` feeds a sample and returns the decision in force.

    `sources` names the source of each series (it chooses the floors of `by_source`), for a price
    several venues too; `instruments` how a venue counts each symbol. After `max_decision_age` (ns;
    default twice `every`) without an evaluation no order enters any more. Threads may share a
    guard: one lock stands around every call.

    >>> from riskguard import Guard, Sample, load_rules
    >>> guard = Guard(load_rules("rules/feb-2026.yaml"), sources={"liq.long": "published"})
    >>> guard.update(Sample(1_764_547_200_000_000_000, "BTC", {"close": 90_000.0})).state.name
    'REDUCING'
    """

    api = API

    def __init__(
        self,
        ruleset: RuleSet,
        *,
        sources: Mapping[str, str | Sequence[str]] | None = None,
        instruments: Mapping[str, Instrument] | None = None,
        max_decision_age: int | None = None,
    ) -> None:
        from threading import RLock  # noqa: PLC0415 - not before there is a guard

        from riskguard.engine.compile import compile_rules  # noqa: PLC0415 - as above

        self._lock = RLock()
        self.sources, self.instruments = dict(sources or {}), dict(instruments or {})
        self._beside: Decision | None = None
        self._joined: tuple[Decision, Decision, Decision] | None = None  # own, beside, both
        self._relaxes: tuple[Decision, int | None] | None = None  # when it may, as far as asked
        super().__init__(compile_rules(sourced(ruleset, self.sources)))
        every = self.plan.every
        self.max_decision_age = 2 * every if max_decision_age is None else max_decision_age

    def _begin(self) -> None:
        from riskguard.engine.episodes import Episodes  # noqa: PLC0415 - not before there is a guard

        super()._begin()
        stands = self.plan.stands("equity")
        self.episodes = self.parts["episodes"] = Episodes(self.instruments, max_age=stands)

    def update(self, sample: Sample) -> Decision:
        """Take one sample and return the decision in force.

        Samples of one instant come in the order other symbols, market-wide, guarded symbol:
        the guarded symbol's `close` at a multiple of `every` makes the decision. A value that
        is not finite, has an impossible sign or comes out of order is refused and counted in
        `refused`; the guard then is as if it had not come. Never raises: a guard that fails
        inside lets nothing in, cause `guard_error`, until an evaluation succeeds.
        """
        with self._lock:
            try:
                decision = self._feed(sample)
                if self._beside is not None:
                    decision = self.decision
                if decision is not self.episodes.decision:
                    self.episodes.see(decision)
            except Exception as error:  # noqa: BLE001 - a bot would take it for "allowed"
                self._fail(sample, error)
                return self.decision
            return decision

    def prime(self, samples: Iterable[Sample]) -> Decision:
        """Take history in order of time and return the decision in force; no order follows.

        What happened is observed truth: windows, rules and latches stand as if the guard had
        been there. What it has seen already is passed over, and not counted as refused.
        """
        from riskguard.engine.doors import LATE  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            late = {said: count for said, count in self.refused.items() if said.endswith(LATE)}
            for sample in samples:
                try:
                    self._feed(sample)
                except Exception as error:  # noqa: BLE001 - as in `update`
                    self._fail(sample, error)
            for said in [said for said in self.refused if said.endswith(LATE)]:
                del self.refused[said]
            self.refused.update(late)
            return self.decision

    def renew(self, sample: Sample) -> Decision:
        """Take a sample whose levels stand in the place of the last ones, and return the decision.

        However often a feed tells a level, one of it is kept between two decisions.
        """
        with self._lock:
            self.doors.withdraw(self._door(sample.symbol), sample.values, self.as_of)
            return self.update(sample)

    def amend(self, symbol: str, name: str, ts: int, value: float) -> None:
        """Add to a flow what is late: to the sample at `ts`; what was decided by it stands."""
        with self._lock:
            self.doors.amend(self._door(symbol), name, ts, value)

    def pause(self) -> None:
        """Let the time from the last bar to the next count for nothing in `for` and in ramps.

        To be called after a restart, once missed bars have been fed: nobody watched what
        passed since. Cool-downs and minimum holds go on by event time.
        """
        with self._lock:
            self.stream.pause()

    def expire(self, ts: int, symbol: str, name: str) -> None:
        """Let the last value of a series stand no longer from `ts` on; `symbol` "" is the own."""
        with self._lock:
            self.doors.expire(ts, self._door(symbol or "*"), name)

    def forget(self, symbol: str, name: str) -> Decision:
        """Let a series begin anew: its windows prime, nothing clears; `symbol` "" is the own."""
        with self._lock:
            self._forget(self._door(symbol or "*"), name)
            return self._obeyed()

    # ------------------------------------------------------------ orders

    def decide(self, intent: Intent, fault: str = "") -> Verdict:
        """Answer an order; never raises: what fails denies the entry and lets the exit pass.

        A `fault` says what the host knows to have failed: nothing enters, for that reason.
        Asking changes nothing but the base of an episode that has none (`Episodes.judge`).
        """
        with self._lock:
            try:
                return self._answer(intent, fault)
            except Exception as error:  # noqa: BLE001 - a guard that fails blocks no exit
                from riskguard.engine.gate import exit_alone  # noqa: PLC0415 - with the episodes

                return exit_alone(intent, error, decision=self.decision, as_of=self.as_of)

    def poll(self, symbol: str = "*") -> list[Action]:
        """List what is to be done unasked and has not been (`done`); never raises."""
        with self._lock:
            try:
                self._obeyed()
                names = (symbol,) if symbol != "*" else self.episodes.named(self.symbol)
                found = [self.episodes.duties(one) for one in names if self._guards(one)]
                return [action for actions in found for action in actions]
            except Exception as error:  # noqa: BLE001 - counted: a bot goes on asking
                self.doors.count(f"poll: {type(error).__name__}")
                return []

    def done(self, action_id: str) -> bool:
        """Take note that an action was carried out and verified; say whether it was due."""
        with self._lock:
            return self.episodes.finish(action_id)

    def also(self, decision: Decision | None) -> Decision:
        """Let another decision hold beside the guard's own, the stricter in every field.

        None ends that. The live process uses it for rules of an earlier file that are still
        on, and for what may not loosen before it is stored.
        """
        with self._lock:
            self._beside = decision
            return self._obeyed()

    @property
    def own(self) -> Decision:
        """The decision of the guard's own rules, whatever holds beside it."""
        return self._decision

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        own, beside, joined = self._decision, self._beside, self._joined
        if beside is None:
            return own
        if joined is None or joined[0] is not own or joined[1] is not beside:
            from riskguard.engine.strictest import strictest  # noqa: PLC0415 - rarely needed

            joined = self._joined = own, beside, strictest(own, beside)
        return joined[2]

    def _obeyed(self) -> Decision:
        decision = self._decision if self._beside is None else self.decision
        if decision is not self.episodes.decision:
            self.episodes.see(decision)
        return decision

    def _answer(self, intent: Intent, fault: str) -> Verdict:
        decision = self._decision
        if self._beside is not None or decision is not self.episodes.decision:
            decision = self._obeyed()
        age = intent.ts - self.as_of
        if not fault and not age <= self.max_decision_age:  # NaN is never
            limit = time_text(self.max_decision_age)
            fault = "no decision yet"
            if self.as_of != NEVER:
                fault = f"the last decision is older than {limit}: nothing was fed since"
        elif (
            age > 0
            and intent.ts >= self.doors.fresh
            and (late := self.doors.late(intent.ts))
            and not set(late) <= set(self._decision.blind)
        ):
            decision = self._as_of(intent.ts)  # asking tightens; only what is fed loosens
        guarded = self._guarded.get(intent.symbol)
        if guarded is None:
            guarded = self._guards(intent.symbol)
        if not guarded and self.ruleset.per_symbol:
            from riskguard.engine.strangers import elsewhere  # noqa: PLC0415 - with the episodes

            if (found := elsewhere(intent, self.ruleset, self.as_of)) is not None:
                return found
        return self.episodes.judge(
            intent,
            decision,
            guarded=guarded,
            fault=fault,
            price=decision.leverage_cap and self.doors.price(self._door(intent.symbol), intent.ts),
            as_of=self.as_of,
            until=None if fault else self._until,
        )

    def _until(self, decision: Decision, now: int) -> int | None:
        """Return the earliest instant at which a refusal may end, where time alone tells."""
        known = self._relaxes
        if known is None or known[0] is not decision:
            known = self._relaxes = decision, relaxes(self.plan, self.stream, decision)
        first, every = known[1], self.plan.every
        if first is None or first > now:  # it is a close
            return first
        return (now // every + 1) * every

    def _as_of(self, now: int) -> Decision:
        """Return the decision as it would be at `now`, which no sample has told of."""
        stands = self.stream.change
        change = Change(stands.stage, stands.stage, stands.on, stands.on)
        decision = self._decide(now, change)
        if self._beside is None:
            return decision
        from riskguard.engine.strictest import strictest  # noqa: PLC0415 - rarely needed

        return strictest(decision, self._beside)

    def _account(self, ts: int, symbol: str, values: Mapping[str, float]) -> None:
        self.episodes.account(ts, symbol, values)

    # ------------------------------------------------------------ state

    def dump(self) -> str:
        """Return all that the guard remembers, as canonical JSON; asking changes nothing."""
        from riskguard.engine.dumping import Rests, Standing, dumped  # noqa: PLC0415 - rarely needed

        with self._lock:
            rests = None if self._key is None else Rests(*self._key[3:6])
            standing = Standing(
                self._closed, self._pending, self._fault, self._decision, self._made, rests
            )
            return dumped(self, standing)

    def load(self, blob: str) -> None:
        """Go on from a dump: fed on, it is the guard that was never interrupted.

        Raises:
            StateError: where it cannot be used; the guard is as it was.
        """
        from riskguard.engine.dumping import loaded  # noqa: PLC0415 - rarely needed

        with self._lock:
            fresh = object.__new__(type(self))
            fresh.__dict__.update(self.__dict__)
            fresh._begin()
            fresh._go_on(loaded(fresh, blob))
            fresh.episodes.decision = fresh.decision  # what is told next is told under it
            self.__dict__.update(fresh.__dict__)

    def status(self) -> dict[str, Any]:
        """Return how the guard is, as JSON holds it: `explain` with inputs, controls, refusals."""
        from riskguard.engine.status import status  # noqa: PLC0415 - rarely needed

        with self._lock:
            return status(self)

    def explain(self) -> dict[str, Any]:
        """Return the decision in force and how far each line is from where it would turn."""
        from riskguard.engine.status import explained  # noqa: PLC0415 - rarely needed

        with self._lock:
            return explained(self)

    def __reduce__(self) -> NoReturn:
        # its steps are closures over its state: a copy would go on stepping the original
        msg = "a Guard cannot be copied or pickled; build another: Guard(ruleset, sources=...)"
        raise TypeError(msg)

    # ------------------------------------------------------------ by hand

    def halt(self, ts: int, reason: str) -> Decision:
        """Halt: flat, nothing enters, until `resume`; return the decision in force."""
        from riskguard.engine.controls import stamped  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            self.controls.stop(stamped(ts, "halt"), reason)
            self._ordered(ts, None)
            return self._obeyed()

    def lose(self, ts: int, reason: str) -> Decision:
        """Say that an earlier state is lost: reduce-only and LATCHED until `resume`.

        A halt may have been in it, so nothing enters; nothing is known, so nothing is sold.
        """
        from riskguard.engine.controls import stamped  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            self.controls.lose(stamped(ts, "lose"), reason)
            self._ordered(ts, None)
            return self._obeyed()

    def resume(self, ts: int, reason: str) -> Decision:
        """End a halt, or what stands for a lost state; what rules ask for stays in force.

        Raises:
            RiskguardError: where nothing is halted.
        """
        from riskguard.engine.controls import resumed  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            told = resumed(self.controls, ts, reason)
            self._ordered(ts, told)
            return self._obeyed()

    def release(self, ts: int, rule: str, reason: str) -> Decision:
        """Let a latched rule go; the peaks of `drawdown(all)` that it reads begin anew.

        Its cool-down and the way back count from the last evaluation, whatever time `ts` says.

        Raises:
            RiskguardError: where that rule cannot be released, with the reason.
        """
        from riskguard.engine import controls  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            controls.stamped(ts, "release")
            index = controls.releasable(self.ruleset, self.stream.latches, rule)
            self.controls.unlatch(rule)
            self._ordered(ts, controls.said(f"release {rule}", reason), release=index)
            return self._obeyed()

    def latch(self, ts: int, rule: str, reason: str) -> Decision:
        """Turn a rule on and hold it until `release`, whatever its lines say.

        Raises:
            RiskguardError: where there is no such rule.
        """
        from riskguard.engine import controls  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            index = controls.held(self.ruleset, rule)
            self.controls.latch(rule, controls.stamped(ts, "latch"), reason)
            self._ordered(ts, None, latch=index)
            return self._obeyed()

    def mute(self, ts: int, rule: str, until: int, reason: str) -> Decision:
        """Silence the messages of a rule (or of "stage NAME") until then, and nothing else.

        Raises:
            RiskguardError: where there is no such rule, or `until` has passed.
        """
        from riskguard.engine.controls import muted  # noqa: PLC0415 - loaded with the guard

        with self._lock:
            told = muted(self.controls, self.ruleset, (ts, until), rule, reason)
            self._ordered(ts, told)
            return self._obeyed()
