"""What to write instead of a path that leads nowhere."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SUFFIXES", "beside", "elsewhere"]

SUFFIXES = (".yaml", ".yml", ".json")  # of rule files


def elsewhere(text: str, fix: str) -> str:
    """Return the fix for a path that is not there: a ~ behind "=" or in quotes is no home."""
    if not text.startswith("~"):
        return fix
    try:
        return f"the shell has left ~ as it is: write {Path(text).expanduser()}"
    except RuntimeError:  # of nobody who is known here
        return fix


def beside(path: Path) -> str:
    """Return "did you mean ...?" where a rule file of nearly that name is there, else ""."""
    from riskguard.language.findings import near

    try:
        found = [one.name for one in path.parent.iterdir() if one.suffix in SUFFIXES]
    except OSError:
        return ""
    close = near(path.name, found)
    return f"did you mean {path.with_name(close)}?" if close else ""
