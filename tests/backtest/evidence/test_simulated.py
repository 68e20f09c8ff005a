"""The simulation behind the tests: what they find where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.evidence.conditions import BETTER, conditions
from riskguard.backtest.evidence.findings import findings
from riskguard.backtest.evidence.grades import OPEN
from riskguard.backtest.evidence.placebo import placebo
from riskguard.backtest.evidence.signs import tail
from riskguard.backtest.evidence.verdict import NOT_SHOWN, decide
from tests.backtest.evidence.simulated import (
    DAYS,
    after_falls,
    at_random,
    regimes,
    returns,
    subject,
)
from tests.counts import counts

GUARDS = ("random", "after falls")


def histories(count: int, guard: str, *, planted: bool = False):
    for seed in range(count):
        chance = np.random.Generator(np.random.PCG64([seed, int(planted)]))
        r = returns(chance, planted=planted)
        yield seed, at_random(chance) if guard == "random" else after_falls(r), r


def test_the_simulated_year_varies_by_half_and_has_fat_tails() -> None:
    r = returns(np.random.Generator(np.random.PCG64(1)), days=200_000)
    assert r.std() * np.sqrt(365) == pytest.approx(0.55, rel=0.15)
    assert abs(r.mean()) < 0.0005
    assert ((r - r.mean()) ** 4).mean() / r.var() ** 2 > 6


def test_guards_are_out_as_much_as_was_laid_down() -> None:
    chance = np.random.Generator(np.random.PCG64(1))
    assert at_random(chance, 200_000).mean() == pytest.approx(0.81, abs=0.02)
    shares = [x.mean() for _, x, _ in histories(40, "after falls")]
    assert np.mean(shares) == pytest.approx(0.72, abs=0.05)
    assert regimes(chance, DAYS).sum() == 150


@counts(60, 4_000)
@pytest.mark.parametrize("guard", GUARDS)
def test_a_placebo_of_the_mean_cries_wolf_in_one_of_twenty(guard, count, measured) -> None:
    found = [
        placebo(x, r, np.zeros(DAYS), shortest=40, draws=199, seed=seed)
        for seed, x, r in histories(count, guard)
    ]
    cried = sum(one.foresight <= 0.05 for one in found)
    calmer = sum(one.volatility_timing <= 0.05 for one in found)
    measured(
        f"placebo without foresight, {guard}, {count} histories: foresight in {cried},"
        f" volatility timing in {calmer}"
    )
    assert tail(cried, count, 0.05) > 0.005
    assert tail(count - cried, count, 0.95) > 0.005


@counts(30, 200)
def test_planted_skill_is_found_in_about_half_of_three_year_histories(count, measured) -> None:
    found = [
        placebo(x, r, np.zeros(DAYS), shortest=40, draws=199, seed=seed)
        for seed, x, r in histories(count, "after falls", planted=True)
    ]
    seen = sum(one.foresight <= 0.05 for one in found)
    measured(f"planted skill: foresight found in {seen} of {count} histories")
    assert seen > 0.3 * count


def test_a_guard_that_sees_ahead_is_praised_and_one_that_is_always_late_is_not() -> None:
    chance = np.random.Generator(np.random.PCG64(4))
    r = returns(chance)
    falls = np.convolve(r, np.ones(5), mode="full")[4:]  # of the five days that come
    events = tuple(((day, day + 20),) for day in range(20, 1_000, 90))
    words = {}
    for name, x in (("ahead", np.where(falls < -0.06, 0.0, 1.0)), ("late", at_random(chance))):
        found = findings(subject(x, r, events=events), draws=199, seed=1)
        listed = conditions(
            found,
            OPEN,
            planned="plan",
            changed=(),
            peer="constant exposure",
            exposure=float(x.mean()),
            names=[str(number) for number in range(len(events))],
        )
        words[name] = decide(listed, OPEN).word
    assert words == {"ahead": BETTER, "late": NOT_SHOWN}


@counts(40, 600)
@pytest.mark.parametrize("guard", GUARDS)
def test_intervals_without_skill_lie_above_nothing_no_more_often_than_they_may(
    guard, count, measured
) -> None:
    found = [
        findings(subject(x, r), draws=199, seed=seed) for seed, x, r in histories(count, guard)
    ]
    better = sum(one.against_constant.above for one in found)
    calmer = sum(one.cdar.above and one.above_line for one in found)
    worse = sum(one.against_constant.below for one in found)
    measured(
        f"intervals without skill, {guard}, {count} histories: net benefit above 0 in {better},"
        f" below in {worse}; LOWERS RISK in {calmer}"
    )
    assert tail(calmer, count, 0.05) > 0.005
    # three years hold few blocks: 5 % at either end are rather 8 %
    assert tail(better, count, 0.08) > 0.005


@counts(60, 600)
@pytest.mark.parametrize("guard", GUARDS)
def test_the_shortest_history_that_is_tested_cries_harm_in_about_one_of_eight(
    guard, count, measured
) -> None:
    days, cried, seen = 8 * 17, 0, 0
    for seed in range(count):
        chance = np.random.Generator(np.random.PCG64([seed, 7]))
        r = returns(chance, days=days)
        x = at_random(chance, days) if guard == "random" else after_falls(r)
        if np.ptp(x) > 0:
            seen += 1
            cried += findings(subject(x, r), draws=199, seed=seed).against_constant.below
    measured(f"histories of eight windows without skill, {guard}: harm in {cried} of {seen}")
    assert tail(cried, seen, 0.125) > 0.005
