"""Slips of one key in the shipped packs, and where everything in a rule file stands."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import cycle, islice
from pathlib import Path

from riskguard.errors import Diagnostic
from riskguard.language.ruleset import Span

__all__ = ["PACKS", "misspelt", "outside", "spans", "typos"]

ROOT = Path(__file__).parents[2]
PACKS = sorted(path for path in (ROOT / "rules").glob("*.yaml") if not path.stem.endswith("_test"))
LETTERS = "abcxyz0123456789 .,:-_%$<>=()[]{}'\"#&*!|@\\/?~^+;`\t\n\u00a0\u201cé"


def misspelt(text: str, dice: random.Random) -> str:
    """Return the text with one letter lost, added, mistaken, or changed with its neighbour."""
    at = dice.randrange(len(text))
    letter = dice.choice(LETTERS)
    kind = dice.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + letter + text[at:]
    if kind == 2:
        return text[:at] + letter + text[at + 1 :]
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def typos(count: int, seed: int) -> Iterator[tuple[Path, str]]:
    """Yield packs in turn, each with one slip."""
    dice = random.Random(seed)
    whole = {pack: pack.read_text(encoding="utf-8") for pack in PACKS}
    for pack in islice(cycle(PACKS), count):
        yield pack, misspelt(whole[pack], dice)


def spans(node: object) -> Iterator[Span]:
    """Yield every place that is kept in a rule set, at any depth."""
    ahead = [node]
    while ahead:
        found = ahead.pop()
        if isinstance(found, Span):
            yield found
        elif is_dataclass(found):
            ahead += [getattr(found, field.name) for field in fields(found)]
        elif isinstance(found, tuple):
            ahead += found
        elif hasattr(found, "values"):
            ahead += found.values()


def outside(place: Span | Diagnostic, lines: tuple[str, ...]) -> bool:
    """Say whether a place is not inside the file; an end of line may be pointed at."""
    if not 1 <= place.line <= place.end_line <= len(lines):
        return True
    begin, end = len(lines[place.line - 1]) + 1, len(lines[place.end_line - 1]) + 2
    return not (1 <= place.column <= begin and 1 <= place.end_column <= end)
