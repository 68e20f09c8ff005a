"""The pack feb-2026 on made-up markets: the ladder, the ramp, blindness, breadth, context."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from riskguard.engine.guard import Guard
from riskguard.history.stamps import duration, instant
from riskguard.language.reader import load_rules
from riskguard.language.ruleset import Input, RuleSet, input_of
from riskguard.market import CATALOGUE, Sample
from riskguard.shipped import shipped

if TYPE_CHECKING:
    from riskguard.engine.decision import Decision

FILE = yaml.load(  # every scalar stays text, as in rule files
    (Path(__file__).parent / "feb-2026-cases.yaml").read_text(), Loader=yaml.BaseLoader
)
EVERY, START = duration(FILE["every"]), instant(FILE["start"].replace("Z", ":00Z"))
UNITS = {"": 1.0, "M": 1e6, "B": 1e9, "bp": 1e-4, "%": 1e-2}


def number(text: str) -> float:
    sign, digits, unit = re.fullmatch(r"(-?)\$?([\d_.]+)(M|B|bp|%|)", text.strip()).groups()
    return (-1 if sign else 1) * float(digits.replace("_", "")) * UNITS[unit]


def series(text: str) -> list[float]:
    """`74_000 x20`, `90_000 -> 60_000 over 36`, `_ x30`: comma-separated."""
    out: list[float] = []
    for part in text.split(", "):
        if "->" in part:
            low, high, count = re.split(r" -> | over ", part)
            first, last, size = number(low), number(high), int(count)
            out += [first + (last - first) * n / (size - 1) for n in range(size)]
        else:
            value, count = part.split(" x")
            out += [math.nan if value == "_" else number(value)] * int(count)
    return out


def rules(given: set[str]) -> RuleSet:
    """The pack, with every input that a case does not give unknown and not blind."""
    read = load_rules(shipped("rules") / "feb-2026.yaml")
    keys = {*CATALOGUE, "stoxx", *(f"{s}.close" for s in ("ETH", "SOL", "BNB", "XRP"))}
    inputs = dict(read.inputs)
    for key in keys - given:
        symbol, _, name = key.rpartition(".") if key[0].isupper() else ("", "", key)
        known = input_of(read, symbol, name)
        inputs[key] = replace(known, carried=False)
    for key in given & {"liq.long", "funding", "fear_greed", "holder.units", "holder.cost"}:
        spec = replace(CATALOGUE[key], interval=EVERY)
        inputs[key] = Input(key, spec, source=FILE["sources"].get(key, "made"))
    return replace(read, inputs=inputs)


def played(case: dict[str, Any]) -> list[Decision]:
    columns = {key: series(text) for key, text in case["series"].items()}
    guard = Guard(rules(set(columns)), sources=FILE["sources"])
    out = []
    for bar in range(len(columns["close"])):
        ts = START + bar * EVERY
        own: dict[str, float] = {}
        for key, values in columns.items():
            if math.isnan(values[bar]):
                continue
            if key[0].isupper():
                symbol, name = key.split(".")
                guard.update(Sample(ts, symbol, {name: values[bar]}))
            else:
                own[key] = values[bar]
        out.append(guard.update(Sample(ts, "BTC", own)))
    return out


def bar(text: str) -> int:
    return duration(text) // EVERY


def is_so(decision: Decision, wanted: dict[str, Any]) -> bool:
    found: dict[str, Any] = {
        "stage": decision.stage,
        "state": decision.state.name,
        "active": sorted(decision.active),
        "exposure_cap": f"{decision.exposure_cap:.0%}",
        "blocked": decision.block_entries,
        "blind": sorted(decision.blind),
    }
    if "rule" in wanted:
        return wanted["rule"] in decision.active
    return all(
        found[key] == (sorted(value) if isinstance(value, list) else value)
        for key, value in wanted.items()
        if key != "at"
    )


@pytest.mark.parametrize("case", FILE["cases"], ids=lambda case: case["name"])
def test_pack_does_what_its_case_expects(case: dict[str, Any]) -> None:
    decisions = played(case)
    for wanted in case["expect"]:
        if "at" in wanted:
            at = decisions[bar(wanted["at"])]
            assert is_so(at, wanted), (wanted, at)
            continue
        low, high = 0, len(decisions) - 1
        if "between" in wanted:
            low, high = (bar(text) for text in wanted["between"].split(".."))
        if "first" in wanted:
            met = [n for n, decision in enumerate(decisions) if is_so(decision, wanted["first"])]
            assert met, wanted
            assert low <= met[0] <= high, (wanted, met[0] * EVERY // 3_600_000_000_000)
        elif "never" in wanted:
            assert not any(is_so(one, wanted["never"]) for one in decisions), wanted
        else:
            assert all(is_so(one, wanted["always"]) for one in decisions[low : high + 1]), wanted
