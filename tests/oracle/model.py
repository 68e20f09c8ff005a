"""The whole guard, as rules.md tells it: sections 4, 8.4 and 9 around numbers and machines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from riskguard.language.ruleset import (
    Actions,
    Compare,
    Condition,
    Flag,
    Measured,
    Not,
    Rule,
    RuleSet,
    SeriesValue,
    Stage,
    parts,
)
from riskguard.market import FROM_ZERO, Sample
from tests.oracle.merging import merged
from tests.oracle.truths import Machines
from tests.oracle.world import World

__all__ = ["Model"]

NEVER = -(1 << 62)
LARGEST, SMALLEST = 1e150, 1e-150  # what a price or an amount may be, but for nothing
SECOND = 1_000_000_000
CHAINED = {"equity", "transfers", "trades.closed", "trades.lost"}
Late = dict[str, tuple[int | None, int]]


def said(span: int) -> str:
    for unit, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if span >= 2 * unit * SECOND:
            return f"{span // (unit * SECOND)}{letter}"
    return f"{span // SECOND}s"


def proper(value: object) -> bool:
    """Say whether a value is a number that could be a price or an amount."""
    if type(value) not in {int, float}:
        return False
    return value == 0 or SMALLEST <= abs(value) <= LARGEST  # type: ignore[arg-type]  # a number


class Model:
    """Takes the samples that a guard takes; `answer` is what its decision must say."""

    def __init__(self, rules: RuleSet, sources: dict[str, str] | None = None) -> None:
        self.rules = rules
        self.world = World(rules, dict(sources or {}))
        self.as_of = self.pending = self.closed = NEVER
        self.atr: Measured | None = None
        self.machines = Machines(self.world)
        self._need_all()
        self.account = Account()
        self.begun = False
        self.key: object = None
        self.late: Late = {}
        self.answer = self.made = merged(rules, [], {}, ())

    # ------------------------------------------------------------ needs

    def _need_all(self) -> None:
        latches = [*self.rules.rules, *self.rules.stages]
        for latch in latches:
            if replace(latch.do, notify="") != Actions():
                again = [latch.reentry.condition] if latch.reentry else []
                for node in [*self._sides(latch), *again]:
                    self._need(node, set())
        stops = [latch.do.stop for latch in latches if latch.do.stop is not None]
        if stops:
            self.world.feed("", "close")
        if any(stop.atr is not None for stop in stops):
            close = SeriesValue("", "close", "price")
            span = 14 * self.world.every
            self.atr = Measured("atr", close, span, None, "price", text="close.atr(14 bars)")
            self.world.number(self.atr)
            self.world.need(self.atr)

    def _sides(self, latch: Rule | Stage) -> list[Condition]:
        if isinstance(latch, Rule):
            return [latch.when, Not(latch.when) if latch.clear is None else latch.clear]
        return [latch.enter, Not(latch.enter) if latch.recover is None else latch.recover]

    def _need(self, node: Condition, read: set[tuple[str, str]]) -> None:
        if isinstance(node, Compare | Flag) and node.on_missing == "ignore":
            return
        if isinstance(node, Compare):
            self.world.need(node.left)
            self.world.need(node.right)
        if isinstance(node, Flag) and (node.kind, node.name) not in read:
            read.add((node.kind, node.name))
            for part in self._through(node):
                self._need(part, read)
        for part in parts(node):
            self._need(part, read)

    def _through(self, flag: Flag) -> list[Condition]:
        if flag.kind == "definition":
            return [self.rules.define[flag.name]]
        read = [rule for rule in self.rules.rules if rule.name == flag.name]
        latches = self.rules.stages if flag.kind == "stage" else read
        return [side for latch in latches for side in self._sides(latch)]

    # ------------------------------------------------------------ samples

    def update(self, sample: Sample) -> None:
        ts, symbol, values = sample
        by_event = self.rules.evaluate == "event"
        if by_event and self.as_of < self.pending < ts:
            self._instant(self.pending, closed=False)
        own = symbol == self.rules.symbol
        home = own or symbol == "*"
        came = {name: value for name, value in values.items() if proper(value)}
        if home:
            self._accounted(ts, came, values)
        self._take(ts, "" if home else symbol, came)
        # a bar closes though its close is no price: tests of the pack blind-guard
        closed = own and "close" in values and ts % self.world.every == 0 and ts > self.closed
        if by_event and values and (not own or ts < self.as_of):
            # late, and judged by nothing yet: before anything later is
            self.pending = max(ts, self.pending, self.as_of + 1 if own else ts)
        decides = own and values and ts >= self.as_of if by_event else closed and ts > self.as_of
        if decides:
            self._instant(ts, closed=closed)
        elif ts > self.as_of and not closed and sorted(self._late(ts)) != sorted(self.late):
            self.answer = self._answer(ts, between=True)

    def _take(self, ts: int, symbol: str, came: Mapping[str, float]) -> None:
        """Put the values in their lists: later than the last, and possible for their unit."""
        for name, value in came.items():
            feed = self.world.feeds.get((symbol, name))
            if feed is not None and feed.takes(value):
                last = feed.past.last()
                if last is None or ts > last:
                    feed.past.add(ts, value)

    def _accounted(self, ts: int, came: dict[str, float], sent: Mapping[str, float]) -> None:
        """Derive what follows, and let the account begin with its first event."""
        feeds = self.world.feeds
        if not any(feed.account for feed in feeds.values()):
            return
        good = {
            name: value
            for name, value in came.items()
            if name in FROM_ZERO and (value >= 0 or self.world.said("", name).spec.signed)
        }
        if not good:
            return
        nav = self.account.take(ts, good, came, sent)
        for (symbol, name), feed in feeds.items():
            if not symbol and feed.account and feed.carried and not feed.past.times:
                first = good.get(name) if name == "equity" else 0.0
                if first is not None:
                    self.world.begin(feed, feed.past, ts, first)
        net = self.world.net
        if net is not None and nav is not None:
            equity = feeds["", "equity"]
            if not net.times and equity.carried:
                self.world.begin(equity, net, ts, nav)
            net.add(ts, nav)
        self.begun = True

    # ------------------------------------------------------------ instants

    def _instant(self, now: int, *, closed: bool) -> None:
        self.as_of = now
        if closed:
            self.closed = now
        world, machines = self.world, self.machines
        world.now, world.closed, world.tick = now, closed, world.tick + 1
        machines.step(max(now, machines.tau + 1))
        late, told = self._late(now), self._priming(now)
        key = (
            machines.ladder.stage, [one.on for one in machines.latches.values()],
            [one.cap for one in machines.ramps.values()], sorted(late), told,
            not math.isnan(self._range(now)),
        )  # fmt: skip
        if key != self.key:
            self.key = key
            self.made = self._answer(now, between=False)
            self.made_late = late
        self.answer, self.late = self.made, self.made_late

    def _late(self, now: int) -> Late:
        """Return the needed inputs that are too old, each with its age and limit."""
        found: Late = {}
        for feed in self.world.feeds.values():
            if not feed.needed or not feed.carried or (feed.account and not self.begun):
                continue
            last, fresh = feed.past.last(), feed.past.fresh
            if last is None or now - last > fresh:
                found[feed.key] = (None if last is None else now - last, fresh)
        return found

    def _priming(self, now: int) -> tuple[str, ...]:
        texts = []
        for node in self.world.needed:
            lack = self.world.lacking(node, now)
            if lack:
                texts.append(f"{node.text} has {said(lack[0])} of {said(lack[1])}")  # type: ignore[union-attr]  # a measure
        return tuple(sorted(texts))

    def _range(self, now: int) -> float:
        if self.atr is None:
            return math.nan
        world = self.world
        world.now, world.tick, world.closed = now, world.tick + 1, False
        return world.number(self.atr)()

    def _answer(self, now: int, *, between: bool) -> dict[str, object]:
        machines, rules = self.machines, self.rules
        late, told, atr = self._late(now), self._priming(now), self._range(now)
        close = self.world.feeds.get(("", "close"))
        price = close.past.values[-1] if close is not None and close.past.times else math.nan
        stage = rules.stages[machines.ladder.stage - 1] if machines.ladder.stage else None
        on = [rule for rule in rules.rules if machines.latches[rule.name].on]
        muted = {name for rule in on for name in rule.mutes}
        claims = [(f"stage {stage.name}", 0, stage.do)] if stage else []
        claims += [
            (
                rule.name,
                rule.priority,
                replace(rule.do, notify="") if rule.name in muted else rule.do,
            )
            for rule in on
        ]
        claims += [
            (name, 0, Actions(exposure_cap=ramp.cap))
            for name, ramp in machines.ramps.items()
            if ramp.cap < 1
        ]
        blocks = [
            cause
            for cause, holds in (("blind", late), ("priming", told))
            if holds and rules.blind == "block"
        ]
        answer = merged(rules, claims, {"price": price, "atr": atr}, blocks)
        if between:
            self.late = late
        return answer | {
            "ts": now, "symbol": rules.symbol, "stage": stage.name if stage else "normal",
            "latched": any(rule.latch for rule in on), "priming": told,
            "blind": tuple(sorted(late)), "late": late,
            "active": tuple(sorted(rule.name for rule in on)), "lines": dict(machines.lines),
        }  # fmt: skip


class Account:
    """Equity net of transfers, and losing trades in a row (section 4)."""

    def __init__(self) -> None:
        self.net = self.equity = math.nan
        self.moved, self.streak, self.told = 0.0, 0.0, False
        self.last: dict[str, int] = {}

    def take(
        self, ts: int, good: dict[str, float], came: dict[str, float], sent: Mapping[str, float]
    ) -> float | None:
        """Return equity net of transfers where equity came; put a streak beside the trades."""
        fresh = {
            name: value
            for name, value in good.items()
            if name in CHAINED and ts > self.last.get(name, NEVER)
        }
        self.last |= dict.fromkeys(fresh, ts)
        self.moved += fresh.get("transfers", 0.0)
        self.told |= "loss_streak" in good
        trades = {"trades.closed", "trades.lost"} & sent.keys()  # one that is bad spoils both
        if trades and not self.told and trades <= fresh.keys():
            closed, lost = fresh.get("trades.closed", 0.0), fresh.get("trades.lost", 0.0)
            self.streak = lost if closed > lost else self.streak + lost
            came["loss_streak"] = self.streak
        return self._chained(fresh["equity"]) if "equity" in fresh else None

    def _chained(self, equity: float) -> float:
        moved, self.moved = self.moved, 0.0
        if math.isnan(self.net) or (not moved and self.net == self.equity):
            self.net = equity
        elif self.equity > 0:
            self.net = max(0.0, self.net * (equity - moved) / self.equity)
        self.equity = equity
        return self.net
