"""The numbers of a rule set at one instant: series, measures of them, arithmetic, parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module

from riskguard.language.ruleset import (
    Arithmetic,
    Constant,
    Indicator,
    Input,
    Measured,
    ParameterValue,
    RuleSet,
    SeriesValue,
    Value,
    values,
)
from riskguard.market import CATALOGUE, FROM_ZERO, SCALES
from tests.oracle.past import MEASURES, REACH, SINCE, UNKNOWN, Past, average_range, ever, midnight

__all__ = ["Feed", "Number", "World"]

DAY = 86_400_000_000_000
WORDS = {"today": DAY, "this_week": 7 * DAY}
NET = ("change", "drop", "rise", "drawdown", "vol")  # of equity: taken net of transfers
Number = Callable[[], float]


class Feed:
    """One series as it comes in; `begins` is how an account input begins."""

    def __init__(self, said: Input, name: str, key: str, every: int) -> None:
        spec = said.spec
        interval = spec.interval or every
        self.past = Past(
            interval=interval, fresh=spec.max_age or 2 * interval,
            scale=SCALES.get(spec.dimension, 10**12), bar=spec.bar,
        )  # fmt: skip
        self.key, self.carried = key, said.carried
        self.index = spec.dimension == "index"
        self.price, self.signed = spec.dimension == "price", spec.signed
        self.account = key.split(".", maxsplit=1)[0].islower() and name in FROM_ZERO
        self.needed = False

    def takes(self, value: float) -> bool:
        if self.index and value > 100:
            return False
        return value > 0 if self.price else self.signed or value >= 0


class World:
    """All series and measures that a rule set reads, and the instant at hand."""

    def __init__(self, rules: RuleSet, sources: dict[str, str]) -> None:
        self.rules, self.sources = rules, sources
        self.every: int = rules.every or 0
        self.now, self.closed, self.tick = 0, False, 0
        self.feeds: dict[tuple[str, str], Feed] = {}
        self.net: Past | None = None  # equity without transfers
        self.numbers: dict[tuple[Value, str], Number] = {}
        self.fed: list[tuple[Measured, Feed | None, Past, Number]] = []
        self.needed: dict[Value, None] = {}  # measures that protection needs

    # ------------------------------------------------------------ series

    def said(self, symbol: str, name: str) -> Input:
        key = f"{symbol}.{name}" if symbol else name
        found = self.rules.inputs.get(key) or self.rules.inputs.get(name)
        return found or Input(name, CATALOGUE[name])

    def source(self, symbol: str, name: str) -> str:
        key = f"{symbol}.{name}" if symbol else name
        return self.sources.get(key) or self.sources.get(name) or self.said(symbol, name).source

    def feed(self, symbol: str, name: str) -> Feed:
        symbol = "" if symbol == self.rules.symbol else symbol
        if (symbol, name) not in self.feeds:
            key = f"{symbol}.{name}" if symbol else name
            self.feeds[symbol, name] = Feed(self.said(symbol, name), name, key, self.every)
        return self.feeds[symbol, name]

    def base(self, node: Value) -> SeriesValue | Indicator:
        while isinstance(node, Measured):
            node = node.of
        assert isinstance(node, SeriesValue | Indicator)
        return node

    # ------------------------------------------------------------ numbers

    def number(self, node: Value, source: str = "") -> Number:
        """Return what reads a value at the instant at hand, once an instant."""
        if not isinstance(node, ParameterValue | Arithmetic):
            source = ""  # nothing below it asks for a figure
        key = (node, source)
        if key not in self.numbers:
            read, seen = self.made(node, source), [-1, UNKNOWN]

            def once() -> float:
                if seen[0] != self.tick:
                    seen[:] = [self.tick, read()]
                return seen[1]

            self.numbers[key] = once
        return self.numbers[key]

    def made(self, node: Value, source: str) -> Number:
        if isinstance(node, Constant):
            return lambda: node.value
        if isinstance(node, ParameterValue):
            said = self.rules.params[node.name]
            figure = said.value
            if said.by_source:
                figure = said.by_source.get(source, said.by_source.get("other"))
            assert figure is not None
            return lambda: figure
        if isinstance(node, SeriesValue):
            past = self.feed(node.symbol, node.name).past
            return lambda: past.current(self.now)
        if isinstance(node, Arithmetic):
            return self.arithmetic(node, source)
        return self.computed(node) if isinstance(node, Indicator) else self.measured(node)

    def arithmetic(self, node: Arithmetic, source: str) -> Number:
        left, right = self.number(node.left, source), self.number(node.right, source)
        joined: dict[str, Callable[[float, float], float]] = {
            "+": lambda one, two: one + two,
            "-": lambda one, two: one - two,
            "*": lambda one, two: one * two,
            "/": lambda one, two: one / two if two else UNKNOWN,
            "+share": lambda one, two: one * (1.0 + two),
            "-share": lambda one, two: one * (1.0 - two),
        }
        join = joined[node.op]
        return lambda: join(left(), right())  # both are read at every instant

    def measured(self, node: Measured) -> Number:
        name, of = node.function, node.of
        if isinstance(of, SeriesValue):
            feed = self.feed(of.symbol, of.name)
            if name == "age":
                return lambda: self.age(feed)
            if name == "atr":
                high, low = (self.feed(of.symbol, one).past for one in ("high", "low"))
                span = node.window or 0
                return lambda: average_range(feed.past, high, low, self.now, span)
            if of.name == "equity" and name in NET and feed.account:
                self.net = self.net or replaced(feed.past)
                return self.over(node, self.net)
            return self.over(node, feed.past)
        inner, past = self.number(of), self.chain(of)
        base = self.base(of)
        own = self.feed(base.symbol, base.name) if isinstance(base, SeriesValue) else None
        self.fed.append((node, own, past, inner))
        measure = self.over(node, past)

        def read() -> float:
            value = inner()
            if self.closed and math.isfinite(value):
                past.add(self.now, value)
            return measure()

        return read

    def chain(self, of: Value) -> Past:
        """Return the samples that one measure gives to the next: one at every close."""
        fresh = self.every - 1 if self.rules.evaluate == "event" else 0
        return Past(interval=self.every, fresh=fresh, scale=SCALES.get(of.dimension, 10**12))

    def over(self, node: Measured, past: Past) -> Number:
        if node.calendar == "all":
            return lambda: ever(past, self.now)
        if node.calendar:
            since, zone = SINCE[node.function], self.rules.timezone
            return lambda: since(past, self.now, midnight(self.now, node.calendar, zone))
        measure, span = MEASURES[node.function], node.window or 0
        return lambda: measure(past, self.now, span, node.minimum)

    def age(self, feed: Feed) -> float:
        if not feed.carried:
            return UNKNOWN
        last = feed.past.last()
        return math.inf if last is None else float(self.now - last)

    def computed(self, node: Indicator) -> Number:
        """`ta.rsi(window=3)` over thirty bars: the one function that is drawn."""
        assert node.name == "rsi"
        close = self.feed(node.symbol, "close").past
        span = 30 * self.every
        rsi = import_module("ta.momentum").rsi
        series = import_module("pandas").Series

        def read() -> float:
            last = close.last()
            if last is None or self.now - last > close.fresh or last - close.since() < span:
                return UNKNOWN
            tail = list(close.bars(last - span).values())
            if 10 * len(tail) < 9 * 30:
                return UNKNOWN
            return float(rsi(series(tail, dtype=float), window=3).iloc[-1])

        return read

    # ------------------------------------------------------------ what protection needs

    def need(self, node: Value) -> None:
        """Mark what a value reads; an age is no reading."""
        for one in values(node):
            if isinstance(one, Measured | Indicator):
                if isinstance(one, Indicator) or one.function != "age":
                    self.needed[one] = None
                if isinstance(one, Measured) and one.function == "atr":
                    base = self.base(one)
                    self.feed(base.symbol, "high").needed = True
                    self.feed(base.symbol, "low").needed = True
            if isinstance(one, Indicator):
                self.feed(one.symbol, "close").needed = True
        aged = [
            one.of for one in values(node) if isinstance(one, Measured) and one.function == "age"
        ]
        for one in values(node):
            if isinstance(one, SeriesValue) and not any(one is each for each in aged):
                self.feed(one.symbol, one.name).needed = True

    def lacking(self, node: Value, now: int) -> tuple[int, int] | None:
        """Return how much a measure has seen and must have seen, None where that is enough."""
        base = self.base(node)
        if isinstance(node, Indicator):
            pasts, wanted = [self.feed(base.symbol, "close").past], 30 * self.every
        else:
            assert isinstance(node, Measured)
            pasts = [self.past_of(node)]
            if node.function == "atr":
                pasts += [self.feed(base.symbol, one).past for one in ("high", "low")]
            wanted = self.wanted(node, now)
        if isinstance(base, SeriesValue):
            feed = self.feed(base.symbol, base.name)
            if feed.account or not feed.carried:
                return None
        point = isinstance(node, Measured) and node.function in {"ago", "change", "drop", "rise"}
        seen = min(now - one.since(endpoint=point) if one.times else 0 for one in pasts)
        seen = max(0, min(wanted, seen))
        return (seen, wanted) if seen < wanted else None

    def wanted(self, node: Measured, now: int) -> int:
        if node.calendar == "all":
            return 0
        if node.calendar:
            return now - midnight(now, node.calendar, self.rules.timezone)
        return node.minimum or (node.window or 0) * REACH.get(node.function, 1)

    def past_of(self, node: Measured) -> Past:
        if isinstance(node.of, SeriesValue):
            return self.feed(node.of.symbol, node.of.name).past
        return next(past for one, _, past, _ in self.fed if one == node)

    # ------------------------------------------------------------ the account

    def begin(self, feed: Feed, past: Past, ts: int, value: float) -> None:
        """Let a series have been what it is for as long as anything looks back."""
        own = [entry for entry in self.fed if entry[1] is feed and self.reads(entry[0], past, feed)]
        now, tick = self.now, self.tick
        for back in range(self.longest() // past.interval + 1, 0, -1):
            self.now, self.closed = ts - back * past.interval, False
            past.add(self.now, value)
            self.tick += 1
            for _, _, chained, inner in own:
                if math.isfinite(found := inner()):
                    chained.add(self.now, found)
        self.now, self.tick = now, max(tick, self.tick) + 1

    def reads(self, node: Measured, past: Past, feed: Feed) -> bool:
        """Say whether a chain rests on this series: equity, or equity without transfers."""
        first = node
        while isinstance(first.of, Measured):
            first = first.of
        return past is (self.net if first.function in NET and feed.key == "equity" else feed.past)

    def longest(self) -> int:
        """Return more than any value of the rule set looks back."""
        spans = [
            sum(
                (one.window or WORDS.get(one.calendar, 0) + DAY) * REACH.get(one.function, 1)
                for one in values(node)
                if isinstance(one, Measured)
            )
            for node, _ in self.numbers
        ]
        return max(spans, default=0) + 4 * self.every


def replaced(past: Past) -> Past:
    return Past(interval=past.interval, fresh=past.fresh, scale=past.scale, bar=past.bar)
