"""One strategy three times over one history: bare, guarded, and smaller at equal exposure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.adapters.backtrader_account import reads_account
from riskguard.backtest.comparison import Comparison, Recovery, RunResult
from riskguard.backtest.runs import Costs, Run, run
from riskguard.backtest.track import Track, columns_of
from riskguard.engine.guard import Guard
from riskguard.engine.reasons import open_lines
from riskguard.errors import DataError, visible
from riskguard.history.columns.evaluate import Instant
from riskguard.history.doubts import doubts
from riskguard.language.binding import bind
from riskguard.language.ruleset import Input
from riskguard.market import ACCOUNT, CATALOGUE, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from riskguard.engine.decision import Decision
    from riskguard.engine.reasons import View
    from riskguard.history import History
    from riskguard.history.columns import Columns
    from riskguard.language.binding import Bound
    from riskguard.language.ruleset import RuleSet

__all__ = ["Request", "compare"]

# what the broker of a run tells of its account at every close
OF_BROKER = {name: Input(name, CATALOGUE[name], source="backtest") for name in ACCOUNT}


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
    watched = _watched(request, traded)
    bound = bind(
        request.ruleset,
        symbol=traded,
        every=watched.every,
        carried=watched.inputs() | OF_BROKER,
        capabilities=CAPABILITIES,
    )
    history = request.history.for_symbol(traded)
    progress("reading the rules over the history")
    columns = columns_of(bound.ruleset, watched)
    track = Track.of(columns, ts := history.bars(traded).ts)
    first = _first_bar(request, track, ts, columns)
    guard = _stepped(bound.ruleset, columns, watched)
    eyes = {"track": track} if guard is None else {"guard": guard, "watched": watched}
    results, exposure = _runs(request, history, eyes, first, progress)
    if guard is not None:
        track = Track.of_trail(results["guarded"].run.trail, track.priming)
    return Comparison(
        history=history,
        ruleset=bound.ruleset,
        rules_path=request.rules_path,
        notes=(*history.notes, *bound.notes, *_warnings(request, bound, watched)),
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
        recovery=_recovery(columns, guard),
        mark=history.mark,
    )


def _watched(request: Request, traded: str) -> History:
    """Return the history as the rules see it: on the file's own symbol, or on that traded."""
    own = not request.ruleset.symbol or traded in request.ruleset.per_symbol
    return request.history.for_symbol(traded if own else request.ruleset.symbol)


def _stepped(ruleset: RuleSet, columns: Columns, watched: History) -> Guard | None:
    """Return a guard where decisions cannot be made beforehand: by event, or on the account."""
    beforehand = ruleset.evaluate != "event" and not reads_account(columns.plan)
    return None if beforehand else Guard(ruleset, sources=watched.sources())


def _warnings(request: Request, bound: Bound, history: History) -> list[str]:
    """Return what is doubtful about rules and data, each with its place in the rule file."""
    own = visible(request.ruleset.path)
    found = [*bound.warnings, *doubts(history, bound.ruleset)]
    places = [request.rules_path if one.path == own else one.path for one in found]
    return [
        f"{place}:{one.line}:{one.column}: warning[{one.code}] {one.message}; {one.help}"
        for place, one in zip(places, found, strict=True)
    ]


def _first_bar(request: Request, track: Track, ts: NDArray[np.int64], columns: Columns) -> int:
    path = request.history.path
    if not columns.now.size:
        every = time_text(columns.plan.every)
        message = f"no bar of {columns.symbol} closes on a multiple of {every}: nothing is decided"
        raise DataError(message, path=path, help="give more bars, or a shorter every:")
    if track.priming is None:
        texts = columns.decision(columns.now.size - 1).priming
        longest = max(columns.plan.warm_up(index) for index in columns.cold)
        raise DataError(
            f"the rules are still warming up at the last bar: {', '.join(texts)}",
            path=path,
            help=f"give at least {time_text(longest)} of history before the first trade",
        )
    first = track.priming
    if request.start is not None:
        first = max(first, int(np.searchsorted(ts, request.start, side="left")))
    if first >= ts.size - 1:
        fix = "choose an earlier --from, or a later --to"
        raise DataError("no bar is left to trade on", path=path, help=fix)
    return first


def _runs(
    request: Request,
    history: History,
    eyes: Mapping[str, Any],
    first: int,
    say: Callable[[str], None],
) -> tuple[dict[str, RunResult], float]:
    def once(name: str, obeyed: Mapping[str, Any], exposure: float) -> Run:
        say(f"running {request.strategy_name} {name}")
        return run(
            history,
            request.strategy,
            request.params,
            symbol=history.symbol,
            cash=request.cash,
            costs=request.costs,
            trading_from=first,
            exposure=exposure,
            **obeyed,
        )

    bare = once("bare", {}, 1.0)
    guarded = once("guarded", eyes, 1.0)
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
    exposure[asked] = np.clip(np.abs(one.held[asked]) / np.abs(wanted[asked]), 0.0, 1.0)
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
