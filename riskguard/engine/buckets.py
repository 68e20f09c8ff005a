"""What has been told of each bucket of time until the guard is given it, in order of time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskguard.engine.windows import FILL_OF, FILL_PARTS, NEVER
from riskguard.language.rewriting import latches
from riskguard.language.ruleset import input_of
from riskguard.market import CATALOGUE, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from riskguard.engine.doors import Doors
    from riskguard.engine.guard import Guard
    from riskguard.market import SeriesSpec

__all__ = ["Buckets", "Proof", "Series", "series_taken"]

# what follows from what: told to the guard though no rule may read it
BESIDE = {"": ("close",), "loss_streak": ("trades.closed", "trades.lost"), "equity": ("transfers",)}
FAR = 1 << 62
WAIT = 2_000_000_000  # ns after the end of a bucket for what has not come yet
SPACING = 200_000_000  # ns from one part of a bucket that is given early to the next


@dataclass(frozen=True, slots=True, eq=False)  # one object a series
class Series:
    """How the intake takes one series; times in ns."""

    symbol: str  # "" = the guarded one
    name: str
    interval: int
    flow: bool
    scale: int
    fresh: int
    least: float
    bare: str  # the name without the venue that tells it

    @property
    def key(self) -> str:
        """The name by which `sources` know it: "close", "ETH.close"."""
        return f"{self.symbol}.{self.name}" if self.symbol else self.name

    def end(self, ts: int) -> int:
        """Return the end of the bucket `(end - interval, end]` an instant falls in."""
        return -(-ts // self.interval) * self.interval

    def merged(self, old: float | None, new: float) -> float:
        """Return what a bucket holds after one more value; flows are integers in fixed point."""
        if self.flow:
            return (old or 0) + round(new * self.scale)
        if old is None:
            return new
        return {"open": old, "high": max(old, new), "low": min(old, new)}.get(self.bare, new)


def series_taken(guards: Sequence[Guard], width: int | None) -> dict[tuple[str, str], Series]:
    """Return the series that any of the guards reads, and what follows from them, by symbol, name.

    `width` (ns) is that of all their buckets, None for each the interval of its own.
    """
    found: dict[tuple[str, str], Series] = {}
    pairs = [(one.ruleset, spec) for one in guards for spec in one.plan.tapes]
    for ruleset, spec in pairs:
        name = spec.name.removesuffix(".nav")
        if spec.feeder >= 0 or (spec.symbol, name) in found:
            continue
        given = input_of(ruleset, spec.symbol, name).spec
        found[spec.symbol, name] = _series(
            spec.symbol, name, width or spec.interval, given, spec.max_age
        )
    every = width or guards[0].plan.every
    names = [x for of, one in (("", ""), *found) if not of for x in BESIDE.get(one, ())]
    if any(one.do.leverage_cap is not None for each in guards for one in latches(each.ruleset)):
        names.append("equity")  # the ceiling is made of it
    for name in names:
        if ("", name) not in found:
            found["", name] = _series("", name, every, CATALOGUE[name], 2 * every)
    return found


def _series(symbol: str, name: str, interval: int, given: SeriesSpec, fresh: int) -> Series:
    least = -math.inf if given.signed else 5e-324 if given.dimension == "price" else 0.0
    flow = given.kind == "flow"
    return Series(symbol, name, interval, flow, given.scale, fresh, least, name)


class Proof:
    """From when to when the feed of a flow is known to have been connected."""

    __slots__ = ("last", "since")

    def __init__(self, since: int = NEVER, last: int = NEVER) -> None:
        self.since, self.last = since, last

    def reaches(self, ts: int, fresh: int) -> None:
        """Take note that the feed was connected at `ts`; after a long silence it begins anew."""
        if self.since == NEVER or ts - self.last > fresh:
            self.since = ts
        self.last = max(self.last, ts)

    def covers(self, end: int, interval: int, *, told: bool) -> bool:
        """Say whether nine tenths of a bucket were heard; what was told speaks for its end."""
        slack = interval - interval * FILL_PARTS // FILL_OF
        begun = self.since != NEVER and self.since <= end - interval + slack
        return begun and (told or self.last >= end - slack)


class Buckets:
    """Values by end of bucket, symbol and series, and levels by their own time.

    `early`: what a flow brings is given before its bucket has ended, the first of it at once and
    more at most every `SPACING`; the rest follows at the end. A storm makes no more samples.
    """

    def __init__(self, wait: int | None, *, early: bool = False) -> None:
        self.wait = (0 if early else WAIT) if wait is None else wait
        self.early = early
        self.given = NEVER  # when a part of a bucket was given early last
        self.told: dict[int, dict[Series, float]] = {}
        self.levels: list[tuple[int, str, str, float]] = []
        self.next = FAR  # no bucket that holds something, or should, ends before
        self._waits = NEVER  # the end of the bucket that lacked something when last looked at
        self.done = NEVER  # up to where the guard has been given everything
        self.came: dict[Series, int] = {}  # the last bucket each series came for
        self.grid: dict[Series, int] = {}  # levels that come at the very end of buckets
        self.proofs: dict[Series, Proof] = {}

    def level(self, series: Series, symbol: str, ts: int, value: float) -> None:
        """Add a level: it is given to the guard under its own time."""
        self.levels.append((ts, symbol, series.name, value))
        if ts % series.interval == 0:
            self.grid[series] = max(ts, self.grid.get(series, ts))
            self._waits = NEVER

    def add(self, series: Series, end: int, value: float) -> None:
        """Add a value to a bucket that is still open."""
        bucket = self.told.get(end)
        if bucket is None:
            bucket = self.told[end] = {}
            self.next = min(self.next, end)
        old = bucket.get(series)
        if old is None:
            self._waits = NEVER
        if self.early and series.flow:
            self.next = min(self.next, self.given + SPACING)
        bucket[series] = series.merged(old, value)

    def heard(self, series: Series, ts: int) -> None:
        """Take note that the feed of a flow was connected at `ts`."""
        proof = self.proofs.get(series)
        if proof is None:
            proof = self.proofs[series] = Proof()
        begun, last, interval = proof.since, proof.last, series.interval
        proof.reaches(ts, series.fresh)
        if proof.since != begun:
            self.next = min(self.next, series.end(ts))
            self._waits = NEVER
        elif ts // interval != last // interval:
            self._waits = NEVER  # the feed has passed an end of its buckets

    def whole(self, series: Series, end: int, doors: Doors) -> bool:
        """Say whether a bucket that has passed was heard whole but for what comes late of it."""
        proof = self.proofs.get(series)
        if proof is None or proof.covers(end, series.interval, told=True):
            return True
        return doors.holds(series.symbol, series.name, end)

    def unfilled(self, series: Series) -> Iterator[int]:
        """Yield the buckets of a proven flow that the guard was given before they were proven."""
        proof = self.proofs[series]
        first = series.end(max(self.came.get(series, NEVER), proof.since) + 1)
        for end in range(first, min(proof.last, self.done) + 1, series.interval):
            if proof.covers(end, series.interval, told=False):
                self.came[series] = end
                yield end

    def due(self, now: int, close: Series | None) -> Iterator[tuple[Sample, bool]]:
        """Yield what is due at `now`, each with whether it is a level under its own time.

        `close` is the series whose bars make the decisions.
        """
        if self._waits == self.next and now - self.next < self.wait:
            yield from self._levels(self.next - 1)  # nothing has come that it may have waited for
            return
        if now >= self.next:
            self._open(now)
            for end in sorted(end for end in self.told if end <= now):
                if now - end < self.wait and not self._complete(end, close):
                    self.next = self._waits = end
                    yield from self._levels(end - 1)
                    return
                yield from self._levels(end)
                yield from self._bucket(end)
            quiet = [series.end(max(self.done, now) + 1) for series in self.proofs]
            self.next = min([*self.told, *quiet], default=FAR)
            if self.early:
                yield from self._early(now)
        if self.levels:
            yield from self._levels(now)

    def _early(self, now: int) -> Iterator[tuple[Sample, bool]]:
        """Yield what flows have brought of the bucket in progress; the rest of it stays."""
        for end, bucket in self.told.items():
            brought = {
                series: value
                for series, value in bucket.items()
                if series.flow and value and end - series.interval < now < end
            }
            if brought and now - self.given < SPACING:
                self.next = min(self.next, self.given + SPACING)
            elif brought:
                yield from self._levels(now)
                yield from self._samples(now, end, brought)
                self.given = now

    def _open(self, now: int) -> None:
        """Open the buckets of proven flows that nothing was told for: zero is a value."""
        for series, proof in self.proofs.items():
            if proof.since == NEVER:
                continue  # not heard since a silence: what was before is unknown
            first = series.end(max(self.done, proof.since) + 1)
            for end in range(first, min(proof.last, now) + 1, series.interval):
                self.told.setdefault(end, {}).setdefault(series, 0)

    def _complete(self, end: int, close: Series | None) -> bool:
        told = self.told[end]
        if not self.came:
            return False  # nothing is known yet of what comes
        if close is not None and end % close.interval == 0 and close not in told:
            return False
        for series, last in self.came.items():
            if last != end - series.interval or end % series.interval:
                continue
            proof = self.proofs.get(series)
            if series not in told if proof is None else proof.last < end:
                return False
        if any(last == end - series.interval for series, last in self.grid.items()):
            return False
        return all(proof.last >= end for series, proof in self.proofs.items() if series in told)

    def _bucket(self, end: int) -> Iterator[tuple[Sample, bool]]:
        self.done = max(self.done, end)
        bucket = self.told.pop(end)
        yield from self._samples(end, end, bucket)

    def _samples(
        self, ts: int, end: int, bucket: Mapping[Series, float]
    ) -> Iterator[tuple[Sample, bool]]:
        """Yield what a bucket that ends at `end` holds, as seen at `ts`."""
        samples: dict[str, dict[str, float]] = {}
        for series, value in bucket.items():
            proof = self.proofs.get(series)
            if proof is not None and not proof.covers(end, series.interval, told=bool(value)):
                continue  # a part of a bucket is not the bucket
            self.came[series] = end
            if ts < end:
                self.told[end][series] = 0
            number = value / series.scale if series.flow else value
            samples.setdefault(series.symbol, {})[series.name] = number
        for symbol in sorted(samples, key=lambda symbol: (symbol == "", symbol)):
            yield Sample(ts, symbol, samples[symbol]), False

    def _levels(self, until: int) -> Iterator[tuple[Sample, bool]]:
        if not self.levels:
            return
        due = sorted(level for level in self.levels if level[0] <= until)
        self.levels = [level for level in self.levels if level[0] > until]
        for ts, symbol, name, value in due:
            yield Sample(ts, symbol, {name: value}), True

    def passed(self, now: int) -> None:
        """Take note that the guard has been given all there is up to `now`."""
        if now > self.done:
            self.done = now
            self.told = {end: bucket for end, bucket in self.told.items() if end > now}
            self.levels = [level for level in self.levels if level[0] > now]
            self.next = min([*self.told, now])

    # ------------------------------------------------------------ state

    def dump(self) -> dict[str, Any]:
        """Return what waits and what is known of the feeds, as JSON holds it."""
        return {
            "told": [
                [end, _key(series), value]
                for end, bucket in sorted(self.told.items())
                for series, value in bucket.items()
            ],
            "levels": [list(level) for level in self.levels],
            "next": self.next,
            "done": self.done,
            "given": self.given,
            "came": {_key(series): end for series, end in self.came.items()},
            "grid": {_key(series): ts for series, ts in self.grid.items()},
            "proofs": {_key(one): [proof.since, proof.last] for one, proof in self.proofs.items()},
        }

    def load(self, body: Mapping[str, Any], known: Mapping[str, Series]) -> None:
        """Take what `dump` gave; `known` are the series by their key, others are passed over."""
        self.told = {}
        for end, key, value in body["told"]:
            if key in known:
                self.told.setdefault(int(end), {})[known[key]] = _finite(value)
        self.levels = [
            (int(ts), str(symbol), str(name), _finite(value))
            for ts, symbol, name, value in body["levels"]
        ]
        self.next, self.done = int(body["next"]), int(body["done"])
        self.given = int(body.get("given", NEVER))
        self.came = {known[key]: int(end) for key, end in body["came"].items() if key in known}
        self.grid = {known[key]: int(ts) for key, ts in body["grid"].items() if key in known}
        self.proofs = {
            known[key]: Proof(int(since), int(last))
            for key, (since, last) in body["proofs"].items()
            if key in known
        }


def _key(series: Series) -> str:
    return f"{series.symbol}.{series.name}"


def _finite(value: Any) -> float:  # noqa: ANN401 - it comes from a file
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        msg = f"{value!r} is no number"
        raise ValueError(msg)
    return value
