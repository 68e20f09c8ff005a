"""Fuzz the reader of rules: `python -m tests.fuzz.fuzz_rules FOLDER -runs=N` (needs atheris).

The folder gets the seeds and keeps what was found worth keeping. Lines of rules are cut,
doubled and swapped, and words of the language are put in; the rest is left to libFuzzer.
"""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path

from riskguard.language.schema import BLOCKS, MEASURES
from riskguard.market import CATALOGUE

__all__ = ["changed"]

KEYS = sorted({key for keys in BLOCKS.values() for key in keys})
WORDS = (
    *(f"{key}: " for key in KEYS),
    *(f"\n  {key}: " for key in KEYS),
    *(f".{name}(24h)" for name in MEASURES),
    *CATALOGUE,
    *("<", "<=", ">", ">=", "==", "for 2 closes", "for 12h", "min=1d", "today", "this_week"),
    *("%", "bp", "$", "x", "M", "B", "h", "d", "w", " bars", "1e308", "-0", "9" * 30),
    *("[", "]", "{", "}", "(", ")", "- ", ": ", '"', "'", "|\n", ">-\n", "#", "!", "&a ", "*a"),
    *("\n", "\r\n", "\t", "\ufeff", "\u2028", "\u00a0", "\u202e", "\\u0041", "\0", "---\n"),
    *("pack:feb-2026@1", "stage >= ", "true", "false", "2026-02-05T12:00Z", "..", "ETH."),
    *("ta.rsi(window=14)", "breadth: {of: [BTC, ETH], at_least: 1, where: ", "all)", "ATR"),
)


def changed(text: str, dice: random.Random) -> str:
    """Return a text with a few slips, of letters, words and lines."""
    for _ in range(dice.choice([1, 1, 2, 4])):
        text = CHANGES[dice.randrange(len(CHANGES))](text, dice)
    return text


def put_in(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(WORDS) + text[at:]


def put_over(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(WORDS) + text[at + dice.randrange(12) :]


def cut(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + text[at + dice.randrange(1, 20) :]


def lines_moved(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    if dice.random() < 0.5:
        lines.insert(first, lines[second])
    else:
        lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def indented(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    at = dice.randrange(len(lines))
    lines[at] = "  " + lines[at] if dice.random() < 0.5 else lines[at].removeprefix("  ")
    return "\n".join(lines)


CHANGES = (put_in, put_over, cut, lines_moved, indented)


def main() -> None:
    import atheris  # a package of the group soak

    for name in [name for name in sys.modules if name.startswith("riskguard")]:
        del sys.modules[name]  # read again, with what tells atheris which lines were reached
    with atheris.instrument_imports(include=["riskguard"]):
        kept = importlib.import_module("tests.fuzz.promises").kept
    seeds = importlib.import_module("tests.fuzz.seeds").seeds

    def one(data: bytes) -> None:
        kept(data.decode(errors="replace"))

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < 0.4:
            return atheris.Mutate(data, most)
        return changed(data.decode(errors="replace"), dice).encode(errors="replace")[:most]

    for number, text in enumerate(seeds()):
        (Path(sys.argv[1]) / f"seed-{number}").write_text(text, encoding="utf-8")
    atheris.Setup(sys.argv, one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
