"""Rule files as hypothesis draws them: whatever the grammar can say, valid in most cases.

A file is drawn as plain data and written as JSON, which the language reads, so that nothing here
rests on how riskguard itself prints.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from tests.language.rule_grammar import GRAMMAR, TEXTS

__all__ = ["file_data", "written"]

SYMBOLS = ("BTC", "ETH", "SOL2")
WORD = re.compile(r"<([a-z][a-z0-9 ]*)>")
PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
DEEPEST = 3  # nested expressions
ANY_TEXT = st.text(min_size=1, max_size=12).filter(
    lambda text: text.strip() != "" and not any(0xD800 <= ord(one) < 0xE000 for one in text)
)
LONG_FORMS = (
    {"support_lost": {"level": "low(20d)", "confirm": "2 closes", "buffer": "0.5%"}},
    {"support_lost": {"level": "p", "confirm": "12h", "or_below_for": "<hold>"}},
    {
        "support_lost": {
            "levels": ["75_000", "p", "7e4"],
            "broken": "2",
            "buffer": "0.5 atr(14d)",
            "confirm": "2 closes",
            "or_below_for": "12h",
        }
    },
    {"liquidations": {"side": "<side>", "window": "24h", "at_least": "<pace>", "min": "14h"}},
    {"liquidations": {"side": "long", "window": "8 bars", "at_least": "<pace>", "floor": "$50M"}},
    {
        "liquidations": {
            "side": "<side>",
            "window": "24h",
            "at_least": "<pace>",
            "floor": "<dollar>",
            "source": "<source>",
        }
    },
    {"unrealised_loss": {"holder": "fund", "at_least": "$0.9B"}},
    {"unrealised_loss": {"at_least": "d_p"}},
)
ACTIONS = {
    "exposure_cap": "<cap>",
    "reduce_by": "<cap>",
    "hedge": "<cap>",
    "stop": "<stop>",
    "leverage_cap": ("2x", "1.25x", "r_p"),
    "close": ("all", "longs", "shorts"),
    "block_entries": ("long", "short", "both"),
    "cancel_orders": ("entries", "all"),
    "reduce_only": ("true", "false"),
    "notify": None,
}


class Names:
    """Draws the parts of one file; what its lines may name is kept here."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.symbol = self.one("BTC", "BTC", "")
        self.symbols = draw(st.lists(st.sampled_from(SYMBOLS), max_size=3, unique=True))
        self.flags: list[str] = []
        self.stages: list[str] = []

    def one(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == 1

    def text(self) -> str:
        return self.draw(ANY_TEXT) if self.chance(4) else self.one(*TEXTS)

    def filled(self, template: Any, depth: int = DEEPEST) -> Any:
        """Return a template, in which <words> stand for alternatives, with all of them chosen."""
        if isinstance(template, dict):
            return {key: self.filled(value, depth) for key, value in template.items()}
        if isinstance(template, list):
            return [self.filled(value, depth) for value in template]
        return WORD.sub(lambda found: self.chosen(found[1], depth), template)

    def chosen(self, word: str, depth: int) -> str:
        if word == "int":
            return str(self.draw(st.integers(1, 10 ** self.one(1, 2, 5))))
        if word == "two":
            return str(self.draw(st.integers(6, 99)))
        if word == "own":
            known = [*self.symbols, self.symbol] if self.symbol else self.symbols
            return f"{self.one(*known)}." if known and self.chance(4) else ""
        flat, *nested = GRAMMAR[word]
        options = (*flat, *nested[0]) if nested and depth else flat
        return self.filled(self.one(*options), depth - 1 if depth else 0)

    # ------------------------------------------------------------ conditions

    def condition(self, depth: int = 2, *, clearing: bool = False) -> Any:
        """Return a line, a group or a long form."""
        if depth == 0 or self.chance(2):
            line = self.line()
            return self.around({"is": line}, clearing=clearing) if self.chance(4) else line

        def parts(count: int) -> list[Any]:
            return [self.condition(depth - 1, clearing=clearing) for _ in range(count)]

        form = self.one("all", "any", "not", "at_least", "sequence", "long", "long", "during")
        if form in {"all", "any"}:
            found = {form: parts(self.one(1, 2, 2, 3))}
        elif form == "not":
            found = {"not": parts(1)[0]}
        elif form == "at_least":
            found = {"at_least": self.one("1", "2"), "of": parts(self.one(2, 3))}
        elif form == "sequence":
            found = {"sequence": parts(2), "within": self.one("6h", "3 bars", "90.5m", "t_p")}
        elif form == "during":
            found = {"during": self.hours()}
        elif self.symbols and self.chance(3):
            where = self.filled("<where>")
            found = {"breadth": {"of": self.symbols, "at_least": "1", "where": where}}
        else:
            found = self.filled(self.one(*LONG_FORMS))
        return self.around(found, clearing=clearing)

    def line(self) -> str:
        if self.flags and self.chance(5):
            return self.one(*self.flags)
        staged = self.stages and self.chance(8)
        line = f"stage >= {self.one(*self.stages)}" if staged else self.filled("<line>")
        return f"{line} for {self.filled('<span>')}" if self.chance(3) else line

    def around(self, found: dict[str, Any], *, clearing: bool) -> dict[str, Any]:
        if self.chance(4):
            found["for"] = self.filled("<span>")
        if self.chance(3):
            found["on_missing"] = self.one(*("hold", "ignore", "ignore", "fire")[: 4 - clearing])
        if self.chance(9):
            found["name"] = "an own name"
        return found

    def hours(self) -> dict[str, Any]:
        found = self.filled({"from": "<from>", "to": "<to>"})
        if self.chance(2):
            found["days"] = self.one(
                "mon-fri", ["sat", "sun"], "sun-tue", "Wed", ["mon", "wed-thu"]
            )
        return found | ({"timezone": self.filled("<zone>")} if self.chance(3) else {})

    # ------------------------------------------------------------ rules and stages

    def actions(self) -> dict[str, Any]:
        def value(key: str) -> str:
            wanted = ACTIONS[key]
            if wanted is None:
                return self.text()
            return self.one(*wanted) if isinstance(wanted, tuple) else self.filled(wanted)

        keys = self.draw(st.lists(st.sampled_from(list(ACTIONS)), min_size=1, unique=True))
        return {key: value(key) for key in keys}

    def latch(self, fires: str, frees: str) -> dict[str, Any]:
        found = {fires: self.condition(), "do": self.actions()}
        if self.chance(2):
            found[frees] = self.condition(clearing=True)
        if self.chance(3):
            found["on_missing"] = self.one("hold", "ignore", "ignore", "fire")
        if self.chance(3):
            found["min_hold"] = self.filled(self.one("<hold>", "3 bars", "t_p"))
        if self.chance(4):
            found["reentry"] = {
                "start": self.one("0%", "0.5%"),
                "step": self.one("25%", "s_p"),
                "every": self.one("12h", "3 bars"),
                "while": self.condition(1, clearing=True),
            }
        if self.chance(4):
            found["fallback"] = self.actions()
        if self.chance(4):
            found["description"] = self.text()
        return found

    def rule(self) -> dict[str, Any]:
        found = self.latch("when", "clear")
        if self.chance(4):
            found["during"] = self.hours()
        if self.chance(4):
            found["cooldown"] = self.filled("<hold>")
        for key, options in (
            ("latch", ("true", "false")),
            ("priority", ("0", "7", "100")),
            ("severity", ("info", "critical")),
            ("mutes", (["cascade"], "cascade")),
        ):
            if self.chance(5):
                found[key] = self.one(*options)
        return found | ({"name": self.text()} if self.chance(5) else {})

    # ------------------------------------------------------------ declarations

    def params(self) -> dict[str, Any]:
        """Return a parameter of each dimension."""
        sources = {"by_source": {"published": "$150M", "Own: feed": "<dollar>", "other": "$5M"}}
        ranged = {"value": "75_000", "range": "70_000..80_000", "step": "1_000"}
        helped = {"value": "0.5%", "range": "0%..2%", "help": self.text()}
        clocked = {"value": "24h", "range": "6h..48h", "step": "1.5h"}
        written = {
            "p": self.one("<amount>", ranged),
            "s_p": self.one("5%", helped),
            "d_p": self.one("<dollar>", sources, {**sources, "range": "$0..$1e30"}),
            "r_p": self.one("3x", {"value": "1.5x", "step": "0.25x"}),
            "t_p": self.one("12h", "300.5m", clocked),
            "bars_p": self.one("14 bars", {"value": "20 bars", "range": "5 bars..40 closes"}),
        }
        return self.filled(written)

    def inputs(self) -> dict[str, Any]:
        """Return new series, and others than the catalogue has."""
        found: dict[str, Any] = {
            "stoxx": {"unit": "number", "max_age": "4d", "available_after": "18h"},
            "a.b_c": {"unit": "number", "signed": self.one("true", "false")},
            "deals": {"unit": "contracts"},
        }
        more: dict[str, Any] = {
            "close": self.one({}, {"max_age": "3 bars"}, {"source": self.text()}),
            "liq.long": {"source": "published", "coverage": "reconstructed", "stamp": "open"},
            "funding": {"scale": self.one("0.01", "1e-4", "100"), "column": self.text()},
            "holder.fund.units": {"unit": "coins"},
            "ETH.oi": {"max_age": "2h", "column": "x"},
        }
        return found | {name: said for name, said in more.items() if self.chance(4)}


@st.composite
def file_data(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a rule file as data."""
    names = Names(draw)
    found: dict[str, Any] = {"version": "1", "every": names.one("1h", "4h", "15m", "90s", "1.5h")}
    found |= {"symbol": names.symbol} if names.symbol else {}
    found |= {"symbols": names.symbols} if names.symbols else {}
    for key, options in (
        ("guards", ("all", "symbol", ["BTC", "ETH"], ["SOL2"])),
        ("timezone", ("Europe/London", "America/New_York")),
        ("blind", ("block", "ignore")),
        ("evaluate", ("bar_close", "event")),
    ):
        if names.chance(3):
            found[key] = names.one(*options)
    if names.chance(3):
        found |= {"name": names.text(), "description": names.text(), "severity": "critical"}
    found |= {"inputs": names.inputs(), "params": names.params(), "define": {}, "rules": {}}
    for name in ("calm", "broken")[: draw(st.integers(0, 2))]:
        found["define"][name] = names.condition()
        names.flags.append(name)
    steps = ("watch", "out")[: draw(st.integers(0, 2))]
    found["stages"] = [{"stage": name, **names.latch("enter", "recover")} for name in steps]
    names.stages = list(steps)
    for name in ("cascade", "deep")[: draw(st.integers(0 if steps else 1, 2))]:
        found["rules"][name] = names.rule()
        names.flags.append(name)
    names.flags, names.stages = [], []  # what a symbol has of its own may not read itself
    if names.chance(3):
        own = {symbol: _own(names, found) for symbol in ("SOL2", "ETH")[: names.one(1, 1, 2)]}
        found["per_symbol"] = own
    return {key: value for key, value in found.items() if value not in ({}, [])}


def _own(names: Names, found: dict[str, Any]) -> dict[str, Any]:
    """Return what a symbol has of its own."""
    override = {"params.s_p": names.one("1%", {"value": "2%"})} if names.chance(3) else {}
    for section, of in (("rules", ".when"), ("define", "")):
        for name in found[section]:
            if names.chance(3):
                override[f"{section}.{name}{of}"] = names.condition(1)
    latches = [*found["rules"], *(stage["stage"] for stage in found["stages"])]
    gone = [names.one(*latches)] if len(latches) > 1 and names.chance(2) else []
    params = {"p": names.filled("<digits>")} if names.chance(2) else {}
    own = {"params": params, "override": override, "disable": gone}
    return {key: value for key, value in own.items() if value}


def written(data: dict[str, Any]) -> str:
    """Return the data as the text of a rule file."""
    # YAML has no pairs of surrogates
    return PAIR.sub(lambda found: json.loads(f'"{found[0]}"'), json.dumps(data))
