"""No figure rests on what nobody measured, whichever way it came into a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from riskguard.backtest.compare import Request, compare
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.page.grades import modelled, resting
from riskguard.backtest.strategies import find
from riskguard.language.reader import load_rules
from tests.backtest.evidence.daily import request
from tests.plugged import Installed

LINES = """\
version: 1
symbols: [BTC, ETH]
rules:
  fell:
    when: {}
    clear: {}
    do: {{exposure_cap: 0%}}
"""
ON_VOLUME = """
class Measure:
    api = (1, 0)
    reads = ("close", "volume")

    def update(self, ts, values):
        self.last = values["volume"]

    def read(self):
        return self.last

    def dump(self):
        return self.last

    def load(self, state):
        self.last = state
"""


def asked(folder: Path, when: str, clear: str, **grades: str) -> Request:
    """Ask for a run beside a second symbol, with these series ("ETH_close") of another grade."""
    made = request(folder, seed=3)
    own = made.history.series
    series = {
        f"{symbol}.{name}": replace(own[f"BTC.{name}"], symbol=symbol)
        for symbol in ("BTC", "ETH")
        for name in ("open", "high", "low", "close", "volume")
    }
    for name, grade in grades.items():
        key = name.replace("_", ".")
        series[key] = replace(series[key], grade=grade)
    file = folder / "lines.yaml"
    file.write_text(LINES.format(when, clear))
    rules = load_rules(file, every=made.history.every)
    return replace(made, history=replace(made.history, series=series), ruleset=rules)


def test_a_series_under_a_function_of_a_library_counts_as_read(tmp_path: Path) -> None:
    lines = ("ETH.ta.rsi(window=14) < 30", "ETH.ta.rsi(window=14) > 50")
    made = compare(asked(tmp_path, *lines, ETH_close="synthetic"))
    found = weigh(made, draws=99)
    assert found.found is None
    assert found.verdict.reason == "mechanics only (ETH.close is synthetic)"
    assert resting(made) == "on synthetic data"
    assert modelled(compare(asked(tmp_path, *lines, ETH_low="synthetic"))) == {}


def test_a_series_that_a_plug_in_reads_counts_as_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = Installed(tmp_path, monkeypatch)
    installed("traded", ON_VOLUME)
    installed.allow("traded")
    lines = ("plugin.traded() > 9", "plugin.traded() < 9")
    found = weigh(compare(asked(tmp_path, *lines, BTC_volume="reconstructed")), draws=99)
    assert found.found is None
    assert found.verdict.reason == "mechanics only (BTC.volume is reconstructed)"


@pytest.mark.parametrize("strategy", ["leveraged_hold", "buy_and_hold"])
def test_funding_counts_where_it_is_paid(tmp_path: Path, strategy: str) -> None:
    made = asked(tmp_path, "close.drop(10d) >= 8%", "close.drop(10d) < 8%")
    volume = made.history.series["BTC.volume"]
    funding = replace(volume, name="funding", values=volume.values * 0, grade="synthetic")
    history = replace(made.history, series={**made.history.series, "BTC.funding": funding})
    run = compare(replace(made, history=history, strategy=find(strategy), strategy_name=strategy))
    found, paid = weigh(run, draws=99), strategy == "leveraged_hold"
    assert (found.found is None) is paid
    assert (found.verdict.reason == "mechanics only (BTC.funding is synthetic)") is paid
