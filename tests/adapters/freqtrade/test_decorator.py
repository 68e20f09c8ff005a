"""What of the freqtrade adapter needs no freqtrade; the rest is in tests/e2e/freqtrade."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from riskguard.adapters import freqtrade
from riskguard.errors import AdapterError
from tests.e2e.environments import FRAMEWORKS


def test_the_version_it_is_tested_with_is_the_one_that_e2e_installs() -> None:
    assert FRAMEWORKS[freqtrade.NAME].version == freqtrade.TESTED


@pytest.mark.skipif(find_spec("freqtrade") is not None, reason="freqtrade is installed here")
def test_a_missing_framework_is_told_at_the_first_use_and_not_at_the_import() -> None:
    with pytest.raises(AdapterError, match="needs freqtrade, which cannot be imported here"):
        freqtrade.guarded("rules.yaml")


def test_it_wants_rules_or_a_desk_and_not_both() -> None:
    with pytest.raises(AdapterError, match="nothing to obey"):
        freqtrade.guarded()
    with pytest.raises(AdapterError, match="one of rules and desk"):
        freqtrade.guarded("rules.yaml", desk=lambda: None)


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, riskguard.adapters.freqtrade; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"numpy", "pandas", "freqtrade", "sqlite3", "asyncio", "typer"}
