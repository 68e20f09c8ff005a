from __future__ import annotations

from dataclasses import replace

import pytest

from riskguard.backtest.evidence.bootstrap import Interval
from riskguard.backtest.evidence.conditions import BETTER, CALMER, HARM, conditions
from riskguard.backtest.evidence.findings import Findings
from riskguard.backtest.evidence.grades import OPEN, Gate
from riskguard.backtest.evidence.placebo import Placebo
from riskguard.backtest.evidence.signs import Hits
from riskguard.backtest.evidence.stress import Stress
from riskguard.backtest.evidence.verdict import NOT_SHOWN, decide
from riskguard.backtest.evidence.weaknesses import weaknesses
from tests.backtest.page.drawn import ledger_row

ABOVE, AROUND, BELOW = (
    Interval(0.05, 0.01, 0.09),
    Interval(0.01, -0.03, 0.05),
    Interval(-0.05, -0.09, -0.01),
)
GOOD = Findings(
    placebo=Placebo(0.01, 0.01, 999, 100),
    block=100.0,
    against_constant=ABOVE,
    against_best=ABOVE,
    cdar=AROUND,
    ulcer=AROUND,
    shallower=0.5,
    hits=Hits(7, 8, 9 / 256, 0.02),
    benefits=(0.01,) * 8,
    without=(0.04,) * 8,
    carried=(3, 0.2),
    stress=(Stress(1, 1.0, 0.04), Stress(0, 2.0, 0.03)),
    above_line=True,
)
NAMES = [f"event {number}" for number in range(8)]


def judged(found: Findings | None, allowed: Gate = OPEN, **changes):
    told = {
        "planned": "0123456789ab",
        "changed": (),
        "peer": "moving average",
        "exposure": 0.82,
        "names": NAMES,
    }
    listed = conditions(found, allowed, **(told | changes))
    return decide(listed, allowed), listed


def test_all_conditions_together_say_that_it_helps() -> None:
    verdict, listed = judged(GOOD)
    assert verdict.word == BETTER
    assert all(one.met for one in listed if one.verdict == BETTER)
    assert verdict.reason == (
        "under the plan 0123456789ab; net benefit +5.0 %/yr vs moving average"
        " [90 % CI +1.0, +9.0]; foresight p = 0.010;"
        " 7 of 8 events won, 7 needed (sign test p = 0.035);"
        " 1 bar late +4.0 %/yr, at twice the costs +3.0 %/yr;"
        " event 3 carries 20% of the benefit"
    )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"against_best": AROUND}, "best simple peer"),
        ({"placebo": Placebo(0.06, 0.01, 999, 100)}, "foresight"),
        ({"placebo": None}, "foresight"),
        ({"hits": Hits(6, 8, 37 / 256, 0.02)}, "events"),
        ({"hits": Hits(7, 7, None, None)}, "events"),
        ({"stress": (Stress(1, 1.0, -0.01), Stress(0, 2.0, 0.03))}, "delay and costs"),
        ({"stress": (Stress(1, 1.0, 0.01), Stress(0, 2.0, -0.03))}, "delay and costs"),
        ({"carried": (3, 0.51)}, "one event"),
        ({"carried": None}, "one event"),
    ],
)
def test_one_condition_less_and_nothing_is_shown(change, name) -> None:
    verdict, listed = judged(replace(GOOD, **change))
    assert verdict.word == NOT_SHOWN
    failed = [one.name for one in listed if one.verdict == BETTER and not one.met]
    assert failed == [name]
    if change != {"carried": None}:
        assert next(one.text for one in listed if one.name == name) in verdict.reason


def test_every_verdict_ends_with_what_it_may_not_be_read_without() -> None:
    rows = [ledger_row("cut", false=13, false_cost=9_000.0), ledger_row("out", false_cost=1_400.0)]
    weak = tuple(weaknesses(rows, 240, cash=100_000.0, years=2.0))
    assert weak == ("14 false alarms cost 5.2 %/yr", "240 settings tried")
    for found in (GOOD, replace(GOOD, against_constant=BELOW), replace(GOOD, carried=None)):
        listed = conditions(
            found, OPEN, planned="p", changed=(), peer="", exposure=0.8, names=NAMES, tried=5
        )
        reason = decide(listed, OPEN, "", weak).reason
        assert reason.endswith("; 14 false alarms cost 5.2 %/yr; 240 settings tried")
    assert [*weaknesses([], None, 1.0, 1.0)] == ["settings tried: unknown"]
    one = ledger_row("cut", false_cost=-2_000.0)
    assert [*weaknesses([one], 1, 100_000.0, 1.0)] == [
        "1 false alarm gained 2.0 %/yr",
        "1 setting tried",
    ]
    assert next(weaknesses([one], 1, 100_000.0, 0.0)) == "1 false alarm"
    assert next(weaknesses([ledger_row("cut", false=0)], 1, 1.0, 1.0)) == "0 false alarms"


def test_the_best_of_many_settings_needs_more_foresight() -> None:
    verdict, _ = judged(GOOD, tried=5)
    assert verdict.word == BETTER
    assert "foresight p = 0.010, 0.01 needed after 5 settings" in verdict.reason
    assert judged(GOOD, tried=6)[0].word == NOT_SHOWN


def test_without_a_plan_nothing_can_help() -> None:
    verdict, _ = judged(GOOD, planned="")
    assert verdict.word == NOT_SHOWN
    assert verdict.reason.startswith("exploratory run, no plan; net benefit")
    assert "no plan says what an event is" in verdict.reason


def test_a_plan_from_which_something_changed_is_none() -> None:
    verdict, _ = judged(GOOD, changed=("the rules", "the fee"))
    assert verdict.word == NOT_SHOWN
    assert "changed since the plan 0123456789ab: the rules, the fee" in verdict.reason


def test_harm_is_said_first_even_without_a_plan() -> None:
    verdict, _ = judged(replace(GOOD, against_constant=BELOW, cdar=ABOVE), planned="")
    assert verdict.word == HARM
    assert verdict.reason == (
        "net benefit -5.0 %/yr vs constant 0.82 [90 % CI -9.0, -1.0]; exploratory run, no plan"
    )


def test_less_risk_without_foresight_needs_both_less_drawdown_and_a_place_above_the_line() -> None:
    calm = replace(GOOD, placebo=Placebo(0.3, 0.01, 999, 100), cdar=ABOVE)
    verdict, _ = judged(calm)
    assert verdict.word == CALMER
    assert "foresight p = 0.300" in verdict.reason
    assert judged(replace(calm, above_line=False))[0].word == NOT_SHOWN
    assert judged(replace(calm, cdar=AROUND))[0].word == NOT_SHOWN


@pytest.mark.parametrize("found", [GOOD, replace(GOOD, against_constant=BELOW), None])
def test_modelled_data_never_gets_a_word_or_a_figure(found) -> None:
    modelled = Gate(embedded=False, modelled=("BTC.liq.long is reconstructed",), in_sample=False)
    verdict, _ = judged(found, modelled)
    assert verdict == (NOT_SHOWN, "mechanics only (BTC.liq.long is reconstructed)")


def test_what_was_known_beforehand_can_hurt_but_never_help() -> None:
    known = Gate(embedded=False, modelled=(), in_sample=True)
    verdict, _ = judged(GOOD, known)
    assert verdict.word == NOT_SHOWN
    assert verdict.reason.startswith("in-sample (February 2026 was known")
    assert judged(replace(GOOD, cdar=ABOVE), known)[0].word == NOT_SHOWN
    harm, _ = judged(replace(GOOD, against_constant=BELOW), known)
    assert harm.word == HARM
    assert "in-sample (February 2026 was known" in harm.reason


def test_nothing_says_that_it_predicts() -> None:
    for found in (GOOD, replace(GOOD, cdar=ABOVE, placebo=None)):
        assert "predict" not in judged(found)[0].reason
