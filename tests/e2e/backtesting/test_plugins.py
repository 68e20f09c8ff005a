"""The door of backtesting.py and plug-ins: allowed by the name that a bot writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from backtesting import Backtest, Strategy

from riskguard import RuleError
from riskguard.adapters.backtesting import guarded


def test_a_run_obeys_a_measure_of_a_plugin_that_the_door_allows(plugged: Path) -> None:
    with pytest.raises(RuleError, match="RG608"):
        guarded(plugged)
    found = []

    @guarded(plugged, plugins=["last"])
    class Bot(Strategy):
        def init(self) -> None:
            """Have no indicators."""

        def next(self) -> None:
            found.append(self.riskguard.desk.decision.state.name)
            self.buy(size=1)

    closes = [100.0] * 6 + [90.0] * 4
    index = pd.date_range("2026-01-01", periods=len(closes), freq="1h")
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), closes), index=index)
    Backtest(frame, Bot, cash=100_000.0).run()
    assert found[-1] == "REDUCING"
    assert "ACTIVE" in found
