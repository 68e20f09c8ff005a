"""jesse takes the folder it is imported in for its own, and behaves otherwise inside of pytest.

A folder with `strategies` and `storage` is a project of jesse to it, and it writes to `storage`.
"""

from __future__ import annotations

import os
import tempfile

import pytest

FOLDER = tempfile.TemporaryDirectory(prefix="riskguard-jesse-")
os.chdir(FOLDER.name)  # before a test module imports jesse


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> None:
    """Let jesse keep its books as it does for its users: it asks for this variable."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


def pytest_unconfigure() -> None:
    os.chdir("/")
    FOLDER.cleanup()
