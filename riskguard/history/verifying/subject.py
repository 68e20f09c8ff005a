"""What is verified: rules fitted to a history, and what was known of it when."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.compile import compile_rules
from riskguard.errors import DataError, RiskguardError
from riskguard.history.columns import Columns
from riskguard.language.binding import bind
from riskguard.language.rewriting import conditions_of, key_of, latches, leaves, series_of
from riskguard.language.ruleset import Actions, Flag, Input, Stage, walk
from riskguard.market import ACCOUNT, CATALOGUE, time_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from riskguard.engine.plan import Plan
    from riskguard.errors import Diagnostic
    from riskguard.history.history import History
    from riskguard.history.series import Series
    from riskguard.language.ruleset import Condition, Rule, RuleSet

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Samples = Mapping[str, tuple[Ints, Floats]]

__all__ = ["Subject", "available", "subject_of"]

EVER = "all"  # a window since the first value
EVERYTHING = frozenset(one.name for one in fields(Actions))  # no bot is asked what it can do


@dataclass(frozen=True)
class Subject:
    """Rules as they hold for a history of their symbol; `left_out` names what is not verified."""

    ruleset: RuleSet
    history: History
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]

    @cached_property
    def plan(self) -> Plan:
        """The rules compiled."""
        return compile_rules(self.ruleset)

    @cached_property
    def now(self) -> Ints:
        """Closes at which a decision is made, ns UTC."""
        closes = self.history.series[f"{self.history.symbol}.close"].times
        return np.asarray(closes[closes % self.plan.every == 0])

    @cached_property
    def warm(self) -> int | None:
        """How far back (ns) any measure looks, None for back to the first value."""
        if any(window.calendar == EVER for window, _ in self.plan.windows):
            return None
        return max((self.plan.lookback(tape) for tape in range(len(self.plan.tapes))), default=0)

    def whole(self) -> Columns:
        """Return the columns over all data, joined as a backtest joins it."""
        return Columns(self.plan, self._samples(None, 0), self.now, self.history.symbol)

    def cut(self, first: int, last: int) -> Columns:
        """Return the columns of bars `first` to `last`, on nothing that came after the last.

        Unless `first` is 0, data begins with what was known at the close of that bar.
        """
        samples = self._samples(int(self.now[last]), int(self.now[first]) if first else 0)
        return Columns(self.plan, samples, self.now[first : last + 1], self.history.symbol)

    def _samples(self, until: int | None, since: int) -> Samples:
        """Return the series by their keys in the plan; of `until` the data knows, not the clock."""
        found: dict[str, tuple[Ints, Floats]] = {}
        for one in self.history.series.values():
            key = one.name if one.symbol in {self.history.symbol, "*"} else one.key
            # a market-wide series steps back behind one of the guarded symbol of the same name
            if key not in found or one.symbol == self.history.symbol:
                low, high = _bounds(one, until, since)
                found[key] = one.times[low:high], one.values[low:high]
        return found


def available(one: Series) -> Ints:
    """Return when each value could be known (ns UTC), from what is said of the series alone."""
    return one.events + one.available_after


def _bounds(one: Series, until: int | None, since: int) -> tuple[int, int]:
    known = available(one)
    high = len(known) if until is None else int(np.searchsorted(known, until, side="right"))
    low = int(np.searchsorted(known, since, side="right")) - 1 if since else 0
    return max(0, low), high


def subject_of(ruleset: RuleSet, history: History, symbol: str = "") -> Subject:
    """Fit rules to a history; rules on an account that the data does not carry are left out.

    Raises:
        RuleError: They do not fit.
        RiskguardError: Nothing is left that can be verified.
        DataError: There are no bars of a symbol, or none at which a decision is made.

    """
    traded = symbol or ruleset.symbol or history.symbol
    own = not ruleset.symbol or traded in ruleset.per_symbol
    watched = history.for_symbol(traded if own else ruleset.symbol)
    inputs = watched.inputs()
    unknown = sorted(ACCOUNT - inputs.keys())
    account = {name: Input(name, CATALOGUE[name], source="bot") for name in unknown}
    bound = bind(
        ruleset,
        symbol=traded,
        every=watched.every,
        carried=inputs | account,
        capabilities=EVERYTHING,
    )
    _check_stepping(bound.ruleset)
    kept, left_out = _verifiable(bound.ruleset, unknown)
    subject = Subject(kept, watched, left_out, bound.notes, bound.warnings)
    if not subject.now.size:
        every = time_text(subject.plan.every)
        message = f"no bar of {watched.symbol} closes on a multiple of {every}: nothing is decided"
        raise DataError(message, path=watched.path, help="give more bars, or a shorter every:")
    return subject


def _check_stepping(ruleset: RuleSet) -> None:
    if ruleset.evaluate == "event":
        message = "rules that are evaluated at every event have no columns to compare with"
        raise RiskguardError(f"{ruleset.path}: {message}; leave out evaluate: event to verify them")


def _verifiable(ruleset: RuleSet, unknown: Collection[str]) -> tuple[RuleSet, tuple[str, ...]]:
    """Return the rules without those that read `unknown` inputs, and what was left out and why."""
    reasons: dict[str, str] = {}
    while True:
        found = dict(_unverifiable(ruleset, unknown, reasons))
        if not found.keys() - reasons.keys():
            break
        reasons = found | reasons
    rules = tuple(rule for rule in ruleset.rules if rule.name not in reasons)
    stages = () if any(one.name in reasons for one in ruleset.stages) else ruleset.stages
    told = tuple(f"{name}: {why}" for name, why in reasons.items())
    if not rules and not stages and told:
        message = "every rule rests on the account of a bot, which the data does not carry"
        raise RiskguardError(f"{ruleset.path}: {message}; record equity, or name other rules")
    return replace(ruleset, rules=rules, stages=stages), told


def _unverifiable(
    ruleset: RuleSet, unknown: Collection[str], out: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what reads an unknown input or something left out; stages stand and fall together."""
    for latch in latches(ruleset):
        why = _reason(latch, ruleset, unknown, out)
        if why and isinstance(latch, Stage):
            yield from ((stage.name, why) for stage in ruleset.stages)
        elif why:
            yield latch.name, why


def _reason(
    latch: Rule | Stage, ruleset: RuleSet, unknown: Collection[str], out: Mapping[str, str]
) -> str:
    for condition in _followed(conditions_of(latch), ruleset):
        for node in walk(condition):
            if isinstance(node, Flag) and node.name in out:
                return f"reads {node.name}, which is left out"
        for leaf in leaves(condition):
            read = sorted({key_of(one) for one in series_of(leaf)} & set(unknown))
            if read:
                return f"reads {read[0]}, which depends on what a bot trades"
    return ""


def _followed(found: list[Condition], ruleset: RuleSet) -> list[Condition]:
    """Return conditions with the definitions they read, each once."""
    names: set[str] = set()
    for condition in found:  # grows while it is walked
        for node in walk(condition):
            new = isinstance(node, Flag) and node.kind == "definition" and node.name not in names
            if new and isinstance(node, Flag):
                names.add(node.name)
                found.append(ruleset.define[node.name])
    return found
