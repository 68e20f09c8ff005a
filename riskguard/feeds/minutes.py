"""What was heard of minutes that are not written yet: how long, how much of each side, how deep.

It is laid down beside the tables at each flush, so that a process that is killed loses what came
since, and the next one goes on in the same minute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskguard.market import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SIDES", "Minutes"]

WAIT = 10 * SECOND  # after the end of a minute: what comes later is lost to it
GAP = 12 * SECOND  # between two proofs of a stream: longer, and it was not heard
HEARD, OF = 9, 10  # a minute counts when so much of it was heard
SIDES = ("liq_long_usd", "liq_short_usd")

Key = tuple[str, int]  # a coin, and a time (ns)


@dataclass
class Part:
    """What was heard of one bar of liquidations: how much of it (ns), its sums, what told them."""

    heard: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


class Minutes:
    """Bars of `interval` (ns) in progress; `whole`: what is told is a bar, not a part of it."""

    def __init__(self, interval: int, *, whole: bool) -> None:
        self.interval, self.whole = interval, whole
        self._levels: dict[Key, dict[str, float]] = {}  # by coin and end
        self._parts: dict[Key, Part] = {}  # by coin and beginning
        self._last: dict[str, int] = {}  # when the stream of a coin was proven last

    def __bool__(self) -> bool:
        return bool(self._levels or self._parts)

    def start(self, ts: int) -> int:
        """Return the beginning of the bar `(start, start + interval]` an instant falls in."""
        return (-(-ts // self.interval) - 1) * self.interval

    def level(self, coin: str, ts: int, values: Mapping[str, float]) -> None:
        """Take a level: the last of a minute stands at its end."""
        self._levels.setdefault((coin, -(-ts // MINUTE) * MINUTE), {}).update(values)

    def liquidated(self, coin: str, ts: int, side: str, usd: float, name: str) -> None:
        """Take a liquidation; `name` is its own, and one that was told before is passed over."""
        part = self._parts.setdefault((coin, self.start(ts)), Part())
        column = f"liq_{side}_usd"
        if self.whole:
            part.sums[column] = usd
        elif name not in part.ids:
            part.ids.add(name)
            part.sums[column] = part.sums.get(column, 0.0) + usd

    def proven(self, coin: str, ts: int) -> None:
        """Credit the time since the last proof to the bars it lies in, unless it is a gap."""
        if self.whole:
            self._parts.setdefault((coin, self.start(ts)), Part()).heard = self.interval
            return
        last = self._last.get(coin, ts)
        self._last[coin] = max(last, ts)
        while last < ts <= self._last[coin] and ts - last <= GAP:
            start = self.start(last + 1)
            until = min(ts, start + self.interval)
            self._parts.setdefault((coin, start), Part()).heard += until - last
            last = until

    def levels(self, now: int) -> Iterator[tuple[str, int, dict[str, float]]]:
        """Give away the levels of minutes that are complete at `now`: coin, end, values."""
        for coin, end in sorted(self._levels):
            if end + WAIT <= now:
                yield coin, end, self._levels.pop((coin, end))

    def liquidations(self, now: int) -> Iterator[tuple[str, int, dict[str, float]]]:
        """Give away the bars that are complete and were heard: coin, beginning, both sides."""
        for coin, start in sorted(self._parts):
            if start + self.interval + WAIT > now:
                continue
            part = self._parts.pop((coin, start))
            if part.heard * OF >= HEARD * self.interval:
                yield coin, start, dict.fromkeys(SIDES, 0.0) | part.sums

    # ------------------------------------------------------------ on disk

    def dump(self) -> dict[str, Any]:
        """Return what is not written yet, as JSON holds it."""
        return {
            "levels": [[*key, values] for key, values in sorted(self._levels.items())],
            "parts": [
                [*key, part.heard, part.sums, sorted(part.ids)]
                for key, part in sorted(self._parts.items())
            ],
        }

    def load(self, body: Any) -> None:  # noqa: ANN401 - it comes from a file
        """Go on from what `dump` gave.

        Raises:
            ValueError: it is none; nothing was changed.
        """
        try:
            levels = {
                (str(coin), int(end)): _numbers(values) for coin, end, values in body["levels"]
            }
            parts = {
                (str(coin), int(start)): Part(int(heard), _numbers(sums), set(map(str, ids)))
                for coin, start, heard, sums, ids in body["parts"]
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what was laid down: {error!r}") from error
        self._levels, self._parts = levels, parts


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    found = {str(name): float(value) for name, value in values.items()}
    if not all(map(math.isfinite, found.values())):
        raise ValueError("not a number")
    return found
