"""`riskguard drill`: the way from a halt to a flat position, proven on paper."""

from __future__ import annotations

import json
import time
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import FINDINGS
from riskguard.cli.states import AsJson, operator, state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from riskguard.live.drilling import Drilled
    from riskguard.live.rules import Fit

__all__ = ["drill"]

FAILED = "the drill failed: do not rely on the kill switch before this is mended"


def drill(
    rules: Annotated[
        str, typer.Argument(metavar="RULES", help="Rule file, or the name of a pack.")
    ],
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="FOLDER", help="Note in this state that it was done."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Prove on paper that a halt works: from the order to stop to a flat position, and back.

    A guard with these rules is halted by request and by the file KILL, its duties are carried
    out on a paper venue, it is killed and started again in between, and resumed. No exchange
    and no running bot is touched. With --state the rules are made to fit that bot.

    Example: riskguard drill my-rules.yaml --state state/btc

    Exit codes: 0 it works, 1 a step failed or the rules have errors, 2 wrong use, 5 the state
    is in use by a process that does not answer.
    """
    from riskguard.cli.live_text import wrapped
    from riskguard.live.drilling import fitting
    from riskguard.live.rules import Loaded

    path = given.pack(rules, "RULES")
    folder = None if state is None else state_folder(state)
    fit = fitting(path) if folder is None else _fit_of(folder)
    steps, noted = [], ""
    for step in _steps(path, fit):
        steps.append(step)
        if not as_json:
            print("\n".join(_told(step)), flush=True)
    failed = bool(steps[-1].fault)
    if not as_json:
        print(FAILED if failed else f"{len(steps)} steps, each as it must be")
    try:
        if folder is not None and not failed:
            noted = _noted(folder, Loaded.read(path, fit).hash)
    finally:  # what was proven is told, whether it could be noted or not
        if as_json:
            print(json.dumps(_plain(steps, noted), indent=2))
    if noted and not as_json:
        print("\n".join(wrapped(f"noted in {folder} by {noted}: riskguard status shows it")))
    return FINDINGS if failed else 0


def _steps(rules: Path, fit: Fit) -> Iterator[Drilled]:
    from pathlib import Path

    from riskguard.live.drilling import drill as steps

    with TemporaryDirectory(prefix="riskguard-drill-") as place:
        yield from steps(rules, Path(place), fit)


def _told(step: Drilled) -> list[str]:
    from riskguard.cli.live_text import wrapped

    mark = "FAIL" if step.fault else "ok  "
    return wrapped(f"{mark} {step.done}: {step.fault or step.seen}", "", "     ")


def _plain(steps: Sequence[Drilled], noted: str) -> dict[str, object]:
    return {
        "works": not steps[-1].fault,
        "steps": [step._asdict() for step in steps],
        "noted_by": noted or None,
    }


def _fit_of(folder: Path) -> Fit:
    """Return what the rules of a state were made to fit."""
    from riskguard.live.rules import Loaded
    from riskguard.store import Journal

    return Loaded.again(Journal(folder).restored().about).fit


def _noted(folder: Path, rules: str) -> str:
    """Note in a state that the drill was done, and return who noted it."""
    from riskguard.live.operating import drilled

    return drilled(folder, operator(), time.time_ns(), rules)
