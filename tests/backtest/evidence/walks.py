"""Random histories, random guards, and a comparison of what a strategy did under them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from riskguard.backtest.compare import Request, compare, exposure_of
from riskguard.backtest.comparison import Comparison, RunResult
from riskguard.backtest.runs import Costs, run
from riskguard.backtest.strategies import find
from riskguard.engine.decision import Decision
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.language.ruleset import RuleSet
from riskguard.market import HOUR
from riskguard.shipped import shipped
from tests.adapters.market import FREE, Track, cap, halted, stop

START = 20_468 * 24 * HOUR  # 2026-01-15


def walk(folder: Path, seed: int, count: int = 120, swing: float = 0.02) -> History:
    """Return hourly bars of a random walk with gaps and funding, read from a real file."""
    chance = np.random.default_rng(seed)
    steps = chance.standard_t(4, count) * swing
    close = 100 * np.cumprod(np.maximum(1 + steps, 0.3))
    gaps = np.where(chance.random(count) < 0.2, chance.normal(0, swing, count), 0.0)
    before = np.append(100.0, close[:-1]) * np.maximum(1 + gaps, 0.5)
    high = np.maximum(before, close) * (1 + np.abs(chance.normal(0, swing / 2, count)))
    low = np.minimum(before, close) * (
        1 - np.minimum(np.abs(chance.normal(0, swing / 2, count)), 0.5)
    )
    rates = np.where(np.arange(count) % 8 == 7, chance.normal(0, 3e-4, count), np.nan)
    rows = ["ts,open,high,low,close,volume,funding"]
    for bar in range(count):
        stamp = np.datetime_as_string(np.datetime64(START + HOUR * bar, "ns"), "s")
        cells = (before[bar], high[bar], low[bar], close[bar], 1.0)
        rate = "" if np.isnan(rates[bar]) else repr(float(rates[bar]))
        rows.append(f"{stamp}Z," + ",".join(repr(float(cell)) for cell in cells) + f",{rate}")
    path = folder / "BTCUSDT-1h.csv"
    path.write_text("\n".join(rows) + "\n")
    return History.read(path)


@cache
def february(pack: str, strategy: str, **params: float) -> Comparison:
    """Return the embedded history under a shipped pack; made once, so leave it as it is."""
    rules = load_rules(shipped("rules") / f"{pack}.yaml")
    history = History.read("feb-2026")
    return compare(Request(history, rules, f"{pack}.yaml", find(strategy), strategy, params))


def compared(pack: str, strategy: str, folder: Path) -> Comparison:
    """Return a pack on the embedded history, or on hourly bars where it decides that often."""
    rules = load_rules(shipped("rules") / f"{pack}.yaml")
    if rules.every is None or rules.every >= 4 * HOUR:
        return february(pack, strategy)
    return compare(Request(walk(folder, 3, 600), rules, pack, find(strategy), strategy))


def guard(seed: int, count: int = 120) -> Track:
    """Return decisions at random bars: free, capped, out, with a stop, entries blocked."""
    chance = np.random.default_rng(seed)
    bars = [0, *sorted(chance.choice(np.arange(1, count), 8, replace=False).tolist())]
    kinds: list[Decision] = [FREE, cap(0.5), cap(0.2), halted(), stop(float(chance.uniform(1, 6)))]
    return Track(bars, [kinds[int(chance.integers(len(kinds)))] for _ in bars])


def tried(
    history: History,
    strategy: type,
    params: dict[str, object],
    obeyed: Track,
    *,
    first: int = 10,
    cash: float = 10_000.0,
) -> Comparison:
    """Return a strategy run bare and under decisions; nothing of rules is in it."""
    costs = Costs(fee=0.0007, slippage=0.0004)
    common: dict[str, Any] = {"symbol": "BTC", "cash": cash, "costs": costs, "trading_from": first}
    bare = run(history, strategy, params, **common)
    guarded = run(history, strategy, params, track=obeyed, **common)
    runs = {"bare": bare, "guarded": guarded}
    ts = history.bars("BTC").ts
    return Comparison(
        history=history,
        ruleset=RuleSet(symbol="BTC"),
        rules_path="",
        notes=(),
        strategy=strategy.__name__,
        params=params,
        leverage=bare.leverage,
        symbol="BTC",
        every=history.every,
        cash=cash,
        costs=costs,
        ts=ts,
        trading_from=first,
        warm_up_until=int(ts[first]),
        results={
            name: RunResult(name, one, exposure_of(one, bare.wanted, first))
            for name, one in runs.items()
        },
        constant_exposure=1.0,
        decisions=[(FREE, None)],
    )
