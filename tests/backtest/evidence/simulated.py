"""Histories whose truth is known: without any foresight to be had, or with skill planted.

Daily GARCH(1,1) with t(4) noise, 55 % a year, no drift. Planted skill: six regimes of 25 days
that fall by 1.2 % a day, and 0.25 % a day otherwise.
"""

from __future__ import annotations

import numpy as np

from riskguard.backtest.evidence.findings import Subject
from riskguard.market import DAY

DAYS = 1_095
ALPHA, BETA, YEARLY = 0.09, 0.86, 0.55
COST = 0.001
OUT, BACK, FALL = 7, 10, -0.08  # days out, after a fall over so many days


def returns(chance: np.random.Generator, *, planted: bool = False, days: int = DAYS) -> np.ndarray:
    """Return simple returns of days."""
    level = YEARLY**2 / 365
    noise = chance.standard_t(4, days + 100) / np.sqrt(2)  # of variance 1
    found, variance = np.empty(days + 100), level
    for day, one in enumerate(noise):
        found[day] = np.sqrt(variance) * one
        variance = level * (1 - ALPHA - BETA) + ALPHA * found[day] ** 2 + BETA * variance
    found = found[100:]
    if planted:
        found = found + np.where(regimes(chance, days), -0.012, 0.0025)
    return np.clip(found, -0.95, 2.0)


def regimes(chance: np.random.Generator, days: int, count: int = 6, long: int = 25) -> np.ndarray:
    """Return on which days a planted fall runs: `count` of them, none over another."""
    gaps = np.sort(chance.integers(0, days - count * long, count)) + long * np.arange(count)
    found = np.zeros(days, dtype=bool)
    for first in gaps:
        found[first : first + long] = True
    return found


def at_random(chance: np.random.Generator, days: int = DAYS) -> np.ndarray:
    """Return the exposure of a guard that knows nothing: out 7 days in the mean, in 32."""
    steps = np.ceil(chance.exponential((32.0, 7.0), (days, 2))).astype(int).ravel()
    return np.repeat(np.tile((1.0, 0.0), days), steps)[:days]


def after_falls(r: np.ndarray) -> np.ndarray:
    """Return the exposure of a guard that is out for 7 days after a fall of 8 % in 10."""
    logs = np.concatenate((np.zeros(BACK), np.cumsum(np.log1p(r))))
    fell = np.expm1(logs[BACK:] - logs[:-BACK]) < FALL
    out = np.zeros(len(r) + OUT, dtype=bool)
    for later in range(1, OUT + 1):
        out[later : later + len(r)] |= fell
    return np.where(out[: len(r)], 0.0, 1.0)


def subject(x: np.ndarray, r: np.ndarray, best: np.ndarray | None = None, **more) -> Subject:
    """Return what is tested; the best peer is constant exposure where none is given."""
    peer = np.full(len(x), x.mean()) if best is None else best
    return Subject(
        x=x, r=r, k=np.full(len(x), COST), best=peer, every=DAY, memory=(OUT + BACK) * DAY, **more
    )
