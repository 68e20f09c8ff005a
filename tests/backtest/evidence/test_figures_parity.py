"""Our figures against the libraries people know, where definitions agree: 1e-12 is asked."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from riskguard.backtest.evidence import figures
from riskguard.backtest.metrics import max_drawdown

pytestmark = [
    pytest.mark.needs_group("parity"),
    pytest.mark.filterwarnings("ignore"),  # the libraries' own
]

EXACT = {"rel": 1e-12}


def draw(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(4, 700) * 0.02


@pytest.fixture(params=range(5))
def returns(request: pytest.FixtureRequest) -> np.ndarray:
    return draw(request.param)


def path_of(returns: np.ndarray) -> np.ndarray:
    return np.concatenate(([1.0], np.cumprod(1.0 + returns)))


def test_efficiency_equals_empyrical(returns: np.ndarray) -> None:
    import empyrical

    path = path_of(returns)
    for ours, theirs in (
        (figures.sharpe(returns, 365), empyrical.sharpe_ratio(returns, annualization=365)),
        (figures.sortino(returns, 365), empyrical.sortino_ratio(returns, annualization=365)),
        (figures.calmar(path, 365), empyrical.calmar_ratio(returns, annualization=365)),
        (figures.cagr(path, 365), empyrical.cagr(returns, annualization=365)),
        (figures.cagr(path, 8_760), empyrical.cagr(returns, annualization=8_760)),
    ):
        if math.isnan(theirs):  # it has no Calmar for a path that never fell
            continue
        assert ours == pytest.approx(theirs, **EXACT)


def test_tails_equal_empyrical(returns: np.ndarray) -> None:
    import empyrical

    assert figures.tail_ratio(returns) == pytest.approx(empyrical.tail_ratio(returns), **EXACT)
    for share in (0.05, 0.01):
        theirs = empyrical.conditional_value_at_risk(returns, share)
        assert figures.cvar(returns, share) == pytest.approx(-theirs, **EXACT)


def test_efficiency_and_tails_equal_quantstats(returns: np.ndarray) -> None:
    import pandas as pd
    from quantstats import stats

    days = pd.date_range("2024-01-01", periods=returns.size, freq="D")
    theirs = pd.Series(returns, index=days)
    assert figures.sharpe(returns, 365) == pytest.approx(stats.sharpe(theirs, periods=365), **EXACT)
    ours = figures.sortino(returns, 365)
    assert ours == pytest.approx(stats.sortino(theirs, periods=365), **EXACT)
    assert figures.tail_ratio(returns) == pytest.approx(stats.tail_ratio(theirs), **EXACT)
    assert max_drawdown(path_of(returns)) == pytest.approx(-stats.max_drawdown(theirs), **EXACT)


def test_ulcer_differs_from_quantstats_by_its_divisor_alone(returns: np.ndarray) -> None:
    import pandas as pd
    from quantstats import stats

    days = pd.date_range("2024-01-01", periods=returns.size, freq="D")
    theirs = stats.ulcer_index(pd.Series(returns, index=days))
    ours = figures.ulcer(path_of(returns))
    count = returns.size
    assert ours * math.sqrt(count / (count - 1)) == pytest.approx(theirs, **EXACT)


def test_time_under_water_equals_ffn(returns: np.ndarray) -> None:
    import ffn
    import pandas as pd

    path = path_of(returns)
    days = pd.date_range("2024-01-01", periods=path.size, freq="D")
    falls = ffn.to_drawdown_series(pd.Series(path, index=days)).to_numpy()
    assert figures.under_water(path).share == pytest.approx(float((falls[1:] < 0).mean()), **EXACT)
    deepest = figures.deepest_fall(path)
    assert deepest is not None
    assert deepest.trough == int(falls.argmin())
    assert math.sqrt(float(np.mean(falls[1:] ** 2))) == pytest.approx(figures.ulcer(path), **EXACT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        details = ffn.drawdown_details(ffn.to_drawdown_series(pd.Series(path, index=days)))
    worst = details.iloc[details["drawdown"].astype(float).to_numpy().argmin()]
    # its fall begins at the first point below the peak
    assert days[deepest.peak + 1] == worst["Start"]
    if deepest.recovered is not None:
        assert days[deepest.recovered] == worst["End"]
