"""The event study: what a rule file said in many histories, in falls, dips and calm alike.

The falls come from the fixed definition of the catalogue. Nothing is traded, so nothing here is a
verdict: it describes alarms that were, on few events, and says nothing of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskguard.backtest.evidence.answers import Scene, answer
from riskguard.backtest.evidence.events import catalogue, independent, month
from riskguard.backtest.evidence.figures import deepest_fall
from riskguard.backtest.evidence.grades import GRADES, ILLUSTRATION, grades_read, modelled, sampled
from riskguard.backtest.evidence.reach import reach
from riskguard.backtest.evidence.scores import score
from riskguard.backtest.evidence.spells import standing_on
from riskguard.backtest.evidence.windows import kinds, shut
from riskguard.backtest.watching import watch
from riskguard.errors import DataError
from riskguard.market import time_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from riskguard.backtest.evidence.answers import Answer
    from riskguard.backtest.evidence.events import Catalogue, Fall
    from riskguard.backtest.evidence.scores import Score
    from riskguard.backtest.watching import Watch
    from riskguard.history import History
    from riskguard.language.ruleset import RuleSet

    Truths = NDArray[np.bool_]

__all__ = ["Asked", "Happened", "Part", "Study", "look", "study"]


@dataclass(frozen=True)
class Asked:
    """What a study is about: an event is a fall of `level` (a share) within `within` (ns)."""

    level: float
    within: int
    cost: float  # of a fill, as a share of the value traded
    locked: tuple[str, ...]  # months that are not looked at, written 2022-11


@dataclass(frozen=True)
class Part:
    """One history under the rules."""

    name: str
    symbol: str
    scene: Scene
    on: Mapping[str, Truths]  # when the guard, each stage and each rule was on
    listed: Catalogue
    grades: Mapping[str, str]  # of each series that is read
    warm: int  # the bar from which on the rules have warmed up; the scene may begin later
    memory: int  # ns: how far back the rules look
    blind: int  # bars looked at in which a series was blind
    notes: tuple[str, ...]

    @property
    def modelled(self) -> tuple[str, ...]:
        """What no statistics may rest on."""
        return modelled(self.grades)

    @property
    def in_sample(self) -> bool:
        """Whether it reaches into what was known when the shipped rules were written."""
        return bool(shut(self.scene.bars.ts, (ILLUSTRATION,)).any())

    @property
    def grade(self) -> str:
        """The worst grade that is read."""
        return max(self.grades.values(), key=GRADES.index)

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last close that may be looked at, ns."""
        ts = self.scene.bars.ts
        return int(ts[min(self.scene.first, ts.size - 1)]), int(ts[-1])

    @property
    def deepest(self) -> tuple[int, int, float] | None:
        """The deepest fall of the closes from there on: high and low (ns), and how deep."""
        closes, first = self.scene.bars.close, self.scene.first
        found = deepest_fall(closes[first:])
        if found is None:
            return None
        high, low = first + found.peak, first + found.trough
        ts = self.scene.bars.ts
        return int(ts[high]), int(ts[low]), 1 - float(closes[low] / closes[high])


class Happened(NamedTuple):
    """A fall of the catalogue; several that are one event are told by the deepest."""

    part: Part
    fall: Fall
    falls: int  # that are one with it
    why_not: str  # "" where it counts

    @property
    def high(self) -> int:
        """The close before it, ns."""
        return int(self.part.scene.bars.ts[self.fall.peak])

    @property
    def low(self) -> int:
        """The lowest close, ns."""
        return int(self.part.scene.bars.ts[self.fall.trough])


@dataclass(frozen=True)
class Study:
    """What was found, over all parts that count."""

    asked: Asked
    parts: tuple[Part, ...]  # all that could be read, by time
    counting: tuple[Part, ...]  # those that the scores rest on
    mechanics: bool  # nothing is measured throughout: no interval
    events: tuple[Happened, ...]  # independent ones
    others: tuple[Happened, ...]  # falls that do not count
    scores: tuple[Score, ...]

    @property
    def dips(self) -> int:
        """Dips in what is looked at."""
        return sum(
            int(part.scene.looked_at[one.start])
            for part in self.counting
            for one in part.listed.dips
        )


# ------------------------------------------------------------ one history


def look(asked: Asked, ruleset: RuleSet, history: History, name: str, *, symbol: str = "") -> Part:
    """Read rules over one history; `symbol` is traded, else that of the rules or the history.

    Raises:
        RuleError: They do not fit.
        DataError: There are no bars to look at, or the rules need an account.

    """
    symbol = symbol or ruleset.symbol or history.symbol
    seen = watch(ruleset, history, symbol)
    if seen.guard is not None:
        message = "these rules read the account, or decide at every event: no prices tell of them"
        fix = "riskguard backtest runs them with a strategy"
        raise DataError(message, path=ruleset.path, help=fix)
    if asked.within < seen.history.every:
        bar = time_text(seen.history.every)
        message = f"a fall within {time_text(asked.within)} cannot be seen in bars of {bar}"
        raise DataError(message, path=name, help="ask for a longer time: 24h, 7d")
    first = seen.first_bar()
    bars = seen.history.bars(symbol)
    listed = catalogue(bars.ts, bars.close, asked.level, asked.within)
    grades = grades_read(seen.history, seen.bound.ruleset, symbol)
    known = () if modelled(grades) else (ILLUSTRATION,)  # a modelled one illustrates anyhow
    scene = Scene(
        bars=bars,
        every=seen.history.every,
        first=first,
        closed=shut(bars.ts, (*asked.locked, *known)),
        kinds=kinds(listed, bars.ts.size),
        level=asked.level,
        within=asked.within,
        cost=asked.cost,
    )
    return Part(
        name=name,
        symbol=symbol,
        scene=scene,
        on=standing_on(seen.track, seen.bound.ruleset, bars.ts.size),
        listed=listed,
        grades=grades,
        warm=first,
        memory=reach(seen.bound.ruleset),
        blind=int((_blind(seen) & scene.looked_at).sum()),
        notes=(*seen.history.notes, *seen.bound.notes, *sampled(seen.history, grades)),
    )


def _blind(seen: Watch) -> Truths:
    found = np.zeros(seen.ts.size, dtype=bool)
    ends = [*seen.track.starts[1:], seen.ts.size]
    for start, end, one in zip(seen.track.starts, ends, seen.track.decisions, strict=True):
        found[start:end] = bool(one.blind)
    return found


# ------------------------------------------------------------ all of them


def study(asked: Asked, parts: Sequence[Part]) -> Study:
    """Return the figures of every rule over the parts; bars that two of them share count once."""
    found = tuple(_apart(parts))
    measured = tuple(one for one in found if not one.modelled and one.scene.looked_at.any())
    counting = measured or tuple(one for one in found if one.modelled)
    fell = [_happened(asked, part, fall) for part in found for fall in part.listed.falls]
    fell = [one._replace(why_not=one.why_not or _uncounted(one, counting)) for one in fell]
    events = _events([one for one in fell if not one.why_not])
    names = dict.fromkeys(name for part in counting for name in part.on)
    return Study(
        asked=asked,
        parts=found,
        counting=counting,
        mechanics=not measured,
        events=events,
        others=tuple(one for one in fell if one.why_not),
        scores=tuple(_score(name, counting, events, tested=bool(measured)) for name in names),
    )


def _apart(parts: Sequence[Part]) -> list[Part]:
    """Return the parts by time, each from where the one before it of the same symbol has ended."""
    ended: dict[str, int] = {}
    kept = []
    for part in sorted(parts, key=lambda one: (int(one.scene.bars.ts[0]), one.name)):
        ts = part.scene.bars.ts
        after = int(np.searchsorted(ts, ended.get(part.symbol, -1), side="right"))
        first = max(part.scene.first, after)
        kept.append(replace(part, scene=replace(part.scene, first=first)))
        ended[part.symbol] = max(int(ts[-1]), ended.get(part.symbol, -1))
    return kept


def _happened(asked: Asked, part: Part, fall: Fall) -> Happened:
    ts, closed = part.scene.bars.ts, part.scene.closed
    why = ""
    if fall.start < part.scene.first:
        warmed = fall.start >= part.warm
        why = "counted in other data" if warmed else "before the rules had warmed up"
    elif closed[fall.start] or closed[fall.trough]:
        months = {month(ts[bar]) for bar in (fall.start, fall.trough)}
        last_look = not months.isdisjoint(asked.locked)
        why = "locked, kept for a last look" if last_look else "illustrates, was known beforehand"
    return Happened(part, fall, 1, why)


def _uncounted(one: Happened, counting: Sequence[Part]) -> str:
    return "" if one.part in counting else f"mechanics only ({', '.join(one.part.modelled)})"


def _events(fell: Sequence[Happened]) -> tuple[Happened, ...]:
    groups = independent(int(one.part.scene.bars.ts[one.fall.start]) for one in fell)
    found = []
    for group in groups:
        deepest = max((fell[number] for number in group), key=lambda one: one.fall.depth)
        found.append(deepest._replace(falls=len(group)))
    return tuple(found)


def _score(name: str, parts: Sequence[Part], events: Sequence[Happened], *, tested: bool) -> Score:
    read = [part for part in parts if name in part.on]
    seen = [(part.scene, part.on[name]) for part in read]
    memory = max((part.memory for part in read), default=0)
    answers: list[Answer | None] = [
        answer(one.part.scene, one.part.on[name], one.fall) for one in events if name in one.part.on
    ]
    return score(name, seen, answers, memory=memory, tested=tested)
