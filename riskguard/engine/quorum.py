"""Several venues that tell one price: what is taken of it, so that one bad print decides nothing.

Of three venues or more that have spoken of late it is the median, of two what lies nearer to the
price that was taken last. Where one speaks alone, what departs from that price is held back, and
the last price stands in its place; after `confirm` it is taken as true. After a silence it all
begins anew: what was before stands for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from riskguard.engine.buckets import WAIT, Buckets
from riskguard.engine.events import Refused
from riskguard.engine.windows import NEVER
from riskguard.language.fitting.venues import BAR, venues_of
from riskguard.market import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from riskguard.engine.buckets import Series
    from riskguard.language.fitting.venues import Sources

__all__ = ["Price", "Quorum", "apart"]

DEPARTS = 0.03  # of the price taken last: what is further away is another price
PATIENCE = 5 * SECOND  # for bars that are still to come: a venue is asked every two seconds
MARK = "@"  # between a series and the venue that tells it; no name of a series has it


class Word(NamedTuple):
    """What a venue has said of a price last, by the names of its series, and when."""

    ts: int
    bar: dict[str, float]


class Price:
    """What several venues say of one price: of a bar, known by its `close`, or of a level."""

    __slots__ = (
        "at", "confirm", "doubt", "fresh", "heard", "last", "name", "silence", "venues", "words",
    )  # fmt: skip

    def __init__(
        self, name: str, venues: Sequence[str], confirm: int, fresh: int, silence: int
    ) -> None:
        self.name, self.venues, self.confirm = name, tuple(venues), confirm
        self.fresh, self.silence = fresh, max(silence, fresh)  # how long a price, a doubt stands
        self.heard: dict[str, int] = {}  # when each spoke last: a bucket may end long after
        self.words: dict[str, Word] = {}
        self.at: dict[str, int] = {}  # up to when each series is decided
        self.last: float | None = None  # the price that was taken last
        self.doubt: int | None = None  # since when all that is said departs from it

    def take(
        self, ts: int, said: Mapping[str, dict[str, float]], *, trusted: bool = False
    ) -> dict[str, float]:
        """Hear what venues say of one instant; return what is taken of it, by series.

        What comes once that instant is decided is remembered, and changes nothing. What is
        `trusted` is never held back.
        """
        for venue, bar in said.items():
            self._hear(venue, min(ts, self.heard.get(venue, ts)), bar)
        said = {venue: bar for venue, bar in said.items() if venue in self.words}
        told = dict.fromkeys(name for bar in said.values() for name in bar)
        names = [name for name in told if ts > self.at.get(name, NEVER)]
        if not names:
            if any(self._near(bar[self.name]) for bar in said.values() if self.name in bar):
                self.doubt = None  # it is contradicted, though late
            return {}
        gone = ts - max(self.at.values(), default=ts)
        self.last = None if gone > self.fresh else self.last
        self.doubt = None if gone > self.silence else self.doubt
        self.at |= dict.fromkeys(names, ts)
        spoken = [self.words[one] for one in (*self.venues, "") if one in self.words]
        voices = [one for one in spoken if ts - one.ts < self.confirm]
        return self._taken(ts, names, voices or [self.words[one] for one in said], trusted=trusted)

    def awaits(self, venue: str, since: int) -> bool:
        """Say whether a venue will speak: it did `since` then, late or not, or none of them did."""
        said = max((one.ts for one in self.words.values()), default=NEVER)
        return self.heard.get(venue, NEVER) >= since or said < since

    def _hear(self, venue: str, ts: int, bar: dict[str, float]) -> None:
        """Keep what a venue says; a high or low that comes without its price is of the last one."""
        before = self.words.get(venue, Word(NEVER, {}))
        if ts == before.ts:
            self.words[venue] = Word(ts, before.bar | bar)
        elif ts > before.ts and (self.name in bar or before.bar):
            self.words[venue] = Word(ts, {self.name: before.bar.get(self.name, 0.0)} | bar)

    def _taken(
        self, ts: int, names: Iterable[str], voices: Sequence[Word], *, trusted: bool
    ) -> dict[str, float]:
        """Choose among the voices; a venue that says no high or low says its price of both."""
        found = {
            name: self._chosen([one.bar.get(name, one.bar[self.name]) for one in voices])
            for name in names
        }
        ripe = self.doubt is not None and ts - self.doubt >= self.confirm
        held = not (trusted or ripe or self._sure(voices, found))
        if held:
            found = self._held(found)
        ends = [found[name] for name in ("open", "close") if name in found]
        for name, most in (("high", max), ("low", min)):  # a bar holds its ends
            if name in found:
                found[name] = most([found[name], *ends])
        self.last = found.get(self.name, self.last)
        newest = max(one.ts for one in voices)
        firm = any(one.ts == newest and self._near(one.bar[self.name]) for one in voices)
        if firm and not held:
            self.doubt = None
        elif self.doubt is None:
            self.doubt = ts
        return found

    def _chosen(self, values: list[float]) -> float:
        """Return the median, of two the one nearer to the last price; the first where none is."""
        if len(values) == 2:
            last = values[0] if self.last is None else self.last
            return min(values, key=lambda one: abs(one - last))
        values.sort()
        half = len(values) // 2
        return values[half] if len(values) % 2 else values[half - 1] / 2 + values[half] / 2

    def _sure(self, voices: Sequence[Word], found: Mapping[str, float]) -> bool:
        """Say whether what was chosen need not be borne out: no venue is alone with it."""
        if self.last is not None:
            return len(voices) > 1 or all(map(self._near, found.values()))
        first, *others = (one.bar[self.name] for one in voices)
        return len(others) > 1 or any(_near(one, first) for one in others)

    def _held(self, found: Mapping[str, float]) -> dict[str, float]:
        """Return the last price in the place of what departs from it, nothing where none is."""
        last = self.last
        if last is None:
            return {}
        return {name: one if _near(one, last) else last for name, one in found.items()}

    def _near(self, value: float) -> bool:
        return self.last is not None and _near(value, self.last)

    # ------------------------------------------------------------ state

    def dump(self) -> dict[str, Any]:
        """Return what was said and taken, as JSON holds it."""
        return {
            "venues": list(self.venues),
            "confirm": self.confirm,
            "heard": self.heard,
            "words": {venue: list(word) for venue, word in self.words.items()},
            "at": self.at,
            "last": self.last,
            "doubt": self.doubt,
        }

    def again(self, body: Mapping[str, Any]) -> Price:
        """Return this price as `dump` gave it; what venues said that are gone is passed over."""
        made = Price(self.name, self.venues, self.confirm, self.fresh, self.silence)
        venues = {*self.venues, ""}
        made.heard = {one: int(ts) for one, ts in body["heard"].items() if one in venues}
        for venue, (ts, bar) in body["words"].items():
            if venue in venues:
                prices = {str(name): _price(value) for name, value in bar.items()}
                made.words[venue] = Word(int(ts), {self.name: prices[self.name]} | prices)
        made.at = {str(name): int(ts) for name, ts in body["at"].items()}
        made.last = None if body["last"] is None else _price(body["last"])
        made.doubt = None if body["doubt"] is None else int(body["doubt"])
        return made


def apart(body: Mapping[str, Any]) -> Iterator[tuple[str, int, float | None]]:
    """Yield who is not with the others, of a price as `dump` tells it.

    Each with when it spoke last, and the price where that is recent and departs; 0 for never.
    """
    at = max(body["at"].values(), default=0)
    for venue in body["venues"]:
        ts, bar = body["words"].get(venue, (0, {}))
        if not ts or at - ts >= body["confirm"]:
            yield venue, ts, None
        elif body["last"] is not None and not _near(bar[min(bar)], body["last"]):
            yield venue, ts, bar[min(bar)]  # of the names of a bar "close" is the first


def _near(value: float, other: float) -> bool:
    return abs(value - other) <= DEPARTS * abs(other)


def _price(value: Any) -> float:  # noqa: ANN401 - it comes from a file
    found = float(value)
    if found - found != 0:
        msg = f"{value!r} is no price"
        raise ValueError(msg)
    return found


class Quorum:
    """The prices of a guard that several venues tell, and the series in which each tells them.

    `series` are those that the guard takes; the close of a bar is added where it reads another
    price of it alone. `early`: prices count as they come, and a bar is long then.
    """

    def __init__(
        self,
        sources: Sources,
        series: dict[tuple[str, str], Series],
        every: int,
        *,
        confirm: int | None = None,
        early: bool = False,
    ) -> None:
        self.others = {key: one for key, one in sources.items() if isinstance(one, str)}
        self.prices: dict[tuple[str, str], Price] = {}
        self.every, self.early = every, early
        self._told: dict[Series, dict[str, Series]] = {}  # as each venue tells it
        self._tellers: dict[Series, tuple[tuple[str, str], str]] = {}  # price and venue
        for (symbol, name), one in list(series.items()):
            if venues := venues_of(sources, symbol, name):
                key = symbol, "close" if name in BAR else name
                if key not in self.prices:
                    span = min(every, MINUTE) if early else one.interval
                    held = span if confirm is None else confirm
                    silence = 2 * max(every, held)
                    self.prices[key] = Price(key[1], venues, held, one.fresh, silence)
                    series.setdefault(key, replace(one, name=key[1], bare=key[1]))
                    self._split(series[key], key, venues)
                if (symbol, name) != key:
                    self._split(one, key, venues)
                if name in BAR:
                    self.others.setdefault(f"{symbol}.volume" if symbol else "volume", venues[0])

    def _split(self, one: Series, key: tuple[str, str], venues: Iterable[str]) -> None:
        """Give each venue a series of its own."""
        told = {venue: replace(one, name=f"{one.name}{MARK}{venue}") for venue in venues}
        self._told[one] = told
        self._tellers |= {told[venue]: (key, venue) for venue in venues}

    @property
    def told(self) -> tuple[Series, ...]:
        """Every series as each venue tells it."""
        return tuple(self._tellers)

    def awaited(self, told: Collection[Series], end: int) -> bool:
        """Say whether a bar that ends then is still to come of a venue."""
        return any(
            one.bare == "close"
            and one not in told
            and self.prices[key].awaits(venue, end - self.every)
            for one, (key, venue) in self._tellers.items()
        )

    def shared(
        self, wanted: Iterable[tuple[Series, float]], source: str, *, trusted: bool
    ) -> list[tuple[Series, float]]:
        """Return what an event of a source says, in the series of its venue.

        Of a bar the volume is left out but for that of one venue: of the first, where `sources`
        names none.
        """
        return [
            (self.told_by(series, source, trusted=trusted), value)
            for series, value in wanted
            if not self._beside(series, source)
        ]

    def told_by(self, series: Series, source: str, *, trusted: bool) -> Series:
        """Return a series as a venue tells it. Trusted history need not name its source.

        Raises:
            Refused: it comes from none of its venues.
        """
        told = self._told.get(series)
        if told is None or (trusted and not source):
            return series
        if source not in told:
            said = "" if source else ", and this names no source"
            why = f"{series.name} comes from {', '.join(told)}{said}"
            raise Refused(why)
        return told[source]

    def _price(self, symbol: str, name: str) -> Price | None:
        return self.prices.get((symbol, "close" if name in BAR else name))

    def _beside(self, series: Series, source: str) -> bool:
        """Say whether it is the volume of a venue that does not count."""
        if series.name != "volume" or (series.symbol, "close") not in self.prices:
            return False
        key = f"{series.symbol}.volume" if series.symbol else "volume"
        return source not in {"", self.others[key]}

    def hear(self, series: Series, ts: int) -> None:
        """Take note of when a venue spoke."""
        if series in self._tellers:
            key, venue = self._tellers[series]
            heard = self.prices[key].heard
            heard[venue] = max(ts, heard.get(venue, ts))

    def buckets(self, wait: int | None) -> Buckets:
        """Return buckets that wait for the venues; nothing has been told of them yet."""
        return Awaiting(self, wait)

    def taken(
        self, ts: int, symbol: str, values: Mapping[str, float], *, trusted: bool
    ) -> dict[str, float]:
        """Return the values of a sample with one of each price, in the place of what venues say."""
        found: dict[str, float] = {}
        said: dict[Price, dict[str, dict[str, float]]] = {}
        for told, value in values.items():
            name, _, venue = told.partition(MARK)
            price = self._price(symbol, name)
            if price is None:
                found[name] = value
            else:
                said.setdefault(price, {}).setdefault(venue, {})[name] = value
        for price, by_venue in said.items():
            found |= price.take(ts, by_venue, trusted=trusted)
        return found

    # ------------------------------------------------------------ state

    def dump(self) -> dict[str, Any]:
        """Return what is known of each price, as JSON holds it."""
        return {
            f"{symbol}.{name}" if symbol else name: price.dump()
            for (symbol, name), price in self.prices.items()
        }

    def load(self, body: Mapping[str, Any]) -> None:
        """Go on from what `dump` gave; what is none of ours raises, and changes nothing."""
        keys = {key: ".".join(filter(None, key)) for key in self.prices}
        self.prices = {
            key: price.again(body[keys[key]]) if keys[key] in body else price
            for key, price in self.prices.items()
        }


class Awaiting(Buckets):
    """Buckets that wait for the bar of each venue that told its last one: of none that is down."""

    def __init__(self, quorum: Quorum, wait: int | None) -> None:
        patience = WAIT if quorum.early else PATIENCE
        super().__init__(patience if wait is None else wait, early=quorum.early)
        self._quorum = quorum

    def _complete(self, end: int, close: Series | None) -> bool:
        told = self.told[end]
        if not end % self._quorum.every and self._quorum.awaited(told, end):
            return False
        own = (one for one in told if not one.symbol and one.bare == "close")
        return self.early or super()._complete(end, next(own, close))
