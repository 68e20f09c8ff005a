"""Series written as text: `74_000 x20, 90_000 -> 60_000 over 36, _ x30` (rules.md section 12)."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from riskguard.language.findings import LineError
from riskguard.language.text.units import NUMBER, WORDS, amount, comparable

__all__ = ["MISSING", "STALE", "Item", "series"]

MISSING, STALE = "_", "stale"
# a sample: its value, MISSING for none, STALE for none and the last one no longer stands
Item = float | str

LONGEST = 100_000  # samples of one series
WORD = re.compile(r"(_|nan|stale|hold)(?=[\s,]|$)")
TIMES = re.compile(r"\s+x(\d[\d_]*)")
COUNT, SPACED = re.compile(r"x\d[\d_]*"), re.compile(r"x\s+(\d[\d_]*)")
ARROW, OVER = re.compile(r"\s*->\s*"), re.compile(r"\s+over\s+(\d[\d_]*)")
BETWEEN = re.compile(r"\s*,\s*|\s*$")
WAYS = 'for example "74_000 x20", "90_000 -> 60_000 over 36" or "_ x30"'


class Number(NamedTuple):
    """A number as read: its value and where it ends."""

    value: float
    end: int


def series(text: str, dimension: str) -> list[Item]:
    """Return the samples of a text in the unit of an input.

    Raises:
        LineError: the text is none, or not in the unit of the input.
    """
    found: list[Item] = []
    at = len(text) - len(text.lstrip())
    while at < len(text):
        at = _part(text, at, dimension, found)
        end = BETWEEN.match(text, at)
        if end is None:
            raise _stray(text, at)
        if len(found) > LONGEST:
            message = f"a series of more than {LONGEST:,} samples"
            raise LineError("RG002", 0, len(text), message, "write a shorter case")
        at = end.end()
    if not found:
        raise LineError("RG101", 0, max(1, len(text)), "the series holds no sample", WAYS)
    return found


def _stray(text: str, at: int) -> LineError:
    """Return what is said of text that follows a part without a comma."""
    start = at + len(text[at:]) - len(text[at:].lstrip())
    if spaced := SPACED.match(text, start):
        message, fix = f"'{spaced[0]}' is no count", f"write x{spaced[1]}, without a space"
        return LineError("RG101", start, spaced.end(), message, fix)
    word = re.split(r"[\s,]", text[start:], maxsplit=1)[0]
    before = re.split(r"[\s,]", text[:at])[-1]
    message, fix = f"unexpected '{word}' in a series", WAYS
    if start > at and re.match(r"[-+*$\d]", word):
        message, fix = f"a comma is missing before '{word}'", f"write {before}, {word}"
    return LineError("RG101", start, start + len(word), message, fix)


def _part(text: str, at: int, dimension: str, found: list[Item]) -> int:
    """Append one part of a series and return where it ends."""
    if text[at] in "+*":
        return _steps(text, at, dimension, found)
    if word := WORD.match(text, at):
        count, end = _times(text, word.end())
        if word[1] == "hold":
            found += [_last(found, text, at)] * count
        else:
            found += [math.nan if word[1] == "nan" else word[1]] * count
        return end
    first = _number(text, at, dimension)
    if arrow := ARROW.match(text, first.end):
        return _ramp(text, first, _number(text, arrow.end(), dimension), found)
    count, end = _times(text, first.end)
    found += [first.value] * count
    return end


def _ramp(text: str, first: Number, last: Number, found: list[Item]) -> int:
    over = OVER.match(text, last.end)
    if over is None:
        fix = "for example 90_000 -> 60_000 over 36"
        raise LineError("RG101", last.end - 1, last.end, 'a slope needs "over N"', fix)
    count = _whole(over)
    if count < 2:
        message = "a slope has at least 2 samples, its two ends"
        raise LineError("RG101", over.start(1), over.end(1), message, "write over 2 or more")
    step = (last.value - first.value) / (count - 1)
    found += [first.value + step * number for number in range(count - 1)]
    found.append(last.value)
    return over.end()


def _steps(text: str, at: int, dimension: str, found: list[Item]) -> int:
    sign = text[at]
    step = _number(text, at + 1, dimension if sign == "+" else "factor")
    count, end = _times(text, step.end)
    value = _last(found, text, at)
    for _ in range(count):
        value = value + step.value if sign == "+" else value * step.value
        found.append(value)
    return end


def _last(found: list[Item], text: str, at: int) -> float:
    for item in reversed(found):
        if not isinstance(item, str) and not math.isnan(item):
            return item
    raise LineError("RG101", at, len(text), "no value stands before this", "begin with a number")


def _times(text: str, at: int) -> tuple[int, int]:
    times = TIMES.match(text, at)
    return (_whole(times), times.end()) if times else (1, at)


def _whole(match: re.Match[str]) -> int:
    digits = match[1].replace("_", "")
    count = int(digits) if len(digits) < 9 else LONGEST + 1
    if count > LONGEST:
        message = f"a series of more than {LONGEST:,} samples"
        raise LineError("RG002", match.start(1), match.end(1), message, "write a shorter case")
    if count == 0:
        raise LineError("RG101", match.start(1), match.end(1), "0 samples are none", "leave it out")
    return count


def _number(text: str, at: int, dimension: str) -> Number:
    minus = text[at : at + 1] == "-"
    match = NUMBER.match(text, at + minus)
    if match is None or not match["digits"].isascii():
        shown = re.split(r"[\s,]", text[at:], maxsplit=1)[0] or text[at:]
        message = f"expected a number in the series but found '{shown}'"
        raise LineError("RG101", at, at + max(1, len(shown)), message, WAYS)
    if match["unit"] == "x" and (count := COUNT.match(text, match.start("unit"))):
        message = f"a space is missing before '{count[0]}'"
        fix = f"write {match[0][:-1]} {count[0]}"
        raise LineError("RG101", count.start(), count.end(), message, fix)
    value, unit = amount(match)
    factor = dimension == "factor" and unit in {"plain", "ratio"}
    if not (factor or value == 0 or _meets(unit, dimension)):
        message = f"the input is {WORDS.get(dimension, 'a factor')}, {match[0]} is {WORDS[unit]}"
        raise LineError("RG305", at, match.end(), message, "write it in the unit of the input")
    return Number(-value if minus else value, match.end())


def _meets(unit: str, dimension: str) -> bool:
    return dimension != "factor" and comparable(unit, dimension)
