"""The mutation score, found by playing as little as possible, against playing everything."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.language.ruleset import RuleSet
from riskguard.testing.cases import Cases
from riskguard.testing.judging import fault, kept
from riskguard.testing.mutation import Mutant, fitted_as, mutants, mutate
from riskguard.testing.playing import Market
from riskguard.testing.reader import read_cases, read_cases_text
from tests.counts import counts

TESTED = sorted((Path(__file__).parents[2] / "rules").glob("*_test.yaml"))
RULES = """\
version: 1
symbol: BTC
symbols: [BTC, ETH, SOL]
every: 1h
params: {floor: 75_000}
define: {lost: close < floor for 2 closes, unread: close < 1}
stages:
  - stage: dip
    enter: lost
    do: {exposure_cap: 50%}
    recover: {all: [close > 76_000 for 3h, oi.drop(4h) <= 1%]}
  - stage: out
    enter: {all: [lost, oi.drop(4h) >= 4%]}
    do: {close: all}
    recover: close > 77_000
rules:
  wide:
    when: {breadth: {of: [ETH, SOL], at_least: 2, where: close.drop(2h) >= 5%}}
    clear: {is: ETH.close.drop(2h) <= 1% for 2h, on_missing: ignore}
    do: {block_entries: long}
  chain:
    when: {sequence: [close < 76_000, oi.drop(2h) >= 2%], within: 4h}
    min_hold: 2h
    do: {hedge: 10%}
"""


def every_mutant_played_whole(cases: Cases) -> list[Mutant]:
    """Return the survivors: every case is played, and each to its end."""
    markets = [Market(cases, case) for case in cases.cases]
    return [
        mutant
        for mutant, rules in mutants(cases.ruleset)
        if not any(kills(market, rules) for market in markets)
    ]


def kills(market: Market, rules: RuleSet) -> bool:
    decisions = list(market.decisions(market.guard(fitted_as(market, rules))))
    faults = [fault(one, decisions, market.cases.every) for one in market.case.expect]
    return max(faults) >= 0


def walk(draw: random.Random, start: float, steps: list[float]) -> str:
    value, found = start, []
    for _ in range(24):
        value *= draw.choice(steps)
        found.append("_" if draw.random() < 0.1 else f"{value:.2f}")
    return ", ".join(found)


def drawn(tmp_path: Path, seed: int) -> Cases:
    """Return cases on random walks that expect what a look at the decisions shows."""
    draw = random.Random(seed)
    (tmp_path / "rules.yaml").write_text(RULES)
    text = "version: 1\nrules: rules.yaml\nevery: 1h\nstart: 2026-01-01T00:00Z\ncases:\n"
    for number in range(3):
        text += f"  - name: case {number}\n    series:\n"
        text += f'      close: "76_000, {walk(draw, 76_000, [0.99, 1, 1.01])}"\n'
        text += f'      oi: "1_000, {walk(draw, 1_000, [0.97, 1, 1.02])}"\n'
        for symbol in ("ETH", "SOL"):
            text += f'      {symbol}.close: "100, {walk(draw, 100, [0.96, 1, 1.03])}"\n'
        text += f"    expect: [{{at: {draw.randrange(25)}h, stage: normal}}]\n"
    cases, found = read_cases_text(text, str(tmp_path / "rules_test.yaml"))
    assert cases is not None, found
    made = []
    for case in cases.cases:
        market = Market(cases, case)
        decisions = list(market.decisions(market.guard()))
        bars = draw.sample(range(25), 4)
        seen = [
            replace(
                case.expect[0],
                low=bar * cases.every,
                high=bar * cases.every,
                wanted={"stage": decisions[bar].stage, "active": decisions[bar].active},
            )
            for bar in bars
        ]
        first = next((bar for bar, one in enumerate(decisions) if one.stage != "normal"), None)
        if first is not None:
            wanted = {"stage": decisions[first].stage}
            span = {"low": (first - 1) * cases.every, "high": (first + 1) * cases.every}
            seen.append(replace(case.expect[0], kind="first", wanted=wanted, **span))
        made.append(replace(case, expect=tuple(seen)))
    return replace(cases, cases=tuple(made))


@pytest.mark.parametrize("seed", range(8))
def test_what_need_not_be_played_changes_no_score(tmp_path: Path, seed: int) -> None:
    cases = drawn(tmp_path, seed)
    score = mutate(cases)
    assert 0 < score.killed < score.all
    assert list(score.survivors) == every_mutant_played_whole(cases)


def test_a_case_is_kept_exactly_when_no_expectation_has_a_fault(tmp_path: Path) -> None:
    draw, seen = random.Random(5), {True: 0, False: 0}
    for seed in range(10):
        cases = drawn(tmp_path, seed)
        for case in cases.cases:
            market = Market(cases, case)
            decisions = list(market.decisions(market.guard()))
            for _ in range(20):
                low = draw.randrange(25)
                one = replace(
                    case.expect[0],
                    kind=draw.choice(["first", "never", "always"]),
                    wanted={"stage": draw.choice(["normal", "dip", "out"])},
                    low=low * cases.every,
                    high=(low + draw.randrange(12)) * cases.every,
                )
                whole = fault(one, decisions, cases.every) < 0
                asked = replace(case, expect=(one,))
                assert kept(asked, iter(decisions), cases.every) == whole
                seen[whole] += 1
    assert min(seen.values()) > 100


def test_of_a_failed_expectation_no_further_bar_is_played(tmp_path: Path) -> None:
    cases = drawn(tmp_path, 1)
    case = cases.cases[0]
    wrong = replace(case.expect[0], kind="at", wanted={"stage": "none"}, low=0, high=0)
    market = Market(cases, case)
    played = market.decisions(market.guard())
    assert not kept(replace(case, expect=(wrong,)), played, cases.every)
    assert len(list(played)) == case.bars - 1


@pytest.mark.parametrize("path", TESTED, ids=lambda path: path.stem)
@counts(3, 100)
def test_mutants_of_a_pack_die_as_if_every_case_were_played_whole(path: Path, count: int) -> None:
    cases, _ = read_cases(path)
    assert cases is not None
    few = replace(cases, cases=tuple(sorted(cases.cases, key=lambda case: case.bars)[:count]))
    assert list(mutate(few).survivors) == every_mutant_played_whole(few)
