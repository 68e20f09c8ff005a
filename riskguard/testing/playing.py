"""One case played on the guard: the decision in force at the close of every bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskguard.engine.guard import Guard
from riskguard.errors import RuleError
from riskguard.language.findings import Findings
from riskguard.language.fitting.fallbacks import afford
from riskguard.language.rewriting import deciding, key_of, latches, leaves, series_of, uses_atr
from riskguard.language.ruleset import Input, input_of
from riskguard.language.schema import ACTIONS
from riskguard.market import Sample
from riskguard.testing.notation import MISSING, STALE
from riskguard.testing.series_reader import split
from riskguard.testing.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.engine.decision import Decision
    from riskguard.language.ruleset import RuleSet
    from riskguard.testing.cases import Case, Cases

__all__ = ["Market", "fitted"]


def fitted(cases: Cases, case: Case) -> RuleSet:
    """Return the rules as they hold in a case: an input it does not give is unknown throughout.

    Raises:
        RuleError: the bot of the case cannot do what a rule asks for.
    """
    rules = cases.rules_of(case)
    found = Findings(rules.path, rules.lines, rules.files)
    able = afford(rules, frozenset(ACTIONS) - cases.lacking, found, [])
    if found.failed:
        raise RuleError(found.sorted())
    given = case.given
    read = {key_of(one) for leaf in leaves(*deciding(rules)) for one in series_of(leaf)}
    read = {_own(key, rules) for key in read}
    if any(uses_atr(one.do) or uses_atr(one.fallback) for one in latches(rules)):
        read |= {"high", "low", "close"}
    inputs = dict(rules.inputs)
    for key in read | given:
        symbol, name = split(key)
        known = input_of(rules, symbol, name)
        if key not in given:
            source = cases.sources.get(key) or known.source or _any(rules)
            inputs[key] = replace(known, carried=False, source=source)
            continue
        source = cases.sources.get(key) or known.source or "made"
        spec = replace(known.spec, interval=cases.every)
        inputs[key] = Input(
            key, spec, source, scale=known.scale, declared=known.declared, span=known.span
        )
    return replace(able, inputs=inputs)


def _own(key: str, rules: RuleSet) -> str:
    return key.removeprefix(f"{rules.symbol}.") if rules.symbol else key


def _any(rules: RuleSet) -> str:
    """Return a source that has a floor: one is asked for even where no data will come."""
    return next((one for each in rules.params.values() for one in each.by_source), "")


class Market:
    """The samples of a case, made once and played as often as wanted."""

    def __init__(self, cases: Cases, case: Case) -> None:
        self.cases, self.case = cases, case
        self.rules = fitted(cases, case)
        self.bars = list(self._bars())

    def _bars(self) -> Iterator[tuple[list[Sample], list[tuple[str, str]]]]:
        """Yield for each bar its samples, the guarded symbol's last, and what goes stale."""
        keys = [(split(_own(key, self.rules)), items) for key, items in self.case.series.items()]
        symbol = self.rules.symbol
        for number in range(self.case.bars):
            ts = self.cases.start + number * self.cases.every
            values: dict[str, dict[str, float]] = {}
            stale: list[tuple[str, str]] = []
            for (owner, name), items in keys:
                item = items[number]
                if item == STALE:
                    stale.append((owner, name))
                elif item != MISSING and not isinstance(item, str):
                    values.setdefault(owner, {})[name] = item
            own = values.pop("", {})
            samples = [Sample(ts, other, seen) for other, seen in values.items()]
            yield [*samples, Sample(ts, symbol, own)], stale

    def guard(self, rules: RuleSet | None = None) -> Guard:
        """Return a guard for the case, or for other rules on the same market."""
        return Guard(rules or self.rules)

    def decisions(self, guard: Guard) -> Iterator[Decision]:
        """Yield the decision in force at the close of every bar; the guard then stands there."""
        for samples, stale in self.bars:
            for symbol, name in stale:
                guard.expire(samples[-1].ts, symbol, name)
            for sample in samples:
                decision = guard.update(sample)
            yield decision

    def hours(self, bar: int) -> str:
        """Return the time of a bar as a test writes it."""
        return elapsed(bar * self.cases.every)
