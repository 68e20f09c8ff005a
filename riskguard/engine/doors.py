"""The doors of a guard: what comes in, what is refused, and what has not come for too long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.account import LEAST, NAV, Account
from riskguard.engine.windows import NEVER
from riskguard.language.ruleset import input_of
from riskguard.market import FROM_ZERO, LARGEST, SMALLEST, plausible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from riskguard.engine.plan import Plan, TapeSpec
    from riskguard.engine.stream import Stream
    from riskguard.engine.windows import Tape

__all__ = ["Door", "Doors"]

LATE = "out of order"
LATEST = (1 << 63) - 1  # of all time stamps


class Door(NamedTuple):
    """Where the values of one series come in, the least it may be and the most."""

    tape: Tape
    least: float
    most: float
    key: str
    begins: str  # zero | same: how an account input begins; "" for all others
    number: int  # of the tape in the plan


def _least(spec: TapeSpec) -> float:
    if spec.signed:
        return -LARGEST
    return SMALLEST if spec.price else 0.0


class Doors:
    """Puts values on the tapes of one stream, and knows which of them protection waits for.

    `refused` counts what was not taken, by series and cause. `needed` holds the tapes that must
    not grow old; those of an account are among them from its first event on (`begun`).
    """

    def __init__(self, plan: Plan, stream: Stream) -> None:
        self.plan, self.stream = plan, stream
        self.refused: dict[str, int] = {}  # "oi: negative" -> how often
        self.rejected: dict[str, int] = {}  # series -> when a value was refused last
        self.begun = False  # the account has sent its first event
        self.account = Account() if any(spec.begins for spec in plan.tapes) else None
        self._by_symbol: dict[str, dict[str, Door]] = {}
        for number, (spec, tape) in enumerate(zip(plan.tapes, stream.tapes, strict=True)):
            if spec.feeder < 0:
                door = Door(tape, _least(spec), spec.most, spec.shown, spec.begins, number)
                self._by_symbol.setdefault(spec.symbol, {})[spec.name] = door
        self.needed = self._needed(of_account=False)
        self._fresh = NEVER  # until when none is too old: what comes only moves it on

    def take(self, ts: int, symbol: str, values: Mapping[str, float]) -> None:
        """Take the values of one sample; `symbol` "" is the guarded one, or market-wide."""
        if self.account is not None and not symbol:
            values = self._accounted(ts, values, self.account)
        doors = self._by_symbol.get(symbol)
        if doors is None:
            return
        for name, value in values.items():
            if name in doors:
                tape, least, most, key, _, _ = doors[name]
                if (  # `plausible`, written out: this is done for every value that comes
                    (value >= SMALLEST or value == 0 or value <= -SMALLEST)
                    and least <= value <= most  # NaN is never
                    and ts > tape.latest
                ):
                    tape.push(ts, value)
                else:
                    self._refuse(ts, key, least, value, most)

    def amend(self, symbol: str, name: str, ts: int, value: float) -> None:
        """Add to what a flow brought in a bucket that has passed."""
        door = self._by_symbol.get(symbol, {}).get(name)
        if door is None:
            return
        if not plausible(value, door.least):
            self._refuse(ts, door.key, door.least, value)
        elif ts > door.tape.latest:
            door.tape.push(ts, value)
        elif not self.stream.amend(door.number, ts, value):
            self._refuse(ts, door.key, door.least, value)

    def withdraw(self, symbol: str, names: Iterable[str], since: int) -> None:
        """Take back the last values of series, where they came after `since`."""
        doors = self._by_symbol.get(symbol, {})
        for name in names:
            tape = doors[name].tape if name in doors else None
            if tape is not None and tape.times and tape.last == tape.times[-1] > since:
                tape.withdraw()
                self.aged()

    def expire(self, ts: int, symbol: str, name: str) -> None:
        """Let the last value of a series stand no longer from `ts` on."""
        doors = self._by_symbol.get(symbol, {})
        for one in (name, NAV) if name == "equity" else (name,):
            if one in doors:
                doors[one].tape.expire(ts)
                self.aged()

    def begin(self) -> None:
        """Take note that the account has sent its first event: from now on it must go on."""
        if not self.begun:
            self.begun = True
            self.needed += self._needed(of_account=True)
            self.aged()

    def aged(self) -> None:
        """Take note that an input may be older than it was, or another is needed: look again."""
        self._fresh = NEVER

    def late(self, now: int) -> tuple[str, ...]:
        """Return the keys of the inputs that are too old at `now`, sorted."""
        if now < self._fresh:  # at its end it is looked again, so that orders need not
            return ()
        self._fresh = min([tape.last + tape.fresh for tape, _ in self.needed], default=LATEST)
        if now <= self._fresh:
            return ()
        return tuple(sorted({key for tape, key in self.needed if now - tape.last > tape.fresh}))

    def count(self, said: str) -> None:
        """Count something that was refused."""
        self.refused[said] = self.refused.get(said, 0) + 1

    def _needed(self, *, of_account: bool) -> list[tuple[Tape, str]]:
        return [
            (tape, spec.shown)
            for spec, tape in zip(self.plan.tapes, self.stream.tapes, strict=True)
            if spec.needed and bool(spec.begins) is of_account
        ]

    def _accounted(
        self, ts: int, values: Mapping[str, float], account: Account
    ) -> Mapping[str, float]:
        """Return what the account says with what follows from it; its first event begins it."""
        if not any(self._good(name, values[name]) for name in FROM_ZERO & values.keys()):
            return values
        values, refused = account.derived(ts, values)
        doors = self._by_symbol.get("", {})
        for name in sorted(refused.keys() - doors.keys()):
            self._refuse(ts, name, LEAST[name], refused[name])
        for name, door in doors.items():
            if not door.begins or door.tape.first is not None:
                continue
            first = 0.0 if door.begins == "zero" else values.get(name, math.nan)
            carried = input_of(self.plan.ruleset, "", door.key).carried
            if plausible(first, door.least) and carried:
                self.stream.begin(door.number, ts, first)
        self.begin()
        return values

    def _good(self, name: str, value: float) -> bool:
        least = -LARGEST if input_of(self.plan.ruleset, "", name).spec.signed else 0.0
        return plausible(value, least)

    def _refuse(self, ts: int, key: str, least: float, value: float, most: float = LARGEST) -> None:
        if not math.isfinite(value):
            cause = "not finite"
        elif value > most or not plausible(value, -LARGEST):
            cause = "out of bounds"
        elif value < least:
            cause = "a price of zero" if value == 0 else "negative"
        else:
            self.count(f"{key}: {LATE}")
            return
        self.rejected[key] = ts
        self.count(f"{key}: {cause}")
