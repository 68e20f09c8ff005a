"""Columns of the machines: for, sequence, latch, ladder and ramp over all instants at once.

Each jumps from event to event where the step looks at every instant; equal to the step by
test. Truths are int8 arrays of FALSE, UNKNOWN, TRUE and ABSENT; `now` is int64 ns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.logic import ABSENT, FALSE, GAPS, NEVER, TRUE, UNKNOWN, Ramp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Truths = NDArray[np.int8]

__all__ = ["follow", "group", "ladder", "latch", "persist", "ramp"]

LEFT_OUT = 3  # stands above TRUE while the least of a group is sought


def group(kind: str, count: int, truths: Sequence[Truths]) -> Truths:
    """Return all, any, at_least or within, leaving out absent lines."""
    table = np.stack(truths)
    if kind == "within":
        return np.where(truths[0] == ABSENT, ABSENT, table.min(axis=0)).astype(np.int8)
    if kind == "any":
        return np.asarray(table.max(axis=0), np.int8)
    if kind == "all":
        least = np.where(table == ABSENT, LEFT_OUT, table).min(axis=0)
        return np.where(least == LEFT_OUT, ABSENT, least).astype(np.int8)
    known = (table == TRUE).sum(axis=0)
    possible = known + (table == UNKNOWN).sum(axis=0)
    met = np.where(known >= count, TRUE, np.where(possible >= count, UNKNOWN, FALSE))
    return np.where((table == ABSENT).all(axis=0), ABSENT, met).astype(np.int8)


def persist(truth: Truths, now: Ints, wanted: int, closes: int, every: int) -> Truths:
    """Return `for`: credited time, or closes, since the last break."""
    held = np.where(truth == ABSENT, UNKNOWN, truth)
    true = held == TRUE
    quick = _runs(held, true, now, wanted=wanted, closes=closes, every=every)
    if quick is not None:
        return np.where(truth == ABSENT, ABSENT, np.where(true & ~quick, FALSE, held)).astype(
            np.int8
        )
    stamps = np.where(true, now, NEVER)
    previous = np.concatenate((np.full(1, NEVER), np.maximum.accumulate(stamps)[:-1]))
    broken = true & (now - previous > GAPS * every)
    before = np.concatenate((np.zeros(1, bool), true[:-1]))
    step = np.diff(now, prepend=now[:1])
    credit = np.cumsum(np.where(true & before & ~broken, step, 0))
    count = np.cumsum(true)
    place = np.maximum.accumulate(np.where((held == FALSE) | broken, np.arange(now.size), -1))
    reset = np.maximum(place, 0)
    none = place < 0
    if closes:
        base = np.where(none, 0, count[reset] - true[reset])
        done = count - base >= closes
    else:
        done = credit - np.where(none, 0, credit[reset]) >= wanted
    answer = np.where(true, np.where(done, TRUE, FALSE), held)
    return np.where(truth == ABSENT, ABSENT, answer).astype(np.int8)


def _runs(
    held: Truths, true: Bools, now: Ints, *, wanted: int, closes: int, every: int
) -> Bools | None:
    """Return where enough instants in a row are true; None where gaps or unknowns count.

    Without them a `for` is a run of instants: true here and at each of the ones before.
    """
    known = np.flatnonzero(held != UNKNOWN)
    if not known.size or now.size < 2 or (held[known[0] :] == UNKNOWN).any():
        return None
    steps = np.diff(now)
    step = int(steps[0])
    if (steps != step).any() or step > GAPS * every:
        return None
    run = closes or -(-wanted // step) + 1
    done, length = true.copy(), 1
    while length < run:  # a run of 2n is a run of n, and one that ended n before
        shift = min(length, run - length)
        done[shift:] &= done[:-shift].copy()
        done[:shift] = False
        length += shift
    return done


def follow(truths: Sequence[Truths], now: Ints, within: int) -> Truths:
    """Return `sequence`: the latest start of a match up to each part."""

    def later(starts: Ints) -> Ints:
        return np.concatenate((np.full(1, NEVER), starts[:-1]))

    starts = np.maximum.accumulate(np.where(truths[0] == TRUE, now, NEVER))
    for truth in truths[1:-1]:
        starts = np.maximum.accumulate(np.where(truth == TRUE, later(starts), NEVER))
    answer = np.where(now - later(starts) <= within, truths[-1], FALSE)
    return np.where(answer == ABSENT, FALSE, answer).astype(np.int8)


def latch(
    when: Truths, clear: Truths, now: Ints, min_hold: int, cooldown: int, *, latched: bool
) -> Bools:
    """Return whether a rule is on."""
    fires = np.flatnonzero(when == TRUE)
    clears = np.flatnonzero((clear == TRUE) & (when != TRUE))
    on = np.zeros(now.size, bool)
    start = 0
    while True:
        first = np.searchsorted(fires, start)
        if first == fires.size:
            return on
        fired = int(fires[first])
        free = max(fired + 1, int(np.searchsorted(now, now[fired] + min_hold)))
        found = np.searchsorted(clears, free)
        if latched or found == clears.size:
            on[fired:] = True
            return on
        cleared = int(clears[found])
        on[fired:cleared] = True
        start = max(cleared + 1, int(np.searchsorted(now, now[cleared] + cooldown)))


def ladder(
    enters: Sequence[Truths], recovers: Sequence[Truths], now: Ints, holds: Sequence[int]
) -> Ints:
    """Return the stage, counted from 1; 0 is normal."""
    stages, size = len(enters), now.size
    highest = np.zeros(size, np.int64)
    for number, enter in enumerate(enters, 1):
        highest[enter == TRUE] = number
    ups = [np.flatnonzero(highest > stage) for stage in range(stages + 1)]
    downs = [np.empty(0, np.int64)] + [
        np.flatnonzero((recover == TRUE) & (enter != TRUE))
        for enter, recover in zip(enters, recovers, strict=True)
    ]
    out = np.zeros(size, np.int64)
    stage, place, since = 0, 0, NEVER
    while place < size:
        up = np.searchsorted(ups[stage], place)
        rise = int(ups[stage][up]) if up < ups[stage].size else size
        fall = size
        if stage:
            free = max(place, int(np.searchsorted(now, since + holds[stage - 1])))
            down = np.searchsorted(downs[stage], free)
            fall = int(downs[stage][down]) if down < downs[stage].size else size
        move = min(rise, fall)
        out[place:move] = stage
        if move == size:
            break
        stage = int(highest[move]) if rise <= fall else max(stage - 1, int(highest[move]))
        since = int(now[move])
        out[move] = stage
        place = move + 1
    return out


def ramp(spec: tuple[float, float, int], rising: Truths, now: Ints, on: Bools) -> Floats:
    """Return the cap of a re-entry ramp (start, step, every), stepped while it rises."""
    start, step, every = spec
    caps = np.ones(now.size)
    before = np.concatenate((np.zeros(1, bool), on[:-1]))
    for cleared in np.flatnonzero(before & ~on).tolist():
        machine = Ramp(start, step, every)
        for index in range(cleared, now.size):
            caps[index] = machine.step(
                int(rising[index]), int(now[index]), on=bool(on[index]), was_on=bool(before[index])
            )
            if not machine.rising:
                break
    return caps
