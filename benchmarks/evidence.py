"""All statistics of a backtest over four years of hours: what they take beside the bare run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.measuring import ratio, say
from riskguard.backtest.compare import Request, compare
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.evidence.plan import Plan
from riskguard.backtest.runs import run
from riskguard.backtest.strategies import find
from riskguard.language.reader import read_text
from riskguard.market import DAY, HOUR
from tests.backtest.page.drawn import walk

if TYPE_CHECKING:
    from riskguard.backtest.comparison import Comparison
    from riskguard.history import History

BARS = 4 * 365 * 24
PLACEBOS = 999
RULES = """\
version: 1
symbol: BTC
stages:
  - stage: watch
    enter: {any: ["close.drop(24h) >= 4%", "liq.long.sum(4h) >= $9M"]}
    recover: close.drop(24h) < 3% for 12h
    do: {exposure_cap: 75%}
  - stage: cut
    enter: close.drop(3d) >= 8%
    recover: close.drop(3d) < 6% for 24h
    do: {exposure_cap: 40%}
  - stage: out
    enter: close.drop(7d) >= 12%
    recover: close.drop(7d) < 8% for 2d
    do: {exposure_cap: 0%, close: all}
rules:
  leaving:
    when: oi.change(24h) <= -1%
    clear: oi.change(24h) > 0%
    do: {block_entries: long}
"""


def main() -> None:
    history = measured(walk(BARS, HOUR))
    ruleset, found = read_text(RULES, "rules.yaml")
    if ruleset is None:
        raise SystemExit(f"the rules of the benchmark are refused: {found}")
    strategy = find("buy_and_hold")
    made = compare(Request(history, ruleset, "rules.yaml", strategy, "buy_and_hold"))
    plan = planned(made)
    start, work = time.perf_counter(), time.process_time()
    weighed = weigh(made, plan=plan)
    wall, work = time.perf_counter() - start, time.process_time() - work
    if weighed.found is None or weighed.found.placebo is None:
        raise SystemExit(f"nothing was tested: {weighed.untested}")
    if weighed.found.placebo.draws != PLACEBOS or weighed.changed:
        raise SystemExit(f"{weighed.found.placebo.draws} placebos; changed: {weighed.changed}")
    print(f"# {len(made.decisions):,} decisions, {len(weighed.events)} events")
    say("evidence_35k", wall, "s_wall", 10.0)
    say("evidence_35k_work", work, "s_cpu", None)
    share = ratio(lambda: weigh(made, plan=plan), lambda: bare(made), rounds=3)
    say("evidence_35k_of_bare", share, "x_of_bare", None)


def bare(made: Comparison) -> object:
    return run(
        made.history,
        find(made.strategy),
        {},
        symbol=made.symbol,
        cash=made.cash,
        costs=made.costs,
        trading_from=made.trading_from,
    )


def measured(history: History) -> History:
    """Return a history whose every series passes for measured: statistics are allowed on it."""
    series = {key: replace(one, grade="exchange") for key, one in history.series.items()}
    return replace(history, series=series)


def planned(made: Comparison) -> Plan:
    return Plan(
        rules="rules.yaml",
        rules_hash=made.ruleset.hash,
        data="made",
        data_hash=made.history.digest,
        symbol=made.symbol,
        trade_from=int(made.ts[made.trading_from]),
        to=int(made.ts[-1]),
        fall=0.1,
        within=7 * DAY,
        draws=PLACEBOS,
    )


if __name__ == "__main__":
    main()
