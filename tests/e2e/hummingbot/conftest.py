from __future__ import annotations

import sys
from pathlib import Path

import pytest

from riskguard.testing import ScriptedGuard

sys.path.insert(0, str(Path(__file__).parent))  # `engine`


@pytest.fixture
def guard() -> ScriptedGuard:
    return ScriptedGuard()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    from engine import LADDER

    path = tmp_path / "rules.yaml"
    path.write_text(LADDER)
    return path
