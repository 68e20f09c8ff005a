"""Who saved and who cost: parts of one whole, and what the whole would be without them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riskguard.backtest.compare import Request, compare
from riskguard.backtest.comparison import Comparison
from riskguard.backtest.evidence.claims import names_of
from riskguard.backtest.evidence.identity import identity, terms
from riskguard.backtest.evidence.ledger import LedgerRow, ledger
from riskguard.backtest.strategies import find, names
from riskguard.engine.decision import Decision, State
from riskguard.history import History
from riskguard.language.reader import load_rules
from riskguard.language.ruleset import (
    Actions,
    Compare,
    Constant,
    Rule,
    RuleSet,
    SeriesValue,
    Stage,
)
from riskguard.market import DAY, HOUR
from riskguard.shipped import shipped
from tests.adapters.market import Track
from tests.backtest.evidence.test_identity import PACKS, Reacts
from tests.backtest.evidence.walks import START, compared, tried, walk
from tests.backtest.test_pooled import Short
from tests.counts import counts

LEAF = Compare(SeriesValue("", "close", "price"), "<", Constant(1.0, "price"), text="close < 1")
RULES = RuleSet(
    symbol="BTC",
    stages=(
        Stage("watch", LEAF, Actions(exposure_cap=0.8)),
        Stage("cut", LEAF, Actions(exposure_cap=0.4)),
        Stage("out", LEAF, Actions(exposure_cap=0.0, close="all")),
    ),
    rules=(
        Rule("half", LEAF, Actions(exposure_cap=0.5)),
        Rule("twin", LEAF, Actions(exposure_cap=0.5)),
        Rule("shut", LEAF, Actions(block_entries="long")),
        Rule("near", LEAF, Actions(exposure_cap=0.9)),
        Rule("teller", LEAF, Actions(notify="look")),
    ),
)
ASKED = {f"stage {one.name}": one.do.exposure_cap for one in RULES.stages}
ASKED |= {one.name: one.do.exposure_cap for one in RULES.rules}


def decision(bar: int, *on: str) -> Decision:
    """Return the decision at the close of a bar under the stages and rules named."""
    caps = sorted((ASKED[name], name) for name in on if ASKED.get(name) is not None)
    cap = caps[0][0] if caps else 1.0
    stage = next((name.removeprefix("stage ") for name in on if name.startswith("stage ")), "")
    winners = {"exposure_cap": tuple(name for _, name in caps)} if caps else {}
    if "shut" in on:
        winners["block_entries"] = ("shut",)
    if stage == "out":
        winners |= {"close": ("stage out",), "block_entries": ("stage out",)}
    return Decision(
        START + (bar + 1) * HOUR,
        "BTC",
        stage=stage or "normal",
        state=State.HALTED if stage == "out" else State.CAUTION if on else State.ACTIVE,
        exposure_cap=cap,
        close="all" if stage == "out" else "none",
        block_entries="both" if stage == "out" else "long" if "shut" in on else "none",
        active=tuple(sorted(name for name in on if not name.startswith("stage "))),
        winners=winners,
    )


def under(folder: Path, steps: dict[int, tuple[str, ...]], strategy=None, **more) -> Comparison:
    """Return a holder under decisions by bar; the log begins with a free one."""
    log = {0: decision(0)} | {bar: decision(bar, *on) for bar, on in steps.items()}
    obeyed = Track(list(log), list(log.values()))
    made = tried(walk(folder, 4), strategy or find("buy_and_hold"), {}, obeyed, **more)
    return replace(made, ruleset=RULES, decisions=[(one, None) for one in log.values()])


def rows(made: Comparison, **more) -> dict[str, LedgerRow]:
    return {row.rule: row for row in ledger(made, **more)}


def adds_up(made: Comparison) -> None:
    whole, found = identity(made), ledger(made)
    runs = (made.results[name].run.equity[made.trading_from :] for name in ("bare", "guarded"))
    allowed = 1e-12 * max(float(np.abs(path).max()) for path in runs)
    assert math.fsum(row.saved for row in found) == pytest.approx(whole.avoided, abs=allowed)
    assert math.fsum(row.missed for row in found) == pytest.approx(whole.missed, abs=allowed)
    assert math.fsum(row.costs for row in found) == pytest.approx(whole.costs, abs=allowed)
    net = whole.avoided - whole.missed - whole.costs
    assert math.fsum(row.net for row in found) == pytest.approx(net, abs=2 * allowed)
    for row in found:
        assert row.saved >= 0 <= row.missed
        assert row.net == pytest.approx(row.saved - row.missed - row.costs, abs=allowed)


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("strategy", names())
def test_all_parts_are_the_whole(pack: str, strategy: str, tmp_path: Path) -> None:
    made = compared(pack, strategy, tmp_path)
    adds_up(made)
    assert [row.rule for row in ledger(made)][: len(names_of(made.ruleset))] == [
        *names_of(made.ruleset)
    ]


@pytest.mark.parametrize(
    "strategy", [Reacts, Short, find("dca_grid")], ids=lambda one: one.__name__
)
@counts(10, 300)
def test_all_parts_are_the_whole_under_any_decisions(strategy, count: int, tmp_path: Path) -> None:
    on = [(), ("half",), ("half", "twin"), ("stage watch",), ("stage cut", "half"), ("shut",)]
    for seed in range(count):
        chance = np.random.default_rng(seed)
        bars = sorted(chance.choice(np.arange(11, 119), 9, replace=False).tolist())
        made = under(tmp_path, {bar: on[chance.integers(len(on))] for bar in bars}, strategy)
        adds_up(made)


def test_what_is_not_held_belongs_to_who_caps_lowest(tmp_path: Path) -> None:
    made = under(tmp_path, {30: ("stage watch", "half"), 50: ("stage cut", "half"), 80: ()})
    found, told, first = rows(made), terms(made), made.trading_from + 1
    half, cut = slice(31 - first, 51 - first), slice(51 - first, 81 - first)
    assert found["half"].saved == pytest.approx(told.avoided[half].sum())
    assert found["stage cut"].missed >= told.missed[cut].sum() - 1e-9
    assert found["half"].days_out == pytest.approx(20 * 0.5 / 24)
    assert found["stage watch"].net == found["stage watch"].days_out == 0.0
    # who tightened pays for it, and for the way back
    assert found["half"].costs == pytest.approx(told.costs[half].sum())
    assert found["stage cut"].costs == pytest.approx(told.costs[51 - first :].sum())


def test_a_tie_is_split_equally(tmp_path: Path) -> None:
    found = rows(under(tmp_path, {30: ("half", "twin"), 60: ()}))
    half, twin = found["half"], found["twin"]
    assert half.net == twin.net != 0.0
    assert (half.saved, half.missed, half.costs) == (twin.saved, twin.missed, twin.costs)
    assert half.days_out == twin.days_out == pytest.approx(30 * 0.25 / 24, rel=0.2)


def test_what_may_not_be_bought_again_belongs_to_who_blocks(tmp_path: Path) -> None:
    made = under(tmp_path, {30: ("stage out",), 50: ("near", "shut"), 70: ("near",), 90: ()})
    found, told, first = rows(made), terms(made), made.trading_from + 1
    blocked = slice(51 - first, 71 - first)
    assert found["shut"].saved == pytest.approx(told.avoided[blocked].sum())
    assert found["shut"].days_out == pytest.approx(20 / 24)
    assert (told.share[blocked] == 0).all()


def test_what_is_lacking_after_the_release_belongs_to_who_was_the_last(tmp_path: Path) -> None:
    opens = walk(tmp_path, 4).bars("BTC").open
    low = 15 + int(opens[16:60].argmin())  # decided at the close before
    high = low + 1 + int(opens[low + 2 :].argmax())
    made = under(tmp_path, {low: ("stage out",), high: ()})
    found, told = rows(made), terms(made)
    assert 0 < told.share[-1] < 1, "it came back at another price"
    assert found["stage out"].net == pytest.approx(
        math.fsum(told.avoided) - math.fsum(told.missed) - math.fsum(told.costs)
    )
    assert "no rule" not in found


def test_what_limits_nothing_has_no_row(tmp_path: Path) -> None:
    found = rows(under(tmp_path, {30: ("teller",), 40: ()}))
    assert "teller" not in found
    assert set(found) == set(ASKED) - {"teller"}


def test_a_rule_without_effect_is_redundant_here(tmp_path: Path) -> None:
    made = under(tmp_path, {30: ("stage cut", "half"), 60: ()})
    found, whole = rows(made), identity(made)
    net = whole.avoided - whole.missed - whole.costs
    assert found["half"].without == pytest.approx(net)
    assert found["stage cut"].alone == pytest.approx(net)
    assert found["stage cut"].without != pytest.approx(net)
    # the ceiling rule knows no reserve of the strategy: a thousandth of the account
    assert found["half"].alone == pytest.approx(found["stage cut"].without, abs=10)
    assert found["twin"].alone == 0.0


def test_in_place_of_a_missing_stage_stands_the_one_below(tmp_path: Path) -> None:
    one = rows(under(tmp_path, {30: ("stage cut",), 60: ()}))["stage cut"].without
    other = rows(under(tmp_path, {30: ("stage watch",), 60: ()}))["stage watch"].net
    assert one == pytest.approx(other, abs=10)


@pytest.mark.parametrize("pack", ["balanced", "conservative", "support-ladder"])
@pytest.mark.parametrize("strategy", ["buy_and_hold", "leveraged_hold"])
def test_real_runs_without_a_rule_or_with_it_alone_come_to_the_same(
    pack: str, strategy: str, measured
) -> None:
    history, rules = History.read("feb-2026"), load_rules(shipped("rules") / f"{pack}.yaml")

    def ran(chosen: RuleSet, start: int | None = None) -> Comparison:
        return compare(Request(history, chosen, "", find(strategy), strategy, start=start))

    whole = ran(rules)
    start = int(whole.ts[whole.trading_from])
    stake = identity(whole).avoided + identity(whole).missed
    worst = 0.0
    for place, stage in enumerate(rules.stages):
        row = rows(whole)[f"stage {stage.name}"]
        others = rules.stages[:place] + rules.stages[place + 1 :]
        for told, stages, latches in (
            (row.without, others, rules.rules),
            (row.alone, (stage,), ()),
        ):
            made = identity(ran(replace(rules, stages=stages, rules=latches, hash=""), start))
            real = made.avoided - made.missed - made.costs
            worst = max(worst, abs(told - real) / stake)
    measured(f"ledger: {pack}, {strategy}: off by {worst:.2%} of what was at stake at the most")
    assert worst < 0.03


def test_the_worst_whipsaw_is_told_with_its_prices(tmp_path: Path) -> None:
    steps = {bar: (("half",) if place % 2 else ()) for place, bar in enumerate(range(20, 110, 7))}
    made = under(tmp_path, steps)
    worst = rows(made)["half"].whipsaw
    assert worst is not None
    opens = dict(zip((made.ts - HOUR).tolist(), made.history.bars("BTC").open, strict=True))
    assert (worst.exit, worst.reentry) == pytest.approx((opens[worst.left], opens[worst.back]))
    assert worst.loss > 0
    assert worst.loss == pytest.approx(worst.reentry * 1.0011 / (worst.exit * 0.9989) - 1)
    assert rows(made)["twin"].whipsaw is None


def test_trips_are_counted_without_a_plan_and_judged_under_one(tmp_path: Path) -> None:
    made = under(tmp_path, {20: ("half",), 30: (), 40: ("half", "stage cut"), 60: ()})
    bare = rows(made)["half"]
    assert (bare.trips, bare.true, bare.late, bare.false) == (2, None, None, None)
    assert bare.redundant is None
    judged = rows(made, fall=0.9, within=10 * HOUR)["half"]
    assert (judged.trips, judged.false, judged.redundant) == (2, 1, 1)
    assert rows(made, fall=0.0, within=DAY)["stage cut"].true is not None


def test_a_false_alarm_costs_what_its_rule_made_until_its_next_trip(tmp_path: Path) -> None:
    made = under(tmp_path, {20: ("half",), 30: (), 60: ("half",), 75: ()})
    found, told, first = rows(made, fall=0.9, within=2 * DAY), terms(made), made.trading_from + 1
    parts = (told.avoided - told.missed - told.costs)[21 - first :]
    assert [found["half"].false, found["half"].unjudged] == [2, 0]
    assert found["half"].false_cost == pytest.approx(-math.fsum(parts))
    one = rows(made, fall=0.9, within=60 * HOUR)["half"]  # the data ends before the second's time
    assert (one.false, one.unjudged) == (1, 1)
    assert one.false_cost == pytest.approx(-math.fsum(parts[: 61 - 21]))
    assert found["twin"].false_cost == 0.0
    assert rows(made)["half"].false_cost is None


def test_the_same_comparison_has_the_same_ledger(tmp_path: Path) -> None:
    made = under(tmp_path, {30: ("half", "twin", "shut"), 60: ("stage out",), 80: ()})
    assert ledger(made, fall=0.05, within=DAY) == ledger(made, fall=0.05, within=DAY)
