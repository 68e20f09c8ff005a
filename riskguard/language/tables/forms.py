"""The keys of conditions: groups, and the long forms that stand for lines.

An example is a condition that can be read as it stands, in a file with the symbols BTC, ETH, SOL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskguard.language.tables.keys import RULE_KEYS, Key

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BESIDE",
    "BREADTH_KEYS",
    "COMBINATORS",
    "CONDITION_KEYS",
    "DAYS",
    "DURING_KEYS",
    "LIQUIDATIONS_KEYS",
    "LOSS_KEYS",
    "ONE_OF",
    "STANDS_FOR",
    "SUPPORT_KEYS",
]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# one of these makes a map a condition
COMBINATORS: Mapping[str, Key] = {
    "all": Key(
        "conditions",
        "True when every condition of the list is true.",
        example="all: [close < 75_000, oi.change(24h) <= -4%]",
    ),
    "any": Key(
        "conditions",
        "True when one condition of the list is true.",
        example="any: [close < 75_000, oi.change(24h) <= -4%]",
    ),
    "not": Key(
        "condition",
        "True when the condition is false; unknown stays unknown.",
        example="not: close > 75_000",
    ),
    "at_least": Key(
        "count",
        'True when so many conditions of the list under "of" are true.',
        needs="of",
        example="{at_least: 2, of: [close < 75_000, oi.change(24h) <= -4%, funding >= 5bp]}",
    ),
    "sequence": Key(
        "conditions",
        'True when the conditions become true one after the other, all inside "within".',
        needs="within",
        example="{sequence: [close < 75_000, oi.change(4h) <= -4%], within: 6h}",
    ),
    "is": Key(
        "line",
        'The long form of a line, for keys beside it such as "on_missing".',
        example="{is: oi.change(24h) <= -4%, on_missing: ignore}",
    ),
    "breadth": Key(
        "breadth",
        "True when so many symbols fulfil the same line.",
        example="breadth: {of: [BTC, ETH, SOL], at_least: 2, where: close.drop(24h) >= 3%}",
    ),
    "support_lost": Key(
        "support_lost",
        "True when the price closes under a level by a buffer, or stays under it for a time.",
        example="support_lost: {levels: [75_000, 70_000], broken: 1, confirm: 2 closes}",
    ),
    "liquidations": Key(
        "liquidations",
        "True when liquidations are so many times their average, and above a floor.",
        example="liquidations: {side: long, window: 24h, at_least: 3x average(7d), floor: $50M}",
    ),
    "unrealised_loss": Key(
        "unrealised_loss",
        "True when a large holder would lose so much by selling now.",
        example="unrealised_loss: {holder: fund, at_least: $0.9B}",
    ),
    "during": Key(
        "during",
        "True in these hours of the day, by wall clock; never unknown.",
        example='during: {days: mon-fri, from: "08:00", to: "16:30", timezone: Europe/London}',
    ),
}
# and these may stand beside it
BESIDE: Mapping[str, Key] = {
    "of": Key("conditions", 'The list that "at_least" counts in.', needs="at_least"),
    "within": Key(
        "time", 'The longest time from the first to the last of a "sequence".', needs="sequence"
    ),
    "for": Key("time", "How long the condition has to stay true before it counts."),
    "on_missing": RULE_KEYS["on_missing"],
    "name": Key("text", "A title for the condition."),
}
CONDITION_KEYS: Mapping[str, Key] = {**COMBINATORS, **BESIDE}

BREADTH_KEYS: Mapping[str, Key] = {
    "of": Key("symbols", "The symbols that are asked; the file lists them.", required=True),
    "at_least": Key("count", "How many of them have to fulfil the line.", required=True),
    "where": Key("line", "The line, written for one symbol: close.drop(24h) >= 3%.", required=True),
}
SUPPORT_KEYS: Mapping[str, Key] = {
    "levels": Key("values", 'Levels by number, the first is 1; "broken" chooses one.'),
    "broken": Key("count", "Number of the level that has to be lost.", default="1", needs="levels"),
    "level": Key("value", "A single level: a price, a parameter, or a measure such as low(20d)."),
    "confirm": Key("time", "How many closes under the level, or how long, make it lost."),
    "or_below_for": Key(
        "time", "Lost too when the price stays under the level, without the buffer, so long."
    ),
    "buffer": Key("value", "How far under the level a close must be: 0.5%, 0.5 atr(14d)."),
}
LIQUIDATIONS_KEYS: Mapping[str, Key] = {
    "side": Key(
        "choice",
        "Whose positions were closed by force; total where the feed cannot tell.",
        required=True,
        choices=("long", "short", "total"),
    ),
    "window": Key("time", "The time over which they are added up.", required=True),
    "at_least": Key("average", "How many times their average they have to be.", required=True),
    "min": Key("time", "How much history makes the average usable.", default="its whole window"),
    "floor": Key("value", "The least amount in dollars: a quiet market multiplies nothing."),
    "source": Key("word", "The source that the floor holds for.", needs="floor"),
}
LOSS_KEYS: Mapping[str, Key] = {
    "holder": Key("word", "Name of the holder, as in holder.fund.units.", default="the only one"),
    "at_least": Key("value", "The loss in dollars.", required=True),
}
DURING_KEYS: Mapping[str, Key] = {
    "days": Key("days", "Days on which the hours begin.", default="every day"),
    "from": Key("clock", "Time of day from which it is true.", required=True),
    "to": Key(
        "clock",
        "Time of day at which it ends; earlier than its begin: the next day.",
        required=True,
    ),
    "timezone": Key("zone", "The time zone of the clock.", default="that of the file"),
}

# block -> keys of which exactly one has to be there
ONE_OF: Mapping[str, tuple[str, ...]] = {
    "condition": tuple(COMBINATORS),
    "parameter": ("value", "by_source"),
    "support_lost": ("levels", "level"),
}

# long form -> its example, written without it
STANDS_FOR: Mapping[str, str] = {
    "breadth": (
        "at_least: 2\n"
        "of: [BTC.close.drop(24h) >= 3%, ETH.close.drop(24h) >= 3%, SOL.close.drop(24h) >= 3%]"
    ),
    "support_lost": "close < 75_000 for 2 closes",
    "liquidations": ("all: [liq.long.sum(24h).times_avg(7d) >= 3x, liq.long.sum(24h) >= $50M]"),
    "unrealised_loss": "holder.fund.units * (close - holder.fund.cost) <= -$0.9B",
}
