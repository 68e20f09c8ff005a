"""How much of its past a live session keeps: all of it, until its database grows large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.market import DAY, HOUR

if TYPE_CHECKING:
    from riskguard.store import Store

__all__ = ["Forgetting"]

MIB = 1 << 20
LARGE = 128 * MIB  # half of what a database may hold
FULL = 192 * MIB
AGES = (90 * DAY, 30 * DAY, 7 * DAY, DAY)  # what is older goes, the oldest first
ROWS = 2_000  # that go at one tick, so that no order waits for it


class Forgetting:
    """Forgets the oldest of a journal, a few rows at a tick, while its database is large.

    Beyond 128 MiB what is older than 90 days goes; where that is not enough, 30, 7, 1 day.
    Beyond 192 MiB all goes that a restart does not need.
    """

    def __init__(self, store: Store, *, large: int = LARGE, full: int = FULL) -> None:
        self.store, self.large, self.full = store, large, full
        self._rests = 0  # until when there is nothing to look for

    def step(self, now: int, rule_hash: str) -> bool:
        """Forget a little, if there is need; return whether anything was forgotten."""
        store = self.store
        if store.degraded or now < self._rests:
            return False
        size = store.size()
        if size > self.large:
            for age in AGES if size <= self.full else (*AGES, 0):
                before = store.seq
                store.prune(now - age, rule_hash=rule_hash, most=ROWS)
                if store.seq != before:
                    return True
            self._rests = now + HOUR
        return False
