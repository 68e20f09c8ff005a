"""One market told in several ways, and the log of decisions each of them leads to.

Standard library and what a bot carries alone, so that any Python can be asked for its log:
`python -m tests.engine.parity FILE` prints the hashes of the cases in a file, with the word
`columns` that of the columns of a backtest too, which need numpy.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from riskguard.engine.decision import Decision
from riskguard.engine.events import Event
from riskguard.engine.guard import Guard
from riskguard.engine.intake import Intake
from riskguard.engine.recorded import recorded
from riskguard.language.reader import read_text
from riskguard.language.ruleset import RuleSet
from riskguard.live import flapping
from riskguard.live import rules as live_rules
from riskguard.live.replaying import Replay, differs
from riskguard.live.rules import Fit
from riskguard.live.session import Session
from riskguard.live.ticker import Ticker
from riskguard.market import MINUTE, SECOND, Sample
from riskguard.store import Journal

__all__ = [
    "WIDE", "Case", "by_events", "by_samples", "by_session", "digest", "drawn_market", "hashes",
    "line", "rules",
]  # fmt: skip

START = 1_767_225_600_000_000_000
SETTLED = 3 * SECOND  # after a close all that came for it has been given to the guard
BAR = ("open", "high", "low", "close", "volume")
ACCOUNT = ("equity", "transfers", "leverage")
TRADES = ("pnl.realised", "trades.closed", "trades.lost", "trades.stopped")
# lines that fire and clear at times in a market as it is drawn here
WIDE = (
    ("liq.long.sum({w}m).times_avg(60m, min=20m) >= 2x", "liq.long.sum({w}m) < $2M"),
    ("close.zscore(30m) < -1.5", "close.zscore(30m) > -0.5"),
    ("close.percentile(60m) < 10%", "close.percentile(60m) > 40%"),
    ("close / high.high({w}m) < 0.98x", "close / high.high({w}m) > 0.99x"),
    ("close.stdev(30m) > 1", "close.stdev(30m) < 0.8"),
    ("close.atr(14m) > 0.5", "close.atr(14m) < 0.4"),
    ("close < close.ema(20m) - 1%", "close > close.ema(20m)"),
    ("liq.long.accel({w}m) > 2x", "liq.long.accel({w}m) < 1x"),
    ("close < close.mean(30m) - 1%", "close > close.mean(30m)"),
    ("close.vol(30m) > 100%", "close.vol(30m) < 60%"),
    ("close.drop({w}m) >= {a}%", "close.drop({w}m) < {b}%"),
    ("close.ago({w}m) > 101", "close > 100"),
    ("volume.sum({w}m) > 400", "volume.mean({w}m) < 10"),
    ("close.drawdown(all) > {a}%", "close.drawdown(all) < {b}%"),
    ("loss_streak >= 2", "loss_streak < 1"),
    ("trades.lost.sum(30m) >= 3", "trades.lost.sum(30m) < 2"),
    ("pnl.realised.sum(30m) <= -$50", "pnl.realised.sum(30m) > -$10"),
    ("equity.drawdown(60m) >= {b}%", "equity.drawdown(60m) < 1%"),
    ("ETH.close.drop({w}m) >= {a}%", "ETH.close.rise({w}m) > {b}%"),
    ("funding.mean(60m) > 0.02%", "funding < 0.02%"),
    ("oi.change({w}m) < -{b}%", "oi.change({w}m) > 0%"),
    ("oi.drop(30m) > close.drop(30m)", "oi.rise(30m) > close.rise(30m)"),
    ("low.low({w}m) < 97", "close.low(5m) > 97"),
)


class Case(NamedTuple):
    """Rules over a market: samples as [ts, symbol, values], the trades closed in each minute."""

    name: str
    text: str
    sources: dict[str, str]
    samples: list[tuple[int, str, dict[str, float]]]
    trades: dict[str, list[float]]


class Logged(Guard):
    """A guard that writes down each decision when it is made."""

    def _begin(self) -> None:
        super()._begin()
        self.lines: list[str] = []

    def _instant(self, now: int, *, closed: bool = True) -> None:
        super()._instant(now, closed=closed)
        self.lines.append(line(now, self.own))


def line(now: int, decision: Decision) -> str:
    """Return one line of a log."""
    body = [now, recorded(decision)]
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def rules(case: Case) -> RuleSet:
    ruleset, found = read_text(case.text, "rules.yaml")
    assert ruleset is not None, [one.render() for one in found]
    return ruleset


# ---------------------------------------------------------------- the market, told


def by_samples(case: Case) -> list[str]:
    """Return the log of a guard that is fed samples, as a library and a backtest do."""
    guard = Logged(rules(case), sources=case.sources)
    for sample in case.samples:
        guard.update(Sample(*sample))
    return guard.lines


def by_events(case: Case) -> list[str]:
    """Return the log of a guard behind an intake that takes events."""
    guard = Logged(rules(case), sources=case.sources)
    intake = Intake(guard)
    for event in events(case, guard.plan.every):
        intake.take(event)
    assert not intake.refused, intake.refused
    return guard.lines


def by_session(case: Case) -> list[list[str]]:
    """Return the log of a live session that stores all on disk, and that of its journal replayed.

    What flaps is latched in live alone: a backtest does not count turns, so neither does this.
    """
    now = case.samples[0][0] - SECOND
    ticker = Ticker(wall=lambda: now, elapsed=lambda: now)
    live_rules.Guard = Logged  # type: ignore[misc]  # that writes down what it decides
    most, flapping.MOST = flapping.MOST, 1 << 30
    try:
        with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            file, state = Path(folder, "rules.yaml"), Path(folder, "state")
            file.write_text(case.text, encoding="utf-8")
            with Session(file, state, fit=Fit(sources=case.sources), ticker=ticker) as session:
                for event in events(case, session.guard.plan.every):
                    now = max(now, event.ts)
                    session.take(event)
                assert not session.intake.refused, session.intake.refused
            replay = Replay(Journal(state).contents())
            assert replay.from_snapshot is None
            assert [differs(step) for step in replay.steps() if differs(step)] == []
            return [session.guard.lines, replay.recorder.guard.lines]  # type: ignore[attr-defined]
    finally:
        live_rules.Guard = Guard  # type: ignore[misc]  # as it was
        flapping.MOST = most


def events(case: Case, every: int) -> Iterator[Event]:
    """Yield what venues and bot would have told, each instant's bars last."""
    for ts, samples in groupby(case.samples, lambda sample: sample[0]):
        for number, pnl in enumerate(case.trades.get(str(ts), ())):
            when = ts - 1 - number
            yield Event(when, "trade_closed", "BTC", {"pnl": pnl}, id=f"{ts}.{number}")
        for _, symbol, values in samples:
            yield from _told(ts, symbol, values, every)
        yield Event(ts + SETTLED, "clock", "*", source="clock")


def _told(ts: int, symbol: str, values: dict[str, float], every: int) -> Iterator[Event]:
    account = {name: values[name] for name in ACCOUNT if name in values}
    if account:
        yield Event(ts, "account", symbol, account)
    bar = {name: values[name] for name in BAR if name in values and "close" in values}
    for name, value in values.items():
        if name not in bar and name not in account and name not in TRADES:
            yield Event(ts, "value", symbol, {"series": name, "value": value})
    if bar:
        yield Event(ts, "bar", symbol, {**bar, "interval_ns": every})


def drawn_market(dice: random.Random, bars: int) -> tuple[list[Any], dict[str, list[float]]]:
    """Draw a market with an account, with holes and feeds that die; return samples and trades."""
    samples: list[Any] = []
    trades: dict[str, list[float]] = {}
    trades: dict[str, list[float]]
    price, other, oi, equity = 100.0, 50.0, 1e6, 1000.0
    holes = {name: dice.choice((0.0, 0.0, 0.01, 0.05)) for name in ("bar", "eth", "oi", "liq")}
    dead = {name: dice.choice((bars, bars, bars, dice.randrange(bars))) for name in holes}
    begins, drift = dice.randrange(bars), 0.0

    def comes(name: str, bar: int) -> bool:
        return dice.random() >= holes[name] and bar < dead[name]

    for bar in range(1, bars + 1):
        ts = START + bar * MINUTE
        if dice.random() < 0.05:
            drift = dice.choice((-0.01, -0.004, 0.0, 0.004, 0.006))
        price = round(max(1.0, price * (1 + drift + dice.gauss(0, 0.003))), 4)
        other = round(max(1.0, other * (1 + drift / 2 + dice.gauss(0, 0.003))), 4)
        oi = round(max(1.0, oi * (1 + drift + dice.gauss(0, 0.004))), 3)
        if comes("eth", bar):
            samples.append((ts, "ETH", {"close": other}))
        own: dict[str, float] = {}
        if comes("oi", bar):
            own["oi"] = oi
        if comes("liq", bar):
            own["liq.long"] = round(dice.choice((0.0, 3e5, 2e6)) * dice.random(), 2)
        if bar % 30 == 1:
            own["funding"] = round(dice.gauss(0.0002, 0.0003), 6)
        if bar >= begins:
            equity, told = _account(dice, equity, ts, trades)
            own |= told
        if comes("bar", bar):
            low, high = (round(price * by, 4) for by in (0.998, 1.002))
            volume = round(dice.expovariate(1 / 20), 3)
            own |= {"open": price, "high": high, "low": low, "close": price, "volume": volume}
        samples.append((ts, "BTC", own))
    return samples, trades


def _account(
    dice: random.Random, equity: float, ts: int, trades: dict[str, list[float]]
) -> tuple[float, dict[str, float]]:
    closed = [round(dice.gauss(0, 10), 2) for _ in range(dice.choice((0, 0, 0, 1, 2)))]
    if closed:
        trades[str(ts)] = closed
    moved = dice.choice((0.0, 0.0, 0.0, 0.0, 100.0, -50.0))
    equity = round(max(1.0, equity * (1 + dice.gauss(0, 0.01)) + moved), 2)
    return equity, {
        "equity": equity,
        "transfers": moved,
        "pnl.realised": sum(round(pnl * 100) for pnl in closed) / 100,
        "trades.closed": float(len(closed)),
        "trades.lost": float(sum(pnl < 0 for pnl in closed)),
        "trades.stopped": 0.0,
    }


def hashes(case: Case, *more: list[str]) -> list[str]:
    """Return the hashes of the logs by library, intake, live session and replay, and of more."""
    return [digest(one) for one in (by_samples(case), by_events(case), *by_session(case), *more)]


def main() -> None:
    cases = [Case(*one) for one in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))]
    if "columns" in sys.argv:
        from tests.engine.test_same_log import by_columns

        found = {case.name: hashes(case, by_columns(case)) for case in cases}
    else:
        found = {case.name: hashes(case) for case in cases}
    json.dump([sys.version.split()[0], found], sys.stdout)


if __name__ == "__main__":
    main()
