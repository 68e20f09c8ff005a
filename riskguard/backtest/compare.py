"""One strategy three times over one history: bare, guarded, and smaller at equal exposure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.backtest.comparison import Comparison, Recovery, RunResult
from riskguard.backtest.runs import Costs, Run, run
from riskguard.backtest.watching import Watch, watch
from riskguard.engine.reasons import open_lines
from riskguard.errors import visible
from riskguard.history.columns.evaluate import Instant
from riskguard.history.doubts import doubts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from riskguard.backtest.track import Track
    from riskguard.engine.decision import Decision
    from riskguard.engine.guard import Guard
    from riskguard.engine.reasons import View
    from riskguard.history import History
    from riskguard.history.columns import Columns
    from riskguard.language.binding import Bound
    from riskguard.language.ruleset import RuleSet

__all__ = ["Request", "compare"]


@dataclass(frozen=True)
class Request:
    """What is to be compared; times in ns UTC, `start` and `end` None for the whole history."""

    history: History
    ruleset: RuleSet  # as read
    rules_path: str
    strategy: type
    strategy_name: str
    params: Mapping[str, object] = field(default_factory=dict)
    symbol: str = ""  # "" = the symbol of the rules, else of the history
    cash: float = 100_000.0
    costs: Costs = field(default_factory=Costs)
    start: int | None = None


def compare(request: Request, progress: Callable[[str], None] = lambda _step: None) -> Comparison:
    """Run the comparison; raises RuleError or DataError where rules and data do not fit."""
    traded = request.symbol or request.ruleset.symbol or request.history.symbol
    progress("reading the rules over the history")
    seen = watch(request.ruleset, request.history, traded)
    first = seen.first_bar(request.start)
    results, exposure = _runs(request, seen, first, progress)
    history, track, ts = seen.history, seen.decided(results["guarded"].run), seen.ts
    return Comparison(
        history=history,
        ruleset=seen.bound.ruleset,
        rules_path=request.rules_path,
        notes=(
            *history.notes,
            *seen.bound.notes,
            *_warnings(request, seen.bound, seen.watched),
            *seen.columns.failed,
        ),
        strategy=request.strategy_name,
        params=request.params,
        leverage=results["bare"].run.leverage,
        symbol=traded,
        every=history.every,
        cash=request.cash,
        costs=request.costs,
        ts=ts,
        trading_from=first,
        warm_up_until=int(ts[track.priming or 0]),
        results=results,
        constant_exposure=exposure,
        decisions=_decisions(track, first, history),
        recovery=_recovery(seen.columns, seen.guard),
        mark=history.mark,
    )


def _warnings(request: Request, bound: Bound, history: History) -> list[str]:
    """Return what is doubtful about rules and data, each with its place in the rule file."""
    own = visible(request.ruleset.path)
    found = [*bound.warnings, *doubts(history, bound.ruleset)]
    places = [request.rules_path if one.path == own else one.path for one in found]
    return [
        f"{place}:{one.line}:{one.column}: warning[{one.code}] {one.message}; {one.help}"
        for place, one in zip(places, found, strict=True)
    ]


def _runs(
    request: Request, seen: Watch, first: int, say: Callable[[str], None]
) -> tuple[dict[str, RunResult], float]:
    def once(name: str, obeyed: Mapping[str, Any], exposure: float) -> Run:
        say(f"running {request.strategy_name} {name}")
        return run(
            seen.history,
            request.strategy,
            request.params,
            symbol=seen.history.symbol,
            cash=request.cash,
            costs=request.costs,
            trading_from=first,
            exposure=exposure,
            **obeyed,
        )

    bare = once("bare", {}, 1.0)
    guarded = once("guarded", seen.eyes, 1.0)
    held = exposure_of(guarded, bare.wanted, first)
    mean = float(np.nanmean(held)) if np.isfinite(held).any() else 1.0
    runs = {"bare": bare, "guarded": guarded, "constant": once("constant", {}, mean)}
    return {
        name: RunResult(name, one, exposure_of(one, bare.wanted, first))
        for name, one in runs.items()
    }, mean


def exposure_of(one: Run, wanted: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Return held / wanted units per bar (evidence.md section 2), NaN where nothing is wanted."""
    exposure = np.full(wanted.size, np.nan)
    asked = np.abs(wanted) > 0
    asked[: first + 1] = False  # what is decided at the first close is held from the next open on
    exposure[asked] = np.clip(one.held[asked] / wanted[asked], 0.0, 1.0)
    return exposure


def _decisions(track: Track, first: int, history: History) -> list[tuple[Decision, float | None]]:
    found = [(track.at(first), first)]
    found += [
        (decision, start)
        for start, decision in zip(track.starts, track.decisions, strict=True)
        if start > first
    ]
    return [(decision, _background(decision, history)) for decision, _ in found]


def _background(decision: Decision, history: History) -> float | None:
    """Return the largest share of background bars among the bars a reason reads."""
    shares = []
    for reading in decision.reasons:
        for key, back in reading.reads:
            series = history.series.get(key) or history.series.get(f"{history.symbol}.{key}")
            if series is None or series.background is None:
                continue
            low, high = np.searchsorted(
                series.times, [decision.ts - back, decision.ts], side="right"
            )
            if high > low:
                shares.append(float(series.background[low:high].mean()))
    return max(shares) if shares else None


def _recovery(columns: Columns, guard: Guard | None) -> list[Recovery]:
    """List the lines that are still open at the end, of the stage and of the rules that are on."""
    last, plan = columns.now.size - 1, columns.plan
    view: View = Instant(columns, last)
    change = columns.change(last)
    if guard is not None:
        plan, view, change = guard.plan, guard.stream, guard.stream.change
    ruleset = plan.ruleset
    waiting = [
        (rule.name, rule.clear) for rule, on in zip(ruleset.rules, change.on, strict=True) if on
    ]
    if change.stage:
        stage = ruleset.stages[change.stage - 1]
        waiting.insert(0, (f"stage {stage.name}", stage.recover))
    return [
        Recovery(
            name.removeprefix("stage "),
            line.leaf,
            line.truth,
            line.value,
            line.threshold,
            _distance(line.value, line.threshold, line.dimension),
            line.dimension,
        )
        for name, clear in waiting
        if clear is not None
        for line in open_lines(plan, view, name, clear)
    ]


def _distance(value: float | None, threshold: float | None, dimension: str) -> float | None:
    if value is None or threshold is None:
        return None
    if dimension == "share":
        return threshold - value
    return threshold / value - 1.0 if value else None
