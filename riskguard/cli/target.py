"""Where a file is written to: a place that can take it and is no input, known before the run."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from riskguard.cli.failures import WrongUse
from riskguard.cli.places import elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["json_target", "report_target", "spared", "writable"]

ELSEWHERE = "write the path of a file: report.json"
# how reports of ours begin: JSON, a page or Markdown, a picture
REPORT = (
    b'"schema": "riskguard/report-',
    b'"schema": "riskguard/study-',
    b"<!-- riskguard/report-",
    b"Software\0riskguard/report-",
)


def json_target(text: str | None, inputs: Iterable[Path]) -> Path | None:
    """Return the file of `--json`, None for none and for "-"; `inputs` are files and folders.

    Raises:
        WrongUse: It cannot be written to, or it is one of the inputs.

    """
    return report_target("--json", text, inputs, ELSEWHERE)


def report_target(option: str, text: str | None, inputs: Iterable[Path], fix: str) -> Path | None:
    """Return the file that an option names for a report, None for none and for "-".

    Raises:
        WrongUse: It cannot be written to, or it is one of the inputs.

    """
    path = writable(option, text, fix)
    read = next((one for one in inputs if _is_of(path, one)), None) if path else None
    if read:
        raise WrongUse(f"{option} {text} would replace what is read: {read}", fix)
    return spared(option, path, fix)


def spared(option: str, path: Path | None, fix: str) -> Path | None:
    """Return a file to write; refuse one that is there and may hold rules or a plan."""
    if path is not None and path.suffix in {".yaml", ".yml"} and path.is_file():
        told = f"{option} {path} is there already, and is called as rules and plans are"
        raise WrongUse(told, fix)
    return path


def writable(option: str, text: str | None, fix: str) -> Path | None:
    """Return the file that an option names, None for none and for "-".

    Raises:
        WrongUse: It cannot be written to.

    """
    if text is None or text == "-":
        return None
    path = Path(text)
    try:
        fault = _fault(path)
    except OSError as error:  # a name that is too long, a folder that takes no file
        raise WrongUse(f"{option} {text} cannot be written: {error.strerror}", fix) from error
    if fault:
        raise WrongUse(f"{option} {text} {fault}", elsewhere(text, fix))
    return path


def _fault(path: Path) -> str:
    if path.is_dir():
        return "is a folder"
    if path.is_socket():
        return "is a socket"
    if path.exists() and not os.access(path, os.W_OK):
        return "cannot be written to"
    if path.exists() and not path.is_file():
        return ""  # a device or a pipe: written to, not replaced
    real = Path(os.path.realpath(path))
    if real.is_symlink():
        return "is a link that leads nowhere"
    if not real.parent.is_dir():
        return "lies in a folder that does not exist"
    with TemporaryFile(dir=real.parent):  # the only question that has a true answer
        return ""


def _is_of(path: Path, given: Path) -> bool:
    """Tell whether a file is an input or lies in a folder of inputs; a former report does not."""
    if not path.exists():
        return False
    if not given.is_dir():
        return given.exists() and path.samefile(given)
    inside = Path(os.path.realpath(given)) in Path(os.path.realpath(path)).parents
    return inside and path.is_file() and not _former(path)


def _former(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(128)
    return any(sign in head for sign in REPORT)
