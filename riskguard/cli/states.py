"""The folder of a state as an operator names it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from riskguard.cli.failures import WrongUse
from riskguard.cli.places import elsewhere
from riskguard.errors import visible

__all__ = ["AsJson", "StateArgument", "StateOption", "operator", "state_folder"]

FIX = "name the folder that the bot keeps its state in: Session(rules, state=FOLDER)"

StateArgument = Annotated[str, typer.Argument(metavar="STATE", help="Folder of the state.")]
StateOption = Annotated[str, typer.Option("--state", metavar="FOLDER", help="Folder of the state.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def state_folder(text: str, what: str = "--state") -> Path:
    """Return the folder of a state.

    Raises:
        WrongUse: there is none.
    """
    path = Path(text)
    if not text.strip():
        raise WrongUse(f"{what} is empty", FIX)
    if not path.exists():
        raise WrongUse(f"{what}: there is no folder {visible(text)}", elsewhere(text, FIX))
    if not path.is_dir():
        raise WrongUse(f"{what} {text} is a file", FIX)
    if not os.access(path, os.R_OK | os.X_OK):
        raise WrongUse(f"{what} {text} cannot be read by this user", "run as the user of the bot")
    if not (path / "state.db").exists() and not (path / "state.db").is_symlink():
        raise WrongUse(f"{what}: there is no state in {text}", FIX)
    return path


def operator() -> str:
    """Return who gives an order."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in this container
        return "somebody"
