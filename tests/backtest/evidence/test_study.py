"""Alarms by hand: what followed, what was said of an event, and what must not be counted."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.evidence.after import AROUND, around
from riskguard.backtest.evidence.alarms import Counts
from riskguard.backtest.evidence.answers import Alarm, Answer, Scene, alarms, answer, counts
from riskguard.backtest.evidence.events import catalogue
from riskguard.backtest.evidence.scores import Share, score
from riskguard.backtest.evidence.spells import WHOLE, Spell, spells, standing_on
from riskguard.backtest.evidence.study import Asked, Part, look, study
from riskguard.backtest.evidence.study_lines import headline
from riskguard.backtest.evidence.trips import judge
from riskguard.backtest.evidence.windows import CALM, DIP, FALL, coming, kinds, shut
from riskguard.backtest.track import Track
from riskguard.engine.decision import Decision
from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.history import Bars
from riskguard.history.stamps import instant
from riskguard.language.reader import load_rules, read_text
from riskguard.market import DAY
from riskguard.shipped import shipped
from tests.backtest.evidence.daily import daily_file, rules_file
from tests.counts import counts as cases

START = instant("2021-01-01T00:00Z")
LEVEL, WITHIN, COST = 0.10, 5 * DAY, 0.001
ASKED = Asked(LEVEL, WITHIN, COST, ("2022-11",))


def scene(closes: list[float], *, first: int = 0, closed: list[int] | None = None) -> Scene:
    """Return days whose opens are the closes before them."""
    close = np.array(closes, dtype=np.float64)
    before = np.concatenate((close[:1], close[:-1]))
    ts = START + DAY * np.arange(1, close.size + 1, dtype=np.int64)
    high, low = np.maximum(before, close), np.minimum(before, close)
    shut_ = np.zeros(close.size, dtype=bool)
    shut_[closed or []] = True
    bars = Bars(ts, before, high, low, close, np.full(close.size, 5.0))
    listed = catalogue(ts, close, LEVEL, WITHIN)
    return Scene(bars, DAY, first, shut_, kinds(listed, close.size), LEVEL, WITHIN, COST)


def on(size: int, *spans: tuple[int, int]) -> np.ndarray:
    found = np.zeros(size, dtype=bool)
    for begun, over in spans:
        found[begun:over] = True
    return found


# a fall of 30 % from bar 4 to bar 9, then calm at 90
FELL = [100, 100, 100, 100, 100, 95, 88, 80, 75, 70, 90, 90, 90, 90, 90, 90, 90, 90, 90, 90]


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


# ------------------------------------------------------------ a study of many histories


@pytest.fixture(scope="module")
def daily(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("daily")
    daily_file(folder, 3)
    rules_file(folder)
    return folder


def part(folder: Path, asked: Asked = ASKED, name: str = "daily") -> Part:
    history = History.read(folder / "BTCUSDT-1d.csv")
    return look(asked, load_rules(folder / "rules.yaml", every=history.every), history, name)


def test_a_study_counts_the_events_of_a_plan_but_for_those_in_locked_months(daily: Path):
    asked = replace(ASKED, within=7 * DAY)
    found = study(asked, [part(daily, asked)])
    every = study(replace(asked, locked=()), [part(daily, replace(asked, locked=()))])
    assert not found.mechanics
    assert len(every.events) == 14, "riskguard plan finds as many"
    locked = [one for one in found.others if "last look" in one.why_not]
    assert locked
    assert len(found.events) < 14
    whole, rule = found.scores
    assert (whole.rule, rule.rule) == (WHOLE, "fell")
    assert whole.alarms == rule.alarms > 20
    assert sum(whole.words.values()) == sum(whole.kinds.values()) == whole.alarms
    assert len(whole.answers) == len(found.events)
    assert whole.recall.of == len(found.events)
    assert all(one.band for one in whole.around)
    assert (
        headline(every) == "14 INDEPENDENT EVENTS: past alarms described, nothing said of the next"
    )


def test_no_alarm_of_a_locked_month_is_counted_or_judged_by_it(daily: Path):
    free, shut_ = (part(daily, replace(ASKED, locked=locked)) for locked in ((), ("2022-11",)))
    month = set(np.flatnonzero(shut(free.scene.bars.ts, ("2022-11",))).tolist())
    assert month & set(np.flatnonzero(free.scene.looked_at).tolist())
    assert not month & set(np.flatnonzero(shut_.scene.looked_at).tolist())
    for one in alarms(shut_.scene, shut_.on[WHOLE]):
        reach = range(one.bar, one.bar + WITHIN // DAY + 1)
        assert one.word == "unjudged" or not month & set(reach)


def test_bars_that_two_histories_share_count_once(daily: Path):
    one = part(daily)
    alone, twice = study(ASKED, [one]), study(ASKED, [one, part(daily, name="again")])
    assert [each.alarms for each in alone.scores] == [each.alarms for each in twice.scores]
    assert len(twice.events) == len(alone.events)
    assert [each.name for each in twice.counting] == ["again"]
    assert alone.scores[0].years == twice.scores[0].years
    assert "counted in other data" in {each.why_not for each in twice.others}


def test_histories_of_one_time_and_two_symbols_share_their_events(daily: Path):
    one = part(daily)
    other = replace(one, symbol="ETH", name="other")
    found = study(ASKED, [one, other])
    assert len(found.counting) == 2
    assert len(found.events) == len(study(ASKED, [one]).events)
    assert found.scores[0].alarms == 2 * study(ASKED, [one]).scores[0].alarms


def test_a_rule_that_is_off_somewhere_is_measured_where_it_is_on(daily: Path):
    one = part(daily)
    lacking = replace(one, symbol="ETH", name="lacking", on={WHOLE: one.on[WHOLE]})
    whole, rule = study(ASKED, [one, lacking]).scores
    assert whole.years == pytest.approx(2 * rule.years)
    assert rule.recall.of <= whole.recall.of


def test_modelled_data_is_left_out_where_there_is_measured_and_marked_where_not(daily: Path):
    one = part(daily)
    made = replace(one, symbol="ETH", grades={"ETH.liq.long": "reconstructed"})
    both = study(ASKED, [one, made])
    assert [each.symbol for each in both.counting] == ["BTC"]
    assert any(each.why_not.startswith("mechanics only") for each in both.others)
    alone = study(ASKED, [made])
    assert alone.mechanics
    assert headline(alone).startswith("MECHANICS ONLY: ETH.liq.long is reconstructed")
    assert all(each.precision.bounds is None for each in alone.scores)


def test_a_study_without_a_bar_says_so(daily: Path):
    months = tuple(f"{year}-{month:02}" for year in range(2020, 2024) for month in range(1, 13))
    asked = replace(ASKED, locked=months)
    found = study(asked, [part(daily, asked)])
    assert found.counting == ()
    assert headline(found).startswith("NOTHING LOOKED AT")


def test_a_study_without_an_event_says_so_and_few_events_are_said_to_be_few(daily: Path):
    deep = replace(ASKED, level=0.9)
    assert headline(study(deep, [part(daily, deep)])).startswith("NO EVENT")
    rare = replace(ASKED, level=0.17)
    found = study(rare, [part(daily, rare)])
    assert 0 < len(found.events) < 8
    assert headline(found).startswith(f"TOO FEW EVENTS: {len(found.events)} independent event")


def test_rules_that_read_an_account_are_refused_with_what_runs_them():
    history = History.read("feb-2026")
    rules = load_rules(shipped("rules") / "account-limits.yaml")
    rules = replace(rules, every=history.every)
    with pytest.raises(DataError, match="read the account") as caught:
        look(ASKED, rules, history, "feb-2026")
    assert "riskguard backtest" in caught.value.help


def test_february_2026_is_counted_in_no_study_of_measured_data():
    history = History.read("feb-2026")
    rules = load_rules(shipped("rules") / "support-ladder.yaml", every=history.every)
    found = study(ASKED, [look(ASKED, rules, history, "feb-2026")])
    assert not found.mechanics
    reasons = {one.why_not for one in found.others}
    assert "illustrates, was known beforehand" in reasons
    ts = history.bars().ts
    assert not (shut(ts, ("2026-02",)) & found.counting[0].scene.looked_at).any()


def test_the_deepest_fall_of_the_prices_is_told_from_where_they_are_looked_at(daily: Path):
    one = part(daily)
    high, low, depth = one.deepest
    bars, (first, last) = one.scene.bars, one.span
    assert first <= high < low <= last
    close = {int(ts): float(price) for ts, price in zip(bars.ts, bars.close, strict=True)}
    assert depth == pytest.approx(1 - close[low] / close[high])
    rising = replace(one.scene, bars=bars._replace(close=np.arange(1.0, bars.ts.size + 1)))
    assert replace(one, scene=rising).deepest is None
