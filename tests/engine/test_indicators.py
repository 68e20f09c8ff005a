"""Functions of the library ta in a rule: the same over a finite tail, live and in a backtest."""

from __future__ import annotations

import inspect
import math
import random
import sys
from importlib import import_module

import pandas as pd
import pytest
from ta import momentum, volatility

from riskguard.engine.guard import Guard
from riskguard.engine.measures.recursive import average_true_range
from riskguard.errors import RiskguardError
from riskguard.language.reader import read_text
from riskguard.language.tables.ta_table import FUNCTIONS, warmup_bars
from riskguard.market import HOUR, Sample

START = 1_767_225_600_000_000_000


def rules(line: str):
    text = f"version: 1\nevery: 1h\nsymbol: BTC\nrules:\n  r:\n    when: {line}\n"
    read, found = read_text(text + "    min_hold: 6h\n    do: {exposure_cap: 50%}\n", "r.yaml")
    assert read is not None, [one.render() for one in found]
    return read


def bars(size: int, seed: int = 3) -> list[dict[str, float]]:
    pick, price, found = random.Random(seed), 100.0, []
    for _ in range(size):
        first, price = price, price * (1 + pick.gauss(0, 0.01))
        top, bottom = max(first, price), min(first, price)
        found.append(
            {
                "open": first, "high": top * (1 + abs(pick.gauss(0, 0.004))),
                "low": bottom * (1 - abs(pick.gauss(0, 0.004))), "close": price,
                "volume": round(pick.expovariate(0.01), 3),
            }
        )  # fmt: skip
    return found


def values(line: str, history: list[dict[str, float]]) -> list[float]:
    """The left side of a line at every close."""
    ruleset = rules(line)
    guard, found = Guard(ruleset), []
    left = guard.plan.numbers[ruleset.rules[0].when.left]
    for number, bar in enumerate(history):
        guard.update(Sample(START + number * HOUR, "BTC", bar))
        found.append(guard.stream.value(left))
    return found


def test_a_function_is_that_of_the_library_over_the_tail() -> None:
    history = bars(200)
    closes = pd.Series([bar["close"] for bar in history])
    found = values("ta.rsi(window=14) < 30", history)
    assert all(math.isnan(value) for value in found[:139])
    for end in range(140, 200):
        tail = closes[end - 139 : end + 1]
        assert found[end] == float(momentum.rsi(tail, window=14).iloc[-1])
    # the tail is ten windows long: by then the seed is forgotten
    whole = momentum.rsi(closes, window=14)
    assert found[-1] == pytest.approx(float(whole.iloc[-1]), abs=0.05)


def test_warmup_makes_the_tail_longer() -> None:
    history = bars(320)
    closes = pd.Series([bar["close"] for bar in history])
    found = values("ta.rsi(window=14, warmup=300) < 30", history)
    assert math.isnan(found[298])
    assert found[-1] == pytest.approx(float(momentum.rsi(closes, window=14).iloc[-1]), abs=1e-6)


def test_a_measure_is_taken_of_a_function() -> None:
    history = bars(220)
    plain = values("ta.rsi(window=14) < 30", history)
    found = values("ta.rsi(window=14).mean(24h) < 30", history)
    assert math.isnan(found[161])
    assert found[-1] == pytest.approx(sum(plain[-24:]) / 24)


def test_a_hole_in_one_series_of_the_bars_is_unknown() -> None:
    history = bars(160)
    del history[150]["high"]
    assert not math.isnan(values("close.atr(20 bars) < 5", history)[149])
    assert math.isnan(values("close.atr(20 bars) < 5", history)[-1])
    assert math.isnan(values("ta.average_true_range(window=14) < 5", history)[-1])


def test_the_range_is_wilders_after_its_warm_up() -> None:
    history = bars(400)
    frame = pd.DataFrame(history)
    found = values("close.atr(20 bars) < 5", history)
    assert math.isnan(found[98])
    assert not math.isnan(found[99])
    wanted = volatility.average_true_range(frame["high"], frame["low"], frame["close"], window=20)
    # over five windows Wilder's mean forgets its seed but for (19 / 20) ** 80
    assert found[-1] == pytest.approx(float(wanted.iloc[-1]), rel=0.02)
    tail = history[-100:]
    columns = ([bar[name] for bar in tail] for name in ("high", "low", "close"))
    assert found[-1] == average_true_range(*columns, 20)


def test_the_table_is_that_of_the_library() -> None:
    """Names, series, parameters and defaults, read from the installed library."""
    for name, function in FUNCTIONS.items():
        known = inspect.signature(getattr(import_module(f"ta.{function.module}"), name)).parameters
        series = [key for key in known if known[key].default is inspect.Parameter.empty]
        assert [key.removesuffix("_") for key in series] == list(function.series), name
        defaults = {
            key: one.default
            for key, one in known.items()
            # what fills or drops gaps, and what moves a line into the future to draw it
            if key not in {*series, "fillna", "dropnans", "visual"}
        }
        assert dict(function.parameters) == defaults, name
    assert len(FUNCTIONS) == 80


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_gives_a_number_on_its_tail(name: str) -> None:
    needs = warmup_bars(FUNCTIONS[name], {})
    assert needs >= 10
    found = values(f"ta.{name}() < 5", bars(needs + 20))
    assert not any(map(math.isfinite, found[: needs - 1]))
    assert any(map(math.isfinite, found)), found[-20:]  # psar_down is there in a fall alone


def test_without_the_library_the_rules_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ta.momentum", None)
    with pytest.raises(
        RiskguardError, match=r"ta\.rsi, and the library ta is not installed"
    ) as told:
        Guard(rules("ta.rsi(window=14) < 30"))
    assert "pip install 'riskguard[backtest]'" in str(told.value)
