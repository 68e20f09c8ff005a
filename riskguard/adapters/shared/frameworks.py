"""How an adapter comes by its framework: late, with a sentence where it is missing or unknown."""

from __future__ import annotations

import importlib
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from riskguard.errors import AdapterError

__all__ = ["UntestedVersionWarning", "framework"]


class UntestedVersionWarning(UserWarning):
    """The framework that is installed is not the version the adapter is tested with."""


def framework(module: str, *, package: str, tested: str) -> Any:  # noqa: ANN401 - a module of a framework
    """Import a module of a trading framework; another version than the tested one is told.

    Raises:
        AdapterError: it is not installed, or cannot be imported.
    """
    try:
        found = importlib.import_module(module)
        installed = version(package)
    except (ImportError, PackageNotFoundError) as error:
        msg = f"this adapter needs {package}, which cannot be imported here: {error}"
        raise AdapterError(msg, help=f"pip install {package}=={tested}") from error
    if installed != tested:
        said = f"{package} {installed} is installed; this adapter is tested with {tested}"
        warnings.warn(said, UntestedVersionWarning, stacklevel=3)
    return found
