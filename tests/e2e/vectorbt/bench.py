"""What masks cost for each bar: the guard played over it, and one column of signals judged."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt  # noqa: F401 - its import is not the bars' to pay

from benchmarks.measuring import say
from riskguard.adapters.vectorbt import masks

BARS = 4_000
RULES = """\
version: 1
symbol: BTC
every: 1h
rules:
  fall: {when: close.drop(24h) >= 1%, clear: close.drop(24h) <= 0.2%, do: {exposure_cap: 50%}}
"""


def main() -> None:
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.003, BARS)))
    index = pd.date_range("2026-01-01", periods=BARS, freq="1h")
    opens = np.r_[100.0, walk[:-1]]
    names = {"Open": opens, "High": np.maximum(opens, walk), "Low": np.minimum(opens, walk)}
    frame = pd.DataFrame({**names, "Close": walk}, index=index)
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES, encoding="utf-8")
        began = time.thread_time()
        found = masks(rules, frame)
        played = time.thread_time() - began
    place = np.arange(BARS)
    began = time.thread_time()
    found.signals(place % 5 == 0, place % 7 == 0, size=1.0)
    judged = time.thread_time() - began
    say("vectorbt_masks_bar", played / BARS * 1e6, "us", None)
    say("vectorbt_signals_bar", judged / BARS * 1e6, "us", 50.0)


if __name__ == "__main__":
    main()
