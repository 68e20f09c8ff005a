"""The decisions of a run as rows: when, what was asked, and each line that decided."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.grades import MODELLED, grade_of
from riskguard.backtest.page.grades import found
from riskguard.backtest.text_figures import change, moment, number, percent, versus
from riskguard.backtest.text_timeline import COMPARISON, deciding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from riskguard.backtest.comparison import Comparison
    from riskguard.engine.decision import Decision, Reading

__all__ = ["Reason", "Row", "asks", "rows", "strictest"]


SIGNS = {"<=": "\u2264", ">=": "\u2265", "==": "=", "!=": "\u2260"}


class Reason(NamedTuple):
    """One line that decided, as it stood: value and threshold with their margin."""

    rule: str
    leaf: str
    value: str
    threshold: str
    margin: str
    grade: str  # reconstructed or synthetic where it rests on such a series, else ""


class Row(NamedTuple):
    """One decision; `bar` is the number of the bar at whose close it came into force."""

    bar: int
    when: str
    stage: str
    state: int  # 0 ACTIVE .. 3 HALTED
    cap: float
    asks: str
    moved: bool  # stage, state or cap are others than before
    reasons: tuple[Reason, ...]


def rows(comparison: Comparison) -> list[Row]:
    """Return every decision from the first bar that may be traded on, in order of time."""
    start = int(comparison.ts[comparison.trading_from])
    made: list[Row] = []
    before: Decision | None = None
    for decision, _ in comparison.decisions:
        ts = max(start, decision.ts)
        made.append(
            Row(
                bar=min(int(np.searchsorted(comparison.ts, ts)), len(comparison.ts) - 1),
                when=moment(ts),
                stage=decision.stage,
                state=int(decision.state),
                cap=decision.exposure_cap,
                asks=", ".join(asks(decision)),
                moved=before is None or _place(decision) != _place(before),
                reasons=tuple(_reasons(comparison, decision, before)),
            )
        )
        before = decision
    return made


def _place(decision: Decision) -> tuple[object, ...]:
    return decision.stage, decision.state, decision.exposure_cap, decision.blind


def asks(decision: Decision) -> Iterator[str]:
    """Yield what a decision asks beside its cap, in the words of a trader."""
    if decision.close != "none":
        yield f"close {decision.close}"
    if decision.block_entries != "none" and decision.exposure_cap > 0:
        side = "" if decision.block_entries == "both" else f"{decision.block_entries} "
        yield f"no {side}entries"
    if decision.leverage_cap is not None:
        yield f"leverage at most {decision.leverage_cap:g}x"
    if decision.stop is not None:
        yield f"stop {number(decision.stop)} away"
    if decision.hedge:
        yield f"hedge {percent(decision.hedge, 0)}"
    if decision.cancel_orders != "none" and decision.exposure_cap > 0:
        yield "cancel orders" if decision.cancel_orders == "all" else "cancel entry orders"
    if decision.latched:
        yield "waits for an operator"
    yield from (f"blind: {name}" for name in decision.blind)
    yield from (f"priming: {text}" for text in decision.priming)


def _reasons(
    comparison: Comparison, decision: Decision, before: Decision | None
) -> Iterator[Reason]:
    """Yield what decided a change, or where nothing came or went what holds; each line once."""
    moved = deciding(decision, before)
    if not moved and decision.state:
        moved = [reading for reading in decision.reasons if reading.truth == "true"]
    seen = set()
    for reading in moved:
        if (reading.rule, reading.leaf) not in seen:
            seen.add((reading.rule, reading.leaf))
            yield _reason(comparison, reading)
    cause = (decision.winners.get("exposure_cap") or ("",))[0]
    if cause.startswith("reentry stage ") and not any(reading.rule == cause for reading in moved):
        told = f"re-entry after {cause.removeprefix('reentry stage ')}"
        yield Reason(told, f"cap {percent(decision.exposure_cap, 0)}", "", "", "", "")


def _reason(comparison: Comparison, reading: Reading) -> Reason:
    rule, leaf = reading.rule.removeprefix("stage "), reading.leaf
    grade = _grade(comparison, (key for key, _ in reading.reads))
    if reading.value is None and reading.threshold is None:
        return Reason(rule, leaf, reading.truth, "", "", grade)
    value, threshold = versus(reading.value, reading.threshold, reading.dimension)
    split = COMPARISON.split(leaf, maxsplit=1)
    operator = f"{SIGNS.get(split[1], split[1])} " if len(split) == 3 else ""
    margin = "" if reading.margin is None else change(reading.margin, reading.dimension)
    return Reason(rule, leaf, value, f"{operator}{threshold}", margin, grade)


def _grade(comparison: Comparison, keys: Iterable[str]) -> str:
    series = (found(comparison, key, pilot=True) for key in keys)
    grades = {grade_of(one) for one in series if one is not None}
    return next((grade for grade in MODELLED if grade in grades), "")


def strictest(made: Sequence[Row], most: int) -> list[Row]:
    """Return at most `most` rows: of each stretch of rows the strictest, the first of equals."""
    if len(made) <= most:
        return list(made)
    edges = np.linspace(0, len(made), most + 1).astype(int).tolist()
    stretches = (made[low:high] for low, high in pairwise(edges) if high > low)
    return [max(stretch, key=lambda row: (row.state, -row.cap)) for stretch in stretches]
