"""Measures against pandas and `ta`, where these know them by name."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from ta import momentum, volatility

from riskguard.engine.measures import MEASURES, Atr
from riskguard.engine.windows import Tape
from riskguard.market import HOUR

BARS, START = 400, 1_767_225_600_000_000_000
SPANS = (3, 8, 20)
Frame = pd.DataFrame


def frame(seed: int) -> Frame:
    pick, price, rows = random.Random(seed), 100.0, []
    for _ in range(BARS):
        first, price = price, max(1.0, round(price * (1 + pick.gauss(0, 0.01)), 2))
        high, low = max(first, price), min(first, price)
        rows.append((high * 1.002, low * 0.998, price, round(pick.expovariate(0.01), 2)))
    return Frame(rows, columns=["high", "low", "close", "flow"])


def streamed(name: str, values: list[float], bars: int) -> np.ndarray:
    tape = Tape(interval=HOUR, fresh=2 * HOUR, bar=True, scale=10**8)
    rolling, found = MEASURES[name](tape, bars * HOUR), []
    for number, value in enumerate(values):
        tape.push(START + number * HOUR, value)
        found.append(rolling.read(START + number * HOUR))
    return np.array(found)


def tail(series: pd.Series, bars: int, end: int) -> pd.Series:
    """Return the bars over which a recursion is begun anew."""
    return series[max(0, end + 1 - 5 * bars) : end + 1]


def begun_anew(series: pd.Series, bars: int, last: Callable[[pd.Series], float]) -> list[float]:
    known = range(5 * bars - 1, len(series))
    return [math.nan] * (5 * bars - 1) + [last(tail(series, bars, end)) for end in known]


PANDAS: dict[str, Callable[[pd.Series, int], pd.Series]] = {
    "ago": lambda x, n: x.shift(n),
    "change": lambda x, n: x.pct_change(n),
    "drop": lambda x, n: (-x.pct_change(n)).clip(lower=0),
    "rise": lambda x, n: x.pct_change(n).clip(lower=0),
    "sum": lambda x, n: x.rolling(n).sum(),
    "mean": lambda x, n: x.rolling(n).mean(),
    "high": lambda x, n: x.rolling(n).max(),
    "low": lambda x, n: x.rolling(n).min(),
    "drawdown": lambda x, n: 1 - x / x.rolling(n).max(),
    "accel": lambda x, n: x.rolling(n).sum() / x.shift(n).rolling(n).sum(),
    "stdev": lambda x, n: x.shift(1).rolling(n).std(ddof=0),
    "zscore": lambda x, n: (x - x.shift(1).rolling(n).mean()) / x.shift(1).rolling(n).std(ddof=0),
    "times_avg": lambda x, n: x / x.shift(1).rolling(n).mean(),
    "percentile": lambda x, n: x.rolling(n + 1).apply(lambda w: (w[:-1] < w[-1]).mean(), raw=True),
    "vol": lambda x, n: np.log(x / x.shift(1)).rolling(n).std(ddof=0) * math.sqrt(8760),
    "ema": lambda x, n: pd.Series(
        begun_anew(x, n, lambda part: part.ewm(span=n, adjust=False).mean().iloc[-1])
    ),
}


@pytest.mark.parametrize("bars", SPANS)
@pytest.mark.parametrize("name", sorted(PANDAS))
def test_a_measure_is_that_of_pandas(name: str, bars: int) -> None:
    for seed in range(3):
        values = frame(seed)["flow" if name in {"sum", "accel"} else "close"]
        found, wanted = streamed(name, values.tolist(), bars), PANDAS[name](values, bars).to_numpy()
        known = ~np.isnan(wanted)
        # a bar observes its whole span, so that the first baseline is one bar of its own later;
        # what is known to both is the same
        both = known & ~np.isnan(found)
        assert both.sum() > BARS - 6 * bars
        np.testing.assert_allclose(found[both], wanted[both], rtol=1e-9, atol=1e-9)
        assert not (~known & ~np.isnan(found))[bars:].any() or name == "vol"


def test_every_measure_that_has_a_window_is_compared() -> None:
    assert set(PANDAS) == set(MEASURES) - {"age"}


@pytest.mark.parametrize("bars", SPANS)
def test_the_average_true_range_is_that_of_ta_once_its_seed_is_forgotten(bars: int) -> None:
    table = frame(1)
    tapes = [Tape(interval=HOUR, fresh=2 * HOUR, bar=True) for _ in range(3)]
    close, high, low = tapes
    atr, found = Atr(close, bars * HOUR, (high, low)), []
    for number, row in enumerate(table.itertuples()):
        for tape, value in zip(tapes, (row.close, row.high, row.low), strict=True):
            tape.push(START + number * HOUR, value)
        found.append(atr.read(START + number * HOUR))
    for end in range(5 * bars - 1, BARS, 7):
        part = table[end + 1 - 5 * bars : end + 1]
        wanted = volatility.average_true_range(part["high"], part["low"], part["close"], bars)
        # ta counts its seed a bar later: what is left of it after five windows
        assert found[end] == pytest.approx(float(wanted.iloc[-1]), rel=(1 - 1 / bars) ** (4 * bars))
    whole = volatility.average_true_range(table["high"], table["low"], table["close"], bars)
    assert found[-1] == pytest.approx(float(whole.iloc[-1]), rel=0.03)


def test_the_extremes_are_the_donchian_channel_of_ta() -> None:
    table = frame(2)
    closes = table["close"]
    upper = volatility.donchian_channel_hband(closes, closes, closes, window=20)
    lower = volatility.donchian_channel_lband(closes, closes, closes, window=20)
    for name, wanted in (("high", upper), ("low", lower)):
        found = streamed(name, closes.tolist(), 20)
        assert found[19:].tolist() == wanted[19:].tolist()


def test_the_change_is_the_rate_of_change_of_ta() -> None:
    closes = frame(3)["close"]
    found = streamed("change", closes.tolist(), 12)
    wanted = momentum.roc(closes, window=12).to_numpy() / 100
    both = ~np.isnan(found)
    assert both.sum() == BARS - 12
    np.testing.assert_allclose(found[both], wanted[both], rtol=1e-9, atol=1e-12)
