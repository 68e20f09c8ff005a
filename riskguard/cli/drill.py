"""`riskguard drill`: the way from a halt to a flat position, proven on paper."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import FINDINGS
from riskguard.cli.states import operator, state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from riskguard.live.rules import Fit

__all__ = ["drill"]


def drill(
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Rule file, or the name of a pack.")
    ],
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="FOLDER", help="Note in this state that it was done."),
    ] = None,
) -> int:
    """Prove on paper that a halt works: from the order to stop to a flat position, and back.

    A guard with these rules is halted by request and by the file KILL, its duties are carried
    out on a paper venue, it is killed and started again in between, and resumed. No exchange
    and no running bot is touched. With --state the rules are made to fit that bot.

    Example: riskguard drill my-rules.yaml --state state/btc

    Exit codes: 0 it works, 1 a step failed or the rules have errors, 2 wrong use, 5 the state
    is in use by a process that does not answer.
    """
    from pathlib import Path

    from riskguard.cli.live_text import wrapped
    from riskguard.live.drilling import drill as steps
    from riskguard.live.drilling import fitting
    from riskguard.live.rules import Loaded

    path = given.pack(rules, "RULES")
    folder = None if state is None else state_folder(state)
    fit = fitting(path) if folder is None else _fit_of(folder)
    with TemporaryDirectory(prefix="riskguard-drill-") as place:
        count = 0
        for step in steps(path, Path(place), fit):
            mark = "FAIL" if step.fault else "ok  "
            print("\n".join(wrapped(f"{mark} {step.done}: {step.fault or step.seen}", "", "     ")))
            if step.fault:
                print("the drill failed: do not rely on the kill switch before this is mended")
                return FINDINGS
            count += 1
    print(f"{count} steps, each as it must be")
    if folder is not None:
        print("\n".join(wrapped(_noted(folder, Loaded.read(path, fit).hash))))
    return 0


def _fit_of(folder: Path) -> Fit:
    """Return what the rules of a state were made to fit."""
    from riskguard.live.rules import Loaded
    from riskguard.store import Journal

    return Loaded.again(Journal(folder).restored().about).fit


def _noted(folder: Path, rules: str) -> str:
    """Note in a state that the drill was done, and return how."""
    from riskguard.live.operating import drilled

    by = drilled(folder, operator(), time.time_ns(), rules)
    return f"noted in {folder} by {by}: riskguard status shows it"
