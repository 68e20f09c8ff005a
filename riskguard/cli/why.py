"""`riskguard why`: why a guard decides as it does, or did at a time, with the figures."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.states import AsJson, StateOption, state_folder

__all__ = ["why"]


def why(
    at: Annotated[
        str, typer.Argument(metavar="TIME", help="UTC time (2026-02-06T08:00Z), or now.")
    ],
    state: StateOption,
    as_json: AsJson = False,
) -> int:
    """Tell why a guard decides as it does, or did: who won, by what figures.

    Each line that decides is shown with its value, threshold and margin, and what a rule waits
    for to clear with how far it is. A past time is decided again from the journal.

    Example: riskguard why 2026-02-06T08:00Z --state state/btc

    Exit codes: 0 fine, 1 the state cannot be read, 2 wrong use.
    """
    from riskguard.cli import why_text
    from riskguard.live.looking import look, past

    folder = state_folder(state)
    when = None if at.strip().lower() == "now" else given.instant("TIME", at)
    if when is not None and when > time.time_ns():
        raise WrongUse(f"TIME '{at}' has not come yet", "write now, or a time that has passed")
    found = look(folder) if when is None else past(folder, when)
    if as_json:
        known = {"how": found.how, "process": found.process, "stored_until": found.stored}
        print(json.dumps(found.status | {"known": known}, indent=2))
    else:
        print("\n".join(why_text.lines(found, when)))
    return 0
