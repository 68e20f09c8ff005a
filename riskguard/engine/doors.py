"""The doors of a guard: what comes in, what is refused, and what has not come for too long."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.account import LEAST, NAV, Account
from riskguard.engine.windows import NEVER
from riskguard.language.ruleset import input_of
from riskguard.market import FROM_ZERO, LARGEST, SMALLEST, coin, figure, plausible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from riskguard.engine.plan import Plan, TapeSpec
    from riskguard.engine.stream import Stream
    from riskguard.engine.windows import Clock, Tape

__all__ = ["Door", "Doors"]

LATE = "out of order"
LATEST = (1 << 63) - 1  # of all time stamps
MOST_SHAPES = 256  # of which it is kept how they are taken


class Door(NamedTuple):
    """Where the values of one series come in, the least it may be and the most."""

    tape: Tape
    least: float
    most: float
    key: str
    begins: str  # zero | same: how an account input begins; "" for all others
    number: int  # of the tape in the plan


# how a value gets on its tape: the least and the most it may be, what takes it, and that in fixed
# point; both are plain tuples: one with names takes several times as long to take apart
Way = tuple[float, float, "Callable[[float], None]", "Callable[[int], None] | None", int, "Door"]
Pick = Callable[[Mapping[str, float]], tuple[Any, ...]]  # what is taken, from a sample


def nothing(_values: Mapping[str, float]) -> tuple[Any, ...]:
    """Pick nothing: no series is told."""
    return ()


# how samples of these names are taken, as long as there are so many clocks: there is always one
UNSEEN: tuple[int, list[Clock], list[Way], Pick] = (0, [], [], nothing)


def _way(door: Door) -> Way:
    tape = door.tape
    add_fixed = tape.fixed.append if tape.summed else None
    return door.least, door.most, tape.values.append, add_fixed, tape.scale, door


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
        self._beginning = True  # there may be inputs of an account that have not begun
        self.account = Account() if any(spec.begins for spec in plan.tapes) else None
        # what is good of an account begins it
        self._least = {
            name: -LARGEST if input_of(plan.ruleset, "", name).spec.signed else 0.0
            for name in FROM_ZERO
        }
        self._shapes: dict[tuple[str, ...], tuple[int, list[Clock], list[Way], Pick]] = {}
        self._by_symbol: dict[str, dict[str, Door]] = {}
        for number, (spec, tape) in enumerate(zip(plan.tapes, stream.tapes, strict=True)):
            if spec.feeder < 0:
                door = Door(tape, _least(spec), spec.most, spec.shown, spec.begins, number)
                self._by_symbol.setdefault(spec.symbol, {})[spec.name] = door
        self.needed = self._needed(of_account=False)
        self._ages: tuple[int, list[tuple[Clock, int]]] = (0, [])
        self.fresh = NEVER  # until when none is too old: what comes only moves it on

    def take(self, ts: int, symbol: str, values: Mapping[str, float]) -> None:
        """Take the values of one sample; `symbol` "" is the guarded one, or market-wide.

        Where there is an account, they are `figures`.
        """
        if self.account is not None and not symbol:
            values = self._accounted(ts, values, self.account)
        shape = (symbol, *values)
        known, clocks, ways, pick = self._shapes.get(shape, UNSEEN)
        if known != len(self.stream.clocks):  # some have parted since
            clocks, ways, pick = self._shaped(shape)
        given: Iterable[tuple[Way, Any]] = zip(ways, pick(values))  # noqa: B905 - it picks one more
        for clock in clocks:
            if ts <= clock.latest:
                given = self._in_time(ts, given)
                clocks = [one for one in clocks if ts > one.latest]
                break
        refused: list[Tape] = []
        for (least, most, add, add_fixed, scale, door), value in given:
            if type(value) is not float:
                value = figure(value)  # noqa: PLW2901 - what is compared is what is added
            if SMALLEST <= value <= most or (  # `plausible`, written out; NaN is never
                least <= value <= most and (value == 0 or value <= -SMALLEST)
            ):
                add(value)  # `Tape.add`, written out: this is done for every value that comes
                if add_fixed is not None:
                    add_fixed(round(value * scale) if value else 0)
            else:
                refused.append(door.tape)
                self._refuse(ts, door.key, least, value, most)
        for clock in self._parted(clocks, refused) if refused else clocks:
            clock.tick(ts)

    def _in_time(self, ts: int, given: Iterable[tuple[Way, object]]) -> list[tuple[Way, float]]:
        """Refuse what is not later than what its clock has told, and return the rest."""
        kept = []
        for way, value in given:
            least, most, *_, door = way
            if ts > door.tape.clock.latest:
                kept.append((way, figure(value)))
            else:
                self._refuse(ts, door.key, least, figure(value), most)
        return kept

    def _parted(self, clocks: list[Clock], refused: list[Tape]) -> list[Clock]:
        """Return the clocks of what was taken: what was refused parts from the others."""
        kept = [(clock, [one for one in clock.tapes if one not in refused]) for clock in clocks]
        return [clock.part(tapes) for clock, tapes in kept if tapes]

    def _shaped(self, shape: tuple[str, ...]) -> tuple[list[Clock], list[Way], Pick]:
        """Find how what a sample tells is taken; what comes without others, parts."""
        symbol, *names = shape
        doors = self._by_symbol.get(symbol, {})
        told = [name for name in names if name in doors]
        by_clock: dict[Clock, list[Tape]] = {}
        for name in told:
            tape = doors[name].tape
            by_clock.setdefault(tape.clock, []).append(tape)
        clocks = [clock.part(tapes) for clock, tapes in by_clock.items()]
        ways = [_way(doors[name]) for name in told]
        pick = itemgetter(*told, told[0]) if told else nothing  # of one it gives no tuple
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        self._shapes[shape] = len(self.stream.clocks), clocks, ways, pick
        return clocks, ways, pick

    def amend(self, symbol: str, name: str, ts: int, value: float) -> None:
        """Add to what a flow brought in a bucket that has passed."""
        door = self._by_symbol.get(symbol, {}).get(name)
        if door is None:
            return
        if not plausible(value, door.least):
            self._refuse(ts, door.key, door.least, value)
        elif ts > door.tape.clock.latest:
            door.tape.push(ts, value)
        elif not self.stream.amend(door.number, ts, value):
            self._refuse(ts, door.key, door.least, value)

    def holds(self, symbol: str, name: str, ts: int) -> bool:
        """Say whether there is a sample of a series at a time."""
        door = self._by_symbol.get(symbol, {}).get(name)
        times = [] if door is None else door.tape.times
        place = bisect_left(times, ts)
        return place < len(times) and times[place] == ts

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

    def price(self, symbol: str, now: int) -> float | None:
        """Return the last close of a symbol ("" is the guarded one), where it stands at `now`."""
        known = self._by_symbol
        door = known.get(symbol, known.get(coin(symbol), {})).get("close")
        tape = None if door is None else door.tape
        if tape is None or not tape.values or now - tape.last > tape.fresh:
            return None
        return tape.values[-1]

    def join(self) -> None:
        """Let series that have always come together share a clock; how each comes is found anew."""
        from riskguard.engine.sharing import join  # noqa: PLC0415 - after a restart alone

        join(self.stream)
        self._shapes.clear()
        self.aged()

    def begin(self) -> None:
        """Take note that the account has sent its first event: from now on it must go on."""
        if not self.begun:
            self.begun = True
            self.needed += self._needed(of_account=True)
            self.aged()

    def aged(self) -> None:
        """Take note that an input may be older than it was, or another is needed: look again."""
        self._ages, self.fresh, self._beginning = (0, []), NEVER, True

    def late(self, now: int) -> tuple[str, ...]:
        """Return the keys of the inputs that are too old at `now`, sorted."""
        if now < self.fresh:  # at its end it is looked again, so that orders need not
            return ()
        clocks, ages = self._ages
        if clocks != len(self.stream.clocks):
            ages = self._aging()
        until = LATEST
        for clock, fresh in ages:
            if clock.last + fresh < until:  # noqa: PLR1730 - asked every other sample: min() costs a call
                until = clock.last + fresh
        self.fresh = until
        if now <= until:
            return ()
        return tuple(sorted({key for tape, key in self.needed if now - tape.last > tape.fresh}))

    def _aging(self) -> list[tuple[Clock, int]]:
        """Return the clocks of needed inputs, each with the shortest time that one of it stands."""
        ages: dict[Clock, int] = {}
        for tape, _ in self.needed:
            ages[tape.clock] = min(tape.fresh, ages.get(tape.clock, tape.fresh))
        self._ages = len(self.stream.clocks), list(ages.items())
        return self._ages[1]

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
        found, refused = account.derived(ts, values)
        if not refused and not self._beginning:
            return found
        least = self._least
        if not any(plausible(values[name], least[name]) for name in least.keys() & values.keys()):
            return values
        doors = self._by_symbol.get("", {})
        for name in sorted(refused.keys() - doors.keys()):
            self._refuse(ts, name, LEAST[name], refused[name])
        if self._beginning:
            self._let_begin(ts, found)
        return found

    def _let_begin(self, ts: int, values: Mapping[str, float]) -> None:
        """Let account inputs that have not begun do so, where this event says from what."""
        from riskguard.engine.sharing import begin  # noqa: PLC0415 - not before there is an account

        doors, was = self._by_symbol.get("", {}), dict[int, float]()
        for name, door in doors.items():
            if not door.begins or door.tape.first is not None:
                continue
            first = 0.0 if door.begins == "zero" else values.get(name, math.nan)
            carried = input_of(self.plan.ruleset, "", door.key).carried
            if plausible(first, door.least) and carried:
                was[door.number] = first
        begin(self.stream, ts, was)
        self.begin()
        self._beginning = any(door.begins and door.tape.first is None for door in doors.values())

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
