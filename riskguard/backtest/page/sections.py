"""The parts of the page that are text: each one escaped, each with its heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.backtest.evidence.conditions import HARM
from riskguard.backtest.evidence.told import ways_told
from riskguard.backtest.page.grades import resting
from riskguard.backtest.page.leverage import caption, drawing, guard_point
from riskguard.backtest.page.markup import Markup, joined, tag
from riskguard.backtest.page.tables import (
    Table,
    data_table,
    figures_tables,
    further_table,
    identity_table,
    key_figures,
    ledger_table,
    ledger_yearly_table,
    liquidation_lines,
    parameters_table,
    peers_table,
    recovery_table,
    statistics_table,
)
from riskguard.backtest.page.told import MET, all_notes, asked, settings, source_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from riskguard.backtest.comparison import Comparison
    from riskguard.backtest.evidence.conditions import Condition
    from riskguard.backtest.evidence.evidence import Evidence

__all__ = ["after_chart", "first", "grade_tag"]

SIGNS = {True: "\u2713", False: "\u2715", None: "\u2013"}


def grade_tag(grade: str) -> Markup:
    """Return the grade of modelled data as a label, nothing for measured data."""
    return tag("span", grade, class_="grade") if grade else joined()


def first(comparison: Comparison, evidence: Evidence, modelled: dict[str, str]) -> Markup:
    """Return the verdict with its reason and conditions, and what was run."""
    word, reason = evidence.verdict
    parts = [
        tag("p", word, class_=f"word {word.lower().split()[0]}"),
        tag("p", reason, class_="reason"),
    ]
    if modelled:
        named = ", ".join(f"{key} ({grade})" for key, grade in modelled.items())
        told = "This rests on series that nobody measured: "
        parts.append(tag("p", grade_tag("mechanics only"), told, named, class_="modelled"))
    for title, conditions in asked(evidence):
        kind = "conditions of-harm" if conditions[0].verdict == HARM else "conditions"
        parts.append(tag("p", title, class_="asks"))
        parts.append(tag("ul", *map(_condition, conditions), class_=kind, aria_label=title))
    facts = [
        tag("div", tag("dt", one.name), tag("dd", one.text))
        for one in settings(comparison, evidence)
    ]
    return joined(
        tag("div", *parts, class_="told"),
        tag("div", table_of(key_figures(comparison), titled=False), class_="key"),
        tag("dl", *facts, class_="facts"),
    )


def _condition(one: Condition) -> Markup:
    name = tag("b", one.name)
    said = tag("span", MET[one.met], class_="said")
    sign = tag("span", SIGNS[one.met], class_="sign", aria_hidden="true")
    kind = MET[one.met].replace(" ", "-")
    return tag("li", sign, tag("div", name, " ", said, " ", tag("span", one.text)), class_=kind)


def after_chart(comparison: Comparison, evidence: Evidence) -> Markup:
    """Return all that stands behind the table of decisions."""
    return joined(
        _section("figures", "Figures", *_figures(comparison, evidence)),
        *_weighed(comparison, evidence),
        *_waiting(comparison),
        _section("rules", "Rules as run", *_rules(comparison)),
        _section("data", "Data and notes", *_data(comparison, evidence)),
    )


def _section(name: str, title: str, *parts: str, grade: str = "") -> Markup:
    heading = tag("h2", title, " " if grade else "", grade_tag(grade))
    return tag("section", heading, *parts, id=name, aria_label=title)


def _figures(comparison: Comparison, evidence: Evidence) -> Iterator[Markup]:
    tables = figures_tables(comparison)
    yield tag("div", *(table_of(one) for one in tables), class_="beside")
    yield from (tag("p", one.note, class_="note") for one in tables if one.note)
    noted = (identity_table(comparison, evidence), further_table(comparison, evidence))
    parts = [tag("div", table_of(one), tag("p", one.note, class_="note")) for one in noted]
    if lines := liquidation_lines(comparison):
        rows = [joined(tag("dt", name), tag("dd", text)) for name, text in lines]
        title = tag("h3", "Forced liquidation by the exchange, or the nearest approach to it")
        parts.append(tag("div", title, tag("dl", *rows, class_="facts")))
    yield tag("div", *parts, class_="beside")


def _weighed(comparison: Comparison, evidence: Evidence) -> Iterator[Markup]:
    """Yield peers, leverage line and ledger, as far as the run was weighed."""
    peers, ledger = peers_table(comparison, evidence), ledger_table(comparison, evidence)
    parts: list[str] = []
    if evidence.leverage_line:
        guard = guard_point(comparison)
        line = evidence.leverage_line
        text = tag("figcaption", caption(line, guard))
        parts.append(tag("figure", drawing(line, guard), text))
    for table in (peers, statistics_table(comparison, evidence)):
        if table is not None:
            parts += [table_of(table), tag("p", table.note, class_="note")]
    if evidence.untested:
        parts.append(tag("p", f"No tests: {evidence.untested}.", class_="note"))
    if parts:
        grade = resting(comparison)
        yield _section("peers", "Against simpler means", *parts, grade=grade)
    if ledger is not None:
        told = [table_of(ledger, titled=False), tag("p", ledger.note, class_="note")]
        if ways := ways_told(evidence):
            told.append(tag("p", f"{ways[:1].upper()}{ways[1:]}.", class_="note"))
        yearly = ledger_yearly_table(comparison, evidence)
        if yearly is not None:
            told += [table_of(yearly), tag("p", yearly.note, class_="note")]
        yield _section("ledger", ledger.title, *told, grade=ledger.grade)


def _waiting(comparison: Comparison) -> Iterator[Markup]:
    table = recovery_table(comparison)
    if table is not None:
        yield _section("recovery", table.title, table_of(table, titled=False), grade=table.grade)


def _rules(comparison: Comparison) -> Iterator[Markup]:
    yield tag("p", "hash of their meaning: ", tag("code", comparison.ruleset.hash), class_="note")
    for number, (path, text) in enumerate(source_files(comparison)):
        lines = tag("pre", tag("code", text), tabindex="0", aria_label=f"text of {path}")
        yield tag("details", tag("summary", path), lines, open="" if not number else None)
    parameters = parameters_table(comparison)
    if parameters is not None:
        yield table_of(parameters)


def _data(comparison: Comparison, evidence: Evidence) -> Iterator[Markup]:
    yield table_of(data_table(comparison), titled=False)
    notes = all_notes(comparison, evidence)
    if notes:
        yield tag("h3", "Notes")
        yield tag("ul", *(tag("li", note) for note in notes), class_="notes")


def table_of(table: Table, *, titled: bool = True) -> Markup:
    """Return a table that scrolls sideways by itself where a phone is too narrow for it."""
    caption_ = tag("caption", table.title, " " if table.grade else "", grade_tag(table.grade))
    head = tag("tr", *(tag("th", name, scope="col") for name in table.columns))
    body = [_row(row) for row in table.rows]
    kind = "words" if table.plain else None
    whole = tag("table", *([caption_] if titled else []), tag("thead", head), tag("tbody", *body))
    return tag(
        "div", whole, class_="wide" + (f" {kind}" if kind else ""), tabindex="0", role="group",
        aria_label=table.title,
    )  # fmt: skip


def _row(cells: Iterable[str]) -> Markup:
    named, *others = cells
    return tag("tr", tag("th", named, scope="row"), *(tag("td", cell) for cell in others))
