"""What a test file holds: cases, their series, and what each expects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskguard.language.fitting.carrying import carries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from riskguard.engine.decision import Decision
    from riskguard.language.ruleset import RuleSet, Span
    from riskguard.testing.notation import Item

__all__ = ["Case", "Cases", "Expectation", "given", "rules_for"]

STREAK = "loss_streak"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of `expect`: what must be so, and from when to when (ns after the start).

    `kind` is at, first, never or always; for `first`, [low, high] is where it must come.
    """

    kind: str
    wanted: Mapping[str, Any]
    low: int
    high: int
    span: Span
    text: str

    def met(self, decision: Decision) -> bool:
        """Say whether a decision is what is wanted; only what is named is compared."""
        return not self.unmet(decision)

    def unmet(self, decision: Decision) -> list[str]:
        """Return the fields of a decision that are not as wanted."""
        return [name for name, value in self.wanted.items() if not _is(decision, name, value)]


def _is(decision: Decision, name: str, value: Any) -> bool:  # noqa: ANN401 - each name has its own type
    if name == "rule":
        return value in decision.active
    if name == "state":
        return bool(decision.state.name == value)
    if name == "active_includes":
        return set(value) <= set(decision.active)
    if name == "notify":
        return value in decision.notify
    if name in {"active", "blind"}:
        return sorted(getattr(decision, name)) == sorted(value)
    if name == "reason":
        told = " ".join(f"{one.rule} {one.leaf}" for one in decision.reasons)
        winners = " ".join(one for names in decision.winners.values() for one in names)
        return value in told or value in winners
    found = getattr(decision, "block_entries" if name == "blocked" else name)
    if isinstance(value, float) and isinstance(found, float):
        return abs(found - value) <= 1e-9 * max(1.0, abs(value))
    return bool(found == value)


@dataclass(frozen=True, slots=True)
class Case:
    """One made-up market, `bars` samples long, and what is expected of it.

    `symbol` is whose rules are played, where symbols have rules of their own.
    """

    name: str
    series: Mapping[str, tuple[Item, ...]]
    expect: tuple[Expectation, ...]
    span: Span
    bars: int
    symbol: str = ""

    @property
    def given(self) -> frozenset[str]:
        """The keys of what is known in the case: its series, and what the core counts by itself."""
        return given(self.symbol, self.series)


def given(symbol: str, series: Collection[str]) -> frozenset[str]:
    """Return the keys that series tell, those of the guarded symbol without its name."""
    own = {key.removeprefix(f"{symbol}.") for key in series}
    return frozenset(own | ({STREAK} if carries(own, STREAK) else set()))


@dataclass(frozen=True, slots=True)
class Cases:
    """A test file: sample n of a case closes at `start` + n x `every` (ns)."""

    path: str
    rules: Path
    ruleset: RuleSet
    every: int
    start: int
    sources: Mapping[str, str] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()  # actions the bot cannot do
    cases: tuple[Case, ...] = ()
    lines: tuple[str, ...] = ()

    def rules_of(self, case: Case) -> RuleSet:
        """Return the rules that a case plays: those of its symbol."""
        return rules_for(case.symbol, self.ruleset)


def rules_for(symbol: str, rules: RuleSet) -> RuleSet:
    """Return the rules of a symbol: its own where it has any, else those of the file."""
    return rules.per_symbol.get(symbol, rules)
