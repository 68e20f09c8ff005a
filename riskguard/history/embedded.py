"""Where histories lie: the scenarios inside the package, and the paths a user gives."""

from __future__ import annotations

from pathlib import Path

from riskguard.errors import DataError
from riskguard.history.scenario import FILE_NAME
from riskguard.history.table import suggestion

__all__ = ["locate", "scenarios"]

FOLDER = Path(__file__).parent / "scenarios"


def scenarios() -> list[str]:
    """Return the names of the embedded scenarios, sorted."""
    return sorted(found.parent.name for found in FOLDER.glob(f"*/{FILE_NAME}"))


def locate(source: str | Path) -> Path:
    """Return the folder, file or pipe of `source`: an embedded name, or a path.

    Raises DataError when it is neither.
    """
    names = scenarios()
    if isinstance(source, str) and source in names:
        return FOLDER / source
    path = Path(source)
    if path.is_dir():
        return path
    if path.is_file() and path.name == FILE_NAME:
        return path.parent
    if path.is_file() or path.is_fifo():
        return path
    text = str(source)
    if path.exists():
        fix = "give a folder with scenario.yaml, a CSV file, or a pipe that brings one"
        raise DataError("neither a folder, a file nor a pipe", path=text, help=fix)
    near = suggestion(text, names)
    known = f"embedded scenarios: {', '.join(names)}; else a folder or a CSV file"
    fix = f"{near} {known}" if near else known
    raise DataError("no such scenario, folder or file", path=text, help=fix)
