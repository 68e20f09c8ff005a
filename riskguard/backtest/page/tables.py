"""Every table of a report that is not of one page alone: cells are plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from riskguard.backtest.evidence.conditions import signed
from riskguard.backtest.evidence.figures import captured
from riskguard.backtest.evidence.grades import grade_of
from riskguard.backtest.evidence.sums import printed
from riskguard.backtest.evidence.told import MONEY, drawn, left_out
from riskguard.backtest.metrics import cdar, max_drawdown, total_return
from riskguard.backtest.page.grades import resting
from riskguard.backtest.page.leverage import guard_path
from riskguard.backtest.report import figures, mark_bar, nearness
from riskguard.backtest.text import BARS, EXPLAINED, mark_title, nearness_text
from riskguard.backtest.text_figures import (
    change,
    decimals,
    moment,
    money,
    number,
    percent,
    value_text,
    versus,
)
from riskguard.backtest.text_table import ROWS, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.evidence.ledger import LedgerRow, Whipsaw
    from riskguard.backtest.evidence.peers import Peer
    from riskguard.backtest.evidence.stress import Stress

__all__ = [
    "Table",
    "data_table",
    "figures_tables",
    "further_table",
    "identity_table",
    "key_figures",
    "ledger_table",
    "ledger_yearly_table",
    "liquidation_lines",
    "parameters_table",
    "peers_table",
    "recovery_table",
    "statistics_table",
]


LEDGER = (
    "rule", "trips", "true", "late", "false", "redundant", "open", "days out", "saved", "missed",
    "costs", "net", "of cash", "without it", "alone", "worst whipsaw",
)  # fmt: skip


YEARLY = {"without": "without it", "false_cost": "false alarms"}


class Table(NamedTuple):
    """A table: the first column names its rows; `grade` is that of modelled data behind it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    grade: str = ""
    plain: bool = False  # text throughout, nothing to be set to the right


def figures_tables(comparison: Comparison) -> list[Table]:
    """Return the figures of the three runs: at the mark, where there is one, and at the end."""
    stop, grade = mark_bar(comparison), resting(comparison)
    held = percent(comparison.constant_exposure)
    blocks = [("At the end", figures(comparison))]
    if stop is not None:
        title = mark_title(comparison)
        blocks.insert(0, (title[:1].upper() + title[1:], figures(comparison, stop)))
    return [
        Table(
            title,
            ("", *RUNS),
            tuple((label, *(shown(found[run]) for run in RUNS)) for label, shown in ROWS),
            f"constant: {EXPLAINED} Here it holds {held} of the size throughout."
            if number == len(blocks)
            else "",
            grade,
        )
        for number, (title, found) in enumerate(blocks, 1)
    ]


def further_table(comparison: Comparison, evidence: Evidence) -> Table:
    """Return growth, tails and efficiency of the three runs."""
    found = [evidence.further[run] for run in RUNS]
    shares = (
        ("growth a year", "cagr"),
        ("Ulcer index", "ulcer"),
        ("CVaR 5 %, 24 h", "cvar_5"),
        ("CVaR 1 %, 24 h", "cvar_1"),
        ("time under water", "under_water"),
    )
    plain = (
        ("longest under water", "longest_under_water", "{:.0f} d"),
        ("deepest fall took", "fell", "{:.0f} d"),
        ("regained after", "recovered", "{:.0f} d"),
        ("switches a year", "switches", "{:.1f}"),
        ("median time out", "median_out", "{:.1f} d"),
        ("longest time out", "longest_out", "{:.1f} d"),
        ("price of insurance", "insurance", "{:+.2f}"),
        ("Sharpe", "sharpe", "{:.2f}"),
        ("Sortino", "sortino", "{:.2f}"),
        ("Calmar", "calmar", "{:.2f}"),
        ("tail ratio, 24 h", "tail_ratio", "{:.2f}"),
    )
    rows = [(label, *(percent(getattr(one, name)) for one in found)) for label, name in shares]
    rows += [
        (label, *(_ratio(getattr(one, name), form) for one in found)) for label, name, form in plain
    ]
    note = (
        "A year has 365 days; what a few weeks would grow to in a year says little. By chance alone"
        " the way back takes about three times as long as the fall. The price of insurance is the"
        " growth a year given up for each point of CDaR saved."
    )
    return Table("Further figures", ("", *RUNS), tuple(rows), note, resting(comparison))


def _ratio(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else "-"


def key_figures(comparison: Comparison) -> Table:
    """Return the three figures that a reader looks for first, a row for each run."""
    found, held = figures(comparison), percent(comparison.constant_exposure, 0)
    names = {"constant": f"constant {held}"}
    rows = tuple(
        (
            names.get(run, run),
            percent(found[run].total_return),
            percent(found[run].max_drawdown),
            money(found[run].end_equity),
        )
        for run in ("guarded", "constant", "bare")
    )
    columns = ("", "return", "max drawdown", "end equity")
    return Table("Guarded, constant, bare", columns, rows, grade=resting(comparison))


def liquidation_lines(comparison: Comparison) -> list[tuple[str, str]]:
    """Return each run that could be closed by force, and how near it came to that."""
    near = {name: nearness(comparison.results[name].run) for name in RUNS}
    return [(name, nearness_text(one)) for name, one in near.items() if one is not None]


def identity_table(comparison: Comparison, evidence: Evidence) -> Table:
    """Return the accounting of the guard's value: avoided - missed - costs = guarded - bare."""
    one = printed(evidence.identity)
    rows = [
        ("losses avoided", one.text(one.avoided)),
        ("gains missed", one.text(-one.missed)),
        ("costs of the guard's trades", one.text(-one.costs)),
    ]
    if evidence.identity.parted:
        rows.append(("other path", one.text(one.other_path)))
    rows.append(("guarded - bare", one.text(one.difference)))
    note = "Avoided less missed less costs is all the value a guard has."
    part = captured(evidence.value)
    if math.isfinite(part):
        random = percent(evidence.random_capture)
        note += f" Of what was left out {percent(part)} were losses, of a random time out {random}."
    return Table("What the guard was worth", ("", "money"), tuple(rows), note, resting(comparison))


def peers_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Return what simpler means did with the same mean exposure."""
    if not evidence.peers:
        return None
    held = percent(evidence.mean_exposure)
    own = ("guarded", "-", held, *_path_figures(guard_path(comparison)))
    rows = (own, *(_peer(one) for one in evidence.peers))
    note = (
        "Each has one knob, set so that it holds as much on average as the guard does. All rows,"
        " the guard's too, hold that share of what the bare run earns from bar to bar."
    )
    return Table(
        "Peers at equal mean exposure",
        ("", "set to", "mean exposure", "return", "max drawdown", "CDaR 95 %"),
        rows,
        note,
        resting(comparison),
    )


def _peer(one: Peer) -> tuple[str, ...]:
    setting = f"{one.knob} {one.setting:.4g}" if one.knob else "-"
    return (one.name, setting, percent(one.mean_exposure), *_path_figures(one.equity))


def _path_figures(path: NDArray[np.float64]) -> tuple[str, str, str]:
    return percent(total_return(path)), percent(max_drawdown(path)), percent(cdar(path))


def statistics_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Return the tests that the data allows, each with its interval or p-value."""
    if evidence.found is None:
        return None
    found = evidence.found
    rows = [
        (name, f"{signed(one.value)} {unit}", f"{signed(one.low)} to {signed(one.high)}")
        for name, one, unit in (
            ("net benefit against constant", found.against_constant, "%/yr"),
            ("net benefit against the best simple peer", found.against_best, "%/yr"),
            ("CDaR below constant", found.cdar, "points"),
            ("Ulcer index below constant", found.ulcer, "points"),
        )
    ]
    if found.placebo is not None:
        rows.append(("foresight (placebo)", f"p = {found.placebo.foresight:.3f}", "-"))
        rows.append(
            ("volatility timing (placebo)", f"p = {found.placebo.volatility_timing:.3f}", "-")
        )
    rows += [
        (_worse(one), f"{signed(one.benefit)} %/yr", "-")
        for one in found.stress
        if one.late or one.dearer != 1.0
    ]
    if found.without:
        least, most, name = left_out(evidence, found)
        rows.append((f"one event left out, least without {name}", f"{least} to {most} %/yr", "-"))
    note = f"{drawn(found, evidence.draws)}."
    columns = ("", "value", "90 % interval")
    return Table("Tests", columns, tuple(rows), note, resting(comparison))


def _worse(one: Stress) -> str:
    if one.late:
        return f"decisions {one.late} bar{'' if one.late == 1 else 's'} late"
    return f"costs times {one.dearer:g}"


def ledger_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Return what each rule or stage saved and cost, and what the guard is without it."""
    if not evidence.ledger:
        return None
    note = (
        "A trip is true where a fall of the plan's size followed it, late where more than half of"
        " that was over, false where none followed, redundant where another rule held as tight,"
        " open where the data ends too soon; without a plan nobody can say. A whipsaw is a way out"
        " and back in at a worse price."
    )
    rows = tuple(_ledger_row(row, comparison.cash) for row in evidence.ledger)
    return Table("Ledger of the rules", LEDGER, rows, note, resting(comparison))


def ledger_yearly_table(comparison: Comparison, evidence: Evidence) -> Table | None:
    """Return the money of the ledger in percent of the capital a year."""
    if not evidence.ledger or not evidence.years > 0:
        return None
    rows = tuple(
        (row.rule, *(_yearly(getattr(row, name), evidence) for name in MONEY))
        for row in evidence.ledger
    )
    columns = ("rule", *(YEARLY.get(name, name) for name in MONEY))
    note = (
        f"Of the cash at the start; {evidence.years:.2f} years. False alarms: what they cost, each"
        " until the next trip of its rule, and below 0 what they gained. What a few weeks would"
        " come to in a year says little."
    )
    title = "Ledger in percent of the capital a year"
    return Table(title, columns, rows, note, resting(comparison))


def _yearly(money: float | None, evidence: Evidence) -> str:
    return "-" if money is None else percent(evidence.a_year(money))


def _ledger_row(row: LedgerRow, cash: float) -> tuple[str, ...]:
    counts = (row.true, row.late, row.false, row.redundant, row.unjudged)
    return (
        row.rule,
        f"{row.trips:,}",
        *("-" if count is None else f"{count:,}" for count in counts),
        f"{row.days_out:,.1f}",
        *(money(value) for value in (row.saved, row.missed, row.costs, row.net)),
        percent(row.net / cash),
        *(money(value) for value in (row.without, row.alone)),
        "-" if row.whipsaw is None else _whipsaw(row.whipsaw),
    )


def _whipsaw(one: Whipsaw) -> str:
    prices = f"{number(one.exit)} to {number(one.reentry)}"
    return f"{prices}, {percent(-one.loss)}, {moment(one.left)[:10]}"


def recovery_table(comparison: Comparison) -> Table | None:
    """Return what is still open at the end, each line with what it lacks."""
    rows = tuple(
        (
            item.stage,
            item.line,
            *versus(item.value, item.threshold, item.dimension),
            change(item.distance, item.dimension) if item.distance else item.truth,
        )
        for item in comparison.recovery
    )
    stage = comparison.decisions[-1][0].stage
    columns = ("stage or rule", "line", "now", "asked", "needs")
    title = f"Still {stage} at the end: the way back"
    return Table(title, columns, rows, grade=resting(comparison)) if rows else None


def parameters_table(comparison: Comparison) -> Table | None:
    """Return every parameter of the rules with the value the run had: the file's, or `--set`."""
    rows = [
        (name, _written(one.value, one.dimension), one.help)
        for name, one in comparison.ruleset.params.items()
        if not one.by_source
    ]
    rows += [
        (f"{name}, {source}", _written(value, one.dimension), one.help)
        for name, one in comparison.ruleset.params.items()
        for source, value in one.by_source.items()
    ]
    columns = ("parameter", "value", "what it is")
    return Table("Parameters as run", columns, tuple(rows), plain=True) if rows else None


def _written(value: float | None, dimension: str) -> str:
    return value_text(value, dimension, decimals(value, dimension))


def data_table(comparison: Comparison) -> Table:
    """Return every series with its grade, where it is from and what it spans."""
    return Table(
        "Data",
        ("series", "grade", "source", "from", "to", "values"),
        tuple(_series_rows(comparison)),
        "Every time is UTC, and of a bar it is the close.",
        plain=True,
    )


def _series_rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Yield a row for each series; the bars of a symbol are one, as they come from one place."""
    told: set[tuple[str, ...]] = set()
    for key, one in comparison.history.series.items():
        filled = len(one.times) > 0
        span = [moment(int(one.events[edge])) if filled else "-" for edge in (0, -1)]
        source = f"{one.source}, {one.scope}" if one.scope else one.source
        name = f"{one.symbol} bars" if one.name in BARS else key
        grade = grade_of(one) + (", sampled" if one.coverage == "sampled" else "")
        row = (name, grade, source, *span, f"{len(one.times):,}")
        if row not in told:
            told.add(row)
            yield row
