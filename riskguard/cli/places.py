"""What to write instead of a path that leads nowhere."""

from __future__ import annotations

from pathlib import Path

from riskguard.cli.failures import WrongUse

__all__ = ["SUFFIXES", "beside", "elsewhere", "nameable"]

SUFFIXES = (".yaml", ".yml", ".json")  # of rule files


def elsewhere(text: str, fix: str) -> str:
    """Return the fix for a path that is not there: a ~ behind "=" or in quotes is no home."""
    if not text.startswith("~"):
        return fix
    try:
        return f"the shell has left ~ as it is: write {Path(text).expanduser()}"
    except RuntimeError:  # of nobody who is known here
        return fix


def nameable(name: str) -> str:
    """Return the name of a file as it stands in another one, which is UTF-8.

    Raises:
        WrongUse: it cannot stand there.

    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        told = f"{name} is not UTF-8, and cannot be named in a file"
        raise WrongUse(told, "give it another name") from None
    return name


def beside(path: Path) -> str:
    """Return "did you mean ...?" where a rule file of nearly that name is there, else ""."""
    from riskguard.language.findings import near

    try:
        found = [one.name for one in path.parent.iterdir() if one.suffix in SUFFIXES]
    except OSError:
        return ""
    close = near(path.name, found)
    return f"did you mean {path.with_name(close)}?" if close else ""
