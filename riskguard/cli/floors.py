"""`riskguard data floors`: dollar floors of rules, proposed from what was recorded."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskguard.cli import given
from riskguard.cli.failures import WrongUse
from riskguard.cli.places import elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from riskguard.history.floors import Floor

__all__ = ["floors"]


def floors(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="A recording, or other data of a source.")
    ],
    rules: Annotated[
        str, typer.Option("--rules", metavar="FILE|PACK", help="Rule file, or name of a pack.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> int:
    """Propose dollar floors for parameters that rules write by_source.

    A floor is what the measure of its own line exceeded in 5 % of the samples, in two figures;
    under seven days of data nothing is proposed. Nothing is written: a floor is for you to paste.

    Example: riskguard data floors rec --rules cascade

    Exit codes: 0 done, 1 rules or data are refused, 2 wrong use.
    """
    from riskguard.history import History
    from riskguard.history.floors import floors as proposed
    from riskguard.language.reader import load_rules

    given.filled({"FOLDER": "FOLDER", "--rules": "FILE or PACK"},
                 {"FOLDER": folder, "--rules": rules})  # fmt: skip
    if not Path(folder).exists():
        fix = elsewhere(folder, "name a folder of riskguard record")
        raise WrongUse(f"there is no {folder}", fix)
    path = given.pack(rules)
    history = History.read(folder)
    found = proposed(load_rules(path, every=history.every), history)
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return 0
    if not found:
        print("no parameter of these rules is written by_source: there is nothing to propose")
    for one in found:
        print("\n".join(_told(one)))
    return 0


def _told(floor: Floor) -> Iterator[str]:
    from riskguard.history.stamps import instant_text

    source = floor.source or "a source without a name"
    yield f"{floor.parameter}, {source}: {floor.measure}"
    if floor.figure:
        yield f"  {floor.source or 'other'}: {floor.figure}"
        span = f"{instant_text(floor.first)} to {instant_text(floor.last)}"
        yield f"  exceeded in 5 % of {floor.samples:,} samples, {span}"
        yield f"  coverage {floor.coverage}: it holds for this source alone"
    else:
        yield f"  no figure: {floor.why}"
