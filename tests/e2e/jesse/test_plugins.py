"""The door of jesse and plug-ins: allowed by the name that a bot writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskguard import RuleError
from riskguard.adapters.jesse import guarded


def test_the_door_reads_rules_with_the_plugins_that_it_allows(plugged: Path) -> None:
    with pytest.raises(RuleError, match="RG608"):
        guarded(plugged)
    assert guarded(plugged, plugins=["last"]) is not None
