"""Events that were taken, the latest of them: what is told again after a reconnect counts once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskguard.engine.events import Refused
from riskguard.market import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from riskguard.engine.events import Event

__all__ = ["Known"]

MOST = 32_768  # of one generation: between so many and twice as many are known
LONGEST = 200  # characters of a text that is kept


class Known:
    """The keys of events, in two generations: when the young one is full, the old one goes."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[tuple[Any, ...], int] = {}
        self._old: dict[tuple[Any, ...], int] = {}

    def again(self, event: Event, ts: int) -> bool:
        """Say whether an event was told before; else it is known from now on.

        Raises:
            Refused: a field is none by which an event can be known again.
        """
        content = event.id or _content(event, ts)
        key = (event.source, event.kind, event.symbol, content)
        young = self._young
        if key in young or key in self._old:
            return True
        young[key] = ts
        if len(young) >= MOST:
            self._old, self._young = young, {}
        return False

    def dump(self, since: int) -> list[list[Any]]:
        """Return what is known of events from `since` on, as JSON holds it."""
        known = self._old | self._young
        return [[list(_flat(key)), ts] for key, ts in known.items() if ts >= since]

    def load(self, told: Iterable[tuple[list[Any], int]]) -> None:
        """Take what `dump` gave."""
        self._old, self._young = {}, {_key_of(key): int(ts) for key, ts in told}


def _content(event: Event, ts: int) -> tuple[Any, ...]:
    """Return what an event without an id says, as one key."""
    data = event.data
    for name, value in data.items():
        kind = value.__class__
        if kind is float or kind is int:
            if -LARGEST <= value <= LARGEST:  # type: ignore[operator]  # it is a number
                continue
        elif kind is bool or (kind is str and len(value) <= LONGEST):  # type: ignore[arg-type]  # it is a text
            continue
        msg = f"{name} is neither a possible number nor a short text"
        raise Refused(msg)
    return (*sorted(data.items()), ts)


def _flat(key: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the parts of a key, a content as one list."""
    for part in key:
        yield (
            part
            if isinstance(part, str)
            else [list(one) if isinstance(one, tuple) else one for one in part]
        )


def _key_of(told: list[Any]) -> tuple[Any, ...]:
    return tuple(
        part
        if isinstance(part, str)
        else tuple(tuple(one) if isinstance(one, list) else one for one in part)
        for part in told
    )
