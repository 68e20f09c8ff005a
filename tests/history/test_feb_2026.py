from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import riskguard.history
from riskguard.history import History, scenarios, summaries
from riskguard.history.stamps import instant
from riskguard.market import DAY, HOUR

COINS = ("BTC", "ETH", "SOL", "BNB", "XRP")
FOLDER = Path(riskguard.history.__file__).parent / "scenarios" / "feb-2026"
# dollars of longs by the open of the bar
REBUILT = {
    "2026-01-30T00:00Z": 744_469_097,
    "2026-02-05T20:00Z": 716_682_502,
    "2026-01-31T16:00Z": 627_934_387,
    "2026-01-20T20:00Z": 384_912_372,
    "2026-02-08T20:00Z": 322_683_719,
    "2026-02-09T20:00Z": 259_026_203,
    "2026-02-05T12:00Z": 237_259_994,
    "2026-02-04T20:00Z": 201_480_268,
}


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


def test_scenario_is_listed_with_span_units_and_grades():
    assert scenarios() == ["feb-2026"]
    (found,) = summaries()
    assert (found.name, found.symbol, found.every) == ("feb-2026", "BTC", 4 * HOUR)
    assert found.start == instant("2025-12-01T00:00Z")
    assert found.end == instant("2026-03-04T00:00Z")
    series = {one.key: one for one in found.series}
    assert series["BTC.oi"].unit == "coins"
    assert series["BTC.oi_usd"].unit == "usd"
    assert series["BTC.close"].grade == "exchange"
    assert series["BTC.liq.long"].grade == "reconstructed"
    assert len(series) == 5 * 5 + 5


def test_rows_spans_and_clocks_are_those_of_the_figures(history):
    for coin in COINS:
        bars = history.bars(coin)
        assert len(bars.ts) == 558
        assert int(bars.ts[0]) == instant("2025-12-01T04:00Z")
        assert int(bars.ts[-1]) == instant("2026-03-04T00:00Z")
        assert set(np.diff(bars.ts).tolist()) == {4 * HOUR}
    interest = history.series["BTC.oi"]
    assert len(interest.values) == 558
    assert int(interest.times[0]) == instant("2025-12-01T04:00Z")
    assert set(np.diff(interest.times).tolist()) == {4 * HOUR}
    assert len(history.series["BTC.funding"].values) == 280
    mood = history.series["*.fear_greed"]
    assert len(mood.values) == 93
    assert set((mood.times - mood.events).tolist()) == {HOUR}
    assert history.notes == ()
    assert history.mark is not None
    assert history.mark.ts == instant("2026-02-13T00:00Z")


def test_values_are_exactly_the_figures_of_the_files(history):
    with (FOLDER / "BTC-4h.csv").open() as file:
        rows = list(csv.DictReader(file))
    bars = history.bars()
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(bars, name).tolist() == [float(row[name]) for row in rows]
    low = int(np.argmin(bars.low))
    assert int(bars.ts[low]) == instant("2026-02-06T04:00Z")
    assert bars.low[low] == 60_000


def test_liquidations_are_rebuilt_to_the_published_totals(history):
    rebuilt = history.series["BTC.liq.long"]
    dollars = dict(zip(rebuilt.events.tolist(), rebuilt.values.tolist(), strict=True))
    for opened, wanted in REBUILT.items():
        assert dollars[instant(opened) + 4 * HOUR] == pytest.approx(wanted, rel=1e-3)
    assert len(rebuilt.values) == 441
    assert int(rebuilt.background.sum()) == 340
    assert set(rebuilt.values[rebuilt.background].tolist()) == {2_863_833.0}
    assert int(rebuilt.events[-1]) == instant("2026-02-12T12:00Z")
    assert rebuilt.values[-180:].sum() / 1e6 == pytest.approx(5315, abs=0.5)
    assert rebuilt.values[-84:].sum() / 1e6 == pytest.approx(4322, abs=0.5)
    assert np.array_equal(rebuilt.values, np.round(rebuilt.values))


def test_liquidations_carry_their_label_wherever_they_go(history):
    rebuilt = history.series["BTC.liq.long"]
    assert (rebuilt.source, rebuilt.grade, rebuilt.coverage) == (
        "published",
        "reconstructed",
        "reconstructed",
    )
    assert "reconstructed" in rebuilt.label
    assert history.inputs()["liq.long"].coverage == "reconstructed"
    assert "BTC.liq.short" not in history.series
    assert any("hindsight" in remark for remark in history.remarks)


def test_every_anchor_is_met_and_unconfirmed_figures_say_so(history):
    rebuilt = history.series["BTC.liq.long"]
    with (FOLDER / "published-liquidations.csv").open() as file:
        rows = list(csv.DictReader(file))
    anchors = [row for row in rows if row["use"] == "anchor"]
    assert len(anchors) == 13
    for row in anchors:
        end = instant(row["window_end"])
        start = end - int(row["hours"]) * HOUR
        inside = np.minimum(rebuilt.events, end) - np.maximum(rebuilt.events - 4 * HOUR, start)
        total = float((np.clip(inside / (4 * HOUR), 0, 1) * rebuilt.values).sum())
        assert total == pytest.approx(float(row["long_usd"]), rel=1e-6)
    news = [row for row in rows if row["source"] == "news of 2026-02-12"]
    assert len(news) == 3
    assert all("unconfirmed" in row["note"] for row in news)
    assert all(row["source"] for row in rows)


def test_after_the_last_figure_liquidations_age_and_then_are_unknown(history):
    ends = np.array([instant("2026-02-12T20:00Z"), instant("2026-02-13T00:00Z")])
    seen = history.aligned("liq.long", ends)
    assert not np.isnan(seen[0])
    assert np.isnan(seen[1])


def test_cut_history_is_the_start_of_the_whole(history):
    end = instant("2026-02-05T20:00Z")
    cut = History.read("feb-2026", end=end)
    whole = [sample for sample in history.samples() if sample.ts <= end]
    assert list(cut.samples()) == whole
    assert len(cut.bars().ts) < 558


def test_digest_is_stable_and_changes_with_a_cut(history):
    assert History.read("feb-2026").digest == history.digest
    assert History.read("feb-2026", end=instant("2026-03-03T20:00Z")).digest != history.digest


@pytest.mark.parametrize("change", [{"grade": "exchange"}, {"coverage": "complete"}])
def test_digest_changes_with_what_the_data_is_worth(history, change):
    flows = replace(history.series["BTC.liq.long"], **change)
    praised = replace(history, series={**history.series, "BTC.liq.long": flows})
    assert praised.digest != history.digest


def test_another_coin_can_be_traded(history):
    other = history.for_symbol("ETH")
    assert (other.symbol, other.every) == ("ETH", 4 * HOUR)
    assert "BTC.oi" in other.inputs()
    assert "close" in other.inputs()
    last = [
        sample.symbol for sample in other.samples() if sample.ts == instant("2026-01-05T04:00Z")
    ]
    assert last == ["BNB", "BTC", "SOL", "XRP", "ETH"]


def test_funding_is_a_settlement_of_its_own(history):
    first = next(history.samples())
    assert first.ts == instant("2025-12-01T00:00Z")
    assert dict(first.values) == {"funding": 0.00003593}
    spec = history.inputs()["funding"].spec
    assert spec.interval == 8 * HOUR
    assert history.inputs()["fear_greed"].spec.interval == DAY
