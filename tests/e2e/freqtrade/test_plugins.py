"""The door of freqtrade and plug-ins: allowed by the name that a bot writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard import RuleError, load_rules
from riskguard.adapters.freqtrade import guarded


def test_the_rules_of_a_door_are_read_with_the_plugins_that_it_allows(plugged: Path) -> None:
    guarded(plugged)
    with pytest.raises(RuleError, match="RG608"):
        load_rules(plugged)
    guarded(plugged, plugins=["last"])
    assert load_rules(plugged).symbol == "BTC"
