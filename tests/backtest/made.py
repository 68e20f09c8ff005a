"""A small comparison made by hand, so that every figure of a report is known beforehand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from riskguard.backtest.comparison import Comparison, Recovery, RunResult
from riskguard.backtest.evidence.evidence import Evidence
from riskguard.backtest.evidence.further import further
from riskguard.backtest.evidence.grades import gate
from riskguard.backtest.evidence.identity import Identity, Value
from riskguard.backtest.evidence.roundtrips import Whipsaws
from riskguard.backtest.evidence.verdict import unweighed
from riskguard.backtest.perpetual import Approach, Fill, Liquidation
from riskguard.backtest.runs import Costs, Run
from riskguard.engine.decision import Decision, Reading, State
from riskguard.history import History, Mark
from riskguard.language.ruleset import Actions, Compare, Constant, Rule, RuleSet, SeriesValue, Stage
from riskguard.market import DAY, HOUR

JANUARY = 20_468 * DAY  # 2026-01-15


def fill(bar: int, fee: float) -> Fill:
    return Fill(JANUARY + 4 * HOUR * bar, "BTC", 1.0, 100.0, fee, "strategy", bar, True)


def run(equity: list[float], fills: tuple[Fill, ...] = (), **others) -> Run:
    nothing = np.zeros(len(equity))
    plain = {"liquidations": (), "nearest": None, "funding": 0.0, "vetoes": (), "faults": ()}
    return Run(
        equity=np.array(equity),
        position=nothing,
        wanted=nothing,
        held=nothing,
        fills=fills,
        fees=sum(one.fee for one in fills),
        leverage=3.0,
        **(plain | others),
    )


def history(tmp_path, name: str = "made") -> History:
    """Return six 4 h bars of BTC with liquidations, read from a real file."""
    rows = ["ts,open,high,low,close,volume,oi,liq_long_usd"]
    for bar in range(6):
        stamp = np.datetime_as_string(np.datetime64(JANUARY + 4 * HOUR * (bar - 1), "ns"), "s")
        rows.append(f"{stamp}Z,100,110,90,100,5,1000,2000000")
    path = tmp_path / "BTCUSDT-4h.csv"
    path.write_text("\n".join(rows) + "\n")
    return replace(History.read(path), name=name)


def ruleset() -> RuleSet:
    line = Compare(
        SeriesValue("", "liq.long", "dollars"), ">=", Constant(5e7, "dollars"), text="liq >= $50M"
    )
    fall = Compare(SeriesValue("", "close", "price"), "<", Constant(7e4, "price"), text="close < 7")
    return RuleSet(
        stages=(Stage("cut", fall, Actions(exposure_cap=0.4)),),
        rules=(Rule("burst", line, Actions(exposure_cap=0.5)),),
        symbol="BTC",
    )


def decisions() -> list[tuple[Decision, float | None]]:
    burst = Reading("stage cut", "liq.long.sum(4h) >= floor", 1.15e9, 1.5e8, 6.7, "true", "dollars")
    broken = Reading(
        "stage cut", "close < floor for 2 closes", 67_489, 69_650, -0.03, "true", "price"
    )
    start = Decision(JANUARY + 4 * HOUR, "BTC")
    cut = replace(
        start,
        ts=JANUARY + 12 * HOUR,
        stage="cut",
        state=State.CAUTION,
        exposure_cap=0.4,
        reasons=(burst, broken),
    )
    same = replace(cut, ts=JANUARY + 16 * HOUR, exposure_cap=0.3)
    blind = replace(cut, ts=JANUARY + 20 * HOUR, blind=("liq.long",), state=State.REDUCING)
    return [(start, None), (cut, 0.864), (same, 0.864), (blind, 0.3)]


def comparison(tmp_path, **changes) -> Comparison:
    ts = JANUARY + 4 * HOUR * np.arange(6, dtype=np.int64)
    exposure = np.array([math.nan, math.nan, 1.0, 1.0, 0.4, 0.4])
    when = JANUARY + 4 * HOUR * 5
    lost = Liquidation(when, "BTC", -1.0, 61_234.0, 61_200.0, 5.0, 50.0)
    near = Approach(JANUARY + 4 * HOUR * 4, 58_000.0, 0.123)
    cash, gone = 10_000.0, math.nan
    bare = run(
        [gone, cash, 9_000.0, 12_000.0, 6_000.0, -50.0],
        (fill(2, 5.0),),
        funding=3.5,
        liquidations=(lost,),
    )
    guarded = run(
        [gone, cash, 9_000.0, 12_000.0, 9_600.0, 9_000.0],
        (fill(2, 5.0), fill(4, 3.25)),
        funding=2.5,
        nearest=near,
    )
    constant = run([gone, cash, 9_300.0, 11_400.0, 7_200.0, 3_000.0])
    made = Comparison(
        history=history(tmp_path),
        ruleset=ruleset(),
        rules_path="rules/burst.yaml",
        notes=("rule europe_weak is off: stoxx is not carried",),
        strategy="leveraged_hold",
        params={"leverage": np.float64(3.0)},
        leverage=3.0,
        symbol="BTC",
        every=4 * HOUR,
        cash=10_000.0,
        costs=Costs(),
        ts=ts,
        trading_from=1,
        warm_up_until=int(ts[1]),
        results={
            "bare": RunResult("bare", bare, np.where(np.isnan(exposure), np.nan, 1.0)),
            "guarded": RunResult("guarded", guarded, exposure),
            "constant": RunResult("constant", constant, np.where(np.isnan(exposure), np.nan, 0.7)),
        },
        constant_exposure=0.7,
        decisions=decisions(),
        recovery=[
            Recovery("cut", "close > held for 3d", "false", 64_856, 70_350, 0.0847, "price"),
            Recovery("cut", "liq.long.sum(24h) <= calm", "unknown", None, 1e8, None, "dollars"),
        ],
        mark=Mark("first day", int(ts[4])),
    )
    return replace(made, **changes)


def untested(made: Comparison, **changes) -> Evidence:
    """Return what is found where nothing was tested; the identity is made by hand too."""
    allowed = gate(made)
    found = Evidence(
        verdict=unweighed(allowed), conditions=(), plan=None, changed=(),
        identity=Identity(
            avoided=9_500.0, missed=400.0, costs=50.0, other_path=0.0, guarded=9_000.0,
            bare=-50.0, error=0.0, parted=False,
        ),
        value=Value(0.9, 0.1, 0.01), random_capture=0.55,
        further=further(made), whipsaws=Whipsaws(0, 0, 0.0, 0.0, math.nan),
        years=0.1, mean_exposure=0.7, peers=(), best=None, leverage_line=(),
        found=None, untested="too few bars", catalogue=None, events=(), cash=10_000.0, ledger=(),
        notes=(), draws=99, seed=1,
    )  # fmt: skip
    return replace(found, **changes)


def with_funding(made: Comparison, symbol: str) -> Comparison:
    """Return the comparison with a funding series of `symbol` in its history."""
    series = dict(made.history.series)
    funding = replace(series["BTC.liq.long"], symbol=symbol, name="funding")
    series[funding.key] = funding
    return replace(made, history=replace(made.history, series=series))
