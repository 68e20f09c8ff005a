"""Whether a case kept what it expects; where not, what was found and where it would hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskguard.engine.reasons import readings
from riskguard.language.rewriting import latches, release, title, trigger
from riskguard.testing.playing import Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from riskguard.engine.decision import Decision, Reading
    from riskguard.engine.guard import Guard
    from riskguard.language.ruleset import Rule, RuleSet, Stage
    from riskguard.testing.cases import Case, Cases, Expectation

__all__ = ["Bar", "Failure", "Result", "judge", "kept"]

AROUND = 3  # bars of the strip on each side
MOST_LINES = 12  # leaves of the strip


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the strip: its decision, and the leaves that the expectation rests on."""

    hours: str
    ts: int  # when it closes, ns
    decision: Decision
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not kept: at which bar, what was found, the bars around it."""

    expectation: Expectation
    message: str
    bar: int
    strip: tuple[Bar, ...]
    would_hold: str  # the first bar at which it would, "" for none


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was played."""

    case: Case
    failures: tuple[Failure, ...]


def _range(expectation: Expectation, every: int, bars: int) -> range:
    return range(-(-expectation.low // every), min(expectation.high // every, bars - 1) + 1)


def fault(expectation: Expectation, decisions: Sequence[Decision], every: int) -> int:
    """Return the bar at which an expectation is not kept, -1 when it is."""
    span = _range(expectation, every, len(decisions))
    if expectation.kind == "first":
        bars = (bar for bar, one in enumerate(decisions) if expectation.met(one))
        first = next(bars, None)
        if first is None:
            return span.stop - 1
        return -1 if first in span else first
    wrong = expectation.kind == "never"
    met = expectation.met
    return next((bar for bar in span if met(decisions[bar]) == wrong), -1)


def kept(case: Case, decisions: Iterable[Decision], every: int) -> bool:
    """Say whether everything a case expects is so; reads no further than what decides it."""
    waiting = [(one, _range(one, every, case.bars)) for one in case.expect]
    for bar, decision in enumerate(decisions):
        waiting = [(one, span) for one, span in waiting if bar < span.stop]
        for one, span in tuple(waiting):
            if one.kind == "first":
                if not one.met(decision):
                    if bar == span.stop - 1:
                        return False
                elif bar in span:
                    waiting.remove((one, span))
                else:
                    return False
            elif bar in span and one.met(decision) == (one.kind == "never"):
                return False
        if not waiting:
            break
    return True


def judge(cases: Cases, case: Case) -> Result:
    """Play a case and return what it did not keep."""
    market = Market(cases, case)
    decisions = list(market.decisions(market.guard()))
    failed = [(one, fault(one, decisions, cases.every)) for one in case.expect]
    failures = [
        Failure(
            one,
            _message(one, decisions, bar, market),
            bar,
            _strip(one, bar, decisions, market),
            _would_hold(one, decisions, market),
        )
        for one, bar in failed
        if bar >= 0
    ]
    return Result(case, tuple(failures))


def _message(
    expectation: Expectation, decisions: Sequence[Decision], bar: int, market: Market
) -> str:
    wanted = ", ".join(f"{name} {_shown(value)}" for name, value in expectation.wanted.items())
    found = _found(expectation, decisions[bar])
    at = market.hours(bar)
    if expectation.kind == "at":
        return f"at {at}: expected {wanted}; found {found}"
    low, high = (f"{ns / 3_600_000_000_000:g}h" for ns in (expectation.low, expectation.high))
    if expectation.kind == "first":
        came = any(map(expectation.met, decisions))
        told = f"it came at {at}" if came else "it never came"
        return f"expected {wanted} first between {low} and {high}; {told}"
    return f"expected {expectation.kind} {wanted}; found {found} at {at}"


def _found(expectation: Expectation, decision: Decision) -> str:
    names = {"blocked": "block_entries", "rule": "active", "active_includes": "active"}
    found: dict[str, str] = {}
    for name in expectation.wanted:
        if name == "reason":
            told = {one.rule for one in decision.reasons}
            found[name] = _shown(sorted(told))
            continue
        value = getattr(decision, names.get(name, name))
        found[names.get(name, name)] = _shown(getattr(value, "name", value))
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value * 100:.10g}%" if value <= 1 else f"{value:g}x"
    return str(value)


def _would_hold(expectation: Expectation, decisions: Sequence[Decision], market: Market) -> str:
    if expectation.kind in {"never", "always"}:
        return ""
    first = next((bar for bar, one in enumerate(decisions) if expectation.met(one)), None)
    return "" if first is None else market.hours(first)


# ---------------------------------------------------------------- the strip


def _strip(
    expectation: Expectation, bar: int, decisions: Sequence[Decision], market: Market
) -> tuple[Bar, ...]:
    first = max(0, min(bar - AROUND, len(decisions) - 2 * AROUND - 1))
    bars = range(first, min(first + 2 * AROUND + 1, len(decisions)))
    asked = _asked(expectation, decisions[bar], market.rules)
    seen: list[Bar] = []
    guard = market.guard()
    for number, decision in enumerate(market.decisions(guard)):
        if number in bars:
            told = [line for latch, role in asked for line in _lines(guard, latch, role)]
            head = tuple(told[:MOST_LINES])
            ts = market.cases.start + number * market.cases.every
            seen.append(Bar(market.hours(number), ts, decision, head))
    return tuple(seen)


def _asked(
    expectation: Expectation, decision: Decision, rules: RuleSet
) -> list[tuple[Rule | Stage, str]]:
    """Return the rules and stages that an expectation asks about: first what it names."""
    wanted = expectation.wanted
    named = {wanted.get("rule", ""), *wanted.get("active", ()), *wanted.get("active_includes", ())}
    named |= {f"stage {wanted['stage']}"} if "stage" in wanted else set()
    acting = {name for names in decision.winners.values() for name in names}
    on = {f"stage {decision.stage}", *decision.active}
    chosen = [one for one in latches(rules) if {one.name, title(one)} & (named - {""})]
    chosen += [one for one in latches(rules) if {one.name, title(one)} & (acting | on)]
    found: list[tuple[Rule | Stage, str]] = []
    for one in dict.fromkeys(chosen):
        active = title(one) in on or one.name in on
        found.append((one, "clear" if active and release(one) is not None else "when"))
    return found


def _lines(guard: Guard, latch: Rule | Stage, role: str) -> list[Reading]:
    node = release(latch) if role == "clear" else trigger(latch)
    if node is None:
        return []
    return readings(guard.plan, guard.stream, title(latch), node, role)
