from __future__ import annotations

from dataclasses import replace

import pytest

from riskguard.backtest.page.tables import (
    data_table,
    figures_tables,
    identity_table,
    key_figures,
    ledger_table,
    ledger_yearly_table,
    peers_table,
    recovery_table,
    statistics_table,
)
from riskguard.market import HOUR
from tests.backtest import made
from tests.backtest.page import drawn


@pytest.fixture(scope="module")
def comparison():
    return drawn.comparison(500, HOUR)


def test_ledger_tells_each_rule_in_money_and_of_the_cash(comparison) -> None:
    table = ledger_table(comparison, drawn.evidence(comparison))
    assert [row[0] for row in table.rows] == ["watch", "cut", "out"]
    assert dict(zip(table.columns[1:], table.rows[0][1:], strict=True)) == {
        "trips": "4", "true": "1", "late": "1", "false": "1", "redundant": "0", "open": "1",
        "days out": "12.5", "saved": "$1,000", "missed": "$400", "costs": "$30.00", "net": "$570",
        "of cash": "0.6%", "without it": "-$40.00", "alone": "$600",
        "worst whipsaw": "9,000 to 9,180, -2.2%, 2020-01-01",
    }  # fmt: skip


def test_ledger_tells_the_same_in_percent_of_the_capital_a_year(comparison) -> None:
    weighed = replace(drawn.evidence(comparison), years=2.0)
    table = ledger_yearly_table(comparison, weighed)
    assert dict(zip(table.columns[1:], table.rows[0][1:], strict=True)) == {
        "saved": "0.5%", "missed": "0.2%", "costs": "0.0%", "net": "0.3%",
        "without it": "0.0%", "alone": "0.3%", "false alarms": "0.1%",
    }  # fmt: skip
    assert ledger_yearly_table(comparison, replace(weighed, years=0.0)) is None
    unplanned = replace(weighed, ledger=(drawn.ledger_row("cut", false_cost=None),))
    assert ledger_yearly_table(comparison, unplanned).rows[0][-1] == "-"


def test_trips_that_no_plan_can_judge_are_not_counted_as_none(comparison) -> None:
    unjudged = dict.fromkeys(("true", "late", "false", "redundant", "unjudged"))
    row = drawn.ledger_row("cut", whipsaw=None, **unjudged)
    (cells,) = ledger_table(comparison, replace(drawn.evidence(comparison), ledger=(row,))).rows
    assert cells[1:7] == ("4", "-", "-", "-", "-", "-")
    assert cells[-1] == "-"


def test_what_was_left_out_is_held_against_a_random_time_out(comparison) -> None:
    weighed = drawn.evidence(comparison)
    told = identity_table(comparison, weighed).note
    assert "Of what was left out 90.0% were losses, of a random time out 55.0%." in told
    idle = replace(weighed, value=replace(weighed.value, avoided=0.0, missed=0.0))
    assert "random" not in identity_table(comparison, idle).note


def test_identity_adds_up_line_by_line(comparison) -> None:
    rows = dict(identity_table(comparison, drawn.evidence(comparison)).rows)
    assert rows == {
        "losses avoided": "$30,000",
        "gains missed": "-$20,000",
        "costs of the guard's trades": "-$500",
        "other path": "-$100",
        "guarded - bare": "$9,400",
    }


def test_guard_stands_first_among_its_peers(comparison) -> None:
    weighed = drawn.evidence(comparison)
    table = peers_table(comparison, weighed)
    assert [row[0] for row in table.rows] == ["guarded", *(one.name for one in weighed.peers)]
    assert table.rows[0][2] == "60.0%"
    assert table.grade == "on reconstructed data"


def test_tests_are_told_with_interval_or_p_value(comparison) -> None:
    rows = {name: (value, rest) for name, value, rest in
            statistics_table(comparison, drawn.evidence(comparison)).rows}  # fmt: skip
    assert rows["net benefit against constant"][0].endswith(" %/yr")
    assert " to " in rows["CDaR below constant"][1]
    assert rows["foresight (placebo)"][0].startswith("p = ")
    assert {"decisions 1 bar late", "decisions 5 bars late", "costs times 4"} <= set(rows)
    untested = replace(drawn.evidence(comparison), found=None, untested="mechanics only")
    assert statistics_table(comparison, untested) is None


def test_what_was_not_found_has_no_table(comparison) -> None:
    empty = made.untested(comparison)
    for build in (ledger_table, ledger_yearly_table, peers_table, statistics_table):
        assert build(comparison, empty) is None


def test_bars_of_a_symbol_are_one_row_and_every_other_series_has_its_own(comparison) -> None:
    rows = data_table(comparison).rows
    assert [row[:2] for row in rows] == [
        ("BTC bars", "exchange"),
        ("BTC.oi", "exchange"),
        ("BTC.liq.long", "reconstructed"),
        ("BTC.liq.short", "reconstructed"),
        ("BTC.oi_usd", "exchange"),
    ]


def test_figures_at_the_mark_come_before_those_at_the_end(tmp_path) -> None:
    tables = figures_tables(made.comparison(tmp_path))
    assert [table.title[:2] for table in tables] == ["At", "At"]
    assert tables[1].title == "At the end"
    assert [bool(table.note) for table in tables] == [False, True]
    assert key_figures(made.comparison(tmp_path)).rows[0] == (
        "guarded", "-10.0%", "25.0%", "$9,000",
    )  # fmt: skip


def test_what_is_unknown_on_the_way_back_says_so(tmp_path) -> None:
    rows = recovery_table(made.comparison(tmp_path)).rows
    assert rows == (
        ("cut", "close > held for 3d", "64,856", "70,350", "+8.5%"),
        ("cut", "liq.long.sum(24h) <= calm", "unknown", "$100M", "unknown"),
    )
