"""What each alarm came to, and what each event heard of a rule, on one history.

An alarm is a spell that begins where it is looked at. It leaves at the next open and comes back at
the open after the spell: what a unit of position gained by that is its benefit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.alarms import Counts
from riskguard.backtest.evidence.spells import spells
from riskguard.backtest.evidence.trips import judge
from riskguard.backtest.evidence.windows import KINDS, coming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskguard.backtest.evidence.events import Fall
    from riskguard.backtest.evidence.spells import Spell
    from riskguard.history.history import Bars

    Truths = NDArray[np.bool_]

__all__ = ["Alarm", "Answer", "Scene", "alarms", "answer", "counts"]


@dataclass(frozen=True, eq=False)
class Scene:
    """One history as a study looks at it: from bar `first` on, but for what is closed."""

    bars: Bars
    every: int  # ns
    first: int
    closed: Truths  # per bar
    kinds: NDArray[np.int8]
    level: float
    within: int
    cost: float  # of leaving or coming back, as a share of the value traded

    @cached_property
    def looked_at(self) -> Truths:
        """Which bars are looked at; the last has no open behind it."""
        open_: Truths = ~self.closed
        open_[: self.first] = False
        open_[-1:] = False
        return open_

    @cached_property
    def told(self) -> tuple[Truths, Truths]:
        """Whether a fall follows each bar, and at which bars looked at the data tells so."""
        bars, ts = self.bars, self.bars.ts
        falls, known = coming(ts, bars.open, bars.close, self.level, self.within)
        shut = np.concatenate(([0], np.cumsum(self.closed)))
        hidden = shut[np.searchsorted(ts, ts + self.within, side="right")] > shut[:-1]
        return falls, known & self.looked_at & ~hidden


class Alarm(NamedTuple):
    """An alarm of a rule: its bar, what followed, in what kind of time it came, what it gained."""

    bar: int
    word: str  # true late false unjudged
    kind: str  # fall dip calm
    benefit: float  # of a unit of position, as a share of the price left at, costs paid
    lasted: int  # ns

    @property
    def hit(self) -> bool:
        """Whether the fall of the definition followed."""
        return self.word in {"true", "late"}


class Answer(NamedTuple):
    """What a rule said in one event: how long before the low, and how much was done by then."""

    lead: int  # ns from the fill to the low
    done: float  # share of the whole fall that was done at the fill

    @property
    def in_time(self) -> bool:
        """Whether it was on before half of the fall was done."""
        return self.done <= 0.5


def alarms(scene: Scene, on: Truths) -> tuple[Alarm, ...]:
    """Return the alarms of a rule that begin in what is looked at.

    One whose outcome lies in closed time, or behind the last bar, is unjudged.
    """
    looked = scene.looked_at
    found = (one for one in spells(on, scene.first) if looked[one.begun])
    return tuple(_alarm(scene, one) for one in found)


def _alarm(scene: Scene, one: Spell) -> Alarm:
    ts, last = scene.bars.ts, scene.bars.ts.size - 1
    end = last if one.over is None else one.over
    horizon = int(np.searchsorted(ts, ts[one.begun] + scene.within, side="right"))
    hidden = bool(scene.closed[one.begun : max(horizon, end + 1)].any())
    word = "unjudged" if hidden else judge(scene.bars, one.begun, scene.level, scene.within)
    left = float(scene.bars.open[one.begun + 1])
    back = float(scene.bars.open[end + 1] if end < last else scene.bars.close[last])
    paid = scene.cost * (1 + back / left)
    return Alarm(
        bar=one.begun,
        word=word,
        kind=KINDS[scene.kinds[one.begun]],
        benefit=1 - back / left - paid,
        lasted=int(ts[end] - ts[one.begun]),
    )


def answer(scene: Scene, on: Truths, fall: Fall) -> Answer | None:
    """Return what a rule said in a fall, from its high to its low; None where it was silent."""
    begin = max(fall.peak, scene.first)
    heard = np.flatnonzero(on[begin : fall.trough])
    if not heard.size:
        return None
    bar = begin + int(heard[0])
    bars = scene.bars
    high, low = float(bars.close[fall.peak]), float(bars.close[fall.trough])
    done = (high - float(bars.open[bar + 1])) / (high - low)
    return Answer(int(bars.ts[fall.trough] - bars.ts[bar]), min(max(done, 0.0), 1.0))


def counts(scene: Scene, on: Truths) -> Counts:
    """Return the bars looked at by whether the rule was on and whether a fall followed."""
    falls, looked = scene.told
    cases = ((on, falls), (on, ~falls), (~on, falls), (~on, ~falls))
    return Counts(*(int((looked & first & second).sum()) for first, second in cases))
