from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.testing.cases import Cases
from riskguard.testing.coverage import coverage
from riskguard.testing.judging import Failure, judge
from riskguard.testing.mutation import BARE, LESS, MORE, ROUND, mutants, mutate
from riskguard.testing.reader import read_cases, read_cases_text

RULES = """\
version: 1
symbol: BTC
symbols: [BTC, ETH, SOL]
every: 1h
params: {floor: 75_000}
define: {lost: close < floor for 2 closes}
rules:
  down: {when: lost, clear: close > 76_000, do: {hedge: 20%}, fallback: {exposure_cap: 10%}}
  both: {when: {all: [lost, oi.change(4h) <= -4%]}, clear: close > 76_000, do: {close: all}}
  wide:
    when: {breadth: {of: [ETH, SOL], at_least: 2, where: close.drop(2h) >= 5%}}
    clear: ETH.close.drop(2h) <= 1%
    do: {block_entries: long}
"""
HEAD = "version: 1\nrules: rules.yaml\nevery: 1h\nstart: 2026-01-01T00:00Z\n"


def read(tmp_path: Path, cases: str, rules: str = RULES, head: str = HEAD) -> Cases:
    (tmp_path / "rules.yaml").write_text(rules)
    found, diagnostics = read_cases_text(head + cases, str(tmp_path / "rules_test.yaml"))
    assert found is not None, diagnostics
    return found


def failures(cases: Cases) -> list[str]:
    return [one.message for case in cases.cases for one in judge(cases, case).failures]


CLOSE = 'cases:\n  - name: x\n    series: {close: "80_000 x4, 74_000 x4, 77_000 x4"}\n'


def test_expectations_are_kept(tmp_path: Path) -> None:
    text = (
        CLOSE
        + """\
    expect:
      - {at: 4h, active: []}
      - {first: {rule: down}, between: 5h..5h}
      - {always: {rule: down}, between: 5h..7h}
      - {never: {rule: down}, before: 5h}
      - {never: {rule: down}, after: 7h}
      - {at: 2026-01-01T05:00Z, hedge: 20%, state: CAUTION, active_includes: [down], reason: lost}
"""
    )
    assert failures(read(tmp_path, text.replace(", reason: lost", ", reason: floor"))) == []


def test_what_is_not_kept_says_what_was_found_and_where_it_would_hold(tmp_path: Path) -> None:
    cases = read(tmp_path, CLOSE + "    expect: [{at: 4h, active: [down]}]\n")
    (failure,) = judge(cases, cases.cases[0]).failures
    assert failure.message == "at 4h: expected active [down]; found active []"
    assert failure.would_hold == "first at 5h"
    assert [bar.hours for bar in failure.strip] == [f"{n}h" for n in range(1, 8)]
    told = [(one.leaf, one.truth) for one in failure.strip[4].readings]
    assert told == [("close < floor for 2 closes", "true")]


def test_only_the_fields_that_differ_are_told(tmp_path: Path) -> None:
    wanted = "at: 5h, active: [down], hedge: 30%, state: CAUTION, blocked: long"
    cases = read(tmp_path, f"{CLOSE}    expect: [{{{wanted}}}]\n")
    assert failures(cases) == [
        "at 5h: expected hedge 30%, blocked long; found hedge 20%, blocked none"
    ]


def test_the_strip_stays_inside_a_short_case(tmp_path: Path) -> None:
    cases = read(tmp_path, CLOSE + "    expect: [{at: 11h, active: [down]}]\n")
    (failure,) = judge(cases, cases.cases[0]).failures
    assert [bar.hours for bar in failure.strip][-1] == "11h"
    assert len(failure.strip) == 7


def test_first_says_when_it_came(tmp_path: Path) -> None:
    cases = read(tmp_path, CLOSE + "    expect: [{first: {rule: down}, between: 8h..9h}]\n")
    assert failures(cases) == ["expected rule down first between 8h and 9h; it came at 5h"]


def test_bot_without_hedge_uses_the_fallback(tmp_path: Path) -> None:
    head = HEAD + "capabilities: {hedge: false}\n"
    cases = read(tmp_path, CLOSE + "    expect: [{at: 5h, exposure_cap: 10%}]\n", head=head)
    assert failures(cases) == []


def test_input_that_is_not_given_is_unknown_and_not_blind(tmp_path: Path) -> None:
    cases = read(tmp_path, CLOSE + "    expect: [{always: {blind: [], blocked: none}}]\n")
    assert failures(cases) == []


def test_missing_samples_age_and_a_stale_one_is_too_old_at_once(tmp_path: Path) -> None:
    rules = RULES.replace("oi.change(4h) <= -4%", "oi <= 5")
    text = (
        'cases:\n  - name: x\n    series: {close: 80_000 x12, oi: "9 x4, _ x8"}\n'
        "    expect: [{always: {blind: []}, before: 6h}, {at: 6h, blind: [oi]}]\n"
        '  - name: y\n    series: {close: 80_000 x12, oi: "9 x4, stale x1, 9 x7"}\n'
        "    expect: [{at: 3h, blind: []}, {at: 4h, blind: [oi]}, {at: 5h, blind: []}]\n"
    )
    assert failures(read(tmp_path, text, rules)) == []


def test_finer_test_bars_see_decisions_of_the_rules_bars_only(tmp_path: Path) -> None:
    head = HEAD.replace("1h", "30m")
    text = (
        'cases:\n  - name: x\n    series: {close: "80_000 x4, 74_000 x8"}\n'
        "    expect: [{first: {rule: down}, between: 3h..3h}]\n"
    )
    assert failures(read(tmp_path, text, head=head)) == []


# ---------------------------------------------------------------- what is shown of a failure


def failure(tmp_path: Path, expectation: str, rules: str = RULES, case: str = CLOSE) -> Failure:
    cases = read(tmp_path, f"{case}    expect: [{{{expectation}}}]\n", rules)
    (found,) = judge(cases, cases.cases[0]).failures
    return found


@pytest.mark.parametrize(
    ("expectation", "side", "leaf"),
    [
        # came on: what turned it on; stays on: what is still true, then what is still open
        ("at: 5h, active: []", "when", "close < floor for 2 closes"),
        ("at: 7h, active: []", "when", "close < floor for 2 closes"),
        ("never: {rule: down}", "when", "close < floor for 2 closes"),
        # went off: what turned it off; stays off: what does not turn it on
        ("at: 8h, active: [down]", "clear", "close > 76_000"),
        ("always: {rule: down}, after: 5h", "clear", "close > 76_000"),
        ("at: 9h, active: [down]", "when", "close < floor for 2 closes"),
        # a field that nothing sets: what could have set it
        ("at: 3h, hedge: 20%", "when", "close < floor for 2 closes"),
    ],
)
def test_strip_shows_the_side_of_the_rule_that_decides(
    tmp_path: Path, expectation: str, side: str, leaf: str
) -> None:
    bar = failure(tmp_path, expectation).strip[0]
    told = [(one.role, one.leaf) for one in bar.readings if one.rule == "down"]
    assert told == [(side, leaf)]


def test_rule_that_stays_on_shows_what_is_open_though_nothing_changed_since(tmp_path: Path) -> None:
    case = CLOSE.replace("77_000 x4", "75_500 x4")
    bar = failure(tmp_path, "at: 11h, active: []", case=case).strip[0]
    told = [(one.role, one.leaf) for one in bar.readings if one.rule == "down"]
    assert told == [("clear", "close > 76_000")]


def test_hours_of_the_day_are_a_line_of_the_strip(tmp_path: Path) -> None:
    rules = (
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  early: {when: close < 75_000, "
        'during: {from: "06:00", to: "07:00"}, clear: close > 76_000, do: {hedge: 20%}}\n'
    )
    found = failure(tmp_path, "at: 5h, active: [early]", rules)
    hours = [bar.readings[1] for bar in found.strip]
    assert {one.leaf for one in hours} == {"during 06:00-07:00 UTC"}
    assert [one.truth for one in hours] == ["false"] * 4 + ["true"] + ["false"] * 2
    assert found.would_hold == "first at 6h"


def test_streak_is_known_from_the_closed_trades(tmp_path: Path) -> None:
    rules = (
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  rest: {when: loss_streak >= 2, clear: loss_streak < 1, do: {block_entries: both}}\n"
    )
    text = (
        'cases:\n  - name: x\n    series: {close: 1 x6, trades.closed: "0, 1 x3, 0 x2", '
        'trades.lost: "0, 1, 1, 0, 0 x2"}\n    expect: [{at: 2h, active: [rest]}, '
        "{at: 3h, active: []}]\n"
    )
    cases = read(tmp_path, text, rules)
    assert failures(cases) == []
    assert [one.lacking for one in coverage(cases)] == [(), ()]


@pytest.mark.parametrize(
    ("expectation", "where"),
    [
        ("at: 9h, active: [down]", "first at 5h"),
        ("first: {rule: down}, between: 0h..2h", "first at 5h"),
        ("at: 9h, active: [wide]", ""),
        ("always: {rule: down}, between: 4h..7h", "from 5h on"),
        ("always: {rule: down}, after: 4h", ""),
        ("never: {rule: down}", "from 8h on"),
        ("never: {rule: down}, before: 8h", ""),
    ],
)
def test_failure_says_from_where_on_it_would_hold(
    tmp_path: Path, expectation: str, where: str
) -> None:
    both = CLOSE.replace("}", ", ETH.close: 1 x12, SOL.close: 1 x12}")
    assert failure(tmp_path, expectation, case=both).would_hold == where


def test_notes_say_what_a_decision_waits_for_beside_its_lines(tmp_path: Path) -> None:
    rules = (
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  held: {when: close < 75_000, clear: close > 76_000, min_hold: 6h, do: {hedge: 20%}}\n"
        "  kept: {when: close < 75_000, latch: true, do: {hedge: 10%}}\n"
        "  slow: {when: oi.change(24h) <= -4%, clear: oi.change(24h) >= -1%, do: {close: all}}\n"
    )
    case = CLOSE.replace("}", ', oi: "9 x7, _ x5"}')
    assert failure(tmp_path, "at: 9h, hedge: 0%", rules, case).notes == (
        "not enough history: oi.change(24h) has 9h of 24h",
        "blind: oi",
        "hedge is set by held, kept",
        "held is on since 4h and held for 6h (min_hold)",
        "kept is on since 4h until it is released by hand",
    )


def test_values_that_the_guard_refuses_are_noted(tmp_path: Path) -> None:
    case = CLOSE.replace("77_000 x4", "-5 x2, nan x2")
    assert failure(tmp_path, "at: 11h, active: []", case=case).notes[0] == (
        "refused at the door: close: negative, 2 times"
    )


def test_before_the_first_bar_of_the_rules_nothing_has_a_value(tmp_path: Path) -> None:
    head = HEAD.replace("every: 1h", "every: 30m").replace("T00:00", "T00:30")
    text = CLOSE + "    expect: [{at: 0h, active: [down]}]\n"
    cases = read(tmp_path, text, head=head)
    (found,) = judge(cases, cases.cases[0]).failures
    values = [bar.readings[0].value for bar in found.strip]
    assert values[:3] == [None, 80_000.0, 80_000.0]


# ---------------------------------------------------------------- rules of several symbols

SYMBOLS = """\
version: 1
symbol: BTC
every: 1h
params: {floor: 75_000}
rules:
  down: {when: close < floor for 2 closes, clear: close > floor + 2%, do: {hedge: 20%}}
per_symbol:
  ETH: {params: {floor: 2_200}, override: {rules.down.clear: close > floor + 5%}}
"""
ETHER = """\
  - name: y
    symbol: ETH
    series: {close: "2_300 x4, 2_100 x2, 2_260 x2, 2_400 x2"}
    expect: [{first: {rule: down}, between: 5h..5h}, {always: {rule: down}, between: 5h..7h}]
"""


def test_case_plays_the_rules_of_its_symbol(tmp_path: Path) -> None:
    text = CLOSE + "    expect: [{at: 5h, active: [down]}, {at: 8h, active: []}]\n" + ETHER
    cases = read(tmp_path, text, SYMBOLS)
    assert failures(cases) == []
    assert [(one.marks, one.line.text) for one in coverage(cases)] == [
        ("TF-", "close < floor for 2 closes"),
        ("TF-", "close > floor + 2%"),
        ("TF-", "close > floor + 5%"),
    ]


def test_mutant_is_noticed_by_the_case_of_the_symbol_it_changes(tmp_path: Path) -> None:
    alone = CLOSE + "    expect: [{at: 5h, active: [down]}]\n"
    few = mutate(read(tmp_path, alone, SYMBOLS)).survivors
    both = mutate(read(tmp_path, alone + ETHER, SYMBOLS)).survivors
    line = "close > floor + 5%"
    assert len([one for one in few if one.line.text == line]) == 3
    assert [one.kind for one in both if one.line.text == line] == [MORE]


# ---------------------------------------------------------------- coverage and mutants

BREADTH = (
    'cases:\n  - name: x\n    series: {close: 80_000 x8, ETH.close: "100 x4, 94 x4", '
    'SOL.close: "100 x5, 94 x3"}\n    expect: [{first: {rule: wide}, between: 5h..5h}]\n'
)


def test_coverage_tells_which_truths_of_each_line_were_seen(tmp_path: Path) -> None:
    covered = coverage(read(tmp_path, CLOSE + "    expect: [{at: 5h, active: [down]}]\n"))
    assert [(one.marks, one.line.span.line) for one in covered] == [
        ("TF-", 6),  # close < floor for 2 closes
        ("TF-", 8),  # close > 76_000 of down
        ("--U", 9),  # oi.change(4h) <= -4%
        ("TF-", 9),  # close > 76_000 of both
        ("--U", 11),  # breadth, one line for both symbols
        ("--U", 12),
    ]


def test_line_whose_input_no_case_gives_says_which(tmp_path: Path) -> None:
    covered = coverage(read(tmp_path, CLOSE + "    expect: [{at: 5h, active: [down]}]\n"))
    assert [one.lacking for one in covered] == [
        (), (), ("oi",), (), ("ETH.close", "SOL.close"), ("ETH.close",)
    ]  # fmt: skip


def test_lines_of_a_breadth_count_as_one(tmp_path: Path) -> None:
    covered = coverage(read(tmp_path, BREADTH))
    assert [one.marks for one in covered if one.line.span.line == 11] == ["TFU"]


def test_each_line_has_four_mutants_three_without_for(tmp_path: Path) -> None:
    cases = read(tmp_path, CLOSE + "    expect: [{at: 5h, active: [down]}]\n")
    kinds = [mutant.kind for mutant, _ in mutants(cases.ruleset)]
    assert kinds == [LESS, MORE, ROUND, BARE, *[LESS, MORE, ROUND] * 5]


def test_mutants_die_by_cases_that_look_closely_and_survive_those_that_do_not(
    tmp_path: Path,
) -> None:
    rules = "\n".join(RULES.splitlines()[:8]) + "\n"
    loose = CLOSE + "    expect: [{at: 7h, active: [down]}]\n"
    close = (
        'cases:\n  - name: x\n    series: {close: "80_000 x4, 74_000 x4, 76_500 x4, 78_000, '
        '74_000, 78_000, 80_000, 70_000 x2, 75_500, 80_000 x2"}\n'
        "    expect:\n      - {always: {active: []}, before: 5h}\n"
        "      - {always: {active: [down]}, between: 5h..7h}\n"
        "      - {always: {active: []}, between: 8h..16h}\n"
        "      - {always: {active: [down]}, between: 17h..18h}\n"
    )
    few, many = mutate(read(tmp_path, loose, rules)), mutate(read(tmp_path, close, rules))
    assert few.all == many.all == 7
    assert few.killed < many.killed
    assert [one.kind for one in many.survivors] == []


@pytest.mark.parametrize("threshold", ["0", "$0"])
def test_a_threshold_of_zero_is_not_multiplied(tmp_path: Path, threshold: str) -> None:
    rules = (
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        f"  r: {{when: pnl.unrealised < {threshold}, min_hold: 1h, do: {{block_entries: both}}}}\n"
    )
    text = CLOSE.replace("77_000 x4", "77_000 x4") + "    expect: [{at: 5h, active: []}]\n"
    cases = read(tmp_path, text, rules)
    assert [mutant.kind for mutant, _ in mutants(cases.ruleset)] == [ROUND]


def test_losing_streaks_are_counted_from_the_closed_trades_of_a_case(tmp_path: Path) -> None:
    rules = (
        "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n"
        "  r: {when: loss_streak >= 2, min_hold: 1h, do: {block_entries: both}}\n"
    )
    series = 'close: 80_000 x5, trades.closed: "0, 1, 1, 1, 1", trades.lost: "0, 1, 1, 1, 0"'
    text = f"cases:\n  - name: x\n    series: {{{series}}}\n"
    expect = "    expect: [{first: {rule: r}, between: 2h..2h}, {at: 4h, active: []}]\n"
    assert failures(read(tmp_path, text + expect, rules)) == []
    (tmp_path / "rules.yaml").write_text(rules)
    half = text.replace(', trades.lost: "0, 1, 1, 1, 0"', "") + expect
    _, found = read_cases_text(HEAD + half, str(tmp_path / "rules_test.yaml"))
    assert [one.code for one in found] == ["RG705"]


def test_an_input_that_is_not_given_is_of_no_age(tmp_path: Path):
    rules = "version: 1\nsymbol: BTC\nevery: 1h\nrules:\n  slow:\n    when: oi.age() > 3h\n"
    (tmp_path / "r.yaml").write_text(
        rules + "    clear: oi.age() < 2h\n    do: {block_entries: both}\n"
    )
    cases = (
        "version: 1\nrules: r.yaml\nevery: 1h\nstart: 2026-01-01T00:00Z\ncases:\n"
        "  - {name: none, series: {close: 1 x8}, expect: [{at: 7h, active: []}]}\n"
        '  - {name: late, series: {close: 1 x8, oi: "5 x2, _ x6"},\n'
        "     expect: [{at: 7h, active: [slow]}]}\n"
    )
    (tmp_path / "r_test.yaml").write_text(cases)
    read, found = read_cases(tmp_path / "r_test.yaml")
    assert read is not None, [one.render() for one in found]
    assert [judge(read, case).failures for case in read.cases] == [(), ()]
