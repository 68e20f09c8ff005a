"""The report of a comparison as text: the verdict first, 80 columns, nothing but ASCII of ours."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from riskguard.backtest.evidence.grades import GRADES, grade_of, inputs_read
from riskguard.backtest.evidence.told import header, lines
from riskguard.backtest.report import figures, mark_bar, nearness, notes, unfunded
from riskguard.backtest.text_figures import day, duration, moment, money, number, percent
from riskguard.backtest.text_table import RUNS, WIDTH, figures_table, strategies_table
from riskguard.backtest.text_timeline import blind_text, recovery, timeline
from riskguard.market import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.report import Nearness

__all__ = [
    "BARS",
    "EXPLAINED",
    "mark_title",
    "nearness_text",
    "overview",
    "report_text",
    "verdicts",
]

BARS = ("open", "high", "low", "close", "volume")


def report_text(comparison: Comparison, evidence: Evidence, others: Sequence[str] = ()) -> str:
    """Return the whole report; `others` are strategies to name in the last line."""
    parts = [
        [*verdicts([(comparison, evidence)]), *_ran(comparison, evidence)],
        _figures(comparison),
        _sentence(comparison),
        [part for line in lines(evidence) for part in _hanging(line)],
        _below_zero(comparison),
        _funding(comparison),
        _liquidations(comparison),
        _changes(comparison),
        _ending(comparison),
        [line for note in notes(comparison) for line in _hanging(f"note: {note}")],
        _hanging(f"other strategies: {', '.join(others)} (--strategy NAME)") if others else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def overview(found: Sequence[tuple[Comparison, Evidence]]) -> str:
    """Return one table over several strategies on the same history and rules."""
    rows = [(item.strategy, figures(item), _remark(item)) for item, _ in found]
    ran = _ran(*found[0], "all strategies")
    parts = [[*verdicts(found), *ran], strategies_table(rows)]
    parts.append(_hanging(f"constant: {EXPLAINED}"))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


EXPLAINED = (
    "the same strategy at the guarded run's mean exposure from start to end. It shows what less"
    " size alone would have done; only what guarded does better than constant is timing."
)


def _hanging(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def verdicts(found: Sequence[tuple[Comparison, Evidence]]) -> list[str]:
    """Return the verdict; where strategies differ in it, a line of its own for each of them."""
    told = {item.strategy: ": ".join(weighed.verdict) for item, weighed in found}
    if len(set(told.values())) > 1:
        return [line for name, text in told.items() for line in _hanging(f"{name}: {text}")]
    return _hanging(next(iter(told.values())))


def _ran(comparison: Comparison, evidence: Evidence, strategy: str = "") -> list[str]:
    name = strategy or comparison.strategy
    if not strategy and comparison.leverage > 1:
        name += f" ({comparison.leverage:g}x)"
    costs = comparison.costs
    ran = (
        f"{name} on {comparison.symbol} {duration(comparison.every)},"
        f" {comparison.history.name}, {money(comparison.cash)},"
        f" fee {costs.fee * 1e4:g} bp, slippage {costs.slippage * 1e4:g} bp,"
        f" under {comparison.rules_path}; data: {_grades(comparison)}"
    )
    started = moment(int(comparison.ts[comparison.trading_from]))
    warm_up = f"warm-up to {moment(comparison.warm_up_until)}, trading from {started}"
    return [*_hanging(ran), *_hanging(header(evidence)), warm_up]


def _grades(comparison: Comparison) -> str:
    """Group the series by grade, the bars of a symbol as one: "exchange BTC bars, oi"."""
    groups: dict[str, dict[str, None]] = {}
    bars: dict[str, dict[str, None]] = {}
    read = inputs_read(comparison.ruleset, comparison.symbol)
    for series in comparison.history.series.values():
        # nobody pays the funding of a symbol that is not traded
        foreign = series.name == "funding" and series.symbol != comparison.symbol
        if foreign and series.key not in read:
            continue
        grade = grade_of(series)
        if series.name in BARS:
            bars.setdefault(grade, {})[series.symbol] = None
            groups.setdefault(grade, {})
        else:
            own = series.symbol in {comparison.symbol, "*"}
            shown = series.name if own else f"{series.symbol}.{series.name}"
            groups.setdefault(grade, {})[shown] = None
    texts = []
    for grade in sorted(groups, key=lambda word: GRADES.index(word) if word in GRADES else 9):
        names = list(groups[grade])
        if grade in bars:
            names.insert(0, f"bars of {' '.join(bars[grade])}")
        texts.append(f"{grade} ({', '.join(names)})")
    return ", ".join(texts)


def _figures(comparison: Comparison) -> list[str]:
    stop = mark_bar(comparison)
    blocks = [("at the end", figures(comparison))]
    if stop is not None:
        blocks.insert(0, (mark_title(comparison), figures(comparison, stop)))
    return figures_table(blocks)


def mark_title(comparison: Comparison) -> str:
    """Return what the figures at the mark are called: "end of 12 February 2026"."""
    ts = comparison.mark.ts if comparison.mark else 0
    # a mark at midnight is the end of the day before
    return f"end of {day(ts - 1)}" if ts % DAY == 0 else f"at {moment(ts)}"


def _sentence(comparison: Comparison) -> list[str]:
    share = percent(comparison.constant_exposure)
    return _hanging(f"constant: {EXPLAINED} Here it holds {share} of the size throughout.")


def _below_zero(comparison: Comparison) -> list[str]:
    lines = []
    for name in RUNS:
        equity = comparison.results[name].run.equity[comparison.trading_from :]
        if len(equity) and np.nanmin(equity) < 0:
            bar = int(np.nanargmin(equity))
            when = moment(int(comparison.ts[comparison.trading_from + bar]))
            lines += _hanging(
                f"{name}: equity fell below zero, to {money(float(equity[bar]))} at {when}:"
                " more was lost than was put in."
            )
    return lines


def _funding(comparison: Comparison) -> list[str]:
    if comparison.leverage <= 1 or unfunded(comparison):
        return []
    paid = [f"{name} {money(comparison.results[name].run.funding)}" for name in RUNS]
    return [f"{'funding paid':<19}{'  '.join(paid)}"]


def _liquidations(comparison: Comparison) -> list[str]:
    found = {name: nearness(comparison.results[name].run) for name in RUNS}
    lines = [
        line
        for name, near in found.items()
        if near is not None
        for line in _hanging(f"  {name:<9} {nearness_text(near)}")
    ]
    head = "forced liquidation by the exchange, or the nearest approach to it"
    return [head, *lines] if lines else []


def nearness_text(near: Nearness) -> str:
    """Return how near a run came to forced liquidation, or that it was closed by force."""
    if not near.liquidated:
        close = f"{percent(near.distance)} of {number(near.price)}"
        return f"price came within {close}, {moment(near.ts)}"
    text = f"LIQUIDATED at {number(near.price)}, {moment(near.ts)}"
    if near.times > 1:
        text += f", and {near.times - 1} more"
    return text + (f"; {money(near.shortfall)} were missing" if near.shortfall > 0 else "")


def _changes(comparison: Comparison) -> list[str]:
    start = int(comparison.ts[comparison.trading_from])
    staged = bool(comparison.ruleset.stages)
    lines = timeline(comparison.decisions, start, staged=staged)
    return ["stage changes" if staged else "changes", *lines]


def _remark(comparison: Comparison) -> str:
    hit = [
        f"{name} at {moment(near.ts)}"
        for name in RUNS
        if (near := nearness(comparison.results[name].run)) and near.liquidated
    ]
    return f"liquidated by force: {', '.join(hit)}" if hit else ""


def _ending(comparison: Comparison) -> list[str]:
    stage = comparison.decisions[-1][0].stage
    return [*recovery(stage, comparison.recovery), *blind_text(comparison)]
