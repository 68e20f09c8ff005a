"""The further figures of real runs: those of the libraries' definitions, over the traded bars."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from riskguard.backtest.evidence.figures import exposure_of
from riskguard.backtest.evidence.further import further
from riskguard.backtest.metrics import cdar
from riskguard.market import DAY, HOUR
from tests.backtest import made


def test_they_are_taken_from_the_close_before_the_first_fill_on(tmp_path) -> None:
    comparison = made.comparison(tmp_path)
    found = further(comparison)
    path = np.array([10_000.0, 9_000.0, 12_000.0, 9_600.0, 9_000.0])
    returns = path[1:] / path[:-1] - 1
    guarded = found["guarded"]
    assert guarded.cagr == pytest.approx(0.9 ** (365 * 6 / 4) - 1)
    assert guarded.sharpe == pytest.approx(
        returns.mean() / returns.std(ddof=1) * math.sqrt(365 * 6)
    )
    falls = np.array([0.1, 0.0, 0.2, 0.25])
    assert guarded.ulcer == pytest.approx(math.sqrt((falls**2).mean()))
    assert guarded.under_water == 0.75
    assert guarded.longest_under_water == 2 * 4 * HOUR / DAY
    assert math.isnan(guarded.cvar_5)  # five points are less than 24 h
    assert found["bare"].cagr == -1.0


def test_the_deepest_fall_the_times_out_and_the_price_of_what_was_saved(tmp_path) -> None:
    run = made.comparison(tmp_path)
    held = np.where(np.isfinite(run.results["guarded"].exposure), 0.7, np.nan)
    held[np.flatnonzero(np.isfinite(held))[1:3]] = 0.0
    results = {**run.results, "guarded": replace(run.results["guarded"], exposure=held)}
    found = further(replace(run, results=results))
    guarded, bare = found["guarded"], found["bare"]
    assert guarded.fell == 2 * 4 * HOUR / DAY  # from 12,000 to 9,000
    assert math.isnan(guarded.recovered)
    assert math.isnan(bare.insurance)
    assert guarded.switches == exposure_of(held, 4 * HOUR).switches > 0
    assert (guarded.median_out, guarded.longest_out) == pytest.approx((2 / 6, 2 / 6))
    saved = cdar(np.array([10_000, 9_000, 12_000, 9_600, 9_000.0]))
    lost = cdar(run.results["bare"].run.equity[run.trading_from :])
    assert guarded.insurance == pytest.approx((bare.cagr - guarded.cagr) / (lost - saved))
