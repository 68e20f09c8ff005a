"""The keys of a rule file: what stands under each, whether it must, what holds without it.

One source for the reader, for the schema of editors and for the reference page. The words are
for whoever writes rules; those of conditions stand in `forms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FILE_KEYS",
    "INPUT_KEYS",
    "MISSING",
    "PARAMETER_KEYS",
    "PER_SYMBOL_KEYS",
    "REENTRY_KEYS",
    "RULE_KEYS",
    "SEVERITIES",
    "STAGE_KEYS",
    "UNITS",
    "VERSION",
    "WRITTEN",
    "Key",
    "required",
]

VERSION = "1"
SEVERITIES = ("info", "warning", "critical")
MISSING = ("hold", "fire", "ignore")
UNITS = ("price", "usd", "coins", "contracts", "fraction", "index", "count", "multiple", "number")
KINDS = ("level", "flow", "rolling")
COVERAGES = ("full", "sampled", "reconstructed")
HIGHEST_PRIORITY = 100

# kind of a value -> how it is written
WRITTEN: Mapping[str, str] = {
    "text": "text",
    "texts": "a list of texts, or one",
    "word": "text",
    "name": "a name of your own: small letters, digits and _",
    "names": "a list of names, or one",
    "files": "a list of files and packs, or one",
    "codes": "a list of codes: [RG416]",
    "choice": "one of these words",
    "truth": "true or false",
    "time": "a time: 24h, 2 closes",
    "clock": "a time of day: 08:00",
    "days": "days: mon-fri, [sat, sun]",
    "zone": "a time zone: Europe/London",
    "share": "a share: 50%, 25bp",
    "multiple": "a multiple: 2x",
    "stop": "a distance: 5%, 1.5 ATR",
    "figure": "a number with its unit: 75_000, -4.4%, $150M, 3x, 24h",
    "range": "two numbers: 70_000..80_000",
    "count": "a whole number from 1",
    "priority": f"a whole number, 0 to {HIGHEST_PRIORITY}",
    "value": "a number, a parameter or a measure",
    "values": "a list of numbers, parameters or measures",
    "average": "a multiple of an average: 3x average(30d)",
    "symbol": "a symbol: BTC",
    "symbols": "a list of symbols: [BTC, ETH]",
    "guards": "symbol, all, or a list of symbols",
    "line": "a line: close < 75_000 for 2 closes",
    "condition": "a line, or a group such as all: [...]",
    "conditions": "a list of conditions",
    "actions": "actions: {exposure_cap: 50%, block_entries: long}",
    "inputs": "inputs by name",
    "params": "parameters by name",
    "define": "conditions by name",
    "rules": "rules by name",
    "stages": "a list of stages",
    "by_source": "figures by source: {binance: $50M, other: $50M}",
    "override": "values by address: {stages.watch.min_hold: 12h}",
    "per_symbol": "changes by symbol: {ETH: {params: {support: 2_200}}}",
    # blocks with keys of their own
    "reentry": "a ramp: {start: 25%, step: 25%, every: 12h, while: calm}",
    "breadth": "a block of keys",
    "support_lost": "a block of keys",
    "liquidations": "a block of keys",
    "unrealised_loss": "a block of keys",
    "during": 'hours: {days: mon-fri, from: "08:00", to: "16:30"}',
}


@dataclass(frozen=True, slots=True)
class Key:
    """What stands under a key: the kind of its value, and a line of help for who writes it."""

    kind: str  # of WRITTEN
    help: str
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    needs: str = ""  # a key that has to stand beside it
    example: str = ""


def required(keys: Mapping[str, Key]) -> tuple[str, ...]:
    """Return the keys that have to be there."""
    return tuple(name for name, key in keys.items() if key.required)


FILE_KEYS: Mapping[str, Key] = {
    "version": Key(
        "choice",
        "Version of the rule language; it stands first.",
        required=True,
        choices=(VERSION,),
    ),
    "name": Key("text", "A title for the file."),
    "description": Key("text", "What the rules are for, in your own words."),
    "author": Key("text", "Who wrote the rules."),
    "severity": Key(
        "choice",
        "How serious these rules are.",
        default="warning",
        choices=SEVERITIES,
    ),
    "tags": Key("texts", "Words by which the file is found."),
    "references": Key("texts", "Where the figures come from: news, papers, links."),
    "symbol": Key(
        "symbol", "The symbol whose data the rules read.", default="the symbol of the bot"
    ),
    "symbols": Key("symbols", "Symbols whose data a line may name, as in ETH.close."),
    "guards": Key(
        "guards",
        "Whose orders the decisions hold for: those of the file's symbol, of all symbols the "
        "bot trades, or of the symbols listed.",
        default="symbol",
        choices=("symbol", "all"),
    ),
    "every": Key(
        "time",
        "Decision interval: one decision at every close of a bar of this length.",
        default="the bar of the data",
    ),
    "evaluate": Key(
        "choice",
        "When a decision is made: at the close of every bar, or at every event.",
        default="bar_close",
        choices=("bar_close", "event"),
    ),
    "timezone": Key("zone", "Where a day begins: for hours, today and this_week.", default="UTC"),
    "blind": Key(
        "choice",
        "What a needed input does that is too old: block entries on both sides, or only be "
        "reported (ignore).",
        default="block",
        choices=("block", "ignore"),
    ),
    "inputs": Key(
        "inputs",
        "Inputs of your own, and what differs from the catalogue.",
        default="the catalogue",
    ),
    "params": Key("params", "Numbers with a name; a sweep may move them within their range."),
    "define": Key("define", "Conditions with a name, written once and used in several places."),
    "rules": Key(
        "rules",
        'Rules by name: each is turned on by "when" and off by "clear". Of all that are on, the '
        "strictest holds.",
    ),
    "stages": Key(
        "stages",
        "A ladder, mildest stage first: up at once, down one step at a time. Below the first "
        "stage is normal.",
    ),
    "extends": Key(
        "files",
        "Rule files that this one stands on: ./base.yaml beside it, or a pack such as "
        "pack:feb-2026@1.",
    ),
    "override": Key(
        "override",
        "New values for single places of the files below, each by its address. A value is "
        "replaced whole.",
    ),
    "disable": Key("names", "Rules and stages to take out."),
    "per_symbol": Key(
        "per_symbol",
        "Changes for one symbol. It is guarded too, by the rules on its own data.",
    ),
    "allow": Key(
        "codes", "Warnings you know of and do not want to see. Errors cannot be silenced."
    ),
}

RULE_KEYS: Mapping[str, Key] = {
    "when": Key("condition", "The rule turns on when this is true.", required=True),
    "clear": Key(
        "condition",
        'The rule turns off when this is true and "when" is not. Unknown never clears.',
        default='"when" is false',
    ),
    "do": Key("actions", "What holds while the rule is on.", required=True),
    "on_missing": Key(
        "choice",
        "What a line does while its data is missing: hold (it neither fires nor clears), fire "
        "(it counts as true) or ignore (it is left out).",
        default="hold",
        choices=MISSING,
    ),
    "cooldown": Key("time", "How long the rule stays off after it has cleared, at least."),
    "min_hold": Key("time", "How long the rule stays on, at least."),
    "latch": Key(
        "truth", "Once on, the rule stays on until a person releases it.", default="false"
    ),
    "during": Key("during", "Hours in which the rule may turn on. They never touch clearing."),
    "priority": Key(
        "priority",
        "Which of two equal reasons is named first. It never changes a decision.",
        default="0",
    ),
    "severity": Key(
        "choice",
        "How serious it is that the rule is on.",
        default="warning",
        choices=SEVERITIES,
    ),
    "name": Key("text", "A title for the rule."),
    "description": Key("text", "What the rule is for, in your own words."),
    "mutes": Key(
        "names",
        "Rules whose messages are silent while this one is on. Their protection stays.",
    ),
    "reentry": Key("reentry", "A ramp: after clearing, exposure comes back step by step."),
    "fallback": Key(
        "actions",
        'What stands in for the actions of "do" that a bot cannot do, and for those only.',
    ),
    "allow": Key("codes", "Warnings on this rule that you do not want to see."),
}

STAGE_KEYS: Mapping[str, Key] = {
    "stage": Key("name", "Name of the stage.", required=True),
    "enter": Key(
        "condition",
        "The ladder climbs to this stage when this is true, at once and past milder stages.",
        required=True,
    ),
    "recover": Key(
        "condition",
        'The ladder steps down one stage when this is true and "enter" is not. Unknown never '
        "recovers.",
        default='"enter" is false',
    ),
    "do": Key("actions", "What holds while the ladder stands on this stage.", required=True),
    "min_hold": Key("time", "How long the ladder stays on this stage, at least."),
    "on_missing": RULE_KEYS["on_missing"],
    "reentry": Key("reentry", "A ramp: after recovering, exposure comes back step by step."),
    "fallback": RULE_KEYS["fallback"],
    "description": Key("text", "What the stage is for, in your own words."),
    "allow": Key("codes", "Warnings on this stage that you do not want to see."),
}

REENTRY_KEYS: Mapping[str, Key] = {
    "start": Key("share", "The cap on exposure right after clearing.", required=True),
    "step": Key("share", "What each step adds to the cap, up to 100%.", required=True),
    "every": Key("time", "How long the condition must be true for one step.", required=True),
    "while": Key(
        "condition",
        "Steps are earned while this is true; when it is false the ramp begins anew.",
        required=True,
    ),
}

INPUT_KEYS: Mapping[str, Key] = {
    "column": Key("word", "The column of the data.", default="that of the catalogue, or the name"),
    "unit": Key(
        "choice",
        "What the values are; an input of your own must say it.",
        choices=UNITS,
    ),
    "kind": Key(
        "choice",
        "level: a state at an instant. flow: an amount per bar. rolling: already a total over a "
        "window.",
        choices=KINDS,
    ),
    "max_age": Key(
        "time",
        "How old the last value may be before it is unknown.",
        default="twice the interval of the input",
    ),
    "available_after": Key("time", "How long after its time a value is known."),
    "stamp": Key(
        "choice",
        "Whether the times of the data are those of the open or the close of a bar.",
        choices=("open", "close"),
    ),
    "scale": Key("figure", "What each value is multiplied with.", default="1"),
    "source": Key("word", "Who publishes the values; it chooses the figure of by_source."),
    "coverage": Key(
        "choice",
        "What the values cover: full, sampled (a lower bound) or reconstructed (rebuilt from "
        "totals, history only).",
        choices=COVERAGES,
    ),
    "signed": Key("truth", "Whether values may be below zero.", default="false"),
}

PARAMETER_KEYS: Mapping[str, Key] = {
    "value": Key("figure", "The figure in use."),
    "by_source": Key(
        "by_source",
        'One figure for each source of the input it is compared with; "other" is for the rest.',
    ),
    "range": Key("range", "Lowest and highest value, in the unit of the value."),
    "step": Key("figure", "How far the values of a sweep lie apart."),
    "help": Key("text", "What the number is, in your own words."),
}

PER_SYMBOL_KEYS: Mapping[str, Key] = {
    "params": Key("params", "Its own values of parameters of the file."),
    "override": Key("override", "New values for single places, each by its address."),
    "disable": Key("names", "Rules and stages to take out for this symbol."),
}
