"""A plan read from its file: every key checked, none guessed."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from riskguard.backtest.evidence.plan import Plan
from riskguard.history.document import Listing, Section, Word, plain
from riskguard.history.scenario import Words
from riskguard.history.stamps import duration, instant, shown
from riskguard.history.table import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FALLS", "fall_fault", "read_plan"]

VERSION = "1"
FALLS = (0.005, 0.9)  # shallower is noise, deeper has not been seen
# what a command line takes too; of fewer draws an interval means nothing, more would never end
RANGES = {
    "fall": (0.0, math.inf),  # `fall_fault` says more
    "cash": (0.01, 1e15),
    "fee": (0.0, 0.1),
    "slippage": (0.0, 0.1),
    "draws": (99, 99_999),
    "seed": (0, 999_999_999),
    "tried": (1, 999_999_999),
}
ANEW = "write it anew: riskguard plan RULES --data FOLDER --fall 10% --within 7d"


def fall_fault(fall: float) -> str:
    """Return what is wrong with the depth of an event, "" where nothing is."""
    low, high = FALLS
    if low <= fall <= high:
        return ""
    return f"a fall of {fall * 100:g}% is no event: {low:.1%} to {high:.0%} are"


def read_plan(path: Path) -> Plan:
    """Read the plan in a file; raise DataError for the first mistake."""
    name = str(path)
    known = ["plan", "hash", *(one.name for one in fields(Plan) if one.name != "written")]
    words = Words(name, plain(read_text(path), name), known, "the plan")
    version = words.word("plan", fix=ANEW)
    if version != VERSION:
        raise words.refusal("plan", f"version '{shown(version)}' is unknown", "allowed: 1")
    texts = ("rules", "rules_hash", "data", "data_hash", "symbol", "strategy", "metric")
    told: dict[str, Any] = {key: words.word(key, fix=ANEW) for key in texts}
    told |= {key: _number(words, key) for key in ("cash", "fee", "slippage")}
    told |= {key: _whole(words, key) for key in ("draws", "seed", "tried")}
    told |= {key: _table(words, key) for key in ("params", "settings")}
    told |= {key: _instant(words, key) for key in ("trade_from", "to")}
    return Plan(
        **told,
        fall=_fall(words),
        within=_within(words),
        locked=_months(words),
        peers=_list(words, "peers"),
        strategy_hash=words.word("strategy_hash", fix=ANEW),
        files=words.word("files", ""),
        written=words.word("hash", fix=ANEW),
    )


def _number(words: Words, key: str) -> float:
    text = words.word(key, fix=ANEW)
    low, high = RANGES[key]
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not low <= found <= high:
        between = f"from {low:g} to {high:g}"
        raise words.refusal(key, f"'{shown(text)}' is no number {between}", ANEW)
    return found


def _whole(words: Words, key: str) -> int:
    text = words.word(key, fix=ANEW)
    low, high = RANGES[key]
    if not (re.fullmatch(r"[0-9]{1,9}", text) and low <= int(text) <= high):
        between = f"from {low:,} to {high:,}"
        raise words.refusal(key, f"'{shown(text)}' is no whole number {between}", ANEW)
    return int(text)


def _fall(words: Words) -> float:
    found = _number(words, "fall")
    if fault := fall_fault(found):
        raise words.refusal("fall", fault, "write 0.1 for 10%")
    return found


def _within(words: Words) -> int:
    words.word("within", fix=ANEW)
    found = words.read("within", duration, 0)
    if found <= 0:
        raise words.refusal("within", "must be longer than nothing", "write 7d")
    return found


def _instant(words: Words, key: str) -> int:
    words.word(key, fix=ANEW)
    return words.read(key, instant, 0)


def _months(words: Words) -> tuple[str, ...]:
    found = _list(words, "locked")
    for month in found:
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
            raise words.refusal("locked", f"'{shown(month)}' is no month", 'write "2022-11"')
    return found


def _list(words: Words, key: str) -> tuple[str, ...]:
    node = words.section.get(Word(key, 0))
    if not isinstance(node, Listing) or not all(isinstance(one, Word) for one in node):
        raise words.refusal(key, "must be a list of words", f"write {key}: [...]")
    return tuple(str(one) for one in node)


def _table(words: Words, key: str) -> dict[str, str]:
    node = words.section.get(Word(key, 0))
    if not isinstance(node, Section) or not all(isinstance(one, Word) for one in node.values()):
        raise words.refusal(key, "must be names with a value each", f"write {key}: {{}}")
    return {str(name): str(one) for name, one in node.items()}
