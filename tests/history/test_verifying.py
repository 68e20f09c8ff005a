"""`verify`: nothing differs on what is shipped, and every planted defect is found and explained."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskguard.errors import DataError, RiskguardError
from riskguard.history import History, Series, scenarios
from riskguard.history.verifying import cuts, verify
from riskguard.history.verifying.cuts import chosen, cut_all, pieces
from riskguard.history.verifying.stamps import BETTER, distance, misstamped
from riskguard.history.verifying.subject import available, subject_of
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import DAY, HOUR
from tests.counts import counts
from tests.history.planted import PACKS, PLANTS, pack, recorded_account, scenario, wander
from tests.selloffs.real import real

LONG = """
version: 1
symbol: BTC
every: 1h
rules:
  r: {when: close.drop(24h) >= 2%, clear: close.drop(24h) <= 1%, do: {exposure_cap: 50%}}
"""
# series of 1h, 4h, 8h and days, known at once, an hour or 22 hours later
CARRIED = """
version: 1
symbol: BTC
every: 1h
inputs:
  spy: {unit: usd, kind: level}
rules:
  falls: {when: close.drop(24h) >= 3%, clear: close.drop(24h) <= 1% for 6h, do: {exposure_cap: 60%}}
  flush: {when: oi_usd.change(1d) <= -5%, clear: oi_usd.change(1d) >= -1%, do: {exposure_cap: 50%}}
  burst:
    when: {all: ["liq.long.sum(8h).times_avg(7d, min=1d) >= 3x", liq.long.sum(8h) >= $20M]}
    clear: liq.long.sum(8h) <= $10M
    do: {exposure_cap: 40%}
  crowded:
    when: funding.mean(24h) >= 1bp
    clear: funding.mean(24h) <= 0.5bp
    do: {leverage_cap: 2x}
  fear: {when: fear_greed <= 30, clear: fear_greed >= 40, do: {block_entries: long}}
  stocks: {when: spy.drop(7d) >= 2%, clear: spy.drop(7d) <= 1%, do: {leverage_cap: 3x}}
"""

REAL = """
symbol: BTC
series:
  - {file: DATA/BTCUSDT-ohlcv-1h.csv, symbol: BTC, series: bars, interval: 1h, stamp: open,
     source: binance, grade: exchange}
  - {file: DATA/BTCUSDT-oi-5m.csv, symbol: BTC, series: oi, column: oi, unit: coins, interval: 5m,
     source: binance, grade: exchange}
  - {file: DATA/BTCUSDT-oi-5m.csv, symbol: BTC, series: oi_usd, unit: usd, interval: 5m,
     source: binance, grade: exchange}
"""


def rules(text: str) -> RuleSet:
    found, faults = read_text(text, "rules.yaml")
    assert found is not None, faults
    return found


@pytest.mark.parametrize("name", [*PACKS, "account-limits"])
@pytest.mark.parametrize("source", scenarios())
def test_every_pack_is_cut_at_every_bar_of_every_scenario(source: str, name: str, measured):
    history = History.read(source)
    if name == "account-limits":
        history = recorded_account(history)
    found = verify(pack(name, history), history)
    assert found.fine, found.differences
    assert (found.cuts.made, found.steps.bars) == (len(history.bars().ts),) * 2
    assert (found.steps.decisions > 40) or name == "blind-guard"
    assert found.starts.possible == (name != "account-limits")  # it knows an all-time high
    measured(
        f"{name} on {source}: {found.cuts.made:,} cuts at {found.cuts.bars:,} bars, "
        f"{found.starts.bars:,} bars of later starts, 0 differences"
    )


@counts(6_100, 1_000_000)
def test_histories_with_holes_and_delays_are_cut_without_a_difference(count: int, measured):
    made = decisions = late = seed = 0
    while made < count:
        history = wander(seed, 240 if seed % 2 else 360)
        name = PACKS[seed % len(PACKS)]
        found = verify(pack(name, history), history)
        assert found.fine, (seed, name, found.differences)
        made += found.cuts.made
        decisions += found.steps.decisions
        late += found.starts.bars
        seed += 1
    assert decisions > count // 10
    measured(
        f"look-ahead: {made:,} cuts of {seed:,} random histories, {decisions:,} decisions, "
        f"{late:,} bars of later starts, 0 differences"
    )


@pytest.mark.needs_market_data
@pytest.mark.parametrize("name", ["cascade", "support-ladder", "all that is carried"])
def test_rules_see_no_future_on_the_day_of_the_largest_liquidations(
    name: str, market_data: Path, measured
):
    history = real("2025-10", market_data)
    found = verify(pack(name, history) if name in PACKS else rules(CARRIED), history, cuts=300)
    assert found.fine, found.differences
    assert found.cuts.made >= 280
    measured(f"{name} on 2025-10: {found.cuts.made:,} of {found.cuts.bars:,} bars cut")


@pytest.mark.needs_market_data
def test_bars_of_a_sell_off_are_cut_in_pieces(market_data: Path, measured):
    history = History.read(market_data / "2026-02" / "BTCUSDT-ohlcv-1h.csv")
    found = verify(rules(LONG), history, cuts=300)
    assert found.fine, found.differences
    assert (found.cuts.made, found.cuts.bars) == (300, 2904)
    assert found.cuts.pieces > 1
    measured(f"a rule of 1h on BTC in 2026-02: {found.cuts.made:,} of 2,904 bars cut")


# ------------------------------------------------------------ planted defects


def holed(name: str) -> History:
    """Return the scenario with every third value of a series missing, joined at its close."""
    history = scenario()
    one = next(one for one in history.series.values() if one.name == name)
    kept = np.arange(one.times.size) % 3 != 2
    events, values = one.events[kept], one.values[kept]
    made = replace(one, times=events, events=events, values=values, available_after=0)
    return replace(history, series=history.series | {one.key: made})


def moved(one: Series, span: int) -> Series:
    return replace(one, times=one.times + span, events=one.events + span)


def planted(
    name: str,
    patch: pytest.MonkeyPatch,
    history: History,
    of: str = "balanced",
    made: int | None = None,
):
    ruleset = pack(of, history)
    PLANTS[name](patch)
    found = verify(ruleset, history, cuts=made)
    patch.undo()
    assert not found.fine
    assert verify(ruleset, history, cuts=5).fine
    return {one.kind: one for one in found.differences}


def test_a_window_that_ends_a_bar_late_is_look_ahead_of_one_bar(monkeypatch):
    found = planted("centred_window", monkeypatch, scenario())["look-ahead"]
    assert (found.cause.role, found.cause.text) == ("measure", "close.low(support_window)")
    assert found.cause.one > found.cause.two  # the low that is still to come
    assert found.ahead == 1


def test_a_yardstick_over_all_data_is_look_ahead(monkeypatch):
    found = planted("global_yardstick", monkeypatch, scenario())["look-ahead"]
    assert found.cause.text == "liq.long.sum(24h).times_avg(7d, min=1d)"
    texts = [one.leaf for one, _ in found.lines]
    assert "liq.long.sum(24h).times_avg(7d, min=1d) >= liq_burst" in texts


def test_a_join_at_the_nearest_stamp_is_look_ahead(monkeypatch):
    found = planted("nearest_join", monkeypatch, scenario(), "feb-2026")["look-ahead"]
    assert (found.cause.role, found.cause.text) == ("input", "fear_greed")
    assert found.ahead == 3  # bars of 4h until the day that was nearer is there


def test_a_confirmation_that_is_back_dated_is_look_ahead(monkeypatch):
    found = planted("back_dated_confirmation", monkeypatch, scenario())["look-ahead"]
    assert (found.cause.role, found.cause.text) == ("line", "liquidations_slow")
    assert found.ahead == 6  # bars of 4h: for 24h


def test_a_series_joined_by_its_event_time_is_used_before_it_was_known():
    history = scenario()
    feared = history.series["*.fear_greed"]
    wrong = {"*.fear_greed": replace(feared, times=feared.events - 3 * HOUR)}
    found = verify(pack("feb-2026", history), replace(history, series=history.series | wrong))
    early, ahead = found.differences[:2]
    assert (early.kind, early.cause.text) == ("early", "*.fear_greed")
    assert early.cause.two - early.cause.one == 4 * HOUR
    assert (ahead.kind, ahead.cause.role, ahead.cause.text) == ("look-ahead", "input", "fear_greed")
    assert ahead.ahead == 1


def test_data_that_is_joined_when_it_is_known_is_never_early():
    for history in (scenario(), wander(3, 60)):
        for one in history.series.values():
            assert np.array_equal(available(one), one.times), one.key


def test_bars_that_are_given_by_the_wrong_end_do_not_fit_their_open_interest():
    history = scenario()
    assert verify(pack("cascade", history), history, cuts=1).early is None
    for shift, ahead in ((-1, 1), (1, -1)):
        bars = {
            f"BTC.{name}": moved(history.series[f"BTC.{name}"], shift * 4 * HOUR)
            for name in ("open", "high", "low", "close", "volume")
        }
        wrong = replace(history, series=history.series | bars)
        found = verify(pack("cascade", history), wrong, cuts=1).early
        assert found is not None
        assert (found.kind, found.cause.text, found.ahead) == ("stamp", "BTC.close", ahead)
        assert found.cause.two < 0.001 < found.cause.one


@pytest.mark.needs_market_data
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_real_bars_fit_their_open_interest_at_their_own_stamp(
    symbol: str, tmp_path: Path, market_data: Path, measured
):
    folder = os.path.relpath(market_data / "2026-02", tmp_path)
    (tmp_path / "scenario.yaml").write_text(REAL.replace("DATA", folder).replace("BTC", symbol))
    history = History.read(tmp_path)
    assert misstamped(subject_of(rules(LONG.replace("BTC", symbol)), history)) is None
    of = [history.series[f"{symbol}.{name}"] for name in ("close", "oi", "oi_usd")]
    near, before, after = (distance(*of, lag) for lag in (0, -1, 1))
    assert BETTER * near < min(before, after)
    measured(f"{symbol} in 2026-02: closes {near:.4%} from open interest, {after:.4%} a bar off")


def test_one_bit_of_a_mean_differs_between_live_and_backtest(monkeypatch):
    found = planted("rounded_mean", monkeypatch, scenario(), made=60)
    assert list(found) == ["stream"], "it sees no future"
    cause = found["stream"].cause
    assert cause.text == "funding.mean(24h)"
    assert np.nextafter(cause.one, np.inf) == cause.two
    assert found["stream"].fields == (), "no decision in this data is another"


def test_a_hold_that_columns_forget_differs_between_live_and_backtest(monkeypatch):
    found = planted("forgotten_hold", monkeypatch, scenario(), "feb-2026", made=60)
    assert list(found) == ["stream"]
    one = found["stream"]
    assert one.cause[:2] == ("stage", "the stage")
    assert ("stage", "watch", "normal") in one.fields
    assert one.decided == one.ts


def test_an_age_at_its_limit_differs_between_live_and_backtest(monkeypatch):
    found = planted("early_staleness", monkeypatch, holed("fear_greed"), "feb-2026", made=60)
    assert list(found) == ["stream"]
    assert found["stream"].cause.role == "value"
    assert np.isnan(found["stream"].cause.one)


def test_a_measure_that_rests_on_more_than_its_window_reads_otherwise_from_a_later_start(
    monkeypatch,
):
    found = planted("endless_peak", monkeypatch, scenario(), made=60)
    assert list(found) == ["stream", "start"]
    assert found["start"].cause.text == "close.drawdown(14d)"
    assert found["start"].cause.one < found["start"].cause.two


def test_look_ahead_is_found_in_a_history_that_is_cut_in_pieces(monkeypatch):
    monkeypatch.setattr(cuts, "WHOLE", 128)
    history = scenario()
    parts = pieces(subject_of(pack("balanced", history), history))
    assert len(parts) > 2
    assert [one.first for one in parts[1:]] == [one.stop for one in parts[:-1]]
    assert verify(pack("balanced", history), history).cuts.made == 558
    PLANTS["centred_window"](monkeypatch)
    found = verify(pack("balanced", history), history).cuts.difference
    assert found is not None
    assert (found.bar, found.cause.text) == (333, "close.low(support_window)")


def test_look_ahead_beyond_the_end_of_a_piece_is_found(monkeypatch):
    monkeypatch.setattr(cuts, "WHOLE", 128)
    PLANTS["global_yardstick"](monkeypatch)
    subject = subject_of(pack("balanced", scenario()), scenario())
    found = cut_all(subject, subject.whole(), [300], lambda _step: None)
    assert found.made == 0, "the piece is another before any bar of it is cut"
    assert found.difference is not None
    assert found.difference.cause.text == "liq.long.sum(24h).times_avg(7d, min=1d)"


def test_a_piece_that_reads_otherwise_for_its_later_start_is_no_look_ahead(monkeypatch):
    monkeypatch.setattr(cuts, "WHOLE", 128)
    PLANTS["endless_peak"](monkeypatch)
    found = verify(pack("balanced", scenario()), scenario(), cuts=60)
    assert found.cuts.difference is not None
    assert found.cuts.difference.kind == "start"
    assert [one.kind for one in found.differences] == ["start", "stream"]


# ------------------------------------------------------------ what is cut, what is left out


def test_so_many_cuts_are_spread_evenly_and_the_last_bar_is_among_them():
    subject = subject_of(pack("balanced", scenario()), scenario())
    assert chosen(subject, None) == list(range(558))
    assert chosen(subject, 3) == [0, 278, 557]
    assert chosen(subject, 1) == [557]
    assert len(chosen(subject, 10_000)) == 558
    assert verify(pack("cascade", scenario()), scenario(), cuts=10).cuts.made == 10


def test_what_cannot_be_computed_in_minutes_is_cut_at_fewer_bars(monkeypatch):
    subject = subject_of(pack("balanced", scenario()), scenario())
    monkeypatch.setattr(cuts, "WORK", 1_000_000)
    assert 150 < len(chosen(subject, None)) < 250
    assert len(chosen(subject, 558)) == 558, "asked for"


def test_rules_on_the_account_are_left_out_with_what_reads_them():
    text = LONG + (
        "  loss: {when: equity.drop(24h) >= 5%, min_hold: 1h, do: {reduce_only: true}}\n"
        "  both: {when: {all: [loss, close < 80_000]}, min_hold: 1h, do: {exposure_cap: 0%}}\n"
    )
    history = replace(scenario())
    found = subject_of(replace(rules(text), every=4 * HOUR), history)
    assert [rule.name for rule in found.ruleset.rules] == ["r"]
    assert found.left_out == (
        "loss: reads equity, which depends on what a bot trades",
        "both: reads loss, which is left out",
    )
    carried = recorded_account(history)
    assert subject_of(replace(rules(text), every=4 * HOUR), carried).left_out == ()


def test_a_file_that_rests_on_the_account_alone_is_refused():
    with pytest.raises(RiskguardError, match="every rule rests on the account of a bot"):
        verify(pack("account-limits", scenario()), scenario())


def test_rules_at_every_event_are_refused():
    text = LONG.replace("every: 1h", "every: 4h\nevaluate: event")
    with pytest.raises(RiskguardError, match="evaluated at every event"):
        verify(rules(text), scenario())


def test_bars_at_which_nothing_is_decided_are_refused():
    text = LONG.replace("every: 1h", "every: 30d").replace("24h", "60d")
    history = scenario()
    short = {key: one.until(20_429 * DAY) for key, one in history.series.items()}
    with pytest.raises(DataError, match="nothing is decided"):
        verify(rules(text), replace(history, series=short))


def test_progress_is_told():
    said: list[str] = []
    verify(pack("cascade", scenario()), scenario(), cuts=2, tell=said.append)
    assert said[0] == "stepping a guard over 558 bars"
    assert "cutting the data at bar 558 of 558" in said
    assert said[-1].startswith("starting later: ")


def test_the_rules_of_one_symbol_are_verified_on_its_own_bars():
    history = scenario()
    found = verify(pack("support-ladder", history), history, symbol="ETH", cuts=5)
    assert (found.fine, found.subject.history.symbol) == (True, "ETH")
    with pytest.raises(RiskguardError, match="no bars of DOGE"):
        verify(
            load_rules(Path("rules/support-ladder.yaml"), every=4 * HOUR), history, symbol="DOGE"
        )
