from __future__ import annotations

from dataclasses import replace

import pytest

from riskguard.backtest.evidence.plan import Plan, plan_text
from riskguard.backtest.evidence.planfile import read_plan
from riskguard.errors import DataError
from riskguard.market import DAY
from tests.backtest.made import comparison


def plan(made) -> Plan:
    return Plan(
        rules="rules/burst.yaml",
        rules_hash=made.ruleset.hash,
        data='a folder "of mine"',
        data_hash=made.history.digest,
        symbol="BTC",
        trade_from=int(made.ts[made.trading_from]),
        to=int(made.ts[-1]),
        fall=0.1,
        within=7 * DAY,
        strategy="leveraged_hold",
        params={"leverage": "3.0"},
        cash=10_000.0,
    )


def test_a_plan_read_again_is_the_plan_that_was_written(tmp_path) -> None:
    made = plan(comparison(tmp_path))
    file = tmp_path / "plan.yaml"
    file.write_text(plan_text(made, ["1 fall", "", "2026-01-15 -10.2%"]))
    assert read_plan(file) == replace(made, written=made.hash)
    assert read_plan(file).hash == made.hash


def test_nothing_has_changed_when_the_run_is_as_planned(tmp_path) -> None:
    run = comparison(tmp_path)
    assert plan(run).changes(run) == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rules_hash": "x"}, "the rules"),
        ({"data_hash": "x"}, "the data"),
        ({"to": 5}, "the last bar"),
        ({"trade_from": 5}, "the first bar"),
        ({"fee": 0.0001}, "the fee"),
        ({"cash": 1.0}, "the cash"),
        ({"strategy": "sma_cross", "params": {}}, "the strategy"),
        ({"strategy_hash": "x"}, "the file of the strategy"),
        ({"params": {"leverage": "2.0"}}, "the parameters of the strategy"),
        ({"written": "0" * 64}, "the plan itself, after it was written"),
    ],
)
def test_what_changed_since_is_told(tmp_path, change, told) -> None:
    run = comparison(tmp_path)
    assert replace(plan(run), **change).changes(run) == (told,)


def test_a_parameter_that_the_plan_left_alone_is_a_change_too(tmp_path) -> None:
    run = comparison(tmp_path)
    silent = replace(plan(run), params={})
    assert silent.changes(run) == ()  # it runs at the declared 3x
    doubled = replace(run, params={"leverage": 6.0})
    assert silent.changes(doubled) == ("the parameters of the strategy",)


def test_a_seed_changed_in_the_file_is_a_change_of_the_plan(tmp_path) -> None:
    run = comparison(tmp_path)
    file = tmp_path / "plan.yaml"
    file.write_text(plan_text(plan(run)).replace("seed: 1", "seed: 2"))
    assert read_plan(file).changes(run) == ("the plan itself, after it was written",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("plan: 1", "plan: 2", "version '2' is unknown"),
        ("fall: 0.1", "fall: 1.5", "a fall of 150% is no event"),
        ("fall: 0.1\n", "", "does not say it"),
        ('within: "7d"', "within: 7", "'7' is not a time"),
        ('within: "7d"', "within: 0d", "longer than nothing"),
        ("seed: 1", "seed: one", "'one' is no whole number"),
        ("tried: 1", "tried: 0", "'0' is no whole number from 1 to 999,999,999"),
        ("tried: 1\n", "", "does not say it"),
        ("fee: 0.0005", "fee: free", "'free' is no number"),
        ("fee: 0.0005", "fee: 5", "'5' is no number from 0 to 0.1"),
        ("cash: 10000.0", "cash: 0", "'0' is no number from 0.01 to 1e+15"),
        ("cash: 10000.0", "cash: 1e308", "'1e308' is no number from 0.01 to 1e+15"),
        ("cash: 10000.0", "cash: .nan", "'.nan' is no number"),
        ("draws: 999", "draws: 0", "'0' is no whole number from 99 to 99,999"),
        ("draws: 999", "draws: 999999999", "'999999999' is no whole number"),
        ('"2022-11"', '"November"', "'November' is no month"),
        ("seed: 1", "sead: 1", "unknown key"),
        ("params: {", "params: [{", "not YAML"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_with_its_line(tmp_path, old, new, told) -> None:
    file = tmp_path / "plan.yaml"
    text = plan_text(plan(comparison(tmp_path)))
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(DataError) as refused:
        read_plan(file)
    assert told in str(refused.value)
    assert refused.value.line
