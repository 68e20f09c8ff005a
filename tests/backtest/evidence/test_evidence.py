from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from jsonschema import Draft7Validator

from riskguard.backtest.compare import compare
from riskguard.backtest.evidence.conditions import BETTER
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.evidence.paths import Paths
from riskguard.backtest.evidence.plan import Plan
from riskguard.backtest.evidence.reach import reach
from riskguard.backtest.evidence.roundtrips import whipsaws
from riskguard.backtest.evidence.study import Asked, look, study
from riskguard.backtest.evidence.study_lines import lines as study_lines
from riskguard.backtest.evidence.told import block, lines
from riskguard.backtest.page.tables import data_table
from riskguard.backtest.report import as_json, build, schema_path
from riskguard.backtest.text import report_text
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.market import DAY
from tests.backtest.evidence.daily import request

ASKED = Asked(0.1, 7 * DAY, 0.001, ())
VALIDATOR = Draft7Validator(json.loads(schema_path().read_text()))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return compare(request(tmp_path_factory.mktemp("daily"), seed=3))


def plan_of(run, **changes) -> Plan:
    made = Plan(
        rules="rules.yaml",
        rules_hash=run.ruleset.hash,
        data="BTCUSDT-1d.csv",
        data_hash=run.history.digest,
        symbol=run.symbol,
        trade_from=int(run.ts[run.trading_from]),
        to=int(run.ts[-1]),
        fall=0.1,
        within=7 * DAY,
        draws=199,
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def weighed(run):
    return weigh(run, plan=plan_of(run))


def test_what_was_found_fits_the_schema_of_the_report(run, weighed) -> None:
    report = json.loads(as_json(build(run, weighed)))
    VALIDATOR.validate(report)
    assert report["evidence"]["tests"]["draws"] == 199
    assert report["evidence"]["plan"]["changed"] == []
    VALIDATOR.validate(json.loads(as_json(build(run, weigh(run, draws=99)))))


def test_the_same_seed_gives_the_same_report_byte_for_byte(run, weighed) -> None:
    again = weigh(run, plan=plan_of(run))
    assert as_json(build(run, again)) == as_json(build(run, weighed))
    assert report_text(run, again) == report_text(run, weighed)
    other = weigh(run, plan=plan_of(run, seed=2))
    assert other.found.placebo != weighed.found.placebo


def test_the_text_fits_80_columns_and_names_the_plan_in_its_header(run, weighed) -> None:
    text = report_text(run, weighed)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("NOT SHOWN: ")
    lost = replace(weighed, identity=replace(weighed.identity, guarded=5_000.0, bare=9_779.0))
    assert lines(lost)[0].endswith(" = guarded - bare -$4,779")
    assert f"plan {weighed.plan.name}, nothing changed since" in text
    changed = weigh(run, plan=plan_of(run, fee=0.002))
    assert "changed since: the fee" in report_text(run, changed)


def test_the_events_are_those_of_the_catalogue_that_lie_in_no_locked_month(run, weighed) -> None:
    assert weighed.found.hits.events == len(weighed.events) == len(weighed.found.benefits)
    unlocked = weigh(run, plan=plan_of(run, locked=()))
    gone = {one.name for one in unlocked.events} - {one.name for one in weighed.events}
    assert gone == {"Nov 2022"}


def test_event_benefits_are_parts_of_the_whole(run) -> None:
    whole = weigh(run, plan=plan_of(run, fall=0.05, within=30 * DAY))
    found = whole.found
    assert len(found.benefits) == len(whole.events) > 0
    if found.carried is not None:
        share = max(found.benefits) / (found.against_best.value * whole.years)
        assert found.carried[1] == pytest.approx(share)


def test_ways_out_and_back_are_told(run, weighed) -> None:
    assert weighed.whipsaws.trips >= weighed.whipsaws.dearer > 0
    assert f"ways out and back {weighed.whipsaws.trips}, dearer" in report_text(run, weighed)
    assert "ways out" not in report_text(run, replace(weighed, whipsaws=whipsaws([], DAY)))


def test_each_event_is_left_out_once_and_what_cannot_be_left_out_is_told(run, weighed) -> None:
    found = weighed.found
    whole = found.against_best.value * weighed.years
    kept = [one * weighed.years for one in found.without]
    assert kept == pytest.approx([whole - one for one in found.benefits])
    text = " ".join(report_text(run, weighed).split())
    worst = min(range(len(kept)), key=kept.__getitem__)
    assert f"least without {weighed.events[worst].name}" in text
    alone = "one asset is traded (BTC) and no series has two vendors: neither"
    assert alone in text
    assert alone not in " ".join(weigh(replace(run, history=modelled(run.history))).notes)
    told = json.loads(as_json(build(run, weighed)))["evidence"]["tests"]["events"]
    assert [one["without"] for one in told] == list(found.without)


def modelled(history):
    key = "BTC.close"
    return replace(
        history,
        series={**history.series, key: replace(history.series[key], grade="synthetic")},
    )


def test_figures_of_the_tests_agree_with_peers_and_returns(run, weighed) -> None:
    found, best = weighed.found, weighed.best
    assert weighed.mean_exposure == pytest.approx(best.mean_exposure)
    worst = {(one.late, one.dearer): one.benefit for one in found.stress}
    assert worst[0, 1.0] == pytest.approx(found.against_best.value)
    paths = Paths.of(run)
    constant = weighed.mean_exposure * paths.r[paths.wanted]
    gain = float((paths.g[paths.wanted] - constant).sum()) / weighed.years
    assert found.against_constant.value == pytest.approx(gain, rel=1e-9)


def test_without_a_plan_a_run_is_exploratory_and_has_no_events(run) -> None:
    found = weigh(run, draws=99)
    assert found.verdict.reason.startswith("exploratory run, no plan")
    assert (found.events, found.catalogue) == ((), None)
    assert [one.met for one in found.conditions if one.name == "events"] == [None]


def test_modelled_data_gets_neither_p_value_nor_interval(run) -> None:
    key = f"{run.symbol}.close"
    series = {**run.history.series, key: replace(run.history.series[key], grade="synthetic")}
    modelled = replace(run, history=replace(run.history, series=series))
    found = weigh(modelled, plan=plan_of(run))
    assert found.found is None
    assert found.verdict.reason == "mechanics only (BTC.close is synthetic)"
    told = " ".join(lines(found))
    assert "no tests: mechanics only (BTC.close is synthetic)" in told
    assert "p =" not in told
    assert "CI" not in told
    assert block(found)["tests"] is None
    assert found.peers


def test_a_symbol_is_gated_by_the_modelled_series_of_the_one_that_its_rules_watch(tmp_path) -> None:
    asked = request(tmp_path, seed=3)
    history = asked.history
    other = {
        f"ETH.{name}": replace(history.series[f"BTC.{name}"], symbol="ETH")
        for name in ("open", "high", "low", "close", "volume")
    }
    flows = replace(
        history.series["BTC.volume"],
        name="liq.long",
        spec=replace(history.series["BTC.volume"].spec, unit="usd"),
        grade="reconstructed",
    )
    file = tmp_path / "all.yaml"
    file.write_text(
        "version: 1\nsymbol: BTC\nguards: all\nrules:\n  burst:\n"
        "    when: liq.long.sum(2d) > $50M\n    clear: liq.long.sum(2d) < $1M\n"
        "    do: {exposure_cap: 0%}\n"
    )
    series = {**history.series, **other, "BTC.liq.long": flows}
    made = replace(
        asked,
        history=replace(history, series=series),
        ruleset=load_rules(file, every=history.every),
        symbol="ETH",
    )
    found = weigh(compare(made))
    assert found.found is None
    assert found.verdict.reason == "mechanics only (BTC.liq.long is reconstructed)"


def test_a_sampled_series_that_is_read_is_told_as_a_lower_bound(tmp_path) -> None:
    asked = request(tmp_path, seed=3)
    volume = asked.history.series["BTC.volume"]
    flows = replace(
        volume, name="liq.long", spec=replace(volume.spec, unit="usd"), coverage="sampled"
    )
    unread = replace(flows, name="liq.short")
    series = {**asked.history.series, "BTC.liq.long": flows, "BTC.liq.short": unread}
    file = tmp_path / "burst.yaml"
    file.write_text(
        "version: 1\nrules:\n  burst:\n    when: liq.long.sum(2d) > $50M\n"
        "    clear: liq.long.sum(2d) < $1M\n    do: {exposure_cap: 0%}\n"
    )
    rules = load_rules(file, every=asked.history.every)
    made = compare(replace(asked, history=replace(asked.history, series=series), ruleset=rules))
    weighed = weigh(made)
    said = [note for note in weighed.notes if "sampled" in note]
    assert len(said) == 1
    assert said[0].startswith("BTC.liq.long is sampled: a lower bound")
    report = json.loads(as_json(build(made, weighed)))
    VALIDATOR.validate(report)
    coverage = {one["series"]: one["coverage"] for one in report["data"]}
    assert (coverage["liq.long"], coverage["close"]) == ("sampled", "full")
    cells = {row[0]: row[1] for row in data_table(made).rows}
    assert cells["BTC.liq.long"] == "vendor, sampled"
    part = look(ASKED, rules, made.history, "daily")
    assert [note for note in part.notes if "sampled" in note] == said
    told = " ".join(study_lines(study(ASKED, [part]), "burst.yaml", {}))
    assert said[0] in " ".join(told.split())


def test_a_guard_that_never_acts_is_not_tested(tmp_path) -> None:
    asked = request(tmp_path, seed=3)
    asleep = tmp_path / "asleep.yaml"
    text = (tmp_path / "rules.yaml").read_text().replace(">= 8%", ">= 99%").replace("< 8%", "< 99%")
    asleep.write_text(text)
    rules = load_rules(asleep, every=asked.history.every)
    found = weigh(compare(replace(asked, ruleset=rules)))
    assert found.untested == "the guard never changed what was held"
    assert found.verdict.reason.startswith("the guard never changed what was held, exploratory")


def _dear(number: int) -> str:
    day, price = np.datetime64("2023-01-01") + number, 110 if number % 3 == 1 else 100
    return f"{day}T00:00:00Z,{price},{price},{price},{price}\n"


def test_an_order_the_exchange_refused_is_no_act_of_the_guard(tmp_path) -> None:
    # every third open lies a tenth higher: the strategy comes in late, under no rule at all
    csv = tmp_path / "dear.csv"
    csv.write_text("ts,open,high,low,close\n" + "".join(map(_dear, range(300))))
    (tmp_path / "never.yaml").write_text(
        "version: 1\nrules:\n  never:\n    when: close.drop(3d) >= 90%\n"
        "    clear: close.drop(3d) < 80%\n    do: {exposure_cap: 40%}\n"
    )
    asked = request(tmp_path, seed=3)
    history = History.read(csv)
    rules = load_rules(tmp_path / "never.yaml", every=history.every)
    made = compare(replace(asked, history=history, ruleset=rules))
    assert made.results["bare"].run.rejected, "the first order was too dear"
    assert weigh(made).untested == "the guard never changed what was held"


def test_a_history_of_few_windows_of_its_rules_is_not_tested(tmp_path) -> None:
    # 49 bars hold two and a half windows: harm was said of one trip
    found = weigh(compare(request(tmp_path, seed=3, days=60)))
    assert found.found is None
    assert found.untested == (
        "too short a history: 49d of something wanted, 152d needed"
        " (8 windows and cool-downs of the rules)"
    )
    assert found.verdict.reason == f"{found.untested}, exploratory run, no plan"
    (tmp_path / "longer").mkdir()
    assert weigh(compare(request(tmp_path / "longer", seed=3, days=170)), draws=19).found


def test_february_2026_is_no_event_and_nothing_good_is_said_of_it(run) -> None:
    moved = 20_485 * DAY - int(run.ts[500])  # the middle of the history becomes 2026-02-01
    series = {
        key: replace(one, times=one.times + moved, events=one.events + moved)
        for key, one in run.history.series.items()
    }
    later = replace(run, ts=run.ts + moved, history=replace(run.history, series=series))
    found = weigh(later, plan=plan_of(run), lifted=False)
    assert "in-sample" in found.verdict.reason
    assert all(one.name != "Feb 2026" for one in found.events)
    assert next(one for one in found.conditions if one.name == "data").met is False


def test_a_placebo_is_shifted_by_more_than_window_and_hold(run) -> None:
    assert reach(run.ruleset) >= 17 * DAY


def test_gates_are_lifted_for_the_test_of_ourselves_only(run) -> None:
    other = plan_of(run, data_hash="another history")
    assert weigh(run, plan=other, lifted=True, draws=19).changed == ()
    assert weigh(run, plan=other).changed == ("the data",)
    every = weigh(run, plan=plan_of(run, locked=()), draws=19).events
    assert weigh(run, plan=plan_of(run), lifted=True, draws=19).events == every
    assert weigh(run, plan=plan_of(run), draws=19).events != every
    told = {one.name: one.met for one in weigh(run, plan=other).conditions if one.verdict == BETTER}
    assert told["plan"] is False
