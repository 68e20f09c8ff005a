"""Account inputs as columns: derived series, and what they were before their first event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskguard.engine.account import NAV, STREAK, Account
from riskguard.market import FROM_ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Samples = Mapping[str, tuple[Ints, Floats]]

__all__ = ["begun", "first_event", "with_derived"]


def first_event(samples: Samples) -> int | None:
    """Return when the account sends its first event, None for never."""
    firsts = [
        int(samples[name][0][0]) for name in FROM_ZERO & samples.keys() if len(samples[name][0])
    ]
    return min(firsts, default=None)


def with_derived(samples: Samples) -> Samples:
    """Return the samples with the series that follow from those of the account."""
    told: dict[int, dict[str, float]] = {}
    for name in FROM_ZERO & samples.keys():
        times, values = samples[name]
        for ts, value in zip(times.tolist(), values.tolist(), strict=True):
            told.setdefault(ts, {})[name] = value
    account = Account()
    lists: dict[str, tuple[list[int], list[float]]] = {NAV: ([], []), STREAK: ([], [])}
    for ts in sorted(told):
        found, _ = account.derived(ts, told[ts])
        for name, (at, values_of) in lists.items():
            if name in found:
                at.append(ts)
                values_of.append(found[name])
    made = {
        name: (np.array(at, np.int64), np.array(values_of, np.float64))
        for name, (at, values_of) in lists.items()
        if at
    }
    return {**samples, **made}


def begun(
    times: Ints, values: Floats, begins: str, *, event: int, interval: int, back: int
) -> tuple[Ints, Floats, int]:
    """Return a series with what it was before its first event, and from when on it is known.

    `event` is the first one of the account, `back` how far (ns) anything looks.
    """
    since = event if begins == "zero" else int(times[0]) if times.size else event
    if begins == "same" and not times.size:
        return times, values, since
    first = 0.0 if begins == "zero" else float(values[0])
    before = since - np.arange(back // interval + 1, 0, -1) * interval
    return (
        np.concatenate((before, times)),
        np.concatenate((np.full(before.size, first), values)),
        since,
    )
