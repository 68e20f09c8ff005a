"""Feeds of others: plug-ins that tell what no venue of ours does, trusted with nothing.

Each runs on a thread of its own, so that one that hangs holds nothing back: its series grow old,
and the guard is blind where it needs them. What one tells is checked before it is passed on; one
that raises or tells nonsense three times in a row is quarantined: never asked again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.events import Event, facts, nanoseconds
from riskguard.errors import RECEIVED, foreign
from riskguard.market import CATALOGUE, DIMENSIONS, MINUTE, SECOND
from riskguard.plugins import PluginError, load, said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Answer = Callable[[list[Event] | BaseException], None]

__all__ = ["MOST_FAULTS", "SERIES", "Brought", "Vendor"]

SERIES = ("bars", "open_interest", "liquidations", "funding")
MOST_FAULTS = 3  # in a row
MOST_EVENTS = 100_000  # of one poll
AHEAD = 5 * SECOND  # by which a stamp may lie in the future
FASTEST, SLOWEST = 0.1, 86_400.0  # seconds between two polls
# kind of an event -> what brings it; of `value` and `alive` the series says it
KINDS = {
    "bar": "bars",
    "trade": "bars",
    "mark": "bars",
    "liquidation": "liquidations",
    "open_interest": "open_interest",
    "funding": "funding",
}
ALIVE = {
    **dict.fromkeys(("liq.long", "liq.short", "liq.total"), "liquidations"),
    **dict.fromkeys(("oi", "oi_usd"), "open_interest"),
    **dict.fromkeys(("open", "high", "low", "close", "volume"), "bars"),
    "funding": "funding",
}
OWN = re.compile(r"[a-z][a-z0-9_]{0,31}(?:\.[a-z][a-z0-9_]{0,31})?", re.ASCII)
INTERVAL = re.compile(r"(?P<count>[1-9]\d{0,3})(?P<unit>[mhd])", re.ASCII)


class UnfitError(Exception):
    """What a plug-in does not have, or has of another kind."""


class NonsenseError(Exception):
    """What it told is none of what it says it brings."""


class Brought(NamedTuple):
    """A series of its own that a plug-in brings: its unit, and how often a value comes."""

    unit: str
    interval: str  # "1d"


class Vendor:
    """One feed of others: `ask` has it polled on its own thread, and what it told checked there.

    Raises:
        PluginError: it is not installed, not allowed, or does not fit.
    """

    series: tuple[str, ...]  # of SERIES
    values: dict[str, Brought]  # series of its own
    every: float  # seconds between two polls
    coverage: str  # of its liquidations

    def __init__(self, name: str, symbols: Sequence[str], now: Callable[[], int]) -> None:
        offered, self.whose = load("feeds", name)
        self.name, self.symbols, self.now = name, tuple(symbols), now
        self.faults, self.fault = 0, ""
        self.since = 0  # ns of the newest that it told
        try:
            self.plugin: Any = offered(symbols=self.symbols)
            self._read()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # code of others may leave in any way
            why = str(error) if type(error) is UnfitError else f"cannot be made: {said(error)}"
            message = f"plug-in '{name}' of {self.whose} {why}"
            raise PluginError("RG609", message, f"tell who wrote {self.whose}") from error
        self._asked: SimpleQueue[Answer | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._run, name=f"feed {name}", daemon=True)

    def _read(self) -> None:
        """Read what the plug-in says of itself, once."""
        plugin = self.plugin
        if not callable(getattr(plugin, "poll", None)):
            raise UnfitError("has no method poll()")
        series, values = getattr(plugin, "series", ()), getattr(plugin, "values", {})
        if not isinstance(series, tuple | list) or not set(map(str, series)) <= set(SERIES):
            raise UnfitError(f"has `series` that are none of {', '.join(SERIES)}")
        if not isinstance(values, Mapping):
            raise UnfitError('has `values` that are not {"name": ("index", "1d")}')
        self.series = tuple(dict.fromkeys(map(str, series)))
        self.values = {_named(name): _brought(name, given) for name, given in values.items()}
        if not self.brings:
            raise UnfitError("brings nothing: it has neither `series` nor `values`")
        every, self.coverage = getattr(plugin, "every", 60.0), getattr(plugin, "coverage", "full")
        if type(every) not in {int, float} or not FASTEST <= every <= SLOWEST:
            raise UnfitError(f"has an `every` that is not {FASTEST:g} to {SLOWEST:,.0f} seconds")
        if self.coverage not in {"full", "sampled"}:
            raise UnfitError("has a `coverage` that is neither full nor sampled")
        self.every = float(every)

    @property
    def brings(self) -> tuple[str, ...]:
        """The series that come from it."""
        return (*self.series, *self.values)

    def about(self) -> dict[str, Any]:
        """Return what it brings, as JSON holds it."""
        values = {name: list(one) for name, one in self.values.items()}
        return {"series": list(self.series), "values": values, "coverage": self.coverage}

    @property
    def quarantined(self) -> bool:
        """Whether it is never asked again."""
        return self.faults >= MOST_FAULTS

    def ask(self, answer: Answer) -> None:
        """Let it be polled; `answer` is called on its thread, with events or with what failed."""
        if self.thread.ident is None:
            self.thread.start()
        self._asked.put(answer)

    def end(self) -> None:
        """Ask no more; a call that hangs is left alone."""
        self._asked.put(None)

    def ended(self, failed: BaseException | None) -> None:
        """Take note of how a poll ended."""
        if failed is None:
            self.faults, self.fault = 0, ""
            return
        self.fault = said(failed)
        if not isinstance(failed, OSError):  # what cannot be reached may come back
            self.faults += 1

    # ------------------------------------------------------------ on its thread

    def _run(self) -> None:
        while (answer := self._asked.get()) is not None:
            found: list[Event] | BaseException
            try:
                found = self._checked(list(islice(self.plugin.poll(self.since), MOST_EVENTS + 1)))
            except BaseException as error:  # noqa: BLE001 - the thread goes on, whatever it raises
                found = error
            answer(found)

    def _checked(self, told: list[Any]) -> list[Event]:
        """Return what it told as events that come from it: all of them, or none."""
        if len(told) > MOST_EVENTS:
            raise NonsenseError(f"more than {MOST_EVENTS:,} events at once")
        events = [self._event(one) for one in told]
        self.since = max([self.since, *(nanoseconds(one.ts)[0] for one in events)])
        return events

    def _event(self, one: Any) -> Event:  # noqa: ANN401 - it may tell anything
        if type(one) is not Event:
            raise NonsenseError(f"{type(one).__name__} is no Event")
        if not isinstance(one.data, Mapping):
            raise NonsenseError("the data of an event are no mapping")
        event = replace(one, data=dict(one.data), source=self.name)
        facts(event)
        brought = KINDS.get(event.kind, "")
        if event.kind in {"value", "alive"}:
            brought = str(event.data["series"])
        if event.kind == "alive" and brought not in self.values:
            brought = ALIVE.get(brought, "")
        if brought not in self.brings or (event.kind == "value" and brought in SERIES):
            raise NonsenseError(f"it brings no {event.kind} {event.data.get('series', '')}".strip())
        if event.symbol not in {*self.symbols, "*"}:
            raise NonsenseError(f"{event.symbol}: nobody asked for it")
        if event.kind == "bar" and event.data["interval_ns"] != MINUTE:
            raise NonsenseError("a bar that is not of one minute")
        if nanoseconds(event.ts)[0] > self.now() + AHEAD:
            raise NonsenseError(f"a {event.kind} that lies in the future")
        return event


def _named(name: object) -> str:
    if not isinstance(name, str) or not OWN.fullmatch(name) or name in {*SERIES, *ALIVE}:
        shown = foreign(name, RECEIVED)
        raise UnfitError(f"brings a value '{shown}' that is no name of a series of its own")
    return name


def _brought(name: str, given: object) -> Brought:
    match given:
        case (str() as unit, str() as interval) if unit in DIMENSIONS and INTERVAL.fullmatch(
            interval
        ):
            known = CATALOGUE.get(name)
            if known is None or known.unit == unit:
                return Brought(unit, interval)
            raise UnfitError(f"brings {name} in {unit}, which is in {known.unit}")
    units = ", ".join(DIMENSIONS)
    raise UnfitError(f'brings {name} without ("index", "1d"): a unit of {units}, and m, h or d')
