"""The door of vectorbt and plug-ins: allowed by the name that a bot writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskguard import RuleError
from riskguard.adapters.vectorbt import masks


def test_masks_obey_a_measure_of_a_plugin_that_the_door_allows(plugged: Path) -> None:
    closes = [100.0] * 6 + [90.0] * 4
    index = pd.date_range("2026-01-01", periods=len(closes), freq="1h")
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), closes), index=index)
    with pytest.raises(RuleError, match="RG608"):
        masks(plugged, frame)
    found = masks(plugged, frame, plugins="last")
    assert [one.state.name for one in found.decisions[-5:]] == ["ACTIVE"] + ["REDUCING"] * 4
