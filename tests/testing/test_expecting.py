from __future__ import annotations

from pathlib import Path

import pytest

from riskguard.errors import Diagnostic
from riskguard.testing.judging import judge
from riskguard.testing.reader import read_cases_text

RULES = """\
version: 1
symbol: BTC
every: 4h
rules:
  lost: {when: close < 75_000, clear: close > 76_000, do: {block_entries: long, notify: lost it}}
  flush:
    when: oi.change(8h) <= -4%
    clear: oi.change(8h) >= -1%
    do: {leverage_cap: 2x, reduce_by: 30%, stop: 5%}
"""
HEAD = "version: 1\nrules: rules.yaml\nevery: 4h\nstart: 2026-01-01T00:00Z\ncases:\n"
CLOSE = '  - name: x\n    series: {close: "80_000 x4, 70_000 x4"}\n    expect: [{%s}]\n'
BOTH = (
    "  - name: x\n    series: {close: 80_000 x8, high: 80_000 x8, low: 80_000 x8, "
    'oi: "100 x4, 90 x4"}\n    expect: [{%s}]\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def refused(folder: Path, expectation: str, case: str = CLOSE) -> Diagnostic:
    cases, found = read_cases_text(HEAD + case % expectation, str(folder / "rules_test.yaml"))
    assert cases is None
    (one,) = found
    return one


def failures(folder: Path, expectation: str, case: str = CLOSE) -> list[str]:
    cases, found = read_cases_text(HEAD + case % expectation, str(folder / "rules_test.yaml"))
    assert cases is not None, found
    return [one.message for one in judge(cases, cases.cases[0]).failures]


@pytest.mark.parametrize(
    "expectation",
    [
        "at: 16h, active: lost, blocked: long, state: CAUTION, notify: lost it",
        "at: 2026-01-01T16:00Z, rule: lost",
        "at: 2026-01-01T18:00+02:00, active: [lost]",
        "at: 0, active: [], leverage_cap: none, stop: none, latched: false",
        "first: {rule: lost}",
        "first: {rule: lost}, between: 13h .. 2026-01-01T16:00Z",
        "never: {rule: lost}, before: 16h",
        "always: {rule: lost}, after: 12h, before: 28h",
        "always: {rule: lost}, between: 12h..28h, after: 12h",
    ],
)
def test_every_way_to_say_when_is_read(folder: Path, expectation: str) -> None:
    assert failures(folder, expectation) == []


def test_every_field_of_a_decision_can_be_expected(folder: Path) -> None:
    wanted = "leverage_cap: 2x, reduce_by: 30%, stop: 4_000, blind: [], reason: flush"
    assert failures(folder, f"at: 16h, {wanted}", BOTH) == []


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        ("at: 16h, leverage_cap: none", "expected leverage_cap none; found leverage_cap 2x"),
        ("at: 16h, leverage_cap: 1x", "expected leverage_cap 1x; found leverage_cap 2x"),
        ("at: 16h, stop: 3_000.5", "expected stop 3,000.5; found stop 4,000"),
        ("at: 16h, reduce_by: 0%", "expected reduce_by 0%; found reduce_by 30%"),
        ("at: 16h, blocked: both", "expected blocked both; found blocked none"),
        ("at: 16h, notify: gone", "expected notify gone; found notify []"),
    ],
)
def test_what_is_found_is_told_in_the_words_of_the_test(
    folder: Path, expectation: str, told: str
) -> None:
    assert failures(folder, expectation, BOTH) == [f"at 16h: {told}"]


@pytest.mark.parametrize(
    ("expectation", "code", "message", "fix"),
    [
        ("at: 16h, between: 4h..8h, rule: lost", "RG123", "'between' cannot stand beside 'at'", ""),
        ("first: {rule: lost}, state: CAUTION", "RG123", "'state' cannot stand beside 'first'",
         "write it inside: first: {state: CAUTION}"),
        ("at: 16h, first: {rule: lost}", "RG704", "at and first side by side", ""),
        ("rule: lost", "RG704", "no time is said", ""),
        ("first: lost", "RG120", "first needs a block", "write first: {rule: lost}"),
        ("never: HALTED", "RG120", "never needs a block", "write never: {state: HALTED}"),
        ("at: 5, rule: lost", "RG111", "5 of what?", 'write "5h"'),
        ("at: 2026-01-01, rule: lost", "RG506", "is no time of a case", "write 2026-01-01T00:00Z"),
        ("at: 5 bars, rule: lost", "RG506", "'5 bars' is no time of a case", "write 20h"),
        ("at: noon, rule: lost", "RG506", "'noon' is no time of a case",
         "for example 4h (since the start) or 2026-01-01T00:00Z"),
        ("at: 2026-01-01T16:00, rule: lost", "RG506", "is no time of a case", ""),
        ("at: 40h, rule: lost", "RG703", "the last bar is 28h: 40h lies beyond", ""),
        ("at: 2025-12-31T16:00Z, rule: lost", "RG703", "lies before the first bar", ""),
        ("at: 5h, rule: lost", "RG703", "bars close every 4h up to 28h", "for example 4h"),
        ("never: {rule: lost}, between: 5h..7h", "RG703", "no bar closes in that time", ""),
        ("never: {rule: lost}, before: 0h", "RG703", "no bar closes in that time", ""),
        ("never: {rule: lost}, between: 4h-8h", "RG144", "between is written from..to", ""),
        ("never: {rule: lost}, between: [4h, 8h]", "RG144", "between is written from..to", ""),
        ("never: {rule: lost}, between: ..8h", "RG144", "between is written from..to", ""),
        ("at: 16h, active: none", "RG702", "unknown rule 'none'", "write [] for none"),
        ("at: 16h, blind: [oii]", "RG702", "unknown input 'oii'", "did you mean 'oi'?"),
        ("at: 16h, blind: [oi]", "RG705", "'oi' is not given: unknown throughout, and not blind",
         ""),
        ("at: 16h, leverage_cap: 2", "RG308", "2 of what?", "write 2x, or none"),
        ("at: 16h, stop: 5%", "RG305", "its distance to the price", ""),
    ],
)  # fmt: skip
def test_each_mistake_says_what_to_write(
    folder: Path, expectation: str, code: str, message: str, fix: str
) -> None:
    found = refused(folder, expectation)
    assert found.code == code
    assert message in found.message
    assert fix in found.help
