"""Comparisons of any length, made by hand: what a page has to draw, known to the last bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskguard.backtest.comparison import Comparison, RunResult
from riskguard.backtest.evidence.conditions import Condition
from riskguard.backtest.evidence.evidence import Evidence
from riskguard.backtest.evidence.findings import Subject, findings
from riskguard.backtest.evidence.further import further
from riskguard.backtest.evidence.identity import Identity, Value
from riskguard.backtest.evidence.ledger import LedgerRow, Whipsaw
from riskguard.backtest.evidence.peers import SIMPLE, Peer, Point
from riskguard.backtest.evidence.roundtrips import Whipsaws
from riskguard.backtest.evidence.verdict import Verdict
from riskguard.backtest.runs import Costs, Run
from riskguard.engine.decision import Decision, Reading, State
from riskguard.history import History
from riskguard.history.series import Series
from riskguard.language.reader import read_text
from riskguard.market import CATALOGUE, DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = 18_262 * DAY  # 2020-01-01
RULES = """\
version: 1
symbol: BTC
stages:
  - stage: watch
    enter: liq.long.sum(4h) >= $50M
    recover: liq.long.sum(4h) <= $10M
    do: {exposure_cap: 75%}
  - {stage: cut, enter: close < 7_000, recover: close > 8_000, do: {exposure_cap: 40%}}
  - {stage: out, enter: close < 5_000, recover: close > 6_000, do: {exposure_cap: 0%, close: all}}
"""
STAGES = (
    ("normal", State.ACTIVE, 1.0),
    ("watch", State.CAUTION, 0.75),
    ("cut", State.CAUTION, 0.4),
    ("out", State.HALTED, 0.0),
)


def series(name: str, ts: NDArray[np.int64], values: NDArray[np.float64], every: int) -> Series:
    grade = "reconstructed" if name.startswith("liq") else "exchange"
    spec = replace(CATALOGUE[name], interval=every)
    return Series("BTC", name, spec, "made", grade, "full", ts, ts, values)


def walk(bars: int, every: int, seed: int = 1) -> History:
    """Return bars of a random walk with open interest and liquidations."""
    random = np.random.Generator(np.random.PCG64(seed))
    ts = START + every * np.arange(1, bars + 1, dtype=np.int64)
    close = 9_000 * np.exp(np.cumsum(random.normal(0, 0.5 * (every / DAY / 365) ** 0.5, bars)))
    first = np.concatenate(([9_000.0], close[:-1]))
    spread = np.abs(random.normal(0, 0.001, bars))
    columns = {
        "open": first,
        "high": np.maximum(first, close) * (1 + spread),
        "low": np.minimum(first, close) * (1 - spread),
        "close": close,
        "oi": 80_000 * np.exp(np.cumsum(random.normal(0, 0.0005, bars))),
        "liq.long": random.exponential(1e6, bars),
        "liq.short": random.exponential(8e5, bars),
    }
    columns["oi_usd"] = columns["oi"] * close
    found = {f"BTC.{name}": series(name, ts, values, every) for name, values in columns.items()}
    return History("made", "A random walk", "made", "BTC", every, None, found)


def decisions(ts: NDArray[np.int64], levels: NDArray[np.int64]) -> list[tuple[Decision, None]]:
    """Return a decision wherever the level changes: 0 normal, 1 watch, 2 cut, 3 out."""
    changes = np.flatnonzero(np.diff(levels, prepend=-1))
    made = []
    for bar in changes.tolist():
        stage, state, cap = STAGES[int(levels[bar])]
        reading = Reading(
            f"stage {stage}", "liq.long.sum(4h) >= $50M", 6e7, 5e7, 0.2, "true", "dollars",
            reads=(("liq.long", 4 * 3_600_000_000_000),),
        )  # fmt: skip
        given: dict[str, Any] = {"stage": stage, "state": state, "exposure_cap": cap}
        reasons = (reading,) if stage != "normal" else ()
        made.append((Decision(int(ts[bar]), "BTC", reasons=reasons, **given), None))
    return made


def run(equity: NDArray[np.float64], held: NDArray[np.float64]) -> Run:
    return Run(
        equity=equity, position=held, wanted=np.ones(len(held)), held=held, fills=(), fees=0.0,
        funding=0.0, liquidations=(), nearest=None, vetoes=(), faults=(), leverage=1.0,
    )  # fmt: skip


def comparison(
    bars: int, every: int = MINUTE, levels: NDArray[np.int64] | None = None, text: str = RULES
) -> Comparison:
    """Return a comparison of `bars` bars; without `levels` the guard acts about 400 times."""
    history = walk(bars, every)
    ruleset, found = read_text(text, "rules.yaml")
    assert ruleset is not None, found
    ts, close = history.bars().ts, history.bars().close
    if levels is None:
        random = np.random.Generator(np.random.PCG64(2))
        edges = np.sort(random.integers(1, bars, 400))
        levels = random.integers(0, 4, 401)[np.searchsorted(edges, np.arange(bars), side="right")]
    caps = np.array([cap for _, _, cap in STAGES])[levels]
    held = np.concatenate(([np.nan], caps[:-1]))
    growth = np.diff(close, prepend=close[0]) / close
    paths = {"bare": np.ones(bars), "guarded": np.nan_to_num(held), "constant": np.full(bars, 0.6)}
    results = {
        name: RunResult(name, run(100_000 * np.cumprod(1 + share * growth), share), share)
        for name, share in paths.items()
    }
    results["guarded"] = replace(results["guarded"], exposure=held)
    return Comparison(
        history=history, ruleset=ruleset, rules_path="rules.yaml", notes=(), strategy="hold",
        params={}, leverage=1.0, symbol="BTC", every=every, cash=100_000.0, costs=Costs(), ts=ts,
        trading_from=0, warm_up_until=int(ts[0]), results=results, constant_exposure=0.6,
        decisions=decisions(ts, levels),
    )  # fmt: skip


def peers(made: Comparison) -> tuple[Peer, ...]:
    """Return peers of any exposure; their figures mean nothing."""
    closes = made.history.bars().close[made.trading_from :]
    growth = np.diff(closes) / closes[:-1]
    found = []
    for number, name in enumerate((*SIMPLE, "drawdown stop", "random guard"), 1):
        exposure = np.full(len(growth), 0.5 + 0.05 * number)
        equity = np.concatenate(([1.0], np.cumprod(1 + exposure * growth)))
        found.append(Peer(name, "knob", 0.1 * number, exposure, equity, float(exposure.mean())))
    return tuple(found)


def ledger_row(rule: str, **changes: Any) -> LedgerRow:
    """Return a row of four trips, one of each kind but redundant."""
    row = LedgerRow(
        rule=rule, trips=4, true=1, late=1, false=1, redundant=0, unjudged=1, days_out=12.5,
        saved=1_000.0, missed=400.0, costs=30.0, net=570.0, without=-40.0, alone=600.0,
        whipsaw=Whipsaw(START, START + DAY, 9_000.0, 9_180.0, 0.022),
        false_cost=200.0,
    )  # fmt: skip
    return replace(row, **changes)


def evidence(made: Comparison) -> Evidence:
    """Return evidence of which every part is there; its figures mean nothing."""
    them = peers(made)
    random = np.random.Generator(np.random.PCG64(3))
    r, x = random.normal(0, 0.01, 400), np.repeat([1.0, 0.0, 0.5, 1.0], 100)
    subject = Subject(x, r, np.full(400, 0.001), np.full(400, x.mean()), HOUR, 5 * HOUR)
    return Evidence(
        verdict=Verdict("NOT SHOWN", "exploratory run, no plan; foresight p = 0.210"),
        conditions=(
            Condition("harm", False, "net benefit +1.0 %/yr vs constant 0.60", "HURTS"),
            Condition("plan", False, "exploratory run, no plan", "HELPS"),
            Condition("data", True, "all measured", "HELPS"),
            Condition("events", None, "too few events: 6, 8 needed", "HELPS"),
        ),
        plan=None,
        changed=(),
        identity=Identity(
            avoided=30_000.0, missed=20_000.0, costs=500.0, other_path=-100.0, guarded=90_000.0,
            bare=80_600.0, error=0.0, parted=True,
        ),
        value=Value(0.9, 0.1, 0.01),
        random_capture=0.55,
        further=further(made),
        whipsaws=Whipsaws(12, 7, 0.09, 0.022, 1.5),
        years=1.0,
        mean_exposure=0.6,
        peers=them,
        best=them[1],
        leverage_line=tuple(Point(share / 20, 0.01 * share, 0.02 * share) for share in range(21)),
        found=findings(subject, draws=50, seed=1),
        untested="",
        catalogue=None,
        events=(),
        notes=("peers: fitted on the evaluated range",),
        draws=50,
        seed=1,
        cash=100_000.0,
        ledger=tuple(ledger_row(name) for name in ("watch", "cut", "out")),
    )  # fmt: skip


def weighed(made: Comparison) -> tuple[Comparison, Evidence]:
    return made, evidence(made)
