"""Signals played against decisions, bar by bar: what is left of them, and what the guard adds.

No order is sent here: each is taken to fill at the open of the bar after its signal, as asked. So
a position is known as far as signals tell it, in units, or in shares where all sizes are shares.
Where stops of vectorbt may close it unseen, it may also have been entered anew: it is then cut by
the larger of the two, and what it may be is counted from the smaller.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from riskguard.engine.decision import State
from riskguard.engine.episodes import Episodes
from riskguard.engine.orders import RESIDUE, Intent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from riskguard.engine.decision import Decision

__all__ = ["AMOUNT", "NOTHING", "PERCENT", "VALUE", "Bar", "Signals", "play"]

AMOUNT, VALUE, PERCENT = 0, 1, 2  # of vectorbt's SizeType
DISABLED, BOTH, REMOVE_ONLY = 0, 1, 3  # of its AccumulationMode
HELD = ("flatten", "reduce_to")
SYMBOL = "held"


class Signals(NamedTuple):
    """What a strategy says at the close of a bar."""

    long_entry: bool
    long_exit: bool
    short_entry: bool
    short_exit: bool
    size: float  # of an entry, and of an exit that only reduces; infinite: all there is

    def settled(self) -> Signals:
        """Return them without what contradicts itself: vectorbt ignores both by default."""
        long_entry, long_exit = self.long_entry, self.long_exit
        short_entry, short_exit = self.short_entry, self.short_exit
        if long_entry and long_exit:
            long_entry = long_exit = False
        if short_entry and short_exit:
            short_entry = short_exit = False
        if long_entry and short_entry:
            long_entry = short_entry = False
        return Signals(long_entry, long_exit, short_entry, short_exit, self.size)


class Bar(NamedTuple):
    """What is handed to vectorbt for one bar."""

    long_entry: bool = False
    long_exit: bool = False
    short_entry: bool = False
    short_exit: bool = False
    size: float = math.inf
    size_type: int = AMOUNT
    accumulate: int = DISABLED


NOTHING = Bar()


def play(
    signals: Sequence[Signals],
    decisions: Sequence[Decision],
    closes: Sequence[int],
    opens: Sequence[float],
    *,
    size_type: int = AMOUNT,
    accumulate: bool = False,
    stops: bool = False,
) -> Iterator[Bar]:
    """Yield what fills at the open of each bar: the signals and the decision of the bar before."""
    yield NOTHING  # nothing is known before the first close
    book = _Book(size_type, accumulate=accumulate, stops=stops)
    known = zip(signals[:-1], decisions[:-1], closes[:-1], opens[1:], strict=True)
    for said, decision, ts, price in known:
        book.price = price
        yield book.bar(said.settled(), decision, ts)


class _Book:
    """What is held of one column, by what was signalled and granted."""

    def __init__(self, size_type: int, *, accumulate: bool, stops: bool) -> None:
        self.size_type, self.accumulate, self.stops = size_type, accumulate, stops
        self.held = self.most = 0.0  # if no stop was hit; if one was and it was entered anew
        self.price = 0.0  # that the bar fills at
        self.episodes = Episodes()
        self.decision: Decision | None = None
        self.known = True  # what is held is counted in units

    def bar(self, said: Signals, decision: Decision, ts: int) -> Bar:
        if decision is not self.decision:
            self.decision = decision
            self.episodes.see(decision, {SYMBOL: self.held})
        limit = self._limit(decision)
        order = self._order(said)
        if order * self.held < 0:
            return self._leave(said, order, decision, ts, limit)
        if limit < abs(self.most) * (1 - RESIDUE):  # what is cut does not grow on the same bar
            return self._cut(limit)
        return self._enter(said, order, decision, ts) if order else NOTHING

    def _limit(self, decision: Decision) -> float:
        """Return how much may be held, as the guard would bring it down unasked."""
        if decision.state is State.ACTIVE:
            return math.inf
        self.episodes.note(SYMBOL, self.most)
        found = [one for one in self.episodes.duties(SYMBOL) if one.kind in HELD]
        return min(
            (one.data.get("ceiling", math.inf) if one.kind == HELD[1] else 0.0 for one in found),
            default=math.inf,
        )

    def _units(self, size: float) -> float:
        """Return a size in units; where it is a share, in such shares."""
        if math.isinf(size):
            return 1.0
        return size / self.price if self.size_type == VALUE else size

    def _order(self, said: Signals) -> float:
        """Return the order that vectorbt would make of signals, signed; 0 for none."""
        held, asked = self.held, self._units(said.size)
        sign = math.copysign(1.0, held)
        out, other = said.long_exit, said.short_entry
        if held < 0:
            out, other = said.short_exit, said.long_entry
        if held and (out or other):
            if self.accumulate:  # an exit then takes its size, of percents a share of what is held
                if self.size_type == PERCENT or math.isinf(said.size):
                    return -held * min(1.0, said.size)
                return -sign * min(abs(held), asked)
            return -held - sign * asked if other else -held
        return asked * said.long_entry - asked * said.short_entry

    def _leave(self, said: Signals, order: float, decision: Decision, ts: int, limit: float) -> Bar:
        """Close or reverse; what is entered on the other side is asked."""
        granted = self._granted(order, decision, ts, self.held)
        sign, room = math.copysign(1.0, order), abs(self.held)
        if self.accumulate and granted < room:
            left = min(room - granted, limit)
            if left < room - granted:
                return self._cut(left)
            self._now(math.copysign(left, self.held))
            return self._exit(-sign, said.size, self.size_type, BOTH)
        entering = granted - room
        if entering <= RESIDUE * abs(order):
            self._now(0.0)
            return self._exit(-sign)
        whole = granted >= abs(order)
        if not whole and (self.size_type == PERCENT or math.isinf(said.size)):
            self._now(0.0)  # vectorbt reverses no share of what there is: it leaves
            return self._exit(-sign)
        self.known = self.size_type != PERCENT and math.isfinite(said.size)
        self._now(sign * entering)
        return self._entry(sign, said.size if whole else self._sized(entering), DISABLED)

    def _enter(self, said: Signals, order: float, decision: Decision, ts: int) -> Bar:
        """Enter or add. Where nothing is added, a position may have been stopped out: as anew."""
        if self.held and not self.accumulate and not self.stops:
            return NOTHING
        position = self.held if self.accumulate else 0.0
        granted = self._granted(order, decision, ts, position)
        if granted <= 0:
            return NOTHING
        self.known = self.size_type != PERCENT and math.isfinite(said.size)
        sign = math.copysign(1.0, order)
        if not self.held or self.accumulate:
            self.held = sign * (abs(position) + granted)
        self.most = sign * max(abs(self.most), abs(self.held), granted)
        mode = BOTH if self.accumulate else DISABLED
        if granted >= abs(order):
            return self._entry(sign, said.size, mode)
        if math.isinf(said.size):
            return self._entry(sign, granted, mode, PERCENT)
        return self._entry(sign, self._sized(granted), mode)

    def _sized(self, units: float) -> float:
        """Return units as a size of the strategy's kind."""
        return units * self.price if self.size_type == VALUE else units

    def _granted(self, order: float, decision: Decision, ts: int, position: float) -> float:
        if decision.state is State.ACTIVE:
            return abs(order)
        side = "buy" if order > 0 else "sell"
        intent = Intent(ts, SYMBOL, side, abs(order), position)
        if decision.leverage_cap is not None:  # none is below 1, and vectorbt lends nothing
            decision = replace(decision, leverage_cap=None)
        return self.episodes.judge(intent, decision).quantity

    def _cut(self, limit: float) -> Bar:
        """Bring what is held down to a limit: a long by a share of it, whatever it is.

        vectorbt has no such share for shorts. Where their units are not known they are closed.
        """
        sign, held = math.copysign(1.0, self.most), abs(self.most)
        if limit <= 0 or (sign < 0 and not self.known):
            self._now(0.0)
            return self._exit(sign)
        self._now(sign * limit)
        if sign < 0:
            return self._exit(sign, held - limit, AMOUNT, REMOVE_ONLY)
        return self._exit(sign, 1.0 - limit / held, PERCENT, REMOVE_ONLY)

    def _now(self, held: float) -> None:
        self.held = self.most = held

    @staticmethod
    def _exit(
        sign: float, size: float = math.inf, size_type: int = AMOUNT, accumulate: int = DISABLED
    ) -> Bar:
        exits = {"long_exit": sign > 0, "short_exit": sign < 0}
        return Bar(**exits, size=size, size_type=size_type, accumulate=accumulate)

    def _entry(
        self, sign: float, size: float, accumulate: int, size_type: int | None = None
    ) -> Bar:
        entries = {"long_entry": sign > 0, "short_entry": sign < 0}
        kind = self.size_type if size_type is None else size_type
        return Bar(**entries, size=size, size_type=kind, accumulate=accumulate)
