"""Where days and weeks begin, and which hours of them are meant, by wall clock.

Times are int nanoseconds UTC. A day ends with its midnight: the instant itself belongs to the
day that ends. UTC needs no table of time zones, every other zone the one of the machine.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from riskguard.market import CALENDAR, DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from riskguard.language.ruleset import During

__all__ = ["Calendar", "Hours"]


def zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - most files are written in UTC

    return ZoneInfo(name)


class Calendar:
    """Begins days or weeks: `begin(now)` is the midnight that opened the one `now` lies in."""

    __slots__ = ("begun", "ends", "length", "zone")

    def __init__(self, window: str) -> None:
        unit, _, name = window.partition("@")
        self.length, self.zone = CALENDAR[unit], zone(name)
        self.begun = self.ends = 0  # instants in (begun, ends] need no second look

    def begin(self, now: int) -> int:
        """Return the last midnight (Monday's midnight) before `now`."""
        if not self.begun < now <= self.ends:
            self._look(now)
        return self.begun

    def _look(self, now: int) -> None:
        local = datetime.fromtimestamp((now - 1) // SECOND, self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.length > DAY:
            midnight -= timedelta(days=midnight.weekday())
        following = midnight + timedelta(days=self.length // DAY)
        self.begun = int(midnight.timestamp()) * SECOND
        self.ends = int(following.timestamp()) * SECOND


class Hours:
    """Says whether an instant lies inside the half-open hours of a `during`."""

    __slots__ = ("days", "end", "start", "zone")

    def __init__(self, during: During) -> None:
        self.days, self.start, self.end = frozenset(during.days), during.start, during.end
        self.zone = zone(during.timezone)

    def inside(self, now: int) -> bool:
        """Say whether `now` lies inside; hours past midnight belong to the day before."""
        local = datetime.fromtimestamp(now // SECOND, self.zone)
        time = local.hour * HOUR + local.minute * MINUTE + local.second * SECOND + now % SECOND
        today = local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= time < self.end
        if time >= self.start:
            return today in self.days
        return time < self.end and (today - 1) % 7 in self.days
