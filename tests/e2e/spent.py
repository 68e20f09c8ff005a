"""Time that an adapter itself takes, without what the guard and the framework take inside of it."""

from __future__ import annotations

import functools
import time
from statistics import median
from typing import Any

__all__ = ["Spent"]


class Spent:
    """Counts calls of methods: `own` ones by their own time, `others` taken out of them."""

    def __init__(self) -> None:
        self.times: dict[str, list[int]] = {}  # ns
        self._inside: list[int] = []

    def own(self, owner: Any, name: str) -> None:
        """Count a method of the adapter."""
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def outer(*args: Any, **words: Any) -> Any:
            self._inside.append(0)
            began = time.thread_time_ns()
            try:
                return inner(*args, **words)
            finally:
                took = time.thread_time_ns() - began
                self.times.setdefault(name, []).append(took - self._inside.pop())

        setattr(owner, name, outer)

    def others(self, owner: Any, *names: str) -> None:
        """Take out methods of the guard, of the framework, and of the strategy."""
        for name in names:
            self._other(owner, name)

    def _other(self, owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def outer(*args: Any, **words: Any) -> Any:
            began = time.thread_time_ns()
            try:
                return inner(*args, **words)
            finally:
                if self._inside:
                    self._inside[-1] += time.thread_time_ns() - began

        setattr(owner, name, outer)

    def median(self, name: str) -> float:
        """Return the median of one call in us."""
        return median(self.times[name]) / 1000
