"""The work that is measured: made-up minutes, a moving-average cross, ten rules.

No shipped pack has ten rules on minutes: these read what the shipped ones read, over windows of
up to 28 days. In a run of Backtrader they say `do: notify`, so that the guarded run fills what the
bare run fills and only the guard itself is measured; a live guard is measured with what they are
for (`PROTECTING`). Thresholds are taken from the data, so that every rule switches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import backtrader as bt
import numpy as np
import pandas as pd

from riskguard.adapters.backtrader import CAPABILITIES, GuardedBroker
from riskguard.backtest.feed import GuardFeed
from riskguard.backtest.track import Track
from riskguard.engine.compile import compile_rules
from riskguard.engine.guard import Guard
from riskguard.history.columns import Columns
from riskguard.language.binding import bind
from riskguard.language.reader import read_text
from riskguard.language.ruleset import Input
from riskguard.market import CATALOGUE, MINUTE

if TYPE_CHECKING:
    from riskguard.language.ruleset import RuleSet

SERIES = {
    "oi": "oi", "liq_long": "liq.long", "funding": "funding", "fear_greed": "fear_greed",
}  # fmt: skip
# measure, direction it fires in; windows of 60, 1,440 and 40,320 bars
LINES = (
    ("liq.long.sum(24h)", ">", "$"),
    ("liq.long.sum(60m).times_avg(28d)", ">", "x"),
    ("oi.change(24h)", "<", "%"),
    ("oi.change(28d)", "<", "%"),
    ("close / low.low(24h)", "<", "x"),
    ("close.drawdown(28d)", ">", "%"),
    ("close.change(24h)", "<", "%"),
    ("close.stdev(24h)", ">", ""),
    ("funding.mean(24h)", ">", "%"),
    ("fear_greed", "<", ""),
)
NOTIFYING = ("notify: seen",) * 10
PROTECTING = (
    "exposure_cap: 75%", "exposure_cap: 50%", "block_entries: long", "exposure_cap: 25%",
    "reduce_only: true", "exposure_cap: 0%", "block_entries: both", "reduce_by: 50%",
    "exposure_cap: 60%", "notify: seen",
)  # fmt: skip


def minutes(count: int) -> pd.DataFrame:
    """Return made-up one-minute bars with five further columns, stamped by close."""
    random = np.random.default_rng(7)
    close = np.round(60_000 * np.exp(np.cumsum(random.normal(0, 0.0006, count))), 2)
    opened = np.concatenate((close[:1], close[:-1]))
    spread = np.abs(random.normal(0, 0.0004, count)) * close
    wave = np.sin(np.arange(count) / 9_000)
    frame = {
        "open": opened,
        "high": np.round(np.maximum(opened, close) + spread, 2),
        "low": np.round(np.minimum(opened, close) - spread, 2),
        "close": close,
        "volume": np.round(random.exponential(20, count), 3),
        "oi": np.round(90_000 * np.exp(np.cumsum(random.normal(0, 0.0004, count)) * 0.5), 3),
        "liq_long": np.round(random.exponential(40_000, count) * (1.5 + wave) ** 3, 2),
        "funding": np.round(random.normal(1e-4, 5e-5, count) + 1e-4 * wave, 8),
        "fear_greed": np.round(50 + 45 * wave),
    }
    index = pd.date_range("2024-01-01 00:01", periods=count, freq="min")
    return pd.DataFrame(frame, index=index).astype("float64")


def stamps(frame: pd.DataFrame) -> np.ndarray:
    """Return the closes as int64 ns UTC."""
    return frame.index.as_unit("ns").asi8


def samples(frame: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the columns as the plan wants them: times and values by key."""
    ts = stamps(frame)
    return {SERIES.get(name, name): (ts, frame[name].to_numpy()) for name in frame}


def _written(value: float, unit: str) -> str:
    if unit == "$":
        return f"${value:.0f}"
    if unit == "%":
        return f"{value * 100:.6f}%"
    return f"{value:.6f}{unit}"


def pack(frame: pd.DataFrame, do: tuple[str, ...] = NOTIFYING) -> RuleSet:
    """Return ten rules, each confirmed for 5 bars, with a gap between trigger and clear."""
    probe = _pack({line: (0.0, 0.0) for line, _, _ in LINES}, do)
    table = Columns(compile_rules(probe), samples(frame), stamps(frame), "BTC")
    limits = {}
    for (line, sign, _), rule in zip(LINES, probe.rules, strict=True):
        column = table.plan.numbers[rule.when.of.left]
        known = table.values[column]  # noqa: PD011 - a list of arrays, not a frame
        known = known[np.isfinite(known)]
        far = (0.97, 0.85) if sign == ">" else (0.03, 0.15)
        limits[line] = tuple(float(np.quantile(known, share)) for share in far)
    return _pack(limits, do)


def _pack(limits: dict[str, tuple[float, float]], do: tuple[str, ...]) -> RuleSet:
    text = ["version: 1", "symbol: BTC", "every: 1m", "rules:"]
    for number, (line, sign, unit) in enumerate(LINES):
        fire, clear = (_written(limit, unit) for limit in limits[line])
        back = "<" if sign == ">" else ">"
        text += [
            f"  r{number}:",
            f"    when: {line} {sign} {fire} for 5 closes",
            f"    clear: {line} {back} {clear} for 5 closes",
            "    cooldown: 60m",
            f"    do: {{{do[number]}}}",
        ]
    ruleset, found = read_text("\n".join(text) + "\n", "reference.yaml")
    if ruleset is None:
        raise SystemExit("\n".join(one.render() for one in found))
    carried = {
        name: Input(name, CATALOGUE[name], source="made")
        for name in ("open", "high", "low", "close", "volume", *SERIES.values())
    }
    for name in ("funding", "fear_greed"):  # here they come with every bar
        spec = CATALOGUE[name]
        made = type(spec)(spec.unit, spec.kind, MINUTE, signed=spec.signed)
        carried[name] = Input(name, made, source="made")
    return bind(
        ruleset, symbol="BTC", every=MINUTE, carried=carried, capabilities=CAPABILITIES
    ).ruleset


class Cross(bt.Strategy):
    """Long while the 20-bar mean stands above the 50-bar mean."""

    params: ClassVar = {"fast": 20, "slow": 50, "size": 0.1}

    def __init__(self) -> None:
        fast, slow = (bt.ind.SMA(period=period) for period in (self.p.fast, self.p.slow))
        self.cross = bt.ind.CrossOver(fast, slow)
        self.fills: list[tuple[float, float]] = []

    def next(self) -> None:
        if self.cross[0] > 0 and not self.position.size:
            self.buy(size=self.p.size)
        elif self.cross[0] < 0 and self.position.size:
            self.close()

    def notify_order(self, order: bt.Order) -> None:
        if order.status == order.Completed:
            self.fills.append((order.executed.size, order.executed.price))


def traded(frame: pd.DataFrame, how: str, ruleset: RuleSet | None = None) -> list[tuple]:
    """Run the cross bare, by a track made beforehand, or by a streaming guard; return its fills."""
    cerebro = bt.Cerebro(stdstats=False)
    if how == "track":
        ts = stamps(frame)
        track = Track.of(Columns(compile_rules(ruleset), samples(frame), ts, "BTC"), ts)
        cerebro.setbroker(GuardedBroker(track=track, symbol="BTC"))
    elif how == "stream":
        cerebro.setbroker(GuardedBroker(guard=Guard(ruleset), symbol="BTC"))
    cerebro.broker.setcash(1_000_000)
    cerebro.broker.setcommission(commission=0.0005)
    feed = GuardFeed(dataname=frame, timeframe=bt.TimeFrame.Minutes, compression=1)
    cerebro.adddata(feed, name="BTC")
    cerebro.addstrategy(Cross)
    return cerebro.run()[0].fills
