from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.history.planted import PLANTS
from tests.plugged import Installed

# packs that read what the defect is in, where it is not "balanced"
READ_BY = {"nearest_join": "feb-2026", "forgotten_hold": "feb-2026"}
SCENARIO = Path(__file__).resolve().parents[2] / "riskguard" / "history" / "scenarios" / "feb-2026"
RULES = """\
version: 1
symbol: BTC
params:
  limit: {value: 8%, range: 2%..20%}
rules:
  fast_fall:
    when: close.drop(24h) >= limit
    clear: close.drop(24h) <= 2% for 24h
    do: {exposure_cap: 40%}
  day_loss:
    when: equity.drop(24h) >= 5%
    min_hold: 24h
    do: {reduce_only: true}
"""
# remembers the closes of the run before, and so reads the next one
AHEAD = """
class Measure:
    api, reads, dimension, warmup = (1, 0), ("close",), "share", "window"
    arguments = {"window": "1d"}
    seen = {}

    def __init__(self, *, window):
        self.ts, self.close = 0, 1.0

    def update(self, ts, values):
        self.ts, self.close = ts, values["close"]
        self.seen[ts] = self.close

    def read(self):
        return 1.0 - self.seen.get(self.ts + 14_400_000_000_000, self.close) / self.close

    def dump(self):
        return [self.ts, self.close]

    def load(self, state):
        self.ts, self.close = state
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_every_bar_is_proved_and_what_is_left_out_is_said(riskguard, rules: Path) -> None:
    code, out, err = riskguard("verify", rules, "--scenario", "feb-2026")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == str(rules)
    assert out.partition("\n")[2] == (
        "  data          BTC in feb-2026: 558 bars of 4h, 2025-12-01T04:00Z ..\n"
        "                2026-03-04T00:00Z\n"
        "  known when    no value is used too early\n"
        "  look-ahead    none: data cut at every one of 558 bars, the same decisions\n"
        "  live          equals the backtest at all 558 bars (9 decisions), to the last\n"
        "                bit\n"
        "  later starts  8 tried, 2,199 bars with full windows read the same\n"
        "  left out      day_loss: reads equity, which depends on what a bot trades\n"
        "  verdict       fine\n"
    )


def test_a_folder_of_data_and_packs_by_name(riskguard) -> None:
    code, out, err = riskguard(
        "verify", "pack:feb-2026@1", "cascade", "--data", SCENARIO, "--cuts", "20"
    )
    assert (code, err) == (0, "")
    first, second = out.split("\n\n")
    assert first.startswith("rules/feb-2026.yaml\n")
    assert second.startswith("rules/cascade.yaml\n")
    text = " ".join(out.split())
    assert "none at 20 of 558 bars, spread evenly; the other bars are proved by the guard" in text
    assert "liq.long is reconstructed: its values hold hindsight" in text
    assert "europe_weak is off: the data has no 'stoxx'" in text
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii()


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_defect_is_found_and_told_within_80_columns(
    riskguard, name: str, monkeypatch
) -> None:
    PLANTS[name](monkeypatch)
    code, out, err = riskguard("verify", READ_BY.get(name, "balanced"), "--cuts", "40")
    if name == "early_staleness":  # nothing in this data is as old as it may be
        assert (code, err) == (0, "")
        return
    assert (code, err) == (1, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.isascii()
    text = " ".join(out.split())
    assert "Do not trust a backtest of this file" in text
    assert "This is a fault of riskguard" in text


def test_a_look_ahead_is_told_with_bar_measure_line_and_decision(riskguard, monkeypatch) -> None:
    PLANTS["nearest_join"](monkeypatch)
    code, out, _ = riskguard("verify", "feb-2026")
    assert code == 1
    text = " ".join(out.split())
    for part in (
        "found after 4 cuts, see below",
        "LOOK-AHEAD: the bar that closes 2025-12-01T16:00Z (number 4)",
        "input fear_greed: 24 (data cut), 23 (all data)",
        "it moves once the data goes on to 2025-12-02T04:00Z: it reads 3 bars ahead",
        'extreme_fear, "fear_greed <= 10" data cut: 24 against 10, false all data: 23 against',
        "LIVE DIFFERS FROM BACKTEST: the bar that closes 2025-12-01T16:00Z",
        "the decision of 2026-",
        "2 of 4 proofs failed",
    ):
        assert part in text, part


def test_a_difference_of_live_and_backtest_is_told_with_both_decisions(
    riskguard, monkeypatch
) -> None:
    PLANTS["forgotten_hold"](monkeypatch)
    code, out, _ = riskguard("verify", "feb-2026", "--cuts", "5")
    assert code == 1
    text = " ".join(out.split())
    for part in (
        "decides otherwise at 72 of 558 bars",
        "LIVE DIFFERS FROM BACKTEST: the bar that closes 2026-01-07T00:00Z (number 222)",
        "the stage: watch (live), normal (backtest)",
        "the decision of 2026-01-07T00:00Z (live -> backtest): stage watch -> normal;",
        "1 of 4 proofs failed",
    ):
        assert part in text, part


def test_a_plug_in_that_sees_the_future_is_named_and_not_riskguard(
    riskguard, tmp_path: Path, monkeypatch
) -> None:
    Installed(tmp_path, monkeypatch)("ahead", AHEAD)
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nsymbol: BTC\nrules:\n  a:\n    when: plugin.ahead(window=1d) > 1%\n"
        "    clear: plugin.ahead(window=1d) < 0.5%\n    do: {exposure_cap: 0%}\n"
    )
    code, out, err = riskguard("verify", rules, "--allow-plugin", "ahead", "--cuts", "5")
    assert (code, err) == (1, "")
    text = " ".join(out.split())
    assert "LOOK-AHEAD: the bar that closes" in text
    assert "This is a fault of plugin.ahead (acme 0.1)" in text
    assert "a fault of riskguard" not in text


def test_bars_stamped_by_the_wrong_end_are_found_in_a_folder(riskguard, tmp_path: Path) -> None:
    for file in SCENARIO.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "scenario.yaml").read_text()
    bars = "{file: BTC-4h.csv, symbol: BTC, series: bars, unit: price, interval: 4h, stamp: "
    assert text.count(bars + "open") == 1
    (tmp_path / "scenario.yaml").write_text(text.replace(bars + "open", bars + "close"))
    code, out, _ = riskguard("verify", "support-ladder", "--data", tmp_path, "--cuts", "1")
    assert code == 1
    assert "  known when    too early, see below\n" in out
    told = " ".join(out.split())
    assert "STAMPS THAT DO NOT FIT" in told
    assert "BTC.close fits the price in BTC.oi_usd / BTC.oi a bar later: usually 0.0" in told
    assert "look at stamp: (open or close)" in told
    (one,) = json.loads(
        riskguard("verify", "support-ladder", "--data", tmp_path, "--cuts", "1", "--json").out
    )
    assert [each["kind"] for each in one["differences"]] == ["stamp"]


def test_json_holds_the_same_and_no_number_that_is_none(riskguard, rules: Path, monkeypatch):
    code, out, err = riskguard("verify", rules, "--cuts", "7", "--set", "limit=4%", "--json")
    assert (code, err) == (0, "")
    (told,) = json.loads(out)
    assert (told["fine"], told["bars"], told["cuts"]) == (True, 558, {"made": 7, "of": 558})
    assert told["left_out"] == ["day_loss: reads equity, which depends on what a bot trades"]
    PLANTS["global_yardstick"](monkeypatch)
    code, out, err = riskguard("verify", "balanced", "--json")
    assert (code, err) == (1, "")
    (told,) = json.loads(out, parse_constant=pytest.fail)
    kinds = [one["kind"] for one in told["differences"]]
    assert kinds == ["look-ahead", "stream", "start"]
    ahead, stream = told["differences"][:2]
    assert ahead["at"] == "2025-12-02T00:00:00Z"
    assert ahead["cause"]["text"] == "liq.long.sum(24h).times_avg(7d, min=1d)"
    assert stream["cause"]["one"] == "unknown"
    assert stream["lines"][0][0]["value"] is None
    assert stream["text"].startswith("LIVE DIFFERS FROM BACKTEST")


def test_one_file_that_is_refused_does_not_stop_the_others(riskguard, rules: Path) -> None:
    code, out, err = riskguard("verify", "account-limits", rules, "--cuts", "2")
    assert (code, err) == (1, "")
    assert "refused:" in out
    assert "error[RG514]" in out
    assert out.endswith("verdict       fine\n")
    (told, fine) = json.loads(
        riskguard("verify", "account-limits", rules, "--cuts", "2", "--json").out
    )
    assert (told["fine"], fine["fine"]) == (False, True)
    assert "RG514" in told["refused"]


def test_one_refused_file_alone_is_told_as_by_every_command(riskguard, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES.replace("close.drop(24h) >= limit", "oi.drop(24h) >= limit"))
    bars = SCENARIO / "BTC-4h.csv"
    code, out, err = riskguard("verify", path, "--data", bars)
    assert (code, out) == (1, "")
    assert "error[RG501] the data has no column for 'oi'" in err
    assert "columns: close, high, low, open, volume" in err
    path.write_text(
        "version: 1\nsymbol: BTC\nrules:\n"
        + RULES.partition("  day_loss:")[2].join(["  day_loss:", ""])
    )
    code, out, err = riskguard("verify", path, "--data", bars)
    assert (code, out) == (1, "")
    assert "every rule rests on the account of a bot" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "feb-2025"], "did you mean"),
        (["verify", "feb-2026", "--scenario", "feb-2025"], "there is no scenario 'feb-2025'"),
        (["verify", "feb-2026", "--data", "nowhere"], "there is no nowhere"),
        (["verify", "feb-2026", "--data", ".", "--scenario", "feb-2026"], "exclude each other"),
        (["verify", "feb-2026", "--cuts", "0"], "--cuts 0 is not a number of bars"),
        (["verify", "feb-2026", "--cuts", "many"], "write for example --cuts 1_000"),
        (["verify", "feb-2026", "--symbol", "btc"], "did you mean BTC?"),
        (["verify", "feb-2026", "--data", " "], "--data is empty"),
        (["verify", "-"], "rules are not read from standard input"),
        (["verify", "rules/feb-2026_test.yaml"], "only tests of rules are named"),
        (["verify"], "RULES"),
    ],
)
def test_wrong_use_is_told_with_the_fix(riskguard, arguments: list[str], said: str) -> None:
    code, out, err = riskguard(*arguments)
    assert (code, out) == (2, "")
    assert said in err
