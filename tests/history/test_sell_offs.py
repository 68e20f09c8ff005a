from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riskguard.errors import DataError
from riskguard.history import History
from riskguard.history.stamps import instant
from riskguard.market import HOUR
from tests.selloffs.real import FOLDER

pytestmark = pytest.mark.needs_market_data


@pytest.fixture
def october(tmp_path) -> Path:
    """Return the sell-off of October 2025 as a folder that a test may change."""
    text = (FOLDER / "2025-10" / "scenario.yaml").read_text()
    (tmp_path / "scenario.yaml").write_text(text)
    return tmp_path


def test_liquidations_of_the_largest_day_are_visible_after_their_bar_alone(october, market_data):
    history = History.read(october, files=market_data)
    assert history.every == HOUR
    assert len(history.bars().ts) == 1128
    assert history.bars().low.min() == 101_516.5
    opened = instant("2025-10-10T20:00Z")
    clock = np.array([opened + 4 * HOUR - 1, opened + 4 * HOUR])
    before, after = history.aligned("liq.long", clock) / 1e6
    assert after == pytest.approx(235.6, abs=0.1)
    assert before < 100
    oi = history.aligned("oi_usd", clock)
    assert oi[1] < oi[0]
    assert history.sources()["liq.long"] == "coinglass"
    assert history.inputs()["liq.long"].coverage == "sampled"
    assert history.for_symbol("BNB").every == 4 * HOUR


def test_days_without_trading_are_refused_as_blank_and_dropped_on_request(october, market_data):
    history = History.read(october, files=market_data)
    spy = history.series["*.spy"]
    assert 30 < len(spy.values) < 36
    assert any("rows dropped" in note for note in history.notes)
    sunday = np.array([instant("2025-10-12T12:00Z")])
    friday = float(spy.values[spy.events == instant("2025-10-10T00:00Z")][0])
    assert history.aligned("spy", sunday).tolist() == [friday]
    text = (october / "scenario.yaml").read_text()
    (october / "scenario.yaml").write_text(text.replace("repair: drop,", ""))
    with pytest.raises(DataError, match="empty cell") as caught:
        History.read(october, files=market_data)
    assert caught.value.column == "spy_close"
    assert caught.value.path.endswith("market-context-1d.csv")


def test_csv_of_a_sell_off_is_read_as_it_is(market_data):
    history = History.read(market_data / "2026-02" / "BTCUSDT-ohlcv-1h.csv")
    assert (history.symbol, history.every, len(history.bars().ts)) == ("BTC", HOUR, 2904)
    assert history.bars().low.min() == 59_800.0
    assert any("quote_volume" in note for note in history.notes)


def test_hours_missing_in_a_real_file_are_named(market_data):
    with pytest.raises(DataError) as caught:
        History.read(market_data / "2021-05" / "BTCUSDT-ohlcv-1h.csv")
    assert "2 of the rows every 1h missing" in caught.value.message
    assert "2021-04-20T01:00Z and 2021-04-20T04:00Z" in caught.value.message
    assert caught.value.line == 4
