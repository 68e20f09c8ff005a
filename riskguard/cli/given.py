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
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = [
    "amount",
    "described",
    "filled",
    "folder",
    "instant",
    "nearest",
    "other_version",
    "pack",
    "pack_name",
    "pack_path",
    "packs",
    "pairs",
    "percentage",
    "share",
    "source",
    "symbol",
]

SHARE = r"((?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(bp|%|)"
# commas stand between groups of three: 100,5 may be meant as 100.5
AMOUNT = r"\$?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
LIMIT = 0.1  # more than this of every trade is a slip of the pen
WAYS = "write a date (2026-01-15) or a UTC instant (2026-01-15T04:00Z)"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the fix for an unknown word: the nearest known one, and all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"{guess}known: {', '.join(names)}"


def filled(metavars: Mapping[str, str], texts: Mapping[str, str | None]) -> None:
    """Refuse options that are given without a text; None is an option that is not given."""
    for option, text in texts.items():
        if text is not None and not text.strip():
            option_ = f"{option} " if option.startswith("-") else ""
            raise WrongUse(f"{option} is empty", f"write {option_}{metavars[option]}")


def folder(text: str | None) -> Path | None:
    """Return the folder of `--files`, from which the file names of a scenario count."""
    from pathlib import Path

    if text is None:
        return None
    filled({"--files": "FOLDER"}, {"--files": text})
    if not Path(text).is_dir():
        fix = "write the folder from which the file names of scenario.yaml count"
        raise WrongUse(f"--files {text} is no folder", fix)
    return Path(text)


def described(files: Path | None, sources: Iterable[str]) -> Path | None:
    """Return the folder of `--files`; refuse it where no source names files."""
    from pathlib import Path

    if files is not None and not any(Path(one).is_dir() for one in sources):
        fix = "name that folder: --data FOLDER; or leave --files out"
        raise WrongUse("--files is for a folder with scenario.yaml", fix)
    return files


def symbol(text: str | None) -> str | None:
    """Return a symbol, which is written in capitals; None stays None."""
    if text is not None and text != text.upper():
        raise WrongUse(f"there is no symbol '{text}'", f"did you mean {text.upper()}?")
    return text


def source(scenario: str | None, data: str | None, default: str) -> str:
    """Return what is to be read: the name of a scenario, or the path of `--data`."""
    from pathlib import Path

    from riskguard.history import scenarios

    if data is not None:
        if scenario is not None:
            raise WrongUse("--scenario and --data exclude each other", "give one of the two")
        if not Path(data).exists():
            raise WrongUse(f"there is no {data}", _no_data(data))
        # a folder called like a scenario is still a folder
        return str(Path(data).resolve()) if data in scenarios() else data
    name = scenario or default
    if name not in scenarios():
        raise WrongUse(f"there is no scenario '{name}'", nearest(name, scenarios()))
    return name


def _no_data(text: str) -> str:
    from riskguard.cli.places import elsewhere
    from riskguard.history import scenarios

    fix = "write the path of a folder with scenario.yaml or of a CSV file"
    if text in scenarios():
        fix = f"{text} is embedded, and not among your data; {fix}"
    return elsewhere(text, fix)


def share(option: str, text: str) -> float:
    """Return "5bp", "0.05%", "0.0005" or "5e-4" as a fraction."""
    match = re.fullmatch(SHARE, text.strip())
    if not match:
        raise WrongUse(f"{option} '{text}' is not a share", "write 5bp, 0.05% or 0.0005")
    value = float(match[1]) * {"bp": 1e-4, "%": 1e-2, "": 1.0}[match[2]]
    if value > LIMIT:
        raise WrongUse(
            f"{option} '{text}' is {value * 100:.6g}% of every trade; the limit is {LIMIT:.0%}",
            "write 5bp, 0.05% or 0.0005",
        )
    return value


def percentage(option: str, text: str | None) -> float | None:
    """Return "80" or "80%" as 80.0, from 0 to 100; None stays None."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        raise WrongUse(f"{option}: '{text}' is not a number", f"write {option} 80") from None
    if not 0 <= value <= 100:
        raise WrongUse(f"{option}: '{text}' is not from 0 to 100", f"write {option} 80")
    return value


def amount(option: str, text: str) -> float:
    """Return "10_000", "10,000" or "$10000" as dollars above zero."""
    match = re.fullmatch(AMOUNT, text.strip())
    value = float(match[1].replace(",", "")) if match else math.nan
    if not (math.isfinite(value) and value > 0):
        raise WrongUse(f"{option} '{text}' is not an amount above zero", "write 10_000 or 10,000")
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


def pack(text: str, what: str = "--rules") -> Path:
    """Return the rule file that is meant: a path, or the name of a shipped pack."""
    from pathlib import Path

    from riskguard.cli.places import beside, elsewhere

    path = Path(text)
    if path.is_file():
        return path
    if not text.strip():
        raise WrongUse(f"{what} is empty", "write the path of a rule file, or the name of a pack")
    known = packs()
    name = pack_name(text)
    if name in known:
        return known[name]
    if path.is_dir():
        raise WrongUse(f"{what} {text} is a folder", "name one rule file in it")
    if path.exists():
        raise WrongUse(f"{what} {text} is a pipe or a device", "save the rules to a file first")
    if path.is_symlink():
        raise WrongUse(
            f"{what} {text} is a link that leads nowhere", "make it point to a rule file"
        )
    if path.suffix in {".yaml", ".yml"} or "/" in text:
        fix = beside(path) or f"write its path, or a pack: {_all(known)}"
        raise WrongUse(f"there is no rule file {text}", elsewhere(text, fix))
    fix = other_version(name) or nearest(name, known)
    raise WrongUse(f"there is no rule pack '{text}'", fix)


def pack_name(text: str) -> str:
    """Return NAME of `NAME`, `pack:NAME` and `pack:NAME@1`."""
    return text.removeprefix("pack:").removesuffix("@1")


def other_version(name: str) -> str:
    """Return what to write for a pack that is named with a version it does not have, else ""."""
    bare, at, version = name.rpartition("@")
    return f"no pack has a version {version}: write pack:{bare}@1" if at and bare in packs() else ""


def pack_path(text: str, file: Path) -> str:
    """Return the path to show: as given, that of a pack from the shipped folder on."""
    return f"rules/{file.name}" if file.parent == shipped("rules") else text


def _all(known: Iterable[str]) -> str:
    return ", ".join(sorted(known))
