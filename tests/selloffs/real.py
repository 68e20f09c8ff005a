"""The eight real sell-offs: what is said of their files, and what every pack decides on them.

Run as a module it writes the golden decisions anew: python -m tests.selloffs.real
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from riskguard.backtest.compare import Request, compare
from riskguard.backtest.strategies import find
from riskguard.backtest.text_figures import moment
from riskguard.errors import RuleError
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.shipped import shipped
from tests.conftest import data_folder

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.engine.decision import Decision

__all__ = ["EVENTS", "FOLDER", "GOLDEN", "PACKS", "obeyed", "real", "told"]

FOLDER = Path(__file__).parent
GOLDEN = FOLDER.parent / "golden" / "sell-offs.txt"
EVENTS = sorted(path.parent.name for path in FOLDER.glob("*/scenario.yaml"))
PACKS = sorted(path.stem for path in shipped("rules").glob("*.yaml") if "_test" not in path.name)


@cache
def real(event: str, folder: Path) -> History:
    """Return one sell-off, its files from the folder of all."""
    return History.read(FOLDER / event, files=folder)


def obeyed(history: History, pack: str) -> Comparison:
    """Run a 3x long under a pack; raises RuleError where the data lacks what it reads."""
    file = shipped("rules") / f"{pack}.yaml"
    rules = load_rules(file, every=history.every)
    strategy = find("leveraged_hold")
    return compare(Request(history, rules, file.name, strategy, "leveraged_hold"))


def told(history: History, pack: str) -> tuple[list[str], Comparison | None]:
    """Return the decisions of a pack as lines and its run, or lines that say why there is none."""
    try:
        found = obeyed(history, pack)
    except RuleError as error:
        lacking = [one for one in error.diagnostics if one.severity == "error"]
        return [
            f"refused {one.code} {one.line}:{one.column} {one.message}" for one in lacking
        ], None
    return [_line(decision) for decision, _ in found.decisions], found


def _line(one: Decision) -> str:
    on = ", ".join(one.active) or "-"
    blind = ", ".join(one.blind) or "-"
    text = f"{moment(one.ts)} {one.stage} {one.state.name} cap {one.exposure_cap:.0%}"
    return f"{text} blocked {one.block_entries} on {on} blind {blind}"


def _golden() -> str:
    lines = []
    for event in EVENTS:
        history = real(event, data_folder())
        for pack in PACKS:
            lines += [f"# {event} {pack}", *told(history, pack)[0]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(_golden(), encoding="utf-8")
