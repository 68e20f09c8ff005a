"""Where states are made that need no disk: memory is as true for a kill as for a flipped bit."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory where the system has one, else on disk."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="riskguard-", dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def folder(quick: Path) -> Path:
    """Return the name of a state folder that is not there yet."""
    return quick / "state"
