"""What is answered to `riskguard new`, read in the units of the rule language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from riskguard.cli.failures import WrongUse
from riskguard.cli.given import nearest
from riskguard.cli.new_rules import span
from riskguard.language.expression import parse_literal
from riskguard.language.findings import LineError
from riskguard.language.schema import SYMBOL
from riskguard.language.text.units import POINTED
from riskguard.market import DAY, MINUTE

if TYPE_CHECKING:
    from riskguard.language.expression import Literal

__all__ = ["action", "every", "held", "longest", "others", "price", "support", "symbol", "then"]

LEAST, MOST = 1e-8, 1e9  # prices
SHORTEST_LOW, LONGEST_LOW = 7 * DAY, 60 * DAY
LOW = re.compile(r"(?:the )?low(?:est)?\s*(?:of|\()?\s*(?P<time>\d+\s*[a-z]+)\s*\)?")
QUOTED = re.compile(r"(?P<coin>[A-Z][A-Z0-9]*?)[-/:]?(?:USDT|USDC|BUSD|USD)")
OTHERS = {
    "oi": "oi",
    "liq": "liquidations",
    "liquidation": "liquidations",
    "liquidations": "liquidations",
    "nothing": "nothing",
    "none": "nothing",
    "no": "nothing",
}
ACTIONS = {"block": 1.0, "flatten": 0.0}
FILLING = frozenset({"a", "after", "and", "cut", "down", "for", "it", "then", "to"})
LONG_UNITS = re.compile(r"(\d)\s*(h|d|w)(?:ours?|ays?|eeks?)?\b")


def symbol(text: str) -> str:
    """Return a symbol in capitals: BTC, not BTCUSDT."""
    name = text.upper()
    pair = QUOTED.fullmatch(name)
    if pair:
        raise WrongUse(f"{text} is a pair: rules name the coin alone", f"write {pair['coin']}")
    if not SYMBOL.fullmatch(name):
        raise WrongUse(f"'{text}' is no symbol", "write letters and digits: BTC")
    return name


def support(text: str) -> tuple[float | None, int]:
    """Return a price, or the time (ns) whose low has to hold."""
    low = LOW.fullmatch(text.strip().lower())
    if low:
        lookback = _time(low["time"], f"low of {low['time']}", "write low(20d)")
        if lookback % DAY or not SHORTEST_LOW <= lookback <= LONGEST_LOW:
            raise WrongUse(f"low of {low['time']}: whole days from 7 to 60", "write low(20d)")
        return None, lookback
    if POINTED.fullmatch(text.strip()):
        whole = text.strip().partition(".")[0]
        message = f"{text} is {whole}: decimals follow a point"
        raise WrongUse(message, f"write {whole}_000 for thousands, or {whole}")
    fix = "write a price such as 75_000, or low(20d)"
    found = _literal(text, f"'{text}' is no price", fix)
    if found.dimension not in {"plain", "dollars"}:
        raise WrongUse(f"'{text}' is no price", fix)
    if not LEAST <= found.value <= MOST:
        raise WrongUse(f"a price of {text} cannot be", fix)
    return found.value, 0


def price(text: str, known: str) -> tuple[str, float | None, int]:
    """Return symbol and support of `BTC 75_000`; without a symbol it is the known one."""
    first, _, rest = text.strip().partition(" ")
    if not first[:1].isalpha() or first.lower().startswith(("low", "the")):
        return known, *support(text)
    name = symbol(first)
    if not rest.strip():
        raise WrongUse(f"{name}, and which price of it", f"write {name} low(20d), or a price")
    return name, *support(rest)


def others(text: str) -> tuple[bool, bool]:
    """Return whether open interest has to fall, and whether liquidations have to speed up."""
    words = [word for word in re.split(r"[,\s]+|\band\b", text.lower().strip()) if word]
    for word in words:
        if word not in OTHERS:
            known = ["oi", "liquidations", "nothing"]
            raise WrongUse(f"'{word}' cannot be watched here", nearest(word, known))
    named = {OTHERS[word] for word in words}
    if not named or (len(named) > 1 and "nothing" in named):
        message = f"'{text.strip()}' can be read in two ways" if named else "nothing was said"
        raise WrongUse(message, "write oi, liquidations, both with a comma, or nothing")
    return "oi" in named, "liquidations" in named


def action(text: str) -> float:
    """Return the exposure that is left: of 40% 0.4, of flatten 0, of block 1."""
    word = text.strip().lower()
    if word in ACTIONS:
        return ACTIONS[word]
    fix = "write 40% (cut to it), block or flatten"
    found = _literal(word, f"'{text}' is nothing that can be done", fix)
    if found.dimension == "plain":
        raise WrongUse(f"{text} of what? a share is written with %", f"write {text}%")
    if found.dimension != "share":
        raise WrongUse(f"'{text}' is no share of a position", fix)
    if found.value == 0:
        raise WrongUse("0% of a position is none", "write flatten")
    if not 0 < found.value < 1:
        raise WrongUse(f"{text} would change nothing", fix)
    return found.value


def then(text: str, bar: int) -> tuple[float | None, int | None]:
    """Return action and time (ns) of `40%, 3d`, None for the one that is not said."""
    words = re.split(r"[,\s]+", LONG_UNITS.sub(r"\1\2", text.lower().strip()))
    said = [word for word in words if word and word not in FILLING]
    times = [word for word in said if re.fullmatch(r"[\d.]+[a-wyz]+", word)]
    actions = [word for word in said if word not in times]
    if len(times) > 1 or len(actions) > 1 or not said:
        raise WrongUse(f"'{text}' is not one action and one time", "write for example 40%, 3d")
    return (
        action(actions[0]) if actions else None,
        held(times[0], bar) if times else None,
    )


def every(text: str) -> int:
    """Return the bar of decisions in ns: a part of a day, at least 15 minutes."""
    fix = "write 15m, 30m, 1h, 2h, 4h, 8h, 12h or 1d"
    found = _time(text, f"every {text}", fix)
    if found < 15 * MINUTE or DAY % found or found % MINUTE or DAY // found not in DIVISORS:
        raise WrongUse(f"every {text}: a day must divide into such bars", fix)
    return found


def held(text: str, bar: int) -> int:
    """Return how long (ns) the price has to hold, in bars of `bar` ns."""
    fix = f"write a time from {span(bar)} to {span(longest(bar))}: 3d"
    found = _time(text, f"'{text}'", fix)
    if not bar <= found <= longest(bar) or found % MINUTE:
        raise WrongUse(
            f"{text} is too {'short' if found < bar else 'long'} to come back after", fix
        )
    return found


def longest(bar: int) -> int:
    """Return the longest time (ns) before coming back that the written test can prove."""
    return min(7 * DAY, 8 * DAY - 2 * bar)


# as many bars a day that any amount divides into them without a rest
DIVISORS = frozenset({1, 2, 3, 4, 6, 8, 12, 24, 48, 96})


def _literal(text: str, message: str, fix: str) -> Literal:
    try:
        return parse_literal(text.strip())
    except LineError:
        raise WrongUse(message, fix) from None


def _time(text: str, what: str, fix: str) -> int:
    found = _literal(LONG_UNITS.sub(r"\1\2", text), f"{what} is no time", fix)
    if found.dimension != "time":
        raise WrongUse(f"{what} is no time", fix)
    return round(found.value)
