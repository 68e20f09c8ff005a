"""The report as Markdown, to be read in an editor, a pull request or a chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard._version import VERSION
from riskguard.backtest.evidence.told import ways_told
from riskguard.backtest.page.grades import modelled, resting
from riskguard.backtest.page.leverage import caption, guard_point
from riskguard.backtest.page.rows import rows, strictest
from riskguard.backtest.page.tables import (
    Table,
    data_table,
    figures_tables,
    further_table,
    identity_table,
    ledger_table,
    ledger_yearly_table,
    liquidation_lines,
    parameters_table,
    peers_table,
    recovery_table,
    statistics_table,
)
from riskguard.backtest.page.told import MET, all_notes, asked, settings, source_files, title
from riskguard.backtest.report import SCHEMA
from riskguard.backtest.text_figures import percent
from riskguard.engine.decision import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.evidence import Evidence
    from riskguard.backtest.page.rows import Reason, Row

__all__ = ["markdown"]

MOST_ROWS = 200  # decisions that a reader may be asked to scroll over
SPECIAL = re.compile(r"([\\`*_\[\]<>|~#&])")


def markdown(comparison: Comparison, evidence: Evidence) -> str:
    """Return the report as one Markdown text; what comes from files shows as it is written."""
    blocks = [
        f"<!-- {SCHEMA} -->",
        *_first(comparison, evidence),
        *(_table(one) for one in figures_tables(comparison)),
        *_near(comparison),
        *_weighed(comparison, evidence),
        *_decisions(comparison),
        *_rest(comparison, evidence),
        f"Made by riskguard {VERSION}. No advice to trade.",
    ]
    return "\n\n".join(blocks) + "\n"


def _plain(text: str) -> str:
    """Return text that Markdown leaves as it is, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return text as code; a fence is longer than any run of back-ticks inside it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text}\n{fence}"


def _first(comparison: Comparison, evidence: Evidence) -> Iterator[str]:
    word, reason = evidence.verdict
    yield f"# {_plain(word)}: {_plain(reason)}"
    yield f"**{_plain(title(comparison))}**"
    for key, grade in modelled(comparison).items():
        yield f"> This rests on {_plain(key)}, which is {grade}: mechanics only."
    for heading, conditions in asked(evidence):
        yield f"{_plain(heading)}:"
        said = (f"- **{_plain(one.name)}** {MET[one.met]}: {_plain(one.text)}"
                for one in conditions)  # fmt: skip
        yield "\n".join(said)
    yield "\n".join(f"- {one.name}: {_plain(one.text)}" for one in settings(comparison, evidence))


def _table(table: Table) -> str:
    side = ":--" if table.plain else "--:"
    grade = f" ({table.grade})" if table.grade else ""
    lines = [
        f"## {_plain(table.title)}{grade}",
        "",
        _cells(table.columns),
        _cells([":--", *[side] * (len(table.columns) - 1)]),
        *(_cells([_plain(cell) for cell in row]) for row in table.rows),
    ]
    return "\n".join([*lines, "", _plain(table.note)] if table.note else lines)


def _cells(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _near(comparison: Comparison) -> Iterator[str]:
    lines = liquidation_lines(comparison)
    if lines:
        yield "## Forced liquidation by the exchange, or the nearest approach to it"
        yield "\n".join(f"- {name}: {_plain(text)}" for name, text in lines)


def _weighed(comparison: Comparison, evidence: Evidence) -> Iterator[str]:
    found = (
        identity_table,
        further_table,
        peers_table,
        statistics_table,
        ledger_table,
        ledger_yearly_table,
    )
    tables = [build(comparison, evidence) for build in found]
    yield from (_table(one) for one in tables if one is not None)
    if ways := ways_told(evidence):
        yield _plain(f"{ways[:1].upper()}{ways[1:]}.")
    if evidence.untested:
        yield _plain(f"No tests: {evidence.untested}.")
    if evidence.leverage_line:
        yield _plain(caption(evidence.leverage_line, guard_point(comparison)))


def _decisions(comparison: Comparison) -> Iterator[str]:
    made = rows(comparison)
    kept = strictest(made, MOST_ROWS)
    grade = resting(comparison)
    yield "## Decisions" + (f" ({grade})" if grade else "")
    if len(kept) < len(made):
        yield f"{len(kept):,} of {len(made):,}: of each stretch the strictest."
    head = [
        _cells(["time", "stage", "state", "cap", "asks", "why"]),
        _cells([":--", ":--", ":--", "--:", ":--", ":--"]),
    ]
    yield "\n".join([*head, *map(_row, kept)])


def _row(row: Row) -> str:
    why = "<br>".join(_reason(one) for one in row.reasons)
    asks, stage = _plain(row.asks), _plain(row.stage)
    return _cells([row.when, stage, State(row.state).name, percent(row.cap, 0), asks, why])


def _reason(one: Reason) -> str:
    figures = " ".join(text for text in (one.value, one.threshold) if text)
    margin = f" ({one.margin})" if one.margin else ""
    grade = f" ({one.grade})" if one.grade else ""
    told = f": {figures}" if figures else ""
    return _plain(f"{one.rule}: {one.leaf}{told}{margin}{grade}")


def _rest(comparison: Comparison, evidence: Evidence) -> Iterator[str]:
    waiting = recovery_table(comparison)
    if waiting is not None:
        yield _table(waiting)
    yield _table(data_table(comparison))
    yield "## Notes"
    yield "\n".join(f"- {_plain(note)}" for note in all_notes(comparison, evidence))
    yield "## Rules as run"
    for path, text in source_files(comparison):
        yield f"{_plain(path)}, hash {comparison.ruleset.hash}"
        yield _code(text)
    parameters = parameters_table(comparison)
    if parameters is not None:
        yield _table(parameters)
