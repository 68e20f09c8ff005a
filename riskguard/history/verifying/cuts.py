"""Look-ahead: is any decision another when the data ends with the bar it was made at?

The data is cut before it is joined, by what is said of each series: close or instant, and the
delay after it. What a bot could not have had at a close is not there when its decision is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.history.columns.evaluate import Instant
from riskguard.history.verifying.differences import (
    Cause,
    Difference,
    alike,
    cause_of,
    columns_differ,
    earliest,
    fields_that_differ,
    lines_that_differ,
    measured,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskguard.history.columns import Columns
    from riskguard.history.verifying.subject import Subject

__all__ = ["Cuts", "chosen", "cut_all", "pieces"]

WHOLE = 2_048  # bars: a history that is not longer is cut whole, a longer one in pieces
OVERHEAD = 5_000  # a cut costs as much as that many bars, whatever its length
WORK = 1_000_000_000  # bars that are computed at most unless more cuts are asked for
FARTHEST = 64  # bars that are looked at for the one that is read too early


class Piece(NamedTuple):
    """Bars `first` to `stop` are cut, on data that begins with bar `start`."""

    start: int
    first: int
    stop: int


@dataclass(frozen=True)
class Cuts:
    """What was cut: how many bars of how many, in how many pieces, and the first difference."""

    made: int
    bars: int
    pieces: int
    difference: Difference | None


def pieces(subject: Subject) -> list[Piece]:
    """Return the history in pieces, each with all that any measure looks back at before it."""
    count, warm = subject.now.size, subject.warm
    if count <= WHOLE or warm is None:
        return [Piece(0, 0, count)]
    back = -(-warm // subject.plan.every) + 1
    block = max(WHOLE // 2, back)
    firsts = range(0, count, block)
    return [Piece(max(0, first - back), first, min(first + block, count)) for first in firsts]


def chosen(subject: Subject, wanted: int | None) -> list[int]:
    """Return the bars that are cut: all, or so many spread evenly, the last among them.

    Where nothing is wanted it is all that can be computed in minutes.
    """
    count = subject.now.size
    if wanted is None:
        costs = [
            (piece.stop - piece.first) * (OVERHEAD + (piece.first + piece.stop) // 2 - piece.start)
            for piece in pieces(subject)
        ]
        wanted = count if sum(costs) <= WORK else max(1, count * WORK // sum(costs))
    bars = np.linspace(count - 1, 0, min(wanted, count)).astype(int)
    return [int(bar) for bar in np.unique(bars)]


def cut_all(
    subject: Subject, whole: Columns, bars: Sequence[int], tell: Callable[[str], None]
) -> Cuts:
    """Cut the data at the close of each of `bars`, up to the first difference."""
    parts, made = pieces(subject), 0
    for piece in parts:
        here = [bar for bar in bars if piece.first <= bar < piece.stop]
        if not here:
            continue
        one_piece = len(parts) == 1
        full = whole if one_piece else subject.cut(piece.start, piece.stop - 1)
        if not one_piece:
            difference = _piece_differs(subject, full, whole, piece)
            if difference is not None:
                return Cuts(made, subject.now.size, len(parts), difference)
        for bar in here:
            tell(f"cutting the data at bar {bar + 1:,} of {subject.now.size:,}")
            made += 1
            difference = _cut_differs(subject, full, piece.start, bar)
            if difference is not None:
                return Cuts(made, subject.now.size, len(parts), difference)
    return Cuts(made, subject.now.size, len(parts), None)


def _piece_differs(
    subject: Subject, part: Columns, whole: Columns, piece: Piece
) -> Difference | None:
    """Compare what a piece measures with what the whole history does, once its windows are full.

    What rules remember may reach further back, and is compared by stream and columns. The data
    of a piece begins later and ends sooner: a cut of all data tells which of the two it is.
    """
    low, inside = piece.first, slice(piece.first - piece.start, None)
    ours = (one._replace(column=one.column[inside]) for one in measured(part))
    theirs = (one._replace(column=one.column[low : piece.stop]) for one in measured(whole))
    found = earliest(zip(ours, theirs, strict=True))
    if found is None:
        return None
    bar, cause = low + found[0], found[1]
    ahead = _cut_differs(subject, whole, 0, bar)
    began = int(subject.now[piece.start])
    return ahead or Difference("start", int(subject.now[bar]), bar, cause, since=began)


def _cut_differs(subject: Subject, full: Columns, start: int, bar: int) -> Difference | None:
    """Return what is different in a history that ends with `bar`, None for nothing."""
    short = subject.cut(start, bar)
    last = short.now.size - 1
    if alike(short.decision(last), full.decision(last)) and not columns_differ(short, full):
        return None
    found = cause_of(short, full)
    at = found[0] if found else last
    changed = fields_that_differ(short.decision(at), full.decision(at))
    return Difference(
        kind="look-ahead",
        ts=int(short.now[at]),
        bar=start + at,
        cause=found[1] if found else Cause("decision", *changed[0]),
        lines=lines_that_differ(subject.plan, Instant(short, at), Instant(full, at)),
        decided=int(short.now[at]) if changed else 0,
        fields=changed,
        ahead=_ahead(subject, short, start, at) if found else None,
        since=int(short.now[last]),
    )


def _ahead(subject: Subject, short: Columns, start: int, at: int) -> int | None:
    """Return how many bars must follow the cut before anything at bar `at` moves."""
    last = start + short.now.size - 1
    for further in range(1, min(FARTHEST, subject.now.size - 1 - last) + 1):
        longer = subject.cut(start, last + further)
        found = cause_of(short, longer)
        if found is not None and found[0] <= at:
            return last + further - (start + at)
    return None
