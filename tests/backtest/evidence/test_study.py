"""A study of many histories: what counts, what counts once, and what is not looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.evidence.answers import alarms
from riskguard.backtest.evidence.spells import WHOLE
from riskguard.backtest.evidence.study import Asked, Part, look, study
from riskguard.backtest.evidence.study_lines import headline
from riskguard.backtest.evidence.windows import shut
from riskguard.errors import DataError
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.market import DAY
from riskguard.shipped import shipped
from tests.backtest.evidence.daily import daily_file, rules_file
from tests.backtest.evidence.scenes import COST, LEVEL, WITHIN

ASKED = Asked(LEVEL, WITHIN, COST, ("2022-11",))


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
