"""Two rule files over one history: where their decisions differ, and what that did.

What it did is told by two backtests of one strategy, guarded by the one and by the other: the
difference of their equities, bar by bar, with fees, stops and fills as in every backtest. It is
one history, seen beforehand; nothing is said of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskguard.backtest.metrics import max_drawdown
from riskguard.backtest.runs import Costs, Run, run
from riskguard.backtest.watching import watch
from riskguard.language.rewriting import latches, title

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from riskguard.backtest.track import Track
    from riskguard.engine.decision import Decision
    from riskguard.history import History
    from riskguard.language.ruleset import RuleSet, Stop

    Meaning = tuple[object, ...]

__all__ = ["Differing", "Side", "Span", "Trial", "differing"]

# what a decision allows and demands; who asks for it and why is no difference
FIELDS = (
    *("stage", "state", "latched", "exposure_cap", "block_entries", "reduce_only", "leverage_cap"),
    *("close", "hedge", "cancel_orders", "reduce_by"),
)


@dataclass(frozen=True)
class Trial:
    """The history and the strategy by which two rule files are compared."""

    history: History
    strategy: type
    params: Mapping[str, object] = field(default_factory=dict)
    symbol: str = ""  # "" = the symbol of the rules, else of the history
    cash: float = 100_000.0
    costs: Costs = field(default_factory=Costs)


@dataclass(frozen=True)
class Span:
    """Bars at whose closes the two decide differently, from the first to the last (ns)."""

    start: int
    end: int
    bars: int
    old: Decision
    new: Decision
    gained: float  # dollars by which the new one drew ahead, up to the next span or the end


@dataclass(frozen=True)
class Side:
    """What came of the strategy under one of the two."""

    end_equity: float
    max_drawdown: float
    notes: tuple[str, ...]  # what of the rules is off on this history


@dataclass(frozen=True)
class Differing:
    """Both over one history: bars are labelled by close, times are ns UTC."""

    symbol: str
    every: int
    start: int  # from where on both trade
    end: int
    spans: list[Span]
    old: Side
    new: Side


def differing(old: RuleSet, new: RuleSet, trial: Trial) -> Differing:
    """Compare the decisions of two rule files, and a strategy guarded by each.

    Raises:
        RuleError: One of them does not fit the history.
        DataError: The history leaves no bar to trade.

    """
    traded = trial.symbol or old.symbol or new.symbol or trial.history.symbol
    eyes = [watch(rules, trial.history, traded) for rules in (old, new)]
    first = max(one.first_bar() for one in eyes)  # nothing may still be warming up in either
    runs = [
        run(
            one.history,
            trial.strategy,
            trial.params,
            symbol=traded,
            cash=trial.cash,
            costs=trial.costs,
            trading_from=first,
            **one.eyes,
        )
        for one in eyes
    ]
    said = [
        _said(one.decided(made), first, one.bound.ruleset)
        for one, made in zip(eyes, runs, strict=True)
    ]
    ts = eyes[0].ts
    sides = [_side(made, first, one.bound.notes) for one, made in zip(eyes, runs, strict=True)]
    gap = runs[1].equity - runs[0].equity
    spans = _spans(said, ts, gap)
    every = trial.history.for_symbol(traded).every
    return Differing(traded, every, int(ts[first]), int(ts[-1]), spans, *sides)


def _side(made: Run, first: int, notes: tuple[str, ...]) -> Side:
    path = made.equity[first:]
    return Side(float(path[-1]), max_drawdown(path), notes)


def _spans(
    said: list[list[tuple[int, Decision, Meaning]]], ts: NDArray[np.int64], gap: NDArray[np.float64]
) -> list[Span]:
    """Return the spans in which the decisions differ; a change of either begins another."""
    found: list[list[Any]] = []  # first bar, last bar, both decisions, what they mean
    moves = sorted({bar for one in said for bar, _, _ in one})
    for bar, after in zip(moves, [*moves[1:], ts.size], strict=True):
        old, new = (next(one for one in reversed(side) if one[0] <= bar) for side in said)
        meant = old[2], new[2]
        if old[2] == new[2]:
            continue
        if found and found[-1][1] == bar - 1 and found[-1][4] == meant:
            found[-1][1] = after - 1
        else:
            found.append([bar, after - 1, old[1], new[1], meant])
    ends = [*(one[0] for one in found[1:]), ts.size - 1][: len(found)]
    return [
        Span(int(ts[bar]), int(ts[last]), last - bar + 1, old, new, float(gap[end] - gap[bar]))
        for (bar, last, old, new, _), end in zip(found, ends, strict=True)
    ]


def _said(track: Track, first: int, rules: RuleSet) -> list[tuple[int, Decision, Meaning]]:
    """Return the decisions from a bar on, each with the bar it begins at and what it means."""
    stops = {title(latch): latch.do.stop for latch in latches(rules)}
    found = [(first, track.at(first))]
    found += [
        (bar, one) for bar, one in zip(track.starts, track.decisions, strict=True) if bar > first
    ]
    return [(bar, one, _meaning(one, stops)) for bar, one in found]


def _meaning(decision: Decision, stops: Mapping[str, Stop | None]) -> Meaning:
    """Return what is allowed and demanded; a stop as the rule says it, not in dollars of a bar."""
    stop = stops.get(decision.winners["stop"][0]) if "stop" in decision.winners else None
    return (*(getattr(decision, name) for name in FIELDS), stop)
