"""The cards of the packs say what a run says: every figure of docs/packs.md is made again."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from riskguard.adapters.backtrader import CAPABILITIES
from riskguard.backtest.compare import Request, compare
from riskguard.backtest.comparison import Comparison
from riskguard.backtest.evidence.evidence import weigh
from riskguard.backtest.metrics import OUT
from riskguard.backtest.report import build, figures
from riskguard.backtest.strategies import find
from riskguard.backtest.track import columns_of
from riskguard.engine.decision import Decision
from riskguard.history import History
from riskguard.history.stamps import instant
from riskguard.language.binding import bind
from riskguard.language.reader import load_rules, read_text
from riskguard.language.ruleset import RuleSet
from riskguard.market import DAY
from riskguard.shipped import shipped

PAGE = Path(__file__).parents[1] / "docs" / "packs.md"
PACKS = ["account-limits", "balanced", "cascade", "conservative", "feb-2026", "support-ladder"]
STRATEGIES = ["leveraged_hold", "buy_and_hold"]
CARDLESS = "blind-guard"
RUNS = ["bare", "guarded", "constant"]
FILES = {"account-limits": "account-4h.yaml"}  # shown on the page: it decides hourly by itself
START = "2026-01-01"  # the first day on which no pack is still warming up


@cache
def history() -> History:
    return History.read("feb-2026")


def request(pack: str, strategy: str) -> Request:
    if pack in FILES:
        text = re.search(rf"`{FILES[pack]}`:\n\n```yaml\n(.*?)```", section(pack), re.DOTALL)
        rules, _ = read_text(text[1] if text else "", FILES[pack])
    else:
        rules = load_rules(shipped("rules") / f"{pack}.yaml")
    assert rules is not None
    start = instant(f"{START}T00:00Z")
    path = f"rules/{pack}.yaml"
    return Request(history(), rules, path, find(strategy), strategy, start=start)


@cache
def compared(pack: str, strategy: str) -> Comparison:
    return compare(request(pack, strategy))


def section(pack: str) -> str:
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return next(part for part in parts if part.startswith(f"{pack}\n"))


def row(pack: str, strategy: str) -> str:
    """Return a line of the table: money, drawdowns, size, days out, rises missed, falls avoided."""
    made = compared(pack, strategy)
    found, exposure = figures(made), made.results["guarded"].exposure
    held = exposure[np.isfinite(exposure)]
    close = made.history.bars(made.symbol).close
    change = np.concatenate(([0.0], close[1:] / close[:-1] - 1))
    away = np.where(np.isfinite(exposure), 1 - exposure, 0.0)
    cells = [f"${found[name].end_equity:,.0f}" for name in RUNS]
    cells += [f"{found[name].max_drawdown:.1%}" for name in RUNS]
    cells += [f"{held.mean():.0%}", f"{(held < OUT).sum() * made.every / DAY:.0f}"]
    cells += [f"{(away * change.clip(0)).sum():.0%}", f"{(away * (-change).clip(0)).sum():.0%}"]
    return f"| {strategy} | {' | '.join(cells)} |"


def timeline(pack: str) -> list[str]:
    """Return the changes of stage with their days; of a pack without stages, what came on."""
    decisions = [one for one, _ in compared(pack, STRATEGIES[0]).decisions]
    staged = any(one.stage != "normal" for one in decisions)
    told = []
    for before, after in pairwise(decisions):
        if staged and before.stage != after.stage:
            told.append(f"{day(after)} {after.stage}")
        elif not staged and (new := set(after.active) - set(before.active)):
            told.append(f"{day(after)} {', '.join(sorted(new))}")
    return told


def day(decision: Decision) -> str:
    at = np.datetime64(decision.ts, "ns").astype("datetime64[s]").item()
    return f"{at.day} {at:%b}"


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("pack", PACKS)
def test_the_figures_of_a_card_are_those_of_its_command(pack: str, strategy: str) -> None:
    text = section(pack)
    assert (
        f"riskguard backtest --rules {FILES.get(pack, pack)} --strategy NAME --from {START}" in text
    )
    assert [line for line in text.splitlines() if line.startswith(f"| {strategy}")] == [
        row(pack, strategy)
    ]


@pytest.mark.parametrize("pack", PACKS)
def test_the_days_of_a_card_are_those_of_its_command(pack: str) -> None:
    words = " ".join(section(pack).split())
    assert f"On these bars: {'; '.join(timeline(pack))}." in words


def test_every_pack_has_a_card_and_no_card_is_of_another() -> None:
    cards = re.findall(r"^## ([a-z0-9-]+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    packs = {path.stem for path in shipped("rules").glob("*.yaml")}
    assert sorted(cards) == sorted(one for one in packs if not one.endswith("_test"))
    assert set(PACKS) == set(cards) - {CARDLESS}, "it sells nothing"


def first_said(rules: RuleSet, word: str) -> str:
    """Return at which close of the scenario a rule, or a blind input, is first told."""
    bound = bind(
        replace(rules, every=history().every), symbol="BTC", every=history().every,
        carried=history().inputs(), capabilities=CAPABILITIES,
    )  # fmt: skip
    columns = columns_of(bound.ruleset, history())
    decisions = (columns.decision(number) for number in columns.changes().tolist())
    one = next(one for one in decisions if word in {*one.active, *one.blind})
    return f"{np.datetime64(one.ts, 'ns').astype('datetime64[s]').item():%d %b %H:%M}"


def test_blind_guard_says_first_that_the_liquidations_of_the_scenario_end() -> None:
    packs = {pack: load_rules(shipped("rules") / f"{pack}.yaml") for pack in ("balanced", CARDLESS)}
    late = first_said(packs[CARDLESS], "liquidations_are_late")
    blind = first_said(packs["balanced"], "liq.long")
    words = " ".join(section(CARDLESS).split())
    assert f"says so at {late}, the built-in blind guard of the other packs at {blind}" in words


def test_what_is_said_of_all_cards_is_so() -> None:
    words = " ".join(PAGE.read_text(encoding="utf-8").split())
    made = compared("feb-2026", "leveraged_hold")
    bare = build(made, weigh(made))["liquidation"]["bare"]
    assert not bare["liquidated"]
    assert f"comes within {bare['distance']:.1%}".replace("%", " %") in words
    span = (int(made.ts[-1]) - int(made.ts[made.trading_from])) // DAY
    assert f"are of the {span} days from 1 January to 4 March 2026" in words
    earlier = compare(replace(request("feb-2026", "leveraged_hold"), start=None))
    report = build(earlier, weigh(earlier))
    assert report["warm_up"]["trading_from"].startswith("2025-12-29")
    assert report["liquidation"]["bare"]["liquidated"]
