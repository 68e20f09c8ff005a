from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskguard.backtest.page.grades import modelled, resting
from riskguard.backtest.page.rows import rows, strictest
from tests.backtest import made
from tests.backtest.page import drawn


def test_each_decision_is_a_row_at_the_bar_it_came_into_force(tmp_path) -> None:
    comparison = made.comparison(tmp_path)
    found = rows(comparison)
    assert [row.when for row in found] == [
        "2026-01-15T04:00Z",
        "2026-01-15T12:00Z",
        "2026-01-15T16:00Z",
        "2026-01-15T20:00Z",
    ]
    assert [comparison.ts[row.bar] for row in found] == [one.ts for one, _ in made.decisions()]
    assert [(row.stage, row.state, row.cap) for row in found][:2] == [
        ("normal", 0, 1.0),
        ("cut", 1, 0.4),
    ]


def test_a_row_tells_value_threshold_and_margin_and_where_nobody_measured() -> None:
    comparison = drawn.comparison(200, levels=np.repeat([0, 3, 0, 0], 50))
    _, out, back = rows(comparison)
    (reason,) = out.reasons
    assert reason == (
        "out",
        "liq.long.sum(4h) >= $50M",
        "$60M",
        "≥ $50M",
        "+20.0%",
        "reconstructed",
    )
    assert back.reasons == ()
    assert (out.bar, out.moved) == (50, True)


def test_of_too_many_rows_the_strictest_of_each_stretch_are_kept() -> None:
    levels = np.zeros(4_000, dtype=np.int64)
    levels[::2] = 1
    levels[1_234] = 3
    made_rows = rows(drawn.comparison(4_000, levels=levels))
    kept = strictest(made_rows, 100)
    assert len(kept) == 100
    assert [row.bar for row in kept if row.state == 3] == [1_234]
    assert strictest(made_rows[:5], 100) == made_rows[:5]


def test_a_line_of_the_pilot_has_the_grade_of_the_pilots_series() -> None:
    comparison = drawn.comparison(200, levels=np.repeat([0, 3], 100))
    series = dict(comparison.history.series)
    bars = ("open", "high", "low", "close")
    series |= {f"ETH.{name}": replace(series[f"BTC.{name}"], symbol="ETH") for name in bars}
    series["ETH.liq.long"] = replace(series["BTC.liq.long"], symbol="ETH", grade="exchange")
    history = replace(comparison.history, symbol="ETH", series=series)
    other = replace(comparison, symbol="ETH", history=history)
    assert rows(other)[1].reasons[0].grade == "reconstructed"
    assert modelled(other) == {"BTC.liq.long": "reconstructed"}


def test_bars_that_nobody_measured_are_said_as_well() -> None:
    comparison = drawn.comparison(200)
    series = dict(comparison.history.series)
    series["BTC.close"] = replace(series["BTC.close"], grade="synthetic")
    made_up = replace(comparison, history=replace(comparison.history, series=series))
    assert modelled(made_up) == {"BTC.close": "synthetic", "BTC.liq.long": "reconstructed"}
    assert resting(made_up) == "on reconstructed and synthetic data"
