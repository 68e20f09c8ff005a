"""A simulated history in a real file, and the rule that is out for a week after a fall of 8 %."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from riskguard.backtest.compare import Request
from riskguard.backtest.strategies import find
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.market import DAY
from tests.backtest.evidence.simulated import returns

RULES = """\
version: 1
rules:
  fell:
    when: close.drop(10d) >= 8%
    clear: close.drop(10d) < 8% for 7d
    do: {exposure_cap: 0%, block_entries: long}
"""
FIRST = 18_262 * DAY  # 2020-01-01


def daily_file(folder: Path, seed: int = 1, *, planted: bool = False, days: int = 1_095) -> Path:
    """Write bars of days, from 2020-01-01 on; nothing in them is known beforehand."""
    chance = np.random.Generator(np.random.PCG64(seed))
    closes = 100.0 * np.cumprod(1.0 + returns(chance, planted=planted, days=days))
    opens = np.concatenate(([100.0], closes[:-1]))
    rows = ["ts,open,high,low,close,volume"]
    for day, (first, last) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True)):
        stamp = np.datetime_as_string(np.datetime64(FIRST + DAY * day, "ns"), "s")
        rows.append(f"{stamp}Z,{first!r},{max(first, last)!r},{min(first, last)!r},{last!r},5")
    path = folder / "BTCUSDT-1d.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def rules_file(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES)
    return path


def request(folder: Path, seed: int = 1, **told) -> Request:
    history = History.read(daily_file(folder, seed, **told))
    return Request(
        history=history,
        ruleset=load_rules(rules_file(folder), every=history.every),
        rules_path="rules.yaml",
        strategy=find("buy_and_hold"),
        strategy_name="buy_and_hold",
    )
