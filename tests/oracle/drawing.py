"""Random rule sets of every construct, from one seed."""

from __future__ import annotations

import random
from dataclasses import replace

from riskguard.language.ruleset import (
    Actions,
    All,
    Any,
    Arithmetic,
    AtLeast,
    Compare,
    Condition,
    Constant,
    During,
    Flag,
    For,
    Indicator,
    Input,
    Measured,
    Not,
    Parameter,
    ParameterValue,
    Reentry,
    Rule,
    RuleSet,
    Sequence,
    SeriesValue,
    Stage,
    Stop,
    Value,
)
from riskguard.market import CATALOGUE, HOUR, MINUTE, SeriesSpec
from tests.oracle.past import SINCE

__all__ = ["CENTRES", "Draw"]

SYMBOLS = ["", "", "", "ETH", "SOL"]
MARKET = {
    **dict.fromkeys(("close", "high", "low"), "price"), "oi": "coins", "volume": "coins",
    "liq.long": "dollars", "liq.short": "dollars", "funding": "share", "basis": "share",
}  # fmt: skip
WIDE = {"fear_greed": "index", "stoxx": "number"}
ACCOUNT = {
    "equity": "dollars", "transfers": "dollars", "pnl.realised": "dollars",
    "pnl.unrealised": "dollars", "trades.closed": "count", "trades.lost": "count",
    "loss_streak": "count", "position": "coins", "leverage": "ratio",
}  # fmt: skip
FLOWS = {"volume", "liq.long", "liq.short", "pnl.realised", "transfers", "trades.lost"}
SHARES = {"change", "drop", "rise", "drawdown", "vol", "percentile"}
RATIOS = {"times_avg", "accel"}
LEAST = ("mean", "stdev", "zscore", "times_avg", "percentile")
POINTS = ["ago", "change", "drop", "rise", "low", "high", "drawdown"]
OPS = ["<", "<=", ">", ">=", "<", "<=", ">", ">=", "==", "!="]
# where thresholds and samples lie, by dimension: often exactly on one another
CENTRES = {
    "price": 100.0, "coins": 1000.0, "dollars": 2_000_000.0, "share": 0.01, "count": 2.0,
    "index": 40.0, "number": 50.0, "ratio": 1.0,
}  # fmt: skip
SOURCES = ({}, {"liq.long": "binance"}, {"liq.long": "published", "ETH.liq.long": "binance"})
DOINGS = (
    Actions(exposure_cap=0.5), Actions(exposure_cap=0.5, notify="half"),
    Actions(exposure_cap=0.0, close="longs"), Actions(close="all"), Actions(close="shorts"),
    Actions(block_entries="long", stop=Stop(atr=1.5)), Actions(block_entries="short"),
    Actions(block_entries="both", cancel_orders="entries"), Actions(hedge=0.5, reduce_by=0.25),
    Actions(leverage_cap=2.0, stop=Stop(share=0.05)), Actions(leverage_cap=3.0, stop=Stop(atr=3.0)),
    Actions(notify="look"), Actions(reduce_only=True, cancel_orders="all"), Actions(reduce_by=0.5),
)  # fmt: skip


class Draw:
    """One rule set, and how its samples will come."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(seed)
        self.texts = 0
        self.floors: set[str] = set()
        self.read: set[str] = set()  # the symbols whose data some line names
        pick = self.random
        self.every = pick.choice([15 * MINUTE, HOUR, HOUR, 4 * HOUR])
        self.by_event = pick.random() < 0.3
        self.names = dict(pick.choice([MARKET, MARKET, {**MARKET, **WIDE}]))
        self.account = pick.random() < 0.35
        self.sources = pick.choice(SOURCES)
        self.zone = pick.choice(["UTC", "UTC", "Asia/Kolkata", "America/New_York"])
        self.rules = self._rules()

    def text(self, letter: str) -> str:
        self.texts += 1
        return f"{letter}{self.texts}"

    def span(self) -> int:
        pick = self.random
        bars = pick.choice([2, 3, 5, 8, 12, 12, 24])
        return bars * self.every + (self.every // 2 if pick.random() < 0.06 else 0)

    # ------------------------------------------------------------ values

    def series(self) -> SeriesValue:
        pick = self.random
        if self.account and pick.random() < 0.4:
            name = pick.choice(list(ACCOUNT))
            return SeriesValue("", name, ACCOUNT[name], text=name)
        name = pick.choice(list(self.names))
        symbol = pick.choice(SYMBOLS) if name in MARKET else ""
        self.read.add(symbol)
        shown = f"{symbol}.{name}" if symbol else name
        return SeriesValue(symbol, name, self.names[name], text=shown)

    def value(self) -> Value:
        pick = self.random
        if pick.random() < 0.004:
            symbol = pick.choice(["", "ETH"])
            self.read.add(symbol)
            found: Value = Indicator("ta", "rsi", symbol, (("window", 3),), text=f"{symbol}.rsi")
        else:
            found = self.series()
        for _ in range(pick.choice([0, 1, 1, 1, 1, 2, 3])):
            found = self.measured(found)  # type: ignore[arg-type]  # a series or a measure of one
            if found.dimension == "time":
                return found
        return found

    def measured(self, of: SeriesValue | Indicator | Measured) -> Measured:
        pick = self.random
        plain = isinstance(of, SeriesValue)
        names = [*POINTS, *LEAST, *LEAST, "ema", "vol"]
        names += ["age"] if plain else []
        names += ["sum", "accel"] * 4 if not plain or of.name in FLOWS else []
        names += ["atr"] * 6 if plain and of.name == "close" else []
        name = pick.choice(names)
        dimension = (
            "share" if name in SHARES else "ratio" if name in RATIOS
            else {"zscore": "number", "age": "time"}.get(name, of.dimension)
        )  # fmt: skip
        shown = f"{of.text}.{name}"
        if name == "age":
            return Measured(name, of, None, None, dimension, text=shown)
        words = [word for word in ("today", "this_week") if name in SINCE]
        words += ["all"] if name == "drawdown" else []
        if words and pick.random() < 0.12:
            word = pick.choice(words)
            return Measured(name, of, None, None, dimension, text=f"{shown}({word})", calendar=word)
        span = self.span()
        least = span // 3 if name in LEAST and pick.random() < 0.4 else None
        shown += f"({span}, {least})"
        return Measured(name, of, span, least, dimension, text=shown)

    def left(self) -> Value:
        pick = self.random
        found = self.value()
        if found.dimension == "time" or pick.random() < 0.8:
            return found
        if pick.random() < 0.5:
            share = Constant(pick.choice([0.005, 0.02, 0.25]), "share")
            op = pick.choice(["+share", "-share"])
            return Arithmetic(op, found, share, found.dimension, text="a")
        if pick.random() < 0.5:
            number = Constant(pick.choice([2.0, 0.5, -1.0]), "plain")
            return Arithmetic(pick.choice("*/"), found, number, found.dimension, text="a")
        other = self.value()
        if pick.random() < 0.3:
            return Arithmetic("/", found, other, "ratio", text="a")
        if other.dimension == found.dimension:
            return Arithmetic(pick.choice("+-"), found, other, found.dimension, text="a")
        return found

    def threshold(self, left: Value) -> Value:
        pick = self.random
        if left.dimension == "time":
            return Constant(float(pick.choice([1, 2, 3]) * self.every), "time")
        base = left
        while isinstance(base, Measured):
            base = base.of
        if left.dimension == "dollars" and isinstance(base, SeriesValue) and pick.random() < 0.3:
            self.floors.add(f"floor of {base.text}")  # one source, one parameter
            return ParameterValue(f"floor of {base.text}", "dollars")
        if left.dimension == "share" and pick.random() < 0.2:
            return ParameterValue("dip", "share")
        if pick.random() < 0.08:
            return self.value()
        centre = CENTRES.get(left.dimension, 1.0)
        number = centre * pick.choice([0.5, 0.9, 0.98, 0.99, 1.0, 1.0, 1.01, 1.02, 1.1, 2, 0, -1])
        found: Value = Constant(round(number, 9), left.dimension)
        if pick.random() < 0.1:
            found = Arithmetic("*", found, ParameterValue("factor", "plain"), left.dimension)
        return found

    # ------------------------------------------------------------ conditions

    def leaf(self) -> Condition:
        pick = self.random
        if pick.random() < 0.04:
            return self.hours()
        left = self.left()
        right, op = self.threshold(left), pick.choice(OPS)
        missing = pick.choice(["hold", "hold", "hold", "ignore", "fire"])
        if pick.random() < 0.05:
            left, right = right, left
        return Compare(left, op, right, missing, text=self.text("L"))

    def hours(self) -> During:
        pick = self.random
        start, end = (pick.randrange(96) * 15 * MINUTE for _ in range(2))
        days = tuple(sorted(pick.sample(range(7), pick.choice([3, 5, 7]))))
        return During(days, start, end, self.zone)

    def breadth(self) -> Condition:
        """One line of several symbols, as `breadth` stands for it."""
        pick = self.random
        name = pick.choice(["close", "oi", "liq.long"])
        lines = []
        function = pick.choice(["drop", "rise", "drawdown"])
        span, share = self.span(), Constant(pick.choice([0.01, 0.02]), "share")
        self.read |= {"ETH", "SOL"}
        for symbol in ("", "ETH", "SOL"):
            series = SeriesValue(symbol, name, MARKET[name], text=f"{symbol}.{name}")
            shown = f"{symbol}.{name}.{function}({span}, None)"
            value = Measured(function, series, span, None, "share", text=shown)
            lines.append(Compare(value, ">=", share, text=self.text("L")))
        return AtLeast(2, tuple(lines))

    def condition(self, depth: int = 2) -> Condition:
        pick = self.random
        if depth == 0 or pick.random() < 0.35:
            found = self.breadth() if pick.random() < 0.06 else self.leaf()
        else:
            below = tuple(self.condition(depth - 1) for _ in range(pick.choice([1, 2, 2, 3])))
            within = pick.choice([2, 6, 12]) * self.every
            counted = AtLeast(pick.randint(1, len(below)), below)
            found = pick.choice(
                [All(below), Any(below), counted, Not(below[0]), Sequence(below, within)]
            )
        if pick.random() < 0.25:
            closes = pick.choice([None, None, 2, 3])
            length = None if closes else pick.choice([1, 2, 5]) * self.every
            found = For(found, length, closes, text=self.text("F"))
        return found

    def flagged(self, node: Condition, *flags: Flag) -> Condition:
        """Read definitions, rules and stages too, now and then."""
        for flag in flags:
            if self.random.random() < 0.25:
                node = self.random.choice([All, Any])((node, flag))
        return node

    # ------------------------------------------------------------ rule sets

    def actions(self) -> Actions:
        return self.random.choice(DOINGS)

    def reentry(self) -> Reentry | None:
        pick = self.random
        if pick.random() < 0.6:
            return None
        step = pick.choice([0.1, 0.25, 0.3])
        return Reentry(pick.choice([0.0, 0.25, 0.5]), step, pick.choice([1, 3]) * self.every,
                       self.condition(0))  # fmt: skip

    def when(self, *flags: Flag) -> Condition:
        missing = self.random.choice(["hold", "hold", "ignore", "fire"])
        calm = Flag("definition", "calm", missing, text="calm")
        return self.flagged(self.condition(), calm, *flags)

    def clear(self) -> Condition | None:
        if self.random.random() < 0.35:
            return None
        return self.flagged(self.condition(1), Flag("definition", "calm", text="calm"))

    def _rules(self) -> RuleSet:
        pick, every = self.random, self.every
        define = {"calm": self.condition(1)}
        stages = tuple(
            Stage(
                name, self.flagged(self.condition(1), Flag("definition", "calm", text="calm")),
                self.actions(), self.clear(), pick.choice([0, 0, 3]) * every, self.reentry(),
            )
            for name in "abc"[: pick.choice([0, 0, 1, 2, 3])]
        )  # fmt: skip
        rules: list[Rule] = []
        for number in range(pick.choice([1, 2, 3])):
            flags = [Flag("rule", rules[-1].name, text=rules[-1].name)] if rules else []
            flags += [Flag("stage", stages[-1].name, text="stage")] if stages else []
            rules.append(
                Rule(
                    f"r{number}", self.when(*flags), self.actions(), clear=self.clear(),
                    min_hold=pick.choice([0, 0, 3]) * every,
                    cooldown=pick.choice([0, 0, 4]) * every,
                    latch=pick.random() < 0.05, priority=pick.choice([0, 0, 10]),
                    reentry=self.reentry(), mutes=("r0",) if number and pick.random() < 0.2 else (),
                )
            )  # fmt: skip
        return RuleSet(
            symbol="BTC", symbols=("ETH", "SOL"), every=every, define=define, rules=tuple(rules),
            stages=stages, timezone=self.zone, evaluate="event" if self.by_event else "bar_close",
            blind=pick.choice(["block", "block", "ignore"]), inputs=self.inputs(),
            params=self.params(), hash=f"seed {self.seed}",
        )  # fmt: skip

    def inputs(self) -> dict[str, Input]:
        pick = self.random
        found = {"stoxx": Input("stoxx", SeriesSpec("number", "level", max_age=5 * self.every))}
        if pick.random() < 0.2:
            spec = replace(CATALOGUE["oi"], max_age=pick.choice([1, 3]) * self.every)
            found["oi"] = Input("oi", spec)
        if pick.random() < 0.1:
            found["SOL.oi"] = Input("oi", CATALOGUE["oi"], carried=False)
        return found

    def params(self) -> dict[str, Parameter]:
        by_source = {"binance": 1_500_000.0, "published": 3_000_000.0, "other": 2_000_000.0}
        written = {key: f"${value}" for key, value in by_source.items()}
        floors = {
            name: Parameter(name, None, "dollars", by_source=by_source, written=written)
            for name in sorted(self.floors)
        }
        return {
            **floors,
            "dip": Parameter("dip", 0.02, "share"),
            "factor": Parameter("factor", 1.0, "plain"),
        }  # fmt: skip
