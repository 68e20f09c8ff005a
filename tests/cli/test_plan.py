from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.backtest.evidence.daily import daily_file, rules_file
from tests.cli.words import instead

EVENT = ("--fall", "10%", "--within", "7d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    daily_file(tmp_path, 3)
    rules_file(tmp_path)
    return tmp_path


@pytest.fixture
def plan(riskguard, folder: Path) -> Path:
    path = folder / "plan.yaml"
    code, _, err = riskguard(
        "plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT, "-o", path
    )
    assert (code, err) == (0, "")
    return path


def test_a_plan_is_written_in_one_step_and_says_what_comes_next(riskguard, folder: Path) -> None:
    target = folder / "plan.yaml"
    code, out, err = riskguard(
        "plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT, "-o", target
    )
    assert (code, err) == (0, "")
    assert re.search(r"^falls of 10% within 7d: 21; independent events: 14$", out, re.MULTILINE)
    assert f"next: riskguard backtest --preregister {target}" in out
    text = target.read_text()
    assert 'rules: "rules.yaml"' in text
    assert 'data: "BTCUSDT-1d.csv"' in text
    assert "# falls of 10% or more: 21" in text
    assert not re.search("equity|return|benefit of", text)


def test_a_program_is_told_what_was_planned(riskguard, folder: Path) -> None:
    target = folder / "plan.yaml"
    asked = (folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT, "-o", target)
    code, out, err = riskguard("plan", *asked, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (told["file"], told["falls"], told["events"]) == (str(target), 21, 14)
    assert f'rules_hash: "{told["rules_hash"]}"' in target.read_text()


def test_a_run_under_its_plan_needs_nothing_else(riskguard, plan: Path) -> None:
    code, out, err = riskguard("backtest", "--preregister", plan)
    assert (code, err) == (0, "")
    assert "nothing changed since" in out
    assert "events won" in out
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii()
    code, out, _ = riskguard("backtest", "--preregister", plan, "--json", "-")
    assert json.loads(out)["evidence"]["plan"]["changed"] == []


def test_a_plan_moves_with_its_folder(riskguard, plan: Path, tmp_path: Path) -> None:
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    code, out, _ = riskguard("backtest", "--preregister", moved / plan.name, "--quiet")
    assert code == 0
    assert "under the plan" in out


def test_rules_changed_after_the_plan_are_shown_as_changed(riskguard, plan, folder) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("8%", "9%"))
    code, out, _ = riskguard("backtest", "--preregister", plan)
    assert code == 0
    assert out.startswith("NOT SHOWN: changed since the plan")
    assert "changed since: the rules" in " ".join(out.split())


def test_an_option_beside_the_plan_counts_and_is_shown_as_changed(riskguard, plan: Path) -> None:
    code, out, _ = riskguard("backtest", "--preregister", plan, "--fee", "9bp", "--quiet")
    assert code == 0
    assert "the fee" in out


STRATEGY = """\
import backtrader as bt


class Own(bt.Strategy):
    params = dict(share=0.9)

    def next(self):
        if not self.position:
            self.order_target_percent(target=self.p.share)
"""


@pytest.fixture
def own(riskguard, folder: Path, monkeypatch) -> Path:
    """Return a plan in a folder beside that of its strategy, written from a third place."""
    (folder / "mine").mkdir()
    (folder / "mine" / "own.py").write_text(STRATEGY)
    (folder / "plans").mkdir()
    monkeypatch.chdir(folder)
    made = ("plan", "rules.yaml", "--data", "BTCUSDT-1d.csv", *EVENT, "-o", "plans/plan.yaml")
    code, _, err = riskguard(*made, "--strategy", "mine/own.py")
    assert (code, err) == (0, "")
    assert 'strategy: "../mine/own.py:Own"' in (folder / "plans" / "plan.yaml").read_text()
    return folder / "plans" / "plan.yaml"


def test_an_own_strategy_is_found_from_the_folder_of_the_plan(
    riskguard, own: Path, monkeypatch
) -> None:
    monkeypatch.chdir(own.parents[1] / "mine")
    unnamed = own.with_name("unnamed.yaml")
    unnamed.write_text(own.read_text().replace("own.py:Own", "own.py"))
    code, out, err = riskguard("backtest", "--preregister", unnamed)
    assert (code, err) == (0, "")
    assert "the plan itself, after it was written" in " ".join(out.split())
    for plan in (own, Path("..", "plans", "plan.yaml")):
        code, out, err = riskguard("backtest", "--preregister", plan)
        assert (code, err) == (0, "")
        assert "nothing changed since" in out
    code, out, _ = riskguard("backtest", "--preregister", own, "--strategy", "own.py")
    assert code == 0
    assert "nothing changed since" in out


def test_a_strategy_changed_after_the_plan_is_shown_as_changed(riskguard, own: Path) -> None:
    file = own.parents[1] / "mine" / "own.py"
    file.write_text(STRATEGY.replace("0.9", "0.8"))
    code, out, _ = riskguard("backtest", "--preregister", own)
    assert code == 0
    assert "changed since: the file of the strategy" in " ".join(out.split())


def test_a_strategy_that_is_gone_is_told_with_where_it_was(riskguard, own: Path) -> None:
    (own.parents[1] / "mine" / "own.py").unlink()
    code, out, err = riskguard("backtest", "--preregister", own)
    assert (code, out) == (2, "")
    assert "the strategy of the plan is not there: " in err
    assert "say where it is: --strategy FILE.py:CLASS" in err


def test_dates_of_a_plan_are_not_told_as_options_that_nobody_gave(riskguard, folder: Path) -> None:
    (folder / "other").mkdir()
    file, plan = folder / "other" / "BTCUSDT-1d.csv", folder / "late.yaml"
    head, *rows = (folder / "BTCUSDT-1d.csv").read_text().splitlines()
    made = ("plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT)
    assert riskguard(*made, "-o", plan, "--from", "2022-01-01").code == 0
    for kept, told in (
        (rows[:300], "error: trade_from of the plan, 2022-01-01"),
        ([row.replace("202", "203", 1) for row in rows[99:300]], "error: to of the plan, 2022-"),
    ):
        file.write_text("\n".join([head, *kept]) + "\n")
        code, out, err = riskguard("backtest", "--preregister", plan, "--data", file)
        assert (code, out) == (2, "")
        assert err.startswith(told)
        assert "--from" not in err
        assert "--to" not in err


def test_settings_tried_are_planned_and_told_in_the_verdict(riskguard, folder: Path) -> None:
    target = folder / "many.yaml"
    made = ("plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT)
    assert riskguard(*made, "-o", target, "--tried", "240").code == 0
    code, out, _ = riskguard("backtest", "--preregister", target)
    assert code == 0
    told = " ".join(out.split())
    assert re.search(r"; \d+ false alarms (cost|gained) \d+\.\d %/yr; 240 settings tried ", told)
    assert "0.00021 needed after 240 settings" in told
    assert riskguard(*made, "-o", folder / "none.yaml", "--tried", "0").code == 2


def test_a_plan_is_written_once(riskguard, plan: Path, folder: Path) -> None:
    before = plan.read_text()
    code, out, err = riskguard(
        "plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", *EVENT, "-o", plan
    )
    assert (code, out) == (2, "")
    assert "is there already: a plan is written once" in err
    assert plan.read_text() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--fall", "10"], "a fall of 1000% is no event"),
        (["--fall", "much"], "--fall 'much' is not a share"),
        (["--within", "7"], "--within: '7' is not a time"),
        (["--within", "23h"], "--within 23h is less than a bar of this data, 24h"),
        (["--within", "0d"], "--within '0d' is no time at all"),
        (["--data", "nowhere"], "there is no nowhere"),
        (["--output", "nowhere/plan.yaml"], "lies in a folder that does not exist"),
        (["--from", "2023-01-01"], "leaves no bar to trade"),
        (["--from", "2020-03-01", "--to", "2020-02-01"], "does not lie before --to 2020-02-01"),
        (["--strategy", "all"], "'all'"),
    ],
)
def test_what_cannot_be_planned_is_refused_and_nothing_is_written(
    riskguard, folder: Path, change: list[str], told: str
) -> None:
    target = folder / "plan.yaml"
    options = ["--data", folder / "BTCUSDT-1d.csv", *EVENT, "--output", target]
    code, out, err = riskguard("plan", folder / "rules.yaml", *instead(options, *change))
    assert (code, out) == (2, "")
    assert told in err
    assert "= help: " in err
    assert not target.exists()


def test_an_event_has_no_default(riskguard, folder: Path) -> None:
    code, _, err = riskguard(
        "plan", folder / "rules.yaml", "--data", folder / "BTCUSDT-1d.csv", "--within", "7d"
    )
    assert code == 2
    assert "--fall" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--null"], "--null runs under a plan"),
        (["50"], "backtest takes no '50'"),
        (["--preregister", "none.yaml"], "there is no plan none.yaml"),
        (["--preregister", "."], "--preregister . is a folder"),
        (["--preregister", ""], "--preregister is empty"),
    ],
)
def test_wrong_use_of_a_plan_teaches_how_one_is_written(riskguard, arguments, told) -> None:
    code, out, err = riskguard("backtest", *arguments)
    assert (code, out) == (2, "")
    assert told in err


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_null_writes_no_file_and_says_so(riskguard, plan: Path, tmp_path, option) -> None:
    target = tmp_path / "r.html"
    code, out, err = riskguard("backtest", "--preregister", plan, "--null", "2", option, target)
    assert (code, out) == (2, "")
    assert f"--null writes no {option}" in err
    assert not target.exists()


def test_a_null_of_a_guard_that_never_acts_says_that_it_shows_nothing(riskguard, folder) -> None:
    rules, plan = folder / "rules.yaml", folder / "asleep.yaml"
    rules.write_text(rules.read_text().replace(">= 8%", ">= 99%").replace("< 8%", "< 99%"))
    riskguard("plan", rules, "--data", folder / "BTCUSDT-1d.csv", *EVENT, "-o", plan)
    code, out, _ = riskguard("backtest", "--preregister", plan, "--null", "2")
    assert code == 0
    assert "on 2 nothing could be tested: those show nothing of honesty" in out
    assert "conditions of HELPS that did not hold" not in out


@pytest.mark.parametrize("more", [[], ["--null"], ["--json", "-"]])
def test_all_strategies_at_once_are_under_no_plan(riskguard, plan: Path, more: list[str]) -> None:
    code, out, err = riskguard("backtest", "--preregister", plan, "--strategy", "all", *more)
    assert (code, out) == (2, "")
    assert "a plan is of one strategy" in err
    plan.write_text(plan.read_text().replace('"buy_and_hold"', '"all"'))
    code, out, err = riskguard("backtest", "--preregister", plan, *more)
    assert (code, out) == (2, "")
    assert "a plan is of one strategy" in err


LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["backtest", "--preregister", LONG],
        ["backtest", "--rules", LONG],
        ["backtest", "--data", LONG],
        ["plan", "feb-2026", "--data", LONG, *EVENT],
        ["plan", "feb-2026", "--data", ".", *EVENT, "-o", LONG],
    ],
)
def test_a_name_too_long_for_a_file_is_wrong_use(riskguard, arguments: list[str]) -> None:
    code, out, err = riskguard(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {'a' * 60}...: File name too long")


def test_a_number_of_surrogates_must_be_one(riskguard, plan: Path) -> None:
    code, _, err = riskguard("backtest", "--preregister", plan, "--null", "many")
    assert code == 2
    assert "'many' is not a number of histories" in err


def test_the_null_tells_how_often_each_verdict_was_given(riskguard, plan: Path) -> None:
    code, out, err = riskguard("backtest", "--preregister", plan, "--null", "2")
    assert (code, err) == (0, "")
    assert out.startswith("honest: HELPS on 0 of 2 histories without foresight\n")
    assert re.search(r"^NOT SHOWN +[0-2]$", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 80
    quiet = riskguard("backtest", "--preregister", plan, "--null", "2", "--quiet")
    assert quiet.out.count("\n") == 1
