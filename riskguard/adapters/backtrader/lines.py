"""What a guard reads from Backtrader feeds: which feed drives it, and samples from lines."""

# ruff: noqa: SLF001 - Backtrader has no public names for what is asked here
from __future__ import annotations

import copyreg
import math
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from riskguard.errors import AdapterError
from riskguard.language.rewriting import series_of
from riskguard.language.ruleset import Compare, walk
from riskguard.market import ACCOUNT, DAY, MINUTE, SECOND, WEEK, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.plan import Plan
    from riskguard.language.ruleset import RuleSet
    from riskguard.market import Instrument

__all__ = ["GuardLike", "LineReader", "TrackLike", "bar_of", "driving", "nanoseconds", "symbol_of"]

Feed = Any  # Backtrader is untyped
EPOCH_DAY = 719_163  # 1 January 1970
DAY_MS = 86_400_000
FRAMES = {3: SECOND, 4: MINUTE, 5: DAY, 6: WEEK}  # numbers of backtrader.TimeFrame


def _proxy(items: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(items)


def _reduce_proxy(proxy: Mapping[Any, Any]) -> tuple[Any, ...]:
    return _proxy, (dict(proxy),)


# rule sets and decisions hold read-only mappings; `optstrategy` sends brokers to processes
copyreg.pickle(MappingProxyType, _reduce_proxy)


class TrackLike(Protocol):
    """Decisions made beforehand: each holds from the close of its bar (from 0) on."""

    @property
    def starts(self) -> Sequence[int]:
        """Return the bars at whose close a decision comes into force, ascending."""

    @property
    def decisions(self) -> Sequence[Decision]:
        """Return the decisions, one for each start."""


class GuardLike(Protocol):
    """What the broker asks of a guard."""

    symbol: str
    ruleset: RuleSet
    plan: Plan
    sources: Mapping[str, str]
    instruments: Mapping[str, Instrument]

    def __init__(
        self,
        ruleset: RuleSet,
        *,
        sources: Mapping[str, str] | None = None,
        instruments: Mapping[str, Instrument] | None = None,
    ) -> None: ...

    def update(self, sample: Sample) -> Decision:
        """Take a sample and return the decision in force."""


def nanoseconds(day_number: float) -> int:
    """Return a Backtrader stamp as int ns UTC; its float is good to the millisecond."""
    return round((day_number - EPOCH_DAY) * DAY_MS) * 1_000_000


def symbol_of(feed: Feed) -> str:
    """Return the name of a feed; a resampled copy has that of its base."""
    while not feed._name and feed._clone:
        feed = feed.data
    return str(feed._name or "")


def driving(feeds: Sequence[Feed], symbol: str) -> Feed:
    """Return the feed whose bars the guard follows; a replayed one is refused."""
    named = [feed for feed in feeds if not symbol or feed._name == symbol]
    base = [feed for feed in feeds if not feed._clone]
    if not named and len(base) == 1 and not base[0]._name:
        named = base
    if not named:
        there = ", ".join(repr(feed._name) for feed in feeds)
        raise AdapterError(
            f"no feed is named {symbol!r}; there are {there}. "
            f"Write cerebro.adddata(feed, name={symbol!r})"
        )
    whole = [feed for feed in named if not feed.replaying]
    if not whole:
        raise AdapterError(
            "the driving feed is replayed: its bar changes while it is open. Add its base feed "
            "too, by name: cerebro.adddata(feed, name='BTC'), GuardedBroker(symbol='BTC', ...)"
        )
    return min(whole, key=lambda feed: bool(feed.resampling or feed._clone))


def bar_of(feed: Feed) -> int:
    """Return the length of a feed's bar in ns; 0 where the frame says nothing."""
    return FRAMES.get(feed._timeframe, 0) * int(feed._compression)


def _strict(ruleset: RuleSet) -> set[tuple[str, str]]:
    """Return (symbol, series) of all that is read without `on_missing: ignore`."""
    found = {("", "close")}
    latches = [(rule.when, rule.clear) for rule in ruleset.rules]
    latches += [(stage.enter, stage.recover) for stage in ruleset.stages]
    conditions = chain.from_iterable(latches)
    for condition in chain(conditions, ruleset.define.values()):
        for node in walk(condition) if condition is not None else ():
            if not isinstance(node, Compare) or node.on_missing == "ignore":
                continue
            for value in series_of(node):
                owner = "" if value.symbol == ruleset.symbol else value.symbol
                found.add((owner, value.name))
    return found


class LineReader:
    """Samples from the lines of feeds: only those that the rules read, others' first.

    A line that holds NaN has nothing new. The account is the broker's to tell.
    """

    def __init__(self, guard: GuardLike, feeds: Iterable[Feed], pilot: Feed, symbol: str) -> None:
        self.symbol, self.pilot = symbol, pilot
        self.lines: list[tuple[str, str, Any]] = []
        self.sorted = False
        self.whole: list[tuple[str, Any]] = []
        self.others: list[tuple[str, str, Any]] = []
        named = {feed._name: feed for feed in feeds}
        tapes = [(spec.symbol, spec.name) for spec in guard.plan.tapes if spec.feeder < 0]
        strict = _strict(guard.ruleset)
        missing = [
            text
            for owner, name in dict.fromkeys([*tapes, ("", "close")])
            if (text := self._find(owner, name, named)) and (owner, name) in strict
        ]
        if missing:
            raise AdapterError(
                f"the rules read {', '.join(missing)}; the feed carries no such line. Give a "
                "GuardFeed these columns, or say on_missing: ignore where they are read"
            )

    def _find(self, owner: str, name: str, named: Mapping[str, Feed]) -> str:
        if not owner and name.removesuffix(".nav") in ACCOUNT:
            return ""
        text = f"{owner}.{name}" if owner and owner != "*" else name
        feed, line = self.pilot, text.replace(".", "_")
        if owner and owner in named:
            feed, line = named[owner], name.replace(".", "_")
        # a GuardFeed has lines for the usual series, and tells which it carries
        if not hasattr(feed.lines, line) or line not in getattr(feed, "carried", {line}):
            return text
        self.lines.append((owner or self.symbol, name, getattr(feed.lines, line)))
        return ""

    def samples(self, ts: int, bar: int) -> list[Sample]:
        """Return the samples of bar number `bar` of the pilot, the guarded symbol's last."""
        if not self.sorted:
            self._sort()
        own = {}
        for name, line in self.whole:
            value = line.array[bar]  # half the time of line[0], which looks up its index
            if value == value:  # noqa: PLR0124 - NaN: nothing new
                own[name] = value
        found: dict[str, dict[str, float]] = {}
        for owner, name, line in self.others:
            value = float(line[0]) if len(line) else math.nan
            if value == value:  # noqa: PLR0124 - as above
                found.setdefault(owner, {})[name] = value
        if found:
            own |= found.pop(self.symbol, {})
        return [Sample(ts, owner, found[owner]) for owner in sorted(found)] + [
            Sample(ts, self.symbol, own)
        ]

    def _sort(self) -> None:
        """Tell lines of the pilot that are held whole from those cut short by exactbars."""
        lines = list(self.pilot.lines)
        self.sorted = True
        for owner, name, line in self.lines:
            mine = owner == self.symbol and any(line is other for other in lines)
            if mine and not line.mode:
                self.whole.append((name, line))
            else:
                self.others.append((owner, name, line))
