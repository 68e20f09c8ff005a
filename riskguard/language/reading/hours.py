"""`during`: hours of the day on days of the week, by wall clock."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import TYPE_CHECKING

from riskguard.language.findings import near
from riskguard.language.reading.blocks import BlockReader
from riskguard.language.ruleset import During
from riskguard.language.schema import COMBINATORS, DAYS, DURING_KEYS
from riskguard.language.source import Listing
from riskguard.market import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from riskguard.language.reading.blocks import Entry
    from riskguard.language.source import Scalar

__all__ = ["HourReader"]

WHOLE = {"weekdays": "mon-fri", "weekend": "sat-sun", "daily": "mon-sun", "all": "mon-sun"}
# what a zone is called by traders, by the name that has its daylight saving
CALLED = {
    "America/New_York": "est edt et est5edt new_york nyc ny nyse",
    "America/Chicago": "cst cdt ct cst6cdt chicago cme",
    "America/Denver": "mst mdt mt mst7mdt denver",
    "America/Los_Angeles": "pst pdt pt pst8pdt los_angeles san_francisco",
    "Pacific/Honolulu": "hst",
    "Europe/London": "bst london",
    "Europe/Berlin": "cest cet frankfurt berlin",
    "Asia/Tokyo": "jst tokyo",
    "Asia/Hong_Kong": "hkt hong_kong",
    "Asia/Singapore": "sgt singapore",
    "UTC": "z zulu",
}
MEANT = {word: zone for zone, words in CALLED.items() for word in words.split()}
# zones of this name exist, without daylight saving: the hours would be wrong in summer
FIXED = frozenset({"EST", "MST", "HST"})
CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)


class HourReader(BlockReader):
    """Reads `during`."""

    def during(self, entry: Entry) -> During | None:
        """Return the hours under a key, None when they have a fault."""
        block = self.form(entry, DURING_KEYS)
        if block is None:
            return None
        days = self._days(block["days"]) if "days" in block else tuple(range(7))
        start, end = self._clock(block["from"], "from"), self._clock(block["to"], "to")
        zone = self.zone(block["timezone"]) if "timezone" in block else self.scope.timezone
        if days is None or start is None or end is None or not zone or block.unknown:
            return None
        if start == DAY:
            start = 0
        if start == end:
            message = "the hours end where they begin"
            fix = 'write to: "24:00" for a whole day'
            self.findings.error("RG304", block["to"].node.span, message, fix)
            return None
        return During(days, start, end, zone, entry.key.span)

    def _clock(self, entry: Entry, what: str) -> int | None:
        written = self.scalar(entry, what)
        if written is None:
            return None
        found = CLOCK.fullmatch(written.text)
        time = int(found[1]) * HOUR + int(found[2]) * MINUTE if found else DAY + 1
        if time > DAY:
            message = f"{what} is a time of day, not '{written.text}'"
            hour = int(written.text) if re.fullmatch(r"\d{1,2}", written.text, re.ASCII) else 25
            fix = f'write "{hour:02}:00"' if hour <= 24 else 'for example "08:00"'
            self.findings.error("RG127", written.span, message, fix)
            return None
        return time

    def _days(self, entry: Entry) -> tuple[int, ...] | None:
        found: set[int] = set()
        names = self.names(entry, "days")
        if not names and isinstance(entry.node, Listing):
            fix = COMBINATORS["during"].example
            self.findings.error("RG136", entry.key.span, "'days' is empty", fix)
        for name in names:
            first, dash, last = name.text.lower().partition("-")
            unknown = next((one for one in (first, last) if one and one not in DAYS), None)
            if unknown is not None or not first or (dash and not last):
                message = f"days cannot be '{name.text}'"
                whole = WHOLE.get(name.text.lower(), "-".join([first[:3], last[:3]]).strip("-"))
                days = whole.split("-")
                fix = f"write {whole}" if set(days) <= set(DAYS) else "for example mon-fri"
                self.findings.error("RG127", name.span, message, fix)
                return None
            begin = DAYS.index(first)
            length = (DAYS.index(last) - begin) % 7 if dash else 0
            found |= {(begin + number) % 7 for number in range(length + 1)}
        return tuple(sorted(found)) if names else None

    def zone(self, entry: Entry) -> str:
        """Return a time zone that exists, "" when there is none of that name."""
        found = self.scalar(entry, "timezone")
        return self.known_zone(found) if found else ""

    def known_zone(self, found: Scalar) -> str:
        """Return the name of a zone when it is one, "" with a message when it is not."""
        if found.text == "UTC":
            return "UTC"
        meant = MEANT.get(found.text.lower().replace(" ", "_"), "")
        if found.text in FIXED:
            message = f"'{found.text}' has no daylight saving time"
            self.findings.error("RG142", found.span, message, f"write {meant}")
            return ""
        try:
            zoneinfo.ZoneInfo(found.text)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            close = meant or near(found.text, _zones())
            fix = f"did you mean '{close}'?" if close else "use a name such as Europe/London"
            self.findings.error("RG142", found.span, f"unknown time zone '{found.text}'", fix)
            return ""
        return found.text


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())  # reads a folder
