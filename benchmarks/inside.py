"""What a method takes by itself: its time without that of the guard inside it."""

from __future__ import annotations

import time
from statistics import median

SPENT: dict[str, list[int]] = {}  # ns of each call, without the guard's
INSIDE: list[int] = []  # ns of the guard, by the calls of the adapter around it


def timed(owner: object, name: str, *, guard: bool = False) -> None:
    """Count the time of a method, and that of the guard inside it."""
    inner = getattr(owner, name)

    def outer(*args: object, **words: object) -> object:
        INSIDE.append(0)
        began = time.thread_time_ns()
        try:
            return inner(*args, **words)
        finally:
            took = time.thread_time_ns() - began
            within = INSIDE.pop()
            if guard and INSIDE:
                INSIDE[-1] += took
            elif not guard:
                SPENT.setdefault(name, []).append(took - within)

    setattr(owner, name, outer)


def own(name: str) -> float:
    """Return what half of the calls of the adapter took at most by themselves, in us."""
    return median(SPENT[name]) / 1000
