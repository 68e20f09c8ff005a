"""Several venues that tell one guard a price, minute by minute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from riskguard import Guard, Intake, State
from riskguard.engine.decision import Decision
from riskguard.engine.events import Event
from riskguard.language.reader import read_text
from riskguard.market import MINUTE, SECOND

__all__ = ["START", "THREE", "Bar", "Minutes", "flat"]

START = 1_767_225_600_000_000_000
THREE = ("binance", "bybit", "okx")
Bar = tuple[float, float, float, float]  # open, high, low, close
FELL = """\
version: 1
symbol: BTC
every: 1m
rules:
  fell:
    when: {any: ["close.drop(5m) >= 10%", "low.low(2m) < close.high(5m) - 10%"]}
    clear: {all: ["close.drop(5m) < 3%", "low.low(2m) > close.high(5m) - 3%"]}
    do: {exposure_cap: 0%}
"""


def flat(price: float) -> Bar:
    return price, price, price, price


class Minutes:
    """A guard of one symbol behind its intake; `halted` are the minutes it was HALTED in."""

    def __init__(
        self, venues: Sequence[str] = THREE, rules: str = FELL, **options: int | None
    ) -> None:
        self.venues, self.rules, self.options = tuple(venues), rules, options
        self.live = self._made()
        self.number, self.halted = 0, []

    def _made(self) -> Intake:
        ruleset, found = read_text(self.rules, "rules.yaml")
        assert ruleset is not None, found
        sources = {"close": self.venues} if len(self.venues) > 1 else {"close": self.venues[0]}
        return Intake(Guard(ruleset, sources=sources), **self.options)

    def event(self, venue: str, bar: Bar | float, minute: int, symbol: str = "BTC") -> Event:
        names = ("open", "high", "low", "close")
        prices = bar if isinstance(bar, tuple) else flat(bar)
        data = {**dict(zip(names, prices, strict=True)), "volume": 1.0 + minute}
        ts = START + minute * MINUTE
        return Event(ts, "bar", symbol, {**data, "interval_ns": MINUTE}, source=venue)

    def minute(self, told: Mapping[str, Bar | float], late: Iterable[str] = ()) -> Decision:
        """Let a minute pass: what comes `late` comes when its bar has been decided."""
        self.number += 1
        late = [venue for venue in told if venue in set(late)]
        for venue, bar in told.items():
            if venue not in late:
                self.live.take(self.event(venue, bar, self.number))
        self.tick(6 * SECOND)
        for venue in late:
            self.live.take(self.event(venue, told[venue], self.number))
        decision = self.tick(7 * SECOND)
        if decision.state is State.HALTED:
            self.halted.append(self.number)
        return decision

    def calm(self, count: int, price: float = 100.0, venues: Sequence[str] = ()) -> None:
        for _ in range(count):
            self.minute(dict.fromkeys(venues or self.venues, price))

    def tick(self, after: int) -> Decision:
        return self.live.take(Event(START + self.number * MINUTE + after, "clock", "*"))

    def restart(self) -> None:
        """Go on in another guard and intake, from what these dump."""
        again, before = self._made(), self.dumped()
        again.guard.load(self.live.guard.dump())
        again.load(json.loads(json.dumps(self.live.dump(), allow_nan=False)))
        self.live = again
        assert self.dumped() == before

    def dumped(self) -> tuple[str, str]:
        return self.live.guard.dump(), json.dumps(self.live.dump())

    def closes(self) -> list[float]:
        """The closes that the guard was told."""
        guard = self.live.guard
        pairs = zip(guard.plan.tapes, guard.stream.tapes, strict=True)
        return next(list(tape.values) for spec, tape in pairs if spec.key == "close")
