"""No decision of a shipped pack changes when the history goes on.

Every pack is evaluated over a history and over beginnings of it: at the bars of a beginning the
decisions must be the same. The stream, which cannot look ahead, must decide the same as well.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.engine.compile import compile_rules
from riskguard.engine.decision import Decision
from riskguard.engine.guard import Guard
from riskguard.history import History
from riskguard.history.columns import Columns
from riskguard.language.binding import bind, sourced
from riskguard.language.reader import load_rules
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR, Sample
from riskguard.shipped import shipped

PACKS = ["balanced", "blind-guard", "cascade", "conservative", "feb-2026", "support-ladder"]
ACCOUNT = ("equity", "transfers", "pnl.realised", "trades.closed", "trades.lost", "trades.stopped")
START = 1_767_225_600_000_000_000
BARS, PREFIXES = 320, 34
CUT_EVERY = 13  # bars of the scenario between two cuts
BASES = {"oi": 90_000.0, "oi_usd": 8e9, "fear_greed": 40.0, "stoxx": 500.0, "holder.units": 7e5}
BASES |= {"holder.cost": 76_000.0, "ETH.close": 3_000.0, "SOL.close": 120.0, "BNB.close": 900.0}
BASES |= {"XRP.close": 2.0, "close": 90_000.0, "equity": 1e5}

Walk = dict[str, tuple[np.ndarray, np.ndarray]]


def decided(columns: Columns) -> list[Decision]:
    """Return the decision in force at every bar."""
    changes = columns.changes().tolist()
    made = {number: columns.decision(number) for number in changes}
    found, last = [], None
    for number in range(columns.now.size):
        last = made.get(number, last)
        found.append(last)
    return found


@cache
def rules(pack: str) -> RuleSet:
    return sourced(load_rules(shipped("rules") / f"{pack}.yaml"), {"liq.long": "published"})


def walk(ruleset: RuleSet, seed: int) -> Walk:
    """Return random walks of all series that are read: falls, forced sales, holes, bad values."""
    draw, every = random.Random(seed), ruleset.every or HOUR
    tapes = [str(spec.key) for spec in compile_rules(ruleset).tapes if spec.feeder < 0]
    falls = [draw.random() < 0.08 for _ in range(BARS)]
    found: Walk = {}
    asked = {*tapes, "close"} - {"loss_streak", "equity.nav"}  # these two follow from the others
    asked |= set(ACCOUNT) if "equity.nav" in tapes else set()
    for key in sorted(asked):
        value, times, values = BASES.get(key, 100.0), [], []
        dead = draw.choice([BARS, BARS, draw.randrange(BARS)]) if key != "close" else BARS
        for bar in range(BARS):
            value *= 1 + draw.gauss(0.0, 0.01) - (0.04 if falls[bar] else 0.0)
            seen = drawn(key, value, draw, fell=falls[bar])
            hole = draw.random() < 0.04 or bar >= dead
            if not hole or (key == "close" and bar == BARS - 1):
                times.append(START + bar * every)
                values.append(float("nan") if draw.random() < 0.01 else seen)
        found[key] = np.array(times, np.int64), np.array(values)
    return found


def drawn(key: str, value: float, draw: random.Random, *, fell: bool) -> float:
    """Return what a series shows at a bar: the walk itself, or an amount of its own."""
    if key.startswith("liq"):
        return draw.expovariate(1 / (3e8 if fell else 8e6))
    if key.startswith("trades"):
        return float(draw.random() < 0.15)
    amounts = {"funding": (3e-4, 3e-4), "pnl.realised": (-20.0, 300.0), "transfers": (0.0, 900.0)}
    if key == "leverage":
        return 2.0 + draw.expovariate(1.0)
    return draw.gauss(*amounts[key]) if key in amounts else value


def evaluated(ruleset: RuleSet, samples: Walk, until: int) -> Columns:
    cut = {key: (at[at <= until], what[at <= until]) for key, (at, what) in samples.items()}
    return Columns(compile_rules(ruleset), cut, cut["close"][0])


def streamed(ruleset: RuleSet, samples: Walk) -> list[Decision]:
    guard = Guard(ruleset, sources={"liq.long": "published"})
    bars: dict[int, dict[str, dict[str, float]]] = {}
    for key, (times, values) in samples.items():
        symbol, _, name = key.rpartition(".") if key[0].isupper() else ("", "", key)
        for ts, value in zip(times.tolist(), values.tolist(), strict=True):
            bars.setdefault(ts, {}).setdefault(symbol, {})[name] = value
    found = []
    for ts in sorted(bars):
        own = bars[ts].pop("", {})
        for symbol, values in bars[ts].items():
            guard.update(Sample(ts, symbol, values))
        decision = guard.update(Sample(ts, guard.symbol or "BTC", own))
        if "close" in own:
            found.append(decision)
    return found


@pytest.mark.parametrize("pack", [*PACKS, "account-limits"])
def test_decisions_on_random_walks_stand_however_the_history_goes_on(pack: str) -> None:
    ruleset = rules(pack) if rules(pack).symbol else replace(rules(pack), symbol="BTC")
    draw, moves = random.Random(pack), 0
    for seed in range(3):
        samples = walk(ruleset, seed)
        closes = samples["close"][0]
        whole = decided(evaluated(ruleset, samples, int(closes[-1])))
        assert streamed(ruleset, samples) == whole
        pairs = [((a.stage, a.active), (b.stage, b.active)) for a, b in pairwise(whole)]
        moves += sum(one != two for one, two in pairs)
        for bar in draw.sample(range(closes.size), PREFIXES):
            short = decided(evaluated(ruleset, samples, int(closes[bar])))
            assert short == whole[: bar + 1], f"seed {seed}, cut at bar {bar}"
    sys.stdout.write(f"{pack}: {3 * PREFIXES} cuts, {moves} changes of stages and rules\n")
    assert moves > 10


@cache
def scenario() -> History:
    return History.read("feb-2026")


def on_scenario(pack: str, until: int | None = None) -> Columns:
    history = scenario()
    loaded = load_rules(shipped("rules") / f"{pack}.yaml")
    if (loaded.every or 0) < history.every:  # a pack for hourly feeds, on the bars there are
        loaded = replace(loaded, every=history.every)
    bound = bind(
        loaded, symbol="BTC", every=history.every, carried=history.inputs(),
        capabilities=CAPABILITIES,
    ).ruleset  # fmt: skip
    samples: Walk = {}
    for one in history.series.values():
        key = one.name if one.symbol in {"BTC", "*"} else one.key
        known = one if until is None else one.until(until)
        samples[key] = known.times, known.values
    return Columns(compile_rules(bound), samples, samples["close"][0], "BTC")


@pytest.mark.parametrize("pack", PACKS)
def test_decisions_on_the_scenario_stand_however_the_history_goes_on(pack: str) -> None:
    whole = decided(on_scenario(pack))
    cuts = list(range(len(whole) - 1, 0, -CUT_EVERY))
    closes = on_scenario(pack).now
    for bar in cuts:
        assert decided(on_scenario(pack, int(closes[bar]))) == whole[: bar + 1], f"cut at {bar}"
    sys.stdout.write(f"{pack}: {len(cuts)} cuts of {len(whole)} bars\n")
