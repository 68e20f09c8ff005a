"""The door of Nautilus and plug-ins: allowed by the name that a bot writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World

from riskguard import RuleError


def test_an_engine_obeys_a_measure_of_a_plugin_that_the_door_allows(plugged: Path) -> None:
    with pytest.raises(RuleError, match="RG608"):
        World(plugged)
    world = World(plugged, plugins=["last"])
    assert world.watch is not None
