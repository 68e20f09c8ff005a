"""Rule files drawn at random: every rule can trip in a wild market and clears in a calm one."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

__all__ = ["BROKEN", "SLOWEST", "Rules"]

SLOWEST = 60  # bars of calm after which everything drawn here has cleared
# what fires and what clears; `w` are minutes, `a` > `b` per cent
LINES = (
    ("close.drop({w}m) >= {a}%", "close.drop({w}m) < {b}%"),
    ("close.rise({w}m) >= {a}%", "close.rise({w}m) < {b}%"),
    ("close.drawdown({w}m) >= {a}%", "close.drawdown({w}m) < {b}%"),
    ("close.mean({w}m) < 97", "close.mean({w}m) > 99"),
    ("close < 95", "close > 98"),
    ("low.low({w}m) < 94", "close > 98"),
    ("oi.drop({w}m) >= {a}%", "oi.drop({w}m) < {b}%"),
    ("oi.change({w}m) > {a}%", "oi.change({w}m) < {b}%"),
    ("liq.long.sum({w}m) >= $8M", "liq.long.sum({w}m) < $1M"),
    ("liq.long.mean({w}m) >= $1M", "liq.long.mean({w}m) < $0.2M"),
    ("funding > 0.05%", "funding < 0.02%"),
    ("ETH.close.drop({w}m) >= {a}%", "ETH.close.drop({w}m) < {b}%"),
    ("equity.drop({w}m) >= {a}%", "equity.drop({w}m) < {b}%"),
)
ACTIONS: tuple[dict[str, str], ...] = (
    {"exposure_cap": "50%"},
    {"exposure_cap": "20%", "cancel_orders": "entries"},
    {"exposure_cap": "0%"},
    {"exposure_cap": "0%", "close": "all"},
    {"block_entries": "both"},
    {"block_entries": "long", "stop": "4%"},
    {"close": "longs"},
    {"reduce_only": "true"},
    {"reduce_by": "40%"},
    {"leverage_cap": "2x", "notify": "careful"},
)
# on and on its way back for much of the time
BACK = {
    "when": "close.drop(3m) >= 0.4% for 2 closes",
    "clear": "close.drop(3m) < 0.3% for 2 closes",
    "do": {"exposure_cap": "80%"},
    "reentry": {"start": "80%", "step": "5%", "every": "3m", "while": "close > 90"},
}
LOOSER = {"exposure_cap": "90%"}
BROKEN = (
    "",
    "version: 1\nrules:\n  x: 1\n",
    "version: 1\nsymbol: BTC\nevery: 1m\nrules:\n  a:\n    when: close <",
    "\0",
    "version: 2\nrules: {}\n",
    "&a [*a, *a]\n",
    "version: 1\nsymbol: BTC\nevery: 1m\nrules:\n  a: {when: clsoe < 5, do: {exposure_cap: 0%}}\n",
)


class Rules:
    """A rule file as data; `text` is what is written, `other` what may lie there later."""

    def __init__(
        self,
        dice: random.Random,
        lines: Sequence[tuple[str, str]] = LINES,
        *,
        remembers: bool = False,
    ) -> None:
        """Draw a file; one that `remembers` has ways back and a peak, which no history tells."""
        self.dice, self.lines = dice, lines
        self.body: dict[str, Any] = {
            "version": 1,
            "symbol": "BTC",
            "symbols": ["ETH"],
            "every": "1m",
            "rules": {f"r{number}": self._rule() for number in range(dice.randint(1, 5))},
        }
        if dice.random() < 0.2:
            self.body["evaluate"] = "event"
        if dice.random() < 0.4:
            self.body["stages"] = self._stages()
        if remembers:
            self._remember()

    @property
    def text(self) -> str:
        """The file: JSON is YAML."""
        return json.dumps(self.body, indent=1)

    def other(self) -> str:
        """Return the file with a rule dropped, loosened, changed, or added."""
        dice, body = self.dice, json.loads(self.text)
        rules = body["rules"]
        name = dice.choice(sorted(rules))
        how = dice.choice(("drop", "loosen", "change", "add", "unstage"))
        if how == "drop" and len(rules) > 1:
            del rules[name]
        elif how == "loosen":
            rules[name]["do"] = LOOSER
        elif how == "change":
            rules[name] = self._rule()
        elif how == "unstage":
            body.pop("stages", None)
        else:
            rules["r9"] = self._rule()
        return json.dumps(body)

    def _remember(self) -> None:
        """Give rules a way back, and one the highest price there ever was; it never fires."""
        dice, rules = self.dice, self.body["rules"]
        for rule in rules.values():
            if "clear" in rule and "exposure_cap" in rule["do"] and dice.random() < 0.7:
                start = rule["do"]["exposure_cap"]
                every, when = dice.choice(("2m", "3m")), dice.choice(("close > 97", "close > 1"))
                rule["reentry"] = {"start": start, "step": "20%", "every": every, "while": when}
        rules["back"] = dict(BACK)
        ever = {
            "when": "close.drawdown(all) >= 99.9%",
            "latch": True,
            "do": {"reduce_only": "true"},
        }
        rules["ever"] = ever

    def _line(self) -> tuple[str, str]:
        dice = self.dice
        when, clear = dice.choice(self.lines)
        a = dice.choice((2, 3, 5, 8))
        fill = {"w": dice.choice((3, 5, 10, 20)), "a": a, "b": a / 2}
        return when.format(**fill), clear.format(**fill)

    def _rule(self) -> dict[str, Any]:
        dice = self.dice
        when, clear = self._line()
        rule: dict[str, Any] = {"when": when, "clear": clear, "do": dict(dice.choice(ACTIONS))}
        if dice.random() < 0.3:
            other, back = self._line()
            rule["when"] = dice.choice(
                ({"all": [when, other]}, {"any": [when, other]},
                 {"sequence": [when, other], "within": "15m"})
            )  # fmt: skip
            rule["clear"] = {"all": [clear, back]}
        elif dice.random() < 0.4:
            rule["when"] += dice.choice((" for 2 closes", " for 2m", " for 3m"))
        if isinstance(rule["clear"], str) and dice.random() < 0.4:
            rule["clear"] += dice.choice((" for 2 closes", " for 3m"))
        for key, chance in (("min_hold", 0.3), ("cooldown", 0.2)):
            if dice.random() < chance:
                rule[key] = dice.choice(("4m", "10m"))
        if dice.random() < 0.15:
            rule["latch"] = True
            del rule["clear"]
            rule.pop("min_hold", None)
            rule.pop("cooldown", None)
        if dice.random() < 0.1:
            rule["on_missing"] = "ignore"
        return rule

    def _stages(self) -> list[dict[str, Any]]:
        when, clear = self._line()
        deeper, back = self._line()
        return [
            {"stage": "warn", "enter": when, "recover": clear, "do": {"exposure_cap": "70%"}},
            {"stage": "hurt", "enter": deeper, "recover": back, "do": {"exposure_cap": "10%"}},
        ]
