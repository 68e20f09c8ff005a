"""Histories to verify on, and defects of the kind that happens, planted in columns and stream."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.engine.windows import Tape
from riskguard.history import History, Series
from riskguard.history.columns import logic, measures
from riskguard.history.columns.tape import TapeColumn
from riskguard.language.reader import load_rules
from riskguard.market import CATALOGUE, DAY, HOUR
from riskguard.shipped import shipped

if TYPE_CHECKING:
    import pytest

    from riskguard.language.ruleset import RuleSet

__all__ = ["PACKS", "PLANTS", "pack", "recorded_account", "scenario", "wander"]

PACKS = (
    "balanced",
    "blind-guard",
    "cascade",
    "conservative",
    "feb-2026",
    "support-ladder",
)


@cache
def scenario() -> History:
    return History.read("feb-2026")


def pack(name: str, history: History) -> RuleSet:
    """Return a pack; one that decides more often than there are bars decides at every bar."""
    found = load_rules(shipped("rules") / f"{name}.yaml", every=history.every)
    return replace(found, every=max(found.every or 0, history.every))


def recorded_account(history: History) -> History:
    """Return the history with what an account sent at its closes from the second week on."""
    times, draw = history.bars().ts[84:], random.Random(7)
    equity = 1e5 * np.cumprod([1 + draw.gauss(0, 0.012) for _ in times])
    values = {
        "equity": equity,
        "transfers": np.array([draw.choice([0.0] * 9 + [500.0]) for _ in times]),
        "pnl.realised": np.array([draw.gauss(-30, 400) for _ in times]),
        "trades.closed": np.array([float(draw.random() < 0.4) for _ in times]),
        "trades.lost": np.array([float(draw.random() < 0.3) for _ in times]),
        "trades.stopped": np.array([float(draw.random() < 0.2) for _ in times]),
        "leverage": np.array([1 + draw.expovariate(1.0) for _ in times]),
    }
    made = {
        f"BTC.{name}": Series(
            "BTC", name, replace(CATALOGUE[name], interval=history.every), "recorded", "exchange",
            "full", times, times, column,
        )
        for name, column in values.items()
    }  # fmt: skip
    return replace(history, series=history.series | made)


def wander(seed: int, bars: int) -> History:
    """Return the series of the scenario as random walks of `bars` bars, with holes and delays."""
    draw, like = random.Random(seed), scenario()
    rng = np.random.default_rng(seed)
    begin = 20_454 * DAY
    end = begin + bars * like.every
    series: dict[str, Series] = {}
    for key, one in like.series.items():
        step = one.spec.interval or HOUR
        events = np.arange(begin + step, end + 1, step, dtype=np.int64)
        bar = one.name in {"open", "high", "low", "close", "volume"}
        kept = np.ones(events.size, bool) if bar else rng.random(events.size) >= 0.05
        events = events[kept]
        late = 0 if bar else draw.choice([0, HOUR // 60, HOUR, 26 * HOUR])
        series[key] = replace(
            one, times=events + late, events=events, values=_walk(one, events.size, rng),
            background=None, available_after=late,
        )  # fmt: skip
    _shape(series, rng)
    return replace(like, name=f"walk {seed}", series=series)


def _walk(one: Series, size: int, rng: np.random.Generator) -> np.ndarray:
    if one.name == "funding":
        return rng.normal(2e-4, 3e-4, size)
    if one.spec.kind == "flow":
        quiet = rng.exponential(float(np.median(one.values)), size)
        return np.round(quiet * np.where(rng.random(size) < 0.1, 40.0, 1.0), 2)
    steps = rng.normal(0, 0.012, size) - np.where(rng.random(size) < 0.06, 0.035, 0.0)
    walked = float(one.values[0]) * np.exp(np.cumsum(steps) + 0.002 * np.arange(size))
    return np.round(np.minimum(walked, 100.0) if one.name == "fear_greed" else walked, 4)


def _shape(series: dict[str, Series], rng: np.random.Generator) -> None:
    """Let the parts of each bar fit together."""
    for symbol in {one.symbol for one in series.values() if one.name == "close"}:
        close = series[f"{symbol}.close"].values
        first = np.concatenate((close[:1], close[:-1]))
        reach = 1 + np.abs(rng.normal(0, 0.004, close.size))
        values = {
            "open": first,
            "high": np.maximum(first, close) * reach,
            "low": np.minimum(first, close) / reach,
        }
        for name, column in values.items():
            key = f"{symbol}.{name}"
            series[key] = replace(series[key], values=column)


# ---------------------------------------------------------------- planted defects


def _patched(patch: pytest.MonkeyPatch, name: str, change: Any) -> None:
    patch.setitem(measures.COLUMNS, name, change(measures.COLUMNS[name]))


def centred_window(patch: pytest.MonkeyPatch) -> None:
    """A low over a window that ends one bar late."""
    _patched(
        patch, "low", lambda low: lambda window, tape, now: low(window, tape, now + tape.interval)
    )


def global_yardstick(patch: pytest.MonkeyPatch) -> None:
    """A multiple of the mean of all data, as `x / x.mean()` gives it."""

    def times(_window: Any, tape: TapeColumn, now: np.ndarray) -> np.ndarray:
        return tape.current(now) / tape.values.mean()

    _patched(patch, "times_avg", lambda _: times)


def nearest_join(patch: pytest.MonkeyPatch) -> None:
    """Values of a slower series joined at the nearest stamp, as `direction="nearest"` does."""

    def current(tape: TapeColumn, now: np.ndarray) -> np.ndarray:
        if not tape.times.size:
            return np.full(now.size, np.nan)
        before = np.maximum(np.searchsorted(tape.times, now, side="right") - 1, 0)
        after = np.minimum(before + 1, tape.times.size - 1)
        nearer = tape.times[after] - now < now - tape.times[before]
        return tape.values[np.where(nearer, after, before)]

    patch.setattr(TapeColumn, "current", current)


def back_dated_confirmation(patch: pytest.MonkeyPatch) -> None:
    """A `for` that holds from the first bar of its run on, not from the bar that completes it."""
    persist = logic.persist

    def confirmed(truth: Any, now: Any, wanted: int, closes: int, every: int) -> Any:
        done = persist(truth, now, wanted, closes, every).copy()
        for bar in range(now.size - 2, -1, -1):
            if done[bar + 1] == logic.TRUE and truth[bar] == logic.TRUE:
                done[bar] = logic.TRUE
        return done

    patch.setattr(logic, "persist", confirmed)


def rounded_mean(patch: pytest.MonkeyPatch) -> None:
    """A mean that is one bit off, as a sum in another order gives it."""
    _patched(
        patch,
        "mean",
        lambda mean: lambda window, tape, now: np.nextafter(mean(window, tape, now), np.inf),
    )


def forgotten_hold(patch: pytest.MonkeyPatch) -> None:
    """A ladder of columns that steps down before `min_hold` is over."""
    ladder = logic.ladder
    patch.setattr(
        logic, "ladder", lambda up, down, now, holds: ladder(up, down, now, [0] * len(holds))
    )


def early_staleness(patch: pytest.MonkeyPatch) -> None:
    """A stream in which a value goes stale at its greatest age, not beyond it."""

    def current(tape: Tape, now: int) -> float:
        return tape.values[-1] if tape.values and now - tape.last < tape.fresh else float("nan")

    patch.setattr(Tape, "current", current)


def endless_peak(patch: pytest.MonkeyPatch) -> None:
    """A drawdown from the highest value there ever was, whatever the window says."""

    def drawdown(_window: Any, tape: TapeColumn, now: np.ndarray) -> np.ndarray:
        peak = np.maximum.accumulate(tape.values)
        return 1.0 - tape.current(now) / peak[np.maximum(tape.last(now), 0)]

    _patched(patch, "drawdown", lambda _: drawdown)


PLANTS = {
    plant.__name__: plant
    for plant in (
        centred_window,
        global_yardstick,
        nearest_join,
        back_dated_confirmation,
        rounded_mean,
        forgotten_hold,
        early_staleness,
        endless_peak,
    )
}
