"""Whether a case kept what it expects; where not, what was found and where it would hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskguard.testing.playing import Market
from riskguard.testing.strip import strip
from riskguard.testing.times import elapsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.testing.cases import Case, Cases, Expectation
    from riskguard.testing.strip import Bar

__all__ = ["Failure", "Result", "judge", "kept"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not kept: at which bar, what was found, the bars around it.

    `notes` say what a decision rests on beside its lines: blind inputs, windows that are not
    full yet, a minimum hold. `would_hold` is "" where it never would.
    """

    expectation: Expectation
    message: str
    bar: int
    strip: tuple[Bar, ...]
    notes: tuple[str, ...]
    would_hold: str


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
    failures = []
    for one, bar in failed:
        if bar >= 0:
            bars, notes = strip(one, bar, decisions, market)
            told = _message(one, decisions, bar, market)
            where = _would_hold(one, decisions, cases.every)
            failures.append(Failure(one, told, bar, bars, notes, where))
    return Result(case, tuple(failures))


def _message(
    expectation: Expectation, decisions: Sequence[Decision], bar: int, market: Market
) -> str:
    names = list(expectation.wanted)
    if expectation.kind in {"at", "always"}:
        names = expectation.unmet(decisions[bar])
    wanted = ", ".join(f"{name} {_shown(name, expectation.wanted[name])}" for name in names)
    found = _found(names, decisions[bar])
    at = market.hours(bar)
    if expectation.kind == "at":
        return f"at {at}: expected {wanted}; found {found}"
    if expectation.kind == "first":
        came = any(map(expectation.met, decisions))
        told = f"it came at {at}" if came else "it never came"
        low, high = elapsed(expectation.low), elapsed(expectation.high)
        return f"expected {wanted} first between {low} and {high}; {told}"
    return f"expected {expectation.kind} {wanted}; found {found} at {at}"


def _found(fields: list[str], decision: Decision) -> str:
    names = {"blocked": "block_entries", "rule": "active", "active_includes": "active"}
    found: dict[str, str] = {}
    for name in fields:
        if name == "reason":
            told = {one.rule for one in decision.reasons}
            found[name] = _shown(name, sorted(told))
            continue
        value = getattr(decision, names.get(name, name))
        label = name if name == "blocked" else names.get(name, name)
        found[label] = _shown(name, getattr(value, "name", value))
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _shown(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and name == "stop":
        return f"{value:,.10g}"
    if isinstance(value, float):
        return f"{value:.10g}x" if name == "leverage_cap" else f"{value * 100:.10g}%"
    return str(value)


def _would_hold(expectation: Expectation, decisions: Sequence[Decision], every: int) -> str:
    """Return the first bar that is as expected; for a span, the bar from which it is to its end."""
    met = expectation.met
    if expectation.kind in {"at", "first"}:
        first = next((bar for bar, one in enumerate(decisions) if met(one)), None)
        return "" if first is None else f"first at {elapsed(first * every)}"
    span = _range(expectation, every, len(decisions))
    wanted = expectation.kind == "always"
    last = next((bar for bar in reversed(span) if met(decisions[bar]) != wanted), span.stop)
    return "" if last + 1 >= span.stop else f"from {elapsed((last + 1) * every)} on"
