"""The tables of the language: which keys a block has, what a measure takes, what is reserved.

The walker reads by these tables, and so does whatever describes the language elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACTIONS",
    "CALENDARS",
    "CALENDARS_OF",
    "COMBINATORS",
    "CONDITION_KEYS",
    "DURING_KEYS",
    "FILE_KEYS",
    "INPUT_KEYS",
    "LIQUIDATIONS_KEYS",
    "LOSS_KEYS",
    "MARKET",
    "MEASURES",
    "NAME",
    "PARAMETER_KEYS",
    "PER_SYMBOL_KEYS",
    "REENTRY_KEYS",
    "RESERVED",
    "RULE_KEYS",
    "SEVERITIES",
    "STAGE_KEYS",
    "SUPPORT_KEYS",
    "SYMBOL",
    "UNITS",
    "Action",
    "Measure",
]

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,19}")
MAX_RULES = 2_000
SEVERITIES = ("info", "warning", "critical")
MISSING = ("hold", "fire", "ignore")

METADATA = ("name", "description", "author", "severity", "tags", "references")
FILE_KEYS = (
    *("version", *METADATA, "symbol", "symbols", "guards", "every", "evaluate", "timezone"),
    *("blind", "inputs", "params", "define", "rules", "stages", "extends", "override"),
    *("disable", "per_symbol", "allow"),
)
RULE_KEYS = (
    *("when", "clear", "do", "on_missing", "cooldown", "min_hold", "latch", "during"),
    *("priority", "severity", "name", "description", "mutes", "reentry", "fallback", "allow"),
)
STAGE_KEYS = (
    *("stage", "enter", "recover", "do", "min_hold", "on_missing", "reentry", "fallback"),
    *("description", "allow"),
)
INPUT_KEYS = (
    *("column", "unit", "kind", "max_age", "available_after", "stamp", "scale", "source"),
    *("coverage", "signed"),
)
PARAMETER_KEYS = ("value", "by_source", "range", "step", "help")
REENTRY_KEYS = ("start", "step", "every", "while")
PER_SYMBOL_KEYS = ("params", "override", "disable")
BREADTH_KEYS = ("of", "at_least", "where")
SUPPORT_KEYS = ("levels", "broken", "level", "confirm", "or_below_for", "buffer")
LIQUIDATIONS_KEYS = ("side", "window", "at_least", "min", "floor", "source")
LOSS_KEYS = ("holder", "at_least")
DURING_KEYS = ("days", "from", "to", "timezone")

# one of these makes a map a condition; the rest may stand beside it
COMBINATORS = (
    *("all", "any", "not", "at_least", "sequence", "is", "breadth"),
    *("support_lost", "liquidations", "unrealised_loss", "during"),
)
CONDITION_KEYS = (*(*COMBINATORS, "of", "within", "for", "on_missing", "name"),)

KINDS = ("level", "flow", "rolling")
COVERAGES = ("full", "sampled", "reconstructed")
UNITS = ("price", "usd", "coins", "contracts", "fraction", "index", "count", "multiple", "number")

# inputs that every symbol has of its own; the others are one for the whole market or account
MARKET = frozenset(
    name
    for name, spec in CATALOGUE.items()
    if spec.bar or name in {"oi", "oi_usd", "funding", "basis"}
)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure makes of a series."""

    result: str  # a dimension; "" = that of the series
    flows: bool = False  # sums what happened: flows only
    baseline: bool = False  # takes min=
    windowed: bool = True
    positive: bool = False  # never below 0
    relative: bool = False  # compares with its own past
    fraction: bool = False  # never above 100 %
    example: str = "24h"


MEASURES: Mapping[str, Measure] = {
    "ago": Measure(""),
    "change": Measure("share"),
    "drop": Measure("share", positive=True, fraction=True),
    "rise": Measure("share", positive=True),
    "sum": Measure("", flows=True),
    "mean": Measure("", baseline=True),
    "sma": Measure("", baseline=True),
    "ema": Measure(""),
    "low": Measure(""),
    "high": Measure(""),
    "stdev": Measure("", baseline=True, positive=True),
    "zscore": Measure("number", baseline=True, relative=True),
    "times_avg": Measure("ratio", baseline=True, relative=True, example="30d"),
    "percentile": Measure("share", baseline=True, relative=True, positive=True, fraction=True),
    "accel": Measure("ratio", flows=True, relative=True),
    "drawdown": Measure("share", positive=True, fraction=True),
    "vol": Measure("share", positive=True),
    "atr": Measure("price", positive=True, example="14d"),
    "age": Measure("time", windowed=False, positive=True),
}


# windows that the calendar begins: from the last midnight, Monday's midnight, the first sample
CALENDARS = ("today", "this_week", "all")
_OF_DAYS = ("sum", "change", "drop", "rise", "low", "high", "mean", "sma", "drawdown")
CALENDARS_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_OF_DAYS, ("today", "this_week")),
    "drawdown": CALENDARS,
}


@dataclass(frozen=True, slots=True)
class Action:
    """How the value of an action is written."""

    kind: str  # share | choice | truth | multiple | stop | text
    choices: tuple[str, ...] = ()


ACTIONS: Mapping[str, Action] = {
    "exposure_cap": Action("share"),
    "reduce_by": Action("share"),
    "close": Action("choice", ("all", "longs", "shorts")),
    "block_entries": Action("choice", ("long", "short", "both")),
    "reduce_only": Action("truth"),
    "leverage_cap": Action("multiple"),
    "stop": Action("stop"),
    "cancel_orders": Action("choice", ("entries", "all")),
    "hedge": Action("share"),
    "notify": Action("text"),
}
SELLING = ("close", "reduce_by", "exposure_cap", "hedge")

RESERVED = frozenset(
    {"all", "any", "not", "at_least", "of", "sequence", "within", "is", "for", "on_missing"}
    | {"during", "breadth", "and", "or", "true", "false", "stage", "normal", "ta", "plugin"}
    | {"today", "this_week"}
)
