"""The one clock of a live process: UTC that never goes back and runs on while the machine sleeps.

Time is an anchor plus what has elapsed. The wall clock alone never moves it: someone may set it
to another year. It is moved forward only when the wall clock and a feed agree.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from riskguard.market import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ticker", "elapsed"]

AGREE = 5 * SECOND
# runs on while the machine sleeps; macOS and Windows have no clock of that name
BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed() -> int:
    """Return ns since some instant, sleep of the machine included where the system can tell."""
    return time.monotonic_ns() if BOOTTIME is None else time.clock_gettime_ns(BOOTTIME)


class Ticker:
    """Tells the time in ns UTC; `wall` and `elapsed` are the clocks of the system.

    >>> ticker = Ticker(wall=lambda: 1_000_000_000_000, elapsed=lambda: 5)
    >>> ticker.now()
    1000000000000
    """

    def __init__(
        self, *, wall: Callable[[], int] = time.time_ns, elapsed: Callable[[], int] = elapsed
    ) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._anchor = wall() - elapsed()
        self._last = 0
        self.behind = False  # the clock told a time before what had passed: how late is not known

    def now(self) -> int:
        """Return the time; it never goes back."""
        self._last = max(self._last, self._anchor + self._elapsed())
        return self._last

    def seconds(self) -> float:
        """Return what has elapsed since some instant, in seconds; nothing moves it."""
        return self._elapsed() / SECOND

    def since(self, ts: int) -> None:
        """Take note of a time that has passed for certain: it is no earlier now.

        A clock that says otherwise is `behind` until it is set right and a feed agrees with it.
        """
        wrong = ts - self._elapsed() - self._anchor
        if wrong > 0:
            self._anchor += wrong
            self.behind = True

    def heard(self, ts: int) -> int:
        """Take note of the time a feed speaks of, just received; return how far time jumps.

        It jumps forward only, and only where the wall clock says the same within five seconds.
        """
        now, wall = self.now(), self._wall()
        if abs(wall - ts) > AGREE or wall < now - AGREE:
            return 0
        self.behind = False
        if ts - now <= AGREE:
            return 0
        self._anchor += wall - now
        return self.now() - now

    def doubt(self) -> int:
        """Return how far the wall clock is from this one, in ns; shown, never used."""
        return self._wall() - self.now()
