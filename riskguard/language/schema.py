"""The tables of the language: which keys a block has, what a measure takes, what is reserved.

One source for the reader, for the schema of editors and for the reference page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from riskguard.language.tables.forms import (
    BESIDE,
    BREADTH_KEYS,
    COMBINATORS,
    CONDITION_KEYS,
    DAYS,
    DURING_KEYS,
    LIQUIDATIONS_KEYS,
    LOSS_KEYS,
    ONE_OF,
    STANDS_FOR,
    SUPPORT_KEYS,
)
from riskguard.language.tables.keys import (
    FILE_KEYS,
    HIGHEST_PRIORITY,
    INPUT_KEYS,
    MISSING,
    PARAMETER_KEYS,
    PER_SYMBOL_KEYS,
    REENTRY_KEYS,
    RULE_KEYS,
    SEVERITIES,
    STAGE_KEYS,
    UNITS,
    VERSION,
    WRITTEN,
    Key,
    required,
)
from riskguard.market import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACTIONS",
    "BESIDE",
    "BLOCKS",
    "BREADTH_KEYS",
    "CALENDARS",
    "CALENDARS_OF",
    "COMBINATORS",
    "CONDITION_KEYS",
    "DAYS",
    "DURING_KEYS",
    "FILE_KEYS",
    "HIGHEST_PRIORITY",
    "INPUT_KEYS",
    "LIQUIDATIONS_KEYS",
    "LITERALS",
    "LOSS_KEYS",
    "MARKET",
    "MAX_RULES",
    "MEASURES",
    "MISSING",
    "NAME",
    "ONE_OF",
    "PARAMETER_KEYS",
    "PER_SYMBOL_KEYS",
    "REENTRY_KEYS",
    "RESERVED",
    "RULE_KEYS",
    "SELLING",
    "SEVERITIES",
    "STAGE_KEYS",
    "STANDS_FOR",
    "SUPPORT_KEYS",
    "SYMBOL",
    "TOLD",
    "UNITS",
    "VERSION",
    "WRITTEN",
    "Action",
    "Key",
    "Measure",
    "Written",
    "required",
]

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,19}")
MAX_RULES = 2_000

# inputs that every symbol has of its own; the others are one for the whole market or account
MARKET = frozenset(
    name
    for name, spec in CATALOGUE.items()
    if spec.bar or name in {"oi", "oi_usd", "funding", "basis"}
)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure makes of a series x over a window w that ends now."""

    result: str  # a dimension; "" = that of the series
    help: str  # its definition
    unknown: str  # when it is unknown though the series is not
    flows: bool = False  # sums what happened: flows only
    baseline: bool = False  # takes min=
    windowed: bool = True
    positive: bool = False  # never below 0
    relative: bool = False  # compares with its own past
    fraction: bool = False  # never above 100 %
    example: str = "24h"


SEEN = "less than the window seen"
LEAST = "less than the window (or min=) seen"

MEASURES: Mapping[str, Measure] = {
    "ago": Measure("", "the value one window ago", "no value there"),
    "change": Measure("share", "x / x one window ago - 1", "no value there, or it was not above 0"),
    "drop": Measure(
        "share",
        "1 - x / x one window ago; 0 when it rose",
        "no value there, or it was not above 0",
        positive=True,
        fraction=True,
    ),
    "rise": Measure(
        "share",
        "x / x one window ago - 1; 0 when it fell",
        "no value there, or it was not above 0",
        positive=True,
    ),
    "sum": Measure("", "all that happened in the window", SEEN, flows=True),
    "mean": Measure("", "mean over the window", LEAST, baseline=True),
    "sma": Measure("", "the same as mean", LEAST, baseline=True),
    "ema": Measure(
        "",
        "exponential mean, alpha = 2 / (n + 1) with n samples in a window, over the last 5 windows",
        "less than 5 windows seen",
    ),
    "low": Measure("", "lowest value of the window", SEEN),
    "high": Measure("", "highest value of the window", SEEN),
    "stdev": Measure(
        "",
        "standard deviation over the window before this sample",
        LEAST,
        baseline=True,
        positive=True,
    ),
    "zscore": Measure(
        "number",
        "(x - mean) / stdev, both over the window before this sample",
        f"{LEAST}, or the values are all the same",
        baseline=True,
        relative=True,
    ),
    "times_avg": Measure(
        "ratio",
        "x / mean over the window before this sample; 1 when both are 0",
        f"{LEAST}, or only the mean is 0",
        baseline=True,
        relative=True,
        example="30d",
    ),
    "percentile": Measure(
        "share",
        "the part of the window before this sample that lies below x",
        LEAST,
        baseline=True,
        relative=True,
        positive=True,
        fraction=True,
    ),
    "accel": Measure(
        "ratio",
        "sum of the window / sum of the window before it; 1 when both are 0",
        "less than 2 windows seen, or only the second sum is 0",
        flows=True,
        relative=True,
    ),
    "drawdown": Measure(
        "share",
        "1 - x / the highest value of the window",
        SEEN,
        positive=True,
        fraction=True,
    ),
    "vol": Measure(
        "share",
        "standard deviation of the log returns in the window, scaled to 365 days",
        SEEN,
        positive=True,
    ),
    "atr": Measure(
        "price",
        "average true range of the bars (Wilder), over the last 5 windows",
        "less than 5 windows seen",
        positive=True,
        example="14d",
    ),
    "age": Measure(
        "time", "how long ago the last value was", "never", windowed=False, positive=True
    ),
}


# windows that the calendar begins: from the last midnight, Monday's midnight, the first sample
CALENDARS = ("today", "this_week", "all")
_OF_DAYS = ("sum", "change", "drop", "rise", "low", "high", "mean", "sma", "drawdown")
CALENDARS_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_OF_DAYS, ("today", "this_week")),
    "drawdown": CALENDARS,
}


@dataclass(frozen=True, slots=True)
class Action(Key):
    """How the value of an action is written, and what several of them make together."""

    merge: str = ""


ACTIONS: Mapping[str, Action] = {
    "exposure_cap": Action(
        "share",
        "The most that may be held, as a share of the position when the episode began.",
        merge="the lowest",
    ),
    "reduce_by": Action(
        "share",
        "Sell this share of the position once, when the rule turns on; the rest is then a cap.",
        merge="the largest",
    ),
    "close": Action(
        "choice",
        "Close the positions now.",
        choices=("all", "longs", "shorts"),
        merge="both together",
    ),
    "block_entries": Action(
        "choice",
        "No order that opens or enlarges a position on this side.",
        choices=("long", "short", "both"),
        merge="both together",
    ),
    "reduce_only": Action("truth", "Orders may only reduce a position.", merge="true if any is"),
    "leverage_cap": Action("multiple", "The highest leverage, from 1x.", merge="the lowest"),
    "stop": Action(
        "stop",
        "Distance of a stop to the price; never loosened while the rule is on.",
        merge="the nearest",
    ),
    "cancel_orders": Action(
        "choice",
        "Cancel resting orders, before anything is reduced.",
        choices=("entries", "all"),
        merge="both together",
    ),
    "hedge": Action(
        "share",
        "Sell perpetuals for this share of the position that remains.",
        merge="the largest",
    ),
    "notify": Action("text", "Send this message once, when the rule turns on.", merge="each"),
}
# what stands under `plugin.NAME`, beside the actions
TOLD = "Tell an action plug-in this once, when the rule turns on; the operator has to allow it."
SELLING = ("close", "reduce_by", "exposure_cap", "hedge")

# kind of a value that is a block of keys -> its keys
BLOCKS: Mapping[str, Mapping[str, Key]] = {
    "file": FILE_KEYS,
    "rule": RULE_KEYS,
    "stage": STAGE_KEYS,
    "input": INPUT_KEYS,
    "parameter": PARAMETER_KEYS,
    "symbol_changes": PER_SYMBOL_KEYS,
    "condition": CONDITION_KEYS,
    "actions": ACTIONS,
    "reentry": REENTRY_KEYS,
    "breadth": BREADTH_KEYS,
    "support_lost": SUPPORT_KEYS,
    "liquidations": LIQUIDATIONS_KEYS,
    "unrealised_loss": LOSS_KEYS,
    "during": DURING_KEYS,
}


class Written(NamedTuple):
    """How a number of one dimension is written."""

    examples: tuple[str, ...]
    help: str


# dimension of a literal -> how it is written
LITERALS: Mapping[str, Written] = {
    "plain": Written(
        ("75000", "75_000", "75,000", "7.5e4", "75k"),
        "prices, coins, counts, indices, ratios",
    ),
    "share": Written(("-4.4%", "25bp"), "a share of the whole; a plain number is refused"),
    "dollars": Written(
        ("$237M", "$2.16B", "$75k"),
        "k, M, B (or bn), T; a plain number is refused, except for prices",
    ),
    "ratio": Written(("3x", "0.5x"), "a multiple: leverage, times an average"),
    "time": Written(
        ("30s", "15m", "15min", "24h", "7d", "4w"), "m is minutes; months are written in days"
    ),
    "bars": Written(("2 closes", "20 bars"), 'closed bars of "every"'),
}

RESERVED = frozenset(
    {"all", "any", "not", "at_least", "of", "sequence", "within", "is", "for", "on_missing"}
    | {"during", "breadth", "and", "or", "true", "false", "stage", "normal", "ta", "plugin"}
    | {"today", "this_week"}
)
