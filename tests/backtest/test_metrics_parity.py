"""Our figures against the libraries people know; agreement is asked to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest

from riskguard.backtest.metrics import max_drawdown, total_return

pytestmark = [
    pytest.mark.needs_group("parity"),
    pytest.mark.filterwarnings("ignore"),  # the libraries' own
]


@pytest.fixture(scope="module")
def path() -> np.ndarray:
    steps = np.random.default_rng(20260212).normal(0.0, 0.03, 500)
    return np.concatenate(([1.0], np.cumprod(1.0 + steps)))


def test_max_drawdown_and_return_equal_empyrical(path: np.ndarray) -> None:
    import empyrical

    returns = path[1:] / path[:-1] - 1.0
    assert max_drawdown(path) == pytest.approx(-empyrical.max_drawdown(returns), rel=1e-12)
    assert total_return(path) == pytest.approx(empyrical.cum_returns_final(returns), rel=1e-12)


def test_max_drawdown_equals_quantstats_and_ffn(path: np.ndarray) -> None:
    import ffn
    import pandas as pd
    from quantstats import stats

    days = pd.date_range("2024-01-01", periods=len(path), freq="D")
    prices = pd.Series(path, index=days)
    assert max_drawdown(path) == pytest.approx(-stats.max_drawdown(prices.pct_change().dropna()))
    assert max_drawdown(path) == pytest.approx(-ffn.calc_max_drawdown(prices), rel=1e-12)
