"""What a guard that still primes is waiting for, and how to come by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from riskguard.engine.windows import NEVER
from riskguard.market import SECOND

if TYPE_CHECKING:
    from riskguard.engine.guard import Guard

__all__ = ["advice", "warm_at"]

RECORDED = "start from a recording (riskguard record --out FOLDER, then prime from FOLDER)"
SERVES_LIQUIDATIONS = frozenset({"gate"})
SERVED = "prime it with the history that the venue serves (riskguard.feeds.served)"


def _lack(guard: Guard, index: int) -> int:
    """Return how long (ns) a window has still to wait: first for what feeds it, then itself."""
    stream, now = guard.stream, guard.as_of
    own = max(0, stream.wanted(index, now) - stream.seen(index, now))
    fed = [guard.plan.tapes[tape].feeder for tape in guard.plan.windows[index][1]]
    return own + max((_lack(guard, feeder) for feeder in fed if feeder >= 0), default=0)


def _lacking(guard: Guard) -> list[tuple[int, int]]:
    """Return the windows that protection waits for, each with the time (ns) it lacks."""
    found = ((index, _lack(guard, index)) for index in guard.plan.warming)
    return [(index, lack) for index, lack in found if lack > 0]


def _series(guard: Guard, index: int) -> set[str]:
    """Return the series that a window rests on, through the windows that feed it."""
    found = set()
    for number in guard.plan.windows[index][1]:
        tape = guard.plan.tapes[number]
        found |= {tape.name} if tape.feeder < 0 else _series(guard, tape.feeder)
    return found


def warm_at(guard: Guard) -> int | None:
    """Return the close (ns) at which a guard has seen enough if all feeds go on; None: it has.

    Also None while it has seen nothing at all: from nothing no time can be counted.
    """
    if guard.as_of == NEVER or not guard.decision.priming:
        return None
    lacks = [lack for _, lack in _lacking(guard)]
    every = guard.plan.every
    return -(-(guard.as_of + max(lacks)) // every) * every if lacks else None


def advice(guard: Guard) -> str:
    """Return how a guard that primes becomes warm, "" for one that is.

    Bars, funding and about 30 days of open interest are served as history; liquidations by
    hardly any venue.
    """
    until, lacking = warm_at(guard), [index for index, _ in _lacking(guard)]
    if until is None and (guard.as_of != NEVER or not guard.decision.priming):
        return ""
    if until is None:
        wait, lacking = "wait: until when is told with its first data", guard.plan.warming
    else:
        when = datetime.fromtimestamp(until // SECOND, UTC).strftime("%Y-%m-%dT%H:%MZ")
        wait = f"wait until {when}"
    names = {name for index in lacking for name in _series(guard, index)}
    flows = sorted(
        name
        for name in names
        if name.startswith("liq.") and guard.sources.get(name) not in SERVES_LIQUIDATIONS
    )
    if not flows:
        return f"{SERVED}, or {wait}"
    venues = " and ".join(sorted({str(guard.sources.get(name) or "the venue") for name in flows}))
    return f"{venues} serves no history of {', '.join(flows)}: {RECORDED}, or {wait}"
