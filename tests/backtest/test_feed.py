from __future__ import annotations

import datetime as dt
import pickle
import zoneinfo

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskguard.backtest.feed import (
    Columns,
    GuardFeed,
    day_numbers,
    feed_class,
    feed_of,
    frame_of,
    line_name,
    visible,
)
from riskguard.errors import DataError
from riskguard.history import History
from riskguard.market import DAY, HOUR, MINUTE, WEEK

EXTRA = ("oi", "oi_usd", "liq_long", "liq_short", "funding", "fear_greed")


class Plain(bt.feeds.PandasData):
    lines = EXTRA
    params = tuple((name, -1) for name in EXTRA)


def frame(rows: int = 50, freq: str = "4h", start: str = "2026-01-01T04:00") -> pd.DataFrame:
    rng = np.random.default_rng(7)
    close = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
    columns = {
        "open": close * 0.999,
        "high": close * 1.01,
        "low": close * 0.98,
        "close": close,
        "volume": rng.integers(1, 99, rows),
        "oi": rng.normal(80_000, 10, rows),
        "funding": np.where(np.arange(rows) % 2, 0.0001, np.nan),
    }
    return pd.DataFrame(columns, index=pd.date_range(start, periods=rows, freq=freq))


def lines(feed, **modes):
    """Return every line as bytes after a run, as the strategy saw it bar by bar."""
    seen = []

    class Seeing(bt.Strategy):
        def next(self):
            values = [getattr(self.data.lines, name)[0] for name in self.data.getlinealiases()]
            seen.append(np.array(values, dtype=float).tobytes())

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(feed)
    cerebro.addstrategy(Seeing)
    cerebro.run(**modes)
    return seen


ZONES = {"naive": None, "UTC": "UTC", "New York": "America/New_York"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_lines_equal_those_of_pandas_data_to_the_last_bit(zone, unit):
    data = frame()
    data.index = data.index.as_unit(unit)
    if ZONES[zone]:
        data.index = data.index.tz_localize("UTC").tz_convert(ZONES[zone])
    assert lines(GuardFeed(dataname=data)) == lines(Plain(dataname=data))


@pytest.mark.parametrize(
    "modes", [{"runonce": False}, {"preload": False}, {"exactbars": 1}, {"exactbars": -1}]
)
def test_lines_are_the_same_in_every_mode(modes):
    assert lines(GuardFeed(dataname=frame()), **modes) == lines(Plain(dataname=frame()))


def test_names_in_capitals_a_column_of_stamps_and_positions_are_understood():
    data = frame()
    expected = lines(Plain(dataname=data))
    assert lines(GuardFeed(dataname=data.rename(columns=str.title))) == expected
    moved = data.reset_index(names="when")
    assert lines(GuardFeed(dataname=moved, datetime="when")) == expected
    assert lines(GuardFeed(dataname=moved, datetime=0, close=4)) == expected


def test_objects_whole_numbers_and_absent_cells_become_floats():
    data = frame()
    expected = lines(Plain(dataname=data))
    other = data.astype({"volume": "int64", "oi": "Float64", "funding": "object"})
    other["funding"] = other["funding"].where(data["funding"].notna(), pd.NA)
    other.index = other.index.astype(object)
    assert lines(GuardFeed(dataname=other)) == expected


def test_columns_and_close_stamps_are_enough():
    data = frame()
    columns = Columns(
        data.index.as_unit("ns").asi8, {name: data[name].to_numpy(float) for name in data}
    )
    assert lines(GuardFeed(dataname=columns)) == lines(Plain(dataname=data))


def test_a_missing_column_is_unknown_not_calm():
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(GuardFeed(dataname=frame()))
    [ran] = cerebro.run()
    assert np.isnan(ran.data.liq_long.array).all()
    assert np.isnan(ran.data.openinterest.array).all()


def test_dates_and_filters_load_row_by_row_and_give_the_same():
    data = frame()
    span = {"fromdate": dt.datetime(2026, 1, 3), "todate": dt.datetime(2026, 1, 5)}  # noqa: DTZ001 - Backtrader takes naive UTC
    assert lines(GuardFeed(dataname=data, **span)) == lines(Plain(dataname=data, **span))
    feeds = [kind(dataname=data, **frame_of(4 * HOUR)) for kind in (GuardFeed, Plain)]
    for feed in feeds:
        feed.resample(timeframe=bt.TimeFrame.Days, compression=1)
    assert lines(feeds[0]) == lines(feeds[1])


def test_a_lookahead_margin_and_a_second_run_change_nothing():
    data = GuardFeed(dataname=frame())
    expected = lines(Plain(dataname=frame()))
    assert lines(data) == expected
    assert lines(data) == expected
    assert lines(data, lookahead=3) == expected


@pytest.mark.parametrize("name", ["tz", "tzinput"])
def test_a_zone_that_backtrader_cannot_use_is_refused_with_the_remedy(name):
    with pytest.raises(DataError, match=r"tz_convert\('UTC'\)"):
        GuardFeed(dataname=frame(), **{name: zoneinfo.ZoneInfo("America/New_York")})


def test_text_for_stamps_or_numbers_is_refused_with_the_fix():
    data = frame()
    with pytest.raises(DataError, match=r"kind string; .*\n.*pd.to_datetime"):
        GuardFeed(dataname=data.set_index(data.index.astype(str)))
    data["oi"] = "many"
    with pytest.raises(DataError, match="column 'oi': not numbers"):
        GuardFeed(dataname=data)
    gap = frame()
    gap.index = gap.index.where(np.arange(len(gap)) != 3, pd.NaT)
    with pytest.raises(DataError, match="no time stamp in row 3"):
        GuardFeed(dataname=gap)


def test_further_lines_are_classes_found_again_by_name_in_another_process():
    made = feed_class(["ETH.close", "oi"])
    assert made is feed_class(["ETH.close"])
    assert feed_class(["oi"]) is GuardFeed
    feed = made(dataname=frame().assign(ETH_close=3_000.0))
    again = pickle.loads(pickle.dumps(feed))
    assert type(again) is made
    assert feed._columns["ETH_close"].tolist() == [3_000.0] * 50


@given(st.lists(st.integers(-(10**14), 4 * 10**15), min_size=1, max_size=50))
def test_day_numbers_are_those_of_date2num(stamps):
    epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - as Backtrader has it
    expected = [bt.date2num(epoch + dt.timedelta(microseconds=us)) for us in stamps]
    assert day_numbers(np.array(stamps)).tolist() == expected


def test_the_frame_comes_from_the_interval():
    frames = bt.TimeFrame
    expected = {
        4 * HOUR: (frames.Minutes, 240),
        DAY: (frames.Days, 1),
        2 * WEEK: (frames.Weeks, 2),
        5 * 10**9: (frames.Seconds, 5),
        MINUTE: (frames.Minutes, 1),
        500 * 10**6: (frames.MicroSeconds, 500_000),
    }
    found = {span: tuple(frame_of(span).values()) for span in expected}
    assert found == expected
    assert line_name("liq.long") == "liq_long"
    assert line_name("BTC/USDT:USDT.close") == "BTC_USDT_USDT_close"


def test_a_feed_of_a_history_shows_levels_as_they_stand_and_flows_once():
    history = History.read("feb-2026")
    feed = feed_of(history, "BTC", ["ETH.close"])
    ts = history.bars("BTC").ts
    bars = history.bars("BTC")
    assert feed._columns["close"].tolist() == bars.close.tolist()
    np.testing.assert_array_equal(feed._columns["oi"], history.aligned("BTC.oi", ts))
    np.testing.assert_array_equal(feed._columns["fear_greed"], history.aligned("*.fear_greed", ts))
    np.testing.assert_array_equal(feed._columns["ETH_close"], history.aligned("ETH.close", ts))
    flow = history.series["BTC.liq.long"]
    seen = (flow.times > ts[0] - history.every) & (flow.times <= ts[-1])
    shown = visible(history, "BTC.liq.long", ts)
    assert np.nansum(shown) == pytest.approx(np.asarray(flow.values)[seen].sum(), rel=1e-12)
    np.testing.assert_array_equal(feed._columns["liq_long"], shown)
    assert (feed.p.timeframe, feed.p.compression) == (bt.TimeFrame.Minutes, 240)
