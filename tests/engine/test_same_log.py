"""The same decisions, byte for byte: columns, library and intake; any hash seed; any Python."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from riskguard.engine.compile import compile_rules
from riskguard.history import History
from riskguard.history.columns import Columns
from riskguard.history.embedded import scenarios
from riskguard.language.binding import sourced
from riskguard.shipped import shipped
from tests.counts import counts
from tests.engine.parity import (
    WIDE,
    Case,
    by_events,
    by_samples,
    digest,
    drawn_market,
    line,
    rules,
)
from tests.sim.drawn import Rules

ROOT = Path(__file__).parents[2]
PACKS = sorted(
    path.stem for path in shipped("rules").glob("*.yaml") if not path.stem.endswith("_test")
)
OTHERS = ("3.12", "3.13")
BARS = 240


def drawn(seed: int) -> Case:
    """Draw rules over a market."""
    dice = random.Random(seed)
    while True:
        made = Rules(dice, WIDE)
        made.body.pop("evaluate", None)  # columns stand at closes
        case = Case(f"seed {seed}", made.text, {}, *drawn_market(dice, BARS))
        try:
            rules(case)
        except AssertionError:
            continue
        return case


@cache
def on_scenario(pack: str, scenario: str) -> Case:
    """Return a pack over a shipped scenario."""
    history = History.read(scenario)
    text = (shipped("rules") / f"{pack}.yaml").read_text(encoding="utf-8")
    if not re.search("^symbol:", text, re.MULTILINE):
        text = text.replace("version: 1\n", f"version: 1\nsymbol: {history.symbol}\n")
    sources = {key: one for key, one in history.sources().items() if one}
    return Case(f"{pack} on {scenario}", text, sources, [tuple(one) for one in history.samples()])


def by_columns(case: Case) -> list[str]:
    """Return the log that columns lead to, as a preloaded backtest has it."""
    plan = compile_rules(sourced(rules(case), case.sources))
    told: dict[str, tuple[list[int], list[float]]] = {}
    symbol = plan.ruleset.symbol or "BTC"
    for ts, owner, values in case.samples:
        for name, value in values.items():
            key = name if owner in {symbol, "*"} else f"{owner}.{name}"
            times, numbers = told.setdefault(key, ([], []))
            times.append(ts)
            numbers.append(value)
    arrays = {key: (np.array(at, np.int64), np.array(of)) for key, (at, of) in told.items()}
    closes = arrays["close"][0]
    table = Columns(plan, arrays, closes[closes % plan.every == 0], symbol)
    changes, found = set(table.changes().tolist()), []
    for number, now in enumerate(table.now.tolist()):
        if number in changes:
            decision = table.decision(number)
        found.append(line(now, decision))
    return found


def agree(case: Case) -> int:
    """Check that three ways lead to one log; return how many decisions it holds."""
    wanted = by_samples(case)
    for way in (by_events, by_columns):
        found = way(case)
        assert len(found) == len(wanted), (case.name, way.__name__)
        for number, (one, two) in enumerate(zip(found, wanted, strict=True)):
            assert one == two, (case.name, way.__name__, number)
    return len(wanted)


@pytest.mark.parametrize("scenario", scenarios())
@pytest.mark.parametrize("pack", PACKS)
def test_a_shipped_scenario_is_decided_alike_by_column_by_sample_and_by_event(
    pack: str, scenario: str, measured: Callable[[str], None]
) -> None:
    made = agree(on_scenario(pack, scenario))
    measured(f"{pack} on {scenario}: {made:,} decisions, three logs equal")


@counts(60, 10_000)
def test_random_rules_are_decided_alike_by_column_by_sample_and_by_event(
    count: int, measured: Callable[[str], None]
) -> None:
    made, active = 0, 0
    for seed in range(count):
        made += agree(drawn(seed))
    measured(f"{count:,} random rule sets: {made:,} decisions, three logs equal")
