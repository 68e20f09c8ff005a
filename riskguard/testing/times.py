"""Times in a test file: a stamp with its zone, or a time since the first bar of the case."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskguard.language.expression import parse_span
from riskguard.language.findings import LineError
from riskguard.language.reading.blocks import BlockReader, Entry
from riskguard.language.source import Scalar
from riskguard.market import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from riskguard.language.reading.blocks import Block
    from riskguard.language.reading.scope import Scope

__all__ = ["DAY_ALONE", "TimeReader", "elapsed", "instant", "stamp"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR = 2199
SPANS = ("between", "before", "after")
DAY_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}")
ENDS = re.compile(r"\s*(\S.*?)\s*\.\.\s*(\S.*?)\s*")


def elapsed(span: int) -> str:
    """Return a time since the start (ns) as a test writes it: 880h, 95m, 30s."""
    for unit, letter in ((HOUR, "h"), (MINUTE, "m")):
        if span % unit == 0:
            return f"{span // unit}{letter}"
    return f"{span // SECOND}s"


def stamp(ts: int) -> str:
    """Return ns UTC as a test writes it: 2026-02-05T12:00Z."""
    when = datetime.fromtimestamp(ts // SECOND, UTC)
    return when.strftime("%Y-%m-%dT%H:%MZ" if not when.second else "%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> int | None:
    """Return a time stamp with its zone as ns UTC, None where the text is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if when.tzinfo is None or not EPOCH.year < when.year <= LAST_YEAR:
        return None
    since = when - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND


class TimeReader(BlockReader):
    """Reads the times of one case, in ns since its first bar; that closes at `start`."""

    def __init__(self, scope: Scope, every: int, start: int, bars: int) -> None:
        super().__init__(scope)
        self.every, self.start = every, start
        self.last = (bars - 1) * every

    def at(self, entry: Entry) -> int | None:
        """Return the time of a bar; RG703 where none closes."""
        when = self._time(entry, "at")
        if when is not None and when % self.every:
            written = entry.node
            before = when // self.every * self.every
            message = f"no bar closes at {getattr(written, 'text', '')}; {self._grid()}"
            self.findings.error("RG703", written.span, message, f"for example {elapsed(before)}")
            return None
        return when

    def between(self, block: Block) -> tuple[int, int] | None:
        """Return first and last ns of `between`, `before` and `after` together; both count."""
        low, high = 0, self.last
        if "between" in block:
            ends = self._ends(block["between"])
            if ends is None:
                return None
            low, high = ends
        for key in ("before", "after"):
            if key in block:
                when = self._time(block[key], key)
                if when is None:
                    return None
                if key == "after":
                    low = max(low, when + 1)
                else:
                    high = min(high, when - 1)
        if -(-low // self.every) > high // self.every:
            place = next(block[key].node.span for key in SPANS if key in block)
            fix = f"{self._grid()}: make it longer"
            self.findings.error("RG703", place, "no bar closes in that time", fix)
            return None
        return low, high

    def _ends(self, entry: Entry) -> tuple[int, int] | None:
        node = entry.node
        if isinstance(node, Scalar) and node.empty:
            self.no_value(entry, "between")
            return None
        ends = ENDS.fullmatch(node.text) if isinstance(node, Scalar) else None
        if ends is None or not isinstance(node, Scalar):
            fix = "for example between: 880h..892h"
            self.findings.error("RG144", node.span, "between is written from..to", fix)
            return None
        low, high = (
            self._time(Entry(entry.key, _part(node, ends, number)), "between") for number in (1, 2)
        )
        return None if low is None or high is None else (low, high)

    def _time(self, entry: Entry, what: str) -> int | None:
        written = self.scalar(entry, what)
        if written is None:
            return None
        when = self._since_start(written)
        if when is None:
            self._no_time(written)
            return None
        if when > self.last or when < 0:
            message = f"the last bar is {elapsed(self.last)}: {written.text} lies beyond"
            if when < 0:
                message = f"{written.text} lies before the first bar, {stamp(self.start)}"
            self.findings.error("RG703", written.span, message, "name a time of the series")
            return None
        return when

    def _since_start(self, written: Scalar) -> int | None:
        moment = instant(written.text)
        if moment is not None:
            return moment - self.start
        try:
            node = parse_span(written.text)
        except LineError:
            return 0 if written.text == "0" else None
        if getattr(node, "dimension", "") == "time":
            return round(getattr(node, "value", 0))
        return None

    def _no_time(self, written: Scalar) -> None:
        text = written.text
        if text.isdecimal():
            self.findings.error("RG111", written.span, f"{text} of what?", f'write "{text}h"')
            return
        fix = f"for example {elapsed(self.every)} (since the start) or {stamp(self.start)}"
        if count := re.fullmatch(r"(\d{1,9}) (?:bars?|closes?)", text):
            bar = elapsed(int(count[1]) * self.every)
            fix = f"write {bar}, the close of bar {count[1]} (they count from 0)"
        elif DAY_ALONE.fullmatch(text):
            fix = f"write {text}T00:00Z"
        self.findings.error("RG506", written.span, f"'{text}' is no time of a case", fix)

    def _grid(self) -> str:
        return f"bars close every {elapsed(self.every)} up to {elapsed(self.last)}"


def _part(written: Scalar, ends: re.Match[str], number: int) -> Scalar:
    place = written.place(ends.start(number), ends.end(number))
    return Scalar(ends[number], place, "", written.lines)
