from __future__ import annotations

import sys

import backtrader as bt
import pytest

from riskguard.backtest.runs import Costs, run
from riskguard.backtest.strategies import find, names, settings, title, typed
from riskguard.errors import AdapterError
from riskguard.history import History
from tests.adapters.market import FREE, halted, track

SIX = (
    "buy_and_hold",
    "dca_grid",
    "donchian_breakout",
    "leveraged_hold",
    "perp_momentum",
    "sma_cross",
)
COMMON = {"symbol": "BTC", "cash": 10_000.0, "costs": Costs(), "trading_from": 170}


@pytest.fixture(scope="module")
def history() -> History:
    return History.read("feb-2026")


def test_six_strategies_are_shipped():
    assert names() == SIX


@pytest.mark.parametrize("name", SIX)
def test_each_says_what_it_is_and_what_its_parameters_are(name):
    strategy = find(name)
    assert title(strategy).endswith((".", ":"))
    assert settings(strategy)
    for setting in settings(strategy):
        assert setting.help
        told = sys.modules[strategy.__module__].__doc__
        assert f"| {setting.name} | {setting.default} |" in told


@pytest.mark.parametrize("name", SIX)
def test_sizes_are_fractions_and_a_refusal_is_asked_again_once_a_bar(history, name):
    strategy = find(name)
    free = run(history, strategy, {}, track=track(b0=FREE), **COMMON)
    assert any(fill.size % 1 for fill in free.fills)
    shut = run(history, strategy, {}, track=track(b0=halted(), b262=FREE), **COMMON)
    stamps = [veto.ts for veto in shut.vetoes]
    assert len(stamps) == len(set(stamps))
    assert all(fill.bar > 262 for fill in shut.fills)
    assert shut.fills


def test_the_cross_is_long_above_and_flat_below(history):
    made = run(history, find("sma_cross"), {"fast": 5, "slow": 12}, **COMMON)
    close = history.bars("BTC").close
    for bar in range(172, len(close) - 1):
        fast, slow = close[bar - 4 : bar + 1].mean(), close[bar - 11 : bar + 1].mean()
        if abs(fast / slow - 1) > 1e-9:
            assert (made.held[bar + 1] > 0) == (fast > slow)


def test_the_breakout_enters_above_the_channel_of_the_bars_before(history):
    made = run(history, find("donchian_breakout"), {"entry": 20, "exit": 8}, **COMMON)
    bars = history.bars("BTC")
    for fill in made.fills:
        bar = fill.bar - 1
        if fill.size > 0:
            assert bars.close[bar] > bars.high[bar - 20 : bar].max()
        else:
            assert bars.close[bar] < bars.low[bar - 8 : bar].min()
    assert len(made.fills) > 3


def test_momentum_holds_only_while_the_price_has_risen(history):
    made = run(history, find("perp_momentum"), {"lookback": 10}, **COMMON)
    close = history.bars("BTC").close
    for fill in made.fills:
        bar = fill.bar - 1
        assert (fill.size > 0) == (close[bar] > close[bar - 10])


def test_the_grid_buys_parts_in_time_and_on_the_way_down(history):
    made = run(history, find("dca_grid"), {"parts": 20, "every": 30}, **COMMON)
    spent = [fill.size * fill.price for fill in made.fills if fill.size > 0]
    assert spent == pytest.approx([495.0] * len(spent), rel=0.02)
    gaps = {
        later.bar - sooner.bar for sooner, later in zip(made.fills, made.fills[1:], strict=False)
    }
    assert max(gaps) <= 31
    assert min(gaps) < 30  # a step down does not wait


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("sma_cross", {"fast": 0}, r"SmaCross: fast=0; write a whole number, 1 or more"),
        ("sma_cross", {"fast": 2.5}, r"fast=2\.5; write a whole number"),
        ("sma_cross", {"fast": 60}, r"fast=60; write fewer bars than slow=50"),
        ("sma_cross", {"fast": 50}, r"fast=50; write fewer bars than slow=50"),
        ("sma_cross", {"slow": 90_000}, r"needs 90000 bars before it begins, the data has \d+"),
        ("sma_cross", {"share": 0.0}, r"share=0\.0; write a share above 0, at most 1"),
        ("donchian_breakout", {"share": 1.1}, r"share=1\.1; write a share"),
        ("donchian_breakout", {"entry": -3}, r"entry=-3; write a whole number, 1 or more"),
        ("donchian_breakout", {"exit": 0}, r"exit=0; write a whole number, 1 or more"),
        ("perp_momentum", {"lookback": 0}, r"lookback=0; write a whole number, 1 or more"),
        ("perp_momentum", {"leverage": float("nan")}, r"leverage=nan; write 1 or more"),
        ("perp_momentum", {"reserve": 1.0}, r"reserve=1\.0; write a share from 0 to below 1"),
        ("leveraged_hold", {"leverage": 0.0}, r"leverage=0; write 1 or more"),
        ("leveraged_hold", {"reserve": -0.1}, r"reserve=-0\.1; write a share"),
        ("buy_and_hold", {"reserve": float("nan")}, r"reserve=nan; write a share"),
        ("dca_grid", {"parts": 0}, r"parts=0; write a whole number, 1 or more"),
        ("dca_grid", {"every": 0}, r"every=0; write a whole number, 1 or more"),
        ("dca_grid", {"step": 1.0}, r"step=1\.0; write a share above 0, below 1"),
        ("dca_grid", {"gain": 0.0}, r"gain=0\.0; write a number above 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_before_the_run(history, name, params, said):
    with pytest.raises(AdapterError, match=said):
        run(history, find(name), params, **COMMON)


OWN = """
import backtrader as bt

class Mine(bt.Strategy):
    params = (("length", 5), ("share", 0.5), ("eager", False), ("word", "up"))

class Other(Mine):
    pass

answer = 42
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my file.py"
    path.write_text(OWN)
    return path


def test_a_class_in_a_file_is_found_and_runs(own, history):
    strategy = find(f"{own}:Mine")
    assert issubclass(strategy, bt.Strategy)
    assert find(f"{own}:Mine") is strategy
    assert run(history, strategy, {}, **COMMON).fills == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bye_and_hold", "did you mean 'buy_and_hold'"),
        (
            "nothing like it",
            r"'nothing like it'\n  = help: There are buy_and_hold, .*path/to/file.py:ClassName",
        ),
        ("{path}:Mien", r"no class 'Mien': did you mean 'Mine'\? strategies in it: Mine, Other"),
        ("{path}:answer", "'answer' is not a Strategy; derive it"),
        ("{path}", "which class.*strategies in it: Mine, Other"),
        ("no/such.py:Mine", "no such file"),
    ],
)
def test_what_cannot_be_found_is_told_with_the_fix(own, text, said):
    with pytest.raises(AdapterError, match=said):
        find(text.format(path=own))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\ndef broken(:\n", r"own\.py:2:\d+: invalid syntax"),
        ("import backtrader\n\nimport no_such_module\n", r"own\.py:3: ModuleNotFoundError"),
        ("x = 1 / 0\n", r"own\.py:1: ZeroDivisionError"),
        ("\nraise SystemExit(7)\n", r"own\.py:2: the file ended the process \(exit 7\)"),
    ],
)
def test_a_file_that_does_not_load_is_told_with_its_line(tmp_path, code, said):
    path = tmp_path / "own.py"
    path.write_text(code)
    with pytest.raises(AdapterError, match=said):
        find(f"{path}:Mine")


def test_texts_become_values_of_the_type_of_the_default(own):
    texts = {"length": "7", "share": "0.25", "eager": "true", "word": "down"}
    expected = {"length": 7, "share": 0.25, "eager": True, "word": "down"}
    assert typed(find(f"{own}:Mine"), texts) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ({"lenght": "7"}, r"no parameter 'lenght': did you mean 'length'\? Parameters: length=5,"),
        ({"length": "7.5"}, "length=7.5: a whole number is needed, such as length=5"),
        ({"share": "nan"}, "share=nan: a number is needed"),
        ({"eager": "perhaps"}, "eager=perhaps: true or false is needed"),
    ],
)
def test_a_parameter_that_is_wrong_is_told_with_the_fix(own, text, said):
    with pytest.raises(AdapterError, match=said):
        typed(find(f"{own}:Mine"), text)


@pytest.mark.parametrize("text", ["0", "0.5", "200", "inf", "nan"])
def test_a_leverage_that_cannot_be_is_refused_when_it_is_typed(text):
    with pytest.raises(AdapterError, match=f"leverage={text}"):
        typed(find("leveraged_hold"), {"leverage": text})
