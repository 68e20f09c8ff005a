from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskguard.backtest.page.panels import COLUMNS, joined, panels
from riskguard.market import HOUR
from tests.backtest.page import drawn


def lines(found):
    return {(pane.name, line.style): line for pane in found.panes for line in pane.lines}


def test_all_panes_are_there_each_with_its_grade() -> None:
    comparison = drawn.comparison(300)
    found = panels(comparison, drawn.evidence(comparison))
    assert [pane.name for pane in found.panes] == [
        "Price", "Equity", "Drawdown", "Exposure", "Open interest", "Liquidations",
    ]  # fmt: skip
    assert {pane.name for pane in found.panes if pane.tag == "guard on reconstructed data"} == {
        "Price", "Equity", "Drawdown", "Exposure",
    }  # fmt: skip
    of = lines(found)
    assert of["Liquidations", "liq-long"].tag == of["Liquidations", "liq-short"].tag
    assert of["Liquidations", "liq-long"].tag == "reconstructed"
    assert of["Open interest", "oi"].tag == "exchange"


def test_peers_are_drawn_in_money_and_the_best_simple_one_is_shown_first() -> None:
    comparison = drawn.comparison(300)
    weighed = drawn.evidence(comparison)
    peers, found = weighed.peers, panels(comparison, weighed)
    shown = [line for pane in found.panes for line in pane.lines if line.style.startswith("peer")]
    assert [line.name for line in shown] == [peer.name for peer in peers]
    for line, peer in zip(shown, peers, strict=True):
        np.testing.assert_allclose(line.columns[0][0], peer.equity * 100_000)
    assert [line.name for line in shown if line.on] == [weighed.best.name]


@pytest.mark.parametrize("bars", [1_000, 35_000, 120_000])
def test_columns_never_take_more_than_their_share_of_the_page(bars: int) -> None:
    comparison = drawn.comparison(bars)
    found = panels(comparison, drawn.evidence(comparison))
    columns = [column for pane in found.panes for line in pane.lines
               for column in joined(found.candles, line)]  # fmt: skip
    assert {len(column) for column in columns} == {len(found.candles)}
    assert 4 * 4 / 3 * sum(map(len, columns)) <= COLUMNS
    assert len(found.candles) <= 20_000


def test_a_flow_adds_up_to_what_the_series_holds() -> None:
    comparison = drawn.comparison(50_000)
    found = panels(comparison, drawn.evidence(comparison), most=500)
    (column,) = joined(found.candles, lines(found)["Liquidations", "liq-long"])
    total = comparison.history.series["BTC.liq.long"].values.sum()
    assert column.sum() == pytest.approx(total)


def test_bars_without_a_value_are_unknown_not_zero() -> None:
    comparison = drawn.comparison(100, HOUR)
    history = comparison.history
    flow = history.series["BTC.liq.long"]
    short = replace(flow, times=flow.times[:60], events=flow.events[:60], values=flow.values[:60])
    made = replace(comparison, history=replace(history, series=history.series | {flow.key: short}))
    found = panels(made, drawn.evidence(made))
    (column,) = joined(found.candles, lines(found)["Liquidations", "liq-long"])
    assert np.isfinite(column[:60]).all()
    assert np.isnan(column[60:]).all()


def test_worst_drawdown_and_last_equity_survive_the_joining() -> None:
    comparison = drawn.comparison(100_000)
    found = panels(comparison, drawn.evidence(comparison), most=400)
    equity = comparison.results["guarded"].run.equity
    worst = (equity / np.maximum.accumulate(equity) - 1).min()
    of = lines(found)
    assert joined(found.candles, of["Drawdown", "guarded"])[0].min() == worst
    assert joined(found.candles, of["Equity", "guarded"])[0][-1] == equity[-1]


def test_what_is_drawn_begins_where_trading_does() -> None:
    comparison = replace(drawn.comparison(300), trading_from=100)
    found = panels(comparison, drawn.evidence(comparison))
    assert found.start == 100
    assert len(found.candles) == 200
    (first, *_) = joined(found.candles, lines(found)["Price", "price"])
    assert first[0] == comparison.history.bars().open[100]
