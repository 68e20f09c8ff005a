"""What feeds make of a market: they stall, gap, freeze, repeat, disorder, leap and send poison."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from riskguard.engine.events import Event
from riskguard.market import DAY, MINUTE, SECOND
from tests.sim.market import START, Told

__all__ = ["FAULTS", "OTHERS", "SERIES", "UNITS", "Delivery", "Feeds"]

FAULTS = (
    "stall", "backlog", "gap", "freeze", "repeat", "disorder", "very late", "leap", "units",
    "stamps", "poison", "future", "mute",
)  # fmt: skip
OTHERS = ("bar2", "bar3")  # further venues of the same price
# which series a feed proves
SERIES = {
    "bar": ("close", "high", "low"), "eth": ("ETH.close",), "oi": ("oi",), "liq": ("liq.long",),
    "funding": ("funding",), "account": ("equity",), "trade": (),
}  # fmt: skip
NUMBERS = ("close", "high", "low", "coins", "notional_usd", "rate", "equity", "price")
POISON = (
    math.nan, math.inf, -math.inf, -5.0, None, "90k", True, [1.0], {}, 10**400, "1_0", "\u0663",
    b"5", 1j,
)  # fmt: skip
UNITS = 1000  # by which open interest jumps where its unit is switched
STAMPS = (0, -1, True, 1.5, 10**30, None, "now", math.nan)


def is_name(symbol: object) -> bool:
    return isinstance(symbol, str) and symbol != ""


class Delivery(NamedTuple):
    """An event on its way: when it arrives, and whether it is what really happened."""

    at: int
    number: int  # of all deliveries: nothing else decides what comes first
    feed: str
    event: Event
    sound: bool
    switched: bool = False  # it speaks in another unit


class Feeds:
    """Every feed with the fault it suffers now; `kinds` are those that may befall any."""

    def __init__(
        self, dice: random.Random, kinds: Iterable[str], others: Iterable[str] = ()
    ) -> None:
        self.dice, self.kinds, self.names = dice, tuple(kinds), (*SERIES, *others)
        self.now: dict[str, tuple[str, int]] = {}  # feed -> fault, the bar it ends at
        self.last: dict[tuple[str, str], Event] = {}
        self.held: dict[str, list[Delivery]] = {}
        self.number = 0
        self.met: Counter[str] = Counter()  # events that a fault befell

    def minute(self, bar: int, told: Iterable[Told]) -> Iterator[Delivery]:
        """Yield what becomes of the events of one bar."""
        for feed, (_, until) in list(self.now.items()):
            if bar >= until:
                del self.now[feed]
                yield from self._released(feed, bar)
        for feed in self.names:
            if self.kinds and feed not in self.now and self.dice.random() < 0.03:
                self.now[feed] = (self.dice.choice(self.kinds), bar + self.dice.randint(1, 12))
        for feed, at, event in told:
            fault = self.now.get(feed, ("", 0))[0]
            yield from self._made(fault, feed, at, event)
            self.last[feed, event.kind] = event

    def _released(self, feed: str, bar: int) -> Iterator[Delivery]:
        for one in self.held.pop(feed, []):
            yield one._replace(at=max(one.at, START + (bar - 1) * MINUTE))

    def _one(self, feed: str, at: int, event: Event, *, sound: bool = True) -> Delivery:
        self.number += 1
        return Delivery(at, self.number, feed, event, sound)

    def _made(self, fault: str, feed: str, at: int, event: Event) -> Iterator[Delivery]:
        dice = self.dice
        if (
            fault == "stall"
            or (fault == "gap" and dice.random() < 0.4)
            or (fault == "mute" and event.kind == "alive")
        ):
            self.met[f"feed {fault}"] += 1
            return
        if fault == "backlog":
            self.held.setdefault(feed, []).append(self._one(feed, at, event))
        elif fault == "repeat":
            for _ in range(dice.randint(1, 3)):
                yield self._one(feed, at, event)
                at += dice.randrange(2 * MINUTE)
        elif fault == "disorder":
            yield self._one(feed, at + dice.randrange(MINUTE), event)
        elif fault == "very late":
            yield self._one(feed, at + dice.randrange(5 * MINUTE), event)
        else:
            made = self._altered(fault, feed, at, event)
            self.met[f"feed {fault}"] += made.event is not event
            yield made
            return
        self.met[f"feed {fault}"] += 1

    def _altered(self, fault: str, feed: str, at: int, event: Event) -> Delivery:
        dice, data = self.dice, dict(event.data)
        names = [name for name in NUMBERS if name in data]
        if fault == "freeze" and names:
            before = self.last.get((feed, event.kind))
            return self._one(feed, at, replace(event, data=before.data if before else data))
        if fault == "leap" and names and dice.random() < 0.3:
            by = dice.choice((0.3, 0.7, 1.4, 3.0))
            data |= {name: data[name] * by for name in names}  # type: ignore[operator]  # `names` are those of numbers
            return self._one(feed, at, replace(event, data=data))
        if fault == "units" and feed == "oi":
            if dice.random() < 0.5:
                data = {"contracts": data["coins"]}
                return self._one(feed, at, replace(event, data=data), sound=False)
            data = {"coins": UNITS * data["coins"]}
            made = self._one(feed, at, replace(event, data=data), sound=False)
            return made._replace(switched=True)
        if fault == "stamps":
            ts = event.ts // dice.choice((SECOND, 10**6, 10**3))
            return self._one(feed, at, replace(event, ts=ts))  # true, if it is taken
        if fault == "future":
            ts = event.ts + dice.choice((MINUTE, DAY))
            return self._one(feed, at, replace(event, ts=ts))  # taken where it comes late enough
        if fault == "poison":
            made = self._poisoned(event, names)
            heard = feed == "account" and made.symbol != event.symbol and is_name(made.symbol)
            return self._one(feed, at, made, sound=heard)  # equity is that of all symbols
        return self._one(feed, at, event)

    def _poisoned(self, event: Event, names: list[str]) -> Event:
        dice, data = self.dice, dict(event.data)
        if names and dice.random() < 0.7:
            spoiled = dice.sample(names, dice.randint(1, len(names)))
            for name in dict.fromkeys((names[0], *spoiled)):  # the first is always read
                data[name] = dice.choice(POISON)
            return replace(event, data=data, id="")
        how = dice.choice(("stamp", "kind", "field", "missing", "symbol", "name", "trust"))
        if how == "stamp":
            return replace(event, ts=dice.choice(STAMPS))
        if how == "kind":
            return replace(event, kind=dice.choice(("tick", "", "bars", "\0", None, [])))
        if how == "missing":
            return replace(event, data=dice.choice(({}, None, {5: 1.0})))
        if how == "symbol":
            return replace(event, symbol=dice.choice(("DOGE", "", "x" * 50, "\u202eBTC", None, [])))
        if how == "name":
            return replace(event, id=dice.choice((5, [], b"x")))
        return replace(event, data=data | {how: dice.choice(([], math.nan, b"x"))})
