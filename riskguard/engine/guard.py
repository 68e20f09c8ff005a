"""The guard: samples in, one decision out.

Pure: no clock, no I/O, no randomness. A decision is made at each close of `every` of the
guarded symbol's bar; between closes, samples only age the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.engine.compile import compile_rules
from riskguard.engine.decision import Decision, Moment, decided
from riskguard.engine.logic import NEVER
from riskguard.engine.reasons import Change, explain
from riskguard.engine.stream import Stream
from riskguard.language.binding import sourced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Instrument, Sample

__all__ = ["Guard"]


class Guard:
    """Answers for one rule set: `update` feeds a sample and returns the decision in force.

    `sources` names the source of each series (it chooses the floors of `by_source`),
    `instruments` how a venue counts each symbol.

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
    ) -> None:
        self.sources, self.instruments = dict(sources or {}), dict(instruments or {})
        self.ruleset = sourced(ruleset, self.sources)
        self.plan = compile_rules(self.ruleset)
        self.symbol = ruleset.symbol
        self.refused: dict[str, int] = {}  # "oi: negative" -> how often
        self.as_of = NEVER  # the last instant a decision was evaluated at
        self.stream = Stream(self.plan)
        self._index = {
            (spec.symbol, spec.name): index
            for index, spec in enumerate(self.plan.tapes)
            if spec.feeder < 0
        }
        self._needed = [index for index, spec in enumerate(self.plan.tapes) if spec.needed]
        self._cold = [index for index, needed in enumerate(self.plan.windows_needed) if needed]
        self._key: object = None
        self._decision = self._made = Decision(0, self.symbol, rules=ruleset.hash)

    def update(self, sample: Sample) -> Decision:
        """Take one sample and return the decision in force.

        Samples of one instant come in the order other symbols, market-wide, guarded symbol:
        the guarded symbol's `close` at a multiple of `every` makes the decision. A value that
        is not finite, has an impossible sign or comes out of order is refused and counted in
        `refused`; the guard then is as if it had not come.
        """
        ts, symbol, values = sample
        if not self.symbol and "close" in values:
            self.symbol = symbol
        prefix = "" if symbol in {self.symbol, "*"} else symbol
        for name, value in values.items():
            index = self._index.get((prefix, name))
            if index is not None:
                self._take(index, ts, value)
        if symbol == self.symbol and "close" in values and ts % self.plan.every == 0:
            if ts > self.as_of:
                self._close(ts)
        elif ts > self.as_of and self._blind(ts) != self._decision.blind:
            now = self.stream.change  # between closes only blindness can begin or end
            self._decision = self._decide(ts, Change(now.stage, now.stage, now.on, now.on))
        return self._decision

    def _take(self, index: int, ts: int, value: float) -> None:
        tape, spec = self.stream.tapes[index], self.plan.tapes[index]
        if value - value != 0.0:  # NaN or infinite
            cause = "not finite"
        elif value < 0 and not spec.signed:
            cause = "negative"
        elif value == 0 and spec.price:
            cause = "price of zero"
        elif tape.times and ts <= tape.times[-1]:
            cause = "out of order"
        else:
            tape.push(ts, value)
            return
        said = f"{spec.key}: {cause}"
        self.refused[said] = self.refused.get(said, 0) + 1

    def _blind(self, now: int) -> tuple[str, ...]:
        found = []
        for index in self._needed:
            tape = self.stream.tapes[index]
            if not tape.times or now - tape.times[-1] > tape.fresh:
                found.append(str(self.plan.tapes[index].key))
        return tuple(sorted(found)) if found else ()

    def _priming(self, now: int) -> tuple[int, ...]:
        # once a window has seen enough it is never cold again
        rollings = self.stream.rollings
        if self._cold:
            self._cold = [i for i in self._cold if rollings[i].seen(now) < rollings[i].need]
        return tuple(self._cold)

    def _close(self, now: int) -> None:
        """Make the decision of a close; what has not changed since the last one stands."""
        self.as_of = now
        change = self.stream.step(now)
        key = (
            change.stage,
            change.on,
            tuple(self.stream.caps),
            self._blind(now),
            self._priming(now),
        )
        if key != self._key:
            self._key = key
            self._made = self._decide(now, change)
        self._decision = self._made

    def _decide(self, now: int, change: Change) -> Decision:
        stream = self.stream
        seen = tuple((index, stream.rollings[index].seen(now)) for index in self._priming(now))
        moment = Moment(
            now, self.symbol, change, tuple(stream.caps), self._blind(now),
            self.plan.priming_texts(seen), stream.average_true_range(), stream.close(),
            explain(self.plan, stream, change),
        )  # fmt: skip
        return decided(self.plan, moment)
