"""Alarms by hand: what followed, what was said of an event, and what must not be counted."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from riskguard.backtest.evidence.after import AROUND, around
from riskguard.backtest.evidence.alarms import Counts
from riskguard.backtest.evidence.answers import Alarm, Answer, Scene, alarms, answer, counts
from riskguard.backtest.evidence.events import catalogue
from riskguard.backtest.evidence.scores import Share, score
from riskguard.backtest.evidence.spells import WHOLE, Spell, spells, standing_on
from riskguard.backtest.evidence.trips import judge
from riskguard.backtest.evidence.windows import CALM, DIP, FALL, coming, kinds, shut
from riskguard.backtest.track import Track
from riskguard.engine.decision import Decision
from riskguard.history.history import Bars
from riskguard.history.stamps import instant
from riskguard.language.reader import read_text
from riskguard.market import DAY
from tests.backtest.evidence.scenes import COST, FELL, LEVEL, WITHIN, on, scene
from tests.counts import counts as cases

# ------------------------------------------------------------ when a rule is on


def test_a_spell_begins_where_a_rule_comes_on_and_not_where_it_was_on_already():
    seen = on(10, (0, 3), (5, 7), (9, 10))
    assert spells(seen, 0) == (Spell(5, 7), Spell(9, None))
    assert spells(seen, 5) == (Spell(9, None),)
    assert spells(on(4), 0) == ()


def test_a_stage_is_on_with_all_below_it_and_a_notice_is_no_guard():
    rules, _ = read_text(
        """
version: 1
stages:
  - {stage: watch, enter: close < 90, recover: close > 95, do: {exposure_cap: 50%}}
  - {stage: out, enter: close < 80, recover: close > 85, do: {exposure_cap: 0%}}
rules:
  told: {when: close < 99, clear: close > 100, do: {notify: look}}
""",
        "rules.yaml",
    )
    one = Decision(0, "BTC")
    track = Track(
        [0, 2, 4, 6], [one, replace(one, active=("told",)), replace(one, stage="out"), one]
    )
    found = {name: np.flatnonzero(seen).tolist() for name, seen in _on(track, rules).items()}
    assert found == {WHOLE: [4, 5], "stage watch": [4, 5], "stage out": [4, 5], "told": [2, 3]}
    assert list(found) == [WHOLE, "stage watch", "stage out", "told"]


def _on(track: Track, rules) -> dict[str, np.ndarray]:
    return standing_on(track, rules, 8)


# ------------------------------------------------------------ the kinds of time


def test_time_is_fall_else_dip_else_calm():
    dipped = [*FELL, 90, 84, 90, 90, 90]
    found = scene(dipped).kinds.tolist()
    assert found[3] == CALM
    assert set(found[4:10]) == {FALL}
    assert found[21] == DIP
    assert found[-1] == CALM


def test_closed_months_are_shut_by_the_close_of_a_bar():
    ts = np.array([instant(f"2022-{day}T00:00Z") for day in ("10-31", "11-01", "11-30", "12-01")])
    assert shut(ts, ("2022-11",)).tolist() == [False, True, True, False]
    assert not shut(ts, ()).any()


def _walk(chance: np.random.Generator) -> Scene:
    steps = 1 + chance.normal(0, 0.04, 60)
    found = scene(np.round(100 * np.cumprod(steps), 2).tolist(), first=int(chance.integers(0, 9)))
    ts = np.delete(found.bars.ts, [20, 21, 40])  # holes in time
    parts = (np.delete(column, [20, 21, 40]) for column in found.bars[1:])
    closed = chance.random(ts.size) < 0.05
    listed = catalogue(ts, np.delete(found.bars.close, [20, 21, 40]), LEVEL, WITHIN)
    return replace(found, bars=Bars(ts, *parts), closed=closed, kinds=kinds(listed, ts.size))


@cases(30, 2_000)
def test_bars_before_a_fall_are_those_that_a_trip_would_be_judged_by(count: int, measured):
    chance, told = np.random.default_rng(1), Counter[str]()
    for _ in range(count):
        found = _walk(chance)
        bars, seen = found.bars, chance.random(found.bars.ts.size) < 0.3
        falls, known = coming(bars.ts, bars.open, bars.close, LEVEL, WITHIN)
        by_hand = Counter[tuple[bool, bool]]()
        for bar in range(bars.ts.size):
            word = judge(bars, bar, LEVEL, WITHIN)
            assert bool(known[bar]) == (word != "unjudged"), bar
            assert bool(falls[bar]) == (word in {"true", "late"}), bar
            told[word] += 1
            after = (bars.ts >= bars.ts[bar]) & (bars.ts <= bars.ts[bar] + WITHIN)
            if bar >= found.first and word != "unjudged" and not (found.closed & after).any():
                by_hand[bool(seen[bar]), word != "false"] += 1
        keys = ((True, True), (True, False), (False, True), (False, False))
        assert counts(found, seen) == Counts(*(by_hand[key] for key in keys))
    assert min(told.values()) > count // 2
    measured(f"study: {sum(told.values()):,} bars judged alike by hand and at once, {dict(told)}")


# ------------------------------------------------------------ what an alarm came to


def test_an_alarm_before_a_fall_is_true_and_gains_what_was_not_lost():
    found = scene(FELL)
    (one,) = alarms(found, on(20, (4, 9)))
    # out at the open of bar 5, at 100; back at that of bar 10, at 70
    paid = COST * (1 + 70 / 100)
    assert one == Alarm(4, "true", "fall", pytest.approx(0.30 - paid), 5 * DAY)
    assert one.hit


def test_an_alarm_in_the_fall_is_late_and_one_behind_it_false():
    late, false = alarms(scene(FELL), on(20, (7, 8), (10, 12)))
    assert (late.word, late.kind, late.hit) == ("late", "fall", True)
    assert (false.word, false.hit) == ("false", False)
    assert false.benefit == pytest.approx(-2 * COST)


def test_an_alarm_whose_outcome_is_not_to_be_seen_is_unjudged():
    assert [one.word for one in alarms(scene(FELL), on(20, (17, 18)))] == ["unjudged"]
    for closed in ([9], [12]):  # inside what would tell, and inside a spell that lasts longer
        found = scene(FELL, closed=closed)
        assert [one.word for one in alarms(found, on(20, (4, 14)))] == ["unjudged"]


def test_alarms_in_warm_up_in_closed_time_and_at_the_last_bar_are_none():
    assert alarms(scene(FELL, first=5), on(20, (4, 9))) == ()
    assert alarms(scene(FELL, closed=[4]), on(20, (4, 9))) == ()
    assert alarms(scene(FELL), on(20, (19, 20))) == ()


def test_an_alarm_that_is_still_on_ends_with_the_data():
    (one,) = alarms(scene(FELL), on(20, (4, 20)))
    assert one.lasted == 15 * DAY
    assert one.benefit == pytest.approx(0.10 - COST * 1.9)


# ------------------------------------------------------------ what was said of an event


def test_who_was_on_at_the_high_was_in_time_and_nothing_was_done():
    found = scene(FELL)
    (fall,) = catalogue(found.bars.ts, found.bars.close, LEVEL, WITHIN).falls
    assert (fall.peak, fall.trough) == (4, 9)
    assert answer(found, on(20, (0, 20)), fall) == Answer(5 * DAY, 0.0)
    said = answer(found, on(20, (6, 20)), fall)
    assert said == Answer(3 * DAY, pytest.approx(0.4))
    assert said.in_time
    late = answer(found, on(20, (8, 20)), fall)
    assert late == Answer(DAY, pytest.approx(25 / 30))
    assert not late.in_time


def test_who_speaks_at_the_low_or_later_has_said_nothing():
    found = scene(FELL)
    (fall,) = catalogue(found.bars.ts, found.bars.close, LEVEL, WITHIN).falls
    assert answer(found, on(20, (9, 20)), fall) is None
    assert answer(found, on(20), fall) is None


# ------------------------------------------------------------ the figures of a rule


def figures(seen: np.ndarray, *, tested: bool = True, where: Scene | None = None):
    found = where or scene(FELL)
    fall = catalogue(found.bars.ts, found.bars.close, LEVEL, WITHIN).falls[0]
    return score("rule", [(found, seen)], [answer(found, seen, fall)], memory=DAY, tested=tested)


def test_a_rule_with_a_hit_and_a_false_alarm_pays_from_a_precision_on():
    found = figures(on(20, (4, 9), (10, 12)))
    assert (found.alarms, found.words["true"], found.words["false"]) == (2, 1, 1)
    hit, cost = 0.30 - COST * 1.7, 2 * COST
    assert found.break_even == pytest.approx(cost / (cost + hit))
    assert found.precision.value == 0.5
    low, high = found.precision.bounds
    above, bounds = found.above
    assert above == pytest.approx(0.5 - found.break_even)
    assert bounds == pytest.approx((low - found.break_even, high - found.break_even))
    assert found.recall == Share(1, 1, pytest.approx((0.2065, 1.0), abs=1e-4))
    assert found.on == pytest.approx(7 / 19)
    assert found.longest == 5 * DAY
    assert found.years == pytest.approx(19 / 365)
    assert found.yearly == pytest.approx(2 * 365 / 19)


def test_false_alarms_that_gained_pay_always_and_hits_that_lost_never():
    gained = [*FELL, *[90] * 4, 88, 86, 84, *[84] * 8]  # slides on by less than the level
    always = figures(on(len(gained), (4, 9), (22, 28)), where=scene(gained))
    assert (always.words["true"], always.words["false"]) == (1, 1)
    assert always.false_costs < 0 < always.hit_gains
    assert always.break_even == 0.0
    never = figures(on(20, (8, 12), (13, 14)), where=scene([*FELL[:9], 66, *FELL[10:]]))
    assert never.hit_gains < 0 < never.false_costs
    assert never.break_even == 1.0
    neither = figures(on(20, (4, 9)))
    assert math.isnan(neither.break_even)
    assert neither.above[1] is None


def test_a_rule_that_never_spoke_has_no_figures():
    found = figures(on(20))
    assert (found.alarms, found.yearly, found.on, found.longest) == (0, 0.0, 0.0, 0)
    assert found.lead is None
    assert found.done is None
    assert math.isnan(found.precision.value)
    assert math.isnan(found.lasts)
    assert found.recall.good == 0


def test_modelled_data_leaves_counts_and_no_share_or_interval():
    found = figures(on(20, (4, 9), (10, 12)), tested=False)
    assert (found.precision.good, found.precision.of, found.precision.bounds) == (1, 2, None)
    assert math.isnan(found.precision.value)
    assert math.isnan(found.break_even)
    assert all(one.band is None for one in found.around)


# ------------------------------------------------------------ prices around alarms


def test_prices_are_measured_from_the_fill():
    found = scene(FELL)
    before, day, three, week = around([(found, [4])], memory=DAY, draws=0, seed=1)
    assert [one.span for one in (before, day, three, week)] == list(AROUND)
    assert before.mean == pytest.approx(0.0)  # filled at 100, a day before at 100
    assert (day.mean, day.median) == (pytest.approx(-0.05), pytest.approx(-0.05))
    assert three.mean == pytest.approx(-0.20)
    assert week.mean == pytest.approx(-0.10)


def test_what_reaches_behind_the_data_or_into_closed_time_is_not_measured():
    at_the_end = around([(scene(FELL), [17])], memory=DAY, draws=0, seed=1)
    assert [math.isnan(one.mean) for one in at_the_end] == [False, False, True, True]
    shut_ = around([(scene(FELL, closed=[7]), [5])], memory=DAY, draws=0, seed=1)
    assert [math.isnan(one.mean) for one in shut_] == [False, False, True, True]


def test_alarms_at_the_worst_moments_lie_below_the_band_of_shifted_ones():
    closes = []
    for _ in range(20):
        closes += [100.0] * 17 + [90.0, 90.0, 95.0]
    found = scene(closes)
    bars = [20 * number + 15 for number in range(20)]
    band = around([(found, bars)], memory=DAY, draws=199, seed=1)
    assert band[2].mean == pytest.approx(-0.10)
    assert band[2].mean < band[2].band[0]
    assert band == around([(found, bars)], memory=DAY, draws=199, seed=1)
    # one history too short to shift in leaves no band for all
    both = around([(found, bars), (scene(FELL), [4])], memory=30 * DAY, draws=199, seed=1)
    assert all(one.band is None for one in both)
