from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from riskguard.backtest.report import schema_path
from riskguard.shipped import shipped

SCENARIO = Path(__file__).resolve().parents[2] / "riskguard" / "history" / "scenarios" / "feb-2026"
VALIDATOR = Draft7Validator(json.loads(schema_path().read_text()))
RULES = """\
version: 1
params:
  limit: {value: 8%, range: 2%..20%}
rules:
  fast_fall:
    when: close.drop(24h) >= limit
    clear: close.drop(24h) <= 2% for 24h
    do: {exposure_cap: 40%, block_entries: long}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT-4h.csv"
    path.write_bytes((SCENARIO / "BTC-4h.csv").read_bytes())
    return path


def test_the_demo_prints_the_verdict_first_and_tells_the_sell_off(riskguard, tmp_path) -> None:
    target = tmp_path / "report.json"
    code, out, err = riskguard("backtest", "--strategy", "leveraged_hold", "--json", target)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "NOT SHOWN: mechanics only, in-sample"
    assert "warm-up to 2025-12-29T04:00Z, trading from 2025-12-29T04:00Z" in lines
    assert "reconstructed (liq.long)" in " ".join(lines[1:5])
    assert max(map(len, lines[:-1])) <= 80
    assert "".join(lines[:-1]).isascii()  # the last is a path
    order = ["end of 12 February 2026", "constant: ", "forced liquidation", "stage changes"]
    order += ["2026-02-05T20:00Z  out      HALTED    cap 0%  (67 % background)"]
    order += [
        "still out at the end",
        "blind: liq.long since 2026-02-13T00:00Z (no published figures)",
    ]
    order += ["other strategies: buy_and_hold", "full report: "]
    places = [out.index(part) for part in order]
    assert places == sorted(places)
    report = json.loads(target.read_text())
    VALIDATOR.validate(report)
    assert report["strategy"]["params"]["leverage"] == 3.0
    assert report["liquidation"]["bare"]["liquidated"]
    assert not report["liquidation"]["guarded"]["liquidated"]


def test_json_goes_to_stdout_alone_and_is_the_same_every_time(riskguard) -> None:
    first, second = riskguard("backtest", "--json", "-"), riskguard("backtest", "--json", "-")
    assert first == second
    report = json.loads(first.out)
    VALIDATOR.validate(report)
    assert first.err == ""
    assert report["bars"] == len(report["equity"]["ts"])
    assert report["warm_up"]["trading_from"] == "2025-12-29T04:00:00Z"
    assert report["blind"] == {"liq.long": "2026-02-13T00:00:00Z"}
    assert {item["word"] for item in [report["verdict"]]} == {"NOT SHOWN"}


def test_quiet_prints_the_verdict_only(riskguard, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    code, out, _ = riskguard("backtest", "-q", "--json", target)
    assert (code, out) == (0, "NOT SHOWN: mechanics only, in-sample\n")
    assert target.is_file()


def test_all_strategies_share_one_table(riskguard) -> None:
    code, out, _ = riskguard("backtest", "--strategy", "all")
    assert code == 0
    named = {line.split()[0] for line in out.splitlines() if line[:1].islower()}
    shipped_names = {path.stem for path in shipped("strategies").glob("*.py")}
    assert shipped_names - {"__init__"} <= named
    assert max(map(len, out.splitlines())) <= 80


def test_the_evidence_of_every_strategy_is_weighed(riskguard) -> None:
    reports = json.loads(riskguard("backtest", "--strategy", "all", "--json", "-").out)
    assert all(one["evidence"]["identity"] for one in reports)
    assert len({one["strategy"]["name"] for one in reports}) == len(reports) > 5


def test_further_figures_stand_in_the_report(riskguard) -> None:
    report = json.loads(riskguard("backtest", "--json", "-").out)
    found = report["evidence"]["further"]
    assert set(found) == {"bare", "guarded", "constant"}
    assert 0 < found["guarded"]["cvar_5"] <= found["guarded"]["cvar_1"] < 1
    assert found["guarded"]["ulcer"] < report["runs"]["guarded"]["max_drawdown"]
    value = report["evidence"]["value"]
    assert value["capture"] == value["avoided"] / (value["avoided"] + value["missed"])
    assert 0 < value["random_capture"] < 1


def test_strategies_are_listed_with_their_parameters(riskguard) -> None:
    code, out, _ = riskguard("backtest", "--list-strategies")
    assert code == 0
    assert "leveraged_hold: " in out
    assert "  --param leverage=3.0" in out


def test_own_csv_with_own_rules(riskguard, csv: Path, rules: Path) -> None:
    code, out, err = riskguard("backtest", "--data", csv, "--rules", rules, "--cash", "5_000")
    assert (code, err) == (0, "")
    assert out.startswith("NOT SHOWN: exploratory run, no plan")
    assert "close.drop(24h) 9% >= 8% (limit)" in out


def test_parameters_of_rules_and_strategies_reach_the_run(riskguard, csv, rules) -> None:
    common = ("backtest", "--data", csv, "--rules", rules, "--json", "-")
    plain = json.loads(riskguard(*common).out)
    never = json.loads(riskguard(*common, "--set", "limit=20%").out)
    assert plain["runs"]["bare"] == never["runs"]["bare"]
    assert plain["runs"]["guarded"]["trades"] > never["runs"]["guarded"]["trades"]
    assert len(never["decisions"]) == 1
    half = json.loads(riskguard(*common, "--param", "reserve=0.5").out)
    assert half["strategy"]["params"]["reserve"] == 0.5


def test_a_run_is_cut_to_the_dates_asked_for(riskguard) -> None:
    asked = ("backtest", "--from", "2026-01-10", "--to", "2026-02-01T12:00Z", "--json", "-")
    report = json.loads(riskguard(*asked).out)
    stamps = report["equity"]["ts"]
    assert (stamps[0], stamps[-1]) == ("2026-01-10T00:00:00Z", "2026-02-01T12:00:00Z")
    assert report["mark"] is None
    assert all(one["ts"] <= stamps[-1] for one in report["decisions"])


WRONG = [
    (("--scenario", ""), "--scenario is empty"),
    (("--data", ""), "--data is empty"),
    (("--rules", ""), "--rules is empty"),
    (("--json", ""), "--json is empty"),
    (("--symbol", ""), "--symbol is empty"),
    (("--symbol", "eth"), "did you mean ETH"),
    (("--cash", "100,5"), "not an amount above zero"),
    (("--to", "2020-01-01"), "the data has 2025-12-01T04:00Z .. 2026-03-04T00:00Z"),
    (("--from", "2030-01-01"), "leaves no bar to trade"),
    (("--from", "2026-02-01", "--to", "2026-02-01T01:00Z"), "leaves no bar to trade"),
    (("--scenario", "feb-2025"), "did you mean 'feb-2026'"),
    (("--data", "nowhere.csv"), "there is no nowhere.csv"),
    (("--data", ".", "--scenario", "feb-2026"), "exclude each other"),
    (("--rules", "nowhere.yaml"), "no rule file nowhere.yaml"),
    (("--fee", "5"), "is 500% of every trade"),
    (("--cash", "-1"), "not an amount above zero"),
    (("--from", "soon"), "not a moment in time"),
    (("--from", "2026-02-02", "--to", "2026-02-01"), "does not lie before"),
    (("--param", "leverage"), "is not NAME=VALUE"),
    (("--json", "nowhere/report.json"), "does not exist"),
    (("--json", "."), "is a folder"),
    (("--strategy", "buy_and_holt"), "did you mean 'buy_and_hold'"),
    (("--strategy", "nowhere.py:Mine"), "nowhere.py"),
    (("--param", "leverage=high"), "leverage"),
]


@pytest.mark.parametrize(("options", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_wrong_use_is_2_and_says_the_fix(riskguard, options, said, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = riskguard("backtest", *options)
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


HEAD = "ts,open,high,low,close\n"
REFUSED_DATA = [
    (HEAD, "BTC.csv"),
    (f"{HEAD}2026-01-01T00:00:00,1,1,1,1\n", "zone"),
    ("ts,open,high,low\n2026-01-01T00:00:00Z,1,1,1\n", "close"),
    (f"{HEAD}2026-01-01T00:00Z,1,1,1,1\n2026-01-01T04:00Z,1,1,2,1\n", "BTC.csv:3"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED_DATA, ids=["empty", "naive", "column", "low"])
def test_data_that_cannot_be_trusted_is_1(riskguard, rules, text, said) -> None:
    path = rules.with_name("BTC.csv")
    path.write_text(text)
    code, out, err = riskguard("backtest", "--data", path, "--rules", rules)
    assert (code, out) == (1, "")
    assert said in err
    assert "help" in err
    assert "Traceback" not in err


def test_rules_with_a_mistake_run_nothing(riskguard, rules: Path) -> None:
    rules.write_text(RULES.replace(">= limit", ">= limmit"))
    target = rules.with_name("report.json")
    code, out, err = riskguard("backtest", "--rules", rules, "--json", target)
    assert (code, out) == (1, "")
    assert f"{rules}:6:30: error[RG201]" in err
    assert not target.exists()


def test_a_setting_that_does_not_exist_is_refused(riskguard) -> None:
    code, out, err = riskguard("backtest", "--set", "suport_1=72_000")
    assert (code, out) == (1, "")
    assert "support_1" in err


def test_a_symbol_the_rules_do_not_guard_is_refused(riskguard, rules: Path) -> None:
    rules.write_text(RULES.replace("params:", "symbol: BTC\nguards: symbol\nparams:"))
    code, out, err = riskguard("backtest", "--rules", rules, "--symbol", "ETH")
    assert (code, out) == (1, "")
    assert "RG512" in err


def test_data_without_what_the_rules_need_is_refused(riskguard, csv: Path) -> None:
    code, out, err = riskguard("backtest", "--data", csv)
    assert (code, out) == (1, "")
    assert "RG501" in err


def test_a_history_shorter_than_the_warm_up_is_refused(riskguard) -> None:
    code, out, err = riskguard("backtest", "--to", "2025-12-20")
    assert (code, out) == (1, "")
    assert "help" in err
    assert "Traceback" not in err


def test_a_strategy_that_fails_is_named_with_its_line(riskguard, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import backtrader as bt\n\n\nclass Mine(bt.Strategy):\n"
        "    def next(self):\n        self.nothing.there\n"
    )
    code, out, err = riskguard("backtest", "--strategy", f"{path}:Mine")
    assert (code, out) == (1, "")
    assert "strategy Mine failed: AttributeError" in err
    assert "Traceback" not in err


PRINTS = """\
import sys

import backtrader as bt

print("loaded")


class Mine(bt.Strategy):
    def next(self):
        print("next", len(self))
        if not self.position:
            self.buy(size=0.1)
"""


def test_what_a_strategy_prints_is_no_part_of_the_report(riskguard, tmp_path: Path) -> None:
    path = tmp_path / "prints.py"
    path.write_text(PRINTS)
    code, out, err = riskguard("backtest", "--strategy", f"{path}:Mine", "--json", "-")
    assert code == 0
    VALIDATOR.validate(json.loads(out))
    assert "loaded\n" in err
    assert "next 200\n" in err
    code, out, _ = riskguard("backtest", "--strategy", f"{path}:Mine", "-q")
    assert (code, out) == (0, "NOT SHOWN: mechanics only, in-sample\n")


@pytest.mark.parametrize("place", ["module", "next"])
def test_a_strategy_that_ends_the_process_is_named(riskguard, tmp_path: Path, place: str) -> None:
    path = tmp_path / f"ends_in_{place}.py"
    text = PRINTS.replace('print("loaded")' if place == "module" else 'print("next"', "sys.exit(7")
    path.write_text(text.replace("sys.exit(7, len(self))", "sys.exit(7)").replace("(7\n", "(7)\n"))
    code, out, err = riskguard("backtest", "--strategy", f"{path}:Mine")
    assert (code, out) == (1, "")
    assert "ended the process (exit 7)" in err


def test_the_report_names_the_file_of_a_pack_and_starts_with_the_first_bar(riskguard) -> None:
    report = json.loads(riskguard("backtest", "--from", "2026-01-10", "--json", "-").out)
    assert report["rules"]["path"] == "rules/feb-2026.yaml"
    assert report["decisions"][0]["ts"] == report["warm_up"]["trading_from"]


def test_rules_from_a_pipe_are_refused_as_such(riskguard, tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("pipes of POSIX")
    pipe = tmp_path / "rules.yaml"
    os.mkfifo(pipe)
    for arguments in (("backtest", "--rules", pipe), ("check", pipe)):
        code, out, err = riskguard(*arguments)
        assert (code, out) == (2, "")
        assert "is a pipe or a device" in err
