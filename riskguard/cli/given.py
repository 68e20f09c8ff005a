"""What people type, turned into what the code wants, with the fix where it cannot be."""

from __future__ import annotations

import difflib
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskguard.cli.failures import WrongUse
from riskguard.market import SECOND
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["amount", "instant", "nearest", "pack", "packs", "pairs", "share"]

WAYS = "write a date (2026-01-15) or a UTC instant (2026-01-15T04:00Z)"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the fix for an unknown word: the nearest known one, and all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"{guess}known: {', '.join(names)}"


def share(option: str, text: str) -> float:
    """Return "5bp", "0.05%" or "0.0005" as a fraction."""
    match = re.fullmatch(r"([0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+)\s*(bp|%|)", text.strip())
    if not match:
        raise WrongUse(f"{option} '{text}' is not a share", "write 5bp, 0.05% or 0.0005")
    value = float(match[1]) * {"bp": 1e-4, "%": 1e-2, "": 1.0}[match[2]]
    if value >= 0.1:
        raise WrongUse(
            f"{option} '{text}' is {value:.0%} of every trade", "write 5bp, 0.05% or 0.0005"
        )
    return value


def amount(option: str, text: str) -> float:
    """Return "10_000", "10,000" or "$10000" as dollars above zero."""
    plain = text.strip().removeprefix("$").replace(",", "").replace("_", "")
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise WrongUse(f"{option} '{text}' is not an amount above zero", "write 10_000")
    return value


def instant(option: str, text: str | None) -> int | None:
    """Return a date or an instant with its zone as ns UTC; None stays None."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongUse(f"{option} '{text}' is not a moment in time", WAYS) from None
    if when.tzinfo is None:
        if re.search(r"[T ]", text.strip()):
            raise WrongUse(f"{option} '{text}' does not say its time zone", f"write {text}Z")
        when = when.replace(tzinfo=UTC)
    return int(when.timestamp()) * SECOND


def pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Return ["a=1", "b=2"] as a dict of texts."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not (equals and name and value):
            raise WrongUse(f"{option} '{text}' is not NAME=VALUE", f"write {option} name=value")
        if name in found:
            raise WrongUse(f"{option} {name} is given twice: {found[name]} and {value}")
        found[name] = value
    return found


def packs() -> dict[str, Path]:
    """Return the shipped rule packs by name; files of rule tests are not packs."""
    found = sorted(shipped("rules").glob("*.yaml"))
    return {path.stem: path for path in found if not path.stem.endswith("_test")}


def pack(text: str) -> Path:
    """Return the rule file that is meant: a path, or the name of a shipped pack."""
    from pathlib import Path

    path = Path(text)
    if path.is_file():
        return path
    known = packs()
    name = text.removeprefix("pack:")
    if name in known:
        return known[name]
    if path.is_dir():
        raise WrongUse(f"--rules {text} is a folder", "name one rule file in it")
    if path.suffix in {".yaml", ".yml"} or "/" in text:
        raise WrongUse(f"there is no rule file {text}", f"write its path, or a pack: {_all(known)}")
    raise WrongUse(f"there is no rule pack '{text}'", nearest(name, known))


def _all(known: Iterable[str]) -> str:
    return ", ".join(sorted(known))
