"""The one way from events to the guard: order, buckets, duplicates, time.

Events are taken in the order they arrive and placed by the time they happened at. Flows and
bars are gathered in buckets as wide as the interval of their series, so that a live guard sees
the samples a backtest would: one a bucket, at its end. A bucket is given to the guard when all
that came for the one before has come for it too, or `wait` after its end; what arrives later is
added to its own bucket while it is at most `lateness` behind, and decides nothing again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from riskguard.engine.buckets import Buckets, Series, series_taken
from riskguard.engine.events import Refused, facts, nanoseconds, number, stepped
from riskguard.engine.known import Known
from riskguard.engine.stuck import KINDS as PRICED
from riskguard.engine.stuck import Stuck
from riskguard.engine.windows import NEVER
from riskguard.errors import StateError, foreign
from riskguard.market import SECOND, Sample, coin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from riskguard.engine.decision import Decision
    from riskguard.engine.events import Event
    from riskguard.engine.guard import Guard
    from riskguard.engine.quorum import Quorum

__all__ = ["Intake"]

AHEAD = 5 * SECOND  # an event from further in the future is a fault of its clock
REASONS = 1_000  # kinds of refusals that are counted apart
OPEN_INTEREST = ("oi", "oi_usd")
ACCOUNT_FLOWS = frozenset(
    {"pnl.realised", "trades.closed", "trades.lost", "trades.stopped", "transfers"}
)
BY_ACCOUNT = frozenset({"account", "trade_closed"})
BY_TRADE = frozenset({"mark", "trade"})
SPEAKS_OF_TIME = frozenset({"alive", "clock"})


class Intake:
    """Takes events for one guard: `take(event)` returns the decision in force.

    `bucket` (ns) gathers all series under `evaluate: event`, flows of it told early; else each has
    its own interval. Nothing here reads a clock: time is what events say, `clock` events above all.
    What is refused is counted in `refused` by its reason and is as if it had not come. `beside` are
    other guards that hear what this one hears: the series they alone read are taken too. Of a
    price with several venues, what one alone says is held back for `confirm` (ns) at most.

    >>> from riskguard import Event, Guard, Intake, load_rules
    >>> intake = Intake(Guard(load_rules("rules/feb-2026.yaml"), sources={"liq.long": "bybit"}))
    >>> bar = {"close": 90_000.0, "interval_ns": 14_400_000_000_000}
    >>> intake.take(Event(1_764_547_200_000_000_000, "bar", "BTC/USDT:USDT", bar)).state.name
    'REDUCING'
    """

    def __init__(
        self,
        guard: Guard,
        *,
        bucket: int = SECOND,
        wait: int | None = None,
        lateness: int | None = None,
        confirm: int | None = None,
        beside: Iterable[Guard] = (),
    ) -> None:
        self.guard = guard
        self.symbol = guard.symbol  # "" until the first bar, where the file names none
        self.by_event = guard.ruleset.evaluate == "event"
        self.bucket = bucket
        self.lateness = lateness if lateness is not None else guard.plan.every
        self.refused: dict[str, int] = {}
        self.coverage: dict[str, str] = {}  # series -> "sampled": a lower bound
        self.primes = False  # what is told is history, which nobody has to bear out
        self.now = self.clock = self._ticked = NEVER
        self._decision = guard.update(Sample(0, "*", {}))
        self._units: dict[str, int] = {}
        self._doubted: dict[str, int] = {}  # source -> since when its stamps are in another unit
        self._known, self._stuck = Known(), Stuck()
        self._last: dict[tuple[str, str], tuple[float, float]] = {}  # value, price beside it
        self._ends: dict[Series, int] = {}  # the bucket a level was told in last
        self._price = 0.0
        self._series = series_taken((guard, *beside), bucket if self.by_event else None)
        self._close = None if self.by_event else self._series["", "close"]  # its bars decide
        self._quorum: Quorum | None = None
        self._empty: Callable[[int | None], Buckets] = partial(Buckets, early=self.by_event)
        sources: Mapping[str, str | Sequence[str]] = guard.sources
        if any(not isinstance(one, str) for one in sources.values()):
            from riskguard.engine.quorum import Quorum  # noqa: PLC0415 - most have one venue

            every, early = guard.plan.every, self.by_event
            self._quorum = Quorum(sources, self._series, every, confirm=confirm, early=early)
            sources, self._empty = self._quorum.others, self._quorum.buckets
        pairs = ((sources.get(one.key), one) for one in self._series.values())
        self._sources = {one: source for source, one in pairs if source}
        self.buckets = self._empty(wait)

    # ------------------------------------------------------------ the door

    def take(self, event: Event) -> Decision:
        """Take one event and return the decision in force.

        Raises:
            DataError: the kind is unknown or a field is missing: the host has to be mended.
        """
        try:
            self._take(event)
        except Refused as why:
            said = f"{event.kind[:40]}: {why}"
            if said not in self.refused:
                said = foreign(said) if len(self.refused) < REASONS else "other reasons"
            self.refused[said] = self.refused.get(said, 0) + 1
        now, buckets = self.now, self.buckets
        if now >= buckets.next or buckets.levels or now - self._ticked >= SECOND:
            self._advance(now)
        return self._decision

    def rewind(self, now: int) -> None:
        """Forget that it was ever later than `now`: a clock was ahead."""
        self.now, self.clock = min(self.now, now), min(self.clock, now)
        self._ticked = min(self._ticked, now)

    def gap(self) -> None:
        """Take note that nothing was heard for a time: the bucket it fell into is no bucket."""
        for proof in self.buckets.proofs.values():
            proof.since = NEVER

    def _take(self, event: Event) -> None:
        values = facts(event)
        ts, kind = self._stamped(event), event.kind
        if kind == "operator":
            self._operated(event, max(ts, self.now))
            return
        if ts < self.now - self.lateness:
            self._refuse("late")
        if kind not in SPEAKS_OF_TIME and self._known.again(event, ts):
            self._refuse("told before")
        if kind == "bar" and not self.symbol:
            self.symbol = coin(event.symbol)
        own = self._own(event.symbol)
        if kind in PRICED and self._stuck.repeats(event, values):
            self._refuse("stuck: it only repeats itself while others move")
        if kind == "alive":
            self._alive(own, str(event.data["series"]), ts)
        elif kind in BY_ACCOUNT:
            self._account(event.symbol, ts, values)
        elif kind in BY_TRADE:
            self._traded(event.source, own, ts, values["close"])
        else:
            self._market(event, own, ts, values)
        self.now = max(self.now, ts)
        if event.source not in self._units and len(self._units) < REASONS:
            self._units[event.source] = nanoseconds(event.ts)[1]

    def _refuse(self, why: str) -> NoReturn:
        raise Refused(why)

    def _own(self, symbol: str) -> str:
        """Return the name of a symbol in the plan: "" for the guarded one and the market."""
        name = coin(symbol)
        if not name:
            self._refuse("no symbol")
        return "" if name in {"*", coin(self.symbol) or name} or symbol == self.symbol else name

    def _stamped(self, event: Event) -> int:
        ts, unit = nanoseconds(event.ts)
        if unit != self._units.get(event.source, unit):
            self._changed(event.source, unit)
        elif self._doubted:
            self._doubted.pop(event.source, None)
        if event.available_at is not None and ts > nanoseconds(event.available_at)[0] + AHEAD:
            self._refuse("ahead of its receipt")
        if event.kind == "clock":
            if ts < self.clock:
                self._refuse("the clock goes back")
            self.clock = ts
        return ts

    def _changed(self, source: str, unit: int) -> None:
        """Refuse another unit of time until the old one has not been heard for an interval."""
        since = self._doubted.setdefault(source, self.now)
        if self.now - since < self.guard.plan.every:
            self._refuse("time stamp in another unit than before")
        self._units[source] = unit
        del self._doubted[source]

    # ------------------------------------------------------------ kinds

    def _market(self, event: Event, own: str, ts: int, values: dict[str, float]) -> None:
        """Place what a bar, a poll or a liquidation says; all of it or nothing."""
        kind, source, wanted = event.kind, event.source, self._wanted(event.source, own, values)
        for series, value in wanted:
            if value < series.least:
                self._impossible(series, value)
            if source and source != self._sources.get(series, source):
                self._refuse(f"{series.name} comes from {self._sources[series]}")
            longest = self.guard.plan.every if self.by_event else series.interval
            if kind == "bar" and number(event.data, "interval_ns") > longest:
                self._refuse("the bar is longer than `every`")
            if series.name in OPEN_INTEREST:
                self._same_unit(series, value)
        for series, value in wanted:
            if series.flow or kind == "bar":
                if kind == "liquidation":
                    self.buckets.heard(series, ts)
                    self.coverage[series.name] = str(event.data.get("coverage", "full"))
                self._gathered(series, ts, value)
                if not own and series.name == "close":
                    self._price = value
            else:
                self._level(series, ts, value)

    def _wanted(self, source: str, own: str, told: dict[str, float]) -> list[tuple[Series, float]]:
        known = self._series
        wanted = [(known[own, name], one) for name, one in told.items() if (own, name) in known]
        if self._quorum is None:
            return wanted
        return self._quorum.shared(wanted, source, trusted=self.primes)

    def _impossible(self, series: Series, value: float) -> NoReturn:
        cause = "a price of zero" if value == 0 else "negative"
        self._refuse(f"{series.name}: {cause}")

    def _same_unit(self, series: Series, value: float) -> None:
        """Refuse a jump by a factor of units while the price stands, or is not known."""
        key, size = (series.symbol, series.name), self.guard.instruments.get(self.symbol)
        beside = (value, self._price)
        if stepped(self._last.get(key), beside, size.contract_size if size else 1.0):
            self._refuse(f"unit_step: {series.name} jumps by a factor of units")
        self._last[key] = beside

    def _level(self, series: Series, ts: int, value: float) -> None:
        if self.by_event or series.bare != series.name:  # one of several venues
            self._gathered(series, ts, value)
        else:
            self.buckets.level(series, series.symbol or self._named(), ts, value)

    def _gathered(self, series: Series, ts: int, value: float) -> None:
        end = series.end(ts)
        if self._quorum is not None:
            self._quorum.hear(series, ts)
        if end > self.buckets.done:
            self.buckets.add(series, end, value)
        elif not series.flow:  # it stands from here on, and decides nothing again
            self.buckets.levels.append((end, series.symbol or self._named(), series.name, value))
        elif self.buckets.whole(series, end, self.guard.doors):
            self.guard.amend(series.symbol, series.name, end, value)

    def _traded(self, source: str, own: str, ts: int, price: float) -> None:
        """A price between closes drives levels under `evaluate: event`; closes come with bars."""
        series = self._series.get((own, "close"))
        if self.by_event and series is not None:
            if price < series.least:
                self._impossible(series, price)
            if series.end(ts) % self.guard.plan.every:
                if self._quorum is not None:
                    series = self._quorum.told_by(series, source, trusted=self.primes)
                self._gathered(series, ts, price)

    def _account(self, symbol: str, ts: int, values: dict[str, float]) -> None:
        position = values.pop("position", None)
        told = {name: value for name, value in values.items() if ("", name) in self._series}
        for name, value in told.items():
            if value < self._series["", name].least:
                self._impossible(self._series["", name], value)
        if position is not None:  # under the name the host gave: orders come under it too
            name = self._named() if symbol == "*" else symbol
            self.buckets.levels.append((ts, name, "position", position))
        for (of, name), series in self._series.items():
            if of == "" and series.flow and name in ACCOUNT_FLOWS:
                told.setdefault(name, 0.0)
        for name, value in told.items():
            self._gathered(self._series["", name], ts, value)

    def _alive(self, own: str, name: str, ts: int) -> None:
        series = self._series.get((own, name))
        if series is None:
            return
        if series.flow:
            self.buckets.heard(series, ts)
            for end in self.buckets.unfilled(series):  # zero is a value, late as others may be
                self.guard.amend(series.symbol, series.name, end, 0.0)
        elif (own, name) in self._last:
            self._level(series, ts, self._last[own, name][0])

    def _operated(self, event: Event, ts: int) -> None:
        from riskguard.engine.controls import ordered  # noqa: PLC0415 - loaded with the guard

        rule = str(event.data.get("rule", ""))
        if event.data["do"] == "release" and rule in self.released:
            key = self.released[rule]
            self._last.pop(key, None)
            self.guard.forget(*key)
        else:
            ordered(self.guard, ts, event.data)
        self._decision = self.guard.update(Sample(ts, "*", {}))

    @property
    def released(self) -> dict[str, tuple[str, str]]:
        """What a `release` may name beside rules: series that come in one of several units."""
        rules = {rule.name for rule in self.guard.ruleset.rules}
        names = {".".join(filter(None, key)): key for key in self._last}
        return {name: key for name, key in names.items() if name not in rules}

    @property
    def venues(self) -> dict[str, Any]:
        """What is known of each price that several venues tell: who says what, what is taken."""
        return {} if self._quorum is None else self._quorum.dump()

    # ------------------------------------------------------------ time

    def _named(self) -> str:
        return self.symbol or "*"

    def _advance(self, now: int) -> None:
        """Give the guard what is due, and let time pass for what ages."""
        for (ts, symbol, values), level in self.buckets.due(now, self._close):
            sample = Sample(ts, symbol or self._named(), values)
            if self._quorum is not None:
                sample = self._agreed(sample, self._quorum)
                if not sample.values:
                    continue
            again = level and self._told_in_bucket(sample)
            self._decision = self.guard.renew(sample) if again else self.guard.update(sample)
            self._ticked = max(self._ticked, ts)
        if now - self._ticked >= SECOND:
            self._ticked = now
            self._decision = self.guard.update(Sample(now, "*", {}))

    def _agreed(self, sample: Sample, quorum: Quorum) -> Sample:
        """Return a sample with what is taken of several venues in the place of what each says."""
        own = self._own(sample.symbol)
        values = quorum.taken(sample.ts, own, sample.values, trusted=self.primes)
        if not own and "close" in values:
            self._price = values["close"]
        return sample._replace(values=values)

    def _told_in_bucket(self, sample: Sample) -> bool:
        """Say whether a level was told in the same bucket before."""
        ((name, _),) = sample.values.items()
        series = self._series.get((self._own(sample.symbol), name))
        if series is None:
            return False
        end = series.end(sample.ts)
        before, self._ends[series] = self._ends.get(series), end
        return before == end

    # ------------------------------------------------------------ state

    def dump(self) -> dict[str, Any]:
        """Return what waits to be given to the guard, as JSON holds it."""
        since = self.now - self.lateness
        return {
            "symbol": self.symbol,
            "times": [self.now, self.clock, self._ticked],
            "units": self._units,
            "known": self._known.dump(since),
            "stuck": self._stuck.dump(),
            "last": [[*key, *found] for key, found in self._last.items()],
            "ends": {f"{one.symbol}.{one.name}": end for one, end in self._ends.items()},
            "price": self._price,
            "coverage": self.coverage,
            "refused": self.refused,
            "buckets": self.buckets.dump(),
            **({} if self._quorum is None else {"quorum": self.venues}),
        }

    def load(self, body: Mapping[str, Any]) -> None:
        """Go on from what `dump` gave; the guard has its own. What no rule reads is passed over.

        Raises:
            StateError: it is none of ours; nothing was changed.
        """
        told = () if self._quorum is None else self._quorum.told
        known = {f"{one.symbol}.{one.name}": one for one in (*self._series.values(), *told)}
        buckets, found, stuck = self._empty(self.buckets.wait), Known(), Stuck()
        try:
            buckets.load(body["buckets"], known)
            now, clock, ticked = map(int, body["times"])
            found.load(body["known"])
            stuck.load(body["stuck"])
            last = {(str(a), str(b)): (float(c), float(d)) for a, b, c, d in body["last"]}
            ends = {known[key]: int(end) for key, end in body["ends"].items() if key in known}
            units = {str(name): int(unit) for name, unit in body["units"].items()}
            refused = {str(why): int(count) for why, count in body["refused"].items()}
            coverage = {str(name): str(one) for name, one in body["coverage"].items()}
            symbol, price = str(body["symbol"]), float(body["price"])
            if self._quorum is not None:
                self._quorum.load(body.get("quorum", {}))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StateError(f"what waited at the intake cannot be read: {error!r}") from error
        self.buckets, self._known, self._last, self._ends = buckets, found, last, ends
        self.now, self.clock, self._ticked = now, clock, ticked
        self._units, self.refused, self.coverage = units, refused, coverage
        self.symbol, self._price, self._stuck = symbol, price, stuck
        self._decision = self.guard.decision
