from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.backtest.comparison import Comparison
from riskguard.backtest.evidence.verdict import Verdict
from riskguard.backtest.text import overview, report_text, verdicts
from riskguard.backtest.text_figures import (
    change,
    compact,
    day,
    duration,
    iso,
    moment,
    money,
    number,
    percent,
    value_text,
    versus,
)
from riskguard.backtest.text_timeline import reading_text, timeline
from riskguard.engine.decision import Reading, State
from riskguard.history import Mark
from riskguard.market import DAY, HOUR, MINUTE
from tests.backtest.made import JANUARY, comparison, decisions, untested, with_funding


def told(made: Comparison, others: Sequence[str] = ()) -> str:
    return report_text(made, untested(made), others)


def test_the_report_stands_in_the_promised_order(tmp_path: Path) -> None:
    text = told(comparison(tmp_path), ["sma_cross"])
    order = [
        "NOT SHOWN: exploratory run, no plan",
        "leveraged_hold (3x) on BTC 4h",
        "warm-up to 2026-01-15T04:00Z, trading from 2026-01-15T04:00Z",
        "at 2026-01-15T16:00Z",
        "at the end",
        "constant: the same strategy",
        "equity fell below zero",
        "LIQUIDATED at 61,234",
        "stage changes",
        "cut      CAUTION   cap 40%  (86 % background)",
        "still cut at the end",
        "blind: liq.long since 2026-01-15T20:00Z",
        "other strategies: sma_cross",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.startswith("NOT SHOWN")
    assert text.endswith("\n")


@pytest.mark.parametrize("cash", [1.0, 1e4, 1e9])
def test_no_line_is_wider_than_80_columns_and_all_is_ascii(tmp_path: Path, cash: float) -> None:
    made = comparison(tmp_path)
    for result in made.results.values():
        result.run.equity[:] *= cash / 1e4
    several = overview([(made, untested(made))] * 3)
    texts = told(made, [f"strategy_{n}" for n in range(20)]), several
    for text in texts:
        assert max(map(len, text.splitlines())) <= 80
        assert text.isascii()


def test_all_nine_figures_of_three_runs_are_in_the_table(tmp_path: Path) -> None:
    lines = told(comparison(tmp_path)).splitlines()
    table = {line[:15].strip(): line[15:].split() for line in lines}
    assert table["end equity"] == ["$6,000", "$9,600", "$7,200", "-$50.00", "$9,000", "$3,000"]
    assert table["max drawdown"] == ["50.0%", "20.0%", "36.8%", "100.4%", "25.0%", "73.7%"]
    assert table["trades"] == ["1", "2", "0", "1", "2", "0"]
    assert {"return", "CDaR 95 %", "worst day", "mean exposure", "time out", "fees"} <= set(table)


def test_a_mark_at_midnight_is_called_the_end_of_the_day_before(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    shifted = replace(made, ts=made.ts - 16 * HOUR, mark=Mark("news", JANUARY))
    assert "end of 14 January 2026" in told(shifted)


def test_without_a_mark_the_table_stands_once(tmp_path: Path) -> None:
    text = told(replace(comparison(tmp_path), mark=None))
    assert text.count("guarded  constant") == 1


def test_the_timeline_tells_stage_changes_and_blindness_only() -> None:
    lines = timeline(decisions())
    heads = [line for line in lines if line.startswith("2026")]
    assert [line[17:26].strip() for line in heads] == ["normal", "cut", "cut"]
    assert not any("cap 30%" in line for line in lines)
    assert "    blind: liq.long" in lines


def test_a_change_of_state_or_rules_inside_a_stage_is_left_to_the_json() -> None:
    start, *_ = decisions()
    fired = Reading("fall", "close.drop(24h) >= 8%", 0.09, 0.08, 0.01, "true", "share")
    halted = replace(
        start[0], ts=JANUARY + DAY, state=State.HALTED, active=("fall",), reasons=(fired,)
    )
    assert timeline([start, (halted, None)]) == timeline([start])
    blind = replace(halted, blind=("oi",))
    assert timeline([start, (blind, None)])[1:] == [
        "2026-01-16T00:00Z  normal   HALTED    cap 100%",
        "    blind: oi",
    ]


def test_rules_without_stages_are_told_as_they_go_on_and_off(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    start, *_ = decisions()
    fired = Reading("fall", "close.drop(24h) >= 8%", 0.09, 0.08, 0.01, "true", "share")
    on = replace(
        start[0],
        ts=JANUARY + 12 * HOUR,
        state=State.CAUTION,
        exposure_cap=0.4,
        active=("fall",),
        reasons=(fired,),
        winners={"exposure_cap": ("fall",)},
    )
    loose = replace(made.ruleset, stages=())
    text = told(replace(made, ruleset=loose, decisions=[start, (on, None)]))
    assert (
        "\nchanges\n2026-01-15T04:00Z  normal   ACTIVE    cap 100%\n"
        "2026-01-15T12:00Z  normal   CAUTION   cap 40%\n    fall: close.drop(24h) 9% >= 8%\n"
    ) in text


def test_priming_is_told_when_it_begins_and_when_it_ends() -> None:
    start, *_ = decisions()
    priming = replace(start[0], ts=JANUARY + DAY, priming=("oi.change(4w) has 12d of 28d",))
    warmer = replace(priming, ts=JANUARY + 2 * DAY, priming=("oi.change(4w) has 13d of 28d",))
    done = replace(start[0], ts=JANUARY + 3 * DAY)
    lines = timeline([start, (priming, None), (warmer, None), (done, None)])
    assert [line.strip() for line in lines if line.startswith(" ")] == [
        "priming: oi.change(4w) has 12d of 28d",
        "no longer priming",
    ]


def test_all_leaves_that_decided_a_stage_are_told() -> None:
    start, (cut, _), *_ = decisions()
    leaves = tuple(
        Reading("stage cut", f"close < {limit}", 60.0, float(limit), -0.1, "true", "price")
        for limit in range(70, 79)
    )
    lines = timeline([start, (replace(cut, reasons=leaves), None)])
    assert sum(line.startswith("    close 60 < 7") for line in lines) == 9


def test_a_blind_series_says_how_old_it_is() -> None:
    start, *_ = decisions()
    age = Reading("blind", "oi", 12.0 * HOUR, 8.0 * HOUR, None, "true", "time")
    never = Reading("blind", "funding", None, 8.0 * HOUR, None, "true", "time")
    late = replace(start[0], ts=JANUARY + DAY, blind=("funding", "oi"), reasons=(age, never))
    lines = timeline([start, (late, None)])
    assert lines[2:] == ["    blind: funding", "    blind: oi (12h > 8h)"]


def test_leveraged_runs_tell_the_funding_they_paid(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    funded = with_funding(made, "BTC")
    assert "funding paid       bare $3.50  guarded $2.50  constant $0" in told(funded)
    assert "funding paid" not in told(replace(funded, leverage=1.0))


def test_funding_of_another_symbol_is_not_taken_for_paid(tmp_path: Path) -> None:
    text = " ".join(told(with_funding(comparison(tmp_path), "ETH")).split())
    assert "note: no funding data for BTC: leveraged runs pay none" in text
    assert "funding paid" not in text
    assert "ETH.funding" not in text


def test_rejected_orders_are_counted(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    for name, count in (("bare", 1389), ("guarded", 1)):
        result = made.results[name]
        made.results[name] = replace(result, run=replace(result.run, rejected=count))
    text = " ".join(told(made).split())
    assert "note: bare: 1,389 orders rejected (not enough cash, or no valid size)" in text
    assert "note: guarded: 1 order rejected (not" in text
    assert "constant: 0" not in text


def test_a_background_share_of_half_is_not_worth_a_mark() -> None:
    start, (cut, _), *_ = decisions()
    assert not any("background" in line for line in timeline([start, (cut, 0.5)]))
    assert any("(51 % background)" in line for line in timeline([start, (cut, 0.51)]))


def test_the_way_back_says_how_far_each_line_is(tmp_path: Path) -> None:
    text = told(comparison(tmp_path))
    assert "cut: close > held for 3d: now 64,856, asked 70,350, needs +8.5%" in text
    assert "cut: liq.long.sum(24h) <= calm: unknown" in text


def test_overview_names_who_was_liquidated(tmp_path: Path) -> None:
    made = comparison(tmp_path)
    text = overview([(made, untested(made))])
    assert "liquidated by force: bare at 2026-01-15T20:00Z" in text


def test_one_verdict_is_said_once_and_several_each_with_its_strategy(tmp_path: Path) -> None:
    one, other = comparison(tmp_path), comparison(tmp_path, strategy="sma_cross")
    quiet = untested(one)
    assert verdicts([(one, quiet), (other, quiet)]) == ["NOT SHOWN: exploratory run, no plan"]
    harmed = untested(other, verdict=Verdict("HURTS", "net benefit below 0"))
    assert overview([(one, quiet), (other, harmed)]).splitlines()[:2] == [
        "leveraged_hold: NOT SHOWN: exploratory run, no plan",
        "sma_cross: HURTS: net benefit below 0",
    ]


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (
            Reading("r", "oi.change(24h) <= oi_day", -0.049, -0.044, None, "true", "share"),
            "oi.change(24h) -4.9% <= -4.4% (oi_day)",
        ),
        (
            Reading("r", "oi.change(24h) <= -4.4%", -0.0441, -0.044, None, "true", "share"),
            "oi.change(24h) -4.41% <= -4.4%",
        ),
        (
            Reading("r", "close < 70_000 for 2 closes", 65_266, 70_000, None, "true", "price"),
            "close 65,266 < 70,000 for 2 closes",
        ),
        (
            Reading("r", "age(oi) > 8h", 12.5 * HOUR, 8.0 * HOUR, None, "true", "time"),
            "age(oi) 750m > 8h",
        ),
        (Reading("r", "cascade is active", None, None, None, "true"), "cascade is active: true"),
        (Reading("r", "x > 1", None, 1.0, None, "unknown"), "x unknown > 1"),
    ],
)
def test_a_leaf_is_told_with_value_and_threshold(reading: Reading, text: str) -> None:
    assert reading_text(reading) == text


def test_numbers_are_written_as_people_write_them() -> None:
    assert [money(x) for x in (10_000, 3.5, -12.0, 0.0, None)] == [
        "$10,000", "$3.50", "-$12.00", "$0", "-",
    ]  # fmt: skip
    assert [compact(x) for x in (1.15e9, 150e6, 177.77e6, 999.9e6, 18_000, -5e5)] == [
        "$1.15B", "$150M", "$178M", "$1000M", "$18K", "-$500K",
    ]  # fmt: skip
    assert [number(x) for x in (67_489.4, 12.345, 0.43214, 0.0, 2e-5)] == [
        "67,489", "12.35", "0.4321", "0", "2e-05",
    ]  # fmt: skip
    assert [percent(x) for x in (-0.0004, 0.123, float("nan"))] == ["0.0%", "12.3%", "-"]
    assert value_text(9.1, "ratio") == "9.1x"
    assert value_text(None, "price") == "unknown"
    assert [change(x, d) for x, d in ((0.085, "price"), (0.032, "share"), (None, "price"))] == [
        "+8.5%", "+3.2 points", "unknown",
    ]  # fmt: skip


def test_times_are_written_in_utc() -> None:
    ts = JANUARY + 4 * HOUR
    assert (moment(ts), iso(ts), day(ts)) == (
        "2026-01-15T04:00Z",
        "2026-01-15T04:00:00Z",
        "15 January 2026",
    )
    assert [duration(span) for span in (4 * HOUR, 90 * MINUTE, 14 * DAY)] == ["4h", "90m", "2w"]


def test_different_numbers_never_look_equal() -> None:
    assert versus(0.04401, 0.044, "share") == ("4.401%", "4.4%")
    assert versus(3.0, 3.0, "ratio") == ("3x", "3x")


@pytest.mark.parametrize("written", [0.05, 0.1, 0.25, 0.3, 4.4, 7, 12.345, -0.05])
def test_a_share_that_a_rule_asks_for_looks_as_it_was_written(written: float) -> None:
    assert versus(0.36, written / 100, "share")[1] == f"{written:g}%"


def test_a_computed_threshold_is_rounded() -> None:
    assert versus(0.36, 0.0123456, "share")[1] == "1.2%"
    assert versus(None, None, "share") == ("unknown", "unknown")
